"""The points ledger of reporters, where a site gives points: lines are only ever added."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.store import audit
from hub.store.citizen_reports import get_report
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_POINTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one reporter has; ``reporter`` is an officer's name or a pseudonym."""

    reporter: str
    reports: int
    points: int


async def give_points(
    tx: Transaction, scope: Scope, report_id: int, points: int, reason: str, *, now: datetime
) -> None:
    """Give points for a report of the scope, or take them back (negative).

    Raises:
        NotFound: the report lies outside the scope.
        Invalid: the number is out of its range, or nobody stands behind the report.
    """
    report = await get_report(tx, scope, report_id)
    if not report.reporter:
        msg = "the reporter left no contact: there is nobody to give points to"
        raise Invalid(msg, field="points")
    if points == 0 or abs(points) > MOST_POINTS or report.points + points < 0:
        msg = f"points are 1 to {MOST_POINTS}, or as many to take back as were given"
        raise Invalid(msg, field="points")
    await tx.execute(
        "INSERT INTO report_points (report_id, reporter, points, reason, given_by, at)"
        " VALUES (%(report)s, %(reporter)s, %(points)s, %(reason)s, %(by)s, %(now)s)",
        {
            "report": report_id,
            "reporter": report.reporter,
            "points": points,
            "reason": reason,
            "by": scope.actor,
            "now": now,
        },
    )
    deed = audit.Deed(
        action="citizen_report.points_given",
        object_type="citizen_report",
        object_id=str(report_id),
        area_id=report.area_id,
    )
    await audit.record(tx, scope, deed, {"points": points, "reason": reason})


async def best_reporters(tx: Transaction, scope: Scope, *, limit: int = 50) -> list[Standing]:
    """Who has the most points for reports of the scope."""
    return await tx.fetch(
        Standing,
        "SELECT g.reporter, count(DISTINCT g.report_id) AS reports, sum(g.points)::int AS points"
        " FROM report_points g JOIN citizen_reports c ON c.id = g.report_id"
        " JOIN areas a ON a.id = c.area_id WHERE"
        + IN_SCOPE
        + "GROUP BY g.reporter ORDER BY points DESC, g.reporter LIMIT %(limit)s",
        {"limit": limit, "scope": scope_paths(scope)},
    )
