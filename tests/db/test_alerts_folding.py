"""Many alerts that count in one, on both databases, the clock moved by hand."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from alerts.handling.life import Action, Order, act, act_on_one
from alerts.telling.desk import CURSOR
from hub.domain.alerts import Alert, AlertStatus, Step
from hub.domain.conditions import DeviceOffline, EventOfKind
from hub.domain.devices import Device, DeviceKind
from hub.domain.escalations import Deadlines
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import Status
from hub.store.alert_holds import drop_old_holds
from hub.store.alerts import list_steps
from hub.store.cursors import get_cursor
from hub.store.database import Database
from hub.store.deadlines import add_deadlines
from hub.store.events import add_events
from tests.db.alerts_site import HUB, Clock, Site


@pytest.fixture
async def site(database: Database) -> Site:
    return await Site(database, Clock()).build()


async def fail(site: Site, *devices: Device, status: Status = Status.OFFLINE) -> None:
    for device in devices:
        await site.turn(device, status)


async def steps_of(site: Site, alert: Alert) -> list[Step]:
    async with site.database.transaction() as tx:
        return [step.step for step in await list_steps(tx, HUB, alert.id)]


async def hang_up(site: Site, number: int) -> tuple[Device, list[Device]]:
    """An uplink in the south and devices in the north that hang on it."""
    uplink = await site.add_device("Uplink 7", area="south", kind=DeviceKind.UPLINK)
    children = [await site.add_device(f"cam{n}") for n in range(number)]
    for child in children:
        await site.hang(child, uplink)
    return uplink, children


def storms(alerts: Sequence[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.is_storm]


async def test_a_storm_is_told_once_and_ends_with_the_last(site: Site) -> None:
    await site.add_rule(DeviceOffline(), most_in_area=2)
    async with site.database.transaction() as tx:
        for area, wait_s in (("county", 900), ("north", 60)):
            await add_deadlines(
                tx,
                HUB,
                Deadlines(
                    area_id=site.areas[area].id,
                    severity=Severity.CRITICAL,
                    acknowledge_s=wait_s,
                    resolve_s=None,
                    yellow_share=0.5,
                ),
            )
    north = [await site.add_device(f"cam{n}") for n in range(5)]
    south = await site.add_device("south", area="south")
    engine = site.engine()
    await engine.step()
    await fail(site, *north[:4], south)
    await engine.step()
    alerts = await site.alerts()
    (storm,) = storms(alerts)
    folded = [alert for alert in alerts if alert.folded_into == storm.id]
    assert [alert.device_name for alert in folded] == ["cam2", "cam3"]
    assert (storm.folded, storm.reason, storm.device_id) == (2, "2 more in North", None)
    assert storm.event_id is not None
    assert await steps_of(site, folded[0]) == [Step.FIRED, Step.FOLDED]
    assert await site.count("notifications") == 4
    waits = [
        (a.acknowledge_by - a.fired_at).total_seconds() if a.acknowledge_by else 0 for a in alerts
    ]
    assert waits == [60] * 5 + [900]
    assert {alert.yellow_share for alert in alerts} == {0.5}
    async with site.database.transaction() as tx:
        taken = Order(action=Action.ACKNOWLEDGE)
        await act_on_one(tx, HUB, site.jobs, storm.id, taken, site.clock())
    await fail(site, north[4])
    await engine.step()
    (storm,) = storms(await site.alerts())
    assert (storm.status, storm.folded) == (AlertStatus.ACKNOWLEDGED, 3)
    await fail(site, *north[:4], status=Status.ONLINE)
    await site.engine().step()
    assert storms(await site.alerts())[0].status is AlertStatus.ACKNOWLEDGED
    await fail(site, north[4], south, status=Status.ONLINE)
    await engine.step()
    alerts = await site.alerts()
    assert {alert.status for alert in alerts} == {AlertStatus.RESOLVED}
    assert storms(alerts)[0].resolution == "all 3 are over"
    assert await site.count("notifications") == 8
    assert await site.count("states") == 0


async def test_a_storm_closed_by_hand_closes_what_counts_in_it(site: Site) -> None:
    await site.add_rule(DeviceOffline(), most_in_area=1)
    devices = [await site.add_device(f"cam{n}") for n in range(4)]
    engine = site.engine()
    await fail(site, *devices)
    await engine.step()
    alerts = await site.alerts()
    (storm,) = storms(alerts)
    folded = [alert for alert in alerts if alert.folded_into == storm.id]
    async with site.database.transaction() as tx:
        order = Order(action=Action.RESOLVE, note="the power is cut, known")
        await act(tx, HUB, site.jobs, [storm.id], order, site.clock())
    site.clock.pass_s(60)
    await engine.step()
    standing = [a for a in await site.alerts() if a.status is not AlertStatus.RESOLVED]
    assert [alert.device_name for alert in standing] == ["cam0"]
    async with site.database.transaction() as tx:
        held = await tx.tuples("SELECT count(*) FROM rule_states WHERE phase = 'held'")
    assert held == [(len(folded),)]
    # One by one: the alert for many ends with the last of them.
    await fail(site, *devices, status=Status.ONLINE)
    await engine.step()
    site.clock.pass_s(1)
    await fail(site, *devices[:2])
    await engine.step()
    (storm,) = storms([a for a in await site.alerts() if a.status is AlertStatus.FIRING])
    (one,) = [a for a in await site.alerts() if a.folded_into == storm.id]
    async with site.database.transaction() as tx:
        await act(tx, HUB, site.jobs, [one.id], order, site.clock())
    site.clock.pass_s(11)
    await engine.step()
    ended = next(alert for alert in await site.alerts() if alert.id == storm.id)
    assert (ended.status, ended.resolution) == (AlertStatus.RESOLVED, "it is over")


async def send_all(site: Site) -> None:
    """What waits has been sent."""
    async with site.database.transaction() as tx:
        await tx.execute("UPDATE notifications SET status = 'delivered'")


async def named(site: Site) -> dict[str, Alert]:
    """The alerts about devices, by the device's name."""
    return {alert.device_name: alert for alert in await site.alerts() if not alert.is_storm}


