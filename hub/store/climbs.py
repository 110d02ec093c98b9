"""Where alerts stand in the policies by which they climb."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.alerts import AlertStatus, Step
from hub.domain.escalations import Climb
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_CLIMBING: Final[LiteralString] = (
    "SELECT c.alert_id, c.policy_id, c.step, c.repeat, c.due_at, c.since,"
    " a.path::text AS area_path, x.status, x.folded_into IS NOT NULL AS is_folded,"
    " x.quiet_until, x.acknowledge_by, x.resolve_by"
    " FROM climbs c JOIN alerts x ON x.id = c.alert_id JOIN areas a ON a.id = x.area_id"
    " JOIN policies p ON p.id = c.policy_id WHERE "
)
# Whoever acknowledges an alert waits until it is told, or is seen here. What another process
# holds is left to it.
_HELD: Final[LiteralString] = (
    " ORDER BY c.due_at, c.alert_id, c.policy_id LIMIT %(limit)s"
    " FOR NO KEY UPDATE OF c, x SKIP LOCKED"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimbingAlert:
    """A climb, and what counts of its alert."""

    climb: Climb
    area_path: str
    status: AlertStatus
    is_folded: bool
    quiet_until: datetime | None
    acknowledge_by: datetime | None
    resolve_by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """A line for the history of an alert: who was told, and why."""

    alert_id: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    alert_id: int
    policy_id: int
    step: int
    repeat: int
    due_at: datetime
    since: datetime
    area_path: str
    status: str
    is_folded: bool
    quiet_until: datetime | None
    acknowledge_by: datetime | None
    resolve_by: datetime | None

    def climbing(self) -> ClimbingAlert:
        return ClimbingAlert(
            climb=Climb(
                alert_id=self.alert_id,
                policy_id=self.policy_id,
                step=self.step,
                repeat=self.repeat,
                due_at=self.due_at,
                since=self.since,
            ),
            area_path=self.area_path,
            status=AlertStatus(self.status),
            is_folded=self.is_folded,
            quiet_until=self.quiet_until,
            acknowledge_by=self.acknowledge_by,
            resolve_by=self.resolve_by,
        )


async def start_climbs(tx: Transaction, scope: Scope, climbs: Sequence[Climb]) -> None:
    """Begin climbing, anew where one was under way already.

    A deadline to acknowledge that comes before the first step brings it forward.
    """
    await tx.execute(
        "INSERT INTO climbs (alert_id, policy_id, step, repeat, due_at, since)"
        " SELECT x.id, k.policy_id, k.step, k.repeat,"
        " CASE WHEN x.acknowledge_by > k.since THEN least(k.due_at, x.acknowledge_by)"
        " ELSE k.due_at END, k.since FROM unnest(%(alerts)s::bigint[], %(policies)s::bigint[],"
        " %(steps)s::int[], %(repeats)s::int[], %(due)s::timestamptz[],"
        " %(since)s::timestamptz[]) AS k (alert_id, policy_id, step, repeat, due_at, since)"
        " JOIN alerts x ON x.id = k.alert_id JOIN areas a ON a.id = x.area_id WHERE"
        + IN_SCOPE
        + "ON CONFLICT (alert_id, policy_id) DO UPDATE SET step = excluded.step,"
        " repeat = excluded.repeat, due_at = excluded.due_at, since = excluded.since",
        {**_columns(climbs), "scope": scope_paths(scope)},
    )


async def due_climbs(
    tx: Transaction, scope: Scope, now: datetime, *, limit: int
) -> list[ClimbingAlert]:
    """Those that are due, the longest overdue first; nobody else gets them until this ends."""
    rows = await tx.fetch(
        _Row,
        _CLIMBING + "c.due_at <= %(now)s AND" + IN_SCOPE + _HELD,
        {"now": now, "limit": limit, "scope": scope_paths(scope)},
    )
    return [row.climbing() for row in rows]


async def unsettled_climbs(
    tx: Transaction, scope: Scope, now: datetime, *, limit: int
) -> list[ClimbingAlert]:
    """Those that what became of their alert ends or puts off.

    It is resolved, folded or taken; it is quiet; or a wait began in the future: somebody ended
    the quiet early, or our clock was set back. Five seconds are left for clocks of several
    machines that differ.
    """
    rows = await tx.fetch(
        _Row,
        _CLIMBING + "(x.status = 'resolved' OR x.folded_into IS NOT NULL"
        " OR (x.status <> 'firing' AND p.until = 'acknowledged' AND c.step >= 0)"
        " OR x.quiet_until > c.since OR (c.step >= 0 AND c.since > %(now)s + interval '5 s'"
        "  AND (x.quiet_until IS NULL OR x.quiet_until < c.since))) AND" + IN_SCOPE + _HELD,
        {"now": now, "limit": limit, "scope": scope_paths(scope)},
    )
    return [row.climbing() for row in rows]


async def climbs_of(tx: Transaction, scope: Scope, alert_ids: Sequence[int]) -> list[ClimbingAlert]:
    """Every climb of these alerts of the scope."""
    rows = await tx.fetch(
        _Row,
        _CLIMBING
        + "c.alert_id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY c.alert_id, c.policy_id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )
    return [row.climbing() for row in rows]


async def put_climbs(tx: Transaction, scope: Scope, climbs: Sequence[Climb]) -> None:
    """Note where climbs that are under way stand now."""
    if not climbs:
        return
    await tx.execute(
        "UPDATE climbs c SET step = k.step, repeat = k.repeat, due_at = k.due_at, since = k.since"
        " FROM unnest(%(alerts)s::bigint[], %(policies)s::bigint[], %(steps)s::int[],"
        " %(repeats)s::int[], %(due)s::timestamptz[], %(since)s::timestamptz[])"
        " AS k (alert_id, policy_id, step, repeat, due_at, since)"
        " JOIN alerts x ON x.id = k.alert_id JOIN areas a ON a.id = x.area_id"
        " WHERE c.alert_id = k.alert_id AND c.policy_id = k.policy_id AND" + IN_SCOPE,
        {**_columns(climbs), "scope": scope_paths(scope)},
    )


async def end_climbs(tx: Transaction, scope: Scope, climbs: Sequence[Climb]) -> None:
    """Forget climbs that are over."""
    if not climbs:
        return
    await tx.execute(
        "DELETE FROM climbs c USING unnest(%(alerts)s::bigint[], %(policies)s::bigint[])"
        " AS k (alert_id, policy_id) JOIN alerts x ON x.id = k.alert_id"
        " JOIN areas a ON a.id = x.area_id"
        " WHERE c.alert_id = k.alert_id AND c.policy_id = k.policy_id AND" + IN_SCOPE,
        {**_columns(climbs), "scope": scope_paths(scope)},
    )


async def next_climb_at(tx: Transaction, scope: Scope) -> datetime | None:
    """When the next one is due, None when nothing climbs."""
    return await tx.scalar(
        datetime,
        "SELECT c.due_at FROM climbs c JOIN alerts x ON x.id = c.alert_id"
        " JOIN areas a ON a.id = x.area_id WHERE" + IN_SCOPE + "ORDER BY c.due_at LIMIT 1",
        {"scope": scope_paths(scope)},
    )


async def note_escalations(
    tx: Transaction, scope: Scope, steps: Sequence[EscalationStep], now: datetime
) -> list[int]:
    """Add these lines to the histories, in this order; return their numbers."""
    if not steps:
        return []
    rows = await tx.tuples(
        "INSERT INTO alert_steps (alert_id, at, actor, step, note)"
        " SELECT x.id, %(now)s, %(actor)s, %(step)s, k.note"
        " FROM unnest(%(alerts)s::bigint[], %(notes)s::text[]) WITH ORDINALITY"
        " AS k (alert_id, note, position) JOIN alerts x ON x.id = k.alert_id"
        " JOIN areas a ON a.id = x.area_id WHERE" + IN_SCOPE + "ORDER BY k.position RETURNING id",
        {
            "alerts": [step.alert_id for step in steps],
            "notes": [step.note for step in steps],
            "now": now,
            "actor": scope.actor,
            "step": Step.ESCALATED,
            "scope": scope_paths(scope),
        },
    )
    return [int(str(number)) for (number,) in rows]


def _columns(climbs: Sequence[Climb]) -> dict[str, object]:
    return {
        "alerts": [climb.alert_id for climb in climbs],
        "policies": [climb.policy_id for climb in climbs],
        "steps": [climb.step for climb in climbs],
        "repeats": [climb.repeat for climb in climbs],
        "due": [climb.due_at for climb in climbs],
        "since": [climb.since for climb in climbs],
    }
