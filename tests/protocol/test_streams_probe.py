"""Probes over real sockets: layers, passwords, and whose fault it is."""

import asyncio
import os
import resource
import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.domain.health import Depth, Layer, Status
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from streams.network import _tls_context
from tests.protocol.probing import NOW, PASSWORD, probe, target
from tests.protocol.scripted_rtsp import (
    Seen,
    ask_digest,
    is_digest_right,
    play_along,
    read_request,
    reply,
    serve,
    serve_answers,
    stay_silent,
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
    camera = CameraTarget(device_id=1, stream_address="rtsp://no..name/live")
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


async def test_camera_that_asks_anew_for_every_request_is_answered() -> None:
    """Each nonce is good once, and the camera never says ``stale``."""
    used: list[str] = []

    def once(seen: Seen) -> bytes:
        nonce = f"n{len(used)}"
        right = is_digest_right(seen, algorithm="MD5", password=PASSWORD)
        if right and f'nonce="{nonce}"' in seen.authorization:
            used.append(nonce)
            return play_along(seen)
        challenge = f'WWW-Authenticate: Digest realm="cam", nonce="{nonce}", qop="auth"'
        return reply(seen, "401 Unauthorized", challenge)

    async with serve_answers(once) as camera:
        result = await probe(target(camera.port), timeout_s=0.5, depth=Depth.FRAMES)
    assert result.failed_layer is Layer.FRAMES, result.lines
    assert used == ["n0", "n1", "n2", "n3"][: len(used)]
    assert len(used) >= 3


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
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
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

    async with serve(stay_silent, tls=context) as camera:
        address = f"rtsps://127.0.0.1:{camera.port}/live"
        result = await probe(CameraTarget(device_id=1, stream_address=address))
    assert "certificate does not verify" in result.detail
    assert result.failed_layer is Layer.PROTOCOL
    assert camera.connections == 0


async def test_certificate_of_a_trusted_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = self_signed(tmp_path)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    _tls_context.cache_clear()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(play_along(await read_request(reader)))
        await reader.read()

    try:
        async with serve(behave, tls=context) as camera:
            address = f"rtsps://127.0.0.1:{camera.port}/live"
            result = await probe(CameraTarget(device_id=1, stream_address=address))
    finally:
        _tls_context.cache_clear()
    assert result.failed_layer is None, result.lines


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
        result = await probe(target(camera.port), depth=Depth.FRAMES)
    assert result.failed_layer is None, result.lines
