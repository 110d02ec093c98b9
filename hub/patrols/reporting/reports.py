"""Has reports made: of a round when it ends, of nights, weeks and months in the morning after."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from hub.domain.access import system_scope
from hub.domain.errors import Conflict, NotFound
from hub.domain.patrol_reports import KeptReport, Period
from hub.patrols.reporting import periods
from hub.patrols.reporting.making import Maker, name_round
from hub.patrols.reporting.pdf import PdfFailed, PdfLacking
from hub.runtime.files import NotKept
from hub.runtime.jobs import Job, Jobs
from hub.store import patrol_figures, patrol_reports, rounds
from hub.store.database import Transaction

log = logging.getLogger(__name__)

JOB: Final = "patrols.report"
SERIES: Final = "patrols.reports"
RETRY_WAITS_S: Final = (5, 30, 60, 300, 900)
# What was not made while the hub was away is made later, of so many nights.
NIGHTS_BACK: Final = 8
ROUNDS_BACK: Final = timedelta(days=NIGHTS_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """So long after its midnight the report of a night lies on the desk, though it is not over.

    It is made again when a round ends after that, and at noon. Weeks and months come with their
    last night. ``has_pdf``: paper is made beforehand, so that nobody waits for it in the morning.
    """

    ready_by: timedelta = timedelta(hours=6, minutes=30)
    every_s: float = 300.0
    has_pdf: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Does the jobs of :data:`JOB` and the series of the periods."""

    maker: Maker
    options: ReportOptions = field(default_factory=ReportOptions)

    def register(self) -> None:
        """Tell the queue who makes reports. Call before it runs."""
        jobs = self.maker.jobs
        jobs.handle(JOB, self.report_round, retry_waits_s=RETRY_WAITS_S)
        jobs.every(SERIES, self.options.every_s, self.run_once)

    async def report_round(self, job: Job) -> None:
        """Make the report of a round that is over; repeat it as often as you like.

        Raises:
            NotKept: the disk did not take its page; its figures are kept.
        """
        round_id = int(str(job.args["round"]))
        try:
            await self._keep_papers(await self.maker.make_round(_HUB, round_id))
        except NotFound:
            log.info("patrol round %s is gone: no report", round_id)
        except Conflict as error:
            if not await self._mend_signed(round_id):
                log.info("no report of patrol round %s: %s", round_id, error)

    async def run_once(self) -> None:
        """Make what is due: pages of rounds that failed, reports of nights, weeks and months."""
        now = self.maker.clock()
        async with self.maker.database.transaction() as tx:
            for number in await patrol_reports.rounds_without_report(tx, _HUB, now - ROUNDS_BACK):
                await defer_report(tx, self.maker.jobs, number)
        for period, first in self._due(now):
            since, until = periods.bounds(period, first, self.maker.zone)
            async with self.maker.database.transaction() as tx:
                active = await patrol_figures.active_areas(tx, _HUB, since, min(until, now))
            for area_id, ended_at in active:
                await self._make_if_due(period, area_id, first, ended_at)

    def _due(self, now: datetime) -> Iterator[tuple[Period, date]]:
        """Periods whose report should be there by now, by their first night, the oldest first."""
        zone, last = self.maker.zone, periods.night_of(now, self.maker.zone)
        nights = [last - timedelta(days=back) for back in range(NIGHTS_BACK, -1, -1)]
        for period in (Period.NIGHT, Period.WEEK, Period.MONTH):
            firsts = sorted({periods.first_night_of(period, night) for night in nights})
            for first in firsts:
                end = periods.last_night_of(period, first)
                if now >= periods.ready_at(end, zone, self.options.ready_by):
                    yield period, first

    async def _make_if_due(
        self, period: Period, area_id: int, first: date, ended_at: datetime | None
    ) -> None:
        """Make a report that is not there, or was made before its time or a round of it ended."""
        new = self.maker.name_period(period, area_id, first)
        now = self.maker.clock()
        async with self.maker.database.transaction() as tx:
            kept = await patrol_reports.find_report(tx, _HUB, new)
        if kept is not None:
            is_early = kept.made_at < new.ends_at <= now
            is_behind = ended_at is not None and kept.made_at <= ended_at
            if kept.signed_at is not None or not (is_early or is_behind):
                return
        try:
            report = await self.maker.make_period(_HUB, period, area_id, first)
            await self._keep_papers(report)
        except NotKept as error:
            log.warning("the page of the %s report of area %s: %s", period, area_id, error)
        except (Conflict, NotFound) as error:  # signed or gone in this very moment
            log.info("no %s report of area %s: %s", period, area_id, error)

    async def _mend_signed(self, round_id: int) -> bool:
        """Make the lost page of a signed report again; False when there is no such report."""
        async with self.maker.database.transaction() as tx:
            walk = await rounds.get_round(tx, _HUB, round_id)
            if walk.started_at is None or not walk.is_over:
                return False
            kept = await patrol_reports.find_report(tx, _HUB, name_round(walk))
        if kept is None:
            return False
        await self._keep_papers(kept)
        return True

    async def _keep_papers(self, report: KeptReport) -> None:
        """Keep the page (raises NotKept) and, where this machine can make it, the PDF."""
        await self.maker.keep_page(report)
        if not self.options.has_pdf:
            return
        try:
            await self.maker.papers.pdf(report)
        except (PdfLacking, PdfFailed) as error:
            log.info("no PDF of report %s: %s", report.id, error)


async def defer_report(tx: Transaction, jobs: Jobs, round_id: int) -> None:
    """Have the report of a round made; a job too many makes the same one again."""
    mark = f"{JOB}:{round_id:d}"
    await jobs.defer(tx, JOB, {"round": round_id}, lock=mark, once=mark)


_HUB: Final = system_scope("hub.patrols")
