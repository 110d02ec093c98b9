"""Until when nobody is told anew of an alert: what silences and snoozes come to.

Every writer holds the engine's cursor, so that no alert opens between a silence and its effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import Step
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Nobody is told of an alert until then, and why."""

    alert_id: int
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietState:
    """What is noted of one alert."""

    alert_id: int
    quiet_until: datetime | None
    quiet_reason: str
    snoozed_until: datetime | None
    snoozed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """An alert that is quiet no longer and must be told again: its step, and why."""

    alert_id: int
    step_id: int
    note: str


async def lengthen_quiet(
    tx: Transaction, scope: Scope, quiets: Sequence[Quiet], now: datetime
) -> list[int]:
    """Keep open alerts of the scope quiet at least so long; return those for which that is new."""
    return await _noted(tx, scope, quiets, now, only_longer=True)


async def set_quiet(
    tx: Transaction, scope: Scope, quiets: Sequence[Quiet], now: datetime
) -> list[int]:
    """Keep open alerts of the scope quiet exactly so long; return those that changed."""
    return await _noted(tx, scope, quiets, now, only_longer=False)


async def quiet_states(tx: Transaction, scope: Scope, alert_ids: Sequence[int]) -> list[QuietState]:
    """What is noted of those of these alerts that are open, by number."""
    return await tx.fetch(
        QuietState,
        "SELECT x.id AS alert_id, x.quiet_until, x.quiet_reason, x.snoozed_until, x.snoozed_by"
        " FROM alerts x JOIN areas a ON a.id = x.area_id WHERE x.id = ANY (%(ids)s)"
        " AND x.status <> 'resolved' AND" + IN_SCOPE + "ORDER BY x.id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )


async def open_alert_ids(tx: Transaction, scope: Scope, area_paths: Sequence[str]) -> list[int]:
    """The numbers of the open alerts of the scope in these areas and below them."""
    rows = await tx.tuples(
        "SELECT x.id FROM alerts x JOIN areas a ON a.id = x.area_id WHERE x.status <> 'resolved'"
        " AND a.path <@ ANY (%(paths)s::ltree[]) AND" + IN_SCOPE + "ORDER BY x.id",
        {"paths": list(area_paths), "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def due_quiet(tx: Transaction, scope: Scope, now: datetime, *, limit: int) -> list[int]:
    """The alerts whose quiet is over and not yet dealt with, the oldest first."""
    rows = await tx.tuples(
        "SELECT x.id FROM alerts x JOIN areas a ON a.id = x.area_id"
        " WHERE x.quiet_until <= %(now)s AND"
        + IN_SCOPE
        + "ORDER BY x.quiet_until, x.id LIMIT %(limit)s",
        {"now": now, "limit": limit, "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def next_quiet_end(tx: Transaction, scope: Scope) -> datetime | None:
    """When the next alert is quiet no longer, None when all may be told of."""
    return await tx.scalar(
        datetime,
        "SELECT x.quiet_until FROM alerts x JOIN areas a ON a.id = x.area_id"
        " WHERE x.quiet_until IS NOT NULL AND" + IN_SCOPE + "ORDER BY x.quiet_until LIMIT 1",
        {"scope": scope_paths(scope)},
    )


async def end_quiet(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], now: datetime
) -> list[Repeat]:
    """Let alerts be told of again, and note the step of those that must be: firing, not folded."""
    rows = await tx.tuples(
        "WITH before AS (SELECT x.id, x.quiet_reason FROM alerts x JOIN areas a ON a.id = x.area_id"
        "  WHERE x.id = ANY (%(ids)s) AND x.quiet_until <= %(now)s AND"
        + IN_SCOPE
        + " FOR UPDATE OF x),"
        " ended AS (UPDATE alerts x SET quiet_until = NULL, quiet_reason = '',"
        "  snoozed_until = NULL, snoozed_by = '' FROM before b WHERE x.id = b.id"
        "  RETURNING x.id, x.status = 'firing' AND x.folded_into IS NULL AS is_told,"
        "  b.quiet_reason)"
        " INSERT INTO alert_steps (alert_id, at, actor, step, note)"
        " SELECT id, %(now)s, %(actor)s, %(step)s, 'no longer ' || quiet_reason FROM ended"
        " WHERE is_told ORDER BY id RETURNING alert_id, id, note",
        {
            "ids": list(alert_ids),
            "now": now,
            "actor": scope.actor,
            "step": Step.REPEATED,
            "scope": scope_paths(scope),
        },
    )
    return [Repeat(alert_id=int(str(a)), step_id=int(str(s)), note=str(n)) for a, s, n in rows]


async def _noted(
    tx: Transaction, scope: Scope, quiets: Sequence[Quiet], now: datetime, *, only_longer: bool
) -> list[int]:
    """Write, and note a step where it is longer than before."""
    if not quiets:
        return []
    rows = await tx.tuples(
        "WITH wanted AS (SELECT x.id, x.quiet_until AS was, k.until, k.reason"
        "  FROM unnest(%(ids)s::bigint[], %(until)s::timestamptz[], %(reasons)s::text[])"
        "  AS k (id, until, reason) JOIN alerts x ON x.id = k.id JOIN areas a ON a.id = x.area_id"
        "  WHERE x.status <> 'resolved' AND (x.quiet_until IS DISTINCT FROM k.until)"
        "  AND (NOT %(only_longer)s OR x.quiet_until IS NULL OR x.quiet_until < k.until) AND"
        + IN_SCOPE
        + "),"
        " changed AS (UPDATE alerts x SET quiet_until = w.until, quiet_reason = w.reason"
        "  FROM wanted w WHERE x.id = w.id RETURNING x.id, w.was, w.until, w.reason),"
        " noted AS (INSERT INTO alert_steps (alert_id, at, actor, step, note)"
        "  SELECT id, %(now)s, %(actor)s, %(step)s, reason || ' (until '"
        "  || to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC') || ')' FROM changed"
        "  WHERE until > coalesce(was, %(now)s) ORDER BY id)"
        " SELECT id FROM changed ORDER BY id",
        {
            "ids": [quiet.alert_id for quiet in quiets],
            "until": [quiet.until for quiet in quiets],
            "reasons": [quiet.reason for quiet in quiets],
            "only_longer": only_longer,
            "now": now,
            "actor": scope.actor,
            "step": Step.SILENCED,
            "scope": scope_paths(scope),
        },
    )
    return [int(str(number)) for (number,) in rows]
