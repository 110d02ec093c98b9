"""The present as rules see it: which devices and points could change what a rule thinks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.conditions import Direction, PointBeyond
from hub.domain.devices import DeviceKind
from hub.domain.health import Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# A reading older than this (or than three of its intervals) says nothing of now.
_STALE = "greatest(interval '15 minutes', 3 * coalesce(p.expected_interval_s, 0) * interval '1 s')"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointPlace:
    """A point and the device it belongs to: all a rule asks about it."""

    point_id: int
    point: str
    device_id: int
    device_kind: DeviceKind
    area_id: int
    area_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentStatus:
    """A device whose present status may change what a rule thinks of it."""

    device_id: int
    area_id: int
    status: Status
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentValue:
    """A point whose present value may change what a rule thinks of it."""

    point_id: int
    device_id: int
    area_id: int
    value: float


async def device_kinds(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> dict[int, DeviceKind]:
    """The kinds of those of these devices that are approved: rules watch no others."""
    rows = await tx.tuples(
        "SELECT d.id, d.kind FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (%(ids)s) AND d.registration = 'approved' AND" + IN_SCOPE,
        {"ids": list(device_ids), "scope": scope_paths(scope)},
    )
    return {int(str(number)): DeviceKind(str(kind)) for number, kind in rows}


async def point_places(tx: Transaction, scope: Scope, point_ids: Sequence[int]) -> list[PointPlace]:
    """Where these points are; those of devices that are not approved are left out."""
    rows = await tx.fetch(
        PointPlace,
        "SELECT p.id AS point_id, p.key AS point, d.id AS device_id, d.kind AS device_kind,"
        " d.area_id, a.path::text AS area_path FROM points p JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id"
        " WHERE p.id = ANY (%(ids)s) AND d.registration = 'approved' AND" + IN_SCOPE,
        {"ids": list(point_ids), "scope": scope_paths(scope)},
    )
    return [replace(row, device_kind=DeviceKind(row.device_kind)) for row in rows]


async def present_statuses(tx: Transaction, scope: Scope, rule: Rule) -> list[PresentStatus]:
    """Devices that are offline and unknown to the rule, and known ones that are offline no more."""
    rows = await tx.fetch(
        PresentStatus,
        "SELECT s.device_id, d.area_id, s.status, s.since, s.detail FROM device_status s"
        " JOIN devices d ON d.id = s.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE s.status = 'offline' AND d.registration = 'approved'"
        " AND a.path <@ %(path)s::ltree AND (%(kinds)s::text[] = '{}' OR d.kind = ANY (%(kinds)s))"
        " AND NOT EXISTS (SELECT FROM rule_states r WHERE r.rule_id = %(rule)s"
        "                 AND r.subject = 'device:' || d.id) AND" + IN_SCOPE + "UNION ALL"
        " SELECT s.device_id, d.area_id, s.status, s.since, s.detail FROM rule_states r"
        " JOIN device_status s ON s.device_id = r.device_id"
        " JOIN devices d ON d.id = s.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE r.rule_id = %(rule)s AND s.status <> 'offline' AND" + IN_SCOPE,
        {
            "rule": rule.id,
            "path": rule.area_path,
            "kinds": [kind.value for kind in rule.condition.device_kinds],
            "scope": scope_paths(scope),
        },
    )
    return [replace(row, status=Status(row.status)) for row in rows]


async def present_values(
    tx: Transaction, scope: Scope, rule: Rule, now: datetime
) -> list[PresentValue]:
    """Points beyond the threshold and unknown to the rule (unless stale), and all known ones."""
    condition = rule.condition
    if not isinstance(condition, PointBeyond):
        return []
    return await tx.fetch(
        PresentValue,
        "SELECT p.id AS point_id, p.device_id, d.area_id, v.value FROM points p"
        " JOIN point_status v ON v.point_id = p.id JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN rule_states r ON r.rule_id = %(rule)s AND r.point_id = p.id"
        " WHERE p.key = %(point)s AND d.registration = 'approved'"
        " AND a.path <@ %(path)s::ltree AND (%(kinds)s::text[] = '{}' OR d.kind = ANY (%(kinds)s))"
        " AND (r.rule_id IS NOT NULL OR (v.at > %(now)s - " + _STALE + " AND CASE WHEN %(above)s"
        "      THEN v.value > %(threshold)s ELSE v.value < %(threshold)s END)) AND" + IN_SCOPE,
        {
            "rule": rule.id,
            "path": rule.area_path,
            "kinds": [kind.value for kind in condition.device_kinds],
            "point": condition.point,
            "above": condition.direction is Direction.ABOVE,
            "threshold": condition.threshold,
            "now": now,
            "scope": scope_paths(scope),
        },
    )
