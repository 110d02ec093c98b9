"""Sends word of a report to the receivers that its plans name; the report itself stays here.

The word holds counts and an address behind the hub's login: nothing that a stranger could use.
"""

import logging
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from hub.domain.access import system_scope
from hub.domain.errors import NotFound, Rejected
from hub.domain.notes import Note, SendNote
from hub.domain.patrol_reports import KeptReport, Period
from hub.domain.secrets import Secret
from hub.patrols.reporting import words
from hub.patrols.reporting.figures import Figures, parse_figures
from hub.runtime.jobs import Job, Jobs
from hub.store import patrol_reports
from hub.store.database import Database, Transaction

log = logging.getLogger(__name__)

SEND: Final = "patrols.send_report"
RETRY_WAITS_S: Final = (5.0, 30.0, 60.0, 300.0, 900.0, 1800.0)
PAGE: Final = "/api/v1/patrol-reports/{}/page"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSender:
    """Does the jobs of :data:`SEND`; ``link_base`` is the hub's public address, "" for none."""

    database: Database
    send_note: SendNote
    zone: tzinfo
    link_base: str = ""

    def register(self, jobs: Jobs) -> None:
        """Tell the queue who sends word of reports. Call before it runs."""
        jobs.handle(SEND, self.send, retry_waits_s=RETRY_WAITS_S)

    async def send(self, job: Job) -> None:
        """Send one word; raises TryAgain for the queue to repeat it."""
        number, receiver = int(str(job.args["report"])), int(str(job.args["receiver"]))
        try:
            async with self.database.transaction() as tx:
                report = await patrol_reports.get_report(tx, _HUB, number)
            await self.send_note(receiver, self._write(report))
        except NotFound as error:
            log.info("no word of report %s: %s", number, error)
        except Rejected as error:
            log.warning("word of report %s was refused by receiver %s: %s", number, receiver, error)

    def _write(self, report: KeptReport) -> Note:
        figures = parse_figures(report.figures or {})
        begin = words.day_time(report.starts_at, self.zone)
        if report.period is not Period.ROUND:  # a night is called by the date of its evening
            begin = begin.partition(" ")[0]
        title = f"零点夜查{words.PERIOD_NAMES[report.period]}: {report.area_name} {begin}"
        link = Secret(self.link_base + PAGE.format(report.id) if self.link_base else "")
        return Note(title=title, text="\n".join(summarise(figures)), link=link)


async def defer_sending(tx: Transaction, jobs: Jobs, report: KeptReport) -> None:
    """Have word of a new report sent to everybody whom its rounds' plans name."""
    for receiver in await patrol_reports.receivers_of(tx, _HUB, report):
        await jobs.defer(tx, SEND, {"report": report.id, "receiver": receiver})


def summarise(figures: Figures) -> list[str]:
    """What matters first, a line each, in both languages."""
    stops, calls, tasks = figures.stops, figures.calls, figures.tasks
    lines = [f"完成率 Completion {words.percent(stops.completion)} ({stops.seen}/{stops.planned})"]
    if figures.rounds.missed:
        lines.insert(0, f"漏查轮次 Rounds missed: {figures.rounds.missed}")
    lines.append(f"异常 Abnormal: {stops.abnormal}, 未判 not judged: {stops.not_judged}")
    if calls.asked:
        lines.append(f"值班室应答 Duty rooms answered: {calls.answered}/{calls.asked}")
    if tasks.overdue:
        lines.append(f"超期派单 Overdue tasks: {tasks.overdue}")
    return lines


_HUB: Final = system_scope("hub.patrols")
