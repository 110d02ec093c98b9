"""A lock that one process of all holds for as long as it is connected."""

from psycopg import AsyncConnection

from hub.domain.access import Scope
from hub.store.database import Database

CONNECT_TIMEOUT_S = 5


class Claim:
    """One process's claim on a name; the database lets go of it when the process is gone."""

    def __init__(self, database: Database, scope: Scope, name: str) -> None:
        del scope  # the hub's own bookkeeping
        self._database = database
        self._name = name
        self._connection: AsyncConnection[tuple[object, ...]] | None = None

    async def try_hold(self) -> bool:
        """Take the lock or make sure that it is still held; False when another process has it.

        Raises:
            StoreUnavailable: the database does not answer; nothing is known.
        """
        with self._database.translated():
            if self._connection is None or self._connection.closed:
                self._connection = await AsyncConnection.connect(
                    self._database.address, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S
                )
            # Shared by its own session any number of times: asking again proves that it is held.
            cursor = await self._connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))", {"name": self._name}
            )
            row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def let_go(self) -> None:
        """Give the lock back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
