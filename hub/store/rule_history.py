"""What was stored, as a rule is shown it again: events in their order, readings by time.

Everything comes a page at a time, and no statement looks at more than a slice of the past: a
dry run never holds the database, nor the process, for long. Nothing here judges.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString, NamedTuple

from psycopg.rows import args_row

from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.events import Severity, StoredEvent
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Numbers of events grow with the time they were received at, but for what a slow writer or a
# wrong clock mixes up.
SLACK: Final = timedelta(minutes=5)
# How many numbers one statement walks through at most, whatever it finds among them.
IDS_A_STATEMENT: Final = 100_000
# Of so many neighbours the middle one says when events of a number came: one clock may be wrong.
_NEIGHBOURS: Final = 25
_POINTS_A_STATEMENT: Final = 2_000

_SEVERITIES: Final = {severity.value: severity for severity in Severity}

# Which devices a rule is about; what concerns a place only when the rule asks for no device.
_NARROWED = (
    " (%(kinds)s::text[] = '{}' OR d.kind = ANY (%(kinds)s))"
    " AND (%(classes)s::text[] = '{}' OR d.class = ANY (%(classes)s))"
    " AND (%(tags)s::text[] = '{}' OR d.tags && %(tags)s::text[])"
)
_DEVICE_IN_SCOPE = " (%(scope)s::ltree[] IS NULL OR da.path <@ ANY (%(scope)s::ltree[])) "

_PAST_EVENTS: Final[LiteralString] = (
    "SELECT e.id, e.kind, e.area_id, a.path::text, e.at, e.received_at, e.device_id,"
    " e.channel, e.severity, e.is_active, e.replayed, nullif(e.data, '{}')"
    " FROM events e JOIN areas a ON a.id = e.area_id LEFT JOIN devices d ON d.id = e.device_id"
    " LEFT JOIN areas da ON da.id = d.area_id"
    " WHERE e.id > %(after)s AND e.id <= %(upto)s AND e.kind = ANY (%(wanted)s::text[])"
    " AND a.path <@ %(path)s::ltree AND "
    + _NARROWED
    + " AND (e.device_id IS NULL OR (d.registration = 'approved' AND"
    + _DEVICE_IN_SCOPE
    + ")) AND"
    + IN_SCOPE
    + "ORDER BY e.id LIMIT %(limit)s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPoint:
    """A point a rule watches, and where it is."""

    point_id: int
    point: str
    device_id: int
    area_id: int
    area_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDevice:
    """A device a rule is about."""

    device_id: int
    area_id: int
    area_path: str
    created_at: datetime


class PastReading(NamedTuple):
    """A stored reading; a dry run takes millions of them, one by one."""

    device_id: int
    at: datetime
    point_id: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWindow:
    """A maintenance window: of a device, or (without one) of an area and all below it."""

    area_path: str
    device_id: int | None
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A device, or a place without one, as people call it."""

    device_id: int | None
    device_name: str
    area_id: int
    area_name: str


async def event_numbers(
    tx: Transaction, scope: Scope, *, since: datetime, until: datetime
) -> tuple[int, int]:
    """Between which numbers the events of a time lie: after the first, up to the second."""
    if scope.paths is not None and not scope.paths:
        return 0, 0
    ((low, high),) = await tx.tuples(
        "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM events"
    )
    first, last = int(str(low)), int(str(high))
    begin = await _first_number(tx, since - SLACK, first, last + 1)
    end = await _first_number(tx, until + SLACK, begin, last + 1)
    return begin - 1, end - 1


async def _first_number(tx: Transaction, at: datetime, low: int, high: int) -> int:
    """By halves: there is no index by the time of receipt."""
    while low < high:
        middle = (low + high) // 2
        received_at = await tx.scalar(
            datetime,
            "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n.received_at) FROM"
            " (SELECT received_at FROM events WHERE id >= %(id)s ORDER BY id LIMIT %(count)s) AS n",
            {"id": middle, "count": _NEIGHBOURS},
        )
        if received_at is None or received_at >= at:
            high = middle
        else:
            low = middle + 1
    return low


async def past_events(
    tx: Transaction,
    scope: Scope,
    rule: Rule,
    *,
    kinds: Sequence[str],
    numbers: tuple[int, int],
    limit: int,
) -> tuple[list[StoredEvent], int]:
    """The next events of a rule's devices and places, and the number that was looked up to."""
    after, upto = numbers
    upto = min(upto, after + IDS_A_STATEMENT)
    # Planned for these numbers: the generic plan sorts all of them anew for each page.
    cursor = await tx.connection.execute(
        _PAST_EVENTS,
        {
            **_reach(rule),
            "after": after,
            "upto": upto,
            "wanted": list(kinds),
            "limit": limit,
            "scope": scope_paths(scope),
        },
        prepare=False,
    )
    rows = await cursor.fetchall()
    events = [_event(*row) for row in rows]
    return events, events[-1].id if len(events) == limit else upto


async def past_devices(
    tx: Transaction, scope: Scope, rule: Rule, *, after: int, limit: int
) -> list[PastDevice]:
    """The devices of a rule, by number, a page at a time."""
    return await tx.fetch(
        PastDevice,
        "SELECT d.id AS device_id, d.area_id, a.path::text AS area_path, d.created_at"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id > %(after)s"
        " AND d.registration = 'approved' AND a.path <@ %(path)s::ltree AND "
        + _NARROWED
        + " AND"
        + IN_SCOPE
        + "ORDER BY d.id LIMIT %(limit)s",
        {**_reach(rule), "after": after, "limit": limit, "scope": scope_paths(scope)},
    )


