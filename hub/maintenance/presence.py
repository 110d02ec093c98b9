"""Says that the adapters listen. A gap between two marks is an absence of the hub: unknown.

The probes leave marks of their own, a shard each (:mod:`hub.maintenance.probing`).
"""

import asyncio
import logging

from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.domain.ports import Clock
from hub.store.database import Database
from hub.store.outages import Watch, mark_watched

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.maintenance")
MARK_S = 15.0
# A gap between two marks that is longer is an absence: two turns, and some for a busy machine.
LONGEST_GAP_S = 40.0


async def mark_listening(database: Database, clock: Clock) -> None:
    """Leave a mark every few seconds, until cancelled. For the process that runs the adapters."""
    watch = Watch(name="adapters")
    while True:
        try:
            async with database.transaction() as tx:
                if await mark_watched(tx, SCOPE, watch, clock(), longest_gap_s=LONGEST_GAP_S):
                    log.warning("no adapter listened for a while: that time is unknown")
        except StoreUnavailable as error:
            log.debug("the mark that adapters listen was not left: %s", error)
        await asyncio.sleep(MARK_S)
