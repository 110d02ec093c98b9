"""Server-sent events: what changes, read once, shown to each console as far as its scope goes.

One :class:`Broadcaster` a process hears the notices (numbers only), reads the rows once and
hands them to bounded queues. A stream ends when its session or token does (T17), loses what
its user's grants lose, and says with every beat whether the database answers: a console never
shows old data as if it were new.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from hub.domain.access import Scope, system_scope
from hub.domain.errors import StoreUnavailable
from hub.runtime.live import RESYNC, LiveFeed
from hub.store.database import Database, Transaction
from hub.store.notices import Notice
from hub.store.sessions import TOPIC as SESSIONS
from hub.web.problems import TooManyTries
from hub.web.schemas.shapes import Out

log = logging.getLogger(__name__)

BEAT_S = 15.0
QUEUE_LIMIT = 200
STREAMS_PER_USER = 20
_SCOPE = system_scope("hub.web.live")
# A console has one list of each, whatever of it changed.
_SHOWN_AS: Mapping[str, str] = {
    "statuses": "devices",
    "connection-states": "connections",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One changed row, where it belongs, and its JSON."""

    area_path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Rows of one collection. ``topic`` resync (no rows) says: read again what you show."""

    topic: str
    rows: Sequence[Row] = ()


_WAKE = Change(topic="wake")

Load = Callable[[Transaction, Scope, Sequence[int]], Awaitable[Sequence[tuple[str, Out]]]]
"""Reads rows by number, each with its area's path."""


@dataclass(slots=True, kw_only=True, eq=False)
class Client:
    """One open stream. What must not be lost in an overflow is a mark, not a queued change."""

    user_id: int
    queue: asyncio.Queue[Change] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))
    must_recheck: bool = False
    is_over: bool = False

    def offer(self, change: Change) -> None:
        """Hand over a change; on overflow everything waiting becomes one resync."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            change = Change(topic=RESYNC.topic)
        self.queue.put_nowait(change)

    def recheck(self) -> None:
        """Have the stream look at once whether its session still holds."""
        self.must_recheck = True
        self.offer(_WAKE)

    def end(self) -> None:
        """Have the stream end at once."""
        self.is_over = True
        self.offer(_WAKE)


class Broadcaster:
    """Reads what changed and hands it to every open stream of this process."""

    def __init__(self, database: Database, feed: LiveFeed, loaders: Mapping[str, Load]) -> None:
        self._database = database
        self._feed = feed
        self._loaders = loaders
        self._clients: set[Client] = set()
        self.is_store_away = False

    @property
    def open_streams(self) -> int:
        """How many streams are open in this process."""
        return len(self._clients)

    def refuse_too_many(self, user_id: int) -> None:
        """Raise TooManyTries when this user has too many streams open already."""
        if sum(client.user_id == user_id for client in self._clients) >= STREAMS_PER_USER:
            msg = "too many consoles of this user are open: close one"
            raise TooManyTries(msg, wait_s=30)

    @contextmanager
    def open(self, user_id: int) -> Iterator[Client]:
        """Receive changes until the end of the block."""
        client = Client(user_id=user_id)
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def end_all(self) -> None:
        """End every stream, so that the server can stop; consoles come back by themselves."""
        for client in self._clients:
            client.end()

    async def run(self) -> None:
        """Hand on what changes until cancelled."""
        with self._feed.subscribe() as subscription:
            async for notice in subscription:
                try:
                    await self._handle(notice)
                    self.is_store_away = False
                except StoreUnavailable as error:
                    log.warning("consoles see no changes: %s", error)
                    self.is_store_away = True
                    self._offer(Change(topic=RESYNC.topic))

    async def _handle(self, notice: Notice) -> None:
        if notice.topic == SESSIONS:
            for client in self._clients:
                if client.user_id in notice.ids:
                    client.recheck()
            return
        if notice.topic in {RESYNC.topic, "areas"}:
            self._offer(Change(topic=RESYNC.topic))
            return
        load = self._loaders.get(notice.topic)
        if load is None or not self._clients:
            return
        async with self._database.transaction() as tx:
            found = await load(tx, _SCOPE, notice.ids)
        rows = [Row(area_path=path, text=out.model_dump_json()) for path, out in found]
        self._offer(Change(topic=_SHOWN_AS.get(notice.topic, notice.topic), rows=rows))

    def _offer(self, change: Change) -> None:
        for client in self._clients:
            client.offer(change)


Recheck = Callable[[], Awaitable[Scope | None]]
"""Returns what the stream's owner may see now, None when the session or token is over."""


async def stream(
    broadcaster: Broadcaster, user_id: int, scope: Scope, recheck: Recheck
) -> AsyncIterator[str]:
    """Yield the text of one stream; ends when the session does.

    Args:
        broadcaster: Where changes come from.
        user_id: The owner.
        scope: What the owner may see at the start.
        recheck: Asked whenever sessions changed, and with every beat.
    """
    with broadcaster.open(user_id) as client:
        async for text in _talk(broadcaster, client, scope, recheck):
            yield text


async def _talk(
    broadcaster: Broadcaster, client: Client, scope: Scope, recheck: Recheck
) -> AsyncIterator[str]:
    yield "retry: 2000\n\n" + _beat(is_store_away=False)
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + BEAT_S
    while True:
        change = await _next_change(client, beat_at)
        if client.is_over:
            return
        if client.must_recheck or loop.time() >= beat_at:
            beat_at = loop.time() + BEAT_S
            try:
                now = await recheck()
            except StoreUnavailable:
                # Whoever cannot be asked about is shown nothing meanwhile.
                client.must_recheck = True
                yield _beat(is_store_away=True)
                continue
            client.must_recheck = False
            if now is None:
                yield "event: ended\ndata: {}\n\n"
                return
            if now.paths != scope.paths:
                scope = now
                yield "event: resync\ndata: {}\n\n"
            yield _beat(is_store_away=broadcaster.is_store_away)
        text = build_event(change, scope)
        if text:
            yield text


async def _next_change(client: Client, until: float) -> Change:
    """The next change; at the loop's time ``until`` one that says nothing."""
    try:
        async with asyncio.timeout_at(until):
            return await client.queue.get()
    except TimeoutError:
        return _WAKE


def build_event(change: Change, scope: Scope) -> str:
    """Build the event of a change for one scope; empty when nothing of it is visible there."""
    if change.topic == RESYNC.topic:
        return "event: resync\ndata: {}\n\n"
    texts = [row.text for row in change.rows if scope.covers(row.area_path)]
    if not texts:
        return ""
    # JSON holds no line break: one data line.
    return f'event: {change.topic}\ndata: {{"items":[{",".join(texts)}]}}\n\n'


def _beat(*, is_store_away: bool) -> str:
    """A comment keeps proxies awake; the event tells the page's own watch that we are there."""
    return f": beat\nevent: beat\ndata: {json.dumps({'database': not is_store_away})}\n\n"
