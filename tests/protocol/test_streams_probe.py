"""Probes against cameras that misbehave, over real sockets: layers, limits, refusals, secrets."""

import asyncio
import logging
import os
import resource
import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.health import Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from streams.probe import probe_camera
from tests.protocol.scripted_rtsp import (
    SDP,
    Behaviour,
    Seen,
    ask_digest,
    play_along,
    read_request,
    reply,
    serve,
    serve_answers,
)

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8", "::1/128"]))
PASSWORD = "geheim-4711"
ADMIN = Credentials(username="admin", password=Secret(PASSWORD))
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def target(port: int, *, credentials: Credentials = ADMIN, path: str = "/live") -> CameraTarget:
    return CameraTarget(
        device_id=1, stream_address=f"rtsp://127.0.0.1:{port}{path}", credentials=credentials
    )


async def probe(
    camera: CameraTarget,
    *,
    timeout_s: float = 5.0,
    policy: AddressPolicy = LOOPBACK,
    deep: bool = False,
) -> ProbeResult:
    return await probe_camera(
        camera, timeout_s=timeout_s, policy=policy, clock=lambda: NOW, deep=deep
    )


async def test_good_camera_is_online() -> None:
    async with serve_answers(play_along) as camera:
        result = await probe(target(camera.port))
    assert result.failed_layer is None
    assert result.status is Status.ONLINE
    assert result.probed_at == NOW
    assert [seen.method for seen in camera.requests] == ["DESCRIBE"]  # asks no more than needed


async def test_nothing_listens() -> None:
    async with serve_answers(play_along) as camera:
        free_port = camera.port
    result = await probe(target(free_port))
    assert result.failed_layer is Layer.NETWORK
    assert "nothing listens" in result.detail


async def test_name_without_address() -> None:
    camera = CameraTarget(device_id=1, stream_address="rtsp://camera.invalid/live")
    result = await probe(camera)
    assert result.failed_layer is Layer.NETWORK
    assert "cannot be resolved" in result.detail


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_is_answered(algorithm: str) -> None:
    answer = ask_digest(play_along, algorithm=algorithm, password=PASSWORD, nonces=("n1",))
    async with serve_answers(answer) as camera:
        result = await probe(target(camera.port))
    assert result.failed_layer is None, result.lines
    assert len(camera.requests) == 2


async def test_stale_nonce_is_no_wrong_password() -> None:
    answer = ask_digest(play_along, algorithm="MD5", password=PASSWORD, nonces=("n1", "n2"))
    async with serve_answers(answer) as camera:
        result = await probe(target(camera.port))
    assert result.failed_layer is None, result.lines
    assert len(camera.requests) == 3


@pytest.mark.threat("T28")
async def test_wrong_password_is_tried_once() -> None:
    answer = ask_digest(play_along, algorithm="MD5", password="another", nonces=("n1",))
    async with serve_answers(answer) as camera:
        result = await probe(target(camera.port))
    assert result.failed_layer is Layer.CREDENTIALS
    assert result.status is Status.DEGRADED
    assert sum(bool(seen.authorization) for seen in camera.requests) == 1


async def test_endless_stale_ends() -> None:
    def always_stale(seen: Seen) -> bytes:
        challenge = f'WWW-Authenticate: Digest realm="c", nonce="{seen.sequence}", stale=true'
        return reply(seen, "401 Unauthorized", challenge)

    async with serve_answers(always_stale) as camera:
        result = await probe(target(camera.port))
    assert result.failed_layer is Layer.CREDENTIALS
    assert len(camera.requests) <= 3


async def test_password_is_not_sent_unasked_and_missing_one_is_named() -> None:
    answer = ask_digest(play_along, algorithm="MD5", password=PASSWORD, nonces=("n1",))
    async with serve_answers(answer) as camera:
        result = await probe(target(camera.port, credentials=Credentials()))
    assert result.failed_layer is Layer.CREDENTIALS
    assert "none is stored" in result.detail
    assert [seen.authorization for seen in camera.requests] == [""]


@pytest.mark.parametrize(
    ("status", "layer"),
    [
        ("404 Not Found", Layer.STREAM),
        ("403 Forbidden", Layer.CREDENTIALS),
        ("503 Service Unavailable", Layer.STREAM),
        ("500 Internal Server Error", Layer.STREAM),
        ("200 OK", Layer.STREAM),  # without a description
    ],
)
async def test_status_names_the_layer(status: str, layer: Layer) -> None:
    async with serve_answers(lambda seen: reply(seen, status)) as camera:
        result = await probe(target(camera.port))
    assert result.failed_layer is layer
    assert len(result.lines) >= 3


async def test_audio_only_is_no_camera() -> None:
    body = b"v=0\r\nm=audio 0 RTP/AVP 8\r\n"
    async with serve_answers(lambda seen: reply(seen, body=body)) as camera:
        result = await probe(target(camera.port))
    assert result.failed_layer is Layer.STREAM
    assert "no video" in result.detail


async def _stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(range(255, -1, -1)) * 64)
    await asyncio.Event().wait()


