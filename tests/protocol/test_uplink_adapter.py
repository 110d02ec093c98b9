"""The uplink adapter: what of the adapters' contract concerns one that only describes.

It speaks no protocol: a wrong password, garbage bytes, unknown topics and replayed state cannot
reach it. A cut cable is the prober's to find, so it must not end the adapter.
"""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from adapters.uplink.adapter import UplinkAdapter
from adapters.uplink.options import UplinkOptions
from hub.domain.devices import Connection, DeviceKind
from hub.domain.errors import AddressRefused
from hub.domain.events import DeviceDescribed, Event


class CollectingLink:
    """Keeps what an adapter emits."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.arrived = asyncio.Event()

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        self.events.extend(events)
        self.arrived.set()
        if acknowledge is not None:
            acknowledge()


def build_adapter(address: str, options: UplinkOptions | None = None) -> UplinkAdapter:
    connection = Connection(id=1, protocol="uplink", name="Uplink 7", address=address, area_id=1)
    return UplinkAdapter(connection=connection, options=options or UplinkOptions())


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:22", "passive://uplink-7"])
async def test_it_describes_the_device_once_and_stays(address: str) -> None:
    link = CollectingLink()
    running = asyncio.create_task(build_adapter(address, UplinkOptions(kind="onu")).run(link))
    await link.arrived.wait()
    await asyncio.sleep(0)
    assert not running.done()
    (event,) = link.events
    assert isinstance(event, DeviceDescribed)
    said = event.description
    assert (said.kind, said.name, said.address) == (DeviceKind.ONU, "Uplink 7", address)
    assert said.channels == ()
    running.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_it_never_connects_itself() -> None:
    was_reached = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        was_reached.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        link = CollectingLink()
        running = asyncio.create_task(build_adapter(f"tcp://127.0.0.1:{port}").run(link))
        await link.arrived.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(was_reached.wait(), 0.1)
        server.close()
        await asyncio.sleep(0)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "address", ["exec:/bin/sh", "rtsp://10.0.0.1/", "tcp://10.0.0.1", "passive://a b"]
)
async def test_addresses_that_are_refused(address: str) -> None:
    link = CollectingLink()
    with pytest.raises(AddressRefused):
        await build_adapter(address).run(link)
    assert link.events == []
