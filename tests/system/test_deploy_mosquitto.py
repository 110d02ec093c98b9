"""The production settings of Mosquitto load, and let in whom they should."""

import datetime as dt
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion

from hub.runtime.broker_files import build_users, hash_password
from hub.runtime.embedded_broker import find_mosquitto
from tests.system.mqtt_station import PATIENCE_S, Station, needs_mosquitto
from tests.system.running_hub import ROOT

pytestmark = [pytest.mark.timeout(60), needs_mosquitto]

SOURCE = ROOT / "deploy" / "mosquitto"
PORTS = "listener {} 127.0.0.1"


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    (folder / "broker.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "broker.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def free_ports(count: int) -> list[int]:
    """Ports that nobody had a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def is_listening(port: int) -> bool:
    """Tell whether somebody takes connections on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A broker on the production settings: its TLS port and its plain one."""
    tls, plain = free_ports(2)
    write_certificate(tmp_path / "certs")
    (tmp_path / "acl").write_text((SOURCE / "acl").read_text())
    hashed = {name: hash_password(name, salt=bytes(12)) for name in ("hub", "well-1", "well-2")}
    (tmp_path / "passwords").write_text(build_users(hashed))
    text = (SOURCE / "mosquitto.conf").read_text()
    for old, new in {
        "listener 8883\n": PORTS.format(tls) + "\n",
        "listener 1883 127.0.0.1\n": PORTS.format(plain) + "\n",
        "/etc/mosquitto/": f"{tmp_path}/",
        "/var/lib/mosquitto/": f"{tmp_path}/",
    }.items():
        assert old in text
        text = text.replace(old, new)
    if os.geteuid() == 0:
        text += "user root\n"  # pytest's folder is root's own
    (tmp_path / "mosquitto.conf").write_text(text)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(find_mosquitto()), "-c", str(tmp_path / "mosquitto.conf")],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not is_listening(plain):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield tls, plain
    finally:
        process.terminate()
        process.wait()


def connect(port: int, user: str, *, password: str = "", ca: Path | None = None) -> Station:
    client = paho.Client(CallbackAPIVersion.VERSION2, f"test-{user}")
    client.username_pw_set(user, password or user)
    if ca is not None:
        client.tls_set_context(ssl.create_default_context(cafile=str(ca)))
    station = Station(client)
    client.connect("localhost", port)
    client.loop_start()
    return station


def leave(*stations: Station) -> None:
    for station in stations:
        station.client.disconnect()
        station.client.loop_stop()


@pytest.mark.threat("T30")
def test_devices_reach_the_hub_over_tls_under_their_own_name(
    ports: tuple[int, int], tmp_path: Path
) -> None:
    tls, plain = ports
    hub = connect(plain, "hub")
    device = connect(tls, "well-1", ca=tmp_path / "certs" / "broker.crt")
    forger = connect(tls, "well-2", ca=tmp_path / "certs" / "broker.crt")
    for each in (hub, device, forger):
        assert not each.connected.get(timeout=PATIENCE_S).is_failure
    hub.subscribe("#")
    forger.attempt("gengfu/v1/well-1/reading", b"forged")
    device.publish("gengfu/v1/well-1/reading", b"1")
    assert hub.next() == ("gengfu/v1/well-1/reading", b"1")
    assert hub.is_silent()
    leave(hub, device, forger)


@pytest.mark.threat("T25")
def test_a_wrong_password_is_refused(ports: tuple[int, int]) -> None:
    stranger = connect(ports[1], "hub", password="guess")
    assert stranger.connected.get(timeout=PATIENCE_S).is_failure
    leave(stranger)
