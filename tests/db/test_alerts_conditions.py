"""Counts, absences, combinations, hours, classes and tags on both databases."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from alerts.judging.engine import SWEEP_S
from alerts.rules.deciding import OUTSIDE_HOURS
from alerts.rules.defaults import ensure_default_rules
from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.calendars import Calendar, Days, Holiday
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    Per,
    PointBeyond,
)
from hub.domain.devices import Device
from hub.domain.errors import Invalid, NotFound
from hub.domain.health import Layer, Status
from hub.store.database import Database
from hub.store.device_tags import get_tags, set_tags
from hub.store.holidays import all_holidays, holidays_of, put_holiday, remove_holiday, set_year
from hub.store.outages import Watch, mark_watched
from hub.store.rules import add_rule, change_rule, get_rule
from hub.store.sweeps import put_off_absences, restart_clears
from tests.db.alerts_site import HUB, Clock, Site

# Half past one in the morning at Shanghai, a Monday.
NIGHT = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
OFFICE = Calendar(
    rrule="FREQ=DAILY;BYHOUR=8",
    duration_s=10 * 3600,
    time_zone="Asia/Shanghai",
    days=Days.WORKING,
)


@pytest.fixture
async def site(database: Database) -> Site:
    clock = Clock()
    clock.now = NIGHT
    return await Site(database, clock).build()


async def add(site: Site, condition: Condition, changes: Mapping[str, object] = {}) -> Rule:
    rule = Rule(name="rule", area_id=site.areas["county"].id, condition=condition)
    async with site.database.transaction() as tx:
        return await add_rule(tx, HUB, replace(rule, **changes))  # type: ignore[arg-type]  # by name


async def sweep(site: Site, seconds: float = SWEEP_S) -> None:
    """Let time pass and a fresh engine look: it remembers what the database does."""
    site.clock.pass_s(seconds)
    await site.engine().step()


async def retag(site: Site, device: Device, *tags: str, device_class: str = "") -> None:
    async with site.database.transaction() as tx:
        await set_tags(tx, HUB, device.id, tags)
        await tx.execute(
            "UPDATE devices SET class = %(class)s WHERE id = %(id)s",
            {"class": device_class, "id": device.id},
        )


async def test_events_of_one_area_come_together_over_restarts_of_the_hub(site: Site) -> None:
    await add(
        site,
        Combination(
            events=(EventPattern(kind="door.opened"), EventPattern(kind="motion.started")),
            within_s=30,
            per=Per.AREA,
            clear_s=60,
        ),
    )
    await add(site, EventCount(kind="motion.started", count=3, within_s=120, clear_s=300))
    door, camera = await site.add_device("door"), await site.add_device("cam")
    elsewhere = await site.add_device("far", area="south")
    await site.happen(site.event("door.opened", door, is_active=True))
    await site.engine().step()
    assert await site.count("states") == 1
    site.clock.pass_s(10)
    await site.happen(site.event("motion.started", elsewhere, is_active=True))
    await site.engine().step()
    assert await site.alerts() == []
    site.clock.pass_s(10)
    await site.happen(site.event("motion.started", camera, is_active=True))
    await site.engine().step()
    (both,) = await site.alerts()
    assert (both.condition, both.device_id, both.area_id) == ("combination", None, camera.area_id)
    assert both.reason == "door.opened and motion.started within 30 s"
    assert both.started_at == NIGHT
    for _ in range(2):
        site.clock.pass_s(20)
        await site.happen(site.event("motion.started", camera, is_active=True))
        await site.engine().step()
    _, often = await site.alerts()
    assert (often.condition, often.device_id) == ("event_count", camera.id)
    await sweep(site, 60)
    assert await site.statuses() == ["resolved", "firing"]
    await sweep(site, 300)
    assert await site.statuses() == ["resolved", "resolved"]
    assert await site.count("states") == 0


async def test_a_point_that_fell_silent_is_found_and_its_next_reading_ends_it(site: Site) -> None:
    device, closed = await site.add_device(), await site.add_device("other")
    point, unheard = await site.add_point(device), await site.add_point(device, "never")
    await site.read(device, point, 20)
    await site.read(closed, await site.add_point(closed), 20)
    await site.enter_window(closed)
    site.clock.pass_s(300)
    await add(site, NothingSeen(point="temp", for_s=600))
    await add(site, NothingSeen(point="never", for_s=600))
    await site.engine().step()
    assert await site.alerts() == []
    await sweep(site, 301)
    (alert,) = await site.alerts()
    assert (alert.device_id, alert.point) == (device.id, "temp")
    assert alert.reason == "no reading of temp for 600 s"
    engine = site.engine()
    await engine.step()
    await engine.offer_readings(await site.read(device, unheard, 1))
    await engine.offer_readings(await site.read(device, point, 20))
    await engine.step()
    assert await site.statuses() == ["resolved"]
    await sweep(site)
    assert await site.statuses() == ["resolved"]


async def test_what_is_expected_of_all_is_missed_of_each(site: Site) -> None:
    silent, good = await site.add_device("silent"), await site.add_device("good")
    await add(site, NothingSeen(kind="heartbeat", for_s=3600, expects_all=True))
    await site.engine().step()
    assert await site.count("states") == 2
    site.clock.pass_s(1800)
    await site.happen(site.event("heartbeat", good))
    late = await site.add_device("late")
    await sweep(site)
    await sweep(site, 1790)
    (alert,) = await site.alerts()
    assert (alert.device_id, alert.started_at) == (silent.id, NIGHT)
    await sweep(site, 1810)
    assert {one.device_id for one in await site.alerts()} == {silent.id, good.id, late.id}
    await site.happen(site.event("heartbeat", silent))
    await sweep(site)
    assert sorted(await site.statuses()) == ["firing", "firing", "resolved"]


@pytest.mark.threat("K10")
async def test_what_nobody_could_hear_is_not_missed(site: Site) -> None:
    """The hub itself was away for three hours."""
    device = await site.add_device()
    point = await site.add_point(device)
    await add(site, NothingSeen(kind="heartbeat", for_s=600))
    await add(site, NothingSeen(point="temp", for_s=600))

    async def listen() -> None:
        async with site.database.transaction() as tx:
            at, ears = site.clock(), Watch(name="adapters")
            await mark_watched(tx, HUB, ears, at, longest_gap_s=11)

    async def look() -> list[str]:
        async with site.database.transaction() as tx:
            await put_off_absences(tx, HUB, site.clock())
        await site.engine().step()
        return await site.statuses()

    await listen()
    await site.happen(site.event("heartbeat", device))
    await site.read(device, point, 20)
    assert await look() == []
    site.clock.pass_s(3 * 3600)
    assert await look() == [], "nobody listens"
    await listen()
    for _ in range(59):
        site.clock.pass_s(10)
        await listen()
    assert await look() == [], "somebody listens again, and not for long"
    site.clock.pass_s(12)
    await listen()
    assert await look() == [], "that gap is one as well"
    site.clock.pass_s(10)
    await listen()
    assert await look() == ["firing", "firing"]


@pytest.mark.threat("K10")
async def test_a_clock_set_back_lets_no_alert_last_longer(site: Site) -> None:
    await add(site, EventCount(kind="a", count=2, within_s=60, clear_s=300))
    await add(site, EventOfKind(kind="a", auto_clear_s=300))
    device = await site.add_device()
    for _ in range(2):
        site.clock.pass_s(1)
        await site.happen(site.event("a", device))
    await site.engine().step()
    assert await site.statuses() == ["firing", "firing"]
    site.clock.pass_s(-7200)
    async with site.database.transaction() as tx:
        assert await restart_clears(tx, HUB, site.clock()) == 2
        assert await restart_clears(tx, HUB, site.clock()) == 0
    await sweep(site, 299)
    assert await site.statuses() == ["firing", "firing"]
    await sweep(site, 1)
    assert await site.statuses() == ["resolved", "resolved"]


async def test_outside_its_hours_a_rule_waits_for_them(site: Site) -> None:
    await add(site, DeviceOffline(), {"hours": OFFICE})
    await add(site, PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25),
              {"hours": OFFICE})  # fmt: skip
    hot, camera = await site.add_device("hot"), await site.add_device()
    point = await site.add_point(hot)
    await site.turn(camera, Status.OFFLINE)
    engine = site.engine()
    await engine.step()
    await engine.offer_readings(await site.read(hot, point, 40))
    await engine.step()
    assert await site.alerts() == []
    async with site.database.transaction() as tx:
        holds = await tx.tuples("SELECT reason, device_id FROM alert_holds")
        # The Monday is off.
        monday = Holiday(day=date(2026, 11, 23), name="typhoon")
        await put_holiday(tx, HUB, monday)
    assert set(holds) == {(OUTSIDE_HOURS, camera.id)}
    site.clock.now = datetime(2026, 11, 23, 0, 0, 1, tzinfo=UTC)
    await site.read(hot, point, 40)
    await sweep(site, 0)
    assert await site.alerts() == []
    async with site.database.transaction() as tx:
        await remove_holiday(tx, HUB, monday.day)
    await sweep(site)
    assert await site.statuses() == ["firing", "firing"]
    # Past the hours it goes on, and may end.
    site.clock.now += timedelta(hours=12)
    await site.engine().step()
    assert await site.statuses() == ["firing", "firing"]
    await site.turn(camera, Status.ONLINE)
    await sweep(site)
    assert sorted(await site.statuses()) == ["firing", "resolved"]


async def test_classes_and_tags_choose_devices_and_changing_them_ends_alerts(site: Site) -> None:
    gate, street = await site.add_device("gate"), await site.add_device("street")
    await retag(site, gate, "school", "river", device_class="gate")
    await retag(site, street, "river", device_class="street")
    await add(site, DeviceOffline(), {"tags": ("school",)})
    await add(site, DeviceOffline(), {"classes": ("street",)})
    both = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25)
    await add(site, both, {"classes": ("gate",), "tags": ("school",)})
    await add(site, NothingSeen(kind="beat", for_s=9, expects_all=True), {"classes": ("street",)})
    engine = site.engine()
    await engine.step()
    for device in (gate, street):
        await site.turn(device, Status.OFFLINE)
        point = await site.add_point(device)
        await engine.offer_readings(await site.read(device, point, 40))
        await engine.step()
    found = [(alert.condition, alert.device_id) for alert in await site.alerts()]
    assert found == [
        ("device_offline", gate.id), ("point_beyond", gate.id), ("device_offline", street.id),
    ]  # fmt: skip
    await sweep(site, 60)
    assert [one.condition for one in await site.alerts()][3:] == ["nothing_seen"]
    await retag(site, gate, "river", device_class="gate")
    await sweep(site)
    assert await site.statuses() == ["resolved", "resolved", "firing", "firing"]


async def test_a_picture_that_is_bad_must_be_good_for_a_while(site: Site) -> None:
    await add(site, DeviceDegraded(layers=(Layer.PICTURE,), clear_for_s=60))
    camera = await site.add_device()
    await site.turn(camera, Status.DEGRADED, layer=Layer.PICTURE)
    await site.engine().step()
    assert await site.statuses() == ["firing"]
    await site.turn(camera, Status.ONLINE)
    await sweep(site)
    await sweep(site, 30)
    await site.turn(camera, Status.DEGRADED, layer=Layer.PICTURE)
    await sweep(site, 60)
    await site.turn(camera, Status.ONLINE)
    await sweep(site)
    assert await site.statuses() == ["firing"]
    await sweep(site, 60)
    assert await site.statuses() == ["resolved"]


async def test_a_rule_is_stored_whole_and_checked(site: Site) -> None:
    whole = {
        "hours": OFFICE, "classes": ("gate", "street", "gate"), "tags": ("学校",),
        "most_in_area": 3, "most": 9,
    }  # fmt: skip
    count = EventCount(kind="a", count=3, within_s=60, per=Per.AREA)
    rule = await add(site, count, whole)
    async with site.database.transaction() as tx:
        stored = await get_rule(tx, HUB, rule.id)
        assert (stored.hours, stored.classes, stored.tags) == (
            OFFICE,
            ("gate", "street"),
            ("学校",),
        )
        assert (stored.most_in_area, stored.most) == (3, 9)
        plain = await change_rule(tx, HUB, replace(stored, hours=None, classes=(), tags=()))
        assert (plain.hours, plain.classes, plain.tags) == (None, (), ())
        assert (await change_rule(tx, HUB, replace(plain, condition=replace(count, count=5)))).id
        for field, changes in {
            "condition": {"condition": replace(count, per=Per.DEVICE)},
            "classes": {"classes": ("a" * 65,)},
            "tags": {"tags": tuple(str(n) for n in range(21))},
            "most_in_area": {"most_in_area": 0},
            "most": {"most": 100_001},
            "duration_s": {"hours": replace(OFFICE, duration_s=1)},
        }.items():
            with pytest.raises(Invalid) as caught:
                await change_rule(tx, HUB, replace(plain, **changes))  # type: ignore[arg-type]  # by name
            assert caught.value.field == field


@pytest.mark.threat("T1")
async def test_holidays_are_kept_by_who_administers_the_whole_tree(site: Site) -> None:
    county = Scope(paths=(site.areas["county"].path,), actor="county")
    north = Scope(paths=(site.areas["north"].path,), actor="north")
    day = Holiday(day=date(2026, 10, 1), name="国庆节")
    worked = Holiday(day=date(2026, 10, 10), name="调休", is_working=True)
    other = Holiday(day=date(2027, 1, 1), name="元旦")
    async with site.database.transaction() as tx:
        await put_holiday(tx, county, other)
        await set_year(tx, county, 2026, [worked, day])
        assert await all_holidays(tx, north) == {one.day: one for one in (day, worked, other)}
        await set_year(tx, county, 2026, [day])
        assert await holidays_of(tx, north, 2026) == [day]
        renamed = replace(day, name="National Day")
        await put_holiday(tx, county, renamed)
        assert (await all_holidays(tx, north))[day.day] == renamed
        for refused in (
            set_year(tx, north, 2026, []), put_holiday(tx, north, day),
            remove_holiday(tx, north, day.day), remove_holiday(tx, county, date(2026, 5, 1)),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await refused
        for wrong in (
            set_year(tx, county, 2026, [day, day]), set_year(tx, county, 2026, [other]),
            put_holiday(tx, county, replace(day, name=" ")),
            put_holiday(tx, county, replace(day, name="x" * 65)),
            put_holiday(tx, county, replace(day, day=date(1999, 1, 1))),
        ):  # fmt: skip
            with pytest.raises(Invalid):
                await wrong
        await remove_holiday(tx, county, day.day)
        assert list(await all_holidays(tx, north)) == [other.day]
        # What an administrator entered is not entered over by a new hub's own list.
        assert await ensure_default_rules(tx, HUB, site.areas["county"].id) > 0
        assert list(await all_holidays(tx, north)) == [other.day]
        await remove_holiday(tx, county, other.day)
        await tx.execute("DELETE FROM rules")
        await tx.execute("DELETE FROM default_rules")
        await ensure_default_rules(tx, HUB, site.areas["county"].id)
        assert len(await holidays_of(tx, north, 2026)) == 39
        actions = await tx.tuples("SELECT action FROM audit WHERE action LIKE 'holidays%%'")
    assert len(actions) == 7


@pytest.mark.threat("T1")
async def test_tags_belong_to_devices_of_the_scope(site: Site) -> None:
    device = await site.add_device()
    south = Scope(paths=(site.areas["south"].path,), actor="south")
    async with site.database.transaction() as tx:
        assert await set_tags(tx, HUB, device.id, ["b", "a", "b"]) == ("b", "a")
        assert await get_tags(tx, HUB, device.id) == ("b", "a")
        for refused in (get_tags(tx, south, device.id), set_tags(tx, south, device.id, [])):
            with pytest.raises(NotFound):
                await refused
        for tags in (["x" * 65], [""], [" a"], ["a\nb"], [str(n) for n in range(21)]):
            with pytest.raises(Invalid):
                await set_tags(tx, HUB, device.id, tags)
        assert await set_tags(tx, HUB, device.id, []) == ()
