"""Where the devices of a scope are and how they are shown, as columns for a map of all of them.

PostgreSQL writes the columns as text: nobody in between makes 70,000 objects of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Colour, colour_of
from hub.domain.devices import DeviceKind
from hub.domain.events import Severity
from hub.domain.health import Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# The numbers of the columns "state" and "kind" are places in these.
STATES: Final = tuple(Status)
KINDS: Final = tuple(DeviceKind)
COLOURS: Final = (Colour.GREEN, Colour.YELLOW, Colour.RED)
SEVERITIES: Final = tuple(Severity)

MOST_LINES: Final = 200
MOST_ALERTS: Final = 10_000

_WORST_FIRST: Final = [
    Status.OFFLINE,
    Status.DEGRADED,
    Status.UNKNOWN,
    Status.MAINTENANCE,
    Status.ONLINE,
]
# Numbers of areas tell the planner more than paths do.
_AREAS = (
    "SELECT coalesce(array_agg(a.id), '{}') AS ids, (SELECT count(*) FROM areas) AS all_areas"
    " FROM areas a WHERE"
    + IN_SCOPE
    + "AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
)
# Few are not online, and an index holds just those.
_FROM = (
    " FROM devices d LEFT JOIN asset_records r ON r.device_id = d.id LEFT JOIN"
    " (SELECT device_id, shown, array_position(%(states)s::text[], shown) - 1 AS state, since"
    "  FROM device_status WHERE shown <> 'online') s ON s.device_id = d.id"
    " WHERE d.registration = 'approved'"
    " AND (%(areas)s::bigint[] IS NULL OR d.area_id = ANY (%(areas)s))"
    " AND (%(kind)s = '' OR d.kind = %(kind)s)"
    " AND (%(statuses)s::text[] IS NULL OR coalesce(s.shown, 'online') = ANY (%(statuses)s))"
)
_POINTS = (
    "SELECT statement_timestamp() AS at, count(p.longitude) AS placed,"
    " count(*) - count(p.longitude) AS unplaced,"
    " coalesce(string_agg(p.id::text, ',') FILTER (WHERE p.is_placed), '') AS ids,"
    " coalesce(string_agg((p.longitude * 1000000)::int::text, ','), '') AS lon,"
    " coalesce(string_agg((p.latitude * 1000000)::int::text, ','), '') AS lat,"
    " coalesce(string_agg(p.state::text, ',') FILTER (WHERE p.is_placed), '') AS state,"
    " coalesce(string_agg(p.kind::text, ',') FILTER (WHERE p.is_placed), '') AS kind,"
    " coalesce(string_agg(p.area_id::text, ',') FILTER (WHERE p.is_placed), '') AS areas"
    " FROM (SELECT d.id, r.longitude, r.latitude, coalesce(s.state, 0) AS state, d.area_id,"
    " r.longitude IS NOT NULL AS is_placed,"
    " array_position(%(kinds)s::text[], d.kind) - 1 AS kind" + _FROM + ") p"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFilter:
    """What a map is narrowed to; empty fields narrow nothing. ``statuses`` are what people see."""

    area_id: int | None = None
    kind: str = ""
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PointColumns:
    """Approved devices with a position: each column numbers joined by commas, all in one order.

    Positions are in millionths of a degree (0.1 m). ``unplaced`` have none.
    """

    at: datetime
    placed: int
    unplaced: int
    ids: str
    lon: str
    lat: str
    state: str
    kind: str
    areas: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part of the map, degrees."""

    west: float = -180.0
    south: float = -90.0
    east: float = 180.0
    north: float = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedDevice:
    """One device of the list beside the map."""

    id: int
    name: str
    kind: str
    area_id: int
    area_name: str
    status: str
    since: datetime | None
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPoint:
    """The open alert of a device that matters most, and how many it has."""

    device_id: int
    alert_id: int
    severity: str
    colour: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCount:
    """How many devices of an area and of everything below it are shown with each status."""

    area_id: int
    by_status: dict[str, int] = field(default_factory=dict)


async def read_points(tx: Transaction, scope: Scope, wanted: PointFilter) -> PointColumns:
    """Every approved device of the scope that has a position."""
    (found,) = await tx.search(PointColumns, _POINTS, await _values(tx, scope, wanted))
    return found


