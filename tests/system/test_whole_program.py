"""Device → event → alert → notification → API, and a patrol that falls due, through everything.

`gengfu run` in a process of its own on TimescaleDB and Mosquitto; simulated devices on the wire.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.simulators.faults import Fault
from hub.simulators.pull_points import Property
from tests.system.village_site import (
    LOGIN,
    Site,
    everything_reports,
    holds,
    run_site,
    tell_webhook,
    until,
)

CAMERAS, SENSORS = 3, 2


@pytest.mark.timeout(280)
async def test_from_device_to_notification(timescaledb_database_url: str, tmp_path: Path) -> None:
    async with run_site(
        timescaledb_database_url, tmp_path, cameras=CAMERAS, sensors=SENSORS
    ) as site:
        await everything_reports(site)
        await tell_webhook(site)
        camera = site.village.cameras["camera-2"]
        name = camera.name

        await camera.set_fault(Fault.CABLE_CUT)
        took = await until("webhook", holds(site, "fired", name), within_s=30)
        assert took <= 30
        (alert,) = [a for a in await site.items("alerts") if a["device_name"] == name]
        assert alert["status"] == "firing"
        await site.post(f"alerts/{alert['id']}/acknowledge", {"note": "电话已打"})
        (outage,) = await site.items("outages")
        assert outage["ended_at"] is None

        await camera.clear_fault()
        await until("resolved", holds(site, "resolved", name), within_s=60)
        (alert,) = [a for a in await site.items("alerts") if a["device_name"] == name]
        assert alert["status"] == "resolved"
        sent = (await site.api.get(f"alerts/{alert['id']}/notifications")).json()["items"]
        assert [one["status"] for one in sent] == ["delivered"] * len(sent)
        ids = [body["id"] for body in site.hook.bodies]
        assert len(ids) == len(set(ids))

        await _motion_is_stored(site)
        await _sensors_wait_for_approval(site)
        await _patrol_falls_due(site)
        assert LOGIN.password.reveal() not in site.hub.log_text


async def _motion_is_stored(site: Site) -> None:
    site.village.cameras["camera-1"].set_property(Property.MOTION, is_active=True)

    async def check() -> bool:
        found = await site.items("events", kind="motion.started")
        return any(not event["replayed"] for event in found)

    await until("motion", check, within_s=20)


async def _sensors_wait_for_approval(site: Site) -> None:
    pending = await site.items("devices", registration="pending")
    assert len(pending) == SENSORS
    for line in pending:
        detail = (await site.api.get(f"devices/{line['id']}")).json()
        assert {point["key"] for point in detail["points"]} >= {"temp", "door", "battery"}
        assert all(point["value"] is not None for point in detail["points"])
        await site.post(f"devices/{line['id']}/approve", {})
    assert await site.items("devices", registration="pending") == []


async def _patrol_falls_due(site: Site) -> None:
    await site.village.cameras["camera-3"].set_fault(Fault.POWER_CUT)
    now = datetime.now(UTC) + timedelta(hours=8)
    due = now + timedelta(minutes=1)
    await site.post(
        "patrol-plans",
        {
            "name": "零点夜查",
            "area_id": site.area_id,
            "rrule": f"FREQ=DAILY;BYHOUR={due.hour};BYMINUTE={due.minute}",
            "time_zone": "Asia/Shanghai",
            "starts_on": due.date().isoformat(),
            "seconds_per_stop": 0.5,
        },
    )

    async def check() -> bool:
        ended = await site.items("patrol-rounds", status="finished")
        return any(walk["has_report"] for walk in ended)

    await until("round", check, within_s=110)
    # Tomorrow's round may be planned already.
    (walk,) = await site.items("patrol-rounds", status="finished")
    stops = await site.items(f"patrol-rounds/{walk['id']}/stops")
    verdicts = {stop["device_name"]: stop["verdict"] for stop in stops}
    dead = site.village.cameras["camera-3"].name
    assert verdicts.pop(dead) == "not_seen"
    assert set(verdicts.values()) == {"seen"}
    for stop in stops:
        if stop["verdict"] == "seen":
            path = f"patrol-rounds/{walk['id']}/stops/{stop['position']}/picture"
            picture = await site.api.get(path)
            assert picture.headers["content-type"] == "image/jpeg"
            assert picture.content.startswith(b"\xff\xd8")
    report = await site.api.get(f"patrol-rounds/{walk['id']}/report")
    assert dead in report.text
    assert report.text.count("data:image/jpeg;base64") == CAMERAS - 1
