"""Somebody who says when a deadline of a task passed.

Which deadlines passed is in the database, and each is told once, at the moment it was due: as
many processes as wanted keep them, and after an absence they are told in their order.
"""

import asyncio
import logging
from datetime import datetime
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.ports import Clock
from hub.runtime.live import LiveFeed
from hub.runtime.stepping import Stepper
from hub.store.database import Database
from hub.store.dispatch_overdue import next_deadline_at, tell_overdue

log = logging.getLogger(__name__)

SCOPE: Final[Scope] = system_scope("hub.patrols")
BATCH: Final = 500
TOPICS: Final = frozenset({"dispatches", "resync"})


class DeadlineKeeper:
    """One coroutine, :meth:`run`; as many processes as wanted may run it."""

    def __init__(self, database: Database, clock: Clock, *, live: LiveFeed | None = None) -> None:
        self._database = database
        self._clock = clock
        self._live = live
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database."""
        stepper = Stepper(
            step=self.step,
            clock=self._clock,
            log=log,
            lost="overdue tasks cannot be told",
            found="overdue tasks are told again",
            wake=self._wake,
        )
        await stepper.run_woken(self._live, TOPICS)

    async def step(self) -> datetime | None:
        """Tell of every deadline that passed, in order; return when the next one will."""
        self._wake.clear()
        while True:
            async with self._database.transaction() as tx:
                next_due = await next_deadline_at(tx, SCOPE)
            if next_due is None or next_due > self._clock() or not await self._tell():
                return next_due

    async def _tell(self) -> bool:
        """Tell of some; False when others hold all that passed."""
        async with self._database.transaction() as tx:
            return bool(await tell_overdue(tx, SCOPE, self._clock(), limit=BATCH))
