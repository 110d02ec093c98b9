"""The alert engine on both databases, its clock moved by hand."""

import asyncio
from dataclasses import replace

import pytest

from alerts.handling.life import Action, Order, act_on_one, resolve
from hub.domain.alerts import AlertStatus, Step
from hub.domain.conditions import DeviceOffline, EventOfKind
from hub.domain.devices import DeviceKind, Registration
from hub.domain.health import Status
from hub.store.alerts import list_steps
from hub.store.database import Database
from hub.store.devices import edit_device, set_registration
from hub.store.notifications import list_notifications
from hub.store.rules import change_rule, remove_rule
from tests.db.alerts_site import HUB, Clock, Site


@pytest.fixture
async def site(database: Database) -> Site:
    return await Site(database, Clock()).build()


async def test_offline_fires_when_its_time_is_over_and_not_before(site: Site) -> None:
    await site.add_rule(DeviceOffline(for_s=60))
    device = await site.add_device()
    engine = site.engine()
    await engine.step()
    await site.turn(device, Status.OFFLINE)
    next_due = await engine.step()
    assert next_due is not None
    assert (next_due - site.clock()).total_seconds() == pytest.approx(60)
    site.clock.pass_s(59.9)
    await engine.step()
    assert await site.alerts() == []
    site.clock.pass_s(0.1)
    assert await engine.step() is None
    (alert,) = await site.alerts()
    assert alert.status is AlertStatus.FIRING
    assert alert.event_id is not None
    assert alert.device_name == "cam"
    assert (alert.fired_at - alert.started_at).total_seconds() == pytest.approx(60)
    assert (await site.count("notifications"), await site.count("jobs")) == (1, 1)


async def test_a_timer_survives_a_restart(site: Site) -> None:
    await site.add_rule(DeviceOffline(for_s=60))
    device = await site.add_device()
    first = site.engine()
    await site.turn(device, Status.OFFLINE)
    await first.step()
    site.clock.pass_s(61)
    await site.engine().step()
    assert await site.statuses() == ["firing"]


@pytest.mark.threat("K10")
async def test_a_clock_set_back_does_not_hold_up_alerts(site: Site) -> None:
    await site.add_rule(DeviceOffline(for_s=60))
    waiting, late = await site.add_device("waiting"), await site.add_device("late")
    engine = site.engine()
    await site.turn(waiting, Status.OFFLINE)
    await engine.step()
    site.clock.pass_s(-7200)
    await site.turn(late, Status.OFFLINE)
    await engine.step()
    site.clock.pass_s(60)
    await engine.step()
    assert await site.statuses() == ["firing", "firing"]
    site.clock.pass_s(7200)
    await engine.step()
    assert await site.statuses() == ["firing", "firing"]


async def test_an_outage_that_came_and_went_while_no_engine_ran_is_told(site: Site) -> None:
    await site.add_rule(DeviceOffline(for_s=60))
    device = await site.add_device()
    await site.engine().step()
    await site.turn(device, Status.OFFLINE)
    site.clock.pass_s(300)
    await site.turn(device, Status.ONLINE)
    await site.engine().step()
    (alert,) = await site.alerts()
    assert alert.status is AlertStatus.RESOLVED
    assert (alert.fired_at - alert.started_at).total_seconds() == pytest.approx(60)
    assert await site.count("notifications") == 2
    assert await site.count("states") == 0


async def test_a_blip_while_no_engine_ran_is_not(site: Site) -> None:
    await site.add_rule(DeviceOffline(for_s=60))
    device = await site.add_device()
    await site.engine().step()
    await site.turn(device, Status.OFFLINE)
    site.clock.pass_s(30)
    await site.turn(device, Status.ONLINE)
    site.clock.pass_s(300)
    await site.engine().step()
    assert await site.alerts() == []


async def test_a_new_rule_sees_what_is_offline_already(site: Site) -> None:
    device = await site.add_device()
    await site.turn(device, Status.OFFLINE)
    await site.engine().step()
    await site.add_rule(DeviceOffline())
    await site.engine().step()
    (alert,) = await site.alerts()
    assert alert.event_id is not None


