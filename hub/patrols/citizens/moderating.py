"""What moderators make of reports: a task, an answer, or neither.

A report that became a task is answered when the task is closed, or by hand at any time.
"""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.citizen_reports import CitizenReport, ReportState
from hub.domain.dispatches import Cause, Dispatch, NewDispatch, Priority, Source
from hub.domain.errors import Conflict, Invalid
from hub.patrols.dispatch.opening import open_dispatch
from hub.runtime.jobs import Jobs
from hub.store import citizen_reports
from hub.store.citizen_reports import Decision
from hub.store.database import Transaction

LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a moderator makes of a report; empty fields are as the reporter said."""

    title: str = ""
    text: str = ""
    kind: str = ""
    priority: Priority = Priority.NORMAL


async def make_task(
    tx: Transaction, scope: Scope, jobs: Jobs, report_id: int, task: Task, *, now: datetime
) -> Dispatch:
    """Open a task about a report of the scope.

    Raises:
        NotFound: the report lies outside the scope.
        Conflict: somebody decided already.
    """
    report = await citizen_reports.get_report(tx, scope, report_id)
    if report.state is not ReportState.NEW:
        msg = f"this report is {report.state.value} already, by {report.moderated_by}"
        raise Conflict(msg)
    new = NewDispatch(
        area_id=report.area_id,
        title=task.title or _title(report),
        text=task.text or report.text,
        kind=task.kind or report.kind,
        priority=task.priority,
        place=report.place,
        where=report.where,
        cause=Cause(source=Source.REPORT, report_id=report.id),
    )
    opened = await open_dispatch(tx, scope, jobs, new, now=now)
    decision = Decision(state=ReportState.DISPATCHED, dispatch_id=opened.id)
    await citizen_reports.decide(tx, scope, report_id, decision, now=now)
    return opened


async def answer(
    tx: Transaction, scope: Scope, report_id: int, text: str, *, now: datetime
) -> CitizenReport:
    """Tell the reporter something; he reads it by his key."""
    decision = Decision(state=ReportState.ANSWERED, answer=_said(text))
    return await citizen_reports.decide(tx, scope, report_id, decision, now=now)


async def reject(
    tx: Transaction, scope: Scope, report_id: int, reason: str, *, now: datetime
) -> CitizenReport:
    """Put a report aside that is no matter of ours; the reporter reads the reason."""
    decision = Decision(state=ReportState.REJECTED, answer=_said(reason))
    return await citizen_reports.decide(tx, scope, report_id, decision, now=now)


def _said(text: str) -> str:
    if not text.strip():
        msg = "say something: the reporter reads it"
        raise Invalid(msg, field="text")
    return text.strip()


def _title(report: CitizenReport) -> str:
    first = report.text.strip().splitlines()[0]
    return first if len(first) <= LONGEST_TITLE else first[: LONGEST_TITLE - 1] + "…"
