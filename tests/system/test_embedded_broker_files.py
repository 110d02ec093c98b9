"""The embedded broker's files: names that mean something, secrets, damage, other users."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.domain.errors import ConfigError, Conflict, Invalid
from hub.domain.secrets import Credentials, Secret
from hub.runtime.embedded_broker import EmbeddedBroker
from tests.system.mqtt_station import (
    MOSQUITTO,
    Flavour,
    both,
    connect,
    needs_mosquitto,
    station,
)

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(params=[MOSQUITTO, "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker.start(tmp_path, server=request.param) as running:
        yield running


@pytest.mark.threat("T10")
@pytest.mark.parametrize(
    "name",
    ["", "a\nuser hub", "a:b", "a/b", "+", "#", "a#", "a b", "-a", "a\x00", "更夫", "a" * 65, "%u"],
)
def test_a_user_name_with_a_meaning_is_refused(tmp_path: Path, name: str) -> None:
    with EmbeddedBroker.start(tmp_path, server="amqtt") as running:
        files = sorted((tmp_path / "broker" / "store").iterdir())
        before = [path.read_bytes() for path in files]
        with pytest.raises(Invalid):
            running.add_user(name, Secret("x"))
        assert [path.read_bytes() for path in files] == before
        assert running.is_alive()


def test_the_hubs_own_users_cannot_be_replaced(tmp_path: Path) -> None:
    with EmbeddedBroker.start(tmp_path, server="amqtt") as running:
        for name in ("hub", "simulators"):
            with pytest.raises(Conflict):
                running.add_user(name, Secret("mine"))


@pytest.mark.threat("T10")
@pytest.mark.parametrize("password", ["with space", "a:b$7$1", "line\nbreak", "更夫", "'\"\\"])
def test_any_password_will_do(broker: EmbeddedBroker, password: str) -> None:
    credentials = Credentials(username="well-1", password=Secret(password))
    broker.add_user("well-1", credentials.password)
    for _ in range(50):
        with connect(broker.port, credentials) as (_, reason):
            if not reason.is_failure:
                return
    pytest.fail("never let in")


@pytest.mark.threat("T31")
def test_no_password_lies_about(broker: EmbeddedBroker, tmp_path: Path) -> None:
    home = tmp_path / "broker"
    secret = broker.hub.password.reveal()
    assert secret not in repr(broker.hub)
    assert secret not in broker.url
    assert secret.encode() not in Path(f"/proc/{broker.pid}/cmdline").read_bytes()
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [p.name for p in files if secret.encode() in p.read_bytes()] == ["credentials.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files if "log" not in path.name} == {
        0o600
    }
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_second_hub_is_refused_and_told_by_whom(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"in use by process {os.getpid()}\b"):
        EmbeddedBroker.start(tmp_path)
    assert broker.is_alive()


@both
def test_a_port_that_is_taken_is_named(tmp_path: Path, flavour: Flavour) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        other.settimeout(0.1)
        with pytest.raises(ConfigError, match=rf"port {port} is taken"):
            EmbeddedBroker.start(tmp_path, port=port, server=flavour)
    with EmbeddedBroker.start(tmp_path, port=port, server=flavour) as running:
        assert running.port == port


@needs_mosquitto
@pytest.mark.threat("K5")
@pytest.mark.parametrize("content", [b"rubbish" * 100, b"\x00\xb5\x00mosquitto db\x00\x00"])
def test_a_damaged_store_is_named(tmp_path: Path, content: bytes) -> None:
    with EmbeddedBroker.start(tmp_path, server="mosquitto"):
        pass
    store = tmp_path / "broker" / "store" / "mosquitto.db"
    store.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mosquitto\.db is damaged: move it away"):
        EmbeddedBroker.start(tmp_path, server="mosquitto")
    store.rename(store.with_suffix(".old"))
    with EmbeddedBroker.start(tmp_path, server="mosquitto") as running:
        assert running.is_alive()


@both
@pytest.mark.threat("K5")
@pytest.mark.parametrize("name", ["credentials.json", "lock", "store/passwords", "store/acl"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00rubbish\n:\n{"])
def test_damage_to_our_own_files_is_repaired(
    tmp_path: Path, flavour: Flavour, name: str, content: bytes
) -> None:
    with EmbeddedBroker.start(tmp_path, server=flavour):
        pass
    (tmp_path / "broker" / name).write_bytes(content)
    with (
        EmbeddedBroker.start(tmp_path, server=flavour) as running,
        station(running.port, running.hub) as hub,
    ):
        hub.subscribe("gengfu/v1/#")
        hub.publish("gengfu/v1/a/reading", b"1")
        assert hub.next() == ("gengfu/v1/a/reading", b"1")


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigError, match="is not a folder"):
        EmbeddedBroker.start(tmp_path / "file")


@both
@pytest.mark.threat("T10")
@pytest.mark.parametrize("name", ["with spaces", "new\nlistener 1883", "deep/" + "n" * 200])
def test_any_folder_name_will_do(tmp_path: Path, flavour: Flavour, name: str) -> None:
    with EmbeddedBroker.start(tmp_path / name, server=flavour) as running:
        assert running.is_alive()
