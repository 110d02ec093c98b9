"""Parents, maintenance windows and flapping on both databases, the clock moved by hand."""

import logging
from dataclasses import replace

import pytest

from hub.domain.conditions import (
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventOfKind,
    PointBeyond,
)
from hub.domain.devices import Device, DeviceKind, Registration
from hub.domain.health import Layer, Status
from hub.store.database import Database
from hub.store.devices import set_registration
from hub.store.present import device_presences
from hub.store.sweeps import present_statuses
from tests.db.alerts_site import HUB, Clock, Site

BLIND = DeviceDegraded(layers=(Layer.FRAMES,))
HOT = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25)


@pytest.fixture
async def site(database: Database) -> Site:
    return await Site(database, Clock()).build()


@pytest.fixture
async def uplink(site: Site) -> Device:
    return await site.add_device("Uplink 7", kind=DeviceKind.UPLINK)


async def add_child(site: Site, uplink: Device, key: str = "cam") -> Device:
    device = await site.add_device(key)
    await site.hang(device, uplink)
    return device


async def test_a_dead_uplink_is_one_alert_and_its_return_none(
    site: Site, uplink: Device, caplog: pytest.LogCaptureFixture
) -> None:
    await site.add_rule(DeviceOffline())
    children = [await add_child(site, uplink, f"cam{n}") for n in range(5)]
    engine = site.engine()
    await engine.step()
    await site.turn(uplink, Status.OFFLINE)
    for child in children:
        await site.turn(child, Status.OFFLINE, behind=uplink)
    with caplog.at_level(logging.INFO, "alerts"):
        await engine.step()
    assert [alert.device_name for alert in await site.alerts()] == ["Uplink 7"]
    assert "alerts held back: 5, behind Uplink 7, which is down" in caplog.text
    assert await site.count("states") == 1
    site.clock.pass_s(60)
    await site.turn(uplink, Status.ONLINE)
    for child in children:
        await site.turn(child, Status.ONLINE)
    await engine.step()
    site.clock.pass_s(60)
    await site.engine().step()
    assert await site.statuses() == ["resolved"]
    assert await site.count("notifications") == 2


async def test_children_told_before_their_parent_are_held_back_in_one_go(
    site: Site, uplink: Device
) -> None:
    await site.add_rule(DeviceOffline())
    child = await add_child(site, uplink)
    await site.turn(child, Status.OFFLINE)
    await site.turn(uplink, Status.OFFLINE)
    await site.engine().step()
    assert [alert.device_name for alert in await site.alerts()] == ["Uplink 7"]


async def test_an_alert_that_fires_already_stays_until_the_device_is_back(
    site: Site, uplink: Device
) -> None:
    await site.add_rule(DeviceOffline())
    child = await add_child(site, uplink)
    engine = site.engine()
    await site.turn(child, Status.OFFLINE)
    await engine.step()
    site.clock.pass_s(60)
    await site.turn(uplink, Status.OFFLINE)
    await site.turn(child, Status.OFFLINE, behind=uplink)
    await engine.step()
    assert await site.statuses() == ["firing", "firing"]
    await site.turn(child, Status.ONLINE)
    await engine.step()
    assert await site.statuses() == ["resolved", "firing"]


@pytest.mark.parametrize("by", ["event", "sweep"])
async def test_what_is_still_down_when_the_parent_is_back_fires_then(
    site: Site, uplink: Device, by: str
) -> None:
    await site.add_rule(DeviceOffline(for_s=30))
    child = await add_child(site, uplink)
    engine = site.engine()
    await site.turn(uplink, Status.OFFLINE)
    went_at = site.clock()
    await site.turn(child, Status.OFFLINE, behind=uplink)
    await engine.step()
    site.clock.pass_s(600)
    await site.turn(uplink, Status.ONLINE)
    if by == "event":
        await site.turn(child, Status.OFFLINE)
    else:
        async with site.database.transaction() as tx:
            await tx.execute("UPDATE device_status SET behind_id = NULL")
        engine = site.engine()
    await engine.step()
    alert = (await site.alerts())[-1]
    assert (alert.device_name, alert.status.value) == ("cam", "firing")
    assert (alert.started_at, alert.fired_at) == (went_at, site.clock())
    assert alert.event_id is not None


