"""Units, their rules and deadlines in the database: whose they are, and whom they send."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.calendars import Calendar
from hub.domain.dispatches import (
    Dispatch,
    DispatchRule,
    DispatchState,
    Position,
    Priority,
    TaskDeadlines,
    Unit,
    UnitKind,
)
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.patrols.dispatch.assigning import Considered, consider, propose
from hub.store import dispatch_rules, field_units, task_deadlines
from hub.store.audit import list_entries
from hub.store.database import Database
from hub.store.field_units import UnitFilter
from tests.db.conftest import County
from tests.db.dispatch_world import DESK, EAST, HUB, DispatchWorld

NIGHT = Calendar(rrule="FREQ=DAILY;BYHOUR=22", duration_s=8 * 3600, time_zone="Asia/Shanghai")


@pytest.fixture
async def world(database: Database, county: County) -> DispatchWorld:
    return await DispatchWorld.build(database, county)


async def add_rule(world: DispatchWorld, **changes: object) -> DispatchRule:
    """A rule of the county, unless changed."""
    rule = DispatchRule(name="nearest", area_id=world.county.county.id)
    async with world.database.transaction() as tx:
        changed = replace(rule, **changes)  # type: ignore[arg-type]  # any field
        return await dispatch_rules.add_rule(tx, HUB, changed)


async def considered(world: DispatchWorld, task: Dispatch) -> Considered:
    async with world.database.transaction() as tx:
        return await consider(tx, DESK, task, world.now)


async def gone(deed: Awaitable[object]) -> None:
    """It does not exist for the caller."""
    with pytest.raises(NotFound):
        await deed


async def test_tasks_are_sent_by_rules_until_nobody_is_left(world: DispatchWorld) -> None:
    await add_rule(world)
    async with world.database.transaction() as tx:
        car = await field_units.add_unit(
            tx,
            HUB,
            Unit(
                area_id=world.county.county.id, name="car", kind=UnitKind.PATROL_UNIT, hours=NIGHT
            ),
        )
    task = await world.open()
    assert (task.state, task.unit_id) == (DispatchState.SENT, world.wu.id)
    # Wu has one by now; whoever opened it need not see the county's car.
    second = await world.open(world.new(title="wire", kind="wire"), EAST)
    assert second.unit_id == world.zhao.id
    task = await world.say(task, "refuse", "too far")
    found = await considered(world, task)
    assert found.proposal is not None
    assert found.proposal.unit.id == world.zhao.id
    task = await world.send(task, world.zhao)
    task = await world.say(task, "refuse", "ill")
    async with world.database.transaction() as tx:
        # The rule looks at what the whole county has, whatever the caller sees.
        proposal = await propose(tx, EAST, task, world.now)
    assert proposal is not None
    assert proposal.unit == car
    assert proposal.reason == "rule nearest: patrol unit of the area above, 0 of 5 tasks"
    world.now += timedelta(hours=12)
    found = await considered(world, task)
    assert found.proposal is None
    assert found.has_rule
    assert [(one.unit.name, one.hindrance) for one in found.units] == [
        ("网格员 Wu", "it had this task before"),
        ("网格员 Zhao", "it had this task before"),
        ("car", "it is not on duty"),
    ]


async def test_a_rule_may_only_propose_and_a_unit_has_enough_one_day(world: DispatchWorld) -> None:
    await add_rule(world, is_automatic=False, unit_kinds=(UnitKind.GRID_OFFICER,))
    async with world.database.transaction() as tx:
        for unit in (world.wu, world.zhao):
            await field_units.change_unit(tx, HUB, replace(unit, most_open=1))
    first = await world.open()
    assert first.state is DispatchState.NEW
    assert ("proposed", "hub.patrols", "网格员 Wu") in await world.history(first)
    await world.finish(first)  # done: it no longer counts
    second = await world.send(await world.open(world.new(title="b", kind="b")))
    third = await world.open(world.new(title="c", kind="c"))
    found = await considered(world, third)
    assert found.proposal is not None
    assert found.proposal.unit.id == world.zhao.id
    await world.send(third, world.zhao)
    found = await considered(world, await world.open(world.new(title="d", kind="d")))
    assert found.proposal is None
    assert {one.hindrance for one in found.units} == {"it has 1 of 1 tasks"}

    async with world.database.transaction() as tx:
        for unit in (world.wu, world.zhao):
            with pytest.raises(Conflict, match=r"tasks under way \(1\)"):
                await field_units.remove_unit(tx, DESK, unit.id, world.now)
    await world.say(await world.say(second, "accept"), "refuse", "ill")
    async with world.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO phone_links (digest, purpose, unit_id, created_at, expires_at)"
            " VALUES ('x', 'report', %(unit)s, %(now)s, %(now)s)",
            {"unit": world.wu.id, "now": world.now},
        )
        await field_units.remove_unit(tx, DESK, world.wu.id, world.now)
        await gone(field_units.get_unit(tx, HUB, world.wu.id))
        assert (await field_units.list_units(tx, HUB, UnitFilter())).items == [
            await field_units.get_unit(tx, HUB, world.zhao.id)
        ]
    assert await world.rows("SELECT digest FROM phone_links") == []
    # The name stays where it was written down.
    assert "网格员 Wu" in {unit for _, _, unit in await world.history(second)}


async def test_where_a_unit_is(world: DispatchWorld) -> None:
    unit, now = world.wu, world.now
    here = Position(longitude=120.7, latitude=30.7, at=now, accuracy_m=12)
    before = replace(here, longitude=120.6, at=now - timedelta(minutes=1))
    ahead = replace(here, longitude=120.8, at=now + timedelta(hours=5))
    async with world.database.transaction() as tx:
        await field_units.place_unit(tx, EAST, unit.id, here, now)
        await field_units.place_unit(tx, EAST, unit.id, before, now)
        assert (await field_units.get_unit(tx, EAST, unit.id)).position == here
        # The clock of a phone that runs ahead must not keep later positions out.
        later = now + timedelta(minutes=1)
        await field_units.place_unit(tx, EAST, unit.id, ahead, later)
        placed = (await field_units.get_unit(tx, EAST, unit.id)).position
        assert placed == replace(ahead, at=later)
        strange = replace(EAST, paths=(world.county.west.path,))
        moved = replace(here, at=None)
        await field_units.place_unit(tx, strange, unit.id, moved, later + timedelta(minutes=1))
        assert (await field_units.get_unit(tx, EAST, unit.id)).position == placed


async def test_the_nearest_deadlines_up_the_tree_count(world: DispatchWorld) -> None:
    county, east = world.county.county, world.county.east
    near = TaskDeadlines(
        area_id=east.id, priority=Priority.NORMAL, accept_s=60, arrive_s=None, done_s=3600
    )
    async with world.database.transaction() as tx:
        assert await task_deadlines.ensure_default_deadlines(tx, HUB, county.id) == 0
        near = await task_deadlines.add_deadlines(tx, EAST, near)
    task = await world.open()
    assert task.accept_by == world.now + timedelta(seconds=60)
    assert (task.arrive_by, task.done_by) == (None, world.now + timedelta(hours=1))
    west = await world.open(world.new(area_id=world.county.west.id))
    assert west.arrive_by == world.now + timedelta(seconds=1800)
    urgent = await world.open(world.new(priority=Priority.URGENT, kind="fire"))
    assert urgent.deadline_at is None
    async with world.database.transaction() as tx:
        for wrong in (
            replace(near, accept_s=7200.0),
            replace(near, arrive_s=59.0),
            replace(near, done_s=0.5),
            replace(near, yellow_share=1.5),
        ):
            with pytest.raises(Invalid):
                await task_deadlines.change_deadlines(tx, EAST, wrong)
        await task_deadlines.remove_deadlines(tx, EAST, near.id)
        rows = (await task_deadlines.list_deadlines(tx, HUB)).items
        for row in rows:
            await task_deadlines.remove_deadlines(tx, HUB, row.id)
        assert await task_deadlines.ensure_default_deadlines(tx, HUB, county.id) == 4
        assert await task_deadlines.ensure_default_deadlines(tx, HUB, county.id) == 0
        found = await task_deadlines.find_deadlines(tx, EAST, east.path, Priority.URGENT)
    assert found is not None
    assert (found.accept_s, found.arrive_s, found.done_s) == (300, 900, 3600)
    assert await world.read(task) == task


@pytest.mark.threat("T1")
async def test_nobody_plans_beyond_his_areas(world: DispatchWorld) -> None:
    west, county = world.county.west.id, world.county.county.id
    rule = await add_rule(world)
    limits = TaskDeadlines(
        area_id=county, priority=Priority.LOW, accept_s=60, arrive_s=None, done_s=None
    )
    unit = Unit(area_id=west, name="car", kind=UnitKind.PATROL_UNIT)
    async with world.database.transaction() as tx:
        limits = await task_deadlines.add_deadlines(tx, HUB, limits)
        unit = await field_units.add_unit(tx, HUB, unit)
        for number in (west, county):
            await gone(field_units.add_unit(tx, EAST, replace(unit, area_id=number)))
            await gone(dispatch_rules.add_rule(tx, EAST, replace(rule, area_id=number)))
            await gone(task_deadlines.add_deadlines(tx, EAST, replace(limits, area_id=number)))
        own = world.county.east.id
        await gone(field_units.change_unit(tx, EAST, replace(unit, area_id=own)))
        await gone(field_units.change_unit(tx, EAST, replace(world.wu, area_id=west)))
        await gone(dispatch_rules.change_rule(tx, EAST, replace(rule, area_id=own)))
        await gone(task_deadlines.change_deadlines(tx, EAST, replace(limits, area_id=own)))
        await gone(field_units.remove_unit(tx, EAST, unit.id, world.now))
        await gone(dispatch_rules.remove_rule(tx, EAST, rule.id))
        await gone(task_deadlines.remove_deadlines(tx, EAST, limits.id))
        await gone(field_units.add_unit(tx, EAST, replace(world.wu, receiver_id=99)))

        mine = await dispatch_rules.add_rule(tx, EAST, replace(rule, area_id=own, kinds=("a", "a")))
        mine = await dispatch_rules.change_rule(tx, EAST, replace(mine, most_km=3))
        assert (await dispatch_rules.list_rules(tx, EAST)).items == [mine]
        assert (mine.kinds, mine.most_km) == (("a",), 3)
        units = (await field_units.list_units(tx, EAST, UnitFilter(text="wu"))).items
        assert units == [world.wu]
        await dispatch_rules.remove_rule(tx, EAST, mine.id)
        assert (await task_deadlines.list_deadlines(tx, EAST)).items == []
        done = [entry.action for entry in (await list_entries(tx, EAST)).items]
    actions = ["dispatch_rule.removed", "dispatch_rule.changed", "dispatch_rule.added"]
    assert done[:3] == actions
