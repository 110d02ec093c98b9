"""What changes, as it changes: one listener a process, fanned out to bounded subscribers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from hub.domain.errors import StoreUnavailable
from hub.store.database import Database
from hub.store.notices import CHANNEL, Notice, parse_notice

log = logging.getLogger(__name__)

# A subscriber that falls this far behind gets one RESYNC instead of everything it missed.
QUEUE_LIMIT = 4096
RETRY_S = 1.0

RESYNC = Notice(topic="resync", ids=())
"""Says: notices may have been missed, read again what you show."""


class Subscription:
    """One subscriber's notices, bounded."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Notice] = asyncio.Queue(QUEUE_LIMIT)

    def offer(self, notice: Notice) -> None:
        """Hand over a notice; on overflow everything waiting becomes one RESYNC."""
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            notice = RESYNC
        self._queue.put_nowait(notice)

    async def __aiter__(self) -> AsyncIterator[Notice]:
        """Yield notices for as long as somebody iterates."""
        while True:
            yield await self._queue.get()


class LiveFeed:
    """Notices of this and every other process of the hub.

    Who subscribes after ``listening`` is set and reads then has missed nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscriptions: set[Subscription] = set()
        self.listening = asyncio.Event()

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """Receive notices from now on, until the end of the block."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def run(self) -> None:
        """Listen until cancelled; after a gap everybody is told to read again."""
        is_away = False
        while True:
            try:
                async for payload in self._database.listen(CHANNEL):
                    self.listening.set()
                    if is_away:
                        is_away = False
                        log.info("live notices come again")
                    notice = parse_notice(payload) if payload else RESYNC
                    if notice is not None:
                        self._publish(notice)
            except StoreUnavailable as error:
                if not is_away:
                    is_away = True
                    log.warning("live notices stop until the database is back: %s", error)
                await asyncio.sleep(RETRY_S)

    def _publish(self, notice: Notice) -> None:
        for subscription in self._subscriptions:
            subscription.offer(notice)
