"""Messages received and not yet handed to the hub, bounded in count and bytes."""

import asyncio
from collections import deque
from dataclasses import dataclass

from adapters.mqtt.ledger import Ack
from adapters.mqtt.payloads import Message
from hub.domain.events import Event

BATCH_MESSAGES = 500  # one call of emit
BATCH_BYTES = 512 * 1024  # parsed in one go: about 10 ms of readings
MAX_BYTES = 32 * 1024 * 1024
ITEM_BYTES = 512  # what an item costs beside its payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What waits: a message to parse, or events already known, or just an acknowledgement.

    ``is_greeting`` wants a call of emit even without events: the link is up, though quiet.
    """

    ack: Ack | None = None
    message: Message | None = None
    events: tuple[Event, ...] = ()
    is_greeting: bool = False


def _cost(item: Item) -> int:
    message = item.message
    return ITEM_BYTES + (len(message.payload) + len(message.topic) if message else 0)


class Inbox:
    """A queue between the wire and the hub."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._has_items = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def filling(self) -> float:
        """How much of its bytes is used; from 1.0 on, whoever fills it must stop."""
        return self._bytes / MAX_BYTES

    def put(self, item: Item) -> None:
        """Add one item."""
        self._items.append(item)
        self._bytes += _cost(item)
        self._has_items.set()

    async def take(self) -> list[Item]:
        """Wait for items and take a batch, oldest first."""
        await self._has_items.wait()
        batch: list[Item] = []
        size = 0
        while self._items and len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
            item = self._items.popleft()
            batch.append(item)
            size += _cost(item)
        self._bytes -= size
        if not self._items:
            self._has_items.clear()
        return batch
