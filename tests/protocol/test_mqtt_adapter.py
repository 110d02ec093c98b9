"""The adapter's contract, against a real mosquitto: what every adapter must show."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.errors import AuthRejected, DeviceError, DeviceUnreachable, ProtocolViolation
from hub.domain.events import (
    DeviceDescribed,
    Event,
    Occurrence,
    Reading,
    StatusReported,
    UnrecognisedEvent,
)
from hub.domain.health import Layer, Status
from tests.protocol.mosquitto import Mosquitto, free_port, run_mosquitto
from tests.protocol.mqtt_parts import (
    PASSWORD,
    RecordingLink,
    Sensor,
    build_adapter,
    running,
    sensor,
    serve,
)

SUBSCRIBED = "Sending SUBACK to gengfu-7"
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with run_mosquitto(tmp_path) as running:
        yield running


@pytest.fixture(params=["5", "3.1.1"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_online_reading_and_event(broker: Mosquitto, version: str) -> None:
    link = RecordingLink()
    async with running(build_adapter(broker.address, version=version), link):
        await broker.wait_for_log(SUBSCRIBED)
        async with sensor(broker.port) as device:
            device.publish("s1/status", {"online": True, "session": 1, "name": "Pump"})
            device.publish("s1/reading", {"values": {"temp": 21.5}})
            device.publish("s1/event", {"kind": "door.opened"})
            await link.wait_for(lambda events: any(isinstance(e, Occurrence) for e in events))
    described, status = link.of(DeviceDescribed)[0], link.of(StatusReported)[0]
    assert isinstance(described, DeviceDescribed)
    assert described.description.name == "Pump"
    assert isinstance(status, StatusReported)
    assert (status.status, status.replayed) == (Status.ONLINE, False)
    assert link.values() == [21.5]


async def test_quiet_broker_counts_as_up(broker: Mosquitto, version: str) -> None:
    link = RecordingLink(is_committing=False)
    async with running(build_adapter(broker.address, version=version), link):
        async with asyncio.timeout(5):
            while not link.pending:
                await asyncio.sleep(0.01)
    assert link.events == []


@pytest.mark.parametrize("user", ["hub", "nobody"])
async def test_wrong_password(
    tmp_path: Path, version: str, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with run_mosquitto(tmp_path, passwords={"hub": "right"}) as broker:
        adapter = build_adapter(broker.address, user=user, version=version)
        with pytest.raises(AuthRejected) as caught:
            await adapter.run(RecordingLink())
    assert PASSWORD not in f"{caught.value!r} {caplog.text} {vars(adapter)}"


async def test_right_password_and_refused_subscription(tmp_path: Path, version: str) -> None:
    users = {"hub": PASSWORD}
    async with run_mosquitto(tmp_path, passwords=users, acl="user hub\n") as broker:
        adapter = build_adapter(broker.address, user="hub", version=version)
        async with running(adapter, RecordingLink()) as task:
            # 2.0.11 lets everybody subscribe and checks each message; later ones may refuse.
            done, _ = await asyncio.wait({task}, timeout=0.5)
            for refused in done:
                assert isinstance(refused.exception(), AuthRejected)


async def test_broker_that_is_not_there(version: str) -> None:
    adapter = build_adapter(f"mqtt://127.0.0.1:{free_port()}", version=version)
    with pytest.raises(DeviceUnreachable):
        await adapter.run(RecordingLink())


async def test_broker_killed(broker: Mosquitto, version: str) -> None:
    task = asyncio.create_task(build_adapter(broker.address, version=version).run(RecordingLink()))
    await broker.wait_for_log(SUBSCRIBED)
    await broker.kill()
    with pytest.raises(DeviceUnreachable):
        async with asyncio.timeout(2):
            await task


async def test_cable_cut(broker: Mosquitto, version: str) -> None:
    adapter = build_adapter(broker.address, version=version, keep_alive_s=1)
    task = asyncio.create_task(adapter.run(RecordingLink()))
    await broker.wait_for_log(SUBSCRIBED)
    await broker.freeze()
    with pytest.raises(DeviceUnreachable):
        async with asyncio.timeout(15):
            await task


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 64,
        b"\x20\xff\xff\xff\xff\xff",
        b"\x20\x02\x00",
        b"\x20\x02\x00\x00" + b"\xff" * 100,
        b"\x20\x03\x00\x00\x00" + b"\x30\x02\x00\x09" + b"\x00" * 50,
        b"\x20\x03\x00\x00\x00" + b"\x32\x05\x00\x01\xff\x00\x01",
        b"\x20\x06\x00\x00\x03\x22\x00",
        b"\x20\x03\x00\xee\x00",
        b"",
    ],
)
@pytest.mark.threat("K8")
async def test_garbage_bytes(version: str, garbage: bytes) -> None:
    async with serve(garbage, hold_s=0.1) as port:
        adapter = build_adapter(f"mqtt://127.0.0.1:{port}", version=version)
        with pytest.raises((ProtocolViolation, DeviceUnreachable)) as caught:
            async with asyncio.timeout(5):
                await adapter.run(RecordingLink())
    if garbage.startswith(b"HTTP"):
        assert isinstance(caught.value, ProtocolViolation)
        assert caught.value.evidence.startswith(b"HTTP")


@pytest.mark.threat("K8")
async def test_random_packets_end_the_run_and_nothing_else(version: str) -> None:
    rng = random.Random(version)
    escaped: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    welcome = b"\x20\x03\x00\x00\x00" if version == "5" else b"\x20\x02\x00\x00"
    for _ in range(60):
        packets = [rng.randbytes(rng.choice([0, 1, 2, 3, 5, 30])) for _ in range(4)]
        kinds = [rng.choice(b"\x20\x30\x32\x34\x40\x62\x90\xb0\xd0\xe0\xf0\x10") for _ in packets]
        answer = b"".join(
            bytes([kind, len(body)]) + body for kind, body in zip(kinds, packets, strict=True)
        )
        async with serve(welcome + answer, hold_s=0.01) as port:
            adapter = build_adapter(f"mqtt://127.0.0.1:{port}", version=version)
            with pytest.raises(DeviceError):
                await adapter.run(RecordingLink())
    assert escaped == []


async def test_server_that_says_nothing(version: str) -> None:
    async with serve(None) as port:
        adapter = build_adapter(f"mqtt://127.0.0.1:{port}", version=version, connect_timeout_s=0.3)
        with pytest.raises(DeviceUnreachable, match="did not answer CONNECT"):
            await adapter.run(RecordingLink())


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
async def test_cancel_while_connecting(scheme: str) -> None:
    async with serve(None) as port:
        adapter = build_adapter(f"{scheme}://127.0.0.1:{port}", connect_timeout_s=1.5)
        async with running(adapter, RecordingLink()):
            await asyncio.sleep(0.2)


async def test_unknown_topics_and_rubbish_are_kept(broker: Mosquitto, version: str) -> None:
    link = RecordingLink()
    async with running(build_adapter(broker.address, version=version), link):
        await broker.wait_for_log(SUBSCRIBED)
        async with sensor(broker.port) as device:
            device.publish("s1/firmware", b"\x00\xff rubbish")
            device.publish("s1/reading", b"\x00\xff rubbish")
            device.publish("a..b/reading", {"values": {"t": 1}})
            device.publish("s1/reading", {"at": "2100-01-01T00:00:00Z", "values": {"t": 1}})
            device.publish("s1/reading", {"values": {"last": 1}})
            await link.wait_for(lambda events: any(isinstance(e, Reading) for e in events))
    reasons = [e.reason for e in link.events if isinstance(e, UnrecognisedEvent)]
    assert len(reasons) == 4
    for reason, word in zip(reasons, ("unknown topic", "UTF-8", "name", "future"), strict=True):
        assert word in reason


async def test_retained_is_replayed(broker: Mosquitto, version: str) -> None:
    async with sensor(broker.port) as device:
        device.publish("s1/status", {"online": True, "session": 4}, is_retained=True)
    link = RecordingLink()
    async with running(build_adapter(broker.address, version=version), link):
        await link.wait_for(lambda events: any(isinstance(e, StatusReported) for e in events))
    assert all(event.replayed for event in link.events)


async def test_will_of_a_lost_device(broker: Mosquitto, version: str) -> None:
    link = RecordingLink()
    async with running(build_adapter(broker.address, version=version), link):
        await broker.wait_for_log(SUBSCRIBED)
        will = ("gengfu/v1/s1/status", {"online": False, "session": 4})
        device = await asyncio.to_thread(Sensor, broker.port, will=will)
        await asyncio.to_thread(device.publish, "s1/status", {"online": True, "session": 4})
        await asyncio.to_thread(device.cut)
        await link.wait_for(
            lambda events: any(
                isinstance(e, StatusReported) and e.status is Status.OFFLINE for e in events
            )
        )


async def test_silent_device_goes_offline_and_comes_back(broker: Mosquitto, version: str) -> None:
    def last_status(events: list[Event]) -> StatusReported | None:
        return next((e for e in reversed(events) if isinstance(e, StatusReported)), None)

    link = RecordingLink()
    adapter = build_adapter(broker.address, version=version, silence_factor=2)
    async with running(adapter, link):
        await broker.wait_for_log(SUBSCRIBED)
        async with sensor(broker.port) as device:
            device.publish("s1/status", {"online": True, "session": 2, "interval": 0.2})
            await link.wait_for(
                lambda events: (s := last_status(events)) is not None and "silent" in s.detail
            )
            device.publish("s1/reading", {"values": {"t": 1}})
            await link.wait_for(
                lambda events: (s := last_status(events)) is not None and "again" in s.detail
            )
    offline = next(
        e for e in link.events if isinstance(e, StatusReported) and e.status is Status.OFFLINE
    )
    assert (offline.layer, offline.session) == (Layer.PROTOCOL, 2)


async def test_command_and_reply(broker: Mosquitto, version: str) -> None:
    adapter = build_adapter(broker.address, version=version, command_timeout_s=5)
    async with running(adapter, RecordingLink()):
        await broker.wait_for_log(SUBSCRIBED)
        async with sensor(broker.port) as device:
            device.answer("s1", lambda sent: json.dumps({"id": sent["id"], "got": sent}).encode())
            reply = await adapter.command("s1", "relay.set", {"relay": 1, "on": True})
    got = reply["got"]
    assert isinstance(got, dict)
    assert (got["do"], got["args"]) == ("relay.set", {"relay": 1, "on": True})
    assert "id" not in reply


async def test_reply_comes_while_the_hub_is_behind(broker: Mosquitto) -> None:
    link = RecordingLink()
    adapter = build_adapter(broker.address, command_timeout_s=5)
    async with running(adapter, link):
        await broker.wait_for_log(SUBSCRIBED)
        link.gate.clear()
        async with sensor(broker.port) as device:
            device.publish("s1/reading", {"values": {"t": 1}})
            device.answer("s1", lambda sent: json.dumps({"id": sent["id"], "ok": 1}).encode())
            assert await adapter.command("s1", "relay.set", {}) == {"ok": 1}


async def test_command_nobody_answers(broker: Mosquitto, version: str) -> None:
    adapter = build_adapter(broker.address, version=version, command_timeout_s=0.2)
    with pytest.raises(DeviceUnreachable, match="no connection"):
        await adapter.command("s1", "relay.set", {})
    async with running(adapter, RecordingLink()):
        await broker.wait_for_log(SUBSCRIBED)
        with pytest.raises(DeviceUnreachable, match="did not answer"):
            await adapter.command("s1", "relay.set", {})