async def _web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await asyncio.Event().wait()


async def _endless_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"RTSP/1.0 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"a" * 1000 + b"\r\n")
        await writer.drain()


async def _endless_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"RTSP/1.0 200 ")
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


async def _huge_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n")
    await asyncio.Event().wait()


async def _slow_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"RTSP/1.0 200 OK\r\nX-Slow: " + b"z" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def _endless_packets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"$\x00\x00\x04data" * 1000)
        await writer.drain()


async def _endless_late_replies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n" * 1000)
        await writer.drain()


@pytest.mark.threat("K8")
@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (_stay_silent, "says nothing"),
        (_cut, "closed the connection"),
        (_garbage, "not RTSP"),
        (_web_server, "not RTSP"),
        (_endless_headers, "exceed"),
        (_endless_line, "exceed"),
        (_huge_body, "Content-Length"),
        (_slow_bytes, "too slowly"),
        (_endless_packets, "anything but the reply"),
        (_endless_late_replies, "anything but the reply"),
    ],
)
async def test_misbehaviour_fails_the_protocol_in_time(behave: Behaviour, words: str) -> None:
    async with serve(behave) as camera, asyncio.timeout(3):
        result = await probe(target(camera.port), timeout_s=0.5)
    assert result.failed_layer is Layer.PROTOCOL
    assert result.status is Status.OFFLINE
    assert words in result.detail
    assert result.latency_s < 2


async def test_what_was_received_is_in_the_log_lines() -> None:
    async with serve(_web_server) as camera:
        result = await probe(target(camera.port))
    assert any("HTTP/1.1 400" in line for line in result.lines)


async def test_camera_that_plays_without_frames_fails_at_frames() -> None:
    async with serve_answers(play_along) as camera:
        result = await probe(target(camera.port), timeout_s=0.5, deep=True)
    assert result.failed_layer is Layer.FRAMES
    assert [seen.method for seen in camera.requests][:3] == ["DESCRIBE", "SETUP", "PLAY"]


async def test_cancelling_a_probe_frees_it_at_once() -> None:
    async with serve(_stay_silent) as camera:
        task = asyncio.create_task(probe(target(camera.port), timeout_s=30))
        await camera.was_reached.wait()
        task.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await task


@pytest.mark.threat("T13")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[2002:7f00:1::]",
    ],
)
async def test_own_network_is_refused_in_every_spelling(host: str) -> None:
    async with serve_answers(play_along) as camera:
        result = await probe(
            CameraTarget(device_id=1, stream_address=f"rtsp://{host}:{camera.port}/live"),
            policy=AddressPolicy(),
        )
    assert result.failed_layer is Layer.NETWORK
    assert "refused" in result.detail
    assert camera.connections == 0


@pytest.mark.threat("T13")
@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "10.0.0.1", "224.0.0.1"])
async def test_metadata_and_private_networks_are_refused(host: str) -> None:
    camera = CameraTarget(device_id=1, stream_address=f"rtsp://{host}/latest/meta-data")
    result = await probe(camera, policy=LOOPBACK)
    assert "refused" in result.detail
    assert result.latency_s < 1


@pytest.mark.threat("T4")
async def test_own_services_are_refused_even_in_an_allowed_network() -> None:
    async with serve_answers(play_along) as camera:
        policy = AddressPolicy(
            allowed=LOOPBACK.allowed,
            own_endpoints=frozenset({(ip_address("127.0.0.1"), camera.port)}),
        )
        result = await probe(target(camera.port), policy=policy)
        mapped = CameraTarget(
            device_id=1, stream_address=f"rtsp://[::ffff:127.0.0.1]:{camera.port}/live"
        )
        second = await probe(mapped, policy=policy)
    assert "own services" in result.detail
    assert "own services" in second.detail
    assert camera.connections == 0


@pytest.mark.threat("T3")
@pytest.mark.threat("T14")
@pytest.mark.parametrize(
    "address",
    [
        "exec:/bin/sh",
        "file:///etc/passwd",
        "concat:/a|/b",
        "pipe:0",
        "-i",
        "rtsp://h/a b",
        "rtsp://h/a\r\nX: y",
        "ftp://h/x",
        "",
    ],
)
async def test_addresses_of_other_forms_are_refused(address: str) -> None:
    result = await probe(CameraTarget(device_id=1, stream_address=address))
    assert result.failed_layer is Layer.NETWORK
    only_service = CameraTarget(device_id=1, service_address=address)
    assert (await probe(only_service)).failed_layer is Layer.NETWORK


@pytest.mark.threat("T4")
async def test_redirects_and_foreign_control_addresses_lead_nowhere() -> None:
    async with serve_answers(play_along) as trap:
        elsewhere = f"rtsp://127.0.0.1:{trap.port}/secret"

        def redirect(seen: Seen) -> bytes:
            return reply(seen, "302 Found", f"Location: {elsewhere}")

        def lure(seen: Seen) -> bytes:
            if seen.method == "DESCRIBE":
                body = SDP.replace(b"trackID=1", elsewhere.encode())
                return reply(seen, "200 OK", f"Content-Base: {elsewhere}/", body=body)
            return play_along(seen)

        async with serve_answers(redirect) as camera:
            result = await probe(target(camera.port))
        async with serve_answers(lure) as camera:
            await probe(target(camera.port), timeout_s=0.5, deep=True)
            assert [seen.method for seen in camera.requests][:2] == ["DESCRIBE", "SETUP"]
    assert "redirects" in result.detail
    assert trap.connections == 0


