"""What a camera does with requests that nobody should send: it refuses them and goes on."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from hub.simulators.camera import Camera
from hub.simulators.onvif_server import MAX_REQUEST
from hub.simulators.rtsp_request import MAX_BODY, MAX_LINE, MAX_LINES
from tests.protocol.simulated import simulated_camera

ENVELOPE = (
    b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope">'
    b"<e:Header>%s</e:Header><e:Body>%s</e:Body></e:Envelope>"
)
CLOCK = b'<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>'
BOMB = (
    b'<!DOCTYPE b [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
    + ENVELOPE % (b"", b"<x y='&a11;'>&a11;</x>")
)
OUTSIDE = b'<!DOCTYPE b [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + ENVELOPE % (
    b"",
    b"<x>&f;</x>",
)
DEEP = ENVELOPE % (b"", b"<x>" * 200 + b"</x>" * 200)
WIDE = ENVELOPE % (b"", b"<x>" + b"".join(b"<a%d/>" % n for n in range(25_000)) + b"</x>")


@asynccontextmanager
async def answering(camera: Camera) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for hostile requests, after which the camera must answer an honest one."""
    async with aiohttp.ClientSession() as session:
        yield session
        async with session.post(
            camera.state.service_address(), data=ENVELOPE % (b"", CLOCK)
        ) as answer:
            assert answer.status == 200
            assert b"UTCDateTime" in await answer.read()


@pytest.mark.threat("T21")
@pytest.mark.parametrize(
    "body",
    [BOMB, OUTSIDE, OUTSIDE.decode().encode("utf-16"), DEEP, WIDE, b"", b"\x00" * 1000, b"<a>"],
    ids=["bomb", "entity", "entity in UTF-16", "deep", "wide", "empty", "zeros", "open"],
)
@pytest.mark.parametrize("path", ["device_service", "event_service", "subscription/1", "nothing"])
async def test_xml_is_refused_quickly(
    body: bytes, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with simulated_camera() as camera, answering(camera) as session:
        started = time.perf_counter()
        async with session.post(camera.state.service_address(path), data=body) as answer:
            assert answer.status in {400, 401, 500}
            text = await answer.text()
        assert time.perf_counter() - started < 1
        assert "Fault>" in text
        assert "root:" not in text
        assert "haha" not in text
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b" " * (2 * MAX_REQUEST), {}),
        (gzip.compress(b" " * (200 * MAX_REQUEST)), {"Content-Encoding": "gzip"}),
    ],
    ids=["plain", "compressed"],
)
async def test_a_body_beyond_the_limit_is_cut_off(data: bytes, headers: dict[str, str]) -> None:
    async with simulated_camera() as camera, answering(camera) as session:
        address = camera.state.service_address()
        async with session.post(address, data=data, headers=headers) as answer:
            assert answer.status in {400, 413}


@pytest.mark.parametrize(
    "authorization",
    [
        b"Digest",
        b"Digest response=\xff\xfe, nonce=\xc3\xa4",
        b'Digest username="admin", realm="\xe4", nonce="0-0", uri="", response="\xc3\xa4"',
        b'Digest username="admin", algorithm=SHA-512, nonce="zz"',
        b"Basic \xff\xff",
        b"Basic ====",
        b"Bearer x",
        b"Digest " + b'nonce="' + b"a" * 7000,
    ],
)
async def test_odd_credentials_are_refused_over_http_and_rtsp(
    authorization: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with simulated_camera() as camera:
        http = await exchange(
            camera.state.http_port,
            b"GET /snapshot/main.jpg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Authorization: " + authorization + b"\r\n\r\n",
        )
        assert http.startswith(b"HTTP/1.1 401 ")
        rtsp = await exchange(
            camera.state.rtsp_port,
            b"DESCRIBE rtsp://x/main RTSP/1.0\r\nCSeq: 1\r\n"
            b"Authorization: " + authorization + b"\r\n\r\n",
            is_last=True,
        )
        assert rtsp.startswith(b"RTSP/1.0 401 ")
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\n" + b"A: " + b"x" * (2 * MAX_LINE) + b"\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\n" + b"A: b\r\n" * (2 * MAX_LINES) + b"\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1),
        b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: " + "٣".encode() * 6 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_rtsp_is_refused_and_the_connection_ends(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with simulated_camera() as camera:
        answer = await exchange(camera.state.rtsp_port, request_bytes)
        assert answer.startswith(b"RTSP/1.0 400 ")
        honest = await exchange(
            camera.state.rtsp_port, b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n", is_last=True
        )
        assert honest.startswith(b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n")
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def exchange(port: int, request: bytes, *, is_last: bool = False) -> bytes:
    """Send bytes and read until the peer closes; with ``is_last`` we close first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if is_last:
        writer.write_eof()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


async def test_rtcp_between_requests_is_skipped_and_a_half_request_is_nothing() -> None:
    async with simulated_camera() as camera:
        rtcp = b"$\x01\x00\x04abcd"
        ask = b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n"
        answer = await exchange(camera.state.rtsp_port, rtcp + rtcp + ask, is_last=True)
        assert answer.count(b"RTSP/1.0 200 OK") == 1
        assert await exchange(camera.state.rtsp_port, ask[:-3], is_last=True) == b""
        assert await exchange(camera.state.rtsp_port, b"$\x01\xff", is_last=True) == b""
