"""The pool and the transaction: the only way to the database.

Repository modules are plain functions ``(tx, scope, …)``; callers decide what belongs into one
transaction. Driver errors leave this module translated, and no other way.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from types import MappingProxyType
from typing import LiteralString, TypeVar

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row, scalar_row, tuple_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from hub.domain.errors import Conflict, GengfuError, Invalid, StoreUnavailable
from hub.store.vault import Vault

log = logging.getLogger(__name__)

T = TypeVar("T")
Params = Mapping[str, object]
NO_PARAMS: Params = MappingProxyType({})

DEFAULT_PORT = 5432
POOL_TIMEOUT_S = 5.0
# A statement that takes longer than this is a defect or an overloaded database.
STATEMENT_TIMEOUT = "60s"

# A link that vanished without a word is given up after this; Unix sockets ignore it.
_LIVELINESS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}

Pool = AsyncConnectionPool[AsyncConnection[tuple[object, ...]]]


class Transaction:
    """One open transaction. ``connection`` is for hub.store and for deferring jobs only."""

    def __init__(
        self, connection: AsyncConnection[tuple[object, ...]], vault: Vault | None
    ) -> None:
        self.connection = connection
        self._vault = vault

    @property
    def vault(self) -> Vault:
        """Where device passwords are sealed."""
        if self._vault is None:
            msg = "this database was opened without a key: it cannot read device passwords"
            raise GengfuError(msg)
        return self._vault

    async def fetch(
        self, row: type[T], query: LiteralString, params: Params = NO_PARAMS
    ) -> list[T]:
        """Run a query; each row becomes a ``row``, columns given to it by name."""
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchall()

    async def search(
        self, row: type[T], query: LiteralString, params: Params = NO_PARAMS
    ) -> list[T]:
        """Like :meth:`fetch`, planned anew each time: for filters that are mostly empty.

        psycopg prepares what runs often, and PostgreSQL's generic plan then ignores the index
        that the filter of the moment needs.
        """
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(query, params, prepare=False)
            return await cursor.fetchall()

    async def fetch_one(
        self, row: type[T], query: LiteralString, params: Params = NO_PARAMS
    ) -> T | None:
        """Like :meth:`fetch`, for at most one row."""
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchone()

    async def tuples(
        self, query: LiteralString, params: Params = NO_PARAMS
    ) -> list[tuple[object, ...]]:
        """Run a query and return plain tuples."""
        async with self.connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchall()

    async def scalar(
        self, kind: type[T], query: LiteralString, params: Params = NO_PARAMS
    ) -> T | None:
        """Return the one value of the first row, None when there is no row or it is null."""
        async with self.connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(query, params)
            value = await cursor.fetchone()
        if value is None:
            return None
        if not isinstance(value, kind):
            msg = f"expected {kind.__name__} from the database, got {type(value).__name__}"
            raise TypeError(msg)
        return value

    async def execute(self, query: LiteralString, params: Params = NO_PARAMS) -> int:
        """Run a statement and return how many rows it touched."""
        cursor = await self.connection.execute(query, params)
        return cursor.rowcount

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happens inside when it raises."""
        async with self.connection.transaction():
            yield


