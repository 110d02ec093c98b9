"""Inventory files and the database: what goes in, what is refused, what a repeat does."""

import asyncio
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from hub.domain.access import Scope
from hub.domain.assets import AssetRecord, Direction, Room
from hub.domain.devices import Connection, Registration
from hub.domain.errors import NotFound
from hub.domain.secrets import Credentials, Secret
from hub.main.adapters import parse_connection
from hub.maintenance.inventory import import_devices
from hub.maintenance.inventory_areas import import_areas
from hub.maintenance.inventory_devices import ImportOptions
from hub.maintenance.inventory_exports import export_areas, export_devices
from hub.maintenance.inventory_table import Outcome, Source
from hub.maintenance.sheet_reader import read_sheet
from hub.maintenance.sheets import SheetKind, take_back, write_sheet
from hub.store import areas, asset_records, connections, devices, users
from hub.store.database import Database
from tests.db.conftest import SYSTEM, County

EAST, WEST = "330402001", "330402002"
HEADER = (
    "name", "protocol", "address", "area", "device", "username", "password", "options", "kind",
    "code", "team", "place", "parent", "longitude", "latitude", "room", "direction", "notes",
    "installed_on", "registration",
)  # fmt: skip


def row(**cells: object) -> list[object]:
    """A camera of the eastern village, with other cells."""
    given = {"name": "东门", "protocol": "rtsp", "area": EAST, **cells}
    assert not given.keys() - set(HEADER)
    return [given.get(name, "") for name in HEADER]


def file_of(*rows: Sequence[object], kind: SheetKind = SheetKind.CSV) -> Source:
    file = io.BytesIO()
    write_sheet(file, kind, HEADER, rows)
    return Source(stream=file, kind=kind, name="cameras")


async def take(
    database: Database, source: Source, scope: Scope = SYSTEM, **options: object
) -> Outcome:
    chosen = replace(ImportOptions(batch_rows=3), **options)  # type: ignore[arg-type]  # names of it
    return await import_devices(database, scope, source, parse_connection, chosen)


def refusals(outcome: Outcome) -> list[tuple[int, str, str]]:
    return [(bad.line, bad.column, bad.reason) for bad in outcome.refused]


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.new, outcome.changed, outcome.unchanged, outcome.refused_rows


async def totals(database: Database) -> dict[str, int]:
    """How many rows each table has, and the sum of what they hold."""
    async with database.transaction() as tx:
        found = await tx.tuples(
            "SELECT 'connections', count(*) FROM connections UNION ALL"
            " SELECT 'devices', count(*) FROM devices UNION ALL"
            " SELECT 'statuses', count(*) FROM device_status UNION ALL"
            " SELECT 'records', count(*) FROM asset_records UNION ALL"
            " SELECT 'areas', count(*) FROM areas UNION ALL"
            " SELECT 'deeds', count(*) FROM audit"
        )
    return {str(name): int(str(count)) for name, count in found}


async def written(database: Database, scope: Scope = SYSTEM) -> list[dict[str, str]]:
    """The export as mappings, by name of the device."""
    file = io.BytesIO()
    await export_devices(database, scope, file, SheetKind.CSV)
    first, *rest = list(read_sheet(file, SheetKind.CSV))
    lines = [dict(zip(first.cells, map(take_back, one.cells), strict=True)) for one in rest]
    return sorted(lines, key=lambda line: line["name"])


FULL = row(
    address="rtsp://admin:pw-1@10.1.0.1/live", code="33040200001320000001", team="甲队",
    place="解放路1号", longitude=120.7555, latitude=30.7466, room="室外", direction=5,
    notes="first\nsecond", installed_on=date(2023, 5, 17),
)  # fmt: skip


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


async def test_a_repeat_changes_nothing_and_a_correction_what_it_corrects(
    database: Database, county: County
) -> None:
    others = [row(name=f"{n}", address=f"rtsp://10.1.1.{n}/") for n in range(7)]
    assert counts(await take(database, file_of(FULL, *others))) == (8, 0, 0, 0)
    before = await totals(database)
    assert counts(await take(database, file_of(FULL, *others))) == (0, 0, 8, 0)
    # One line of the log says that somebody imported; nothing else was written.
    assert await totals(database) == {**before, "deeds": before["deeds"] + 1}

    corrected = row(
        name="东大门", address="rtsp://10.1.0.1/live", area=WEST, room="室内", password="pw-2"
    )
    outcome = await take(database, file_of(corrected, *others))
    assert counts(outcome) == (0, 1, 7, 0)
    async with database.transaction() as tx:
        (device,) = [d for d in await devices.all_devices(tx, SYSTEM) if d.name == "东大门"]
        link = await connections.get_connection(tx, SYSTEM, device.connection_id)
        record = await asset_records.get_record(tx, SYSTEM, device.id)
        detail = await tx.tuples("SELECT detail FROM audit WHERE action = 'device.edited'")
    # What the corrected row leaves empty stays.
    assert (device.area_id, device.team) == (county.west.id, "甲队")
    assert (record.room, record.direction) == (Room.INDOOR, Direction.SOUTHEAST)
    assert link.credentials == Credentials(username="admin", password=Secret("pw-2"))
    assert (link.name, link.area_id) == ("东大门", county.west.id)
    assert sorted(json.loads(json.dumps(detail[0][0]))["fields"]) == [
        *("area_id", "connection.area_id", "connection.credentials", "connection.name"),
        *("name", "room"),
    ]


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


