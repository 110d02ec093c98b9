"""The present as rules see it: which devices and points could change what a rule thinks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.conditions import DeviceDegraded, Direction, NothingSeen, PointBeyond
from hub.domain.devices import DeviceKind
from hub.domain.health import Layer, Status
from hub.store.database import Transaction
from hub.store.listening import AWAY, IS_LISTENING, LONGEST_MARK
from hub.store.scoping import IN_SCOPE, scope_paths

# A reading older than this (or than three of its intervals) says nothing of now.
_STALE = "greatest(interval '15 minutes', 3 * coalesce(p.expected_interval_s, 0) * interval '1 s')"

_NO_LAYERS: frozenset[Layer] = frozenset()
_NO_TAGS: frozenset[str] = frozenset()
# So many devices begin to be expected at one go.
MOST_EXPECTED = 2000

_STATUS = (
    " s.status, s.since, s.detail, s.layer, ARRAY (SELECT jsonb_object_keys(s.faults)) AS faults"
)

_DEAD_PARENT = (
    "SELECT u.id FROM devices u JOIN device_status us ON us.device_id = u.id"
    " WHERE u.id = d.parent_id AND u.registration = 'approved' AND us.status = 'offline'"
)


# The devices a rule is about, of those that stand in its area.
_NARROWED = (
    " d.registration = 'approved' AND a.path <@ %(path)s::ltree"
    " AND (%(kinds)s::text[] = '{}' OR d.kind = ANY (%(kinds)s))"
    " AND (%(classes)s::text[] = '{}' OR d.class = ANY (%(classes)s))"
    " AND (%(tags)s::text[] = '{}' OR d.tags && %(tags)s::text[]) "
)
# Nothing speaks against an alert that a device is away: see :class:`Presence`.
_UNEXPLAINED = (
    " (s.status <> 'offline' OR (s.behind_id IS NULL AND NOT EXISTS (" + _DEAD_PARENT + "))) "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointPlace:
    """A point and the device it belongs to: all a rule asks about it.

    ``role`` is "battery" or "signal" for points that are one, whatever their key.
    """

    point_id: int
    point: str
    device_id: int
    device_kind: DeviceKind
    area_id: int
    area_path: str
    role: str = ""
    device_class: str = ""
    tags: frozenset[str] = _NO_TAGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An approved device as it is now, and what speaks against calling somebody about it.

    ``faults`` are the layers that fail. ``behind`` names the parent that explains it, which may
    be back a moment ago, and ``window`` the reason of the maintenance window it is in, which ends
    at ``window_until``; empty: none.
    """

    device_id: int
    kind: DeviceKind
    status: Status
    since: datetime | None
    faults: frozenset[Layer] = frozenset()
    behind: str = ""
    is_parent_back: bool = False
    is_flapping: bool = False
    window: str = ""
    window_until: datetime | None = None
    device_class: str = ""
    tags: frozenset[str] = _NO_TAGS


