"""The outage ledger as people read it, and the hub's own absence in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

WatchName = Literal["probes", "adapters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One who watches: a shard of the probes, or the adapters as one."""

    name: WatchName
    shard: int = 0
    shards: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """An interval in which a device was offline; open while ``ended_at`` is None.

    ``doubtful_from``: the hub was away from then on and has not looked again. ``maintenance_s``:
    so much of it lies in planned maintenance. A parent outside the scope is not named.
    """

    id: int
    device_id: int
    device_name: str
    area_id: int
    area_name: str
    started_at: datetime
    ended_at: datetime | None
    layer: str
    cause: str
    parent_id: int | None = None
    parent_name: str = ""
    doubtful_from: datetime | None = None
    maintenance_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageFilter:
    """What a list of outages is narrowed to: those that touch the period, and the rest if said."""

    since: datetime
    until: datetime
    device_id: int | None = None
    area_id: int | None = None
    is_open: bool = False


async def list_outages(
    tx: Transaction,
    scope: Scope,
    wanted: OutageFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Outage]:
    """Outages of the scope that touch a period, newest first, a page at a time."""
    after = decode_cursor(cursor, (str, int))
    count = page_limit(limit)
    rows = await tx.search(
        Outage,
        "SELECT o.id, o.device_id, d.name AS device_name, d.area_id, a.name AS area_name,"
        " o.started_at, o.ended_at, o.layer, o.cause, p.id AS parent_id,"
        " coalesce(p.name, '') AS parent_name, o.doubtful_from,"
        " coalesce(m.seconds, 0)::float8 AS maintenance_s"
        " FROM outages o JOIN devices d ON d.id = o.device_id JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN LATERAL (SELECT q.id, q.name FROM devices q JOIN areas a ON a.id = q.area_id"
        "  WHERE q.id = o.parent_id AND" + IN_SCOPE + ") p ON true"
        " CROSS JOIN LATERAL (SELECT sum(extract(epoch FROM upper(part) - lower(part))) AS seconds"
        "  FROM (SELECT unnest(range_agg(tstzrange(w.starts_at, w.ends_at)"
        "    * tstzrange(o.started_at, least(now(), coalesce(o.ended_at, o.doubtful_from)))))"
        "    AS part FROM maintenance_windows w JOIN areas wa ON wa.id = w.area_id"
        "   WHERE w.starts_at < coalesce(o.ended_at, 'infinity') AND w.ends_at > o.started_at"
        "    AND (w.device_id = o.device_id OR (w.device_id IS NULL AND a.path <@ wa.path))) x) m"
        " WHERE (%(device)s::bigint IS NULL OR o.device_id = %(device)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND o.started_at < %(until)s AND coalesce(o.ended_at, 'infinity') > %(since)s"
        " AND (NOT %(open)s OR o.ended_at IS NULL)"
        " AND (%(at)s::timestamptz IS NULL"
        "      OR (o.started_at, o.id) < (%(at)s::timestamptz, %(id)s::bigint)) AND"
        + IN_SCOPE
        + "ORDER BY o.started_at DESC, o.id DESC LIMIT %(limit)s",
        {
            "device": wanted.device_id,
            "area": wanted.area_id,
            "since": wanted.since,
            "until": wanted.until,
            "open": wanted.is_open,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": count + 1,
            "scope": scope_paths(scope),
        },
    )
    more = None
    if len(rows) > count:
        more = encode_cursor(rows[count - 1].started_at.isoformat(), rows[count - 1].id)
    return Page(items=rows[:count], next=more)


async def mark_watched(
    tx: Transaction, scope: Scope, watch: Watch, at: datetime, *, longest_gap_s: float
) -> bool:
    """Say that a watch sees what happens; True when it had been away until now.

    A gap of more than ``longest_gap_s`` since its last mark becomes an absence: nothing is known
    of that time, and open outages of its devices are doubtful from its beginning on.
    """
    del scope
    values = {
        "watch": watch.name,
        "shard": watch.shard,
        "shards": watch.shards,
        "at": at,
        "gap": longest_gap_s,
    }
    # Whoever watched in another division of the shards watched as well: the newest mark counts.
    began = await tx.scalar(
        datetime,
        "WITH last AS (SELECT max(seen_at) AS seen_at FROM watch_marks WHERE watch = %(watch)s"
        "  AND (shards <> %(shards)s OR shard = %(shard)s)),"
        " mark AS (INSERT INTO watch_marks (watch, shard, shards, seen_at)"
        "  VALUES (%(watch)s, %(shard)s, %(shards)s, %(at)s)"
        "  ON CONFLICT (watch, shards, shard) DO UPDATE SET seen_at = excluded.seen_at)"
        " INSERT INTO absences (watch, shard, shards, started_at, ended_at)"
        " SELECT %(watch)s, %(shard)s, %(shards)s, last.seen_at, %(at)s FROM last"
        " WHERE last.seen_at < %(at)s::timestamptz - %(gap)s * interval '1 s' RETURNING started_at",
        values,
    )
    if began is None:
        return False
    await tx.execute(
        "UPDATE outages o SET doubtful_from = greatest(o.started_at, %(began)s) FROM devices d"
        " WHERE d.id = o.device_id AND o.ended_at IS NULL AND o.doubtful_from IS NULL"
        " AND d.id %% %(shards)s = %(shard)s"
        " AND (%(watch)s = 'probes') = (d.kind IN ('camera', 'nvr', 'switch', 'onu', 'uplink'))",
        {**values, "began": began},
    )
    return True


async def doubtful_devices(
    tx: Transaction, scope: Scope, device_ids: Sequence[int] | None = None
) -> set[int]:
    """Devices of the scope whose open outage was not looked at since the hub was away."""
    rows = await tx.tuples(
        "SELECT o.device_id FROM outages o JOIN devices d ON d.id = o.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE o.ended_at IS NULL"
        " AND o.doubtful_from IS NOT NULL"
        " AND (%(ids)s::bigint[] IS NULL OR o.device_id = ANY (%(ids)s)) AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "ids": None if device_ids is None else list(device_ids)},
    )
    return {int(str(device)) for (device,) in rows}
