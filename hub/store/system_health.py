"""How the database, the due work and the rule engine do: for those who run the hub.

Cheap: sizes come from the file system and the statistics of the server, nothing is counted that
grows with history. Nothing here is secret, but it is of the whole hub: only for root areas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.store.database import Transaction

MOST_TABLES: Final = 10
MOST_TASKS: Final = 50
# Beyond this many events the engine is far behind, however many they are.
MOST_COUNTED: Final = 10_000

# Which table is a chunk of which hypertable; a chunk that was dropped is no table any more.
_CHUNKS: Final = (
    "SELECT to_regclass(format('%%I.%%I', c.schema_name, c.table_name))::oid AS part,"
    " coalesce(u.table_name, h.table_name)::text AS name FROM _timescaledb_catalog.chunk c"
    " JOIN _timescaledb_catalog.hypertable h ON h.id = c.hypertable_id"
    " LEFT JOIN _timescaledb_catalog.hypertable u ON u.compressed_hypertable_id = h.id"
)
_NO_CHUNKS: Final = "SELECT NULL::oid AS part, NULL::text AS name WHERE false"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """A table with its indexes; of a hypertable, all chunks."""

    name: str
    bytes: int
    chunks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """A hypertable and how many of its chunks are compressed."""

    name: str
    is_enabled: bool
    chunks: int
    compressed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFigures:
    """The server as it is now. ``oldest_transaction_s`` is of any client, this one left out."""

    bytes: int
    connections: int
    most_connections: int
    oldest_transaction_s: float
    started_at: datetime
    tables: Sequence[TableSize] = ()
    compression: Sequence[Compression] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQueue:
    """One kind of due work. ``oldest_s``: how long the first of what waits has been due."""

    name: str
    due: int
    later: int
    running: int
    oldest_s: float
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker of the queue: a process with the role work."""

    id: int
    seen_at: datetime
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLag:
    """How far a consumer of events is behind; ``events`` stops at :data:`MOST_COUNTED`."""

    name: str
    events: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    bytes: int
    connections: int
    most_connections: int
    oldest_transaction_s: float
    started_at: datetime


async def database_figures(tx: Transaction, scope: Scope) -> DatabaseFigures:
    """Size, load and compression of the server; raises nothing that a plain PostgreSQL would."""
    del scope
    server = await tx.fetch_one(
        _Server,
        "SELECT pg_database_size(current_database()) AS bytes,"
        " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
        "  AS connections,"
        " current_setting('max_connections')::int AS most_connections,"
        " coalesce((SELECT extract(epoch FROM max(clock_timestamp() - xact_start))"
        "  FROM pg_stat_activity WHERE backend_type = 'client backend'"
        "  AND pid <> pg_backend_pid()), 0)::float8 AS oldest_transaction_s,"
        " pg_postmaster_start_time() AS started_at",
    )
    if server is None:
        msg = "the server says nothing of itself"
        raise LookupError(msg)
    return DatabaseFigures(
        bytes=server.bytes,
        connections=server.connections,
        most_connections=server.most_connections,
        oldest_transaction_s=server.oldest_transaction_s,
        started_at=server.started_at,
        tables=await _tables(tx),
        compression=await _compression(tx),
    )


async def _tables(tx: Transaction) -> list[TableSize]:
    """The biggest ones. Chunks count for their hypertable, those that are compressed too."""
    has_chunks = await _has_timescale(tx)
    return await tx.fetch(
        TableSize,
        "WITH owner AS (" + (_CHUNKS if has_chunks else _NO_CHUNKS) + ")"
        " SELECT coalesce(o.name, c.relname)::text AS name,"
        " coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes, count(o.part) AS chunks"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN owner o ON o.part = c.oid WHERE c.relkind IN ('r', 'm')"
        " AND (n.nspname = 'public' OR o.part IS NOT NULL)"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT %(most)s",
        {"most": MOST_TABLES},
    )


async def _compression(tx: Transaction) -> list[Compression]:
    if not await _has_timescale(tx):
        return []
    return await tx.fetch(
        Compression,
        "SELECT h.table_name::text AS name, h.compressed_hypertable_id IS NOT NULL AS is_enabled,"
        " count(c.id) AS chunks, count(c.compressed_chunk_id) AS compressed"
        " FROM _timescaledb_catalog.hypertable h LEFT JOIN _timescaledb_catalog.chunk c"
        "  ON c.hypertable_id = h.id"
        "  AND to_regclass(format('%%I.%%I', c.schema_name, c.table_name)) IS NOT NULL"
        " WHERE h.schema_name = 'public' GROUP BY h.id ORDER BY 1",
    )


async def _has_timescale(tx: Transaction) -> bool:
    return bool(
        await tx.scalar(
            bool, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"
        )
    )


async def task_queues(tx: Transaction, scope: Scope, failed_within: timedelta) -> list[TaskQueue]:
    """Each kind of due work that waits, runs or failed lately."""
    del scope
    return await tx.fetch(
        TaskQueue,
        "SELECT j.task_name::text AS name,"
        " count(*) FILTER (WHERE j.status = 'todo' AND coalesce(j.scheduled_at, now()) <= now())"
        "  AS due, count(*) FILTER (WHERE j.status = 'todo' AND j.scheduled_at > now()) AS later,"
        " count(*) FILTER (WHERE j.status = 'doing') AS running,"
        " coalesce(max(extract(epoch FROM now() - coalesce(j.scheduled_at, e.at)))"
        "  FILTER (WHERE j.status = 'todo' AND coalesce(j.scheduled_at, now()) <= now()), 0)"
        "  ::float8 AS oldest_s,"
        " count(*) FILTER (WHERE j.status = 'failed') AS failed"
        " FROM procrastinate_jobs j LEFT JOIN LATERAL (SELECT max(v.at) AS at"
        "  FROM procrastinate_events v WHERE v.job_id = j.id AND v.type::text ="
        "   CASE j.status WHEN 'failed' THEN 'failed' ELSE 'deferred' END) AS e ON true"
        " WHERE j.status IN ('todo', 'doing')"
        " OR (j.status = 'failed' AND e.at > now() - %(within)s)"
        " GROUP BY j.task_name ORDER BY failed DESC, due DESC, name LIMIT %(most)s",
        {"within": failed_within, "most": MOST_TASKS},
    )


async def list_workers(tx: Transaction, scope: Scope) -> list[Worker]:
    """Who takes due work, and how much of it is in hand."""
    del scope
    return await tx.fetch(
        Worker,
        "SELECT w.id, w.last_heartbeat AS seen_at,"
        " (SELECT count(*) FROM procrastinate_jobs j WHERE j.worker_id = w.id"
        "  AND j.status = 'doing') AS running FROM procrastinate_workers w ORDER BY w.id",
    )


async def reader_lags(tx: Transaction, scope: Scope) -> list[ReaderLag]:
    """How far those who read stored events are behind the newest one."""
    del scope
    return await tx.fetch(
        ReaderLag,
        "SELECT c.name, n.events, n.oldest_at FROM cursors c CROSS JOIN LATERAL ("
        " SELECT count(*) AS events, min(w.received_at) AS oldest_at FROM ("
        "  SELECT e.received_at FROM events e WHERE e.id > c.event_id ORDER BY e.id"
        "  LIMIT %(most)s) AS w) AS n ORDER BY c.name",
        {"most": MOST_COUNTED},
    )
