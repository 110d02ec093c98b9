"""What the cheap probe never sends, whom it never asks, and what it asks besides RTSP."""

import asyncio
import os
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from hub.domain.addresses import AddressPolicy, parse_address
from hub.domain.errors import AddressRefused
from hub.domain.health import Depth, Layer, Status
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from streams.answer import plan_call
from streams.describe import describe_stream
from streams.network import _tls_context
from tests.protocol.answering import BOTH_WAYS, ask, camera_at, say
from tests.protocol.probing import ADMIN, LOOPBACK, PASSWORD, probe
from tests.protocol.scripted_rtsp import (
    play_along,
    serve,
    serve_answers,
    stay_silent,
)
from tests.protocol.simulated import simulated_camera
from tests.protocol.test_streams_probe import self_signed


@BOTH_WAYS
@pytest.mark.threat("T31")
@pytest.mark.parametrize("challenge", ['Digest realm="cam", nonce="n"', 'Basic realm="cam"'])
async def test_no_password_is_sent_even_when_asked_for(host: str, challenge: str) -> None:
    heard = b""

    async def listen(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal heard
        while data := await reader.read(4096):
            heard += data
            refusal = f"RTSP/1.0 401 {PASSWORD}\r\nCSeq: 1\r\nWWW-Authenticate: {challenge}\r\n\r\n"
            writer.write(refusal.encode())

    async with serve(listen) as camera:
        told = f"rtsp://{ADMIN.username}:{PASSWORD}@{host}:{camera.port}/live"
        for address in (told, camera_at(camera.port, host).stream_address):
            target = CameraTarget(device_id=1, stream_address=address, credentials=ADMIN)
            result = await probe(target, depth=Depth.ANSWER)
            assert result.status is Status.ONLINE
            assert PASSWORD not in repr(result)
    assert heard.count(b"OPTIONS") == 2
    for secret in (PASSWORD.encode(), b"Authorization", ADMIN.username.encode()):
        assert secret not in heard


@BOTH_WAYS
@pytest.mark.threat("T31")
async def test_a_password_the_camera_shouts_is_hidden(host: str) -> None:
    async with serve(say(f"nonsense {PASSWORD}\r\n\r\n".encode())) as camera:
        result = await ask(camera.port, host)
    assert result.failed_layer is Layer.PROTOCOL
    assert "***" in repr(result)
    assert PASSWORD not in repr(result)


@pytest.fixture
def trusted_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """What a camera with a certificate that verifies listens with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = self_signed(tmp_path)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    _tls_context.cache_clear()
    yield context
    _tls_context.cache_clear()


async def test_tls_is_spoken_first(trusted_tls: ssl.SSLContext) -> None:
    async with serve(say(b"RTSP/1.0 401 No\r\nCSeq: 1\r\n\r\n"), tls=trusted_tls) as camera:
        result = await probe(camera_at(camera.port, scheme="rtsps"), depth=Depth.ANSWER)
    assert result.failed_layer is None, result.lines
    assert "401" in result.lines[0]


async def test_tls_that_does_not_come_about_fails_the_protocol(
    trusted_tls: ssl.SSLContext,
) -> None:
    _tls_context.cache_clear()
    os.environ.pop("SSL_CERT_FILE")
    async with serve(stay_silent, tls=trusted_tls) as camera:
        untrusted = await probe(camera_at(camera.port, scheme="rtsps"), depth=Depth.ANSWER)
        plain = await ask(camera.port, timeout_s=0.5)
    async with serve_answers(play_along) as camera:
        deaf = camera_at(camera.port, scheme="rtsps")
        refused = await probe(deaf, timeout_s=0.5, depth=Depth.ANSWER)
    assert "certificate does not verify" in untrusted.detail
    layers = [one.failed_layer for one in (untrusted, plain, refused)]
    assert layers == [Layer.PROTOCOL] * 3


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "503 Busy"])
async def test_a_web_address_is_asked_for_any_answer(status: str) -> None:
    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    async with serve(answer) as camera:
        address = f"http://127.0.0.1:{camera.port}/onvif/device_service"
        only_service = CameraTarget(device_id=1, service_address=address)
        result = await probe(only_service, depth=Depth.ANSWER)
    assert result.failed_layer is None, result.lines
    assert result.depth is Depth.ANSWER


@BOTH_WAYS
@pytest.mark.parametrize("depth", list(Depth))
async def test_a_link_is_connected_to_and_told_nothing(host: str, depth: Depth) -> None:
    heard: list[bytes] = []
    has_ended = asyncio.Event()

    async def listen(reader: StreamReader, writer: StreamWriter) -> None:
        heard.append(await reader.read())
        has_ended.set()

    async with serve(listen) as switch:
        result = await probe(camera_at(switch.port, host, "tcp"), depth=depth)
        async with asyncio.timeout(2):
            await has_ended.wait()
    down = await probe(camera_at(switch.port, host, "tcp"), depth=depth)
    assert (result.status, result.depth) == (Status.ONLINE, depth)
    assert heard == [b""]
    assert "connected" in result.lines[0]
    assert down.failed_layer is Layer.NETWORK
    assert "nothing listens" in down.detail


@pytest.mark.threat("T14")
@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:1/x",
        "exec:sh",
        "udp://127.0.0.1:1",
    ],
)
async def test_other_addresses_are_refused(address: str) -> None:
    for depth in Depth:
        for target in (
            CameraTarget(device_id=1, stream_address=address),
            CameraTarget(device_id=1, snapshot_address=address),
        ):
            result = await probe(target, depth=depth)
            assert result.failed_layer is Layer.NETWORK
            assert result.detail
            assert "passwd" not in repr(result)


@pytest.mark.threat("T3")
async def test_a_link_is_no_stream_and_no_web_address() -> None:
    async with serve(stay_silent) as switch:
        address = f"tcp://127.0.0.1:{switch.port}"
        with pytest.raises(AddressRefused):
            parse_address(address)
        link = CameraTarget(device_id=1, stream_address=address)
        with pytest.raises(AddressRefused):
            await describe_stream(link, timeout_s=1, policy=LOOPBACK)
        for target in (
            CameraTarget(device_id=1, snapshot_address=address),
            CameraTarget(device_id=1, service_address=address),
        ):
            assert "refused" in (await probe(target, depth=Depth.ANSWER)).detail
        assert switch.connections == 0


@pytest.mark.threat("T13")
@pytest.mark.parametrize("scheme", ["rtsp", "tcp"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
async def test_what_the_policy_refuses_is_not_connected_to(scheme: str, host: str) -> None:
    async with serve_answers(play_along) as camera:
        target = camera_at(camera.port, host, scheme)
        result = await probe(target, policy=AddressPolicy(), depth=Depth.ANSWER)
        assert result.failed_layer is Layer.NETWORK
        assert "refused" in result.detail
        assert camera.connections == 0


@pytest.mark.threat("T4")
@pytest.mark.parametrize("scheme", ["rtsp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_verdict_is_that_of_the_policy_asked(scheme: str, host: str) -> None:
    async with serve_answers(play_along) as camera:
        target = camera_at(camera.port, host, scheme)
        own = frozenset({(ip_address("127.0.0.1"), camera.port)})
        spared = AddressPolicy(allowed=LOOPBACK.allowed, own_endpoints=own)
        allowed = await probe(target, depth=Depth.ANSWER)
        refused = await probe(target, policy=spared, depth=Depth.ANSWER)
        again = await probe(target, depth=Depth.ANSWER)
    assert [one.status for one in (allowed, refused, again)] == [
        Status.ONLINE,
        Status.OFFLINE,
        Status.ONLINE,
    ]
    assert "own services" in refused.detail


async def test_a_name_is_never_kept() -> None:
    assert plan_call("rtsp://localhost:8554/live", LOOPBACK) is None
    assert plan_call("rtsp://127.0.0.1:8554/live", AddressPolicy()) is None
    assert plan_call("rtsp://127.0.0.1:8554/live", LOOPBACK) is not None


async def test_simulated_camera_answers_with_and_without_its_password() -> None:
    async with simulated_camera() as camera:
        address = camera.state.stream_address()
        for credentials in (ADMIN, Credentials()):
            target = CameraTarget(device_id=1, stream_address=address, credentials=credentials)
            result = await probe(target, depth=Depth.ANSWER)
            assert result.status is Status.ONLINE, result.lines