async def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    database: Database, county: County
) -> None:
    rows = [
        row(name="broker", address="mqtt://10.2.0.1/", protocol="mqtt"),
        row(name="pump", address="mqtt://10.2.0.1/", protocol="mqtt", device="pump-1"),
        row(name="cam", address="rtsp://10.2.0.2/", parent="SW1"),
        row(name="sw", address="tcp://10.2.0.3:22", protocol="uplink", kind="switch", code="SW1"),
        row(name="loop", address="tcp://10.2.0.4:22", protocol="uplink", code="L1", parent="L1"),
        row(name="under a camera", address="rtsp://10.2.0.5/", parent="rtsp://10.2.0.2/"),
        row(name="bad", address="rtsp://10.2.0.6/", area="nowhere"),
    ]
    before, lines = await totals(database), await written(database)
    tried = await take(database, file_of(*rows), is_dry_run=True)
    assert await totals(database) == before
    assert await written(database) == lines
    done = await take(database, file_of(*rows))
    assert (counts(done), refusals(done)) == (counts(tried), refusals(tried))
    assert counts(done) == (4, 0, 0, 3)
    assert [bad.line for bad in done.refused] == [6, 7, 8]


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


NASTY = (
    *("=1+1", "'=1", "-x", "@a", "'quoted'", " blanks ", 'a"b,c', "<img onerror=x>", "{{7*7}}"),
    *("_x0041_", "\uff13\uff13\uff10", "\u200bzero", "x" * 128, "😀", "a;b", "NULL", "1e5", "007"),
)


@pytest.mark.threat("T7")
@pytest.mark.threat("T34")
@pytest.mark.parametrize("kind", list(SheetKind))
@pytest.mark.parametrize("is_chinese", [False, True])
async def test_importing_an_export_changes_nothing(
    database: Database, county: County, kind: SheetKind, *, is_chinese: bool
) -> None:
    async with database.transaction() as tx:
        for number, name in enumerate(NASTY):
            link = Connection(
                id=0, protocol="onvif" if number % 2 else "rtsp", name=f"link of {name}"[:128],
                address=("http" if number % 2 else "rtsp") + f"://10.5.0.{number}/",
                area_id=county.county.id, options={"call_deadline_s": 3.5} if number % 2 else {},
                credentials=Credentials(username=name.strip(), password=Secret("pw")),
            )  # fmt: skip
            new = devices.NewDevice(
                connection_id=await connections.add_connection(tx, SYSTEM, link),
                key=f"key {number}",
                area_id=county.east.id,
            )
            device = await devices.add_device(tx, SYSTEM, new)
            await devices.edit_device(tx, SYSTEM, device.id, name=name, area_id=county.east.id)
            record = AssetRecord(longitude=-number / 7, latitude=number / 3, notes=name.strip())
            await asset_records.put_record(tx, SYSTEM, device.id, record)
    hanging = row(address="rtsp://10.5.1.1/", name="hanging", parent="tcp://10.5.1.2:22")
    switch = row(address="tcp://10.5.1.2:22", protocol="uplink", kind="switch", name="sw")
    broker = row(
        name="b", address="mqtt://10.5.1.3/", protocol="mqtt", username="hub", password="x"
    )
    pump = row(name="泵", address="mqtt://10.5.1.3/", protocol="mqtt", device="pump 1")
    outcome = await take(database, file_of(hanging, switch, broker, pump))
    assert counts(outcome) == (4, 0, 0, 0), outcome
    file = io.BytesIO()
    count = await export_devices(database, SYSTEM, file, kind, is_chinese=is_chinese)
    assert count == len(NASTY) + 2 + 3
    before = await totals(database)
    outcome = await take(database, Source(stream=file, kind=kind))
    assert outcome.refused == ()
    assert counts(outcome) == (0, 0, count, 0)
    assert await totals(database) == {**before, "deeds": before["deeds"] + 1}


