"""Exercises on both databases, the clock moved by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.alerts import AlertStatus
from hub.domain.conditions import DeviceOffline, Direction, PointBeyond
from hub.domain.devices import Device, DeviceKind, Registration
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.health import Status
from hub.domain.silences import Drill
from hub.store.database import Database
from hub.store.drills import end_drill, get_drill, list_drills, start_drill
from tests.db.alerts_site import HUB, Clock, Site

HOT = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25)


@pytest.fixture
async def site(database: Database) -> Site:
    return await Site(database, Clock()).build()


async def start(site: Site, rule_id: int, *devices: Device, area: str = "county") -> Drill:
    now = site.clock()
    wanted = Drill(
        area_id=site.areas[area].id,
        name="Autumn",
        rule_id=rule_id,
        device_ids=[device.id for device in devices],
        started_at=now,
        ends_at=now + timedelta(hours=1),
    )
    async with site.database.transaction() as tx:
        return await start_drill(tx, HUB, wanted)


async def test_an_exercise_fires_whatever_speaks_against_it_and_ends_by_itself(
    site: Site,
) -> None:
    rule = await site.add_rule(DeviceOffline(for_s=60), most_in_area=2)
    uplink = await site.add_device("Uplink 7", kind=DeviceKind.UPLINK)
    devices = [await site.add_device(f"cam{n}") for n in range(3)]
    await site.hang(devices[0], uplink)
    for device in (uplink, *devices):
        await site.turn(device, Status.ONLINE)
    await site.enter_window(devices[1])
    engine = site.engine()
    await engine.step()
    drill = await start(site, rule.id, *devices, uplink)
    next_due = await engine.step()
    assert next_due == drill.ends_at
    alerts = await site.alerts()
    assert {alert.drill_id for alert in alerts} == {drill.id}
    assert [a.device_name for a in alerts if a.folded_into is None] == ["Uplink 7", "cam0", ""]
    assert next(a for a in alerts if a.is_storm).reason == "Autumn: 2 more in North"
    assert alerts[0].reason == "Autumn: exercise of rule"
    assert alerts[0].event_id is not None
    assert await site.count("notifications") == 3
    # A real fault meanwhile is another alert, with its own room.
    await site.turn(devices[2], Status.OFFLINE)
    site.clock.pass_s(60)
    await engine.step()
    real = (await site.alerts())[-1]
    assert (real.device_name, real.drill_id, real.folded_into) == ("cam2", None, None)
    async with site.database.transaction() as tx:
        statuses = await tx.tuples("SELECT status FROM device_status ORDER BY device_id")
    assert statuses == [("online",), ("online",), ("online",), ("offline",)]
    site.clock.pass_s(3600)
    assert await site.engine().step() is None
    by_status = {a.status for a in await site.alerts() if a.drill_id is not None}
    assert by_status == {AlertStatus.RESOLVED}
    assert (await site.alerts())[-1].status is AlertStatus.FIRING
    assert await site.count("notifications") == 7
    assert await site.count("states") == 1


async def test_an_exercise_is_ended_once_and_nobody_else_can_invent_one(site: Site) -> None:
    rule = await site.add_rule(HOT)
    device, other = await site.add_device(), await site.add_device("other")
    engine = site.engine()
    await engine.step()
    drill = await start(site, rule.id, device)
    forged = replace(site.event("drill.cause", other), data={"drill": drill.id, "rule": rule.id})
    await site.happen(forged)
    await engine.step()
    assert [alert.device_name for alert in await site.alerts()] == ["cam"]
    site.clock.pass_s(60)
    async with site.database.transaction() as tx:
        ended = await end_drill(tx, HUB, drill.id, now=site.clock())
        assert ended.ended_at == site.clock()
        with pytest.raises(Conflict):
            await end_drill(tx, HUB, drill.id, now=site.clock())
        assert [one.id for one in (await list_drills(tx, HUB)).items] == [drill.id]
    await engine.step()
    assert await site.statuses() == ["resolved"]
    site.clock.pass_s(1)
    await site.happen(
        replace(forged, device_id=device.id, at=site.clock(), received_at=site.clock())
    )
    await engine.step()
    assert (await site.statuses(), await site.count("states")) == (["resolved"], 0)


async def test_an_exercise_keeps_to_its_area_its_rule_and_the_scope(site: Site) -> None:
    rule = await site.add_rule(DeviceOffline(), area="north")
    north, south = await site.add_device(), await site.add_device("south", area="south")
    pending = await site.add_device("new", registration=Registration.PENDING)
    for devices, area, error in (
        ((north, south), "county", Invalid),
        ((north,), "south", Invalid),
        ((pending,), "county", Conflict),
        ((), "county", Invalid),
    ):
        with pytest.raises(error):
            await start(site, rule.id, *devices, area=area)
    drill = await start(site, rule.id, north, north)
    assert drill.device_ids == [north.id]
    scope = replace(HUB, paths=(site.areas["south"].path,))
    async with site.database.transaction() as tx:
        assert (await list_drills(tx, scope)).items == []
        with pytest.raises(NotFound):
            await get_drill(tx, scope, drill.id)
        with pytest.raises(NotFound):
            await start_drill(tx, scope, replace(drill, area_id=site.areas["south"].id))
    assert await site.count("events") == 1
