"""What rules remember, and the alerts they open and close: the alert engine's own tables.

Every function here is called by the engine alone, inside a transaction that holds its cursor's
row (see :func:`hub.store.cursors.get_cursor`): two engines take turns and never double.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import Phase, Rule, RuleState, Step
from hub.domain.conditions import DeviceDegraded, DeviceOffline, EventOfKind
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_STATE = (
    "r.rule_id, r.subject, r.area_id, r.device_id, r.point_id, r.channel, r.phase, r.since,"
    " r.due_at, r.value, r.alert_id "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An alert to open; the scope's actor signs the step."""

    rule: Rule
    state: RuleState
    at: datetime
    reason: str
    event_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAlert:
    """The alert and its first step; ``is_new`` is False when it was open already."""

    alert_id: int
    step_id: int
    is_new: bool


async def load_states(
    tx: Transaction, scope: Scope, keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], RuleState]:
    """What is remembered of these (rule, subject) pairs; clear ones are absent."""
    rows = await tx.fetch(
        RuleState,
        "SELECT " + _STATE + "FROM rule_states r"
        " JOIN unnest(%(rules)s::bigint[], %(subjects)s::text[]) AS k (rule_id, subject)"
        " USING (rule_id, subject) JOIN areas a ON a.id = r.area_id WHERE" + IN_SCOPE,
        {
            "rules": [rule_id for rule_id, _ in keys],
            "subjects": [subject for _, subject in keys],
            "scope": scope_paths(scope),
        },
    )
    return {(row.rule_id, row.subject): _typed(row) for row in rows}


