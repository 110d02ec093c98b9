"""Rounds on both databases, with a queue and a worker of their own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.devices import Registration
from hub.domain.errors import Conflict, NotFound
from hub.domain.patrols import RoundState, StopOrder, Verdict
from hub.domain.ports import CameraTarget
from hub.patrols import desk
from hub.patrols.files import PictureFolder
from hub.patrols.walking.rounds import STILL_WALKING
from hub.runtime.jobs import Job, Jobs
from hub.runtime.live import RESYNC, LiveFeed
from hub.store import rounds, stops
from hub.store.database import Database
from hub.store.devices import set_registration
from hub.store.rounds import RoundFilter
from hub.store.stops import StopResult
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


@contextlib.asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    """A real worker for the length of a block."""
    task = asyncio.create_task(world.jobs.run(concurrency=4))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_round_that_falls_due_walks_its_stops_and_leaves_a_report(world: World) -> None:
    world.dead = {world.cameras[2]}
    world.walker().register()
    world.now = datetime.now(UTC)
    soon = world.now + timedelta(seconds=61)
    await world.create(
        rrule=f"FREQ=DAILY;BYHOUR={soon.hour};BYMINUTE={soon.minute}",
        time_zone="UTC",
        window_s=86_400,
    )
    await world.planner().run_once()
    [(state, planned_at)] = await world.rounds()
    assert state is RoundState.DUE
    assert timedelta() < planned_at - world.now <= timedelta(seconds=61)
    await due_at_once(world)
    async with working(world), asyncio.timeout(20):
        while (await world.rounds())[0][0] is not RoundState.FINISHED:
            await asyncio.sleep(0.05)
    async with world.database.transaction() as tx:
        walk = (await rounds.list_rounds(tx, HUB, RoundFilter())).items[0]
    assert (walk.stops_planned, walk.stops_seen, walk.stops_not_seen) == (6, 5, 1)
    seen = await world.stops(walk.id)
    assert [s.position for s in seen] == [1, 2, 3, 4, 5, 6]
    assert [s.area_name for s in seen] == ["安平村"] * 3 + ["北沟村"] * 3
    bad = next(s for s in seen if s.device_id == world.cameras[2])
    assert (bad.verdict, bad.layer, bad.detail) == (
        Verdict.NOT_SEEN,
        "network",
        "no route to host",
    )
    assert bad.reason == "camera cannot be reached"
    for stop in seen:
        path = world.folder.picture_path(walk.id, stop.position)
        assert path.exists() is (stop.verdict is Verdict.SEEN)
    report = world.folder.report_path(walk.id).read_text()
    assert report.count("data:image/jpeg;base64,") == 5
    assert "camera cannot be reached" in report
    [event] = await world.events("patrol.round_finished")
    assert event.area_id == world.areas["county"]
    assert (event.data["seen"], event.data["not_seen"]) == (5, 1)


async def due_at_once(world: World) -> None:
    """Bring the waiting round's job forward, so that no test waits a minute."""
    async with world.database.transaction() as tx:
        await tx.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")


async def test_a_round_is_done_in_jobs_of_some_stops_each(world: World) -> None:
    round_id = await world.run_now(await world.create())
    walker = world.walker(stops_per_job=2)
    await walker.walk(Job(id=1, args={"round": round_id}, attempt=1))
    assert [s.verdict for s in await world.stops(round_id)].count(Verdict.SEEN) == 2
    async with world.database.transaction() as tx:
        waiting = await tx.tuples(
            "SELECT args->>'round', lock FROM procrastinate_jobs ORDER BY id DESC LIMIT 1"
        )
    assert waiting == [(str(round_id), f"patrols.round:{round_id}")]
    await world.walk_to_end(round_id, walker)
    assert await world.state(round_id) is RoundState.FINISHED
    assert sorted(world.visits) == sorted(world.cameras)


async def test_every_order_visits_each_camera_once(world: World) -> None:
    wanted = tuple(reversed(world.cameras))
    fixed = await world.run_now(await world.create(order=StopOrder.FIXED, device_ids=wanted))
    await world.walk_to_end(fixed)
    assert tuple(world.visits) == wanted
    shuffled = await world.create(order=StopOrder.SHUFFLED)
    orders = set()
    for _ in range(4):
        world.visits.clear()
        world.now += timedelta(minutes=1)
        await world.walk_to_end(await world.run_now(shuffled))
        assert sorted(world.visits) == sorted(world.cameras)
        orders.add(tuple(world.visits))
    assert len(orders) > 1


@pytest.mark.threat("K2")
async def test_a_verdict_stands_whoever_comes_second(world: World) -> None:
    round_id = await world.run_now(await world.create())
    walker = world.walker(stops_per_job=1)
    await walker.walk(Job(id=1, args={"round": round_id}, attempt=1))
    late = StopResult(
        round_id=round_id, position=1, verdict=Verdict.NOT_SEEN, reason="late", at=world.now
    )
    async with world.database.transaction() as tx:
        assert await stops.settle_stop(tx, HUB, late) is False
    assert (await world.stops(round_id))[0].verdict is Verdict.SEEN


