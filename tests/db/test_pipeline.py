"""The pipeline on both databases: stored, acknowledged, refused, away and back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from hub.domain.devices import Registration
from hub.domain.events import (
    DeviceDescribed,
    Event,
    Occurrence,
    Reading,
    StatusReported,
    StoredEvent,
    UnrecognisedEvent,
)
from hub.domain.health import DeviceStatusReport, Layer, Status
from hub.runtime.pipeline import Pipeline
from hub.runtime.registry import Registry
from hub.store import device_lists, devices, events, outages, status
from hub.store.database import Database
from hub.store.device_lists import DeviceFilter
from hub.store.events import EventFilter
from hub.store.vault import Vault
from tests.db.conftest import SYSTEM, County, camera
from tests.proxy import open_proxy

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[Pipeline]:
    registry = Registry(database)
    await registry.load()
    pipeline = Pipeline(database, registry, lambda: NOW)
    task = asyncio.create_task(pipeline.run())
    yield pipeline
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def emit(pipeline: Pipeline, county: County, *said: Event) -> None:
    """Emit and wait until it is acknowledged."""
    done = asyncio.Event()
    link = pipeline.link(county.east_link, Registration.PENDING)
    await link.emit(said, acknowledge=done.set)
    async with asyncio.timeout(20):
        await done.wait()


async def stored(database: Database, kind: str = "") -> list[StoredEvent]:
    async with database.transaction() as tx:
        page = await events.list_events(tx, SYSTEM, EventFilter(kind=kind), limit=500)
    return list(reversed(page.items))


async def values(database: Database, device_id: int) -> list[float]:
    async with database.transaction() as tx:
        rows = await events.list_readings(
            tx, SYSTEM, device_id, since=NOW - timedelta(days=1), until=NOW + timedelta(days=1)
        )
    return [row.value for row in rows]


async def test_what_is_acknowledged_is_stored(database: Database, county: County) -> None:
    async with running(database) as pipeline:
        await emit(
            pipeline,
            county,
            Reading(device="device", point="temp", value=21.5),
            Occurrence(device="device", kind="motion.started", is_active=True, data={"w": "门"}),
        )
        assert await values(database, county.east_camera.id) == [21.5]
        (event,) = await stored(database)
    assert (event.kind, event.is_active, event.data) == ("motion.started", True, {"w": "门"})


async def test_an_unknown_device_becomes_pending_and_keeps_its_readings(
    database: Database, county: County
) -> None:
    async with running(database) as pipeline:
        await emit(pipeline, county, Reading(device="station-9", point="level", value=1.0))
        await emit(pipeline, county, Reading(device="station-9", point="level", value=2.0))
    async with database.transaction() as tx:
        page = await device_lists.list_devices(
            tx, SYSTEM, DeviceFilter(registration=Registration.PENDING)
        )
    (line,) = page.items
    assert line.name == "station-9"
    # Both came without a time, so both got the time they were received: here the same one.
    assert await values(database, line.id) == [1.0]


async def test_status_makes_one_event_a_transition(database: Database, county: County) -> None:
    device_id = county.east_camera.id
    async with running(database) as pipeline:
        for number, new in enumerate(
            [Status.ONLINE, Status.OFFLINE, Status.OFFLINE, Status.ONLINE]
        ):
            report = DeviceStatusReport(
                device_id=device_id,
                probed_at=NOW + timedelta(seconds=number),
                layer=Layer.NETWORK if new is Status.OFFLINE else None,
            )
            await pipeline.report([report])
        await emit(pipeline, county, Reading(device="device", point="temp", value=1.0))
    kinds = [event.kind for event in await stored(database)]
    assert kinds == ["device.online", "device.offline", "device.online"]
    async with database.transaction() as tx:
        wanted = outages.OutageFilter(device_id=device_id, since=NOW, until=NOW + timedelta(days=1))
        (outage,) = (await outages.list_outages(tx, SYSTEM, wanted)).items
    assert outage.ended_at == NOW + timedelta(seconds=3)


async def test_a_late_will_is_ignored(database: Database, county: County) -> None:
    async with running(database) as pipeline:
        for session, new in ((7, Status.ONLINE), (8, Status.ONLINE), (7, Status.OFFLINE)):
            await emit(
                pipeline, county, StatusReported(device="device", status=new, session=session)
            )
    async with database.transaction() as tx:
        rows = {row.device_id: row for row in await status.all_statuses(tx, SYSTEM)}
    assert rows[county.east_camera.id].status is Status.ONLINE
    assert rows[county.east_camera.id].session == 8


async def test_two_devices_with_one_identity_are_said_and_both_kept(
    database: Database, county: County
) -> None:
    async with running(database) as pipeline:
        for link in (county.east_link, county.west_link):
            done = asyncio.Event()
            said = DeviceDescribed(
                device="device", description=camera("twin", hardware_id="00:11:22:33:44:55")
            )
            await pipeline.link(link, Registration.APPROVED).emit([said], acknowledge=done.set)
            await asyncio.wait_for(done.wait(), 10)
    (conflict,) = await stored(database, "device.identity_conflict")
    assert conflict.device_id == county.west_camera.id
    assert conflict.data["other_device"] == county.east_camera.id
    async with database.transaction() as tx:
        assert len(await devices.all_devices(tx, SYSTEM)) == 2


@pytest.mark.parametrize(
    "poison",
    [
        Occurrence(device="device", kind="x", data={"nul": "a\0b"}),
        Occurrence(device="device", kind="nul\0kind"),
        Reading(device="device", point="nul\0point", value=1.0),
        Reading(device="nul\0device", point="temp", value=1.0),
    ],
)
async def test_what_the_database_refuses_is_stored_as_unrecognised_and_harms_nothing_else(
    database: Database, county: County, poison: Event
) -> None:
    async with running(database) as pipeline:
        await emit(
            pipeline,
            county,
            Occurrence(device="device", kind="before"),
            poison,
            Occurrence(device="device", kind="after"),
        )
    kinds = [event.kind for event in await stored(database)]
    assert sorted(kinds) == ["after", "before", "unrecognised"]


async def test_bytes_nobody_can_read_are_kept(database: Database, county: County) -> None:
    said = UnrecognisedEvent(
        device="device", topic="gengfu/v1/x/reading", reason="not JSON", payload=b"\xff\x00\x01"
    )
    async with running(database) as pipeline:
        await emit(pipeline, county, said)
    (event,) = await stored(database, "unrecognised")
    assert event.data["reason"] == "not JSON"
    assert event.data["payload"] == "/wAB"


async def test_what_names_no_device_belongs_to_the_place_of_its_link(
    database: Database, county: County
) -> None:
    said = UnrecognisedEvent(device="", topic="gengfu/v1/../x", reason="no device name")
    async with running(database) as pipeline:
        await emit(pipeline, county, said)
    (event,) = await stored(database, "unrecognised")
    assert (event.device_id, event.area_id) == (None, county.east.id)
    async with database.transaction() as tx:
        assert len(await devices.all_devices(tx, SYSTEM)) == 2


@pytest.mark.threat("K3")
async def test_nothing_acknowledged_is_lost_when_every_connection_is_ended(
    database: Database, county: County, server_url: str
) -> None:
    name = database.pool.conninfo
    acknowledged: list[int] = []
    async with running(database) as pipeline:
        link = pipeline.link(county.east_link, Registration.PENDING)
        for number in range(200):
            said = Reading(
                device="device",
                point="temp",
                value=float(number),
                occurred_at=NOW + timedelta(seconds=number),
            )
            await link.emit([said], acknowledge=_note(acknowledged, number))
            if number % 50 == 25:
                _end_all(server_url, name)
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            while len(acknowledged) < 200:
                await asyncio.sleep(0.02)
    assert await values(database, county.east_camera.id) == [float(n) for n in range(200)]


@pytest.mark.threat("K3")
async def test_readings_wait_while_the_database_is_away(
    timescaledb_database_url: str, vault: Vault
) -> None:
    url = timescaledb_database_url
    port = int(psycopg.conninfo.conninfo_to_dict(url)["port"] or 5432)
    async with open_proxy(port) as proxy:
        through = psycopg.conninfo.make_conninfo(url, port=proxy.port)
        database = await Database.open(through, vault=vault)
        county = await County.build(database)
        acknowledged: list[int] = []
        async with running(database) as pipeline:
            await emit(pipeline, county, Reading(device="device", point="temp", value=-1.0))
            await proxy.cut()
            link = pipeline.link(county.east_link, Registration.PENDING)
            for number in range(50):
                said = Reading(
                    device="device",
                    point="temp",
                    value=float(number),
                    occurred_at=NOW + timedelta(seconds=number + 1),
                )
                await link.emit([said], acknowledge=_note(acknowledged, number))
            async with asyncio.timeout(30):
                while not pipeline.trouble:
                    await asyncio.sleep(0.02)
            assert acknowledged == []
            await proxy.mend()
            async with asyncio.timeout(60):
                while len(acknowledged) < 50:
                    await asyncio.sleep(0.02)
            assert not pipeline.trouble
        found = await values(database, county.east_camera.id)
        assert found == [-1.0, *(float(n) for n in range(50))]
        await database.close()


def _note(into: list[int], number: int) -> Callable[[], None]:
    return lambda: into.append(number)


def _end_all(server_url: str, conninfo: object) -> None:
    name = psycopg.conninfo.conninfo_to_dict(str(conninfo))["dbname"]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
            [name],
        )