async def test_unknown_is_not_offline(site: Site) -> None:
    await site.add_rule(DeviceOffline())
    device = await site.add_device()
    await site.turn(device, Status.UNKNOWN)
    engine = site.engine()
    await engine.step()
    assert await site.alerts() == []
    await site.turn(device, Status.OFFLINE)
    await engine.step()
    await site.turn(device, Status.UNKNOWN)
    await engine.step()
    await site.engine().step()
    assert await site.statuses() == ["firing"]


async def test_rules_keep_to_their_area_kind_and_approved_devices(site: Site) -> None:
    await site.add_rule(DeviceOffline(device_kinds=(DeviceKind.SENSOR,)))
    await site.add_rule(DeviceOffline(), area="south")
    devices = [
        await site.add_device("north"),
        await site.add_device("south", area="south"),
        await site.add_device("new", area="south", registration=Registration.PENDING),
    ]
    for device in devices:
        await site.turn(device, Status.OFFLINE)
    await site.engine().step()
    assert [alert.device_name for alert in await site.alerts()] == ["south"]


async def test_replayed_events_never_fire(site: Site) -> None:
    await site.add_rule(EventOfKind(kind="motion.started"))
    device = await site.add_device()
    await site.happen(replace(site.event("motion.started", device), replayed=True))
    await site.engine().step()
    assert await site.alerts() == []


async def test_one_alert_for_many_events_and_a_clear(site: Site) -> None:
    await site.add_rule(EventOfKind(kind="motion.started", clear_kind="motion.stopped"))
    device = await site.add_device()
    for _ in range(5):
        site.clock.pass_s(1)
        await site.happen(site.event("motion.started", device, is_active=True))
    engine = site.engine()
    await engine.step()
    assert await site.statuses() == ["firing"]
    assert await site.count("notifications") == 1
    await site.happen(site.event("motion.stopped", device, is_active=False))
    await engine.step()
    assert await site.statuses() == ["resolved"]
    assert await site.count("notifications") == 2


async def test_an_event_of_a_place_clears_by_time_and_by_its_mark(site: Site) -> None:
    await site.add_rule(
        EventOfKind(kind="patrol.round_missed", distinguish_by="plan", auto_clear_s=3600)
    )
    for plan in ("midnight", "dawn", "midnight"):
        site.clock.pass_s(1)
        await site.happen(replace(site.event("patrol.round_missed"), data={"plan": plan}))
    engine = site.engine()
    await engine.step()
    assert await site.statuses() == ["firing", "firing"]
    site.clock.pass_s(3599)
    await engine.step()
    assert await site.statuses() == ["firing", "resolved"]
    site.clock.pass_s(1)
    await engine.step()
    assert await site.statuses() == ["resolved", "resolved"]


async def test_resolved_by_hand_it_is_told_and_held_until_the_cause_is_gone(site: Site) -> None:
    await site.add_rule(DeviceOffline())
    device = await site.add_device()
    engine = site.engine()
    await site.turn(device, Status.OFFLINE)
    await engine.step()
    (alert,) = await site.alerts()
    async with site.database.transaction() as tx:
        now = site.clock()
        taken = Order(action=Action.ACKNOWLEDGE, note="on my way")
        await act_on_one(tx, HUB, site.jobs, alert.id, taken, now)
        closed = await resolve(tx, HUB, site.jobs, alert.id, reason="replaced at noon", now=now)
    assert (closed.status, closed.resolution) == (AlertStatus.RESOLVED, "replaced at noon")
    # One job for the receiver, however much waits for him.
    assert (await site.count("notifications"), await site.count("jobs")) == (2, 1)
    site.clock.pass_s(60)
    await site.engine().step()
    assert await site.statuses() == ["resolved"]
    async with site.database.transaction() as tx:
        steps = await list_steps(tx, HUB, alert.id)
    assert [(s.step, s.actor) for s in steps] == [
        (Step.FIRED, "hub.alerts"),
        (Step.ACKNOWLEDGED, "test"),
        (Step.RESOLVED, "test"),
    ]
    await site.turn(device, Status.ONLINE)
    await engine.step()
    site.clock.pass_s(1)
    await site.turn(device, Status.OFFLINE)
    await engine.step()
    assert await site.statuses() == ["resolved", "firing"]


