"""A worker process of its own, for tests that kill it: planner and walker on a real queue."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from hub.domain.health import Depth, ProbeResult
from hub.domain.ports import CameraTarget, Picture
from hub.patrols.files import PictureFolder
from hub.patrols.walking.planner import Planner
from hub.patrols.walking.rounds import RoundWalker, WalkOptions
from hub.patrols.walking.visit import Eyes
from hub.runtime.jobs import Jobs
from hub.store.database import Database
from hub.store.vault import Vault
from tests.db.patrol_world import make_jpeg

# Two cameras at a time: whoever kills the worker finds some seen, some not, and two in its hands.
OPTIONS = WalkOptions(stops_at_once=2)
LOOK_S = 0.5


def now() -> datetime:
    return datetime.now(UTC)


async def probe(
    target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
) -> ProbeResult:
    with Path(os.environ["WORKER_VISITS"]).open("a") as file:  # noqa: ASYNC230  # a test's log
        file.write(f"{target.device_id}\n")
    return ProbeResult(probed_at=now(), latency_s=0.01)


async def snapshot(target: CameraTarget, *, timeout_s: float) -> Picture:
    await asyncio.sleep(LOOK_S)
    return Picture(jpeg=make_jpeg(), width=1280, height=720, taken_at=now(), source="snapshot")


async def main() -> None:
    database = await Database.open(
        os.environ["WORKER_DATABASE"], vault=Vault.open(Path(os.environ["WORKER_KEY"]))
    )
    jobs = Jobs(database, now)
    folder = PictureFolder(Path(os.environ["WORKER_DATA"]))
    eyes = Eyes(probe=probe, snapshot=snapshot, folder=folder, clock=now)
    RoundWalker(database=database, jobs=jobs, eyes=eyes, options=OPTIONS).register()
    Planner(database=database, jobs=jobs, clock=now).register()
    await jobs.run(concurrency=4)


if __name__ == "__main__":
    asyncio.run(main())
