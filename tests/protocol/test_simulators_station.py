"""A simulated sensor station on a real Mosquitto, observed by paho with its own thread."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from hub.domain.secrets import Credentials, Secret
from hub.simulators.faults import Fault, FaultNotPossible
from hub.simulators.station import Station, StationOptions
from hub.simulators.station_values import POINTS
from tests.protocol.mosquitto import Mosquitto, run_mosquitto
from tests.protocol.simulated import until, utc_now

NAME = "station-1"
PREFIX = f"gengfu/v1/{NAME}"


@dataclass(frozen=True, slots=True)
class Message:
    leaf: str
    payload: bytes
    is_retained: bool

    @property
    def body(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.payload)
        return parsed


@dataclass(slots=True)
class Observer:
    """A client of the broker that keeps what it hears."""

    client: Client
    messages: list[Message] = field(default_factory=list)

    def of(self, leaf: str) -> list[Message]:
        return [one for one in tuple(self.messages) if one.leaf == leaf]

    async def wait_for(
        self, leaf: str, is_it: Callable[[Message], bool] = lambda _: True, *, after: int = 0
    ) -> Message:
        """The first message of a leaf that is wanted, from position ``after`` on."""
        async with asyncio.timeout(8):
            while True:
                for one in self.messages[after:]:
                    if one.leaf == leaf and is_it(one):
                        return one
                await asyncio.sleep(0.02)

    def order(self, body: object) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.client.publish(f"{PREFIX}/command", payload, qos=1)


@asynccontextmanager
async def observing(broker: Mosquitto) -> AsyncIterator[Observer]:
    observer = Observer(Client(CallbackAPIVersion.VERSION2))

    def keep(_client: Client, _data: object, message: MQTTMessage) -> None:
        leaf = message.topic.removeprefix(f"{PREFIX}/")
        observer.messages.append(Message(leaf, bytes(message.payload), message.retain))

    observer.client.on_message = keep
    observer.client.on_connect = lambda client, *_: client.subscribe(f"{PREFIX}/#", qos=1)
    observer.client.reconnect_delay_set(1, 1)
    observer.client.connect("127.0.0.1", broker.port)
    observer.client.loop_start()
    try:
        yield observer
    finally:
        observer.client.disconnect()
        await asyncio.to_thread(observer.client.loop_stop)


def build_station(
    broker: Mosquitto,
    *,
    interval_s: float = 0.2,
    password: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> Station:
    options = StationOptions(
        name=NAME,
        label="河堤传感站",
        area="330402001",
        interval_s=interval_s,
        broker_address=broker.address,
        credentials=Credentials(username="sensor", password=Secret(password)),
    )
    return Station(options, clock=clock, rng=random.Random(3))


def is_online(message: Message) -> bool:
    return message.body["online"] is True


def is_offline(message: Message) -> bool:
    return message.body["online"] is False


async def test_reports_obeys_and_signs_off(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        async with observing(broker) as observer, build_station(broker):
            status = (await observer.wait_for("status")).body
            assert status["online"] is True
            assert (status["name"], status["area"]) == ("河堤传感站", "330402001")
            about = {"unit": "°C", "quantity": "temperature", "low": -40.0, "high": 60.0}
            assert status["points"]["temp"] == about
            reading = (await observer.wait_for("reading")).body
            assert set(reading["values"]) == {*POINTS, "door"}
            assert abs(utc_now() - datetime.fromisoformat(reading["at"])) < timedelta(seconds=5)
            observer.order({"id": "a", "do": "relay.set", "args": {"on": True}})
            reply = await observer.wait_for("command/reply")
            assert reply.body == {"id": "a", "ok": True, "on": True}
        # What the broker keeps is what the station said at the end.
        async with observing(broker) as late:
            kept = await late.wait_for("status")
            assert kept.is_retained
            assert is_offline(kept)
            assert kept.body["session"] == status["session"]


async def test_answers_odd_commands_and_survives_what_is_none(tmp_path: Path) -> None:
    odd = [
        (b"", None),
        (b"\xff\x00", None),
        (b"[" * 100_000, None),
        (["id"], None),
        ({"do": "relay.set", "args": {}}, None),
        ({"id": 1, "do": "reboot", "args": {}}, "no such command"),
        ({"id": 2, "do": "relay.set", "args": {"on": "off"}}, "true or false"),
        ({"id": 3, "do": "relay.set", "args": [1]}, "true or false"),
        ({"id": 4, "do": {}}, "no such command"),
    ]
    async with (
        run_mosquitto(tmp_path) as broker,
        observing(broker) as observer,
        build_station(broker) as station,
    ):
        await observer.wait_for("status")
        for body, _ in odd:
            observer.order(body)
        observer.order({"id": "end", "do": "relay.set", "args": {"on": True}})
        await observer.wait_for("command/reply", lambda one: one.body["id"] == "end")
        assert station.relay
    replies = [one.body for one in observer.of("command/reply")][:-1]
    wanted = [error for _, error in odd if error is not None]
    assert len(replies) == len(wanted)
    for reply, error in zip(replies, wanted, strict=True):
        assert reply["ok"] is False
        assert error in reply["error"]


async def test_power_cut_leaves_the_will_with_its_session(tmp_path: Path) -> None:
    async with (
        run_mosquitto(tmp_path) as broker,
        observing(broker) as observer,
        build_station(broker) as station,
    ):
        first = (await observer.wait_for("status", is_online)).body["session"]
        await station.set_fault(Fault.POWER_CUT)
        will = await observer.wait_for("status", is_offline)
        assert will.body == {"online": False, "session": first}
        heard = len(observer.messages)
        await asyncio.sleep(0.5)
        assert len(observer.messages) == heard
        await station.clear_fault()
        again = await observer.wait_for("status", is_online, after=heard)
        assert again.body["session"] > first
        await observer.wait_for("reading", after=heard)


async def test_cable_cut_stops_everything_until_joined(tmp_path: Path) -> None:
    async with (
        run_mosquitto(tmp_path) as broker,
        observing(broker) as observer,
        build_station(broker) as station,
    ):
        await observer.wait_for("reading")
        await station.set_fault(Fault.CABLE_CUT)
        await asyncio.sleep(0.2)
        heard = len(observer.messages)
        observer.order({"id": "a", "do": "relay.set", "args": {"on": True}})
        await asyncio.sleep(1.5)
        # Nothing but our own command: no reading, no reply, and no Will, for nothing closed.
        assert [one.leaf for one in observer.messages[heard:]] == ["command"]
        assert not station.relay
        await station.clear_fault()
        await observer.wait_for("command/reply", after=heard)
        await observer.wait_for("reading", after=heard)
        assert station.relay


@pytest.mark.parametrize("moment", ["while connected", "while the broker is away"])
async def test_with_the_cable_cut_it_does_not_come_back_to_a_new_broker(
    tmp_path: Path, moment: str
) -> None:
    async with run_mosquitto(tmp_path) as broker, build_station(broker) as station:
        await until(lambda: station.is_connected)
        if moment == "while connected":
            await station.set_fault(Fault.CABLE_CUT)
            await broker.kill()
        else:
            await broker.kill()
            await until(lambda: not station.is_connected)
            await station.set_fault(Fault.CABLE_CUT)
        await broker.start()
        async with observing(broker) as observer:
            await asyncio.sleep(2.5)
            assert broker.log_text.count(f"as sim-{NAME} ") == 1  # the first time
            assert [one for one in observer.of("status") if not one.is_retained] == []
            await station.clear_fault()
            await observer.wait_for("status", lambda one: is_online(one) and not one.is_retained)


async def test_garbage_frozen_values_and_a_wrong_clock_show_and_clear(tmp_path: Path) -> None:
    def is_garbage(message: Message) -> bool:
        return message.payload[:1] == b"\xff"

    def is_ahead(message: Message) -> bool:
        at = datetime.fromisoformat(message.body["at"])
        return abs(at - utc_now() - timedelta(minutes=10)) < timedelta(seconds=10)

    async with (
        run_mosquitto(tmp_path) as broker,
        observing(broker) as observer,
        build_station(broker) as station,
    ):
        await station.set_fault(Fault.GARBAGE)
        await observer.wait_for("reading", is_garbage)
        await station.set_fault(Fault.CLOCK_OFF)
        await observer.wait_for("reading", lambda one: not is_garbage(one) and is_ahead(one))
        await station.set_fault(Fault.FROZEN_PICTURE)
        await asyncio.sleep(0.3)
        after = len(observer.messages)
        await observer.wait_for("reading", after=after + 3)
        late = [one for one in observer.messages[after:] if one.leaf == "reading"]
        frozen = [one.body["values"] for one in late]
        assert all(values == frozen[0] for values in frozen)
        await station.set_fault(Fault.LOW_BATTERY)
        await observer.wait_for(
            "reading", lambda one: one.body["values"].get("battery") == 7, after=after
        )
        await station.clear_fault()
        await observer.wait_for("reading", lambda one: one.body["values"] != frozen[0], after=after)
        with pytest.raises(FaultNotPossible, match=r"black-picture.*use cable-cut"):
            await station.set_fault(Fault.BLACK_PICTURE)
        assert station.fault is None


async def test_comes_back_by_itself_with_a_higher_session(tmp_path: Path) -> None:
    fixed = utc_now()  # not even a clock that stands still keeps the session from rising
    async with (
        run_mosquitto(tmp_path) as broker,
        observing(broker) as observer,
        build_station(broker, clock=lambda: fixed) as station,
    ):
        first = (await observer.wait_for("status", is_online)).body["session"]
        await broker.kill()
        await until(lambda: not station.is_connected)
        await broker.start()
        again = await observer.wait_for(
            "status", lambda one: is_online(one) and one.body["session"] > first
        )
        assert again.body["session"] == first + 1


async def test_a_refused_login_is_said_once_and_without_the_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_mosquitto(tmp_path, passwords={"sensor": "right"}) as broker:
        async with build_station(broker, password="not-this-one") as station:
            await broker.wait_for_log("not authorised", times=2)
            assert not station.is_connected
        async with build_station(broker, password="right") as station:
            await until(lambda: station.is_connected)
    told = [record for record in caplog.records if "refuses station" in record.message]
    assert len(told) == 1
    assert "not-this-one" not in caplog.text


async def test_a_broker_that_hangs_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        async with build_station(broker, interval_s=0.05) as station:
            await until(lambda: station.is_connected)
            await broker.freeze()
            await asyncio.sleep(0.3)
            before = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - before < 1
        assert not station.is_connected