async def test_resolved_goes_to_whoever_got_firing(site: Site) -> None:
    rule = await site.add_rule(DeviceOffline())
    device = await site.add_device()
    engine = site.engine()
    await site.turn(device, Status.OFFLINE)
    await engine.step()
    async with site.database.transaction() as tx:
        await change_rule(tx, HUB, replace(rule, receivers=()))
    await site.turn(device, Status.ONLINE)
    await site.engine().step()
    (alert,) = await site.alerts()
    async with site.database.transaction() as tx:
        lines = await list_notifications(tx, HUB, alert.id)
    assert [(line.step, line.receiver_id) for line in lines] == [
        (Step.FIRED, site.receiver.id),
        (Step.RESOLVED, site.receiver.id),
    ]


@pytest.mark.parametrize("end", ["removed", "disabled", "retired", "moved"])
async def test_what_nobody_watches_any_more_is_resolved(site: Site, end: str) -> None:
    rule = await site.add_rule(DeviceOffline(), area="north")
    device = await site.add_device()
    await site.turn(device, Status.OFFLINE)
    await site.engine().step()
    async with site.database.transaction() as tx:
        if end == "removed":
            await remove_rule(tx, HUB, rule.id)
        elif end == "disabled":
            await change_rule(tx, HUB, replace(rule, is_enabled=False))
        elif end == "retired":
            await set_registration(tx, HUB, device.id, Registration.RETIRED)
        else:
            await edit_device(tx, HUB, device.id, name="cam", area_id=site.areas["south"].id)
    await site.engine().step()
    assert await site.statuses() == ["resolved"]
    assert await site.count("notifications") == 2
    assert await site.count("states") == 0


async def test_engines_take_turns_and_never_double(site: Site) -> None:
    await site.add_rule(DeviceOffline())
    devices = [await site.add_device(f"cam{n}") for n in range(40)]
    engines = [site.engine() for _ in range(3)]
    await asyncio.gather(*(engine.step() for engine in engines))
    for device in devices:
        await site.turn(device, Status.OFFLINE)
    await asyncio.gather(*(engine.step() for engine in engines))
    assert await site.statuses() == ["firing"] * 40
    for device in devices:
        await site.turn(device, Status.ONLINE)
    await asyncio.gather(*(engine.step() for engine in engines))
    assert await site.statuses() == ["resolved"] * 40
    assert await site.count("notifications") == 80
    assert await site.count("jobs") == 1


async def test_an_event_that_cannot_be_judged_holds_up_no_other(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does a timer, nor what the sweep finds."""
    await site.add_rule(DeviceOffline())
    async with site.database.transaction() as tx:
        await tx.execute("ALTER TABLE alerts ADD CHECK (device_name <> 'poison')")
    devices = [await site.add_device(name) for name in ("first", "poison", "last")]
    engine = site.engine()
    await engine.step()
    for device in devices:
        await site.turn(device, Status.OFFLINE)
    await engine.step()
    assert [alert.device_name for alert in await site.alerts()] == ["first", "last"]
    assert "(device.offline) cannot be judged" in caplog.text
    await site.add_rule(DeviceOffline(for_s=60))
    engine = site.engine()
    await engine.step()
    site.clock.pass_s(60)
    next_due = await engine.step()
    assert [alert.device_name for alert in await site.alerts()] == ["first", "last"] * 2
    assert f"device:{devices[1].id} cannot be judged" in caplog.text
    assert next_due is not None
    assert next_due > site.clock()
