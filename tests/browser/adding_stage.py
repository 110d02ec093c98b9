"""What adding devices needs: simulated cameras to find, a worker that looks, sensors that wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from adapters.onvif import surveying as onvif
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import DeviceDescription, Point
from hub.domain.discovery import Find
from hub.maintenance.discovering import Discoverer, DiscoveringOptions, DiscoveringSenses
from hub.runtime.ending import end_tasks
from hub.runtime.jobs import Jobs
from hub.store import devices
from hub.store.database import Database
from hub.store.devices import NewDevice
from streams import surveying as rtsp
from tests.web.stage import SYSTEM, World

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
HOSTILE_NAME = "<img src=x onerror=\"document.title='broken-in'\">"
ELSEWHERE = Find(
    host="169.254.169.254",
    port=80,
    protocol="onvif",
    address="http://169.254.169.254/onvif/device_service",
    name=HOSTILE_NAME,
    trouble="169.254.169.254 is not in a network that the settings allow",
)


def wall_clock() -> datetime:
    return datetime.now(UTC)


async def hear_a_stranger(*, timeout_s: float) -> tuple[Find, ...]:
    """Whoever answers multicast here points elsewhere, under a hostile name."""
    del timeout_s
    return (ELSEWHERE,)


@asynccontextmanager
async def looking(database: Database) -> AsyncIterator[None]:
    """A worker that does the looks people order, on loopback."""
    senses = DiscoveringSenses(
        ask_onvif=partial(onvif.ask_endpoint, policy=LOOPBACK, clock=wall_clock),
        ask_rtsp=partial(rtsp.ask_endpoint, policy=LOOPBACK),
        hear=hear_a_stranger,
        clock=wall_clock,
    )
    jobs = Jobs(database, wall_clock)
    options = DiscoveringOptions(beat_s=0.2, concurrency=20)
    Discoverer(database=database, senses=senses, options=options).register(jobs)
    task = asyncio.create_task(jobs.run(concurrency=2))
    try:
        yield
    finally:
        await end_tasks([task])


async def let_wait(database: Database, world: World, names: tuple[str, ...]) -> list[int]:
    """Sensors of the eastern village that reported by themselves."""
    waiting = []
    async with database.transaction() as tx:
        link = (await devices.get_device(tx, SYSTEM, world.east_camera)).connection_id
        for number, name in enumerate(names):
            new = NewDevice(connection_id=link, key=f"station-{number}", area_id=world.east)
            device = await devices.add_device(tx, SYSTEM, new)
            said = DeviceDescription(
                name=name, points=(Point(key="temp", unit="°C"), Point(key="door"))
            )
            await devices.describe_device(tx, SYSTEM, device.id, said)
            waiting.append(device.id)
    return waiting
