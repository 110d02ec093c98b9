"""From a sensor's reading to the alert: pipeline, keeper of points and alert engine together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from alerts.judging.engine import AlertEngine
from alerts.rules.defaults import DEFAULTS
from hub.domain.conditions import EventOfKind
from hub.domain.devices import DeviceDescription, DeviceKind, Point, Registration
from hub.domain.events import DeviceDescribed, Event, Reading, StatusReported
from hub.domain.health import Layer, Status
from hub.maintenance.watching_points import KeepingOptions, PointKeeper
from hub.runtime.pipeline import Pipeline
from hub.runtime.registry import Registry
from hub.store import connections, devices, point_health, status
from hub.store.database import Database
from hub.store.events import ReadingRow
from hub.store.notices import notify
from hub.store.point_health import PointLimits
from tests.db.alerts_site import HUB, Clock, Site, wall_clock

SOON_S = 15.0
SICK = (Status.DEGRADED, Layer.READINGS)
WELL = (Status.ONLINE, None)


class Hub:
    """The parts of a running hub that a reading passes, and one station that reports."""

    def __init__(self, database: Database, site: Site) -> None:
        self.site = site
        self.database = database
        self.engine = AlertEngine(database, site.jobs, site.live, wall_clock)
        self.registry = Registry(database)
        self.pipeline = Pipeline(
            database, self.registry, wall_clock, after_commit=self.after_commit
        )
        options = KeepingOptions(step_s=0.05)
        self.keeper = PointKeeper(
            database=database, report=self.pipeline.report, clock=wall_clock, options=options
        )

    async def after_commit(self, rows: Sequence[ReadingRow]) -> None:
        await self.engine.offer_readings(rows)
        await self.keeper.offer(rows)

    async def emit(self, *events: Event) -> None:
        async with self.database.transaction() as tx:
            link = await connections.get_connection(tx, HUB, self.site.connection_id)
        done = asyncio.Event()
        way_in = self.pipeline.link(link, Registration.APPROVED)
        await way_in.emit(events, acknowledge=done.set)
        async with asyncio.timeout(SOON_S):
            await done.wait()

    async def read_until(self, value: float, wanted: tuple[Status, Layer | None]) -> None:
        """Send readings until the device is shown as wanted."""

        async def is_shown() -> bool:
            await self.emit(Reading(device="s1", point="temp", value=value))
            async with self.database.transaction() as tx:
                (row,) = await status.all_statuses(tx, HUB)
            return (row.status, row.layer) == wanted

        await until(is_shown)

    async def alerts(self) -> list[tuple[str, str]]:
        await self.engine.step()
        return [
            (alert.reason.partition(":")[0], alert.status.value)
            for alert in await self.site.alerts()
        ]


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SOON_S):
        while not await is_so():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[Hub]:
    site = await Site(database, Clock()).build()
    for _, condition, _ in DEFAULTS:
        if isinstance(condition, EventOfKind):
            await site.add_rule(condition)
    hub = Hub(database, site)
    work = (hub.pipeline.run(), site.live.run(), hub.registry.run(site.live))
    tasks = [asyncio.create_task(one) for one in (*work, hub.keeper.run(site.live))]
    said = DeviceDescription(
        kind=DeviceKind.SENSOR, points=(Point(key="temp", unit="°C", low=-40.0, high=60.0),)
    )
    try:
        async with asyncio.timeout(SOON_S):
            await site.live.listening.wait()
        await hub.emit(
            DeviceDescribed(device="s1", description=said),
            StatusReported(device="s1", status=Status.ONLINE),
        )
        yield hub
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_value_out_of_range_degrades_the_device_and_raises_an_alert(
    database: Database,
) -> None:
    async with running(database) as hub:
        await hub.read_until(20, WELL)
        await hub.read_until(-127, SICK)
        assert await hub.alerts() == [("point.out_of_range", "firing")]
        await hub.read_until(20, WELL)
        assert await hub.alerts() == [("point.out_of_range", "resolved")]


async def test_limits_that_were_edited_count_at_once(database: Database) -> None:
    async with running(database) as hub:
        await hub.read_until(20, WELL)
        async with database.transaction() as tx:
            (device,) = await devices.all_devices(tx, HUB)
            (point,) = await devices.list_points(tx, HUB, device.id)
            await point_health.set_limits(tx, HUB, point.id, PointLimits(high=10))
            await notify(tx, HUB, "devices", [device.id])
        await hub.read_until(20, SICK)


async def test_points_of_one_device_have_alerts_of_their_own(database: Database) -> None:
    async with running(database) as hub:
        await hub.emit(
            DeviceDescribed(
                device="s1", description=DeviceDescription(points=(Point(key="other", high=5.0),))
            )
        )
        await hub.read_until(20, WELL)

        async def has_two() -> bool:
            await hub.emit(
                *(Reading(device="s1", point=key, value=99) for key in ("temp", "other"))
            )
            return len(await hub.alerts()) == 2

        await until(has_two)

        async def is_one_over() -> bool:
            await hub.emit(Reading(device="s1", point="other", value=1))
            return sorted(state for _, state in await hub.alerts()) == ["firing", "resolved"]

        await until(is_one_over)
