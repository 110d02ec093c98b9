"""The queue's way to the database: it does not give up on what must not be lost.

A worker says how a job ended by one statement. If just that statement loses its connection, the
job would stay "doing" for as long as its worker lives, and hold its lock. So statements without
a result are repeated until the database has taken them; one that was taken twice is refused by
the queue's own functions, which is as good.
"""

import asyncio
import logging
from typing import LiteralString

from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.types import JSONValue

from hub.domain.errors import StoreUnavailable
from hub.store.database import translate

log = logging.getLogger(__name__)

RETRY_S = 0.5
# A longer absence ends the worker, whose jobs are then given to another one.
ATTEMPTS = 60


class JobConnector(PsycopgConnector):
    """Procrastinate's own connector, with patience."""

    async def execute_query_async(self, query: LiteralString, **arguments: JSONValue) -> None:
        """Run a statement without a result, again and again while the database is away."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await super().execute_query_async(query, **arguments)
            except ConnectorException as error:
                if attempt == ATTEMPTS or not _is_connection_lost(error):
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                return


def _is_connection_lost(error: ConnectorException) -> bool:
    cause = error.__cause__
    return cause is not None and isinstance(translate(cause), StoreUnavailable)
