"""TLS to a real mosquitto: authority, host name, pinned certificate, client certificate."""

import hashlib
import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.domain.errors import AuthRejected, DeviceError, DeviceUnreachable, ProtocolViolation
from tests.protocol.mosquitto import Mosquitto, run_mosquitto
from tests.protocol.mqtt_parts import PASSWORD, RecordingLink, build_adapter, running

SUBSCRIBED = "Sending SUBACK to gengfu-7"
pytestmark = pytest.mark.timeout(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority of the test's own, in a folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str, *, address: str) -> tuple[Path, Path]:
        """Certificate and key files of a broker or client."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = build(name, issuer=self.certificate.subject, key=key).add_extension(
            names, critical=False
        )
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(pem(certificate.sign(self.key, hashes.SHA256())))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return paths


def build(
    name: str, *, issuer: x509.Name | None = None, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        build("test authority", key=key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.pem").write_bytes(pem(certificate))
    return Authority(folder=tmp_path, key=key, certificate=certificate)


@asynccontextmanager
async def tls_broker(
    authority: Authority, *, address: str = "127.0.0.1", further: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Mosquitto, str]]:
    """A broker that speaks TLS, and its address."""
    certificate, key = authority.issue("broker", address=address)
    lines = (f"certfile {certificate}", f"keyfile {key}", *further)
    async with run_mosquitto(
        authority.folder, passwords={"hub": PASSWORD}, listener=lines
    ) as broker:
        yield broker, broker.address.replace("mqtt:", "mqtts:")


def fingerprint(path: Path) -> str:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


async def check_accepted(broker: Mosquitto, address: str, tls: Mapping[str, object]) -> None:
    adapter = build_adapter(address, user="hub", tls=tls)
    async with running(adapter, RecordingLink()):
        await broker.wait_for_log(SUBSCRIBED)


async def check_refused(broker: Mosquitto, address: str, tls: Mapping[str, object]) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        await build_adapter(address, user="hub", tls=tls).run(RecordingLink())
    assert "as gengfu-7" not in broker.log_text  # no CONNECT, so no password, was sent
    return caught.value


async def test_authority_of_the_site(authority: Authority) -> None:
    async with tls_broker(authority) as (broker, address):
        await check_accepted(broker, address, {"ca_file": authority.file})


async def test_unknown_authority(authority: Authority) -> None:
    async with tls_broker(authority) as (broker, address):
        error = await check_refused(broker, address, {})
    assert isinstance(error, ProtocolViolation)
    assert "tls.ca_file" in str(error)


async def test_certificate_for_another_name(authority: Authority) -> None:
    async with tls_broker(authority, address="10.9.8.7") as (broker, address):
        error = await check_refused(broker, address, {"ca_file": authority.file})
    assert isinstance(error, ProtocolViolation)
    assert "does not verify" in str(error)


async def test_pinned_certificate(authority: Authority) -> None:
    async with tls_broker(authority, address="10.9.8.7") as (broker, address):
        pin = fingerprint(authority.folder / "broker.pem")
        await check_accepted(broker, address, {"pinned_sha256": pin})


async def test_another_certificate_than_the_pinned_one(authority: Authority) -> None:
    async with tls_broker(authority) as (broker, address):
        error = await check_refused(broker, address, {"pinned_sha256": "00" * 32})
    assert isinstance(error, ProtocolViolation)
    assert "pinned" in str(error)


async def test_client_certificate(authority: Authority) -> None:
    further = (f"cafile {authority.file}", "require_certificate true")
    certificate, key = authority.issue("hub", address="127.0.0.1")
    async with tls_broker(authority, further=further) as (broker, address):
        tls = {"ca_file": authority.file, "cert_file": certificate, "key_file": key}
        await check_accepted(broker, address, tls)


async def test_client_certificate_that_is_missing(authority: Authority) -> None:
    further = (f"cafile {authority.file}", "require_certificate true")
    async with tls_broker(authority, further=further) as (broker, address):
        await check_refused(broker, address, {"ca_file": authority.file})


async def test_plain_mqtt_to_a_tls_port(authority: Authority) -> None:
    async with tls_broker(authority) as (_, address):
        plain = address.replace("mqtts:", "mqtt:")
        with pytest.raises((ProtocolViolation, DeviceUnreachable)):
            await build_adapter(plain, user="hub").run(RecordingLink())


async def test_tls_to_a_plain_port(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        with pytest.raises((ProtocolViolation, DeviceUnreachable)):
            await build_adapter(broker.address.replace("mqtt:", "mqtts:")).run(RecordingLink())


@pytest.mark.parametrize("field", ["ca_file", "cert_file"])
async def test_files_that_cannot_be_used(tmp_path: Path, field: str) -> None:
    path = tmp_path / "rubbish.pem"
    path.write_bytes(b"rubbish")
    for tls in ({field: path}, {field: tmp_path / "missing.pem"}):
        adapter = build_adapter("mqtts://127.0.0.1:9", tls=tls)
        with pytest.raises(AuthRejected, match="TLS files"):
            await adapter.run(RecordingLink())
