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
MARK_S = 5.0


def longest_gap_s(mark_s: float) -> float:
    """How far marks may lie apart: two of them, and a second for a busy machine."""
    return 2 * mark_s + 1


async def mark_listening(database: Database, clock: Clock) -> None:
    """Leave a mark every few seconds, until cancelled. For the process that runs the adapters."""
    watch, gap_s = Watch(name="adapters"), longest_gap_s(MARK_S)
    while True:
        try:
            async with database.transaction() as tx:
                if await mark_watched(tx, SCOPE, watch, clock(), longest_gap_s=gap_s):
                    log.warning("no adapter listened for a while: that time is unknown")
        except StoreUnavailable as error:
            log.debug("the mark that adapters listen was not left: %s", error)
        await asyncio.sleep(MARK_S)
