"""The embedded broker, both kinds, spoken to by real clients."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from hub.domain.secrets import Credentials, Secret
from hub.runtime.embedded_broker import EmbeddedBroker
from tests.system.mqtt_station import (
    MOSQUITTO,
    PATIENCE_S,
    V5,
    V311,
    Flavour,
    add_device,
    both,
    connect,
    needs_mosquitto,
    station,
)
from tests.system.running_hub import BROKER_HUB, finish, seconds_until_gone, start_hub

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(params=[MOSQUITTO, "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker.start(tmp_path, server=request.param) as running:
        yield running


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker.start(tmp_path, server="mosquitto") as running:
        yield running


def test_hub_and_simulators_exchange(broker: EmbeddedBroker) -> None:
    assert broker.is_alive()
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
    with (
        station(broker.port, broker.hub) as hub,
        station(broker.port, broker.simulators) as gateway,
    ):
        hub.subscribe("gengfu/v1/#")
        gateway.subscribe("gengfu/v1/+/command")
        for number in range(200):
            gateway.publish("gengfu/v1/well-3/reading", str(number).encode())
        received = [hub.next() for _ in range(200)]
        assert received == [("gengfu/v1/well-3/reading", str(n).encode()) for n in range(200)]
        hub.publish("gengfu/v1/well-3/command", b"{}")
        assert gateway.next() == ("gengfu/v1/well-3/command", b"{}")


@needs_mosquitto
def test_mosquitto_speaks_mqtt_5(mosquitto: EmbeddedBroker) -> None:
    with (
        station(mosquitto.port, mosquitto.hub, version=V5) as hub,
        station(mosquitto.port, mosquitto.simulators) as gateway,
    ):
        hub.subscribe("$share/gengfu/gengfu/v1/#")
        gateway.publish("gengfu/v1/well-3/reading", b"1")
        assert hub.next() == ("gengfu/v1/well-3/reading", b"1")


@pytest.mark.threat("T25")
def test_nobody_enters_without_the_right_password(broker: EmbeddedBroker) -> None:
    hub = broker.hub
    wrong = [
        Credentials(),
        Credentials(username="hub", password=Secret("guess")),
        Credentials(username="nobody", password=hub.password),
        Credentials(username="hub"),
    ]
    for number, credentials in enumerate(wrong):
        with connect(broker.port, credentials, client_id=f"stranger-{number}") as (_, reason):
            assert reason.is_failure
    with station(broker.port, hub) as still:
        still.subscribe("gengfu/v1/#")


@pytest.mark.threat("T25")
def test_it_listens_on_the_loopback_interface_alone(broker: EmbeddedBroker) -> None:
    port = f"{broker.port:04X}"
    tables = [Path("/proc/net/tcp").read_text(), Path("/proc/net/tcp6").read_text()]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port}")]
    assert listening == [f"0100007F:{port}"]


@pytest.mark.threat("T30")
def test_a_device_speaks_for_itself_only(broker: EmbeddedBroker) -> None:
    first, second = add_device(broker, "well-1"), add_device(broker, "well-2")
    with (
        station(broker.port, broker.hub) as hub,
        station(broker.port, first) as honest,
    ):
        hub.subscribe("#")
        for topic in ("gengfu/v1/well-1/reading", "gengfu/v1/well-1", "other/well-2/x", "hub"):
            with station(broker.port, second) as forger:
                forger.attempt(topic, b"forged")
        with station(broker.port, second) as itself:
            itself.publish("gengfu/v1/well-2/reading", b"own")
        honest.publish("gengfu/v1/well-1/reading", b"own")
        got = sorted([hub.next(), hub.next()])
        assert got == [("gengfu/v1/well-1/reading", b"own"), ("gengfu/v1/well-2/reading", b"own")]
        assert hub.is_silent()


@pytest.mark.threat("T30")
def test_a_device_hears_its_own_commands_only(broker: EmbeddedBroker) -> None:
    device = add_device(broker, "well-1")
    with station(broker.port, broker.hub) as hub, station(broker.port, device) as spy:
        spy.subscribe("#")
        spy.subscribe("gengfu/v1/#")
        spy.subscribe("gengfu/v1/+/command")
        spy.subscribe("gengfu/v1/well-1/command")
        hub.publish("gengfu/v1/well-2/command", b"not for you")
        hub.publish("gengfu/v1/well-1/command", b"for you")
        assert spy.next() == ("gengfu/v1/well-1/command", b"for you")
        while not spy.received.empty():  # one message matches several filters
            assert spy.next() == ("gengfu/v1/well-1/command", b"for you")


@pytest.mark.threat("T30")
def test_simulators_stay_within_the_convention(broker: EmbeddedBroker) -> None:
    with station(broker.port, broker.hub) as hub:
        hub.subscribe("#")
        with station(broker.port, broker.simulators) as gateway:
            gateway.attempt("homeassistant/x/config", b"outside")
        with station(broker.port, broker.simulators) as gateway:
            gateway.publish("gengfu/v1/any/reading", b"inside")
        assert hub.next() == ("gengfu/v1/any/reading", b"inside")
        assert hub.is_silent()


@needs_mosquitto
@pytest.mark.threat("T30")
def test_an_oversized_message_harms_nobody(mosquitto: EmbeddedBroker) -> None:
    with station(mosquitto.port, mosquitto.hub) as hub:
        hub.subscribe("gengfu/v1/#")
        with station(mosquitto.port, mosquitto.simulators) as gateway:
            gateway.client.publish("gengfu/v1/a/reading", bytes(8 * 1024 * 1024), qos=1)
            assert hub.is_silent()
        with station(mosquitto.port, mosquitto.simulators, client_id="good") as gateway:
            gateway.publish("gengfu/v1/a/reading", bytes(1024 * 1024 - 1024))
            assert len(hub.next()[1]) == 1024 * 1024 - 1024
        assert mosquitto.is_alive()


@both
def test_passwords_and_devices_survive_a_restart(tmp_path: Path, flavour: Flavour) -> None:
    with EmbeddedBroker.start(tmp_path, server=flavour) as first:
        device = add_device(first, "well-1")
        hub = first.hub
    with EmbeddedBroker.start(tmp_path, server=flavour) as second:
        assert second.hub == hub
        with station(second.port, device), station(second.port, hub):
            pass


@needs_mosquitto
@pytest.mark.threat("K4")
@pytest.mark.parametrize("version", [V311, V5])
def test_a_kept_session_survives_a_restart(tmp_path: Path, version: MQTTProtocolVersion) -> None:
    many = 3000  # mosquitto's own default would drop all beyond 1,000
    with EmbeddedBroker.start(tmp_path, server="mosquitto") as first:
        with station(first.port, first.hub, client_id="kept", keep=True, version=version) as hub:
            hub.subscribe("gengfu/v1/#")
        with station(first.port, first.simulators) as gateway:
            gateway.publish("gengfu/v1/a/status", b"on", retain=True)
            sent = [
                gateway.client.publish("gengfu/v1/a/reading", str(n), qos=1) for n in range(many)
            ]
            for message in sent:
                message.wait_for_publish(PATIENCE_S)
    with EmbeddedBroker.start(tmp_path, server="mosquitto") as second:
        with station(second.port, second.hub, client_id="kept", keep=True, version=version) as hub:
            assert hub.next() == ("gengfu/v1/a/status", b"on")
            got = [hub.next()[1] for _ in range(many)]
            assert got == [str(n).encode() for n in range(many)]
        with station(second.port, second.hub, client_id="new") as newcomer:
            newcomer.subscribe("gengfu/v1/+/status")
            assert newcomer.next() == ("gengfu/v1/a/status", b"on")


def test_a_kept_session_survives_the_clients_absence(broker: EmbeddedBroker) -> None:
    with station(broker.port, broker.hub, client_id="kept", keep=True) as hub:
        hub.subscribe("gengfu/v1/#")
    with station(broker.port, broker.simulators) as gateway:
        for number in range(100):
            gateway.publish("gengfu/v1/a/reading", str(number).encode())
        # The sender stays: amqtt forgets what it had not yet passed on when a sender leaves.
        with station(broker.port, broker.hub, client_id="kept", keep=True) as hub:
            assert {hub.next()[1] for _ in range(100)} == {str(n).encode() for n in range(100)}


@needs_mosquitto
@pytest.mark.threat("K1")
def test_killed_hub_costs_mosquitto_nothing(tmp_path: Path) -> None:
    with EmbeddedBroker.start(tmp_path, server="mosquitto") as first:
        simulators = first.simulators
    hub = start_hub(BROKER_HUB, str(tmp_path), "mosquitto")
    port = int(hub.url.rpartition(":")[2])
    with station(port, simulators) as gateway:
        gateway.publish("gengfu/v1/a/status", b"kept", retain=True)
    hub.process.kill()
    seconds_until_gone(hub.server_pid, 5)
    finish(hub)
    with EmbeddedBroker.start(tmp_path) as again, station(again.port, again.hub) as reader:
        reader.subscribe("gengfu/v1/#")
        assert reader.next() == ("gengfu/v1/a/status", b"kept")


def test_a_worker_thread_may_add_users_but_start_no_broker(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    credentials = Credentials(username="well-1", password=Secret("x"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(broker.add_user, "well-1", credentials.password).result()
        with pytest.raises(RuntimeError, match="main thread"):
            pool.submit(EmbeddedBroker.start, tmp_path / "other").result()
    assert add_device(broker, "well-2").username == "well-2"
    with station(broker.port, credentials):
        pass


@both
@pytest.mark.threat("K1")
def test_killed_hub_takes_the_broker_along(tmp_path: Path, flavour: Flavour) -> None:
    hub = start_hub(BROKER_HUB, str(tmp_path), flavour)
    hub.process.kill()
    gone_s = seconds_until_gone(hub.server_pid, 5)
    finish(hub)
    assert gone_s < 2
    with EmbeddedBroker.start(tmp_path, server=flavour) as again, station(again.port, again.hub):
        pass


@needs_mosquitto
@pytest.mark.skipif(os.geteuid() != 0, reason="speaks of the hub running as root")
def test_as_root_mosquitto_is_somebody_else(mosquitto: EmbeddedBroker) -> None:
    process = Path(f"/proc/{mosquitto.pid}")
    assert process.stat().st_uid != 0
    assert "NoNewPrivs:\t1" in (process / "status").read_text()


def test_what_it_is_and_what_it_lacks_is_said(broker: EmbeddedBroker) -> None:
    name, version = broker.flavour.split()
    assert name in {"mosquitto", "amqtt"}
    assert version[0].isdigit()
    assert broker.limits.startswith(broker.flavour)
    assert ("for trying out" in broker.limits) == (name == "amqtt")
