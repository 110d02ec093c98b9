"""Inventory files a second time: repeats, corrections, dry runs, exports, cut off, at once."""

import asyncio
import io
import json
from dataclasses import replace

import psycopg
import pytest

from hub.domain.assets import AssetRecord, Direction, Room
from hub.domain.devices import Connection
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.inventory_exports import export_devices
from hub.maintenance.inventory_table import Source
from hub.runtime.sheets import SheetKind
from hub.store import asset_records, connections, devices
from hub.store.database import Database
from tests.db.conftest import SYSTEM, County
from tests.db.inventory_site import (
    FULL,
    SMALL_BATCHES,
    WEST,
    counts,
    file_of,
    refusals,
    row,
    take,
    totals,
    written,
)


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
    tried = await take(database, file_of(*rows), options=replace(SMALL_BATCHES, is_dry_run=True))
    assert await totals(database) == before
    assert await written(database) == lines
    done = await take(database, file_of(*rows))
    assert (counts(done), refusals(done)) == (counts(tried), refusals(tried))
    assert counts(done) == (4, 0, 0, 3)
    assert [bad.line for bad in done.refused] == [6, 7, 8]


NASTY = (
    *("=1+1", "'=1", "-x", "@a", "'quoted'", " blanks ", 'a"b,c', "<img onerror=x>", "{{7*7}}"),
    *("_x0041_", "\uff13\uff13\uff10", "\u200bzero", "x" * 128, "😀", "a;b", "NULL", "1e5", "007"),
    *("x'); DROP TABLE devices; --", "%s%(x)s", "\\N"),
)


@pytest.mark.threat("T7")
@pytest.mark.threat("T11")
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

    task = asyncio.create_task(
        take(database, file_of(*rows), options=replace(SMALL_BATCHES, on_progress=stop))
    )
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


@pytest.mark.threat("K3")
async def test_an_import_outlives_connections_to_the_database_that_are_cut(
    database: Database, county: County
) -> None:
    cuts = 0

    def cut(done: int, _total: int) -> None:
        nonlocal cuts
        if done in {6, 12}:
            with psycopg.connect(database.address, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                    " datname = current_database() AND pid <> pg_backend_pid()"
                    " AND usename = current_user"
                )
            cuts += 1

    rows = [row(name=f"cam {n}", address=f"rtsp://10.8.0.{n}/") for n in range(20)]
    outcome = await take(database, file_of(*rows), options=replace(SMALL_BATCHES, on_progress=cut))
    assert (cuts, counts(outcome)) == (2, (20, 0, 0, 0))
    assert (await totals(database))["devices"] == 2 + 20
