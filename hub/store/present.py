"""Devices and points as rules see them now: what they are, and what speaks against an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.devices import DeviceKind
from hub.domain.health import Layer, Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_NO_LAYERS: frozenset[Layer] = frozenset()
_NO_TAGS: frozenset[str] = frozenset()

_DEAD_PARENT = (
    "SELECT u.id FROM devices u JOIN device_status us ON us.device_id = u.id"
    " WHERE u.id = d.parent_id AND u.registration = 'approved' AND us.status = 'offline'"
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
