"""Work that falls due at moments: deal with all there is, wait for the next moment or for news.

The work is asked again at least every ``poll_s``, for the news that never came.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Set
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.errors import GengfuError
from hub.domain.ports import Clock
from hub.runtime.ending import end_tasks
from hub.runtime.live import LiveFeed, Subscription

RETRY_S = 1.0
# What is due and cannot be dealt with must not turn the loop into a busy one.
SHORTEST_WAIT_S = 0.02


@dataclass(slots=True, kw_only=True)
class Stepper:
    """Runs ``step`` until cancelled; ``lost`` and ``found`` say when it fails and works again.

    A step deals with what is due and returns when the next is; None: nothing waits. ``wake`` cuts
    a wait short; steps clear it themselves.
    """

    step: Callable[[], Awaitable[datetime | None]]
    clock: Clock
    log: logging.Logger
    lost: str
    found: str
    poll_s: float = 2.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database, which is said once."""
        trouble = ""
        while True:
            try:
                next_due = await self.step()
            except GengfuError as error:
                if str(error) != trouble:
                    self.log.warning("%s: %s", self.lost, error)
                trouble = str(error)
                await asyncio.sleep(RETRY_S)
                continue
            if trouble:
                self.log.info("%s", self.found)
            trouble = ""
            await self._wait(next_due)

    async def run_woken(self, live: LiveFeed | None, topics: Set[str]) -> None:
        """As :meth:`run`, and look at once when there is news of one of ``topics``."""
        async with AsyncExitStack() as stack:
            if live is not None:
                notices = stack.enter_context(live.subscribe())
                listening = asyncio.create_task(self._listen(notices, topics))
                stack.push_async_callback(end_tasks, [listening])
            await self.run()

    async def _listen(self, notices: Subscription, topics: Set[str]) -> None:
        async for notice in notices:
            if notice.topic in topics:
                self.wake.set()

    async def _wait(self, next_due: datetime | None) -> None:
        wait_s = self.poll_s
        if next_due is not None:
            until_s = (next_due - self.clock()).total_seconds()
            wait_s = min(self.poll_s, max(SHORTEST_WAIT_S, until_s))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self.wake.wait()