async def due_states(
    tx: Transaction, scope: Scope, now: datetime, *, limit: int = 200
) -> list[RuleState]:
    """The states whose timer rings, the longest overdue first."""
    rows = await tx.fetch(
        RuleState,
        "SELECT " + _STATE + "FROM rule_states r JOIN areas a ON a.id = r.area_id"
        " WHERE r.due_at <= %(now)s AND" + IN_SCOPE + "ORDER BY r.due_at LIMIT %(limit)s",
        {"now": now, "limit": limit, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def next_due_at(tx: Transaction, scope: Scope) -> datetime | None:
    """When the next timer rings, None when none is set."""
    return await tx.scalar(
        datetime,
        "SELECT min(r.due_at) FROM rule_states r JOIN areas a ON a.id = r.area_id"
        " WHERE r.due_at IS NOT NULL AND" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )


async def point_states(tx: Transaction, scope: Scope) -> list[RuleState]:
    """Everything remembered about points: what the engine keeps in memory to skip readings."""
    rows = await tx.fetch(
        RuleState,
        "SELECT " + _STATE + "FROM rule_states r JOIN areas a ON a.id = r.area_id"
        " WHERE r.point_id IS NOT NULL AND" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def put_states(tx: Transaction, scope: Scope, states: Sequence[RuleState]) -> None:
    """Remember; CLEAR is forgotten. Only the hub itself may."""
    if scope.paths is not None:
        return
    gone = [state for state in states if state.phase is Phase.CLEAR]
    kept = [state for state in states if state.phase is not Phase.CLEAR]
    if gone:
        await tx.execute(
            "DELETE FROM rule_states r USING"
            " unnest(%(rules)s::bigint[], %(subjects)s::text[]) AS k (rule_id, subject)"
            " WHERE r.rule_id = k.rule_id AND r.subject = k.subject",
            {"rules": [s.rule_id for s in gone], "subjects": [s.subject for s in gone]},
        )
    if kept:
        await tx.execute(
            "INSERT INTO rule_states (rule_id, subject, area_id, device_id, point_id, channel,"
            " phase, since, due_at, value, alert_id) SELECT * FROM unnest(%(rules)s::bigint[],"
            "  %(subjects)s::text[], %(areas)s::bigint[], %(devices)s::bigint[],"
            "  %(points)s::bigint[], %(channels)s::text[], %(phases)s::text[],"
            "  %(since)s::timestamptz[], %(due)s::timestamptz[], %(values)s::float8[],"
            "  %(alerts)s::bigint[]) ON CONFLICT (rule_id, subject) DO UPDATE SET"
            " phase = excluded.phase, area_id = excluded.area_id, since = excluded.since,"
            " due_at = excluded.due_at, value = excluded.value, alert_id = excluded.alert_id",
            {
                "rules": [s.rule_id for s in kept],
                "subjects": [s.subject for s in kept],
                "areas": [s.area_id for s in kept],
                "devices": [s.device_id for s in kept],
                "points": [s.point_id for s in kept],
                "channels": [s.channel for s in kept],
                "phases": [s.phase for s in kept],
                "since": [s.since for s in kept],
                "due": [s.due_at for s in kept],
                "values": [s.value for s in kept],
                "alerts": [s.alert_id for s in kept],
            },
        )


async def open_alert(tx: Transaction, scope: Scope, opening: Opening) -> OpenedAlert | None:
    """Open an alert and note its first step; None outside the scope.

    Without an event of its own, it points at the last event of the device that tells of its cause.
    """
    rule, state = opening.rule, opening.state
    rows = await tx.tuples(
        "WITH opened AS (INSERT INTO alerts (rule_id, subject, condition, severity, area_id,"
        " device_id, device_name, point_id, point, unit, channel, event_id, value, reason,"
        " started_at, fired_at)"
        " SELECT %(rule)s, %(subject)s, %(condition)s, %(severity)s, a.id, %(device)s,"
        " coalesce(d.name, ''), %(point)s, coalesce(p.key, ''), coalesce(p.unit, ''),"
        " %(channel)s, coalesce(%(event)s::bigint, CASE WHEN %(kind)s::text IS NOT NULL THEN"
        " (SELECT e.id FROM events e WHERE e.device_id = %(device)s AND e.kind = %(kind)s"
        "  ORDER BY e.at DESC LIMIT 1) END),"
        " %(value)s, %(reason)s, %(since)s, %(at)s FROM areas a"
        " LEFT JOIN devices d ON d.id = %(device)s LEFT JOIN points p ON p.id = %(point)s"
        " WHERE a.id = %(area)s AND" + IN_SCOPE + "ON CONFLICT (rule_id, subject)"
        " WHERE status <> 'resolved' DO NOTHING RETURNING id),"
        " noted AS (INSERT INTO alert_steps (alert_id, at, actor, step, note)"
        " SELECT id, %(at)s, %(actor)s, %(step)s, %(reason)s FROM opened RETURNING alert_id, id)"
        " SELECT alert_id, id, true FROM noted UNION ALL"
        " SELECT x.id, 0, false FROM alerts x WHERE x.rule_id = %(rule)s"
        " AND x.subject = %(subject)s AND x.status <> 'resolved'",
        {
            "rule": rule.id,
            "subject": state.subject,
            "condition": rule.condition.type,
            "severity": rule.severity,
            "area": state.area_id,
            "device": state.device_id,
            "point": state.point_id,
            "channel": state.channel,
            "event": opening.event_id,
            "kind": _event_kind(rule),
            "value": state.value,
            "reason": opening.reason,
            "since": state.since or opening.at,
            "at": opening.at,
            "actor": scope.actor,
            "step": Step.FIRED,
            "scope": scope_paths(scope),
        },
    )
    if not rows:
        return None
    alert_id, step_id, is_new = rows[0]
    return OpenedAlert(alert_id=int(str(alert_id)), step_id=int(str(step_id)), is_new=bool(is_new))


async def close_alert(
    tx: Transaction, scope: Scope, alert_id: int, *, at: datetime, reason: str
) -> int | None:
    """Resolve an open alert; return the number of the step, None when it was resolved already."""
    return await tx.scalar(
        int,
        "WITH closed AS (UPDATE alerts x SET status = 'resolved',"
        " resolved_at = greatest(%(at)s, x.fired_at), resolved_by = %(actor)s,"
        " resolution = %(reason)s FROM areas a WHERE a.id = x.area_id AND x.id = %(id)s"
        " AND x.status <> 'resolved' AND" + IN_SCOPE + "RETURNING x.id, x.resolved_at)"
        " INSERT INTO alert_steps (alert_id, at, actor, step, note)"
        " SELECT id, resolved_at, %(actor)s, %(step)s, %(reason)s FROM closed RETURNING id",
        {
            "id": alert_id,
            "at": at,
            "actor": scope.actor,
            "reason": reason,
            "step": Step.RESOLVED,
            "scope": scope_paths(scope),
        },
    )


async def restart_waits(tx: Transaction, scope: Scope, now: datetime) -> int:
    """Let waits that began in the future begin now; return how many.

    Our clock was set back: without this an alert would be late by as much. Five seconds are
    left for clocks of several machines that differ.
    """
    return await tx.execute(
        "UPDATE rule_states r SET due_at = %(now)s + (r.due_at - r.since), since = %(now)s"
        " FROM areas a WHERE a.id = r.area_id AND r.phase = 'pending' AND r.due_at IS NOT NULL"
        " AND r.since > %(now)s + interval '5 s' AND" + IN_SCOPE,
        {"now": now, "scope": scope_paths(scope)},
    )


async def unwatched_states(tx: Transaction, scope: Scope, *, limit: int = 200) -> list[RuleState]:
    """States that nothing can end any more: the rule is off, the device gone or moved away."""
    rows = await tx.fetch(
        RuleState,
        "SELECT " + _STATE + "FROM rule_states r JOIN rules u ON u.id = r.rule_id"
        " JOIN areas ua ON ua.id = u.area_id JOIN areas a ON a.id = r.area_id"
        " LEFT JOIN devices d ON d.id = r.device_id LEFT JOIN areas da ON da.id = d.area_id"
        " WHERE (u.removed_at IS NOT NULL OR NOT u.is_enabled"
        " OR NOT coalesce(da.path, a.path) <@ ua.path"
        " OR (r.device_id IS NOT NULL AND coalesce(d.registration, '') <> 'approved')) AND"
        + IN_SCOPE
        + "LIMIT %(limit)s",
        {"limit": limit, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


def _event_kind(rule: Rule) -> str | None:
    """The kind of the events that begin what a rule watches for."""
    match rule.condition:
        case DeviceOffline():
            return "device.offline"
        case DeviceDegraded():
            return "device.degraded"
        case EventOfKind(kind=kind):
            return kind
        case _:
            return None


def _typed(row: RuleState) -> RuleState:
    return replace(row, phase=Phase(row.phase))