@pytest.mark.threat("K2")
async def test_a_camera_that_kills_its_workers_is_passed_by(world: World) -> None:
    """A worker that died after it set out left nothing but the count of attempts."""
    round_id = await world.run_now(await world.create())
    walker = world.walker(stops_per_job=0)
    await walker.walk(Job(id=1, args={"round": round_id}, attempt=1))
    for _ in range(3):
        async with world.database.transaction() as tx:
            claimed = await stops.claim_stop(tx, HUB, round_id, world.now)
        assert claimed is not None
        assert claimed.position == 1
    await world.walk_to_end(round_id)
    walked = await world.stops(round_id)
    assert [s.verdict for s in walked] == [Verdict.NOT_SEEN] + [Verdict.SEEN] * 5
    assert walked[0].reason == "passed by: the hub failed 3 times here"


@pytest.mark.threat("K10")
async def test_a_disk_that_takes_nothing_does_not_end_the_round(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "patrols").write_text("in the way")
    round_id = await world.run_now(await world.create())
    await world.walk_to_end(round_id)
    async with world.database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
        with pytest.raises(NotFound):
            await desk.find_report(tx, HUB, world.folder, round_id)
        with pytest.raises(NotFound):
            await desk.find_picture(tx, HUB, world.folder, round_id, 1)
    assert (walk.state, walk.stops_seen, walk.has_report) == (RoundState.FINISHED, 6, False)
    assert walk.reason.startswith("report not kept: ")
    assert all(s.reason.startswith("picture not kept: ") for s in await world.stops(round_id))
    [event] = await world.events("patrol.round_finished")
    assert event.severity == "warning"


async def test_a_camera_that_goes_away_during_a_round_is_said_to_have_gone(world: World) -> None:
    round_id = await world.run_now(await world.create())
    await world.walker(stops_per_job=1).walk(Job(id=1, args={"round": round_id}, attempt=1))
    last = (await world.stops(round_id))[-1]
    async with world.database.transaction() as tx:
        await set_registration(tx, HUB, last.device_id or 0, Registration.RETIRED)
    await world.walk_to_end(round_id)
    last = (await world.stops(round_id))[-1]
    assert (last.verdict, last.reason) == (
        Verdict.NOT_SEEN,
        "camera has no address, or it was disabled or moved",
    )


async def test_a_cancelled_round_stops_where_it_is(world: World) -> None:
    round_id = await world.run_now(await world.create())
    await world.walker(stops_per_job=2).walk(Job(id=1, args={"round": round_id}, attempt=1))
    async with world.database.transaction() as tx:
        await rounds.cancel_round(tx, HUB, round_id, now=world.now)
    await world.walk_to_end(round_id)
    assert await world.state(round_id) is RoundState.CANCELLED
    assert len(world.visits) == 2
    async with world.database.transaction() as tx:
        with pytest.raises(Conflict):
            await rounds.cancel_round(tx, HUB, round_id, now=world.now)


async def test_one_round_of_a_plan_walks_at_a_time(world: World) -> None:
    plan = await world.create()
    first = await world.run_now(plan)
    await world.walker(stops_per_job=1).walk(Job(id=1, args={"round": first}, attempt=1))
    with pytest.raises(Conflict):
        await world.run_now(plan)
    await world.planner().run_once()
    world.now = MIDNIGHT + timedelta(seconds=1)
    async with world.database.transaction() as tx:
        second = (await rounds.list_rounds(tx, HUB, RoundFilter())).items[0].id
    assert second != first
    await world.walker().walk(Job(id=2, args={"round": second}, attempt=1))
    assert await world.state(second) is RoundState.DUE
    world.now = MIDNIGHT + timedelta(seconds=601)
    await world.planner().run_once()
    assert await world.state(second) is RoundState.MISSED
    [event] = await world.events("patrol.round_missed")
    assert event.data["reason"] == STILL_WALKING


async def test_a_broken_snapshot_function_ends_one_stop_only(world: World) -> None:
    def fail(target: CameraTarget) -> None:
        if target.device_id == world.cameras[0]:
            raise AttributeError

    world.snapshot_error = fail
    round_id = await world.run_now(await world.create())
    await world.walk_to_end(round_id)
    verdicts = [s.verdict for s in await world.stops(round_id)]
    assert sorted(verdicts) == [Verdict.NOT_SEEN] + [Verdict.SEEN] * 5


async def test_people_get_the_seconds_they_asked_for_at_every_stop_but_the_last(
    world: World,
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    round_id = await world.run_now(await world.create(seconds_per_stop=7.5))
    await world.walk_to_end(round_id, world.walker(pause=pause))
    assert waited == [7.5] * 5 + [0]


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
    # Planned, begun, six stops, finished; the plan itself and the event.
    assert heard.count("patrol-rounds") == 9
    assert heard[0] == "patrol-plans"
