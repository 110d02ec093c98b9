"""The planner: next rounds wait, missed ones are said, lost ones are revived."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.patrols import RoundState
from hub.patrols import desk
from hub.patrols.files import PictureFolder
from hub.patrols.walking.rounds import NOT_BEGUN
from hub.runtime.jobs import Job, Jobs
from hub.store import patrols, rounds
from hub.store.database import Database
from hub.store.rounds import RoundFilter
from tests.db.patrol_world import HUB, MIDNIGHT, World, settle


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "data"),
    )
    await settle(made)
    return made


async def waiting_jobs(world: World) -> list[datetime]:
    async with world.database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'patrols.round'"
            " AND status = 'todo' ORDER BY id"
        )
    return [at for (at,) in rows if isinstance(at, datetime)]


async def test_the_next_round_waits_once_however_often_the_planner_looks(world: World) -> None:
    await world.create()
    for _ in range(3):
        await world.planner().run_once()
    assert await world.rounds() == [(RoundState.DUE, MIDNIGHT)]
    assert await waiting_jobs(world) == [MIDNIGHT]


async def test_the_round_after_is_planned_when_this_one_is_due(world: World) -> None:
    await world.create()
    await world.planner().run_once()
    world.now = MIDNIGHT + timedelta(seconds=5)
    await world.planner().run_once()
    assert [at for _, at in await world.rounds()] == [MIDNIGHT, MIDNIGHT + timedelta(days=1)]


async def test_a_late_round_inside_its_window_is_walked(world: World) -> None:
    await world.create()
    await world.planner().run_once()
    world.now = MIDNIGHT + timedelta(seconds=599)
    async with world.database.transaction() as tx:
        round_id = (await rounds.list_rounds(tx, HUB, RoundFilter())).items[0].id
    await world.walk_to_end(round_id)
    assert await world.state(round_id) is RoundState.FINISHED


async def test_a_round_whose_job_comes_too_late_is_missed(world: World) -> None:
    await world.create()
    await world.planner().run_once()
    world.now = MIDNIGHT + timedelta(seconds=601)
    async with world.database.transaction() as tx:
        round_id = (await rounds.list_rounds(tx, HUB, RoundFilter())).items[0].id
    await world.walker().walk(Job(id=1, args={"round": round_id}, attempt=1))
    assert await world.state(round_id) is RoundState.MISSED
    assert world.visits == []
    assert len(await world.events("patrol.round_missed")) == 1


async def test_a_round_that_nobody_walked_is_an_event_once(world: World) -> None:
    """The hub was off from before midnight until half an hour past it."""
    await world.create()
    await world.planner().run_once()
    world.now = MIDNIGHT + timedelta(minutes=30)
    for _ in range(3):
        await world.planner().run_once()
    states = {at: state for state, at in await world.rounds()}
    assert states == {
        MIDNIGHT: RoundState.MISSED,
        MIDNIGHT + timedelta(days=1): RoundState.DUE,
    }
    [event] = await world.events("patrol.round_missed")
    assert (event.severity, event.area_id) == ("warning", world.areas["county"])
    assert event.device_id is None
    assert event.data["reason"] == NOT_BEGUN
    assert event.data["plan"] == "零点夜查"


async def test_a_hub_that_was_off_for_weeks_says_how_many_rounds_it_missed(world: World) -> None:
    await world.create()
    await world.planner().run_once()
    world.now = MIDNIGHT + timedelta(days=20, minutes=30)
    await world.planner().run_once()
    states = [state for state, _ in await world.rounds()]
    # Midnight itself was planned already; of the 20 since then the last 10 have rows.
    assert states.count(RoundState.MISSED) == 11
    assert states.count(RoundState.DUE) == 1
    events = await world.events("patrol.round_missed")
    assert sorted(int(str(e.data["earlier_missed"])) for e in events) == [0] * 10 + [10]


async def test_an_absence_shorter_than_the_window_loses_nothing(world: World) -> None:
    await world.create()
    world.now = MIDNIGHT + timedelta(seconds=300)  # the planner first looks now
    await world.planner().run_once()
    assert (RoundState.DUE, MIDNIGHT) in await world.rounds()
    async with world.database.transaction() as tx:
        first = min(r.id for r in (await rounds.list_rounds(tx, HUB, RoundFilter())).items)
    await world.walk_to_end(first)
    assert await world.state(first) is RoundState.FINISHED


async def test_a_round_that_lost_its_job_is_revived(world: World) -> None:
    round_id = await world.run_now(await world.create())
    await world.walker(stops_per_job=2).walk(Job(id=1, args={"round": round_id}, attempt=1))
    async with world.database.transaction() as tx:
        await tx.execute("DELETE FROM procrastinate_jobs")
    world.now += timedelta(seconds=20)
    await world.planner().run_once()
    assert len(await waiting_jobs(world)) == 1  # the next midnight's: this one is not idle yet
    world.now += timedelta(seconds=30)
    for _ in range(2):
        await world.planner().run_once()
    async with world.database.transaction() as tx:
        revived = await tx.tuples(
            "SELECT count(*) FROM procrastinate_jobs WHERE args->>'round' = %(id)s",
            {"id": str(round_id)},
        )
    assert revived == [(1,)]
    await world.walk_to_end(round_id)
    assert sorted(world.visits) == sorted(world.cameras)


async def test_a_changed_plan_is_planned_anew(world: World) -> None:
    plan = await world.create()
    await world.planner().run_once()
    changed = replace(plan, rrule="FREQ=DAILY;BYHOUR=1")
    async with world.database.transaction() as tx:
        await desk.change_plan(tx, HUB, changed, now=world.now)
    await world.planner().run_once()
    assert await world.rounds() == [(RoundState.DUE, MIDNIGHT + timedelta(hours=1))]


async def test_a_plan_switched_off_is_not_planned(world: World) -> None:
    plan = await world.create()
    await world.planner().run_once()
    async with world.database.transaction() as tx:
        await desk.change_plan(tx, HUB, replace(plan, is_enabled=False), now=world.now)
    world.now = MIDNIGHT + timedelta(days=3)
    await world.planner().run_once()
    assert await world.rounds() == []
    assert await world.events("patrol.round_missed") == []


async def test_a_job_of_a_round_that_was_planned_away_does_nothing(world: World) -> None:
    await world.walker().walk(Job(id=1, args={"round": 4711}, attempt=1))
    assert world.visits == []


async def test_a_plan_that_cannot_be_read_is_switched_off_and_holds_nobody_up(
    world: World,
) -> None:
    bad = await world.create()
    await world.create(name="good")
    async with world.database.transaction() as tx:
        await tx.execute(
            "UPDATE patrol_plans SET time_zone = 'Mars/Olympus' WHERE id = %(id)s", {"id": bad.id}
        )
    await world.planner().run_once()
    async with world.database.transaction() as tx:
        assert [p.is_enabled for p in (await patrols.list_plans(tx, HUB)).items] == [False, True]
    assert await world.rounds() == [(RoundState.DUE, MIDNIGHT)]


async def test_a_round_that_began_after_all_is_not_missed(world: World) -> None:
    """It was overdue when the planner looked, and begun when it came to say so."""
    round_id = await world.run_now(await world.create())
    await world.walk_to_end(round_id)
    await world.planner()._miss(round_id, world.now, 0)
    assert await world.state(round_id) is RoundState.FINISHED
    assert await world.events("patrol.round_missed") == []
