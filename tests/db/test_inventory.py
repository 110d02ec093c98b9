"""Inventory files and the database: what goes in, and what is refused to whom."""

import io
from dataclasses import replace
from datetime import date

import pytest

from hub.domain.assets import AssetRecord, Direction, Room
from hub.domain.devices import Registration
from hub.domain.errors import NotFound
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.inventory_devices import ImportOptions
from hub.maintenance.inventory_table import Source
from hub.runtime.sheets import SheetKind
from hub.store import asset_records, connections, devices
from hub.store.database import Database
from tests.db.conftest import SYSTEM, County
from tests.db.inventory_site import (
    EAST,
    FULL,
    WEST,
    counts,
    file_of,
    refusals,
    row,
    take,
    written,
)


@pytest.mark.threat("T31")
@pytest.mark.parametrize("kind", list(SheetKind))
async def test_a_row_becomes_link_device_status_and_record(
    database: Database, county: County, kind: SheetKind
) -> None:
    outcome = await take(database, file_of(FULL, kind=kind))
    assert counts(outcome) == (1, 0, 0, 0), outcome
    async with database.transaction() as tx:
        (link,) = [
            c for c in await connections.list_connections(tx, SYSTEM) if "10.1.0.1" in c.address
        ]
        (device,) = [d for d in await devices.all_devices(tx, SYSTEM) if d.connection_id == link.id]
        record = await asset_records.get_record(tx, SYSTEM, device.id)
        status = await tx.scalar(
            str, "SELECT status FROM device_status WHERE device_id = %(id)s", {"id": device.id}
        )
        deeds = await tx.tuples("SELECT action, object_id, detail FROM audit ORDER BY id")
    assert link.credentials == Credentials(username="admin", password=Secret("pw-1"))
    assert (link.address, link.name, link.area_id) == (
        "rtsp://10.1.0.1/live",
        "东门",
        county.east.id,
    )
    assert (device.key, device.kind, device.registration) == (
        "camera",
        "camera",
        Registration.APPROVED,
    )
    assert (device.code, device.team, device.area_id) == (
        "33040200001320000001", "甲队", county.east.id,
    )  # fmt: skip
    assert record == AssetRecord(
        longitude=120.7555, latitude=30.7466, room=Room.OUTDOOR, direction=Direction.SOUTHEAST,
        notes="first\nsecond", installed_on=date(2023, 5, 17),
    )  # fmt: skip
    assert status == "unknown"
    assert [deed[0] for deed in deeds] == ["device.imported", "inventory.imported"]
    assert deeds[0][1] == str(device.id)
    assert "pw-1" not in str(deeds)


async def test_a_device_known_by_its_code_may_get_another_address_with_its_password(
    database: Database, county: County
) -> None:
    code = "33040200001320000001"
    await take(database, file_of(FULL))
    moved = row(address="rtsp://10.1.0.77/live", code=code)
    assert refusals(await take(database, file_of(moved))) == [
        (2, "password", "with another address the password must be given again")
    ]
    moved = row(address="rtsp://10.1.0.77/live", code=code, password="pw-9")
    assert counts(await take(database, file_of(moved))) == (0, 1, 0, 0)
    (line,) = [line for line in await written(database) if line["code"] == code]
    assert line["address"] == "rtsp://10.1.0.77/live"
    taken = row(address=county.east_link.address, protocol="onvif", code=code)
    assert refusals(await take(database, file_of(taken)))[0][1:] == (
        "code", "is the code of another device",
    )  # fmt: skip
    other = row(address="http://10.9.9.9/", protocol="onvif", code=code)
    assert refusals(await take(database, file_of(other)))[0][1] == "protocol"


async def test_a_code_alone_fills_the_record_of_a_known_device(
    database: Database, county: County
) -> None:
    await take(database, file_of(FULL))
    file = io.BytesIO(
        "设备编码,方位,维护单位\n33040200001320000001,北,乙队\n33040200001320000002,北,乙队\n".encode()
    )
    outcome = await take(database, Source(stream=file, kind=SheetKind.CSV))
    assert counts(outcome) == (0, 1, 0, 1)
    assert refusals(outcome) == [
        (3, "设备编码", "no device has this code: a new one needs protocol and address")
    ]
    (line,) = [line for line in await written(database) if line["code"]]
    assert (line["direction"], line["team"], line["room"]) == ("north", "乙队", "outdoor")


