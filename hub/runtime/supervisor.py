"""Keeps one adapter running for every enabled connection, and alone decides when to try again.

Adapters raise, the supervisor reacts by the class of the error. Loss is said once, recovery
once. One failing connection never touches another.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.domain.access import system_scope
from hub.domain.devices import Connection, Json
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    StoreUnavailable,
    UnsupportedByDevice,
)
from hub.domain.events import Event
from hub.domain.ports import Adapter, Commandable, Link
from hub.runtime.ending import end_tasks
from hub.runtime.link_states import LinkStates
from hub.runtime.live import RESYNC, LiveFeed
from hub.store import connections
from hub.store.database import Database

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.supervisor")

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
BUSY_RETRY_S = 60.0
# Cameras lock an account after a few wrong passwords: half an hour is common.
AUTH_RETRY_S = 300.0
# Links that are being made at once: after a restart all of them want to be.
STARTS_AT_ONCE = 256
# What a device cannot do it can after a new firmware, or once it has finished booting.
UNSUPPORTED_RETRY_S = 3600.0
CONNECTED = "connected"

MakeAdapter = Callable[[Connection], Adapter]
MakeLink = Callable[[Connection], Link]


def next_wait_s(error: Exception, attempt: int, rng: random.Random) -> float | None:
    """How long to wait before trying again; None: not before the connection is changed.

    Args:
        error: What the adapter raised.
        attempt: How many times in a row it failed, from 1.
        rng: Spreads the retries of many connections over time.
    """
    match error:
        case AddressRefused():
            return None
        case UnsupportedByDevice():
            wait = UNSUPPORTED_RETRY_S
        case AuthRejected():
            wait = AUTH_RETRY_S
        case DeviceBusy():
            wait = BUSY_RETRY_S
        case DeviceUnreachable() | ProtocolViolation() | _:
            wait = min(FIRST_RETRY_S * 2 ** (attempt - 1), LONGEST_RETRY_S)
    return wait * rng.uniform(0.8, 1.2)


@dataclass(slots=True)
class _Running:
    connection: Connection
    adapter: Adapter | None
    task: asyncio.Task[None]


class Supervisor:
    """All adapters of this process."""

    def __init__(
        self,
        database: Database,
        make_adapter: MakeAdapter,
        make_link: MakeLink,
        *,
        rng: random.Random,
    ) -> None:
        self._database = database
        self._make_adapter = make_adapter
        self._make_link = make_link
        self._rng = rng
        self._running: dict[int, _Running] = {}
        self._states: dict[int, str] = {}
        self._shown = LinkStates(database)
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)

    def states(self) -> Mapping[int, str]:
        """``connected`` or the name of the error, by connection."""
        return dict(self._states)

    async def command(
        self, connection_id: int, device: str, do: str, args: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Run a command on a device behind a connection of this process.

        Raises:
            DeviceUnreachable: the connection does not run here.
            UnsupportedByDevice: its protocol has no commands.
        """
        running = self._running.get(connection_id)
        if running is None or running.adapter is None:
            msg = "the connection of this device is not running"
            raise DeviceUnreachable(msg)
        adapter: object = running.adapter
        if not isinstance(adapter, Commandable):
            msg = "devices of this protocol take no commands"
            raise UnsupportedByDevice(msg)
        return await adapter.command(device, do, args)

    async def run(self, feed: LiveFeed) -> None:
        """Follow the connections in the database until cancelled."""
        showing = asyncio.create_task(self._shown.run(), name="link-states")
        try:
            with feed.subscribe() as changes:
                await self._follow_surely(None)
                async for notice in changes:
                    if notice == RESYNC:
                        await self._follow_surely(None)
                    elif notice.topic == "connections":
                        await self._follow_surely(notice.ids)
        finally:
            await self._stop(list(self._running))
            await end_tasks([showing])

    async def _follow_surely(self, ids: Sequence[int] | None) -> None:
        """Bring what runs in line with the database: those of ``ids``, or all."""
        while True:
            try:
                async with self._database.transaction() as tx:
                    wanted = await connections.list_connections(
                        tx, SCOPE, only_enabled=True, ids=ids
                    )
            except StoreUnavailable as error:
                log.warning("the connections cannot be read: %s", error)
                await asyncio.sleep(FIRST_RETRY_S)
            else:
                await self._follow(wanted, self._running if ids is None else ids)
                return

    async def _follow(self, wanted: Sequence[Connection], asked: Iterable[int]) -> None:
        by_id = {connection.id: connection for connection in wanted}
        running = {n: self._running[n].connection for n in asked if n in self._running}
        await self._stop([n for n, connection in running.items() if by_id.get(n) != connection])
        for number, connection in by_id.items():
            if number not in self._running:
                task = asyncio.create_task(self._keep(connection), name=f"connection-{number}")
                self._running[number] = _Running(connection, None, task)

    async def _stop(self, numbers: Sequence[int]) -> None:
        stopped = [self._running.pop(number) for number in numbers]
        await end_tasks(running.task for running in stopped)
        for number in numbers:
            self._states.pop(number, None)

    async def _keep(self, connection: Connection) -> None:
        """One connection, for ever: run, react, wait, run again.

        The adapter is built once: what it knows of its devices outlives a lost link.
        """
        attempt = 0
        adapter: Adapter | None = None
        while True:
            link: _WatchedLink | None = None
            error: Exception
            try:
                link = self._link(connection)
                adapter = adapter or self._make_adapter(connection)
                self._running[connection.id].adapter = adapter
                await link.start(adapter)
                error = DeviceUnreachable("the link ended without saying why")
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # Not ours: the adapter lost a task of its own and let that out.
                log.exception("connection %s was cancelled from within", connection.name)
                error = DeviceUnreachable("the link ended without saying why")
            except DeviceError as expected:
                error = expected
            except Exception as defect:
                log.exception("connection %s failed in an unforeseen way", connection.name)
                error = defect
            attempt = 1 if link is not None and link.has_emitted else attempt + 1
            self._say_lost(connection, error)
            wait = next_wait_s(error, attempt, self._rng)
            if wait is None:
                await asyncio.get_running_loop().create_future()
            else:
                await asyncio.sleep(wait)

    def _link(self, connection: Connection) -> "_WatchedLink":
        inner = self._make_link(connection)
        return _WatchedLink(inner, self._starts, lambda: self._say_connected(connection))

    def _say_connected(self, connection: Connection) -> None:
        before = self._states.get(connection.id)
        if before == CONNECTED:
            return
        # At the start of the hub that is what is expected, of all of them.
        level = logging.DEBUG if before is None else logging.INFO
        log.log(level, "connection %s (%s) is up", connection.name, connection.protocol)
        self._states[connection.id] = CONNECTED
        self._shown.note(connection.id, CONNECTED)

    def _say_lost(self, connection: Connection, error: Exception) -> None:
        name = type(error).__name__
        if self._states.get(connection.id) != name:
            log.warning(
                "connection %s (%s) is down: %s: %s",
                connection.name,
                connection.protocol,
                name,
                error,
            )
            if isinstance(error, ProtocolViolation) and error.evidence:
                log.info("connection %s answered %r", connection.name, error.evidence[:200])
        self._states[connection.id] = name
        is_ours = isinstance(error, DeviceError)
        detail = str(error) if is_ours else "a defect of the hub, see its log"
        self._shown.note(connection.id, name, detail)


class _WatchedLink:
    """Notices the first event: that is when a connection counts as up, and others may start."""

    __slots__ = ("_inner", "_on_first", "_starts", "has_emitted", "is_starting")

    def __init__(
        self, inner: Link, starts: asyncio.Semaphore, on_first: Callable[[], None]
    ) -> None:
        self._inner = inner
        self._starts = starts
        self._on_first = on_first
        self.has_emitted = False
        self.is_starting = False

    async def start(self, adapter: Adapter) -> None:
        """Run the adapter once it is its turn to start."""
        await self._starts.acquire()
        self.is_starting = True
        try:
            await adapter.run(self)
        finally:
            self._let_go()

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        """See :class:`hub.domain.ports.Link`."""
        if not self.has_emitted:
            self.has_emitted = True
            self._let_go()
            self._on_first()
        await self._inner.emit(events, acknowledge=acknowledge)

    def _let_go(self) -> None:
        if self.is_starting:
            self.is_starting = False
            self._starts.release()
