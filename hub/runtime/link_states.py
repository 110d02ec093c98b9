"""How each link is, shown to people: gathered for a moment, then stored together.

At the start of a hub tens of thousands of links come up at once.
"""

import asyncio
import logging

from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.store import connections, notices
from hub.store.connections import LinkState
from hub.store.database import Database

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.supervisor")
GATHER_S = 0.2
RETRY_S = 2.0


class LinkStates:
    """What is to be shown last of each link; :meth:`run` stores it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[int, LinkState] = {}
        self._wake = asyncio.Event()

    def note(self, connection_id: int, state: str, detail: str = "") -> None:
        """Show a state; never waits."""
        self._waiting[connection_id] = LinkState(
            connection_id=connection_id, state=state, detail=detail
        )
        self._wake.set()

    async def run(self) -> None:
        """Store what was noted until cancelled; links themselves do not depend on it."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            batch, self._waiting = self._waiting, {}
            try:
                async with self._database.transaction() as tx:
                    changed = await connections.set_states(tx, SCOPE, list(batch.values()))
                    await notices.notify(tx, SCOPE, "connection-states", changed)
            except StoreUnavailable as error:
                log.debug("the states of %s links are not stored yet: %s", len(batch), error)
                self._waiting = {**batch, **self._waiting}
                self._wake.set()
                await asyncio.sleep(RETRY_S)