async def test_every_bad_row_is_named_and_good_rows_beside_it_go_in(
    database: Database, county: County
) -> None:
    rows = [
        row(address="rtsp://10.1.0.1/", code="A1"),
        row(address="rtsp://10.1.0.1/"),
        row(address="rtsp://10.1.0.2/", code="A1"),
        row(address="rtsp://10.1.0.3/", area="33040200"),
        row(address="rtsp://10.1.0.4/", area=""),
        row(address="rtsp://10.1.0.5/", name=""),
        row(address="rtsp://10.1.0.6/", device="other"),
        row(address="mqtt://10.1.0.7/", protocol="mqtt", device="pump"),
        row(address="rtsp://10.1.0.8/", parent="nowhere"),
        row(address="exec:/bin/sh"),
        row(address="tcp://10.1.0.9:22", protocol="uplink", kind="camera"),
        row(address="rtsp://10.1.0.10/", longitude=181, latitude=91),
        row(address="rtsp://10.1.0.11/"),
    ]
    outcome = await take(database, file_of(*rows))
    assert counts(outcome) == (2, 0, 0, 11)
    assert [(line, column) for line, column, _ in refusals(outcome)] == [
        (3, "address"), (4, "code"), (5, "area"), (6, "area"), (7, "name"), (8, "device"),
        (9, "address"), (10, "parent"), (11, "address"), (12, "kind"), (13, "longitude"),
        (13, "latitude"),
    ]  # fmt: skip
    reasons = {line: reason for line, _, reason in refusals(outcome)}
    assert reasons[3] == reasons[4] == "is in line 2 already"
    assert EAST in reasons[5]  # the code that comes close
    assert "no device has this code" in reasons[10]
    assert len(await written(database)) == 2 + 2


async def test_a_row_that_only_the_database_refuses_takes_none_with_it(
    database: Database, county: County
) -> None:
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE devices ADD CONSTRAINT no_seven CHECK (name <> 'cam 7')")
    rows = [row(name=f"cam {n}", address=f"rtsp://10.9.0.{n}/") for n in range(20)]
    options = ImportOptions(batch_rows=16)
    outcome = await take(database, file_of(*rows), options=options)
    assert counts(outcome) == (19, 0, 0, 1)
    (bad,) = outcome.refused
    assert (bad.line, bad.column) == (2 + 7, "-")
    assert "no_seven" in bad.reason
    assert len(await written(database)) == 2 + 19


@pytest.mark.threat("T12")
async def test_nobody_imports_into_areas_of_others(database: Database, county: County) -> None:
    await take(
        database, file_of(row(name="西门", area=WEST, address="rtsp://10.1.0.1/", code="W1"))
    )
    before = await written(database)
    rows = [
        row(address="rtsp://10.1.0.2/", area=WEST),
        row(address="rtsp://10.1.0.1/"),
        row(address="rtsp://10.1.0.3/", code="W1"),
        row(name="mine", address=county.west_link.address, protocol="onvif"),
        row(address="rtsp://10.1.0.4/", parent="W1"),
        row(name="东门", address="rtsp://10.1.0.5/"),
    ]
    outcome = await take(database, file_of(*rows), county.east_scope)
    assert counts(outcome) == (1, 0, 0, 5)
    found = [(line, column, reason) for line, column, reason in refusals(outcome)]
    assert found[0][:2] == (2, "area")
    assert WEST not in found[0][2]
    assert found[1:4] == [
        (3, "address", "is in use already"),
        (4, "code", "is the code of another device"),
        (5, "address", "is in use already"),
    ]
    assert found[4][:2] == (6, "parent")
    after = await written(database)
    assert [line for line in after if line["area"] == WEST] == [
        line for line in before if line["area"] == WEST
    ]
    # What they may not see, their own export does not hold either.
    assert {line["area"] for line in await written(database, county.east_scope)} == {EAST}


@pytest.mark.threat("T12")
async def test_who_has_the_device_but_not_its_link_leaves_the_link_alone(
    database: Database, county: County
) -> None:
    async with database.transaction() as tx:
        await devices.edit_device(
            tx, SYSTEM, county.west_camera.id, name="west", area_id=county.east.id
        )
    given = {"name": "renamed", "protocol": "onvif", "address": county.west_link.address}
    outcome = await take(database, file_of(row(**given, password="stolen")), county.east_scope)
    assert refusals(outcome) == [(2, "password", "the link to this device belongs to another area")]
    outcome = await take(database, file_of(row(**given)), county.east_scope)
    assert counts(outcome) == (0, 1, 0, 0)
    async with database.transaction() as tx:
        link = await connections.get_connection(tx, SYSTEM, county.west_link.id)
    assert link == county.west_link
    (line,) = [x for x in await written(database, county.east_scope) if x["name"] == "renamed"]
    assert (line["username"], line["options"]) == ("", "")