async def list_in_box(
    tx: Transaction, scope: Scope, box: Box, wanted: PointFilter
) -> list[PlacedDevice]:
    """Devices of the scope in a part of the map with their names, the worst first.

    At most MOST_LINES, and one more when there are more.
    """
    places = await tx.search(
        _Place,
        "SELECT d.id, r.longitude, r.latitude"
        + _FROM
        + " AND r.latitude BETWEEN %(south)s AND %(north)s"
        " AND r.longitude BETWEEN %(west)s AND %(east)s ORDER BY"
        " array_position(%(worst_first)s::text[], coalesce(s.shown, 'online')), d.id"
        " LIMIT %(most)s",
        {
            **await _values(tx, scope, wanted),
            "west": box.west,
            "south": box.south,
            "east": box.east,
            "north": box.north,
            "worst_first": _WORST_FIRST,
            "most": MOST_LINES + 1,
        },
    )
    # Names of those alone that are shown.
    return await tx.fetch(
        PlacedDevice,
        "SELECT d.id, d.name, d.kind, d.area_id, a.name AS area_name, n.longitude, n.latitude,"
        " coalesce(s.shown, 'online') AS status, s.since"
        " FROM unnest(%(ids)s::bigint[], %(longitudes)s::float8[], %(latitudes)s::float8[])"
        "  WITH ORDINALITY AS n (id, longitude, latitude, place)"
        " JOIN devices d ON d.id = n.id JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN device_status s ON s.device_id = d.id WHERE" + IN_SCOPE + "ORDER BY n.place",
        {
            "ids": [place.id for place in places],
            "longitudes": [place.longitude for place in places],
            "latitudes": [place.latitude for place in places],
            "scope": scope_paths(scope),
        },
    )


async def list_alert_points(tx: Transaction, scope: Scope, *, now: datetime) -> list[AlertPoint]:
    """Each device of the scope with open alerts, coloured as at ``now``: the worst of each."""
    rows = await tx.fetch(
        _AlertRow,
        "SELECT x.device_id, x.id, x.severity, x.fired_at, x.yellow_share,"
        " CASE x.status WHEN 'firing' THEN x.acknowledge_by ELSE x.resolve_by END AS due"
        " FROM alerts x JOIN areas a ON a.id = x.area_id"
        " WHERE x.status <> 'resolved' AND x.folded_into IS NULL AND x.drill_id IS NULL"
        " AND x.device_id IS NOT NULL AND" + IN_SCOPE + "ORDER BY x.id DESC LIMIT %(most)s",
        {"most": MOST_ALERTS, "scope": scope_paths(scope)},
    )
    of_device: dict[int, list[_AlertRow]] = {}
    for row in rows:
        of_device.setdefault(row.device_id, []).append(row)
    return [_worst(found, now) for found in of_device.values()]


async def count_by_area(tx: Transaction, scope: Scope) -> list[AreaCount]:
    """Approved devices by status, for every area of the scope over everything below it."""
    rows = await tx.search(
        _AreaRow,
        "SELECT a.id, a.path::text AS path, n.shown, coalesce(n.number, 0) AS number FROM areas a"
        " LEFT JOIN (SELECT d.area_id, coalesce(s.shown, 'online') AS shown, count(*) AS number"
        "  FROM devices d LEFT JOIN device_status s"
        "  ON s.device_id = d.id AND s.shown <> 'online'"
        "  WHERE d.registration = 'approved' GROUP BY 1, 2) n ON n.area_id = a.id"
        " WHERE" + IN_SCOPE + "ORDER BY a.path",
        {"scope": scope_paths(scope)},
    )
    counts = {row.path: AreaCount(area_id=row.id) for row in rows}
    for row in rows:
        for path in _upwards(row.path) if row.shown else ():
            if path in counts:
                by_status = counts[path].by_status
                by_status[row.shown] = by_status.get(row.shown, 0) + row.number
    return list(counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    id: int
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlertRow:
    device_id: int
    id: int
    severity: str
    fired_at: datetime
    yellow_share: float
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _AreaRow:
    id: int
    path: str
    shown: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Areas:
    ids: Sequence[int]
    all_areas: int


def _worst(rows: Sequence[_AlertRow], now: datetime) -> AlertPoint:
    coloured = [(colour_of(row.due, row.fired_at, row.yellow_share, now), row) for row in rows]
    colour, worst = max(
        coloured,
        key=lambda one: (COLOURS.index(one[0]), SEVERITIES.index(Severity(one[1].severity))),
    )
    return AlertPoint(
        device_id=worst.device_id,
        alert_id=worst.id,
        severity=worst.severity,
        colour=colour,
        number=len(rows),
    )


def _upwards(path: str) -> list[str]:
    """A path and those of everything above it."""
    codes = path.split(".")
    return [".".join(codes[:end]) for end in range(len(codes), 0, -1)]


async def _values(tx: Transaction, scope: Scope, wanted: PointFilter) -> dict[str, object]:
    (areas,) = await tx.search(
        _Areas, _AREAS, {"scope": scope_paths(scope), "area": wanted.area_id}
    )
    return {
        "areas": None if len(areas.ids) == areas.all_areas else list(areas.ids),
        "kind": wanted.kind,
        "statuses": list(wanted.statuses) or None,
        "states": list(STATES),
        "kinds": list(KINDS),
    }
