"""The dry run on both databases: as the engine would have concluded, and only for who may see."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.dry_runs.dry_run import Limits, Span, dry_run
from alerts.dry_runs.report import DryRun
from alerts.judging.engine import AlertEngine
from hub.domain.access import Scope
from hub.domain.alerts import Alert, Rule
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    PointBeyond,
)
from hub.domain.devices import DeviceKind, Point, Registration
from hub.domain.errors import Invalid
from hub.domain.events import Severity
from hub.domain.health import Status
from hub.domain.matchers import Matcher
from hub.domain.notifications import Route
from hub.store.database import Database
from hub.store.devices import add_point
from hub.store.routes import add_route
from hub.store.rule_facts import rule_facts
from tests.db.alerts_site import HUB, Clock, Site

NORTH = Scope(paths=("county.north",), actor="north")

Conclusion = tuple[int | None, str, datetime, datetime | None, str]


@pytest.fixture
async def site(database: Database) -> Site:
    return await Site(database, Clock()).build()


def told(alerts: list[Alert], rule: Rule) -> list[Conclusion]:
    """What the engine concluded."""
    return sorted(
        (
            (x.device_id, x.channel, x.fired_at, x.resolved_at, x.reason)
            for x in alerts
            if x.rule_id == rule.id
        ),
        key=str,
    )


def would(run: DryRun) -> list[Conclusion]:
    """What the dry run says it would have."""
    return sorted(
        ((f.device_id, f.channel, f.fired_at, f.resolved_at, f.reason) for f in run.fired), key=str
    )


async def replayed(site: Site, rule: Rule, *, scope: Scope = HUB, hours: float = 12) -> DryRun:
    now = site.clock()
    span = Span(since=now - timedelta(hours=hours), until=now)
    return await dry_run(site.database, scope, rule, span)


async def wait(site: Site, engine: AlertEngine, seconds: float) -> None:
    """Let time pass with an engine that looks at every timer when it is due."""
    end = site.clock() + timedelta(seconds=seconds)
    while (due := await engine.step()) is not None and due <= end:
        site.clock.now = max(due, site.clock())
    site.clock.now = end
    await engine.step()


async def test_status_rules_conclude_what_the_engine_did(site: Site) -> None:
    rules = [await site.add_rule(DeviceOffline(for_s=wait)) for wait in (0, 60)]
    cams = [await site.add_device(f"cam{n}") for n in range(3)]
    engine = site.engine()
    await engine.step()
    for seconds, n, status in (
        (5, 0, Status.OFFLINE),
        (30, 1, Status.OFFLINE),
        (10, 1, Status.ONLINE),  # too short for the second rule
        (40, 0, Status.UNKNOWN),  # neither good nor bad
        (10, 0, Status.ONLINE),
        (10, 2, Status.OFFLINE),
        (100, 1, Status.OFFLINE),
        (90, 1, Status.DEGRADED),
    ):
        await wait(site, engine, seconds)
        await site.turn(cams[n], status)
    await wait(site, engine, 200)
    alerts = await site.alerts()
    for rule in rules:
        run = await replayed(site, rule)
        assert would(run) == told(alerts, rule)
        assert run.looked.cut_short == ""
        assert (run.looked.events, run.count) == (8, len(run.fired))
    assert len(alerts) == 4 + 3


async def test_what_is_held_back_is_held_back_again(site: Site) -> None:
    rule = await site.add_rule(DeviceOffline(for_s=30))
    parent, child, planned, restless = [
        await site.add_device(key) for key in ("parent", "child", "planned", "restless")
    ]
    engine = site.engine()
    await wait(site, engine, 1)
    await site.hang(child, parent)
    await site.turn(planned, Status.ONLINE)
    await site.enter_window(planned)
    await site.turn(parent, Status.OFFLINE)
    await site.turn(child, Status.OFFLINE, behind=parent)
    await site.turn(planned, Status.OFFLINE)
    await site.turn(restless, Status.OFFLINE, is_flapping=True)
    await wait(site, engine, 100)
    await site.turn(parent, Status.ONLINE)
    await site.turn(child, Status.OFFLINE)  # its own fault after all
    await wait(site, engine, 20)
    await site.turn(restless, Status.ONLINE)
    await wait(site, engine, 40)
    run = await replayed(site, rule)
    assert would(run) == told(await site.alerts(), rule)
    assert {f.device_name for f in run.fired} == {"parent", "child"}
    assert any("new pole" in why for why in run.held_back)
    # Once the window is over the device is looked at again: so it would have been by the engine.
    await site.leave_window(planned)
    site.clock.pass_s(3600)
    await wait(site, engine, 60)
    later = await replayed(site, rule)
    assert [f.device_name for f in later.fired][2:] == ["planned"]
    assert later.fired[-1].reason == "offline"


async def test_events_and_readings_conclude_what_the_engine_did(site: Site) -> None:
    conditions: tuple[Condition, ...] = (
        EventOfKind(kind="door.opened", clear_kind="door.closed"),
        EventOfKind(kind="motion.started", auto_clear_s=60),
        EventCount(kind="motion.started", count=2, within_s=60),
        NothingSeen(kind="motion.started", for_s=100),
        Combination(
            events=(EventPattern(kind="door.opened"), EventPattern(kind="motion.started")),
            within_s=60,
            clear_s=60,
        ),
        PointBeyond(point="temp", direction=Direction.ABOVE, threshold=50, clear=45, for_s=20),
    )
    rules = [await site.add_rule(condition) for condition in conditions]
    device, other = await site.add_device("hut"), await site.add_device("barn", area="south")
    points = {one.id: await site.add_point(one) for one in (device, other)}
    engine = site.engine()
    for seconds, event in (
        (1, site.event("door.opened", device)),
        (50, site.event("motion.started", device, is_active=True)),
        (30, site.event("motion.started", device, is_active=True)),
        (20, site.event("door.closed", device)),
        (80, site.event("motion.started", other, is_active=True)),
        (5, site.event("motion.started", other, is_active=False)),
        (5, site.event("door.opened", other)),
    ):
        await wait(site, engine, seconds)
        now = site.clock()
        await site.happen(replace(event, at=now, received_at=now))
    for seconds, one, value in (
        (5, device, 40.0),
        (5, device, 55.0),
        (10, other, 60.0),
        (5, device, 55.0),
        (30, device, 47.0),
        (5, device, 44.0),
        (2, other, 20.0),
    ):
        await wait(site, engine, seconds - 1)
        await engine.offer_readings(await site.read(one, points[one.id], value))
    await wait(site, engine, 200)
    alerts = await site.alerts()
    for rule in rules:
        run = await replayed(site, rule)
        assert would(run) == told(alerts, rule)
        assert run.count == len(run.fired) > 0
    assert run.looked.readings == 7
    assert run.fired[0].device_name == "hut"
    assert run.fired[0].area_name == "North"


async def test_only_what_the_caller_may_see_is_shown_to_a_rule(site: Site) -> None:
    rule = await site.add_rule(EventOfKind(kind="door.opened", auto_clear_s=5))
    for area in ("north", "south"):
        device = await site.add_device(area, area=area)
        point = await site.add_point(device)
        await site.happen(site.event("door.opened", device))
        await site.read(device, point, 99)
    pending = await site.add_device("new", registration=Registration.PENDING)
    await site.happen(site.event("door.opened", pending))
    site.clock.pass_s(60)
    everywhere = await replayed(site, rule)
    assert [f.device_name for f in everywhere.fired] == ["north", "south"]
    north = await replayed(site, rule, scope=NORTH)
    assert [f.device_name for f in north.fired] == ["north"]
    assert (north.looked.events, [one.device_name for one in north.often]) == (1, ["north"])
    nobody = await replayed(site, rule, scope=Scope(paths=(), actor="nobody"))
    assert (nobody.count, nobody.looked.events, nobody.often) == (0, 0, [])
    hot = replace(
        rule,
        condition=PointBeyond(point="temp", direction=Direction.ABOVE, threshold=50, clear=50),
    )
    warm = await replayed(site, hot, scope=NORTH)
    assert ([f.device_name for f in warm.fired], warm.looked.points) == (["north"], 1)


async def test_a_bound_cuts_it_short_and_is_said(site: Site) -> None:
    rule = await site.add_rule(EventOfKind(kind="door.opened", auto_clear_s=5))
    device = await site.add_device()
    point = await site.add_point(device)
    moments = []
    for _ in range(6):
        site.clock.pass_s(60)
        moments.append(site.clock())
        await site.happen(site.event("door.opened", device))
        await site.read(device, point, 99)
    site.clock.pass_s(60)
    now = site.clock()
    span = Span(since=now - timedelta(hours=1), until=now)
    limits = Limits(event_page=2, most_rows=2)
    run = await dry_run(site.database, HUB, rule, span, limits)
    assert (run.count, run.looked.until) == (1, moments[1])
    assert "2 events" in run.looked.cut_short
    often = await dry_run(site.database, HUB, rule, span, Limits(event_page=1, most_firings=3))
    assert (often.count, often.looked.until) == (2, moments[2])
    assert "fired 3 times" in often.looked.cut_short
    ticks = iter(range(100))
    slow = Limits(event_page=2, most_s=2, steady=lambda: float(next(ticks)))
    late = await dry_run(site.database, HUB, rule, span, slow)
    assert "longer than 2 s" in late.looked.cut_short
    whole = await dry_run(site.database, HUB, rule, span, Limits(event_page=2, shown=4))
    assert (whole.count, len(whole.fired), whole.looked.cut_short) == (6, 4, "")
    hot = replace(
        rule,
        condition=PointBeyond(point="temp", direction=Direction.ABOVE, threshold=50, clear=50),
    )
    cut = await dry_run(site.database, HUB, hot, span, Limits(reading_page=2, most_rows=2))
    assert cut.looked.cut_short
    assert (cut.count, cut.looked.until) == (0, span.since - timedelta(hours=0))
    for longest in (timedelta(0), timedelta(days=32)):
        with pytest.raises(Invalid, match="31 days"):
            await dry_run(site.database, HUB, rule, Span(since=now - longest, until=now))


async def test_the_facts_a_check_asks_for(site: Site) -> None:
    hot = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=50, clear=45)
    rule = await site.add_rule(hot)
    hut = await site.add_device("hut", kind=DeviceKind.SENSOR)
    await site.add_device("cam")
    await site.add_device("far", area="south", kind=DeviceKind.SENSOR)
    await site.add_device("new", kind=DeviceKind.SENSOR, registration=Registration.PENDING)
    async with site.database.transaction() as tx:
        for key, low, high in (("temp", -40, 60), ("level", None, 5)):
            point = Point(key=key, unit="°C", low=low, high=high, expected_interval_s=60)
            await add_point(tx, HUB, hut.id, point)
        await tx.execute("UPDATE devices SET class = 'gate', tags = '{night}' WHERE key = 'hut'")
        sensors = replace(hot, device_kinds=(DeviceKind.SENSOR,))
        narrow = replace(rule, condition=sensors, classes=("gate",), tags=("night", "day"))
        facts = await rule_facts(tx, HUB, narrow)
        assert (facts.devices, facts.of_kind, facts.of_class, facts.of_tag) == (3, 2, 1, 1)
        assert (facts.points, facts.low, facts.high, facts.interval_s) == (1, -40, 60, 60)
        assert (facts.receivers, facts.firing, facts.tellings) == (1, 0, [])
        assert (await rule_facts(tx, NORTH, narrow)).devices == 2
        level = replace(narrow, condition=replace(sensors, point="level"))
        assert (await rule_facts(tx, HUB, level)).low is None  # not known of one: of none
        # A route of an area above tells of the alerts of those below, and the other way round.
        route = Route(
            name="night",
            area_id=site.areas["north"].id,
            matcher=Matcher(severities=(Severity.CRITICAL,)),
            receivers=(site.receiver.id,),
        )
        await add_route(tx, HUB, route)
        (telling,) = (await rule_facts(tx, HUB, narrow)).tellings
        assert telling.matcher.severities == (Severity.CRITICAL,)
        south = replace(rule, area_path="county.south")
        assert (await rule_facts(tx, HUB, south)).tellings == []
    await site.happen(site.event("door.opened", hut))
    async with site.database.transaction() as tx:
        doors = replace(rule, condition=EventOfKind(kind="door.opened", clear_kind="door.closed"))
        assert (await rule_facts(tx, HUB, doors)).seen_kinds == {"door.opened"}
