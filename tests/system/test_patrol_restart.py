"""A worker process is killed in the middle of a round, and another one finishes it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.domain.access import system_scope
from hub.domain.patrols import RoundState, Verdict
from hub.patrols.files import PictureFolder
from hub.runtime.jobs import Jobs
from hub.store import rounds, stops
from hub.store.database import Database
from hub.store.events import EventFilter, list_events
from tests.db.patrol_world import World, settle

HUB = system_scope("test")
ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("patrol_worker.py")
# Heartbeat limit of the queue (10 s), its search for dead workers (2.5 s), and the work itself.
FINISHED_WITHIN_S = 40.0


def start_worker(
    database_url: str, data_dir: Path, key: Path, visits: Path
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.system.patrol_worker"],
        cwd=ROOT,
        env={
            **os.environ,
            "WORKER_DATABASE": database_url,
            "WORKER_DATA": str(data_dir),
            "WORKER_KEY": str(key),
            "WORKER_VISITS": str(visits),
        },
    )


@pytest.mark.threat("K1")
@pytest.mark.threat("K2")
async def test_a_killed_worker_costs_no_stop_and_doubles_none(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    world = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "data"),
        now=datetime.now(UTC),
    )
    await settle(world)
    plan = await world.create(window_s=3600)
    round_id = await world.run_now(plan)
    visits = tmp_path / "visits"
    arguments = (database_url, tmp_path / "data", tmp_path / "gengfu.key", visits)
    first = start_worker(*arguments)
    try:
        await seen_at_least(world, round_id, 2)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    interrupted = [s.verdict for s in await world.stops(round_id)].count(Verdict.SEEN)
    assert 2 <= interrupted < 6
    second = start_worker(*arguments)
    try:
        async with asyncio.timeout(FINISHED_WITHIN_S):
            while await world.state(round_id) is not RoundState.FINISHED:
                await asyncio.sleep(0.1)
    finally:
        second.send_signal(signal.SIGKILL)
        second.wait()
    async with database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
        walked = await stops.all_stops(tx, HUB, round_id)
        finished = await list_events(tx, HUB, EventFilter(kind="patrol.round_finished"))
    assert (walk.stops_planned, walk.stops_seen, walk.stops_not_seen) == (6, 6, 0)
    assert sorted(s.device_id or 0 for s in walked) == sorted(world.cameras)
    assert len(finished.items) == 1
    # Only the cameras that were being looked at when the worker died are looked at again.
    looked_at = Counter(visits.read_text().split())
    assert set(looked_at) == {str(camera) for camera in world.cameras}
    assert sorted(looked_at.values())[:4] == [1] * 4
    assert max(looked_at.values()) <= 2
    # Whatever the first one left half done, what is kept is whole: each stop once.
    proof = await world.proof()
    assert (proof.rounds, proof.lines, proof.pictures, proof.faults) == (1, 14, 6, ())
    assert len(list(world.folder.picture_path(round_id, 1).parent.iterdir())) == 6


async def seen_at_least(world: World, round_id: int, number: int) -> None:
    async with asyncio.timeout(20):
        while True:
            found = await world.stops(round_id)
            if sum(s.verdict is Verdict.SEEN for s in found) >= number:
                return
            await asyncio.sleep(0.02)
