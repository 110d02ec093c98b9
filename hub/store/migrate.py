"""Brings the database's tables up to date: forward only, one at a time, under an advisory lock."""

import hashlib
import logging
import re
from dataclasses import dataclass
from importlib import resources

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection, errors

from hub.domain.errors import ConfigError, StoreUnavailable
from hub.store.database import Database, translate

log = logging.getLogger(__name__)

LOCK = 0x67656E676675  # "gengfu"
OLDEST_POSTGRESQL = 150000
_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file of ``migrations/``."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text: an applied migration must never change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def list_migrations() -> list[Migration]:
    """All migrations of this program, in order, without gaps."""
    found = []
    for file in resources.files("hub.store").joinpath("migrations").iterdir():
        match = _NAME.match(file.name)
        if match:
            text = file.read_text(encoding="utf-8")
            found.append(Migration(version=int(match[1]), name=file.name[:-4], sql=text))
    found.sort(key=lambda m: m.version)
    return found


async def migrate(url: str) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    Raises:
        StoreUnavailable: the database does not answer.
        ConfigError: it is too old, belongs to a newer program, or was changed by hand.
    """
    try:
        connection = await AsyncConnection.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.Error as error:
        raise translate(error) or StoreUnavailable(str(error)) from error
    async with connection:
        try:
            return await _migrate(connection)
        except psycopg.Error as error:
            msg = (
                f"the database cannot be brought up to date: {error.diag.message_primary or error}"
            )
            raise (translate(error) or ConfigError(msg)) from error


async def pending_migrations(database: Database) -> list[str]:
    """The names of what :func:`migrate` would apply; changes nothing."""
    async with database.transaction() as tx:
        applied: set[str] = set()
        if await tx.scalar(bool, "SELECT to_regclass('schema_migrations') IS NOT NULL"):
            applied = {str(row[0]) for row in await tx.tuples("SELECT name FROM schema_migrations")}
    return [m.name for m in list_migrations() if m.name not in applied]


async def _migrate(connection: AsyncConnection[tuple[object, ...]]) -> list[str]:
    if connection.info.server_version < OLDEST_POSTGRESQL:
        version = connection.info.server_version // 10000
        msg = f"the database is PostgreSQL {version}: upgrade it to 15 or later"
        raise ConfigError(msg)
    await connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    await _enable_timescaledb(connection)
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version int PRIMARY KEY, name text NOT NULL,"
        " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = await connection.execute("SELECT version, checksum FROM schema_migrations")
    applied = {int(str(version)): str(checksum) for version, checksum in await rows.fetchall()}
    migrations = list_migrations()
    _refuse_strangers(applied, migrations)
    done = await _ensure_job_tables(connection)
    for migration in migrations:
        if migration.version in applied:
            continue
        log.info("migrating the database: %s", migration.name)
        async with connection.transaction():
            # Our own file, shipped with the program: as literal as a string in the code.
            await connection.execute(migration.sql.encode())
            await connection.execute(
                "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
                [migration.version, migration.name, migration.checksum],
            )
        done.append(migration.name)
    await connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return done


def _refuse_strangers(applied: dict[int, str], migrations: list[Migration]) -> None:
    known = {m.version: m for m in migrations}
    newer = sorted(set(applied) - set(known))
    if newer:
        msg = f"the database was migrated by a newer gengfu (step {newer[-1]}): upgrade this one"
        raise ConfigError(msg)
    for version, checksum in applied.items():
        if known[version].checksum != checksum:
            name = known[version].name
            msg = f"migration {name} was changed after it was applied: restore the file"
            raise ConfigError(msg)


async def _enable_timescaledb(connection: AsyncConnection[tuple[object, ...]]) -> None:
    """Use TimescaleDB where it is installed and we may; plain PostgreSQL does otherwise."""
    rows = await connection.execute(
        "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
        " AND current_setting('shared_preload_libraries') LIKE '%%timescaledb%%'"
    )
    if await rows.fetchone() is None:
        return
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    except errors.InsufficientPrivilege:
        log.warning("TimescaleDB is installed but this user may not enable it in this database")


async def _ensure_job_tables(connection: AsyncConnection[tuple[object, ...]]) -> list[str]:
    """The job queue's tables come from its own library, at the version that is locked."""
    rows = await connection.execute("SELECT to_regclass('procrastinate_jobs')")
    row = await rows.fetchone()
    if row is not None and row[0] is not None:
        return []
    async with connection.transaction():
        await connection.execute(SchemaManager.get_schema())
    return ["procrastinate"]
