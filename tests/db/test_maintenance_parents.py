"""Parents of devices, on both databases."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from hub.domain.access import Scope
from hub.domain.devices import DeviceKind
from hub.domain.errors import Invalid, NotFound
from hub.domain.health import Status
from hub.store import audit, parents
from hub.store.database import Database
from tests.db.conftest import SYSTEM, County
from tests.db.parent_world import add, parent_of, put, switches
from tests.statuses import Told, change_status

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


async def test_devices_are_put_below_a_parent_and_taken_away_again(
    database: Database, county: County
) -> None:
    (switch,) = await switches(database, county, 1)
    cameras = [county.east_camera.id, county.west_camera.id]
    assert await put(database, cameras, switch) == cameras
    assert await put(database, cameras, switch) == []
    assert await parent_of(database, cameras[0]) == switch
    assert await put(database, cameras[:1], None) == cameras[:1]
    assert await parent_of(database, cameras[0]) is None
    async with database.transaction() as tx:
        lines = (await audit.list_entries(tx, SYSTEM)).items
        own = (await audit.list_entries(tx, county.east_scope)).items
    assert [line.action for line in lines] == ["device.parent_set"] * 3
    # What was done in another area is not for those of the east village.
    assert [line.area_id for line in own] == [county.east.id] * 2
    assert own[0].detail == {"parent_id": None, "previous": {str(cameras[0]): switch}}


async def test_not_everything_can_be_a_parent(database: Database, county: County) -> None:
    camera, other = county.east_camera.id, county.west_camera.id
    (retired,) = await switches(database, county, 1)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET registration = 'retired' WHERE id = %(id)s", {"id": retired}
        )
    for parent in (other, retired):
        with pytest.raises(Invalid, match="in service"):
            await put(database, [camera], parent)


async def test_nothing_is_below_itself(database: Database, county: County) -> None:
    top, middle, low = await switches(database, county, 3)
    await put(database, [middle], top)
    await put(database, [low], middle)
    for device, parent in ((top, top), (top, low), (middle, low)):
        with pytest.raises(Invalid, match="below itself"):
            await put(database, [device], parent)


async def test_two_at_once_close_no_circle(database: Database, county: County) -> None:
    one, two = await switches(database, county, 2)
    done = await asyncio.gather(
        put(database, [one], two), put(database, [two], one), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in done) == ["Invalid", "list"]


async def test_a_chain_has_its_limit_wherever_it_is_lengthened(
    database: Database, county: County
) -> None:
    chain = await switches(database, county, parents.LONGEST_CHAIN + 1)
    for parent, child in pairwise(chain):
        await put(database, [child], parent)
    (above,) = await switches(database, county, 1)
    with pytest.raises(Invalid, match="at most 8"):
        await put(database, [county.east_camera.id], chain[-1])
    with pytest.raises(Invalid, match="at most 8"):
        await put(database, [chain[0]], above)
    assert await put(database, [county.east_camera.id], chain[-2]) == [county.east_camera.id]


@pytest.mark.threat("T1")
async def test_parents_and_children_of_another_area_do_not_exist(
    database: Database, county: County
) -> None:
    eve = county.east_scope
    (foreign,) = await add(database, county, [""], DeviceKind.SWITCH, west=True)
    (own,) = await switches(database, county, 1)
    camera, west_camera = county.east_camera.id, county.west_camera.id
    for ids, parent in (([camera], foreign), ([camera, west_camera], own), ([west_camera], None)):
        with pytest.raises(NotFound):
            await put(database, ids, parent, scope=eve)
    assert await parent_of(database, camera) is None
    await put(database, [camera, west_camera], own)
    async with database.transaction() as tx:
        assert (await parents.count_children(tx, eve, own)).children == 1
        assert (await parents.count_children(tx, SYSTEM, own)).children == 2
        with pytest.raises(NotFound):
            await parents.count_children(tx, eve, foreign)


async def test_children_are_counted_with_how_they_are(database: Database, county: County) -> None:
    uplink, switch = await switches(database, county, 2)
    cameras = await add(database, county, [""] * 4)
    await put(database, [*cameras[:2], switch], uplink)
    await put(database, cameras[2:], switch)
    async with database.transaction() as tx:
        for number, behind in ((cameras[0], uplink), (cameras[1], None), (cameras[2], uplink)):
            row = Told(device_id=number, status=Status.OFFLINE, since=NOW, behind=behind)
            await change_status(tx, SYSTEM, row)
        found = await parents.count_children(tx, SYSTEM, uplink)
    assert found == parents.Children(children=3, offline=2, behind=2)


HOSTS = (
    ("10.3.7.12", "10.3.7.12"),
    ("rtsp://10.3.7.12:554/Streaming/101", "10.3.7.12"),
    ("http://255.0.0.1/onvif/device_service", "255.0.0.1"),
    ("tcp://10.3.7.12:22", "10.3.7.12"),
    ("passive://10-3-7-0-24", None),
    ("rtsp://999.3.7.12/", None),
    ("rtsp://10.3.7.256/", None),
    ("http://10.3.7.12.example/", None),
    ("http://camera-10.3.7.12/", None),
    ("rtsp://[fd00::10.3.7.12]/", None),
    ("", None),
)


async def test_the_host_of_an_address_is_read(database: Database) -> None:
    async with database.transaction() as tx:
        found = [
            await tx.scalar(str, "SELECT host(ipv4_host(%(a)s))", {"a": address})
            for address, _ in HOSTS
        ]
    assert found == [host for _, host in HOSTS]


async def test_the_devices_of_a_subnet_are_found(database: Database, county: County) -> None:
    inside = await add(
        database, county, ["rtsp://10.3.7.1:554/x", "10.3.7.255", "http://10.3.7.9/onvif"]
    )
    await add(database, county, ["rtsp://10.3.70.1/", "10.3.8.1", "rtsp://110.3.7.1/"])
    (switch,) = await switches(database, county, 1)
    await put(database, inside[:1], switch)
    async with database.transaction() as tx:
        free = await parents.find_in_subnet(tx, SYSTEM, "10.3.7.0/24")
        every = await parents.find_in_subnet(tx, SYSTEM, "10.3.7.0/24", with_parent=True)
        # Without an address of its own, a device is where its link is.
        by_link = await parents.find_in_subnet(tx, SYSTEM, "192.168.1.0/24")
        foreign = await parents.find_in_subnet(
            tx, Scope(paths=(county.west.path,), actor="wes"), "10.3.0.0/16", with_parent=True
        )
    assert (free, every, foreign) == (inside[1:], inside, [])
    assert by_link == [county.east_camera.id, county.west_camera.id, switch]


@pytest.mark.threat("T11")
async def test_a_subnet_is_a_subnet_and_not_too_wide(database: Database, county: County) -> None:
    bad = ("", "10.3.7.1/24", "10.0.0.0/8", "::/0", "10.3.7.0/24' OR '1'='1", "10.3.7.0/x", "x")
    async with database.transaction() as tx:
        for subnet in bad:
            with pytest.raises(Invalid):
                await parents.find_in_subnet(tx, SYSTEM, subnet)
        assert await parents.find_in_subnet(tx, county.east_scope, "192.168.1.1/32") == [
            county.east_camera.id
        ]
