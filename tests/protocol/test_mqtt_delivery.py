"""Nothing is lost and nothing is acknowledged early: mosquitto in front, commits as told."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hub.domain.errors import DeviceUnreachable
from hub.domain.events import Event, Reading, StatusReported, UnrecognisedEvent
from hub.domain.health import Status
from tests.protocol.mosquitto import Mosquitto, run_mosquitto
from tests.protocol.mqtt_parts import (
    PASSWORD,
    RecordingLink,
    Sensor,
    build_adapter,
    running,
    sensor,
)

SUBSCRIBED = "Sending SUBACK to gengfu-7"
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(params=["5", "3.1.1"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def publish_many(device: Sensor, count: int, *, qos: int = 1, first: int = 0) -> None:
    device.publish_all(
        [("s1/reading", {"values": {"n": n}}) for n in range(first, first + count)], qos=qos
    )


def has_values(count: int) -> Callable[[Sequence[Event]], bool]:
    """Whether so many readings have come."""

    def are_enough(events: Sequence[Event]) -> bool:
        return sum(isinstance(event, Reading) for event in events) >= count

    return are_enough


async def leave_session(broker: Mosquitto, version: str) -> None:
    """Connect once and go: the broker keeps for us what comes from now on."""
    async with running(build_adapter(broker.address, version=version), RecordingLink()):
        await broker.wait_for_log(SUBSCRIBED)


@pytest.mark.threat("K1")
async def test_only_what_was_committed_is_acknowledged(tmp_path: Path, version: str) -> None:
    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        await leave_session(broker, version)
        await asyncio.to_thread(publish_many, device, 1_600)
        first = RecordingLink(is_committing=False)
        async with running(build_adapter(broker.address, version=version), first):
            await first.wait_for(has_values(1_600))
            committed = first.commit_first(len(first.pending) // 2)
        assert 0 < len(committed) < 1_600
        second = RecordingLink()
        async with running(build_adapter(broker.address, version=version), second):
            await second.wait_for(has_values(1_600 - len(committed)))
            await asyncio.sleep(0.2)
        assert committed == [float(n) for n in range(len(committed))]
        assert second.values() == [float(n) for n in range(len(committed), 1_600)]


@pytest.mark.threat("K4")
async def test_broker_restart_loses_nothing(tmp_path: Path, version: str) -> None:
    async with run_mosquitto(tmp_path) as broker:
        adapter = build_adapter(broker.address, version=version)
        first = RecordingLink(is_committing=False)
        task = asyncio.create_task(adapter.run(first))
        await broker.wait_for_log(SUBSCRIBED)
        async with sensor(broker.port) as device:
            await asyncio.to_thread(publish_many, device, 100)
        await first.wait_for(has_values(100))
        await broker.stop()
        with pytest.raises(DeviceUnreachable):
            await task
        await broker.start()
        second = RecordingLink()
        async with running(adapter, second):
            await second.wait_for(has_values(100))
        assert second.values() == [float(n) for n in range(100)]


async def test_commit_after_a_reconnect_acknowledges_nothing(tmp_path: Path, version: str) -> None:
    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        await leave_session(broker, version)
        await asyncio.to_thread(publish_many, device, 10)
        adapter = build_adapter(broker.address, version=version)
        first, second, third = (RecordingLink(is_committing=False) for _ in range(3))
        async with running(adapter, first):
            await first.wait_for(has_values(10))
        async with running(adapter, second):
            await second.wait_for(has_values(10))
            first.commit_first(len(first.pending))
        async with running(adapter, third):
            await third.wait_for(has_values(10))


async def test_hub_behind_leaves_messages_in_the_broker(tmp_path: Path, version: str) -> None:
    settings = {"max_inflight_messages": "50"}
    async with run_mosquitto(tmp_path, settings=settings) as broker:
        link = RecordingLink()
        adapter = build_adapter(broker.address, version=version, receive_maximum=50, keep_alive_s=1)
        async with running(adapter, link) as task, sensor(broker.port) as device:
            await broker.wait_for_log(SUBSCRIBED)
            link.gate.clear()
            await asyncio.to_thread(publish_many, device, 3_000)
            await asyncio.sleep(2.5)  # longer than the keep-alive: waiting is no failure
            assert not task.done()
            assert adapter.waiting <= 100
            link.gate.set()
            await link.wait_for(has_values(3_000))
        assert link.values() == [float(n) for n in range(3_000)]


async def test_nobody_is_silent_while_a_commit_is_awaited(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        link = RecordingLink(is_committing=False)
        async with running(build_adapter(broker.address, silence_factor=2), link):
            await broker.wait_for_log(SUBSCRIBED)
            device.publish("s1/status", {"online": True, "interval": 1})
            await asyncio.sleep(3.2)
        statuses = [event for event in link.events if isinstance(event, StatusReported)]
        assert {event.status for event in statuses} == {Status.ONLINE}


async def test_broker_without_a_limit_is_not_read_from(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path, settings={"max_inflight_messages": "0"}) as broker:
        link = RecordingLink()
        adapter = build_adapter(broker.address, version="3.1.1", receive_maximum=50)
        async with running(adapter, link), sensor(broker.port) as device:
            await broker.wait_for_log(SUBSCRIBED)
            link.gate.clear()
            await asyncio.to_thread(publish_many, device, 3_000)
            await asyncio.sleep(0.3)
            assert adapter.waiting == 100
            link.gate.set()
            await link.wait_for(has_values(3_000))
        assert link.values() == [float(n) for n in range(3_000)]


async def test_qos_0_is_dropped_and_counted_while_the_hub_is_behind(
    tmp_path: Path, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_mosquitto(tmp_path) as broker:
        link = RecordingLink()
        adapter = build_adapter(broker.address, version=version, receive_maximum=50)
        async with running(adapter, link) as task, sensor(broker.port) as device:
            await broker.wait_for_log(SUBSCRIBED)
            link.gate.clear()
            await asyncio.to_thread(publish_many, device, 500, qos=0)
            await asyncio.to_thread(publish_many, device, 20, first=1_000)
            await asyncio.sleep(0.3)
            assert not task.done()
            assert adapter.waiting <= 100
            link.gate.set()
            await link.wait_for(lambda _: 1_019.0 in link.values())
        assert link.values()[-20:] == [float(n) for n in range(1_000, 1_020)]
        assert len(link.values()) < 520
    assert "QoS 0 messages were dropped" in caplog.text


@pytest.mark.threat("T30")
async def test_payload_of_10_mb_is_stored_as_unrecognised_once(
    tmp_path: Path, version: str
) -> None:
    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        link = RecordingLink()
        async with running(build_adapter(broker.address, version=version), link):
            await broker.wait_for_log(SUBSCRIBED)
            await asyncio.to_thread(device.publish, "s1/reading", b"x" * 10_000_000)
            await asyncio.to_thread(publish_many, device, 1)
            await link.wait_for(has_values(1))
        unrecognised = [e for e in link.events if isinstance(e, UnrecognisedEvent)]
        assert ["10000000 bytes" in e.reason for e in unrecognised] == [True]
        assert unrecognised[0].payload == b"x" * 2_048
        again = RecordingLink()
        async with running(build_adapter(broker.address, version=version), again):
            await asyncio.to_thread(publish_many, device, 1, first=7)
            await again.wait_for(has_values(1))
        assert again.values() == [7.0]
        assert len(again.events) == 1


@pytest.mark.threat("T30")
async def test_packet_beyond_our_maximum_leaves_the_hub_up(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        link = RecordingLink()
        adapter = build_adapter(broker.address, max_packet_bytes=64 * 1024)
        async with running(adapter, link):
            await broker.wait_for_log(SUBSCRIBED)
            await asyncio.to_thread(device.publish, "s1/reading", b"x" * 200_000)
            await asyncio.to_thread(publish_many, device, 1)
            await link.wait_for(has_values(1))
        assert len(link.events) == 1


@pytest.mark.threat("T30")
async def test_endless_qos_2_leaves_the_hub_up(tmp_path: Path, version: str) -> None:
    def start_without_release(port: int) -> socket.socket:
        """Publish at QoS 2, 2,000 times, and never release a message."""
        sock = socket.create_connection(("127.0.0.1", port))
        body = b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"
        sock.sendall(b"\x10" + bytes([len(body)]) + body)
        topic = b"gengfu/v1/s1/reading"
        for mid in range(1, 2_001):
            packet = struct.pack(f"!H{len(topic)}sH", len(topic), topic, mid) + b"{}"
            sock.sendall(b"\x34" + bytes([len(packet)]) + packet)
        return sock

    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        link = RecordingLink()
        async with running(build_adapter(broker.address, version=version), link):
            await broker.wait_for_log(SUBSCRIBED)
            with await asyncio.to_thread(start_without_release, broker.port):
                await asyncio.to_thread(publish_many, device, 1)
                await link.wait_for(has_values(1))


@pytest.mark.threat("T30")
async def test_sensor_that_speaks_as_another_is_not_heard(tmp_path: Path, version: str) -> None:
    acl = "user hub\ntopic readwrite gengfu/v1/#\npattern write gengfu/v1/%u/reading\n"
    users = {"hub": PASSWORD, "s1": PASSWORD}
    async with run_mosquitto(tmp_path, passwords=users, acl=acl) as broker:
        link = RecordingLink()
        adapter = build_adapter(broker.address, user="hub", version=version)
        async with running(adapter, link):
            await broker.wait_for_log(SUBSCRIBED)
            async with sensor(broker.port, user="s1") as liar:  # mosquitto throws it out
                await asyncio.to_thread(liar.publish, "s2/reading", {"values": {"n": 1}})
            async with sensor(broker.port, user="s1") as device:
                await asyncio.to_thread(device.publish, "s1/reading", {"values": {"n": 2}})
            await link.wait_for(has_values(1))
        assert [event.device for event in link.events] == ["s1"]


async def test_two_processes_share_the_messages(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        one, two = RecordingLink(), RecordingLink()
        async with (
            running(build_adapter(broker.address, instance="a"), one),
            running(build_adapter(broker.address, instance="b"), two),
        ):
            await broker.wait_for_log(SUBSCRIBED, times=2)
            await asyncio.to_thread(publish_many, device, 200)
            async with asyncio.timeout(10):
                while len(one.values()) + len(two.values()) < 200:
                    await asyncio.sleep(0.01)
        assert sorted(one.values() + two.values()) == [float(n) for n in range(200)]
        assert one.values()
        assert two.values()


async def test_second_client_with_our_id_takes_over(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        first = asyncio.create_task(build_adapter(broker.address).run(RecordingLink()))
        await broker.wait_for_log(SUBSCRIBED)
        async with running(build_adapter(broker.address), RecordingLink()):
            with pytest.raises(DeviceUnreachable, match="client_id"):
                await first
