"""The supervisor with adapters of our own: what it tries again, says, restarts and stops."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from hub.domain.devices import Connection, Json
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.events import Event, StatusReported
from hub.domain.health import Status
from hub.domain.ports import Adapter, Link
from hub.runtime.ending import end_tasks
from hub.runtime.live import LiveFeed
from hub.runtime.supervisor import CONNECTED, Supervisor
from hub.store import connections, notices
from hub.store.database import Database
from tests.db.conftest import SYSTEM, County

ONLINE = StatusReported(device="x", status=Status.ONLINE)
Script = Callable[["Scripted", Link], Awaitable[None]]


class Quick(random.Random):
    """Draws the shortest waits, so that retries come fast but stay in order."""

    def uniform(self, a: float, b: float) -> float:
        return 0.05 * min(a, b)


class Sink:
    """A link whose events nobody needs."""

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        assert events
        if acknowledge is not None:
            acknowledge()


class Scripted:
    """An adapter that does what its test says; counts how often it ran and how it ended."""

    def __init__(self, connection: Connection, script: Script) -> None:
        self.connection = connection
        self.runs = 0
        self.is_cancelled = False
        self._script = script

    async def run(self, link: Link) -> None:
        self.runs += 1
        try:
            await self._script(self, link)
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise


class Obedient(Scripted):
    """One that also takes commands."""

    async def command(self, device: str, do: str, args: Mapping[str, Json]) -> Mapping[str, Json]:
        return {"device": device, "did": do, **args}


async def stays_up(_adapter: Scripted, link: Link) -> None:
    await link.emit([ONLINE])
    await asyncio.Event().wait()


@dataclass(slots=True, kw_only=True)
class Stage:
    """A supervisor that runs, and every adapter it had made."""

    database: Database
    supervisor: Supervisor
    made: list[Scripted] = field(default_factory=list)

    def of(self, link: Connection) -> list[Scripted]:
        return [adapter for adapter in self.made if adapter.connection.id == link.id]

    async def change(self, link: Connection) -> None:
        async with self.database.transaction() as tx:
            await connections.change_connection(tx, SYSTEM, link)
            await notices.notify(tx, SYSTEM, "connections", [link.id])

    async def shown(self, link: Connection) -> tuple[str, str]:
        async with self.database.transaction() as tx:
            (found,) = [
                s for s in await connections.list_states(tx, SYSTEM) if s.connection_id == link.id
            ]
        return found.state, found.state_detail


@asynccontextmanager
async def supervising(
    database: Database,
    scripts: Mapping[int, Script],
    *,
    make_link: Callable[[Connection], Link] = lambda _connection: Sink(),
) -> AsyncIterator[Stage]:
    made: list[Scripted] = []

    def make(connection: Connection) -> Adapter:
        script = scripts.get(connection.id, stays_up)
        kind = Obedient if connection.protocol == "mqtt" else Scripted
        made.append(kind(connection, script))
        return made[-1]

    supervisor = Supervisor(database, make, make_link, rng=Quick())
    feed = LiveFeed(database)
    tasks = [asyncio.create_task(feed.run()), asyncio.create_task(supervisor.run(feed))]
    try:
        yield Stage(database=database, supervisor=supervisor, made=made)
    finally:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await end_tasks(tasks)
        assert all(task.cancelled() for task in tasks)
        assert loop.time() - begun < 1
        # Whatever its script was: nothing runs after the end.
        assert [task for task in asyncio.all_tasks() if "connection-" in task.get_name()] == []


async def until(check: Callable[[], bool], *, s: float = 10) -> None:
    async with asyncio.timeout(s):
        while not check():
            await asyncio.sleep(0.01)


async def test_one_failing_connection_does_not_touch_another(
    database: Database, county: County, caplog: pytest.LogCaptureFixture
) -> None:
    async def falls_thrice(adapter: Scripted, link: Link) -> None:
        if adapter.runs <= 3:
            msg = "no route to the camera"
            raise DeviceUnreachable(msg)
        await stays_up(adapter, link)

    caplog.set_level(logging.INFO, "hub.runtime.supervisor")
    async with supervising(database, {county.east_link.id: falls_thrice}) as stage:
        await until(lambda: list(stage.supervisor.states().values()) == [CONNECTED] * 2)
        (east,), (west,) = stage.of(county.east_link), stage.of(county.west_link)
        # One adapter all the time: what it knows of its devices outlives a lost link.
        assert (east.runs, west.runs) == (4, 1)
        async with asyncio.timeout(5):
            while await stage.shown(county.east_link) != (CONNECTED, ""):
                await asyncio.sleep(0.02)
    said = [r.getMessage() for r in caplog.records if county.east_link.name in r.getMessage()]
    lost, found = said  # once each, however often it was tried
    assert "no route to the camera" in lost
    assert "is up" in found


@pytest.mark.parametrize(
    "error",
    [
        DeviceUnreachable("a"),
        DeviceBusy("b"),
        AuthRejected("c"),
        ProtocolViolation("d", evidence=b"\x00"),
        UnsupportedByDevice("e"),
        AddressRefused("f"),
    ],
)
async def test_every_error_is_shown_by_its_name(
    database: Database, county: County, error: Exception
) -> None:
    async def fails(_adapter: Scripted, _link: Link) -> None:
        raise error

    async with supervising(database, {county.east_link.id: fails}) as stage:
        name = type(error).__name__
        await until(lambda: stage.supervisor.states().get(county.east_link.id) == name)
        async with asyncio.timeout(5):
            while await stage.shown(county.east_link) != (name, str(error)):
                await asyncio.sleep(0.02)
        await until(lambda: stage.supervisor.states().get(county.west_link.id) == CONNECTED)


async def ends_without_a_word(_adapter: Scripted, _link: Link) -> None:
    return


async def divides_by_zero(_adapter: Scripted, _link: Link) -> None:
    raise ZeroDivisionError


async def cancels_itself(_adapter: Scripted, _link: Link) -> None:
    task = asyncio.create_task(asyncio.sleep(9))
    asyncio.get_running_loop().call_soon(task.cancel)
    await task


@pytest.mark.parametrize("script", [ends_without_a_word, divides_by_zero, cancels_itself])
async def test_a_defect_of_an_adapter_is_outlived(
    database: Database, county: County, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    async with supervising(database, {county.east_link.id: script}) as stage:
        await until(lambda: bool(stage.of(county.east_link)))
        await until(lambda: stage.of(county.east_link)[0].runs >= 3)
        assert stage.supervisor.states()[county.west_link.id] == CONNECTED


async def test_options_that_no_longer_fit_are_shown_and_mended_by_an_edit(
    database: Database, county: County
) -> None:
    def make_link(connection: Connection) -> Link:
        if connection.options.get("outdated"):
            msg = "edit the connection"
            raise UnsupportedByDevice(msg)
        return Sink()

    outdated = replace(county.east_link, options={"outdated": True})
    async with supervising(database, {}, make_link=make_link) as stage:
        await stage.change(outdated)
        await until(
            lambda: stage.supervisor.states().get(outdated.id) == UnsupportedByDevice.__name__
        )
        await stage.change(county.east_link)
        await until(lambda: stage.supervisor.states().get(outdated.id) == CONNECTED)


async def test_a_change_touches_exactly_its_connection(database: Database, county: County) -> None:
    async with supervising(database, {}) as stage:
        await until(lambda: list(stage.supervisor.states().values()) == [CONNECTED] * 2)
        (first,), (west,) = stage.of(county.east_link), stage.of(county.west_link)

        await stage.change(replace(county.east_link, address="http://192.168.1.77/"))
        await until(lambda: len(stage.of(county.east_link)) == 2)
        second = stage.of(county.east_link)[1]
        assert first.is_cancelled
        assert second.connection.address == "http://192.168.1.77/"
        await until(lambda: len(stage.supervisor.states()) == 2)

        # The same again changes nothing.
        await stage.change(second.connection)
        await stage.change(replace(second.connection, is_enabled=False))
        await until(lambda: second.is_cancelled)
        assert len(stage.of(county.east_link)) == 2
        # One that is switched off has no say in whether the hub is ready.
        await until(lambda: stage.supervisor.states() == {county.west_link.id: CONNECTED})

        async with database.transaction() as tx:
            await connections.remove_connection(tx, SYSTEM, county.west_link.id)
            await notices.notify(tx, SYSTEM, "connections", [county.west_link.id])
        await until(lambda: west.is_cancelled)
        await until(lambda: stage.supervisor.states() == {})


async def test_a_connection_added_later_starts(database: Database, county: County) -> None:
    new = Connection(
        id=0, protocol="mqtt", name="新", address="mqtt://192.168.9.9", area_id=county.east.id
    )
    async with supervising(database, {}) as stage:
        await until(lambda: len(stage.made) == 2)
        async with database.transaction() as tx:
            number = await connections.add_connection(tx, SYSTEM, new)
            await notices.notify(tx, SYSTEM, "connections", [number])
        await until(lambda: stage.supervisor.states().get(number) == CONNECTED)
        reply = await stage.supervisor.command(number, "pump", "relay.set", {"on": True})
        assert reply == {"device": "pump", "did": "relay.set", "on": True}
        with pytest.raises(UnsupportedByDevice):
            await stage.supervisor.command(county.east_link.id, "x", "relay.set", {})
        with pytest.raises(DeviceUnreachable):
            await stage.supervisor.command(number + 1, "x", "relay.set", {})