async def test_a_wait_under_way_ends_when_the_parent_is_found_down(
    site: Site, uplink: Device
) -> None:
    await site.add_rule(DeviceOffline(for_s=60))
    child = await add_child(site, uplink)
    engine = site.engine()
    await site.turn(child, Status.OFFLINE)
    await engine.step()
    assert await site.count("states") == 1
    site.clock.pass_s(20)
    await site.turn(child, Status.OFFLINE, behind=uplink)
    await engine.step()
    assert await site.count("states") == 0
    site.clock.pass_s(600)
    await engine.step()
    assert await site.alerts() == []


async def test_a_retired_parent_holds_nothing_back(site: Site, uplink: Device) -> None:
    await site.add_rule(DeviceOffline())
    child = await add_child(site, uplink)
    await site.turn(uplink, Status.OFFLINE)
    async with site.database.transaction() as tx:
        await set_registration(tx, HUB, uplink.id, Registration.RETIRED)
    await site.turn(child, Status.OFFLINE)
    await site.engine().step()
    assert [alert.device_name for alert in await site.alerts()] == ["cam"]


@pytest.mark.parametrize("for_s", [0, 60])
async def test_in_a_window_nobody_is_called_and_after_it_somebody_is(
    site: Site, for_s: float
) -> None:
    await site.add_rule(DeviceOffline(for_s=for_s))
    device = await site.add_device()
    engine = site.engine()
    await engine.step()
    if not for_s:
        await site.enter_window(device)
    went_at = site.clock()
    await site.turn(device, Status.OFFLINE)
    await engine.step()
    if for_s:  # it began while the rule waited
        assert await site.count("states") == 1
        await site.enter_window(device)
    for _ in range(10):
        site.clock.pass_s(60)
        await engine.step()
    assert (await site.alerts(), await site.count("states")) == ([], 0)
    await site.leave_window(device)
    site.clock.pass_s(11)
    await engine.step()
    (alert,) = await site.alerts()
    assert alert.started_at == went_at


async def test_a_window_lets_alerts_end(site: Site) -> None:
    await site.add_rule(DeviceOffline())
    device = await site.add_device()
    engine = site.engine()
    await site.turn(device, Status.OFFLINE)
    await engine.step()
    await site.enter_window(device)
    await site.turn(device, Status.ONLINE)
    await engine.step()
    assert await site.statuses() == ["resolved"]
    assert await site.count("notifications") == 2


async def test_readings_in_a_window_raise_nothing_until_it_is_over(site: Site) -> None:
    await site.add_rule(HOT)
    device = await site.add_device()
    point = await site.add_point(device)
    engine = site.engine()
    await engine.step()
    await site.enter_window(device)
    for value in (40.0, 41.0):
        await engine.offer_readings(await site.read(device, point, value))
        await engine.step()
        site.clock.pass_s(11)
        await engine.step()
    assert await site.alerts() == []
    await site.leave_window(device)
    site.clock.pass_s(11)
    await engine.step()
    assert await site.statuses() == ["firing"]
    await site.enter_window(device)
    await engine.offer_readings(await site.read(device, point, 20.0))
    await engine.step()
    assert await site.statuses() == ["resolved"]


async def test_events_in_a_window_raise_nothing_unless_they_outlast_it(site: Site) -> None:
    await site.add_rule(EventOfKind(kind="signal.lost", clear_kind="signal.restored"))
    await site.add_rule(EventOfKind(kind="motion.started", auto_clear_s=300))
    names = ("moment", "ended", "lasts")
    moment, ended, lasts = [await site.add_device(name) for name in names]
    engine = site.engine()
    for device in (moment, ended, lasts):
        await site.enter_window(device)
    began_at = site.clock()
    await site.happen(site.event("motion.started", moment))
    for device in (ended, lasts):
        await site.happen(site.event("signal.lost", device, is_active=True))
    await engine.step()
    site.clock.pass_s(30)
    await site.happen(site.event("signal.restored", ended, is_active=False))
    await engine.step()
    site.clock.pass_s(300)
    await site.engine().step()
    assert await site.alerts() == []
    for device in (moment, ended, lasts):
        await site.leave_window(device)
    site.clock.pass_s(60)
    await site.engine().step()
    (alert,) = await site.alerts()
    assert (alert.device_name, alert.started_at) == ("lasts", began_at)
    assert alert.event_id is not None


