"""Events and readings: what the pipeline writes and everybody reads."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import errors

from hub.domain.access import Scope
from hub.domain.events import Severity, StoredEvent
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

EVENT_ORDER_LOCK = 0x6576656E7473  # "events"

_EVENT = (
    "e.id, e.kind, e.area_id, a.path::text AS area_path, e.at, e.received_at, e.device_id,"
    " coalesce(d.name, '') AS device_name, e.channel, e.severity, e.is_active, e.replayed, e.data"
)
_FROM = " FROM events e JOIN areas a ON a.id = e.area_id LEFT JOIN devices d ON d.id = e.device_id "


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """A reading with its numbers resolved."""

    device_id: int
    point_id: int
    at: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What a list of events is narrowed to; empty fields narrow nothing."""

    area_id: int | None = None
    device_id: int | None = None
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPoint:
    """One reading of a history."""

    at: datetime
    point_id: int
    value: float


async def add_events(
    tx: Transaction, scope: Scope, events: Sequence[StoredEvent]
) -> list[StoredEvent]:
    """Store and announce events (their ``id`` is ignored); return the new ones with their numbers.

    An event that is there already is left out of the answer: redelivery changes nothing.
    Writers of events take turns until they commit, so that numbers grow in the order of commits
    and a consumer that has seen one number never misses a smaller one. Call it late in a
    transaction.
    """
    new = {_digest(event): event for event in events if scope.covers(event.area_path)}
    if not new:
        return []
    await tx.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": EVENT_ORDER_LOCK})
    kept = list(new.items())
    rows = await tx.tuples(
        "INSERT INTO events (at, received_at, digest, device_id, area_id, kind, channel,"
        " severity, is_active, replayed, data)"
        " SELECT n.at, n.received_at, n.digest, n.device_id, n.area_id, n.kind, n.channel,"
        "  n.severity, n.is_active, n.replayed, n.data::jsonb"
        " FROM unnest(%(at)s::timestamptz[], %(received_at)s::timestamptz[], %(digest)s::uuid[],"
        "  %(device_id)s::bigint[], %(area_id)s::bigint[], %(kind)s::text[], %(channel)s::text[],"
        "  %(severity)s::text[], %(is_active)s::boolean[], %(replayed)s::boolean[],"
        "  %(data)s::text[]) WITH ORDINALITY AS n (at, received_at, digest, device_id, area_id,"
        "  kind, channel, severity, is_active, replayed, data, position)"
        " ORDER BY n.position ON CONFLICT DO NOTHING RETURNING id, digest",
        {
            "at": [event.at for _, event in kept],
            "received_at": [event.received_at for _, event in kept],
            "digest": [digest for digest, _ in kept],
            "device_id": [event.device_id for _, event in kept],
            "area_id": [event.area_id for _, event in kept],
            "kind": [event.kind for _, event in kept],
            "channel": [event.channel for _, event in kept],
            "severity": [event.severity for _, event in kept],
            "is_active": [event.is_active for _, event in kept],
            "replayed": [event.replayed for _, event in kept],
            "data": [json.dumps(dict(event.data)) for _, event in kept],
        },
    )
    numbers = {digest: int(str(number)) for number, digest in rows}
    await notify(tx, scope, "events", list(numbers.values()))
    return [replace(event, id=numbers[digest]) for digest, event in kept if digest in numbers]


async def add_readings(tx: Transaction, scope: Scope, rows: Sequence[ReadingRow]) -> None:
    """Store readings by binary COPY and bring the latest of each point up to date.

    Only the hub itself (a scope without limits) ingests. Rows that are there already are
    ignored: the fast path copies straight into the table, and a duplicate sends the batch
    through a staging table.
    """
    if scope.paths is not None or not rows:
        return
    try:
        async with tx.savepoint():
            await _copy(
                tx,
                "COPY readings (at, device_id, point_id, value) FROM STDIN (FORMAT BINARY)",
                rows,
            )
    except errors.UniqueViolation:
        await tx.execute(
            "CREATE TEMP TABLE IF NOT EXISTS staged_readings (at timestamptz, device_id bigint,"
            " point_id bigint, value double precision) ON COMMIT DELETE ROWS"
        )
        await _copy(
            tx,
            "COPY staged_readings (at, device_id, point_id, value) FROM STDIN (FORMAT BINARY)",
            rows,
        )
        await tx.execute(
            "INSERT INTO readings (at, device_id, point_id, value)"
            " SELECT at, device_id, point_id, value FROM staged_readings ON CONFLICT DO NOTHING"
        )
    await _keep_latest(tx, rows)