async def test_devices_hang_on_their_parents_wherever_those_stand_in_the_file(
    database: Database, county: County
) -> None:
    rows = [
        row(name="cam 1", address="rtsp://10.3.0.1/", parent="SW1"),
        row(name="cam 2", address="rtsp://10.3.0.2/", parent="tcp://10.3.0.9:22"),
        row(name="cam 3", address="rtsp://10.3.0.3/", parent="switch"),
        row(name="switch", address="tcp://10.3.0.9:22", protocol="uplink", kind="switch",
            code="SW1", parent="UP1"),
        row(name="uplink", address="passive://east-uplink", protocol="uplink", code="UP1"),
    ]  # fmt: skip
    assert counts(await take(database, file_of(*rows))) == (5, 0, 0, 0)
    found = {line["name"]: line["parent"] for line in await written(database)}
    assert {name: found[name] for name in ("cam 1", "cam 2", "cam 3", "switch", "uplink")} == {
        "cam 1": "SW1", "cam 2": "SW1", "cam 3": "SW1", "switch": "UP1", "uplink": "",
    }  # fmt: skip
    assert counts(await take(database, file_of(*rows))) == (0, 0, 5, 0)

    # A known device is put elsewhere; circles and cameras are nothing to hang on.
    others = [
        row(name="cam 1", address="rtsp://10.3.0.1/", parent="UP1"),
        row(name="cam 2", address="rtsp://10.3.0.2/", parent="rtsp://10.3.0.1/"),
        row(name="uplink", address="passive://east-uplink", protocol="uplink", parent="SW1"),
    ]
    outcome = await take(database, file_of(*others))
    assert counts(outcome) == (0, 1, 0, 2)
    assert [(bad.line, bad.column) for bad in outcome.refused] == [(3, "parent"), (4, "parent")]
    assert "switch, uplink" in outcome.refused[0].reason
    assert "itself" in outcome.refused[1].reason
    found = {line["name"]: line["parent"] for line in await written(database)}
    assert (found["cam 1"], found["cam 2"], found["uplink"]) == ("UP1", "SW1", "")


async def test_a_pending_device_that_is_listed_is_approved(
    database: Database, county: County
) -> None:
    async with database.transaction() as tx:
        broker = replace(
            county.east_link, id=0, protocol="mqtt", address="mqtt://10.4.0.1/", name="broker"
        )
        number = await connections.add_connection(tx, SYSTEM, broker)
        for key in ("pump-1", "pump-2", "pump-3"):
            new = devices.NewDevice(connection_id=number, key=key, area_id=county.east.id)
            await devices.add_device(tx, SYSTEM, new)
    listed = {"address": "mqtt://10.4.0.1/", "protocol": "mqtt"}
    rows = [
        row(**listed, name="泵1", device="pump-1"),
        row(**listed, name="泵2", device="pump-2", registration="待批准"),
        row(**listed, name="泵3", device="pump-3", registration="retired"),
        row(**listed, name="泵4", device="pump-4", kind="sensor"),
    ]
    assert counts(await take(database, file_of(*rows))) == (1, 3, 0, 0)
    found = {line["name"]: line for line in await written(database)}
    assert [found[f"泵{n}"]["registration"] for n in (1, 2, 3, 4)] == [
        "approved", "pending", "retired", "approved",
    ]  # fmt: skip
    assert (found["泵4"]["device"], found["泵4"]["kind"]) == ("pump-4", "sensor")

    await take(database, file_of(row(**listed, name="泵1", device="pump-1", code="P1")))
    by_code = io.BytesIO(b"code,password,device,team\nP1,secret,,\nP1,,pump-9,\nP1,,pump-1,A\n")
    outcome = await take(database, Source(stream=by_code, kind=SheetKind.CSV))
    assert [(line, column) for line, column, _ in refusals(outcome)] == [
        (2, "password"), (3, "device"),
    ]  # fmt: skip
    assert outcome.changed == 1


async def test_a_record_is_of_ones_own_areas(database: Database, county: County) -> None:
    record = AssetRecord(mac="44:19:b6:00:12:ab", room=Room.INDOOR)
    async with database.transaction() as tx:
        await asset_records.put_record(tx, county.east_scope, county.east_camera.id, record)
        assert await asset_records.get_record(tx, SYSTEM, county.east_camera.id) == record
        assert await asset_records.get_record(tx, SYSTEM, county.west_camera.id) == AssetRecord()
        with pytest.raises(NotFound):
            await asset_records.get_record(tx, county.east_scope, county.west_camera.id)
        with pytest.raises(NotFound):
            await asset_records.put_record(tx, county.east_scope, county.west_camera.id, record)
