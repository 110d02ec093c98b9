"""The planner: next rounds wait, missed ones are said, lost ones are revived."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, Result, RoundState, Timing, Verdict
from hub.patrols.files import PictureFolder
from hub.patrols.planning import saving
from hub.patrols.walking.ending import NEXT_BEGAN, OUT_OF_TIME
from hub.patrols.walking.groups import look_again
from hub.patrols.walking.planner import IDLE, UNATTENDED_AFTER
from hub.patrols.walking.rounds import MAKES_WAY_AFTER, NOT_BEGUN, WalkOptions
from hub.runtime.jobs import Jobs
from hub.store import patrols, round_deeds, rounds
from hub.store.database import Database
from hub.store.round_attention import PAUSE_LASTS
from hub.store.round_ends import NOT_LOOKED_AT
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
    await world.begin(round_id)
    assert await world.state(round_id) is RoundState.MISSED
    assert world.visits == []
    assert len(await world.events("patrol.round_missed")) == 1
    proof = await world.proof()
    assert (proof.rounds, proof.lines, proof.faults) == (1, 1, ())


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


@pytest.mark.threat("K2")
@pytest.mark.threat("K10")
async def test_groups_that_lost_their_jobs_are_revived(world: World) -> None:
    walker = world.walker(options=WalkOptions(group_size=2))
    round_id = await world.run_now(await world.create())
    await world.begin(round_id, walker)
    await world.look(round_id, 1, walker)
    await lose_jobs(world)
    world.now += IDLE - timedelta(seconds=1)
    await world.planner().run_once()
    assert not await waiting_groups(world)  # it is not idle yet
    world.now += timedelta(seconds=2)
    for _ in range(2):
        await world.planner().run_once()
    assert await waiting_groups(world) == ["0", "2"]
    # The clock is set back by hours: nobody waits until it has caught up.
    await lose_jobs(world)
    world.now -= timedelta(hours=3)
    await world.planner().run_once()
    assert not await waiting_groups(world)  # it was due only now
    world.now += timedelta(hours=2, minutes=58)
    async with world.database.transaction() as tx:
        await tx.execute("UPDATE patrol_rounds SET planned_at = planned_at - interval '1 day'")
    await world.planner().run_once()
    assert await waiting_groups(world) == ["0", "2"]
    for group in (0, 2):
        await world.look(round_id, group, walker)
    assert await world.state(round_id) is RoundState.FINISHED
    assert sorted(world.visits) == sorted(world.cameras)


async def lose_jobs(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.execute("DELETE FROM procrastinate_jobs")


async def waiting_groups(world: World) -> list[str]:
    async with world.database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT args->>'group' FROM procrastinate_jobs WHERE task_name = 'patrols.look'"
            " ORDER BY id"
        )
    return [str(group) for (group,) in rows]


async def test_a_round_that_lasts_too_long_ends_with_nothing_open(world: World) -> None:
    world.odd = {world.cameras[1], world.cameras[3]}
    plan = await world.create(
        mode=PatrolMode.MIXED, lasts_s=3600, details=PlanDetails(random_share=0)
    )
    walker = world.walker(options=WalkOptions(group_size=2))
    round_id = await world.run_now(plan)
    await world.begin(round_id, walker)
    for group in (0, 1):
        await world.look(round_id, group, walker)
    world.now += timedelta(seconds=3600)
    await world.planner().run_once()
    assert await world.state(round_id) is RoundState.RUNNING
    async with world.database.transaction() as tx:  # there is no time left to look again
        await look_again(tx, HUB, world.jobs, round_id, 1)
        again = round_deeds.Deed(what="stop_looked_again", now=world.now, position=1, body={})
        walk = await rounds.get_round(tx, HUB, round_id)
        await round_deeds.write_down(tx, HUB, walk, again)
        await round_deeds.pause_round(tx, HUB, walk, world.now)
    assert not (await world.proof()).faults
    world.now += timedelta(seconds=1)
    for _ in range(2):
        await world.planner().run_once()
    await world.look(round_id, 2, walker)  # its job comes too late
    async with world.database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
    assert (walk.state, walk.reason, walk.stops_open) == (RoundState.FINISHED, OUT_OF_TIME, 0)
    assert (walk.paused_s, walk.paused_at) == (1.0, None)
    walked = await world.stops(round_id)
    closed = [s for s in walked if s.result is Result.NOT_JUDGED]
    assert [s.position for s in closed] == [1, 2, 5, 6]
    assert {(s.timing, s.note) for s in closed} == {(Timing.MISSED, OUT_OF_TIME)}
    assert [s.verdict for s in closed] == [Verdict.SEEN] * 2 + [Verdict.NOT_SEEN] * 2
    assert {s.reason for s in closed[2:]} == {f"{NOT_LOOKED_AT}: {OUT_OF_TIME}"}
    [event] = await world.events("patrol.round_finished")
    assert (event.data["reason"], event.data["not_judged"]) == (OUT_OF_TIME, 4)
    assert not (await world.proof()).faults


async def test_a_round_nobody_looks_at_is_said_once_and_taken_back(world: World) -> None:
    world.odd = {world.cameras[1], world.cameras[3]}
    plan = await world.create(
        mode=PatrolMode.MIXED, window_s=3600, details=PlanDetails(random_share=0)
    )
    round_id = await world.run_now(plan)
    await world.begin(round_id)
    await world.look(round_id, 0)

    async def said() -> list[tuple[object, object]]:
        await world.planner().run_once()
        events = await world.events("patrol.round_unattended")
        return [(e.is_active, e.data["round"]) for e in reversed(events)]

    world.now += timedelta(minutes=10)
    assert await said() == []
    world.now += timedelta(seconds=1)
    assert await said() == [(True, round_id)]
    assert await said() == [(True, round_id)]
    async with world.database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
        taken = round_deeds.Deed(what="round_taken", now=world.now, body={})
        await round_deeds.write_down(tx, HUB, walk, taken)
    assert await said() == [(True, round_id), (False, round_id)]
    # He goes home; the round of midnight does not wait for him.
    async with world.database.transaction() as tx:
        due = await rounds.list_rounds(tx, HUB, RoundFilter(state=RoundState.DUE))
    first = min(due.items, key=lambda walk: walk.planned_at)
    await world.begin(first.id)
    assert await world.state(first.id) is RoundState.DUE
    world.now += MAKES_WAY_AFTER + timedelta(seconds=1)
    await world.begin(first.id)
    assert await world.state(first.id) is RoundState.RUNNING
    async with world.database.transaction() as tx:
        before = await rounds.get_round(tx, HUB, round_id)
    assert (before.state, before.reason) == (RoundState.FINISHED, NEXT_BEGAN)
    assert before.stops_not_judged == 2
    assert not (await world.proof()).faults


async def test_a_changed_plan_is_planned_anew(world: World) -> None:
    plan = await world.create()
    await world.planner().run_once()
    changed = replace(plan, rrule="FREQ=DAILY;BYHOUR=1")
    async with world.database.transaction() as tx:
        await saving.change_plan(tx, HUB, changed, now=world.now)
    await world.planner().run_once()
    assert await world.rounds() == [(RoundState.DUE, MIDNIGHT + timedelta(hours=1))]


async def test_a_plan_switched_off_is_not_planned(world: World) -> None:
    plan = await world.create()
    await world.planner().run_once()
    async with world.database.transaction() as tx:
        await saving.change_plan(tx, HUB, replace(plan, is_enabled=False), now=world.now)
    world.now = MIDNIGHT + timedelta(days=3)
    await world.planner().run_once()
    assert await world.rounds() == []
    assert await world.events("patrol.round_missed") == []


async def test_a_job_of_a_round_that_was_planned_away_does_nothing(world: World) -> None:
    await world.begin(4711)
    await world.look(4711, 0)
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


async def test_a_pause_that_was_forgotten_is_said_half_an_hour_later(world: World) -> None:
    world.odd = {world.cameras[1]}
    plan = await world.create(mode=PatrolMode.MIXED, details=PlanDetails(random_share=0))
    round_id = await world.run_now(plan)
    await world.begin(round_id)
    await world.look(round_id, 0)
    async with world.database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
        await round_deeds.pause_round(tx, HUB, walk, world.now)
        paused = round_deeds.Deed(what="round_paused", now=world.now, body={})
        await round_deeds.write_down(tx, HUB, walk, paused)
    world.now += UNATTENDED_AFTER + PAUSE_LASTS
    await world.planner().run_once()
    assert await world.events("patrol.round_unattended") == []
    world.now += timedelta(seconds=1)
    await world.planner().run_once()
    [event] = await world.events("patrol.round_unattended")
    assert (event.is_active, event.data["round"]) == (True, round_id)