@pytest.mark.threat("T31")
async def test_a_password_the_camera_echoes_is_hidden(caplog: pytest.LogCaptureFixture) -> None:
    def echo(seen: Seen) -> bytes:
        return reply(seen, f"455 rtsp://admin:{PASSWORD}@h/ {PASSWORD}")

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"nonsense {PASSWORD}\r\n\r\n".encode())
        await asyncio.Event().wait()

    with caplog.at_level(logging.DEBUG):
        async with serve_answers(echo) as camera:
            first = await probe(target(camera.port))
        async with serve(shout) as camera:
            second = await probe(target(camera.port))
    assert first.failed_layer is Layer.STREAM
    assert second.failed_layer is Layer.PROTOCOL
    assert "***" in repr(first) + repr(second)
    assert PASSWORD not in repr(first) + repr(second) + caplog.text


async def test_without_a_stream_the_service_address_is_asked() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        await asyncio.Event().wait()

    async with serve(web) as camera:
        address = f"http://127.0.0.1:{camera.port}/onvif/device_service"
        result = await probe(CameraTarget(device_id=1, service_address=address))
        assert result.failed_layer is None
        assert "405" in result.lines[0]


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (_stay_silent, "no HTTP answer"),
        (_garbage, "not HTTP"),
        (_endless_line, "not HTTP"),
        (_cut, "closed"),
    ],
)
async def test_web_misbehaviour_fails_the_protocol(behave: Behaviour, words: str) -> None:
    async def at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if behave is _cut:
            await reader.readuntil(b"\r\n\r\n")
            return
        await behave(reader, writer)

    async with serve(at_once) as camera:
        address = f"http://127.0.0.1:{camera.port}/"
        result = await probe(CameraTarget(device_id=1, snapshot_address=address), timeout_s=0.5)
    assert result.failed_layer is Layer.PROTOCOL
    assert words in result.detail


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


async def test_certificate_that_does_not_verify(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = self_signed(tmp_path)
    context.load_cert_chain(certificate, key)

    async with serve(_stay_silent, tls=context) as camera:
        address = f"rtsps://127.0.0.1:{camera.port}/live"
        result = await probe(CameraTarget(device_id=1, stream_address=address))
    assert "certificate does not verify" in result.detail
    assert camera.connections == 0


async def test_shortage_of_our_own_says_nothing_of_the_camera() -> None:
    """Without file handles every camera would look dead; the limit is this process's own."""
    async with serve_answers(play_along) as camera:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = os.open("/dev/null", os.O_RDONLY)
        os.close(highest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
        try:
            result = await probe(target(camera.port))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert result.status is Status.UNKNOWN
    assert "LimitNOFILE" in result.detail


async def test_camera_that_chooses_another_channel_is_followed() -> None:
    frame = b"\x80\x60\x00\x01\x00\x00\x00\x01ssrc\x65data"

    def choose(seen: Seen) -> bytes:
        if seen.method == "SETUP":
            return reply(
                seen, "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=4-5", "Session: 1"
            )
        if seen.method == "PLAY":
            return reply(seen) + b"".join((b"$\x04", len(frame).to_bytes(2, "big"), frame)) * 2
        return play_along(seen)

    async with serve_answers(choose) as camera:
        result = await probe(target(camera.port), deep=True)
    assert result.failed_layer is None, result.lines


@pytest.mark.threat("K8")
async def test_flood_of_tiny_packets_leaves_others_their_turn() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            writer.write(play_along(await read_request(reader)))
        while True:
            writer.write(b"$\x09\x00\x00" * 10_000)
            await writer.drain()

    async with serve(flood) as camera:
        probing = asyncio.create_task(probe(target(camera.port), timeout_s=1, deep=True))
        turns = 0
        while not probing.done():
            await asyncio.sleep(0)
            turns += 1
    assert (await probing).failed_layer is Layer.FRAMES
    assert turns > 200  # thousands here; about 30 when a whole buffer is taken in one turn


def test_uvloop_works_too() -> None:
    """The hub runs on uvloop, whose transports are no subclasses of asyncio's."""

    async def run() -> list[ProbeResult]:
        async with serve_answers(play_along) as good, serve(_endless_headers) as bad:
            web = CameraTarget(device_id=1, service_address=f"http://127.0.0.1:{bad.port}/")
            return [
                await probe(target(good.port)),
                await probe(target(bad.port), timeout_s=0.5),
                await probe(web, timeout_s=0.5),
            ]

    online, endless, web = uvloop.run(run())
    assert online.failed_layer is None, online.lines
    assert "exceed" in endless.detail
    assert "not HTTP" in web.detail