async def test_children_that_failed_before_their_uplink_count_in_its_alert(site: Site) -> None:
    await site.add_rule(DeviceOffline(), most_in_area=3)
    uplink, children = await hang_up(site, 5)
    engine = site.engine()
    await fail(site, *children)
    await engine.step()
    assert await site.count("notifications") == 4
    await send_all(site)
    site.clock.pass_s(20)
    await fail(site, uplink)
    await engine.step()
    alerts = await site.alerts()
    explained = next(alert for alert in alerts if alert.device_name == "Uplink 7")
    below = [a for a in alerts if not a.is_storm and a.id != explained.id]
    assert (explained.folded, {alert.folded_into for alert in below}) == (5, {explained.id})
    assert [storm.status for storm in storms(alerts)] == [AlertStatus.RESOLVED]
    assert await steps_of(site, below[0]) == [Step.FIRED, Step.FOLDED]
    assert (told := await site.count("notifications")) == 6  # the uplink, and the storm's end
    # Some are back before their uplink: only who was told hears of it.
    site.clock.pass_s(20)
    await fail(site, children[0], children[4], status=Status.ONLINE)
    await engine.step()
    assert await site.count("notifications") == told + 1
    # The uplink is back; of two nothing is known yet, one is still dead, as its probe said.
    site.clock.pass_s(20)
    for child in children[1:3]:
        await site.turn(child, Status.OFFLINE, behind=uplink)
    await fail(site, uplink, status=Status.ONLINE)
    await engine.step()
    # It has to start, and is excused for a while.
    assert (await named(site))["cam3"].folded_into == explained.id
    site.clock.pass_s(181)
    await engine.step()
    by_name = await named(site)
    folds = [by_name[name].folded_into for name in ("cam1", "cam2", "cam3")]
    assert folds == [explained.id, explained.id, None]
    assert (await steps_of(site, by_name["cam3"]))[-1] is Step.REPEATED
    assert await site.count("notifications") == told + 1 + 2
    site.clock.pass_s(15)
    await site.turn(children[1], Status.OFFLINE)
    await fail(site, children[2], status=Status.ONLINE)
    await engine.step()
    by_name = await named(site)
    left = {n: a.folded_into for n, a in by_name.items() if a.status is not AlertStatus.RESOLVED}
    assert left == {"cam1": None, "cam3": None}


async def test_a_storm_that_is_over_before_it_is_judged_is_one_alert(site: Site) -> None:
    """The probe of a child did not know of its uplink yet, and by now the uplink is back."""
    await site.add_rule(DeviceOffline())
    uplink, children = await hang_up(site, 3)
    engine = site.engine()
    await fail(site, uplink)
    await fail(site, *children)
    site.clock.pass_s(2)
    await fail(site, *children, uplink, status=Status.ONLINE)
    await engine.step()
    alerts = await site.alerts()
    (explained,) = (alert for alert in alerts if alert.folded_into is None)
    assert (explained.device_name, explained.folded) == ("Uplink 7", 3)
    assert {alert.folded_into for alert in alerts if alert is not explained} == {explained.id}
    assert await site.count("notifications") == 2  # the beginning and the end of one alert