@dataclass(slots=True, kw_only=True)
class _Presence:
    id: int
    kind: str
    status: str
    since: datetime | None
    faults: Mapping[str, str] | None
    behind: str
    is_parent_back: bool
    is_flapping: bool
    reason: str
    ends_at: datetime | None
    device_class: str
    tags: Sequence[str]

    def presence(self) -> Presence:
        return Presence(
            device_id=self.id,
            kind=DeviceKind(self.kind),
            status=Status(self.status),
            since=self.since,
            faults=frozenset(map(Layer, self.faults)) if self.faults else _NO_LAYERS,
            behind=self.behind,
            is_parent_back=self.is_parent_back,
            is_flapping=self.is_flapping,
            window=self.reason,
            window_until=self.ends_at,
            device_class=self.device_class,
            tags=frozenset(self.tags) if self.tags else _NO_TAGS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentStatus:
    """A device whose present status may change what a rule thinks of it."""

    device_id: int
    area_id: int
    status: Status
    since: datetime
    detail: str
    layer: str
    faults: frozenset[Layer]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentSilence:
    """A point, and when its last reading was taken."""

    point_id: int
    device_id: int
    area_id: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A device of which something begins to be expected."""

    device_id: int
    area_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentValue:
    """A point whose present value may change what a rule thinks of it."""

    point_id: int
    device_id: int
    area_id: int
    value: float


async def device_presences(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> dict[int, Presence]:
    """Those of these devices that are approved, as they are now: rules watch no others.

    An offline device is behind its parent also while only the parent's own row says so: the two
    are seldom stored at the same moment.
    """
    rows = await tx.fetch(
        _Presence,
        "SELECT d.id, d.kind, coalesce(s.status, 'unknown') AS status, s.since, s.faults,"
        " coalesce(p.name, '') AS behind, coalesce(ps.status, '') <> 'offline' AS is_parent_back,"
        " coalesce(s.is_flapping, false) AS is_flapping,"
        " coalesce(w.reason, '') AS reason, w.ends_at, d.class AS device_class, d.tags"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN device_status s ON s.device_id = d.id"
        " LEFT JOIN devices p ON s.status = 'offline' AND p.id = coalesce(s.behind_id, ("
        + _DEAD_PARENT
        + "))"
        " LEFT JOIN device_status ps ON ps.device_id = p.id"
        " LEFT JOIN maintenance_windows w ON w.id = s.window_id"
        " WHERE d.id = ANY (%(ids)s) AND d.registration = 'approved' AND" + IN_SCOPE,
        {"ids": list(device_ids), "scope": scope_paths(scope)},
    )
    return {row.id: row.presence() for row in rows}


async def point_places(tx: Transaction, scope: Scope, point_ids: Sequence[int]) -> list[PointPlace]:
    """Where these points are; those of devices that are not approved are left out."""
    rows = await tx.fetch(
        PointPlace,
        "SELECT p.id AS point_id, p.key AS point, p.role, d.id AS device_id, d.kind AS device_kind,"
        " d.class AS device_class, d.tags, d.area_id, a.path::text AS area_path"
        " FROM points p JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id"
        " WHERE p.id = ANY (%(ids)s) AND d.registration = 'approved' AND" + IN_SCOPE,
        {"ids": list(point_ids), "scope": scope_paths(scope)},
    )
    return [
        replace(row, device_kind=DeviceKind(row.device_kind), tags=frozenset(row.tags))
        for row in rows
    ]


async def present_statuses(
    tx: Transaction, scope: Scope, rule: Rule, *, may_fire: bool = True
) -> list[PresentStatus]:
    """Devices that are bad and unknown to the rule, and known ones that are bad no more.

    Bad is what the rule watches for: offline, or degraded at one of its layers. New ones are
    left out as long as something speaks against an alert (see :class:`Presence`) or none
    ``may_fire``. Planned anew each time: the generic plan took ten times as long among 70,000
    devices.
    """
    condition = rule.condition
    layers = condition.layers if isinstance(condition, DeviceDegraded) else ()
    rows = await tx.search(
        PresentStatus,
        "SELECT s.device_id, d.area_id," + _STATUS + " FROM device_status s"
        " JOIN devices d ON d.id = s.device_id JOIN areas a ON a.id = d.area_id"
        # Shown as bad: bad, and not in a maintenance window. The second half is for the index.
        " WHERE %(may_fire)s AND s.shown = %(bad)s AND s.shown <> 'online'"
        " AND NOT s.is_flapping AND"
        + _UNEXPLAINED
        + "AND (%(layers)s::text[] = '{}' OR s.faults ?| %(layers)s::text[]) AND"
        + _NARROWED
        + "AND NOT EXISTS (SELECT FROM rule_states r WHERE r.rule_id = %(rule)s"
        "                 AND r.subject = 'device:' || s.device_id) AND"
        + IN_SCOPE
        + "UNION ALL SELECT s.device_id, r.area_id,"
        + _STATUS
        # Few states are remembered: their devices are looked up one by one, never all of them.
        + " FROM rule_states r JOIN areas a ON a.id = r.area_id CROSS JOIN LATERAL"
        " (SELECT * FROM device_status x WHERE x.device_id = r.device_id LIMIT 1) AS s"
        " WHERE r.rule_id = %(rule)s"
        " AND NOT (s.status = %(bad)s"
        "          AND (%(layers)s::text[] = '{}' OR s.faults ?| %(layers)s::text[])) AND"
        + IN_SCOPE,
        {
            "rule": rule.id,
            "bad": Status.DEGRADED if isinstance(condition, DeviceDegraded) else Status.OFFLINE,
            "layers": list(layers),
            "may_fire": may_fire,
            **_narrowing(rule),
            "scope": scope_paths(scope),
        },
    )
    return [
        replace(
            row,
            status=Status(row.status),
            faults=frozenset(Layer(layer) for layer in row.faults),
        )
        for row in rows
    ]


async def present_values(
    tx: Transaction, scope: Scope, rule: Rule, now: datetime, *, may_fire: bool = True
) -> list[PresentValue]:
    """Points beyond the threshold and unknown to the rule, and all known ones.

    Unknown ones are left out when their value is stale, their device in a maintenance window or
    none ``may_fire``.
    """
    condition = rule.condition
    if not isinstance(condition, PointBeyond):
        return []
    return await tx.search(
        PresentValue,
        "SELECT p.id AS point_id, p.device_id, d.area_id, v.value FROM points p"
        " JOIN point_status v ON v.point_id = p.id JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN device_status s ON s.device_id = d.id"
        " LEFT JOIN rule_states r ON r.rule_id = %(rule)s AND r.point_id = p.id"
        " WHERE %(point)s IN (p.key, p.role) AND"
        + _NARROWED
        + "AND (r.rule_id IS NOT NULL OR (%(may_fire)s AND s.window_id IS NULL"
        " AND v.at > %(now)s - " + _STALE + " AND CASE WHEN %(above)s"
        "      THEN v.value > %(threshold)s ELSE v.value < %(threshold)s END)) AND" + IN_SCOPE,
        {
            "rule": rule.id,
            "may_fire": may_fire,
            **_narrowing(rule),
            "point": condition.point,
            "above": condition.direction is Direction.ABOVE,
            "threshold": condition.threshold,
            "now": now,
            "scope": scope_paths(scope),
        },
    )


async def present_silences(
    tx: Transaction, scope: Scope, rule: Rule, now: datetime, *, may_fire: bool = True
) -> list[PresentSilence]:
    """Points without a reading for as long as the rule says and unknown to it, and all known ones.

    Unknown ones are left out as long as something speaks against an alert, or none ``may_fire``;
    a point that never reported is not there. Time in which the hub did not listen does not count.
    """
    condition = rule.condition
    if not isinstance(condition, NothingSeen) or not condition.point:
        return []
    return await tx.search(
        PresentSilence,
        "SELECT p.id AS point_id, p.device_id, d.area_id, v.at AS last_at FROM points p"
        " JOIN point_status v ON v.point_id = p.id JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id CROSS JOIN LATERAL (SELECT v.at) AS t (since)"
        " LEFT JOIN device_status s ON s.device_id = d.id"
        " LEFT JOIN rule_states r ON r.rule_id = %(rule)s AND r.point_id = p.id"
        " WHERE %(point)s IN (p.key, p.role) AND"
        + _NARROWED
        + "AND (r.rule_id IS NOT NULL OR (%(may_fire)s AND v.at <= %(last)s"
        " AND s.window_id IS NULL AND coalesce("
        + _UNEXPLAINED
        + ", true) AND"
        + IS_LISTENING
        + "AND v.at +"
        + AWAY
        + "<= %(last)s)) AND"
        + IN_SCOPE,
        {
            "rule": rule.id,
            "may_fire": may_fire,
            **_narrowing(rule),
            "point": condition.point,
            "last": now - timedelta(seconds=condition.for_s),
            "now": now,
            "mark": LONGEST_MARK,
            "scope": scope_paths(scope),
        },
    )


async def expected_devices(tx: Transaction, scope: Scope, rule: Rule) -> list[Expected]:
    """Devices of a rule of which it remembers nothing yet, a bounded number at a time."""
    return await tx.search(
        Expected,
        "SELECT d.id AS device_id, d.area_id FROM devices d JOIN areas a ON a.id = d.area_id WHERE"
        + _NARROWED
        # By number: a third of the time that it takes by subject, once all are known.
        + "AND NOT EXISTS (SELECT FROM rule_states r WHERE r.rule_id = %(rule)s"
        "                 AND r.device_id = d.id) AND" + IN_SCOPE + "LIMIT %(most)s",
        {
            "rule": rule.id,
            **_narrowing(rule),
            "most": MOST_EXPECTED,
            "scope": scope_paths(scope),
        },
    )


def _narrowing(rule: Rule) -> dict[str, object]:
    return {
        "path": rule.area_path,
        "kinds": [kind.value for kind in rule.condition.device_kinds],
        "classes": list(rule.classes),
        "tags": list(rule.tags),
    }
