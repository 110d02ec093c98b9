"""Opens, folds and closes alerts, many in one statement: the alert engine's side of them.

Every function here is called inside a transaction that holds the engine's cursor (see
:func:`hub.store.cursors.get_cursor`). What changes is decided before; numbers are taken first,
so that alerts, their steps and what counts in what are known before anything is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import Rule, RuleState, Step
from hub.domain.conditions import DeviceDegraded, DeviceOffline, EventOfKind
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An alert to open. ``drill`` is the name of the exercise it belongs to."""

    rule: Rule
    state: RuleState
    at: datetime
    reason: str
    event_id: int | None = None
    drill_id: int | None = None
    drill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """A row to insert. Without an event it points at the last one that tells of its cause."""

    id: int
    opening: Opening
    subject: str
    reason: str
    folded_into: int | None = None
    is_storm: bool = False
    folded: int = 0
    resolved_at: datetime | None = None
    resolution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An alert to resolve."""

    alert_id: int
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refold:
    """What an alert counts in from now on, None: it stands by itself again."""

    alert_id: int
    folded_into: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many counted in an alert so far; a storm says so in its reason, too."""

    alert_id: int
    folded: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A line of an alert's history; the scope's actor signs it."""

    id: int
    alert_id: int
    at: datetime
    step: Step
    note: str


async def take_numbers(
    tx: Transaction, scope: Scope, *, alerts: int, steps: int
) -> tuple[list[int], list[int]]:
    """Numbers for alerts and steps to insert, in order; some may be left out for ever."""
    del scope  # numbers say nothing
    rows = await tx.tuples(
        "SELECT 'a', nextval(pg_get_serial_sequence('alerts', 'id'))"
        " FROM generate_series(1, %(alerts)s) UNION ALL"
        " SELECT 's', nextval(pg_get_serial_sequence('alert_steps', 'id'))"
        " FROM generate_series(1, %(steps)s)",
        {"alerts": alerts, "steps": steps},
    )
    numbers: Mapping[str, list[int]] = {"a": [], "s": []}
    for kind, number in rows:
        numbers[str(kind)].append(int(str(number)))
    return sorted(numbers["a"]), sorted(numbers["s"])


async def close_alerts(tx: Transaction, scope: Scope, closings: Sequence[Closing]) -> list[int]:
    """Resolve those of these alerts of the scope that are open; return which."""
    if not closings:
        return []
    rows = await tx.tuples(
        "UPDATE alerts x SET status = 'resolved', resolved_at = greatest(n.at, x.fired_at),"
        " resolved_by = %(actor)s, resolution = n.reason FROM unnest(%(ids)s::bigint[],"
        " %(at)s::timestamptz[], %(reasons)s::text[]) AS n (id, at, reason), areas a"
        " WHERE x.id = n.id AND a.id = x.area_id AND x.status <> 'resolved' AND"
        + IN_SCOPE
        + "RETURNING x.id",
        {
            "ids": [c.alert_id for c in closings],
            "at": [c.at for c in closings],
            "reasons": [c.reason for c in closings],
            "actor": scope.actor,
            "scope": scope_paths(scope),
        },
    )
    return [int(str(number)) for (number,) in rows]


async def insert_alerts(tx: Transaction, scope: Scope, rows: Sequence[NewAlert]) -> None:
    """Store alerts under the numbers they were given. Only the hub itself may.

    Their deadlines are those of the nearest area up the tree that has some for the severity.
    """
    if scope.paths is not None or not rows:
        return
    openings = [row.opening for row in rows]
    await tx.execute(
        "WITH n AS (SELECT * FROM unnest(%(ids)s::bigint[], %(rules)s::bigint[],"
        " %(subjects)s::text[], %(conditions)s::text[], %(severities)s::text[],"
        " %(areas)s::bigint[], %(devices)s::bigint[], %(points)s::bigint[], %(channels)s::text[],"
        " %(events)s::bigint[], %(kinds)s::text[], %(values)s::float8[], %(reasons)s::text[],"
        " %(since)s::timestamptz[], %(at)s::timestamptz[], %(resolved_at)s::timestamptz[],"
        " %(resolutions)s::text[], %(into)s::bigint[], %(storms)s::boolean[],"
        " %(folded)s::integer[], %(drills)s::bigint[]) AS n (id, rule_id, subject, condition,"
        " severity, area_id, device_id, point_id, channel, event_id, kind, value, reason,"
        " started_at, fired_at, resolved_at, resolution, folded_into, is_storm, folded,"
        " drill_id)),"
        " due AS (SELECT p.area_id, p.severity, t.acknowledge_s, t.resolve_s, t.yellow_share"
        " FROM (SELECT DISTINCT area_id, severity FROM n) AS p JOIN areas a ON a.id = p.area_id"
        " CROSS JOIN LATERAL (SELECT l.* FROM deadlines l JOIN areas la ON la.id = l.area_id"
        "  WHERE la.path @> a.path AND l.severity = p.severity"
        "  ORDER BY nlevel(la.path) DESC LIMIT 1) AS t)"
        " INSERT INTO alerts (id, rule_id, subject, condition, severity, status, area_id,"
        " device_id, device_name, point_id, point, unit, channel, event_id, value, reason,"
        " started_at, fired_at, resolved_at, resolved_by, resolution, folded_into, is_storm,"
        " folded, drill_id, acknowledge_by, resolve_by, yellow_share)"
        " OVERRIDING SYSTEM VALUE SELECT n.id, n.rule_id, n.subject, n.condition, n.severity,"
        " CASE WHEN n.resolved_at IS NULL THEN 'firing' ELSE 'resolved' END, n.area_id,"
        " n.device_id, coalesce(d.name, ''), n.point_id, coalesce(p.key, ''),"
        " coalesce(p.unit, ''), n.channel, coalesce(n.event_id, CASE WHEN n.kind IS NOT NULL"
        "  THEN (SELECT e.id FROM events e WHERE e.device_id = n.device_id AND e.kind = n.kind"
        "        ORDER BY e.at DESC LIMIT 1) END), n.value, n.reason, n.started_at, n.fired_at,"
        " greatest(n.resolved_at, CASE WHEN n.resolved_at IS NOT NULL THEN n.fired_at END),"
        " CASE WHEN n.resolved_at IS NULL THEN '' ELSE %(actor)s END, n.resolution,"
        " n.folded_into, n.is_storm, n.folded, n.drill_id,"
        " n.fired_at + due.acknowledge_s * interval '1 s',"
        " n.fired_at + due.resolve_s * interval '1 s', coalesce(due.yellow_share, 0.25)"
        " FROM n LEFT JOIN due ON due.area_id = n.area_id AND due.severity = n.severity"
        " LEFT JOIN devices d ON d.id = n.device_id LEFT JOIN points p ON p.id = n.point_id"
        " ORDER BY n.id",
        {
            "ids": [row.id for row in rows],
            "rules": [o.rule.id for o in openings],
            "subjects": [row.subject for row in rows],
            "conditions": [o.rule.condition.type for o in openings],
            "severities": [o.rule.severity for o in openings],
            "areas": [o.state.area_id for o in openings],
            "devices": [o.state.device_id for o in openings],
            "points": [o.state.point_id for o in openings],
            "channels": [o.state.channel for o in openings],
            "events": [o.event_id for o in openings],
            "kinds": [_event_kind(o.rule) for o in openings],
            "values": [o.state.value for o in openings],
            "reasons": [row.reason for row in rows],
            "since": [o.state.since or o.at for o in openings],
            "at": [o.at for o in openings],
            "resolved_at": [row.resolved_at for row in rows],
            "resolutions": [row.resolution for row in rows],
            "into": [row.folded_into for row in rows],
            "storms": [row.is_storm for row in rows],
            "folded": [row.folded for row in rows],
            "drills": [o.drill_id for o in openings],
            "actor": scope.actor,
        },
    )


async def fold_alerts(
    tx: Transaction, scope: Scope, refolds: Sequence[Refold], tallies: Sequence[Tally]
) -> None:
    """Say what alerts count in from now on, and how many counted so far. Only the hub may.

    What counts in another does not climb by itself.
    """
    if scope.paths is not None:
        return
    if refolds:
        values = {
            "ids": [r.alert_id for r in refolds],
            "into": [r.folded_into for r in refolds],
        }
        await tx.execute(
            "UPDATE alerts x SET folded_into = n.folded_into FROM unnest(%(ids)s::bigint[],"
            " %(into)s::bigint[]) AS n (id, folded_into) WHERE x.id = n.id",
            values,
        )
        await tx.execute(
            "DELETE FROM climbs c USING unnest(%(ids)s::bigint[], %(into)s::bigint[])"
            " AS n (id, folded_into) WHERE c.alert_id = n.id AND n.folded_into IS NOT NULL",
            values,
        )
    if tallies:
        await tx.execute(
            "UPDATE alerts x SET folded = n.folded,"
            " reason = CASE WHEN x.is_storm THEN n.reason ELSE x.reason END"
            " FROM unnest(%(ids)s::bigint[], %(folded)s::integer[], %(reasons)s::text[])"
            " AS n (id, folded, reason) WHERE x.id = n.id",
            {
                "ids": [t.alert_id for t in tallies],
                "folded": [t.folded for t in tallies],
                "reasons": [t.reason for t in tallies],
            },
        )


async def add_steps(tx: Transaction, scope: Scope, steps: Sequence[NewStep]) -> None:
    """Note steps under the numbers they were given. Only the hub itself may."""
    if scope.paths is not None or not steps:
        return
    await tx.execute(
        "INSERT INTO alert_steps (id, alert_id, at, actor, step, note) OVERRIDING SYSTEM VALUE"
        " SELECT n.id, n.alert_id, n.at, %(actor)s, n.step, n.note FROM unnest(%(ids)s::bigint[],"
        " %(alerts)s::bigint[], %(at)s::timestamptz[], %(steps)s::text[], %(notes)s::text[])"
        " AS n (id, alert_id, at, step, note) ORDER BY n.id",
        {
            "ids": [s.id for s in steps],
            "alerts": [s.alert_id for s in steps],
            "at": [s.at for s in steps],
            "steps": [s.step for s in steps],
            "notes": [s.note for s in steps],
            "actor": scope.actor,
        },
    )


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