class Database:
    """The pool. Opened once a process; survives the loss of the server."""

    def __init__(self, pool: Pool, vault: Vault | None) -> None:
        self.pool = pool
        self._vault = vault

    @classmethod
    async def open(
        cls, url: str, *, vault: Vault | None = None, max_size: int = 12, name: str = "gengfu"
    ) -> "Database":
        """Open the pool and wait for a first connection.

        Raises:
            StoreUnavailable: the server does not answer or refuses us; no password in the text.
        """
        pool: Pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=max_size,
            timeout=POOL_TIMEOUT_S,
            reconnect_timeout=0,
            open=False,
            configure=_configure,
            check=AsyncConnectionPool.check_connection,
            kwargs={"application_name": name, "connect_timeout": 5, **_LIVELINESS},
        )
        with _translated():
            await _first_connection(url)
            await pool.open(wait=True, timeout=POOL_TIMEOUT_S)
        return cls(pool, vault)

    async def close(self) -> None:
        """Close every connection."""
        await self.pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit at the end, roll back on any error.

        Raises:
            StoreUnavailable: the database is away or full; nothing of this is certain.
            Conflict: a unique or foreign key says no.
            Invalid: a value the database refuses.
        """
        with _translated():
            cancelled = _count_cancellations()
            async with self.pool.connection() as connection:
                # Waiting for the pool may swallow a cancellation before Python 3.12.
                if _count_cancellations() > cancelled:
                    raise asyncio.CancelledError
                async with connection.transaction():
                    yield Transaction(connection, self._vault)

    @property
    def address(self) -> str:
        """Where the database is, with the password: for connections beside the pool."""
        address = self.pool.conninfo
        if not isinstance(address, str):
            msg = "the pool has no address"
            raise TypeError(msg)
        return address

    @staticmethod
    def translated() -> AbstractContextManager[None]:
        """Turn the driver's errors into ours, for what hub.store does beside the pool."""
        return _translated()

    async def listen(self, channel: LiteralString) -> AsyncIterator[str]:
        """Yield the payloads of NOTIFY on a channel; ends only by StoreUnavailable.

        The first item is empty and says "listening now": whatever came before must be read.
        """
        with _translated():
            connection = await AsyncConnection.connect(
                self.address, autocommit=True, connect_timeout=5
            )
            async with connection:
                await connection.execute(f"LISTEN {channel}")
                yield ""
                while True:
                    async for notice in connection.notifies(timeout=30, stop_after=1):
                        yield notice.payload
                    await connection.execute("SELECT 1")


def network_endpoints(url: str) -> list[tuple[str, int]]:
    """The hosts and ports a database address leads to; none for a Unix socket."""
    parts = conninfo_to_dict(url)
    hosts = str(parts.get("host") or "").split(",")
    ports = str(parts.get("port") or DEFAULT_PORT).split(",")
    if len(ports) < len(hosts):
        ports = ports[:1] * len(hosts)
    return [
        (host, int(port))
        for host, port in zip(hosts, ports, strict=False)
        if host and not host.startswith("/")
    ]


async def _first_connection(url: str) -> None:
    """Connect once without the pool, whose own error would say only that it timed out."""
    try:
        async with asyncio.timeout(POOL_TIMEOUT_S * 2):
            connection = await AsyncConnection.connect(url, connect_timeout=5)
            await connection.close()
    except TimeoutError as error:
        msg = "the database does not answer in time"
        raise StoreUnavailable(msg) from error


def _count_cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def _configure(connection: AsyncConnection[tuple[object, ...]]) -> None:
    await connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    await connection.execute("SET timezone = 'UTC'")
    await connection.commit()


class _translated(AbstractContextManager[None]):  # noqa: N801 - reads as a statement
    """Turn the driver's errors into ours; used as a context manager."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        """Raise our error for the driver's."""
        if error is not None and (translated := translate(error)) is not None:
            raise translated from error


def translate(error: BaseException) -> GengfuError | None:
    """Return our error for one of the driver's, None when it is none of the driver's."""
    result: GengfuError | None = None
    match error:
        case errors.UniqueViolation() | errors.ForeignKeyViolation() | errors.RestrictViolation():
            result = Conflict(_plain(error))
        case errors.CheckViolation() | psycopg.DataError() | errors.NotNullViolation():
            result = Invalid(_plain(error))
        case errors.DiskFull():
            result = StoreUnavailable(
                "the database's disk is full: free some space; nothing is lost"
            )
        case errors.ReadOnlySqlTransaction():
            result = StoreUnavailable("the database is read-only: a replica, or its disk failed")
        case psycopg.OperationalError() | psycopg.InterfaceError() | PoolTimeout():
            result = StoreUnavailable(_connection_trouble(error))
        case _:
            pass
    return result


def _plain(error: psycopg.Error) -> str:
    """The server's own sentence, without the values it would repeat."""
    table = error.diag.table_name or "the table"
    constraint = error.diag.constraint_name
    what = error.diag.message_primary or "the database refuses it"
    return f"{what} ({table}, {constraint})" if constraint else what


def _connection_trouble(error: BaseException) -> str:
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return f"the database refuses us: {error.diag.message_primary}"
    if isinstance(error, PoolTimeout):
        return "the database does not answer in time"
    # libpq's own text names host, port and user, never the password.
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"the database does not answer: {lines[0].removeprefix('connection failed: ')}"
