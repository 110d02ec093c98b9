"""What kind of database this is, and what it takes away when history grows old."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from psycopg import errors

from hub.domain.access import Scope
from hub.store.database import Database, Transaction

log = logging.getLogger(__name__)

Edition = Literal["timescale", "apache", "plain"]
Hypertable = Literal["readings", "events", "probe_hours", "camera_days", "picture_checks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """The database as found."""

    edition: Edition
    postgresql: str
    timescaledb: str

    @property
    def meaning(self) -> str:
        """One sentence for `gengfu check`."""
        match self.edition:
            case "timescale":
                return "hypertables, columnstore compression and retention by chunk"
            case "apache":
                return "hypertables and retention by chunk; no compression (Apache-2 edition)"
            case "plain":
                return "plain tables: history is deleted row by row; fit for one village"


async def inspect_server(database: Database) -> ServerInfo:
    """Find out which database this is."""
    async with database.transaction() as tx:
        version = await tx.scalar(
            str, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
        )
        licence = await tx.scalar(str, "SELECT current_setting('timescaledb.license', true)")
        postgresql = await tx.scalar(str, "SELECT current_setting('server_version')")
    edition: Edition = "plain"
    if version is not None:
        edition = "timescale" if licence == "timescale" else "apache"
    return ServerInfo(
        edition=edition, postgresql=(postgresql or "").split()[0], timescaledb=version or ""
    )


async def compress_old(database: Database, scope: Scope, after: timedelta) -> bool:
    """Ask TimescaleDB to compress readings older than ``after``; False where it cannot."""
    del scope
    if (await inspect_server(database)).edition == "plain":
        return False
    try:
        async with database.transaction() as tx:
            if await tx.scalar(
                bool,
                "SELECT compression_enabled FROM timescaledb_information.hypertables"
                " WHERE hypertable_name = 'readings'",
            ):
                return True
            await tx.execute(
                "ALTER TABLE readings SET (timescaledb.compress,"
                " timescaledb.compress_segmentby = 'device_id',"
                " timescaledb.compress_orderby = 'at DESC, point_id')"
            )
            await tx.execute(
                "SELECT add_compression_policy('readings', %(after)s, if_not_exists => true)",
                {"after": after},
            )
    except errors.FeatureNotSupported:
        # The Apache edition answers 0A000: not available is not a failure.
        return False
    return True


async def drop_old(tx: Transaction, scope: Scope, table: Hypertable, keep: timedelta) -> int:
    """Take away history older than ``keep``; returns how many chunks or rows went."""
    del scope
    has_chunks = await tx.scalar(
        bool, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"
    )
    if has_chunks:
        rows = await tx.tuples(
            "SELECT drop_chunks(%(table)s::regclass, now() - %(keep)s::interval)",
            {"table": table, "keep": keep},
        )
        return len(rows)
    values = {"keep": keep}
    match table:
        case "readings":
            return await tx.execute(
                "DELETE FROM readings WHERE at < now() - %(keep)s::interval", values
            )
        case "events":
            return await tx.execute(
                "DELETE FROM events WHERE at < now() - %(keep)s::interval", values
            )
        case "probe_hours":
            return await tx.execute(
                "DELETE FROM probe_hours WHERE hour < now() - %(keep)s::interval", values
            )
        case "camera_days":
            return await tx.execute(
                "DELETE FROM camera_days WHERE day < now() - %(keep)s::interval", values
            )
        case "picture_checks":
            return await tx.execute(
                "DELETE FROM picture_checks WHERE at < now() - %(keep)s::interval", values
            )
