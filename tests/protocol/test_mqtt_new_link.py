"""What the adapter tells of its devices on a new link to the broker, after one was lost."""

import asyncio
from pathlib import Path

from hub.domain.events import DeviceDescribed, Event, Reading, StatusReported
from hub.domain.health import Status
from tests.protocol.mosquitto import run_mosquitto
from tests.protocol.mqtt_parts import RecordingLink, build_adapter, running, sensor

SUBSCRIBED = "Sending SUBACK to gengfu-7"


def told(events: list[Event], device: str) -> list[Status]:
    return [e.status for e in events if isinstance(e, StatusReported) and e.device == device]


def has_reading(events: list[Event]) -> bool:
    return any(isinstance(event, Reading) for event in events)


async def test_each_device_is_told_of_anew_when_it_is_heard(tmp_path: Path) -> None:
    online = {"online": True, "session": 4}
    async with run_mosquitto(tmp_path) as broker, sensor(broker.port) as device:
        adapter, first = build_adapter(broker.address), RecordingLink()
        async with running(adapter, first):
            await broker.wait_for_log(SUBSCRIBED)
            for name, is_kept in (("kept", True), ("unkept", False), ("gone", False)):
                await asyncio.to_thread(
                    device.publish, f"{name}/status", online, is_retained=is_kept
                )
            await first.wait_for(lambda events: Status.ONLINE in told(events, "gone"))
        second = RecordingLink()
        async with running(adapter, second):
            await second.wait_for(lambda events: Status.ONLINE in told(events, "kept"))
            body = {"values": {"t": 1}}
            for name in ("unkept", "unkept", "stranger"):
                await asyncio.to_thread(device.publish, f"{name}/reading", body)
            await second.wait_for(lambda events: len([e for e in events if has_reading([e])]) == 3)
        assert told(second.events, "unkept") == [Status.ONLINE]
        assert told(second.events, "gone") == []
        assert told(second.events, "stranger") == []
        assert any(isinstance(event, DeviceDescribed) for event in second.events)
