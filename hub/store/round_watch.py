"""Which patrol rounds need somebody: late, out of time, without a job, or with nobody looking."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# A clock that was set back must not keep a round waiting until it has caught up.
_IDLE: Final = (
    " NOT coalesce(r.touched_at, r.planned_at) BETWEEN %(since)s AND %(now)s"
    " AND r.planned_at <= %(now)s "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleGroup:
    """A group of a running round that should be looked at; ``is_waited_for``: by a person."""

    round_id: int
    group: int
    is_waited_for: bool


async def overdue_rounds(tx: Transaction, scope: Scope, now: datetime) -> list[int]:
    """Due rounds of the scope whose window is over, oldest first, at most 500."""
    rows = await tx.tuples(
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.state = 'due'"
        " AND r.planned_at + r.window_s * interval '1 second' < %(now)s AND"
        + IN_SCOPE
        + "ORDER BY r.planned_at, r.id LIMIT 500",
        {"now": now, "scope": scope_paths(scope)},
    )
    return _numbers(rows)


async def outlasted_rounds(tx: Transaction, scope: Scope, now: datetime) -> list[int]:
    """Rounds of the scope that still go on when their time is over, at most 500."""
    rows = await tx.tuples(
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.state IN ('running', 'paused') AND r.ends_by < %(now)s AND"
        + IN_SCOPE
        + "ORDER BY r.ends_by, r.id LIMIT 500",
        {"now": now, "scope": scope_paths(scope)},
    )
    return _numbers(rows)


async def idle_due_rounds(
    tx: Transaction, scope: Scope, now: datetime, idle: timedelta
) -> list[int]:
    """Rounds of the scope that should have begun and gave no sign of life for ``idle``.

    That they were returned counts as one.
    """
    rows = await tx.tuples(
        "UPDATE patrol_rounds r SET touched_at = %(now)s FROM areas a WHERE a.id = r.area_id"
        " AND r.state = 'due' AND" + _IDLE + "AND" + IN_SCOPE + "RETURNING r.id",
        {"now": now, "since": now - idle, "scope": scope_paths(scope)},
    )
    return _numbers(rows)


async def idle_groups(
    tx: Transaction, scope: Scope, now: datetime, idle: timedelta
) -> list[IdleGroup]:
    """Groups with something to look at, of rounds of the scope that gave no sign of life.

    Of a round that a person walks only those that were set out for, and the first. That they
    were returned counts as a sign of life.
    """
    return await tx.fetch(
        IdleGroup,
        "WITH idle AS (UPDATE patrol_rounds r SET touched_at = %(now)s FROM areas a"
        "  WHERE a.id = r.area_id AND r.state IN ('running', 'paused') AND"
        + _IDLE
        + "AND"
        + IN_SCOPE
        + "AND EXISTS (SELECT FROM patrol_stops s WHERE s.round_id = r.id"
        "   AND s.verdict = 'pending') RETURNING r.id, r.mode)"
        " SELECT i.id AS round_id, s.group_no AS group, i.mode = 'walk' AS is_waited_for"
        " FROM idle i JOIN patrol_stops s ON s.round_id = i.id"
        " GROUP BY i.id, i.mode, s.group_no"
        " HAVING bool_or(s.verdict = 'pending')"
        "  AND (i.mode <> 'walk' OR s.group_no = 0 OR bool_or(s.attempts > 0))"
        " ORDER BY i.id, s.group_no",
        {"now": now, "since": now - idle, "scope": scope_paths(scope)},
    )


async def queued_groups(tx: Transaction, scope: Scope, round_id: int, job: str) -> set[int]:
    """Groups of a round of the scope for which a ``job`` waits already; one may run beside it."""
    rows = await tx.tuples(
        "SELECT (j.args->>'group')::int FROM procrastinate_jobs j"
        " JOIN patrol_rounds r ON r.id = (j.args->>'round')::bigint"
        " JOIN areas a ON a.id = r.area_id WHERE j.status = 'todo' AND j.task_name = %(job)s"
        " AND r.id = %(round)s AND NOT j.args ? 'position' AND" + IN_SCOPE,
        {"job": job, "round": round_id, "scope": scope_paths(scope)},
    )
    return set(_numbers(rows))


def _numbers(rows: list[tuple[object, ...]]) -> list[int]:
    return [int(str(row[0])) for row in rows]
