"""Makes reports: of a round when it ends, of nights, weeks and months in the morning after."""

from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import Final

from hub.domain.ports import Clock
from hub.patrols.files import PictureFolder
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database, Transaction

JOB: Final = "patrols.report"
SERIES: Final = "patrols.reports"
RETRY_WAITS_S: Final = (5, 30, 60, 300, 900)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """``ready_by`` after midnight the report of the night lies on the desk."""

    ready_by: timedelta = timedelta(hours=6, minutes=30)
    every_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Does the jobs of :data:`JOB` and the series of the periods."""

    database: Database
    jobs: Jobs
    folder: PictureFolder
    clock: Clock
    zone: tzinfo
    options: ReportOptions = field(default_factory=ReportOptions)

    def register(self) -> None:
        """Tell the queue who makes reports. Call before it runs."""
        self.jobs.handle(JOB, self.report_round, retry_waits_s=RETRY_WAITS_S)
        self.jobs.every(SERIES, self.options.every_s, self.run_once)

    async def report_round(self, job: Job) -> None:
        """Make the report of a round that is over; repeat it as often as you like."""

    async def run_once(self) -> None:
        """Make what reports of nights, weeks and months are due."""


async def defer_report(tx: Transaction, jobs: Jobs, round_id: int) -> None:
    """Have the report of a round made; a job too many makes the same one again."""
    await jobs.defer(tx, JOB, {"round": round_id}, lock=f"{JOB}:{round_id:d}")