async def list_events(
    tx: Transaction,
    scope: Scope,
    wanted: EventFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[StoredEvent]:
    """Events newest first, narrowed, a page at a time."""
    after = decode_cursor(cursor, (str, int))
    count = page_limit(limit)
    rows = await tx.search(
        StoredEvent,
        "SELECT "
        + _EVENT
        + _FROM
        + "WHERE"
        + IN_SCOPE
        + "AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(device)s::bigint IS NULL OR e.device_id = %(device)s)"
        " AND (%(kind)s = '' OR e.kind = %(kind)s)"
        " AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)"
        " AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s)"
        " AND (%(at)s::timestamptz IS NULL OR (e.at, e.id) < (%(at)s::timestamptz, %(id)s::bigint))"
        " ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "area": wanted.area_id,
            "device": wanted.device_id,
            "kind": wanted.kind,
            "since": wanted.since,
            "until": wanted.until,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": count + 1,
        },
    )
    more = None
    rows = [_typed(row) for row in rows]
    if len(rows) > count:
        last = rows[count - 1]
        more = encode_cursor(last.at.isoformat(), last.id)
    return Page(items=rows[:count], next=more)


async def get_events(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[StoredEvent]:
    """The events of the scope with these numbers, in order."""
    rows = await tx.fetch(
        StoredEvent,
        "SELECT " + _EVENT + _FROM + "WHERE e.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY e.id",
        {"ids": list(ids), "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def list_readings(
    tx: Transaction, scope: Scope, device_id: int, *, since: datetime, until: datetime
) -> list[ReadingPoint]:
    """The readings of a device of the scope, oldest first, at most 10,000."""
    return await tx.fetch(
        ReadingPoint,
        "SELECT r.at, r.point_id, r.value FROM readings r"
        " WHERE r.device_id = %(device)s AND r.at >= %(since)s AND r.at < %(until)s"
        " AND EXISTS (SELECT FROM devices d JOIN areas a ON a.id = d.area_id"
        "             WHERE d.id = %(device)s AND" + IN_SCOPE + ")"
        " ORDER BY r.at, r.point_id LIMIT 10000",
        {"device": device_id, "since": since, "until": until, "scope": scope_paths(scope)},
    )


async def _copy(tx: Transaction, statement: str, rows: Sequence[ReadingRow]) -> None:
    async with tx.connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(["timestamptz", "int8", "int8", "float8"])
        for row in rows:
            await copy.write_row((row.at, row.device_id, row.point_id, row.value))


async def _keep_latest(tx: Transaction, rows: Sequence[ReadingRow]) -> None:
    latest: dict[int, ReadingRow] = {}
    for row in rows:
        known = latest.get(row.point_id)
        if known is None or row.at >= known.at:
            latest[row.point_id] = row
    # Sorted: concurrent writers then lock rows in one order and never deadlock.
    ordered = [latest[point] for point in sorted(latest)]
    await tx.execute(
        "INSERT INTO point_status (point_id, at, value)"
        " SELECT * FROM unnest(%(points)s::bigint[], %(ats)s::timestamptz[], %(values)s::float8[])"
        " ON CONFLICT (point_id) DO UPDATE SET at = excluded.at, value = excluded.value"
        " WHERE point_status.at <= excluded.at",
        {
            "points": [row.point_id for row in ordered],
            "ats": [row.at for row in ordered],
            "values": [row.value for row in ordered],
        },
    )


def _typed(row: StoredEvent) -> StoredEvent:
    return replace(row, severity=Severity(row.severity))


def _digest(event: StoredEvent) -> uuid.UUID:
    """Equal for a redelivered event, different for any other."""
    said = [event.device_id, event.area_id, event.kind, event.channel, event.is_active]
    text = json.dumps([said, event.at.isoformat(), event.data], sort_keys=True, default=str)
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])
