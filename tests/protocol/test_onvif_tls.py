"""TLS to cameras: a site authority, a pinned certificate, or a reason for neither."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.domain.errors import DeviceUnreachable, ProtocolViolation
from tests.protocol.onvif_camera import Camera, serve
from tests.protocol.onvif_run import Recorder, adapter_for, running


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1: its file, its fingerprint, a server's context."""

    file: Path
    fingerprint: str
    server: ssl.SSLContext


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = tmp_path / "camera.pem", tmp_path / "camera.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file, key_file)
    return Certificate(file, made.fingerprint(hashes.SHA256()).hex(), server)


async def test_a_certificate_that_does_not_verify_is_refused(certificate: Certificate) -> None:
    async with serve(Camera(), certificate.server) as camera:
        with pytest.raises(ProtocolViolation, match="does not verify"):
            await adapter_for(camera).run(Recorder())
    assert camera.calls == []


async def test_the_sites_authority_is_accepted(certificate: Certificate) -> None:
    async with serve(Camera(), certificate.server) as camera:
        adapter = adapter_for(camera, ca_file=certificate.file)
        async with running(adapter) as link:
            await link.wait_for(1)


async def test_the_pinned_certificate_is_accepted(certificate: Certificate) -> None:
    async with serve(Camera(), certificate.server) as camera:
        adapter = adapter_for(camera, verify="pinned", fingerprint=certificate.fingerprint)
        async with running(adapter) as link:
            await link.wait_for(1)


async def test_another_than_the_pinned_certificate_gets_no_request(
    certificate: Certificate,
) -> None:
    async with serve(Camera(), certificate.server) as camera:
        adapter = adapter_for(camera, verify="pinned", fingerprint="00" * 32)
        with pytest.raises(ProtocolViolation, match=certificate.fingerprint):
            await adapter.run(Recorder())
    assert camera.calls == []


async def test_verification_can_be_off_with_a_reason(certificate: Certificate) -> None:
    async with serve(Camera(), certificate.server) as camera:
        adapter = adapter_for(camera, verify="off", reason="the old cameras of the west gate")
        async with running(adapter) as link:
            await link.wait_for(1)


async def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    camera = Camera(base="https://127.0.0.1:1")
    with pytest.raises(DeviceUnreachable, match=r"missing\.pem"):
        await adapter_for(camera, ca_file=tmp_path / "missing.pem").run(Recorder())
