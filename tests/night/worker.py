"""A process of the hub in the night, for those who kill it: rounds, questions, deadlines, alerts.

It does what ``gengfu run --role work --role alerts`` does about patrols, by the fast clock.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import uvloop

from alerts.escalation.escalating import Escalator
from alerts.judging.engine import AlertEngine
from hub.domain.errors import GengfuError
from hub.maintenance.pictures.glancing import Glancer
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.patrols.dispatch.deadlines import DeadlineKeeper
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.pdf import Printer
from hub.patrols.reporting.reports import Reporter
from hub.patrols.roll_calls.answering import SilenceKeeper
from hub.patrols.roll_calls.asking import Asker
from hub.patrols.walking.planner import Planner
from hub.patrols.walking.rounds import RoundWalker, WalkOptions
from hub.patrols.walking.visit import Eyes
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.outbound import open_client
from hub.store.database import Database
from hub.store.vault import Vault
from streams.decoder import DecoderProcess
from streams.frames import fetch_frames
from streams.probe import probe_camera
from streams.quality.judges import JudgePool
from streams.snapshot import take_snapshot
from tests.benchmarks.camera_farm import LOOPBACK, raise_file_limit
from tests.night.clock import FastClock, read_clock
from tests.system.role_process import RUNNING

SHANGHAI = timezone(timedelta(hours=8))
GLANCE_S = 1.0
PLAN_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the night happens."""

    database_url: str
    data_dir: Path
    clock: FastClock

    @classmethod
    def read(cls) -> "Place":
        """As the process that started this one says."""
        return cls(
            database_url=os.environ["NIGHT_DATABASE"],
            data_dir=Path(os.environ["NIGHT_DATA"]),
            clock=read_clock(),
        )

    def environment(self) -> dict[str, str]:
        """For :meth:`read`."""
        return {
            "NIGHT_DATABASE": self.database_url,
            "NIGHT_DATA": str(self.data_dir),
            **self.clock.environment(),
        }

    async def open(self, *, most: int = 12) -> Database:
        """The database, with the key of its passwords."""
        vault = Vault.open(self.data_dir / "gengfu.key")
        return await Database.open(self.database_url, vault=vault, max_size=most)


async def _plan(planner: Planner) -> None:
    while True:
        try:
            await planner.run_once()
        except GengfuError as error:
            sys.stderr.write(f"planner: {error}\n")
        await asyncio.sleep(PLAN_EVERY_S)


async def main() -> None:
    """Work until somebody ends this."""
    place = Place.read()
    clock = place.clock
    database = await place.open()
    # The queue's own moments are those of the database.
    jobs, live = Jobs(database, lambda: datetime.now(UTC)), LiveFeed(database)
    judges, decoder = JudgePool(size=1), DecoderProcess()
    async with open_client(LOOPBACK) as client, asyncio.TaskGroup() as group:
        fetch = partial(fetch_frames, client=client, policy=LOOPBACK, clock=clock)
        sight = Sight(SightSenses(fetch=fetch, judge=judges), SightOptions(zone=SHANGHAI))
        eyes = Eyes(
            probe=partial(probe_camera, policy=LOOPBACK, clock=clock),
            snapshot=partial(
                take_snapshot, client=client, policy=LOOPBACK, clock=clock, decoder=decoder
            ),
            folder=PictureFolder(place.data_dir),
            clock=clock,
            glance=Glancer(database, sight, clock),
            glance_s=GLANCE_S,
        )
        RoundWalker(
            database=database, jobs=jobs, eyes=eyes, options=WalkOptions(groups_at_once=4)
        ).register()
        Asker(database=database, jobs=jobs, clock=clock).register()
        papers = Papers.of(database, place.data_dir, Printer())
        Reporter(
            maker=Maker(database=database, jobs=jobs, papers=papers, clock=clock, zone=SHANGHAI)
        ).register()
        group.create_task(live.run())
        await live.listening.wait()
        group.create_task(_plan(Planner(database=database, jobs=jobs, clock=clock)))
        group.create_task(DeadlineKeeper(database, clock, live=live).run())
        group.create_task(SilenceKeeper(database=database, clock=clock).run())
        group.create_task(AlertEngine(database, jobs, live, clock).run())
        group.create_task(Escalator(database, jobs, clock, live=live).run())
        group.create_task(jobs.run())
        sys.stdout.write(RUNNING + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    raise_file_limit()
    uvloop.run(main())
