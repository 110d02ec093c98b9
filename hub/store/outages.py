"""The outage ledger as people read it, and the hub's own absence in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

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

    ``doubtful_from``: the hub was away from then on and has not looked again.
    """

    id: int
    device_id: int
    device_name: str
    started_at: datetime
    ended_at: datetime | None
    layer: str
    cause: str
    parent_id: int | None = None
    parent_name: str = ""
    doubtful_from: datetime | None = None


async def list_outages(
    tx: Transaction, scope: Scope, *, device_id: int | None, since: datetime, until: datetime
) -> list[Outage]:
    """Outages of the scope that touch a period, newest first, at most 1,000."""
    return await tx.fetch(
        Outage,
        "SELECT o.id, o.device_id, d.name AS device_name, o.started_at, o.ended_at,"
        " o.layer, o.cause, o.parent_id, coalesce(p.name, '') AS parent_name, o.doubtful_from"
        " FROM outages o JOIN devices d ON d.id = o.device_id JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN devices p ON p.id = o.parent_id"
        " WHERE (%(device)s::bigint IS NULL OR o.device_id = %(device)s)"
        " AND o.started_at < %(until)s AND coalesce(o.ended_at, 'infinity') > %(since)s AND"
        + IN_SCOPE
        + "ORDER BY o.started_at DESC, o.id DESC LIMIT 1000",
        {"device": device_id, "since": since, "until": until, "scope": scope_paths(scope)},
    )


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