async def past_points(
    tx: Transaction, scope: Scope, rule: Rule, point: str, *, after: int, limit: int
) -> list[PastPoint]:
    """Points of that key or role at the devices of a rule, by number, a page at a time."""
    return await tx.fetch(
        PastPoint,
        "SELECT p.id AS point_id, p.key AS point, d.id AS device_id, d.area_id,"
        " a.path::text AS area_path FROM points p JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE p.id > %(after)s AND %(point)s IN (p.key, p.role)"
        " AND d.registration = 'approved' AND a.path <@ %(path)s::ltree AND "
        + _NARROWED
        + " AND"
        + IN_SCOPE
        + "ORDER BY p.id LIMIT %(limit)s",
        {
            **_reach(rule),
            "point": point,
            "after": after,
            "limit": limit,
            "scope": scope_paths(scope),
        },
    )


async def past_readings(
    tx: Transaction,
    scope: Scope,
    points: Sequence[PastPoint],
    *,
    since: datetime,
    until: datetime,
    page: int,
) -> AsyncGenerator[list[PastReading], None]:
    """The readings of points of the scope in a slice of time, each device's by time, in pages."""
    for start in range(0, len(points), _POINTS_A_STATEMENT):
        some = points[start : start + _POINTS_A_STATEMENT]
        cursor = tx.connection.cursor(name="past_readings", row_factory=args_row(PastReading))
        async with cursor:
            await cursor.execute(
                "SELECT r.device_id, r.at, r.point_id, r.value FROM readings r"
                " WHERE r.device_id = ANY (%(devices)s::bigint[])"
                " AND r.at >= %(since)s AND r.at < %(until)s"
                " AND r.point_id = ANY (%(points)s::bigint[])"
                " AND r.device_id IN (SELECT d.id FROM devices d JOIN areas a ON a.id = d.area_id"
                "  WHERE d.id = ANY (%(devices)s::bigint[]) AND" + IN_SCOPE + ")"
                " ORDER BY r.device_id, r.at",
                {
                    "devices": sorted({point.device_id for point in some}),
                    "points": [point.point_id for point in some],
                    "since": since,
                    "until": until,
                    "scope": scope_paths(scope),
                },
            )
            while rows := await cursor.fetchmany(page):
                yield rows


async def past_windows(
    tx: Transaction, scope: Scope, rule: Rule, *, since: datetime, until: datetime
) -> list[PastWindow]:
    """The maintenance windows of a time that hold for devices of a rule's area.

    Also those of an area above: they hold for everything below.
    """
    return await tx.search(
        PastWindow,
        "SELECT wa.path::text AS area_path, w.device_id, w.starts_at, w.ends_at, w.reason"
        " FROM areas a JOIN areas wa ON wa.path @> a.path OR wa.path <@ a.path"
        " JOIN maintenance_windows w ON w.area_id = wa.id"
        " WHERE a.path = %(path)s::ltree AND w.ends_at > %(since)s AND w.starts_at < %(until)s"
        " AND w.ends_at > w.starts_at AND" + IN_SCOPE + "ORDER BY w.starts_at, w.id",
        {
            "path": rule.area_path,
            "since": since,
            "until": until,
            "scope": scope_paths(scope),
        },
    )


async def past_places(
    tx: Transaction, scope: Scope, subjects: Iterable[tuple[int | None, int]]
) -> Mapping[tuple[int | None, int], Place]:
    """How people call these devices and areas (device, area); what is gone is left out."""
    wanted = sorted(set(subjects), key=lambda one: (one[0] or 0, one[1]))
    rows = await tx.fetch(
        Place,
        "SELECT n.device AS device_id, coalesce(d.name, '') AS device_name, a.id AS area_id,"
        " a.name AS area_name FROM unnest(%(devices)s::bigint[], %(areas)s::bigint[])"
        " AS n (device, area) JOIN areas a ON a.id = n.area"
        " LEFT JOIN devices d ON d.id = n.device WHERE" + IN_SCOPE,
        {
            "devices": [device for device, _ in wanted],
            "areas": [area for _, area in wanted],
            "scope": scope_paths(scope),
        },
    )
    return {(row.device_id, row.area_id): row for row in rows}


def _reach(rule: Rule) -> dict[str, object]:
    return {
        "path": rule.area_path,
        "kinds": [kind.value for kind in rule.condition.device_kinds],
        "classes": list(rule.classes),
        "tags": list(rule.tags),
    }


def _event(*row: object) -> StoredEvent:
    """By hand: a dry run reads hundreds of thousands. Nobody asks for the device's name."""
    number, kind, area, path, at, received_at, device, channel, severity, *rest = row
    is_active, replayed, data = rest
    if not isinstance(at, datetime) or not isinstance(received_at, datetime):
        msg = "an event has no time"
        raise TypeError(msg)
    if not isinstance(number, int) or not isinstance(area, int):
        msg = "an event has no number"
        raise TypeError(msg)
    return StoredEvent(
        id=number,
        kind=str(kind),
        area_id=area,
        area_path=str(path),
        at=at,
        received_at=received_at,
        device_id=device if isinstance(device, int) else None,
        channel=str(channel),
        severity=_SEVERITIES[str(severity)],
        is_active=is_active if isinstance(is_active, bool) else None,
        replayed=replayed is True,
        data=data if isinstance(data, Mapping) else {},
    )