async def test_what_a_window_explains_stands_again_only_after_it(site: Site) -> None:
    """It is the sweep that notices: no event tells of it, and another engine judged the rest."""
    await site.add_rule(DeviceOffline())
    uplink, (child,) = await hang_up(site, 1)
    engine = site.engine()
    for device in (child, uplink):
        await fail(site, device)
        await engine.step()
        site.clock.pass_s(1)
    await site.enter_window(child)
    await fail(site, uplink, status=Status.ONLINE)
    await engine.step()
    below, explained = await site.alerts()
    assert (explained.status, below.folded_into) == (AlertStatus.RESOLVED, explained.id)
    await site.leave_window(child)
    site.clock.pass_s(181)
    await site.engine().step()
    (below, _) = await site.alerts()
    assert (below.status, below.folded_into) == (AlertStatus.FIRING, None)
    # Of the uplink, and now of the child: what it said before was taken back unsent.
    assert await site.count("notifications") == 3


BLIP = EventOfKind(kind="signal.lost", clear_kind="signal.back", auto_clear_s=40)


async def test_it_does_not_matter_in_which_batches_events_are_judged(site: Site) -> None:
    """Also when an engine dies in the middle: what it had not committed is as if it never was."""
    await site.add_rule(DeviceOffline(for_s=15), most_in_area=2, most=3)
    await site.add_rule(DeviceOffline(), most_in_area=1, most=2)
    await site.add_rule(BLIP, most_in_area=1)
    devices = [await site.add_device(f"n{n}") for n in range(4)]
    devices += [await site.add_device(f"s{n}", area="south") for n in range(3)]
    began = site.clock()
    rng = random.Random(11)  # repeatable, no secret
    for _ in range(2):
        site.clock.now = began
        async with site.database.transaction() as tx:
            start = await get_cursor(tx, HUB, CURSOR)
            await add_events(tx, HUB, [_pick(site, devices, rng) for _ in range(40)])
        pictures = []
        for most in (1, 7, 1000):
            await clear(site, cursor=start)
            if most == 7:
                await interrupt(site, rng)
            await site.engine(most_events=most).step()
            pictures.append(await picture(site))
        assert pictures[0] == pictures[1] == pictures[2]
        assert any("storm" in str(line) for line in pictures[0])


async def interrupt(site: Site, rng: random.Random) -> None:
    """Begin again and again, and never come to the end."""
    for _ in range(5):
        task = asyncio.create_task(site.engine(most_events=3).step())
        await asyncio.sleep(rng.uniform(0.01, 0.06))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _pick(site: Site, devices: Sequence[Device], rng: random.Random) -> StoredEvent:
    site.clock.pass_s(rng.choice((0.5, 3, 20)))
    kinds = ("device.offline", "device.offline", "device.online", "signal.lost", "signal.back")
    return site.event(rng.choice(kinds), rng.choice(devices))


async def clear(site: Site, *, cursor: int) -> None:
    async with site.database.transaction() as tx:
        await tx.execute("DELETE FROM rule_states")
        await tx.execute("DELETE FROM alerts")
        await tx.execute("UPDATE cursors SET event_id = %(id)s", {"id": cursor})


async def picture(site: Site) -> list[tuple[object, ...]]:
    """Everything about alerts but their numbers."""
    async with site.database.transaction() as tx:
        return await tx.tuples(
            "SELECT x.rule_id, x.subject, x.status, x.reason, x.started_at, x.fired_at,"
            " x.resolved_at, x.resolution, x.event_id, x.folded, f.subject, f.fired_at,"
            " (SELECT array_agg(s.step || ' ' || s.note ORDER BY s.id) FROM alert_steps s"
            "  WHERE s.alert_id = x.id), (SELECT count(*) FROM notifications n"
            "  WHERE n.alert_id = x.id) FROM alerts x LEFT JOIN alerts f ON f.id = x.folded_into"
            " ORDER BY x.rule_id, x.subject, x.fired_at, x.resolved_at, x.id"
        )


async def test_what_was_held_back_is_kept_with_its_reason(site: Site) -> None:
    rule = await site.add_rule(DeviceOffline())
    uplink, children = await hang_up(site, 2)
    engine = site.engine()
    await fail(site, uplink)
    for _ in range(2):
        for child in children:
            await site.turn(child, Status.OFFLINE, behind=uplink)
        await engine.step()
        site.clock.pass_s(30)
        await fail(site, *children, status=Status.ONLINE)
        site.clock.pass_s(30)
    async with site.database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT rule_id, device_id, reason, times, last_at - first_at FROM alert_holds"
            " ORDER BY device_id"
        )
    assert [row[:4] for row in rows] == [
        (rule.id, child.id, "behind Uplink 7, which is down", 2) for child in children
    ]
    assert [row[4] for row in rows] == [timedelta(seconds=60)] * 2
    async with site.database.transaction() as tx:
        assert await drop_old_holds(tx, HUB, site.clock() - timedelta(days=30)) == 0
        assert await drop_old_holds(tx, HUB, site.clock()) == 2
