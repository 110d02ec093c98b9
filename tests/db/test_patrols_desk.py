"""What people ask of patrols, each within his own areas."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.domain.patrols import RoundState
from hub.patrols import desk
from hub.patrols.files import PictureFolder
from hub.patrols.planning import saving
from hub.patrols.planning.laying import lay_out
from hub.patrols.walking.ending import cancel_round
from hub.runtime.jobs import Jobs
from hub.store import audit, patrols, rounds, stops
from hub.store.database import Database
from hub.store.rounds import RoundFilter
from tests.db.patrol_world import HUB, World, settle


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "data"),
    )
    await settle(made)
    return made


async def test_what_people_do_is_on_record(world: World) -> None:
    person = Scope(paths=("c",), actor="li", user_id=1)
    async with world.database.transaction() as tx:
        plan = (await saving.create_plan(tx, person, world.plan(), now=world.now)).plan
        await saving.change_plan(tx, person, replace(plan, name="weekly"), now=world.now)
        round_id = await desk.run_now(tx, person, world.jobs, plan.id, now=world.now)
        await cancel_round(tx, person, round_id, now=world.now)
        await patrols.remove_plan(tx, person, plan.id, now=world.now)
    async with world.database.transaction() as tx:
        log = (await audit.list_entries(tx, HUB)).items
    assert [(e.actor, e.action) for e in reversed(log)] == [
        ("li", "patrol_plan.created"),
        ("li", "patrol_plan.changed"),
        ("li", "patrol_round.started"),
        ("li", "patrol_round.cancelled"),
        ("li", "patrol_plan.removed"),
    ]


async def test_a_round_outlives_its_plan(world: World) -> None:
    plan = await world.create()
    round_id = await world.run_now(plan)
    await world.walk_to_end(round_id)
    async with world.database.transaction() as tx:
        await patrols.remove_plan(tx, HUB, plan.id, now=world.now)
        walk = await rounds.get_round(tx, HUB, round_id)
    assert (walk.plan_id, walk.plan_name) == (None, "零点夜查")


@pytest.mark.threat("T1")
async def test_another_area_does_not_exist(world: World) -> None:
    round_id = await world.run_now(await world.create())
    await world.walk_to_end(round_id)
    village = Scope(paths=("c.a",), actor="village")
    async with world.database.transaction() as tx:
        plan_id = (await patrols.list_plans(tx, HUB)).items[0].id
        assert not (await patrols.list_plans(tx, village)).items
        assert not (await rounds.list_rounds(tx, village, RoundFilter())).items
        assert not (await stops.list_stops(tx, village, round_id)).items
        assert not await stops.all_stops(tx, village, round_id)
        for asked in (
            lambda: patrols.get_plan(tx, village, plan_id),
            lambda: patrols.remove_plan(tx, village, plan_id, now=world.now),
            lambda: saving.change_plan(tx, village, world.plan(id=plan_id), now=world.now),
            lambda: saving.create_plan(tx, village, world.plan(), now=world.now),
            lambda: desk.run_now(tx, village, world.jobs, plan_id, now=world.now),
            lambda: rounds.get_round(tx, village, round_id),
            lambda: cancel_round(tx, village, round_id, now=world.now),
            lambda: desk.find_report(tx, village, world.folder, round_id),
            lambda: desk.find_picture(tx, village, world.folder, round_id, 1),
        ):
            with pytest.raises(NotFound):
                await asked()
    assert await world.state(round_id) is RoundState.FINISHED


async def test_a_plan_reaches_the_cameras_of_its_area_only(world: World) -> None:
    village = Scope(paths=("c.a",), actor="village")
    outside = world.cameras[0]  # of village b
    async with world.database.transaction() as tx:
        with pytest.raises(NotFound):
            await saving.create_plan(
                tx,
                village,
                world.plan(area_id=world.areas["a"], device_ids=(outside,)),
                now=world.now,
            )
        saved = await saving.create_plan(
            tx, village, world.plan(area_id=world.areas["a"]), now=world.now
        )
        plan = saved.plan
    round_id = await world.run_now(plan)
    async with world.database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
        # Not even the hub's own scope widens a plan.
        assert len(await lay_out(tx, HUB, walk, plan, rng=random.Random(1))) == 3
    await world.walk_to_end(round_id)
    assert sorted(world.visits) == [world.cameras[1], world.cameras[3], world.cameras[5]]


async def test_a_rule_that_never_fires_is_not_stored(world: World) -> None:
    with pytest.raises(Invalid, match="never fires"):
        await world.create(rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    async with world.database.transaction() as tx:
        assert not (await patrols.list_plans(tx, HUB)).items


async def test_pages_of_stops_and_rounds_follow_each_other(world: World) -> None:
    plan = await world.create()
    for _ in range(3):
        world.now += timedelta(seconds=1)
        await world.walk_to_end(await world.run_now(plan))
    async with world.database.transaction() as tx:
        newest = await rounds.list_rounds(tx, HUB, RoundFilter(plan_id=plan.id), limit=2)
        rest = await rounds.list_rounds(
            tx, HUB, RoundFilter(plan_id=plan.id), limit=2, cursor=newest.next
        )
        head = await stops.list_stops(tx, HUB, newest.items[0].id, limit=4)
        tail = await stops.list_stops(tx, HUB, newest.items[0].id, limit=4, cursor=head.next)
    numbers = [r.id for r in (*newest.items, *rest.items)]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 3
    assert rest.next is None
    assert [s.position for s in (*head.items, *tail.items)] == [1, 2, 3, 4, 5, 6]
