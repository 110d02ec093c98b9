"""The end of flapping, on both databases: only time that somebody watched counts as quiet."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.domain.health import Status
from hub.maintenance.flapping import FlappingEnds
from hub.store import events, status
from hub.store.database import Database
from hub.store.events import EventFilter
from hub.store.outages import Watch, mark_watched
from hub.store.status import FLAPPING_OUTAGES
from tests.db.conftest import SYSTEM, County
from tests.statuses import Told, change_status

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PROBES = Watch(name="probes")


async def tell(
    database: Database, device: int, to: Status, at: datetime, behind: int | None = None
) -> None:
    async with database.transaction() as tx:
        await change_status(tx, SYSTEM, Told(device_id=device, status=to, since=at, behind=behind))


async def flap(database: Database, device: int) -> None:
    """The device fails once a minute, the last time at NOW, and is back half a minute later."""
    await tell(database, device, Status.ONLINE, NOW - 60 * MINUTE)
    for minutes in range(FLAPPING_OUTAGES - 1, -1, -1):
        at = NOW - minutes * MINUTE
        await tell(database, device, Status.OFFLINE, at)
        await tell(database, device, Status.ONLINE, at + MINUTE / 2)
    assert await is_flapping(database, device)


async def is_flapping(database: Database, device: int) -> bool:
    async with database.transaction() as tx:
        (row,) = await status.all_statuses(tx, SYSTEM, [device])
    return row.is_flapping


async def look(database: Database, minutes: float) -> None:
    """One pass, so many minutes from now."""
    await FlappingEnds(database=database, clock=lambda: NOW + minutes * MINUTE).run_once()


async def watch(database: Database, *minutes: float, by: Watch = PROBES) -> None:
    """Somebody looked at these minutes and, by what lies between them, was away."""
    async with database.transaction() as tx:
        for one in minutes:
            await mark_watched(tx, SYSTEM, by, NOW + one * MINUTE, longest_gap_s=300)


async def said(database: Database) -> list[StoredEvent]:
    async with database.transaction() as tx:
        page = await events.list_events(tx, SYSTEM, EventFilter(kind="device.steady"))
    return list(page.items)


async def test_a_device_is_steady_half_an_hour_after_it_failed_last(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    await look(database, 30)
    assert await is_flapping(database, camera)
    assert await said(database) == []
    await look(database, 30.1)
    assert not await is_flapping(database, camera)
    (event,) = await said(database)
    assert (event.device_id, event.area_id) == (camera, county.east.id)
    assert event.is_active is False
    assert event.data == {"status": "online", "quiet_s": pytest.approx(30.1 * 60)}
    await look(database, 90)
    assert len(await said(database)) == 1


async def test_a_device_that_stays_offline_is_steady_and_said_to_be_offline(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    await tell(database, camera, Status.OFFLINE, NOW + 5 * MINUTE)
    await look(database, 31)
    assert await is_flapping(database, camera)
    await look(database, 36)
    (event,) = await said(database)
    assert event.data["status"] == "offline"


async def test_an_outage_behind_a_dead_parent_is_no_flapping(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    await tell(database, camera, Status.OFFLINE, NOW + 20 * MINUTE, behind=county.west_camera.id)
    await look(database, 31)
    assert not await is_flapping(database, camera)


@pytest.mark.threat("K1")
async def test_while_the_hub_was_away_nothing_was_quiet(database: Database, county: County) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    await watch(database, 5, 25, 29, 33, 37, 41, 45, 49, 53)
    await look(database, 49)
    assert await is_flapping(database, camera)
    await look(database, 51)
    assert not await is_flapping(database, camera)
    (event,) = await said(database)
    assert event.data["quiet_s"] == pytest.approx(31 * 60)


@pytest.mark.threat("K1")
async def test_while_the_hub_is_still_away_nothing_is_quiet(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    await watch(database, 5)
    await look(database, 500)
    assert await is_flapping(database, camera)


async def test_an_absence_of_others_does_not_matter(database: Database, county: County) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    other = Watch(name="probes", shard=(camera + 1) % 2, shards=2)
    own = Watch(name="probes", shard=camera % 2, shards=2)
    await watch(database, 1, 31, by=other)
    await watch(database, 1, *range(5, 36, 4), by=own)
    await watch(database, 1, 31, by=Watch(name="adapters"))
    await look(database, 31)
    assert not await is_flapping(database, camera)


async def test_a_sensor_is_watched_by_the_adapters(database: Database, county: County) -> None:
    sensor = county.east_camera.id
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET kind = %(kind)s WHERE id = %(id)s",
            {"kind": DeviceKind.SENSOR, "id": sensor},
        )
    await flap(database, sensor)
    await watch(database, 1, 31)
    await watch(database, 5, 31, by=Watch(name="adapters"))
    await look(database, 31)
    assert await is_flapping(database, sensor)


async def test_unknown_time_is_not_quiet(database: Database, county: County) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    await tell(database, camera, Status.UNKNOWN, NOW + 10 * MINUTE)
    await look(database, 60)
    assert await is_flapping(database, camera)
    await tell(database, camera, Status.ONLINE, NOW + 60 * MINUTE)
    # The hub's own absence within the unknown time is not taken off twice.
    await watch(database, 20, 50, *range(54, 84, 4))
    await look(database, 79)
    assert await is_flapping(database, camera)
    await look(database, 81)
    assert not await is_flapping(database, camera)


async def test_a_device_whose_ledger_is_gone_is_steady(database: Database, county: County) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM outages")
    await look(database, 1)
    assert not await is_flapping(database, camera)


async def test_it_can_flap_again(database: Database, county: County) -> None:
    camera = county.east_camera.id
    await flap(database, camera)
    await look(database, 31)
    for minutes in range(40, 40 + FLAPPING_OUTAGES):
        await tell(database, camera, Status.OFFLINE, NOW + minutes * MINUTE)
        await tell(database, camera, Status.ONLINE, NOW + (minutes + 0.5) * MINUTE)
    assert await is_flapping(database, camera)