async def test_a_flapping_device_is_one_alert_until_it_settles(site: Site) -> None:
    await site.add_rule(DeviceOffline())
    await site.add_rule(EventOfKind(kind="device.flapping"))
    device = await site.add_device()
    engine = site.engine()
    await engine.step()
    await site.happen(site.event("device.flapping", device, is_active=True))
    for _ in range(4):
        site.clock.pass_s(20)
        await site.turn(device, Status.ONLINE, is_flapping=True)
        site.clock.pass_s(20)
        went_at = site.clock()
        await site.turn(device, Status.OFFLINE, is_flapping=True)
        await engine.step()
    assert [alert.condition for alert in await site.alerts()] == ["event_of_kind"]
    async with site.database.transaction() as tx:
        await tx.execute("UPDATE device_status SET is_flapping = false")
    await site.happen(site.event("device.flapping", device, is_active=False))
    site.clock.pass_s(11)
    await engine.step()
    assert await site.statuses() == ["resolved", "firing"]
    assert (await site.alerts())[-1].started_at == went_at


async def test_degraded_fires_at_the_layers_of_the_rule(site: Site) -> None:
    await site.add_rule(BLIND)
    await site.add_rule(DeviceDegraded())
    device = await site.add_device()
    engine = site.engine()
    await site.turn(device, Status.DEGRADED, layer=Layer.CLOCK)
    await engine.step()
    assert await site.statuses() == ["firing"]
    site.clock.pass_s(60)
    # A second layer, behind the first: no event tells of it.
    await report_faults(site, device, Layer.RECORDING, Layer.FRAMES)
    await site.engine().step()
    assert await site.statuses() == ["firing", "firing"]
    alert = (await site.alerts())[-1]
    assert alert.condition == "device_degraded"
    assert alert.event_id is not None
    await site.turn(device, Status.OFFLINE)
    await engine.step()
    await site.engine().step()
    assert await site.statuses() == ["firing", "firing"]
    await site.turn(device, Status.ONLINE)
    await engine.step()
    assert await site.statuses() == ["resolved", "resolved"]


async def report_faults(site: Site, device: Device, *layers: Layer) -> None:
    faults = "{" + ",".join(f'"{layer.value}":"x"' for layer in layers) + "}"
    async with site.database.transaction() as tx:
        await tx.execute(
            "UPDATE device_status SET faults = faults || %(faults)s::jsonb"
            " WHERE device_id = %(id)s",
            {"id": device.id, "faults": faults},
        )


@pytest.mark.parametrize("condition", [DeviceOffline(), BLIND])
async def test_the_sweep_finds_what_no_event_told_unless_it_is_held_back(
    site: Site, uplink: Device, condition: Condition
) -> None:
    bad = Status.OFFLINE if isinstance(condition, DeviceOffline) else Status.DEGRADED
    layer = None if bad is Status.OFFLINE else Layer.FRAMES
    rule = await site.add_rule(condition)
    names = ("bad", "window", "flapping", "behind", "dead parent")
    devices = {name: await site.add_device(name) for name in names}
    for name, device in devices.items():
        behind = uplink if name == "behind" else None
        await site.turn(device, bad, layer=layer, behind=behind, is_flapping=name == "flapping")
    await site.enter_window(devices["window"])
    await site.hang(devices["dead parent"], uplink)
    await site.turn(uplink, Status.OFFLINE)
    wanted = {"bad"} if bad is Status.OFFLINE else {"bad", "behind", "dead parent"}
    async with site.database.transaction() as tx:
        found = {row.device_id for row in await present_statuses(tx, HUB, rule)}
    names_of = {device.id: name for name, device in devices.items()}
    assert {names_of[n] for n in found if n != uplink.id} == wanted


async def test_presences_leave_out_what_is_not_approved_or_outside_the_scope(
    site: Site, uplink: Device
) -> None:
    north = await site.add_device("north")
    south = await site.add_device("south", area="south")
    pending = await site.add_device("new", registration=Registration.PENDING)
    numbers = [uplink.id, north.id, south.id, pending.id]
    scope = replace(HUB, paths=(site.areas["south"].path,))
    async with site.database.transaction() as tx:
        assert set(await device_presences(tx, HUB, numbers)) == {uplink.id, north.id, south.id}
        assert set(await device_presences(tx, scope, numbers)) == {south.id}
