"""Many devices at once, on both databases: nothing lost, nothing doubled, no storm."""

import asyncio

import pytest

from alerts.judging.judge import MOST_ALERTS
from hub.domain.conditions import DeviceOffline, EventOfKind
from hub.domain.devices import Device, DeviceKind
from hub.domain.health import DeviceStatusReport, Layer, Status
from hub.runtime.pipeline import Pipeline
from hub.runtime.registry import Registry
from hub.store.database import Database
from hub.store.devices import all_devices
from hub.store.events import add_events
from tests.db.alerts_site import HUB, Clock, Site, running

MANY = MOST_ALERTS + 50


@pytest.fixture
async def site(database: Database) -> Site:
    return await Site(database, Clock()).build()


async def test_hundreds_that_fail_at_once_are_told_once_each(site: Site) -> None:
    """More alerts than one transaction may make, by two rules: nothing is lost nor doubled."""
    await site.add_rule(DeviceOffline())
    await site.add_rule(EventOfKind(kind="device.offline", clear_kind="device.online"))
    async with site.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
            " SELECT %(link)s, 'd' || n, %(area)s, 'camera', 'd' || n, 'approved'"
            " FROM generate_series(1, %(count)s) AS n",
            {"link": site.connection_id, "area": site.areas["north"].id, "count": MANY},
        )
        await tx.execute("INSERT INTO device_status (device_id) SELECT id FROM devices")
        found = await all_devices(tx, HUB)
    engine = site.engine()
    await engine.step()
    for status, wanted in ((Status.OFFLINE, "firing"), (Status.ONLINE, "resolved")):
        site.clock.pass_s(1)
        events = [site.event(f"device.{status.value}", device) for device in found]
        async with site.database.transaction() as tx:
            await add_events(tx, HUB, events)
            await tx.execute(
                "UPDATE device_status SET status = %(status)s, since = %(at)s",
                {"status": status, "at": site.clock()},
            )
        await engine.step()
        assert await site.count("states") == (2 * MANY if wanted == "firing" else 0)
        page = await site.alerts()
        assert {alert.status.value for alert in page} == {wanted}
    assert await site.count("alerts") == 2 * MANY
    assert await site.count("notifications") == 4 * MANY


async def test_from_the_verdicts_of_probes_to_alerts(site: Site) -> None:
    """The pipeline makes the events: also the one that tells that the parent is not to blame."""
    await site.add_rule(DeviceOffline())
    uplink = await site.add_device("Uplink 7", kind=DeviceKind.UPLINK)
    children = [await site.add_device(f"cam{n}") for n in range(3)]
    for child in children:
        await site.hang(child, uplink)
    registry = Registry(site.database)
    await registry.load()
    pipeline = Pipeline(site.database, registry, site.clock)
    engine = site.engine()
    went_at = site.clock()

    def dead(device: Device, behind: Device | None = None) -> DeviceStatusReport:
        return DeviceStatusReport(
            device_id=device.id,
            probed_at=site.clock(),
            layer=Layer.NETWORK,
            detail="no answer",
            behind=None if behind is None else behind.id,
        )

    async def report(*reports: DeviceStatusReport) -> None:
        before = await site.count("events")
        await pipeline.report(reports)
        async with asyncio.timeout(10):
            while await site.count("events") == before:
                await asyncio.sleep(0.02)
        await engine.step()

    async with running(pipeline.run()):
        await report(dead(uplink), *(dead(child, uplink) for child in children))
        assert [alert.device_name for alert in await site.alerts()] == ["Uplink 7"]
        site.clock.pass_s(300)
        back = [
            DeviceStatusReport(device_id=d.id, probed_at=site.clock())
            for d in (uplink, *children[:2])
        ]
        await report(*back, dead(children[2]))
    alerts = await site.alerts()
    assert [(a.device_name, a.status.value) for a in alerts] == [
        ("Uplink 7", "resolved"),
        ("cam2", "firing"),
    ]
    assert alerts[1].started_at == went_at
    assert await site.count("notifications") == 3
