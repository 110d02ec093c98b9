"""Fetching frames from what is endless, slow, broken or hostile."""

import asyncio
import itertools
from ipaddress import ip_address

import pytest
from aiohttp import web

from hub.domain.addresses import AddressPolicy
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
)
from tests.encoded_frames import (
    WRONG_TYPES,
    claim_size,
    insert_segment,
)
from tests.protocol.frame_camera import (
    JPEG,
    LOOPBACK,
    PASSWORD,
    answering,
    fetch,
)
from tests.protocol.scripted_rtsp import (
    Seen,
    Served,
    play_along,
    read_request,
    reply,
    serve,
    serve_answers,
)
from tests.protocol.web_camera import Handler, serve_web


@pytest.mark.threat("T27")
@pytest.mark.parametrize("kind", WRONG_TYPES)
async def test_what_is_no_jpeg_is_refused(kind: str) -> None:
    handler = answering(lambda: web.Response(body=WRONG_TYPES[kind], content_type="image/jpeg"))
    async with serve_web(handler) as port:
        with pytest.raises(ProtocolViolation, match=r"^frames: the answer is not a JPEG"):
            await fetch(snapshot=f"http://127.0.0.1:{port}/")


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (JPEG[: len(JPEG) // 2], "cut off"),
        (claim_size(JPEG, 30_000, 30_000), "30000 x 30000 pixels"),
        (insert_segment(JPEG, 0xE1, b"Exif", length=65_535)[:60_000] + b"\xff\xd9", "no size"),
    ],
)
async def test_picture_is_measured_before_anybody_decodes_it(data: bytes, words: str) -> None:
    async with serve_web(answering(lambda: web.Response(body=data))) as port:
        with pytest.raises(ProtocolViolation, match=words):
            await fetch(snapshot=f"http://127.0.0.1:{port}/")


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"\xff\xd8\xff" + bytes(65_536))


async def _trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"\xff")
        await asyncio.sleep(0.02)


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        (_endless, ProtocolViolation, "exceeds 8388608 bytes"),
        (_trickle, DeviceUnreachable, "no picture within"),
    ],
)
async def test_endless_and_slow_pictures_end(
    handler: Handler, kind: type[DeviceError], words: str
) -> None:
    async with serve_web(handler) as port, asyncio.timeout(20):
        limit_s = 0.5 if handler is _trickle else 15
        with pytest.raises(kind, match=words):
            await fetch(snapshot=f"http://127.0.0.1:{port}/", timeout_s=limit_s)


def without_key(sequence: int) -> bytes:
    rtp = b"\x80\xe0" + (sequence & 0xFFFF).to_bytes(2, "big") + sequence.to_bytes(4, "big")
    rtp += b"ssrc\x41" + bytes(1_200)
    return b"$\0" + len(rtp).to_bytes(2, "big") + rtp


async def _play_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    method = ""
    while method != "PLAY":
        seen = await read_request(reader)
        method = seen.method
        writer.write(play_along(seen))
    for sequence in itertools.count():
        writer.write(without_key(sequence))
        await writer.drain()


@pytest.mark.threat("T27")
async def test_stream_without_a_key_frame_ends_by_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.frames.MAX_STREAM_BYTES", 500_000)
    async with serve(_play_without_end) as served, asyncio.timeout(20):
        with pytest.raises(ProtocolViolation, match=r"^frames: .* 500000 bytes"):
            await fetch(stream=f"rtsp://127.0.0.1:{served.port}/", timeout_s=15)


@pytest.mark.threat("T27")
async def test_stream_without_a_key_frame_ends_by_its_time() -> None:
    async with serve(_play_without_end) as served, asyncio.timeout(10):
        with pytest.raises(DeviceUnreachable, match=r"^frames: .*did not come in"):
            await fetch(stream=f"rtsp://127.0.0.1:{served.port}/", timeout_s=0.3)


@pytest.mark.threat("T4")
@pytest.mark.threat("T13")
@pytest.mark.threat("T14")
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "exec:/bin/true",
        "concat:/etc/passwd",
        "-i",
        "http://169.254.169.254/latest/",
        "rtsp://169.254.169.254/",
        "rtsp://[::ffff:169.254.169.254]/",
    ],
)
async def test_address_that_a_camera_must_not_send_us_to(address: str) -> None:
    for way in ("snapshot", "sub", "stream"):
        with pytest.raises(AddressRefused):
            await fetch(
                snapshot=address if way == "snapshot" else "",
                sub=address if way == "sub" else "",
                stream=address if way == "stream" else "",
            )


@pytest.mark.threat("T4")
@pytest.mark.parametrize("way", ["snapshot", "sub", "redirect"])
async def test_our_own_services_are_never_asked(way: str) -> None:
    async with serve_answers(play_along) as trap:
        policy = own(trap)
        where = f"127.0.0.1:{trap.port}/"
        lure = answering(lambda: web.Response(status=302, headers={"Location": f"http://{where}"}))
        async with serve_web(lure) as port:
            web_address = {"snapshot": f"http://{where}", "redirect": f"http://127.0.0.1:{port}/"}
            with pytest.raises(AddressRefused, match="own services"):
                await fetch(
                    policy=policy,
                    snapshot=web_address.get(way, ""),
                    sub=f"rtsp://{where}" if way == "sub" else "",
                )
        assert trap.connections == 0


def own(trap: Served) -> AddressPolicy:
    return AddressPolicy(
        allowed=LOOPBACK.allowed,
        own_endpoints=frozenset({(ip_address("127.0.0.1"), trap.port)}),
    )


@pytest.mark.threat("T31")
async def test_password_that_a_camera_echoes_is_in_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def echo(seen: Seen) -> bytes:
        if not seen.authorization:
            return reply(seen, "401 Unauthorized", 'WWW-Authenticate: Basic realm="cam"')
        return reply(seen, f"455 {PASSWORD} {seen.authorization}")

    async def ask(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="cam"'})

    async with serve_answers(echo) as camera, serve_web(ask) as port:
        with pytest.raises(DeviceError) as caught:
            await fetch(
                snapshot=f"http://127.0.0.1:{port}/", sub=f"rtsp://127.0.0.1:{camera.port}/"
            )
        with pytest.raises(AuthRejected, match=r"^credentials: "):
            await fetch(snapshot=f"http://127.0.0.1:{port}/")
    shown = repr(caught.value) + str(caught.value.__notes__) + caplog.text
    assert "455: *** Basic ***" in shown
    assert PASSWORD not in shown
    assert "YWRtaW4" not in shown  # the same, as Basic sends it
