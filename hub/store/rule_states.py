"""What rules remember: the alert engine's own table.

Every function here is called by the engine alone, inside a transaction that holds its cursor's
row (see :func:`hub.store.cursors.get_cursor`): two engines take turns and never double.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import Phase, RuleState
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_STATE = (
    "r.rule_id, r.subject, r.area_id, r.device_id, r.point_id, r.channel, r.phase, r.since,"
    " r.due_at, r.value, r.alert_id, r.memory "
)


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
    """The states whose timer rings, the longest overdue first. Only the hub itself may ask."""
    if scope.paths is not None:
        return []
    rows = await tx.fetch(
        RuleState,
        "SELECT " + _STATE + "FROM rule_states r WHERE r.due_at <= %(now)s"
        " ORDER BY r.due_at, r.rule_id, r.subject LIMIT %(limit)s",
        {"now": now, "limit": limit},
    )
    return [_typed(row) for row in rows]


async def next_due_at(tx: Transaction, scope: Scope) -> datetime | None:
    """When the next timer rings, None when none is set. Only the hub itself may ask."""
    if scope.paths is not None:
        return None
    return await tx.scalar(datetime, "SELECT min(due_at) FROM rule_states WHERE due_at IS NOT NULL")


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
            " phase, since, due_at, value, alert_id, memory) SELECT n.rule, n.subject, n.area,"
            " n.device, n.point, n.channel, n.phase, n.since, n.due, n.value, n.alert,"
            " n.memory::jsonb FROM unnest(%(rules)s::bigint[],"
            "  %(subjects)s::text[], %(areas)s::bigint[], %(devices)s::bigint[],"
            "  %(points)s::bigint[], %(channels)s::text[], %(phases)s::text[],"
            "  %(since)s::timestamptz[], %(due)s::timestamptz[], %(values)s::float8[],"
            "  %(alerts)s::bigint[], %(memories)s::text[]) AS n (rule, subject, area, device,"
            "  point, channel, phase, since, due, value, alert, memory)"
            " ON CONFLICT (rule_id, subject) DO UPDATE SET"
            " phase = excluded.phase, area_id = excluded.area_id, since = excluded.since,"
            " due_at = excluded.due_at, value = excluded.value, alert_id = excluded.alert_id,"
            " memory = excluded.memory",
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
                "memories": [json.dumps(dict(s.memory)) if s.memory else "{}" for s in kept],
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
    """States that nothing can end any more: the rule is off, the device gone or moved away.

    Drills are not asked what a rule is narrowed to; those that are over leave none.
    """
    rows = await tx.fetch(
        RuleState,
        "SELECT " + _STATE + "FROM rule_states r JOIN rules u ON u.id = r.rule_id"
        " JOIN areas ua ON ua.id = u.area_id JOIN areas a ON a.id = r.area_id"
        " LEFT JOIN devices d ON d.id = r.device_id LEFT JOIN areas da ON da.id = d.area_id"
        " LEFT JOIN alerts x ON x.id = r.alert_id LEFT JOIN drills e ON e.id = x.drill_id"
        " WHERE (u.removed_at IS NOT NULL OR NOT u.is_enabled"
        " OR NOT coalesce(da.path, a.path) <@ ua.path"
        " OR (r.device_id IS NOT NULL AND coalesce(d.registration, '') <> 'approved')"
        " OR e.ended_at IS NOT NULL"
        " OR (r.device_id IS NOT NULL AND position('/mark:drill:' IN r.subject) = 0"
        "  AND ((u.classes <> '{}' AND d.class <> ALL (u.classes))"
        "   OR (u.tags <> '{}' AND NOT d.tags && u.tags)))) AND" + IN_SCOPE + "LIMIT %(limit)s",
        {"limit": limit, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


def _typed(row: RuleState) -> RuleState:
    return replace(row, phase=Phase(row.phase))
