"""Rounds by machine on both databases, with a queue and a worker of their own."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.devices import Registration
from hub.domain.errors import Conflict, StoreUnavailable
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, Result, RoundState, Timing, Verdict
from hub.domain.ports import CameraTarget
from hub.patrols.files import PictureFolder
from hub.patrols.walking import ending, groups
from hub.patrols.walking.rounds import STILL_WALKING, WalkOptions
from hub.runtime.jobs import Jobs
from hub.store import patrols, rounds, stop_looks
from hub.store.areas import create_area
from hub.store.database import Database
from hub.store.devices import set_registration
from hub.store.round_ends import NOT_LOOKED_AT
from hub.store.rounds import RoundFilter
from hub.store.stops import StopResult
from tests.db.patrol_world import HUB, MIDNIGHT, World, settle

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


@contextlib.asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    """A real worker for the length of a block."""
    task = asyncio.create_task(world.jobs.run(concurrency=8))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_over(world: World, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(StoreUnavailable):
                if (await world.rounds())[0][0] is RoundState.FINISHED:
                    return
            await asyncio.sleep(0.05)


async def test_a_round_that_falls_due_looks_at_its_stops_and_is_sealed(world: World) -> None:
    world.dead, world.odd = {world.cameras[2]}, {world.cameras[3]}
    world.walker(options=IN_TWOS).register()
    world.now = datetime.now(UTC)
    soon = world.now + timedelta(seconds=61)
    await world.create(
        rrule=f"FREQ=DAILY;BYHOUR={soon.hour};BYMINUTE={soon.minute}",
        time_zone="UTC",
        window_s=86_400,
        lasts_s=7200,
    )
    await world.planner().run_once()
    [(state, planned_at)] = await world.rounds()
    assert state is RoundState.DUE
    assert timedelta() < planned_at - world.now <= timedelta(seconds=61)
    async with world.database.transaction() as tx:  # no test waits a minute
        await tx.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
    async with working(world):
        await until_over(world, 20)
    async with world.database.transaction() as tx:
        walk = (await rounds.list_rounds(tx, HUB, RoundFilter())).items[0]
        reports = await tx.tuples(
            "SELECT args->>'round' FROM procrastinate_jobs WHERE task_name = 'patrols.report'"
        )
    assert (walk.mode, walk.ends_by) == (PatrolMode.MACHINE, planned_at + timedelta(hours=2))
    assert (walk.stops_planned, walk.stops_seen, walk.stops_not_seen) == (6, 5, 1)
    assert (walk.stops_open, walk.stops_normal, walk.stops_abnormal) == (0, 4, 2)
    assert walk.forecast_s is not None
    assert reports == [(str(walk.id),)]
    seen = await world.stops(walk.id)
    assert [(s.position, s.group_no) for s in seen] == list(enumerate((0, 0, 1, 1, 2, 2), start=1))
    assert [s.area_name for s in seen] == ["安平村"] * 3 + ["北沟村"] * 3
    assert all(s.due_at is not None and s.due_at > world.now for s in seen)
    assert {(s.timing, s.judged_by) for s in seen} == {(Timing.ON_TIME, stop_looks.MACHINE)}
    bad = next(s for s in seen if s.device_id == world.cameras[2])
    assert (bad.verdict, bad.layer, bad.kind) == (Verdict.NOT_SEEN, "network", "camera_down")
    odd = next(s for s in seen if s.device_id == world.cameras[3])
    assert (odd.verdict, odd.result) == (Verdict.SEEN, Result.ABNORMAL)
    assert odd.remarks
    for stop in seen:
        path = world.folder.picture_path(walk.id, stop.position)
        assert path.exists() is stop.has_picture is (stop.verdict is Verdict.SEEN)
    assert len(list(path.parent.iterdir())) == 5  # nothing was left aside
    [event] = await world.events("patrol.round_finished")
    assert (event.area_id, event.severity) == (world.areas["county"], "warning")
    assert (event.data["round"], event.data["seen"], event.data["abnormal"]) == (walk.id, 5, 2)
    proof = await world.proof()
    # Begun; looked at and judged, six times; ended.
    assert (proof.rounds, proof.lines, proof.pictures, proof.faults) == (1, 14, 5, ())


async def test_groups_are_jobs_in_lanes_each_waiting_once(world: World) -> None:
    walker = world.walker(options=IN_TWOS)
    round_id = await world.run_now(await world.create())
    await world.begin(round_id, walker)
    await world.begin(round_id, walker)  # a job too many
    name = str(round_id)
    lane = [f"patrols.look:lane:{(round_id + group) % 2}" for group in range(3)]
    async with world.database.transaction() as tx:
        await groups.defer_groups(tx, world.jobs, round_id, [0, 1, 2], at_once=2)
        found = await tx.tuples(LOOK_JOBS + "'patrols.look' ORDER BY id")
        # Whoever waits for a group has a way of its own, unless its job waits already.
        await groups.defer_group(tx, world.jobs, round_id, 0)
        await groups.defer_group(tx, world.jobs, round_id, 7)
        await groups.defer_group(tx, world.jobs, round_id, 7)
        waited = (await tx.tuples(LOOK_JOBS + "'patrols.look' ORDER BY id"))[3:]
    assert found == [(name, str(group), lane[group]) for group in range(3)]
    assert waited == [(name, "7", f"patrols.look:{name}:7")]
    world.barrier = asyncio.Barrier(2)  # both of a group, or none
    for group in (2, 0, 0):  # in any order, as often as you like
        await world.look(round_id, group, walker)
        assert await world.state(round_id) is RoundState.RUNNING
    assert len(world.visits) == 4
    await world.look(round_id, 1, walker)
    assert await world.state(round_id) is RoundState.FINISHED
    assert sorted(world.visits) == sorted(world.cameras)
    assert world.busiest == 2


async def test_a_round_without_a_camera_is_over_at_once(world: World) -> None:
    async with world.database.transaction() as tx:
        for camera in world.cameras:
            await set_registration(tx, HUB, camera, Registration.RETIRED)
    round_id = await world.run_now(await world.create())
    await world.begin(round_id)
    assert await world.state(round_id) is RoundState.FINISHED
    [event] = await world.events("patrol.round_finished")
    assert event.severity == "warning"


@pytest.mark.threat("K2")
async def test_two_workers_at_one_group_settle_each_stop_once(world: World) -> None:
    """One of them was taken for dead, and lives."""
    round_id = await world.run_now(await world.create())
    await world.begin(round_id)
    world.barrier = asyncio.Barrier(12)
    await asyncio.gather(*(world.look(round_id, 0) for _ in range(2)))
    assert len(world.visits) == 12
    late = StopResult(
        round_id=round_id, position=1, verdict=Verdict.NOT_SEEN, reason="late", at=world.now
    )
    async with world.database.transaction() as tx:
        assert await stop_looks.settle_stop(tx, HUB, late) is False
        assert await stop_looks.claim_stop(tx, HUB, round_id, 1, world.now) is None
    for stop in await world.stops(round_id):
        assert stop.verdict is Verdict.SEEN
        picture = world.folder.picture_path(round_id, stop.position).read_bytes()
        assert hashlib.sha256(picture).hexdigest() == stop.picture_sha256
    assert len(await world.events("patrol.round_finished")) == 1
    proof = await world.proof()
    assert (proof.lines, proof.pictures, proof.faults) == (14, 6, ())


@pytest.mark.threat("K2")
async def test_a_camera_that_kills_its_workers_is_passed_by_alone(world: World) -> None:
    """A worker that died left the counts of attempts, and pictures that nobody settled."""
    round_id = await world.run_now(await world.create())
    await world.begin(round_id)
    async with world.database.transaction() as tx:
        for position in (1, 2, 3, 4, 5, 6, 1, 1):
            await stop_looks.claim_stop(tx, HUB, round_id, position, world.now)
    await world.folder.aside("dead").keep_picture(round_id, 2, b"left behind")
    await world.look(round_id, 0)
    walked = await world.stops(round_id)
    assert [s.verdict for s in walked] == [Verdict.NOT_SEEN] + [Verdict.SEEN] * 5
    assert walked[0].reason.startswith("passed by: the hub failed 3 times")
    assert world.busiest == 1  # whoever kills the next worker takes nobody with it
    kept = world.folder.picture_path(round_id, 2).parent
    assert sorted(path.name for path in kept.iterdir()) == [f"{n}.jpg" for n in range(2, 7)]
    assert not (await world.proof()).faults


@pytest.mark.threat("K3")
async def test_connections_that_are_cut_cost_no_stop(world: World) -> None:
    cut: list[int] = []

    def cut_once(target: CameraTarget) -> None:
        if len(cut) < 2:
            cut.append(target.device_id)
            cutters.append(asyncio.create_task(cut_all(world.database)))

    cutters: list[asyncio.Task[None]] = []
    world.snapshot_error = cut_once
    world.now = datetime.now(UTC)
    world.walker(options=IN_TWOS).register()
    world.planner().register()
    await world.run_now(await world.create())
    async with working(world):
        await until_over(world, 40)
    await asyncio.gather(*cutters)
    assert len(cut) == 2
    async with world.database.transaction() as tx:
        walk = (await rounds.list_rounds(tx, HUB, RoundFilter(state=RoundState.FINISHED))).items[0]
    assert (walk.stops_planned, walk.stops_seen) == (6, 6)
    assert len(await world.events("patrol.round_finished")) == 1
    proof = await world.proof()
    assert (proof.lines, proof.pictures, proof.faults) == (14, 6, ())


async def cut_all(database: Database) -> None:
    """End every connection to this database but the one that says so."""
    with contextlib.suppress(StoreUnavailable):
        async with database.transaction() as tx:
            await tx.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )


@pytest.mark.threat("K10")
async def test_a_disk_that_takes_nothing_does_not_end_the_round(
    world: World, tmp_path: Path
) -> None:
    round_id = await world.run_now(await world.create())
    await world.begin(round_id)
    # The picture of the second stop cannot be put in its place.
    world.folder.picture_path(round_id, 2).mkdir(parents=True)
    await world.look(round_id, 0)
    half = await world.stops(round_id)
    assert [s.has_picture for s in half] == [True, False, True, True, True, True]
    assert half[1].reason == "picture not kept: Is a directory"
    assert half[1].picture_sha256 == ""
    assert not (await world.proof()).faults
    for path in sorted((tmp_path / "data").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "data" / "patrols").write_text("in the way")
    world.now += timedelta(minutes=1)
    again = await world.run_now(await world.create(name="again"))
    await world.walk_to_end(again)
    assert await world.state(again) is RoundState.FINISHED
    assert [s.reason[:18] for s in await world.stops(again)] == ["picture not kept: "] * 6
    # The pictures of the first round are gone, and that is said.
    [fault] = (await world.proof()).faults
    assert (fault.round_id, fault.plan_name) == (round_id, "零点夜查")
    assert fault.what.startswith("picture of stop 1 (村口 1) ")


async def test_what_goes_away_during_a_round_is_said_to_have_gone(world: World) -> None:
    plan = await world.create(mode=PatrolMode.MIXED, details=PlanDetails(random_share=0))
    walker = world.walker(options=IN_TWOS)
    round_id = await world.run_now(plan)
    await world.begin(round_id, walker)
    await world.look(round_id, 0, walker)
    removed, moved, retired = (s.device_id or 0 for s in (await world.stops(round_id))[2:5])
    async with world.database.transaction() as tx:
        elsewhere = await create_area(tx, HUB, code="z", name="邻县", parent_id=None)
        await tx.execute("DELETE FROM devices WHERE id = %(id)s", {"id": removed})
        await tx.execute(
            "UPDATE devices SET area_id = %(area)s WHERE id = %(id)s",
            {"id": moved, "area": elsewhere.id},
        )
        await set_registration(tx, HUB, retired, Registration.RETIRED)
        await patrols.remove_plan(tx, HUB, plan.id, now=world.now)
    await world.look(round_id, 1, walker)
    await world.look(round_id, 2, walker)
    assert await world.state(round_id) is RoundState.FINISHED
    walked = await world.stops(round_id)
    assert [s.verdict for s in walked[2:5]] == [Verdict.NOT_SEEN] * 3
    gone = "camera has no address, or it was disabled or moved"
    assert [s.reason for s in walked[2:5]] == [groups.REMOVED, gone, gone]
    assert [s.result for s in walked[2:5]] == [Result.NOT_JUDGED] * 3
    assert not {removed, moved, retired} & set(world.visits)
    assert not (await world.proof()).faults


async def test_a_cancelled_round_stops_where_it_is_and_leaves_nothing_open(world: World) -> None:
    walker = world.walker(options=IN_TWOS)
    round_id = await world.run_now(await world.create())
    await world.begin(round_id, walker)
    await world.look(round_id, 0, walker)
    async with world.database.transaction() as tx:
        await ending.cancel_round(tx, HUB, round_id, now=world.now)
    for group in (1, 2):
        await world.look(round_id, group, walker)
    assert await world.state(round_id) is RoundState.CANCELLED
    assert len(world.visits) == 2
    walked = await world.stops(round_id)
    assert [s.result for s in walked] == [Result.NORMAL] * 2 + [Result.NOT_JUDGED] * 4
    assert {s.reason for s in walked[2:]} == {f"{NOT_LOOKED_AT}: 已取消 Cancelled by test"}
    assert not (await world.proof()).faults
    async with world.database.transaction() as tx:
        with pytest.raises(Conflict):
            await ending.cancel_round(tx, HUB, round_id, now=world.now)


async def test_one_round_of_a_plan_walks_at_a_time(world: World) -> None:
    plan = await world.create()
    first = await world.run_now(plan)
    await world.begin(first)
    with pytest.raises(Conflict):
        await world.run_now(plan)
    await world.planner().run_once()
    world.now = MIDNIGHT + timedelta(seconds=1)
    async with world.database.transaction() as tx:
        second = (await rounds.list_rounds(tx, HUB, RoundFilter())).items[0].id
    assert second != first
    await world.begin(second)
    assert await world.state(second) is RoundState.DUE
    world.now = MIDNIGHT + timedelta(seconds=601)
    await world.planner().run_once()
    assert await world.state(second) is RoundState.MISSED
    [event] = await world.events("patrol.round_missed")
    assert event.data["reason"] == STILL_WALKING