async def test_an_import_cut_off_in_the_middle_is_completed_by_a_repeat(
    database: Database, county: County
) -> None:
    rows = [row(name=f"cam {n}", address=f"rtsp://10.6.0.{n}/", parent="SW") for n in range(1, 20)]
    rows.append(
        row(name="sw", address="tcp://10.6.0.99:22", protocol="uplink", kind="switch", code="SW")
    )
    stopped = asyncio.Event()

    def stop(done: int, _total: int) -> None:
        if done >= 9:
            stopped.set()
            task.cancel()

    task = asyncio.create_task(take(database, file_of(*rows), on_progress=stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()
    halfway = (await totals(database))["devices"]
    assert 2 < halfway < 2 + len(rows)
    outcome = await take(database, file_of(*rows))
    assert outcome.refused == ()
    assert outcome.new == 2 + len(rows) - halfway
    found = [line for line in await written(database) if line["name"].startswith("cam ")]
    assert [line["parent"] for line in found] == ["SW"] * 19
    assert counts(await take(database, file_of(*rows))) == (0, 0, len(rows), 0)


async def test_two_imports_of_one_file_at_once_double_nothing(
    database: Database, county: County
) -> None:
    rows = [row(name=f"cam {n}", address=f"rtsp://10.7.0.{n}/", code=f"C{n}") for n in range(30)]
    first, second = await asyncio.gather(
        take(database, file_of(*rows)), take(database, file_of(*rows))
    )
    assert first.refused == second.refused == ()
    assert first.new + second.new == len(rows)
    assert first.unchanged + second.unchanged == len(rows)
    assert (await totals(database))["devices"] == 2 + len(rows)


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


AREAS = [("hut1", "一号", "east1"), ("east1", "东一组", EAST), ("hut2", "二号", "east1")]


def area_file(*rows: Sequence[object], kind: SheetKind = SheetKind.CSV) -> Source:
    file = io.BytesIO()
    write_sheet(file, kind, ("code", "name", "parent"), rows)
    return Source(stream=file, kind=kind, name="areas")


@pytest.mark.parametrize("kind", list(SheetKind))
async def test_areas_go_in_in_any_order_and_repeating_changes_names_only(
    database: Database, county: County, kind: SheetKind
) -> None:
    source = area_file(*AREAS, kind=kind)
    tried = await import_areas(database, SYSTEM, source, is_dry_run=True)
    assert counts(tried) == (3, 0, 0, 0)
    assert counts(await import_areas(database, SYSTEM, source)) == (3, 0, 0, 0)
    async with database.transaction() as tx:
        hut = await areas.find_area(tx, SYSTEM, "hut1")
        deeds = await tx.tuples("SELECT action, area_id FROM audit ORDER BY id")
    assert hut.path == f"330402.{EAST}.east1.hut1"
    assert [deed[0] for deed in deeds] == ["area.created"] * 3
    assert counts(await import_areas(database, SYSTEM, source)) == (0, 0, 3, 0)
    renamed = area_file(("hut1", "一号屋", ""), *AREAS[1:], kind=kind)
    assert counts(await import_areas(database, SYSTEM, renamed)) == (0, 1, 2, 0)
    out = io.BytesIO()
    assert await export_areas(database, SYSTEM, out, kind, is_chinese=True) == 6
    again = await import_areas(database, SYSTEM, Source(stream=out, kind=kind))
    assert counts(again) == (0, 0, 6, 0)


@pytest.mark.threat("T12")
async def test_bad_areas_are_named_and_nothing_is_moved(database: Database, county: County) -> None:
    rows = [
        ("a1", "one", EAST),
        (WEST, "moved", EAST),
        ("b 1", "blank", EAST),
        ("c1", "", EAST),
        ("a1", "again", EAST),
        ("d1", "circle", "d2"),
        ("d2", "circle", "d1"),
        ("e1", "orphan", "nowhere"),
        ("f1", "f" * 129, EAST),
    ]
    outcome = await import_areas(database, SYSTEM, area_file(*rows))
    assert counts(outcome) == (1, 0, 0, 8)
    assert [(line, column) for line, column, _ in refusals(outcome)] == [
        (3, "parent"), (4, "code"), (5, "name"), (6, "code"), (7, "parent"), (8, "parent"),
        (9, "parent"), (10, "name"),
    ]  # fmt: skip
    assert "not moved" in outcome.refused[0].reason
    assert "itself" in outcome.refused[4].reason

    mine = [
        ("x1", "below west", WEST),
        ("x2", "a root", ""),
        (WEST, "renamed", ""),
        ("x3", "mine", EAST),
    ]
    outcome = await import_areas(database, county.east_scope, area_file(*mine))
    assert counts(outcome) == (1, 0, 0, 3)
    assert [(line, column) for line, column, _ in refusals(outcome)] == [
        (2, "parent"), (3, "parent"), (4, "code"),
    ]  # fmt: skip


async def test_who_adds_a_root_goes_on_below_it(database: Database, county: County) -> None:
    async with database.transaction() as tx:
        await users.ensure_first_admin(tx, SYSTEM)
        (admin,) = await users.list_users(tx, SYSTEM)
    scope = Scope(paths=(county.county.path,), actor=admin.name, user_id=admin.id)
    rows = [("r2", "另一县", ""), ("r2v", "村", "r2")]
    assert counts(await import_areas(database, scope, area_file(*rows))) == (2, 0, 0, 0)
    async with database.transaction() as tx:
        granted = await tx.tuples("SELECT a.code FROM grants g JOIN areas a ON a.id = g.area_id")
    assert ("r2",) in granted
