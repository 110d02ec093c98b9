"""Points as their health is judged and shown: limits, what was learnt, what is wrong now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.store.database import Transaction
from hub.store.scoping import (
    IN_SCOPE,
    Page,
    decode_cursor,
    encode_cursor,
    page_limit,
    scope_paths,
)

_POINT = (
    "p.id AS point_id, p.key, p.unit, p.role, p.quantity, p.expected_interval_s,"
    " coalesce(p.low, p.said_low) AS low, coalesce(p.high, p.said_high) AS high, p.spread,"
    " p.stuck_after_s, d.id AS device_id, d.name AS device_name, d.area_id "
)
_PLACES = " FROM points p JOIN devices d ON d.id = p.device_id JOIN areas a ON a.id = d.area_id "

_LINE = (
    "SELECT p.id, p.device_id, d.name AS device_name, d.area_id, a.name AS area_name, p.key,"
    " p.unit, p.quantity, p.role, p.expected_interval_s, p.low, p.high, p.said_low, p.said_high,"
    " p.spread, p.stuck_after_s, v.at, v.value, coalesce((SELECT jsonb_agg(jsonb_build_object("
    "  'kind', f.kind, 'since', f.since, 'sentence', f.sentence) ORDER BY f.since)"
    "  FROM point_faults f WHERE f.point_id = p.id), '[]'::jsonb) AS faults,"
    " l.observed_s, l.changes, greatest(l.longest_s, l.today_s) AS longest_still_s"
    + _PLACES
    + "LEFT JOIN point_status v ON v.point_id = p.id"
    " LEFT JOIN point_learnt l ON l.point_id = p.id "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRecord:
    """A point of an approved device, what is plausible of it and what was learnt of it.

    ``at`` and ``value`` are its latest reading. Figures learnt are None before the first.
    """

    point_id: int
    key: str
    unit: str
    role: str
    quantity: str
    expected_interval_s: float | None
    low: float | None
    high: float | None
    spread: float | None
    stuck_after_s: float | None
    device_id: int
    device_name: str
    area_id: int
    area_path: str
    at: datetime | None
    value: float | None
    observed_s: float | None
    changes: int | None
    longest_s: float | None
    today_s: float | None
    still_s: float | None
    anchor: float | None
    is_binary: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntRow:
    """What was learnt of a point, to be kept."""

    point_id: int
    observed_s: float
    changes: int
    longest_s: float
    today_s: float
    still_s: float
    anchor: float | None
    is_binary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """Something that is wrong with a point now: ``out_of_range``, ``stuck`` or ``silent``."""

    point_id: int
    kind: str
    since: datetime
    sentence: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFilter:
    """What a list of points is narrowed to; None narrows nothing."""

    device_id: int | None = None
    area_id: int | None = None
    has_fault: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLine:
    """A point as people see it.

    ``low`` and ``high`` are what an operator set, ``said_low`` and ``said_high`` what the device
    says of itself; the operator's count first. ``faults`` holds objects of kind, since, sentence.
    ``longest_still_s`` is the longest usual time without a change.
    """

    id: int
    device_id: int
    device_name: str
    area_id: int
    area_name: str
    key: str
    unit: str
    quantity: str
    role: str
    expected_interval_s: float | None
    low: float | None
    high: float | None
    said_low: float | None
    said_high: float | None
    spread: float | None
    stuck_after_s: float | None
    at: datetime | None
    value: float | None
    faults: Sequence[Mapping[str, object]]
    observed_s: float | None
    changes: int | None
    longest_still_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLimits:
    """What an operator sets for a point; None is what the device says, or what is learnt."""

    low: float | None = None
    high: float | None = None
    spread: float | None = None
    stuck_after_s: float | None = None


async def load_points(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> list[PointRecord]:
    """The points of those of these devices that are approved, device by device."""
    return await tx.fetch(
        PointRecord,
        "SELECT " + _POINT + ", a.path::text AS area_path, v.at, v.value, l.observed_s, l.changes,"
        " l.longest_s, l.today_s, l.still_s, l.anchor, l.is_binary" + _PLACES + "LEFT JOIN"
        " point_status v ON v.point_id = p.id LEFT JOIN point_learnt l ON l.point_id = p.id"
        " WHERE p.device_id = ANY (%(ids)s) AND d.registration = 'approved' AND"
        + IN_SCOPE
        + "ORDER BY p.device_id, p.id",
        {"ids": list(device_ids), "scope": scope_paths(scope)},
    )


async def load_faults(
    tx: Transaction, scope: Scope, device_ids: Sequence[int] | None = None
) -> list[FaultRow]:
    """What is wrong now with points of these devices, or of all."""
    return await tx.fetch(
        FaultRow,
        "SELECT f.point_id, f.kind, f.since, f.sentence, f.value"
        + _PLACES
        + "JOIN point_faults f ON f.point_id = p.id"
        " WHERE (%(ids)s::bigint[] IS NULL OR p.device_id = ANY (%(ids)s)) AND" + IN_SCOPE,
        {"ids": None if device_ids is None else list(device_ids), "scope": scope_paths(scope)},
    )


async def put_learnt(tx: Transaction, scope: Scope, rows: Sequence[LearntRow]) -> None:
    """Keep what was learnt of points; those that are gone are left out. Only the hub itself may."""
    if scope.paths is not None or not rows:
        return
    await tx.execute(
        "INSERT INTO point_learnt"
        " (point_id, observed_s, changes, longest_s, today_s, still_s, anchor, is_binary)"
        " SELECT n.* FROM unnest(%(ids)s::bigint[], %(observed)s::float8[], %(changes)s::bigint[],"
        "  %(longest)s::float8[], %(today)s::float8[], %(still)s::float8[], %(anchors)s::float8[],"
        "  %(binary)s::boolean[]) AS n (id, observed, changes, longest, today, still, anchor, two)"
        " WHERE EXISTS (SELECT FROM points p WHERE p.id = n.id) ORDER BY n.id"
        " ON CONFLICT (point_id) DO UPDATE SET observed_s = excluded.observed_s,"
        " changes = excluded.changes, longest_s = excluded.longest_s, today_s = excluded.today_s,"
        " still_s = excluded.still_s, anchor = excluded.anchor, is_binary = excluded.is_binary",
        {
            "ids": [row.point_id for row in rows],
            "observed": [row.observed_s for row in rows],
            "changes": [row.changes for row in rows],
            "longest": [row.longest_s for row in rows],
            "today": [row.today_s for row in rows],
            "still": [row.still_s for row in rows],
            "anchors": [row.anchor for row in rows],
            "binary": [row.is_binary for row in rows],
        },
    )


async def open_faults(
    tx: Transaction, scope: Scope, rows: Sequence[FaultRow]
) -> set[tuple[int, str]]:
    """Store what went wrong; return point and kind of what was not known to be wrong before."""
    opened = await tx.tuples(
        "INSERT INTO point_faults (point_id, kind, since, sentence, value)"
        " SELECT n.id, n.kind, n.since, n.sentence, n.value FROM unnest(%(ids)s::bigint[],"
        "  %(kinds)s::text[], %(since)s::timestamptz[], %(sentences)s::text[],"
        "  %(values)s::float8[]) AS n (id, kind, since, sentence, value)"
        " JOIN points p ON p.id = n.id JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE"
        + IN_SCOPE
        + "ON CONFLICT DO NOTHING RETURNING point_id, kind",
        {
            "ids": [row.point_id for row in rows],
            "kinds": [row.kind for row in rows],
            "since": [row.since for row in rows],
            "sentences": [row.sentence for row in rows],
            "values": [row.value for row in rows],
            "scope": scope_paths(scope),
        },
    )
    return {(int(str(point)), str(kind)) for point, kind in opened}


async def close_faults(
    tx: Transaction, scope: Scope, keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], FaultRow]:
    """Remove what is over; return what was there."""
    rows = await tx.fetch(
        FaultRow,
        "DELETE FROM point_faults f USING"
        " unnest(%(ids)s::bigint[], %(kinds)s::text[]) AS n (id, kind), points p,"
        " devices d, areas a WHERE f.point_id = n.id AND f.kind = n.kind"
        " AND p.id = f.point_id AND d.id = p.device_id AND a.id = d.area_id AND"
        + IN_SCOPE
        + "RETURNING f.point_id, f.kind, f.since, f.sentence, f.value",
        {
            "ids": [point for point, _ in keys],
            "kinds": [kind for _, kind in keys],
            "scope": scope_paths(scope),
        },
    )
    return {(row.point_id, row.kind): row for row in rows}


async def drop_unwatched(tx: Transaction, scope: Scope) -> int:
    """Forget what was wrong with points of devices that are out of service."""
    return await tx.execute(
        "DELETE FROM point_faults f USING points p, devices d, areas a WHERE p.id = f.point_id"
        " AND d.id = p.device_id AND a.id = d.area_id AND d.registration <> 'approved' AND"
        + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )


async def differing_devices(tx: Transaction, scope: Scope) -> list[tuple[int, str]]:
    """Approved devices whose status says otherwise than their points, each with what to say.

    The sentence is empty when all its points are well.
    """
    rows = await tx.tuples(
        "SELECT d.id, coalesce(f.sentence, '') FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id LEFT JOIN (SELECT p.device_id,"
        "  min(f.sentence) AS sentence FROM point_faults f JOIN points p ON p.id = f.point_id"
        "  GROUP BY p.device_id) f ON f.device_id = d.id WHERE d.registration = 'approved'"
        " AND s.status <> 'unknown'"
        " AND (s.faults ? 'readings') <> (f.device_id IS NOT NULL) AND" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )
    return [(int(str(device)), str(sentence)) for device, sentence in rows]


async def list_points(
    tx: Transaction,
    scope: Scope,
    wanted: PointFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[PointLine]:
    """Points by number, narrowed, a page at a time; without a device those in service only."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        PointLine,
        _LINE + "WHERE" + IN_SCOPE + "AND p.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(device)s::bigint IS NULL OR p.device_id = %(device)s)"
        " AND (%(device)s::bigint IS NOT NULL OR d.registration = 'approved')"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(fault)s::boolean IS NULL OR %(fault)s ="
        "      (p.id IN (SELECT point_id FROM point_faults))) ORDER BY p.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "device": wanted.device_id,
            "area": wanted.area_id,
            "fault": wanted.has_fault,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def get_point(tx: Transaction, scope: Scope, point_id: int) -> PointLine:
    """One point; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        PointLine,
        _LINE + "WHERE p.id = %(id)s AND" + IN_SCOPE,
        {"id": point_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such point"
        raise NotFound(msg)
    return row


async def set_limits(
    tx: Transaction, scope: Scope, point_id: int, limits: PointLimits
) -> PointLine:
    """Set what is plausible of a point.

    Raises:
        NotFound: it lies outside the scope.
        Invalid: the lower limit is not below the upper one, whoever set that.
    """
    before = await get_point(tx, scope, point_id)
    low = before.said_low if limits.low is None else limits.low
    high = before.said_high if limits.high is None else limits.high
    if low is not None and high is not None and low >= high:
        msg = f"the lower limit {low:g} is not below the upper limit {high:g}"
        raise Invalid(msg, field="low")
    await tx.execute(
        "UPDATE points SET low = %(low)s, high = %(high)s, spread = %(spread)s,"
        " stuck_after_s = %(stuck)s WHERE id = %(id)s",
        {
            "id": before.id,
            "low": limits.low,
            "high": limits.high,
            "spread": limits.spread,
            "stuck": limits.stuck_after_s,
        },
    )
    return await get_point(tx, scope, point_id)
