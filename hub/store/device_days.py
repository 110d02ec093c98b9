"""When one device was not online: its outages, times unknown and planned maintenance.

The same sources and the same precedence as the figures (:mod:`hub.store.uptime`), as intervals
and not as sums: a bar of days shows when it was.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Whoever watches says so every few seconds; after so long without a word nobody does.
UNWATCHED: Final = timedelta(minutes=1)


class SpanKind(StrEnum):
    """What a span of time was; PLANNED counts before UNKNOWN, UNKNOWN before OFFLINE."""

    PLANNED = "planned"
    UNKNOWN = "unknown"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Spans of one kind do not overlap, those of different kinds may."""

    kind: SpanKind
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    kind: str
    started_at: datetime
    ended_at: datetime


_SPANS = (
    "WITH d AS (SELECT d.id, a.path, s.status, s.since, CASE WHEN d.kind IN"
    "   ('camera', 'nvr', 'switch', 'onu', 'uplink') THEN 'probes' ELSE 'adapters' END AS watch"
    "  FROM devices d JOIN areas a ON a.id = d.area_id JOIN device_status s ON s.device_id = d.id"
    "  WHERE d.id = %(device)s AND" + IN_SCOPE + "),"
    # The absence that lasts has no row yet, only a last mark (see hub.store.uptime).
    " silent AS (SELECT n.seen_at FROM d JOIN LATERAL (SELECT shards FROM watch_marks"
    "   WHERE watch = d.watch ORDER BY seen_at DESC LIMIT 1) p ON true"
    "  JOIN watch_marks m ON m.watch = d.watch AND m.shards = p.shards"
    "   AND d.id %% m.shards = m.shard"
    "  CROSS JOIN LATERAL (SELECT max(o.seen_at) AS seen_at FROM watch_marks o"
    "   WHERE o.watch = m.watch AND (o.shards <> m.shards OR o.shard = m.shard)) n"
    "  WHERE n.seen_at < %(until)s - %(unwatched)s::interval),"
    " pieces AS (SELECT 'planned' AS kind, w.starts_at AS began, w.ends_at AS ended"
    "  FROM d JOIN maintenance_windows w ON w.device_id = d.id OR (w.device_id IS NULL AND"
    "   w.area_id IN (SELECT up.id FROM areas up WHERE up.path @> d.path))"
    " UNION ALL SELECT 'unknown', u.started_at, u.ended_at"
    "  FROM d JOIN unknown_spells u ON u.device_id = d.id"
    " UNION ALL SELECT 'unknown', x.started_at, x.ended_at"
    "  FROM d JOIN absences x ON x.watch = d.watch AND d.id %% x.shards = x.shard"
    " UNION ALL SELECT 'unknown', seen_at, %(until)s FROM silent"
    " UNION ALL SELECT 'unknown', since, %(until)s FROM d WHERE status = 'unknown'"
    " UNION ALL SELECT 'unknown', o.doubtful_from, %(until)s FROM d JOIN outages o"
    "   ON o.device_id = d.id WHERE o.ended_at IS NULL AND o.doubtful_from IS NOT NULL"
    " UNION ALL SELECT 'offline', o.started_at, coalesce(o.ended_at, o.doubtful_from, %(until)s)"
    "  FROM d JOIN outages o ON o.device_id = d.id)"
    " SELECT k.kind, lower(s) AS started_at, upper(s) AS ended_at FROM (SELECT kind,"
    "  range_agg(tstzrange(greatest(began, %(since)s), least(ended, %(until)s))) AS spans"
    "  FROM pieces WHERE began < %(until)s AND ended > %(since)s AND ended > began GROUP BY kind) k"
    " CROSS JOIN LATERAL unnest(k.spans) s ORDER BY 2, 1"
)


async def list_spans(
    tx: Transaction, scope: Scope, device_id: int, *, since: datetime, until: datetime
) -> list[Span]:
    """The times of a period in which a device of the scope was not online, oldest first."""
    rows = await tx.search(
        _Row,
        _SPANS,
        {
            "device": device_id,
            "since": since,
            "until": until,
            "unwatched": UNWATCHED,
            "scope": scope_paths(scope),
        },
    )
    return [
        Span(kind=SpanKind(row.kind), started_at=row.started_at, ended_at=row.ended_at)
        for row in rows
    ]
