"""Rounds whose stops are for people: what the machine leaves to them, and what consoles hear."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.errors import Conflict
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, Result, RoundState, SecondLook, Timing, Verdict
from hub.patrols.files import PictureFolder
from hub.patrols.walking import ending, groups
from hub.patrols.walking.planner import IDLE
from hub.patrols.walking.rounds import WalkOptions
from hub.runtime.jobs import Jobs
from hub.runtime.live import RESYNC, LiveFeed
from hub.store import patrols, round_deeds, rounds, stop_looks, stop_results, stops
from hub.store.database import Database
from tests.db.patrol_world import HUB, World, settle

IN_TWOS = WalkOptions(group_size=2, groups_at_once=2)
LOOK_JOBS = "SELECT args->>'round', args->>'group', lock FROM procrastinate_jobs WHERE task_name = "


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "data"),
    )
    await settle(made)
    return made


async def test_what_the_machine_doubts_waits_for_a_person(world: World) -> None:
    world.odd, world.dead = {world.cameras[1]}, {world.cameras[0]}
    plan = await world.create(
        mode=PatrolMode.MIXED, details=PlanDetails(random_share=0, second_share=1.0)
    )
    round_id = await world.run_now(plan)
    await world.begin(round_id)
    await world.look(round_id, 0)
    walked = await world.stops(round_id)
    assert await world.state(round_id) is RoundState.RUNNING
    [asked] = [s for s in walked if s.result is Result.OPEN]
    assert (asked.device_id, asked.is_for_person) == (world.cameras[1], True)
    assert (asked.judged_by, asked.timing, asked.second_look) == ("", Timing.NONE, SecondLook.NONE)
    [down] = [s for s in walked if s.verdict is Verdict.NOT_SEEN]
    assert (down.result, down.kind) == (Result.ABNORMAL, "camera_down")
    assert {s.second_look for s in walked if s is not asked} == {SecondLook.WANTED}
    # He has it looked at again: nothing is wrong with it now, and it stays his.
    world.odd = set()
    async with world.database.transaction() as tx:
        await groups.look_again(tx, HUB, world.jobs, round_id, asked.position)
        with pytest.raises(Conflict):
            await groups.look_again(tx, HUB, world.jobs, round_id, down.position)
        walk = await rounds.get_round(tx, HUB, round_id)
        again = round_deeds.Deed(
            what="stop_looked_again", now=world.now, position=asked.position, body={}
        )
        await round_deeds.write_down(tx, HUB, walk, again)
    assert not (await world.proof()).faults
    await world.look(round_id, 0)
    after = (await world.stops(round_id))[asked.position - 1]
    assert (after.doubt, after.result, after.is_for_person) == (0.0, Result.OPEN, True)
    assert after.picture_sha256 != asked.picture_sha256
    async with world.database.transaction() as tx:
        judged = stop_results.Judged(
            round_id=round_id, position=asked.position, result=Result.NORMAL, kind="", note="",
            checked=(), at=world.now, timing=Timing.ON_TIME, second_look=SecondLook.NONE,
        )  # fmt: skip
        assert await stop_results.keep_judgement(tx, HUB, judged)
        said = round_deeds.Deed(
            what=stop_looks.JUDGED,
            now=world.now,
            position=asked.position,
            body={"result": "normal", "kind": "", "note": "", "timing": "on_time"},
        )
        await round_deeds.write_down(tx, HUB, walk, said)
        assert await ending.end_if_done(tx, HUB, world.jobs, round_id, world.now)
        assert not await ending.end_if_done(tx, HUB, world.jobs, round_id, world.now)
    assert await world.state(round_id) is RoundState.FINISHED
    assert not (await world.proof()).faults


async def test_a_round_that_a_person_walks_is_looked_at_as_far_as_he_comes(world: World) -> None:
    walker = world.walker(options=WalkOptions(group_size=1))
    round_id = await world.run_now(await world.create(mode=PatrolMode.WALK))
    await world.begin(round_id, walker)
    async with world.database.transaction() as tx:
        waiting = await tx.tuples(LOOK_JOBS + "'patrols.look' ORDER BY id")
        await tx.execute("DELETE FROM procrastinate_jobs")
    # He waits for them: each goes its own way, not by the lanes of the machine's rounds.
    assert [lock for _, _, lock in waiting] == [f"patrols.look:{round_id}:{n}" for n in range(6)]
    await world.look(round_id, 0, walker)
    stop = (await world.stops(round_id))[0]
    assert (stop.verdict, stop.result, stop.is_for_person) == (Verdict.SEEN, Result.OPEN, True)
    # The jobs were lost: what he has not come to yet is not looked at for that.
    async with world.database.transaction() as tx:
        await stop_looks.claim_stop(tx, HUB, round_id, 2, world.now)
    world.now += IDLE + timedelta(seconds=1)
    await world.planner().run_once()
    async with world.database.transaction() as tx:
        revived = await tx.tuples(LOOK_JOBS + "'patrols.look' ORDER BY id")
    assert [group for _, group, _ in revived] == ["1"]


async def test_consoles_hear_of_every_stop(world: World) -> None:
    live = LiveFeed(world.database)
    listening = asyncio.create_task(live.run())
    heard: list[str] = []
    try:
        with live.subscribe() as notices:
            feed = aiter(notices)
            assert await anext(feed) == RESYNC
            round_id = await world.run_now(await world.create())
            await world.walk_to_end(round_id)
            async with asyncio.timeout(10):
                while "events" not in heard:
                    notice = await anext(feed)
                    heard.append(notice.topic)
                    assert notice.topic != "patrol-rounds" or notice.ids == (round_id,)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    # Planned, begun, six stops; the last of them ends it.
    assert heard.count("patrol-rounds") == 8
    assert heard[0] == "patrol-plans"


async def test_a_plan_changed_meanwhile_does_not_change_its_round(world: World) -> None:
    plan = await world.create(mode=PatrolMode.MIXED, details=PlanDetails(random_share=0))
    round_id = await world.run_now(plan)
    async with world.database.transaction() as tx:
        changed = replace(plan, mode=PatrolMode.MACHINE, details=PlanDetails(tolerance_s=5))
        await patrols.change_plan(tx, HUB, changed, now=world.now)
        walk = await rounds.get_round(tx, HUB, round_id)
        assert not await stops.all_stops(tx, HUB, round_id)
    assert (walk.mode, walk.details) == (PatrolMode.MIXED, plan.details)
