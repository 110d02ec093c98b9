"""The repositories on both databases."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from hub.domain.access import Scope
from hub.domain.devices import Connection
from hub.domain.errors import ConfigError, Conflict, Invalid, NotFound
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import Layer, Status
from hub.store import (
    areas,
    audit,
    connections,
    cursors,
    device_lists,
    devices,
    events,
    outages,
    server,
)
from hub.store.audit import Deed
from hub.store.database import Database
from hub.store.device_lists import DeviceFilter
from hub.store.events import EventFilter, ReadingRow
from hub.store.migrate import list_migrations, migrate
from tests.db.conftest import SYSTEM, County
from tests.statuses import Told, change_status

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


def motion(county: County, at: datetime = NOW) -> StoredEvent:
    return StoredEvent(
        id=0,
        kind="motion.started",
        area_id=county.east.id,
        area_path=county.east.path,
        at=at,
        received_at=at,
        device_id=county.east_camera.id,
        severity=Severity.WARNING,
        data={"rule": "门口"},
    )


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    assert await migrate(database_url) == []


async def test_a_newer_database_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 'x', 'y')")
    with pytest.raises(ConfigError, match="newer gengfu"):
        await migrate(database_url)


async def test_a_changed_migration_is_refused(database_url: str) -> None:
    first = list_migrations()[0]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE schema_migrations SET checksum = 'x' WHERE version = 1")
    with pytest.raises(ConfigError, match=first.name):
        await migrate(database_url)


async def test_passwords_are_sealed_and_come_back(database: Database, county: County) -> None:
    async with database.transaction() as tx:
        link = await connections.get_connection(tx, SYSTEM, county.east_link.id)
        sealed = await tx.tuples("SELECT password_sealed FROM connections")
    assert link.credentials.password.reveal() == "camera-pw"
    assert all(b"camera-pw" not in bytes(row[0]) for row in sealed if isinstance(row[0], bytes))
    assert "camera-pw" not in repr(link)


@pytest.mark.threat("T1")
async def test_what_lies_outside_the_scope_does_not_exist(
    database: Database, county: County
) -> None:
    eve = county.east_scope
    async with database.transaction() as tx:
        await events.add_events(tx, SYSTEM, [motion(county)])
    async with database.transaction() as tx:
        west = Scope(paths=(county.west.path,), actor="wes")
        assert (await events.list_events(tx, west, EventFilter())).items == []
        assert len((await events.list_events(tx, eve, EventFilter())).items) == 1
        page = await device_lists.list_devices(tx, eve, DeviceFilter())
        assert [line.id for line in page.items] == [county.east_camera.id]
        assert await device_lists.count_by_status(tx, eve) == {"unknown": 1}
        for missing in (
            devices.get_device(tx, eve, county.west_camera.id),
            devices.list_points(tx, eve, county.west_camera.id),
            devices.list_channels(tx, eve, county.west_camera.id),
            areas.get_area(tx, eve, county.west.id),
            connections.get_connection(tx, eve, county.west_link.id),
            devices.edit_device(tx, eve, county.east_camera.id, name="x", area_id=county.west.id),
            areas.create_area(tx, eve, code="x", name="x", parent_id=county.county.id),
            areas.create_area(tx, eve, code="x", name="x", parent_id=None),
        ):
            with pytest.raises(NotFound):
                await missing
        assert await device_lists.list_devices(
            tx, Scope(paths=(), actor="nobody"), DeviceFilter()
        ) == type(page)(items=[], next=None)


@pytest.mark.threat("T11")
@pytest.mark.parametrize("text", ["'; DROP TABLE devices; --", "%", "_", "\\", "东' OR '1'='1"])
async def test_search_text_is_only_text(database: Database, county: County, text: str) -> None:
    async with database.transaction() as tx:
        page = await device_lists.list_devices(tx, SYSTEM, DeviceFilter(text=text))
        assert page.items == []
        assert (
            len((await device_lists.list_devices(tx, SYSTEM, DeviceFilter(text="东"))).items) == 1
        )


@pytest.mark.threat("T11")
async def test_a_stored_name_with_a_quote_harms_no_later_query(
    database: Database, county: County
) -> None:
    name = "Robert'); DROP TABLE areas;--"
    async with database.transaction() as tx:
        await devices.edit_device(
            tx, SYSTEM, county.east_camera.id, name=name, area_id=county.east.id
        )
        page = await device_lists.list_devices(tx, SYSTEM, DeviceFilter(text=name))
        assert [line.name for line in page.items] == [name]
        assert len(await areas.list_areas(tx, SYSTEM)) == 3


@pytest.mark.threat("T11")
@pytest.mark.parametrize("cursor", ["x", "eyJhIjoxfQ", "WyInIE9SIDE9MSJd", "////"])
async def test_a_foreign_cursor_is_refused(database: Database, county: County, cursor: str) -> None:
    async with database.transaction() as tx:
        with pytest.raises(Invalid):
            await device_lists.list_devices(tx, SYSTEM, DeviceFilter(), cursor=cursor)


async def test_pages_join_without_gap_or_double(database: Database, county: County) -> None:
    async with database.transaction() as tx:
        await events.add_events(
            tx, SYSTEM, [motion(county, NOW + timedelta(seconds=n // 2)) for n in range(0, 14, 2)]
        )
        seen: list[int] = []
        cursor: str | None = None
        while True:
            page = await events.list_events(tx, SYSTEM, EventFilter(), limit=3, cursor=cursor)
            seen += [event.id for event in page.items]
            cursor = page.next
            if cursor is None:
                break
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 7


async def test_a_redelivered_event_is_stored_once(database: Database, county: County) -> None:
    async with database.transaction() as tx:
        assert len(await events.add_events(tx, SYSTEM, [motion(county), motion(county)])) == 1
    async with database.transaction() as tx:
        assert await events.add_events(tx, SYSTEM, [motion(county)]) == []


async def test_redelivered_readings_are_stored_once(database: Database, county: County) -> None:
    async with database.transaction() as tx:
        points = await devices.list_points(tx, SYSTEM, county.east_camera.id)
    rows = [
        ReadingRow(
            device_id=county.east_camera.id,
            point_id=points[0].id,
            at=NOW + timedelta(seconds=n),
            value=float(n),
        )
        for n in range(100)
    ]
    for batch in (rows[:60], rows[40:], rows, [*rows, *rows]):
        async with database.transaction() as tx:
            await events.add_readings(tx, SYSTEM, batch)
    async with database.transaction() as tx:
        stored = await events.list_readings(
            tx, SYSTEM, county.east_camera.id, since=NOW, until=NOW + timedelta(hours=1)
        )
        latest = await devices.list_points(tx, SYSTEM, county.east_camera.id)
    assert [row.value for row in stored] == [float(n) for n in range(100)]
    assert latest[0].value == 99.0


async def test_an_older_reading_does_not_become_the_latest(
    database: Database, county: County
) -> None:
    async with database.transaction() as tx:
        point = (await devices.list_points(tx, SYSTEM, county.east_camera.id))[0].id
        for seconds, value in ((10, 1.0), (5, 2.0)):
            row = ReadingRow(
                device_id=county.east_camera.id,
                point_id=point,
                at=NOW + timedelta(seconds=seconds),
                value=value,
            )
            await events.add_readings(tx, SYSTEM, [row])
        assert (await devices.list_points(tx, SYSTEM, county.east_camera.id))[0].value == 1.0


async def test_outages_open_and_close_with_the_status(database: Database, county: County) -> None:
    device = county.east_camera.id
    steps = (
        (Status.ONLINE, 0, True),
        (Status.OFFLINE, 60, True),
        (Status.OFFLINE, 90, False),
        (Status.ONLINE, 360, True),
    )
    for new, seconds, changes in steps:
        async with database.transaction() as tx:
            row = Told(
                device_id=device,
                status=new,
                since=NOW + timedelta(seconds=seconds),
                layer=Layer.NETWORK if new is Status.OFFLINE else None,
            )
            assert await change_status(tx, SYSTEM, row) is changes
    async with database.transaction() as tx:
        wanted = outages.OutageFilter(device_id=None, since=NOW, until=NOW + timedelta(days=1))
        (outage,) = (await outages.list_outages(tx, county.east_scope, wanted)).items
    assert outage.ended_at is not None
    assert outage.ended_at - outage.started_at == timedelta(minutes=5)
    assert outage.layer == "network"


async def test_the_same_address_twice_is_a_conflict(database: Database, county: County) -> None:
    twin = Connection(
        id=0,
        protocol="onvif",
        name="twin",
        address=county.east_link.address,
        area_id=county.east.id,
    )
    with pytest.raises(Conflict):
        async with database.transaction() as tx:
            await connections.add_connection(tx, SYSTEM, twin)


@pytest.mark.parametrize("code", ["", "a b", "a.b", "x" * 65, "'"])
async def test_an_area_code_that_is_no_label_is_refused(database: Database, code: str) -> None:
    with pytest.raises(Invalid):
        async with database.transaction() as tx:
            await areas.create_area(tx, SYSTEM, code=code, name="x", parent_id=None)


async def test_the_audit_log_only_grows(database: Database) -> None:
    async with database.transaction() as tx:
        await audit.record(tx, SYSTEM, Deed(action="test.done"), {"n": 1})
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'x'", "TRUNCATE audit"):
        with pytest.raises(psycopg.errors.RaiseException):
            async with database.transaction() as tx:
                await tx.execute(statement)
    async with database.transaction() as tx:
        assert [e.action for e in (await audit.list_entries(tx, SYSTEM)).items] == ["test.done"]


async def test_a_cursor_never_goes_back(database: Database) -> None:
    async with database.transaction() as tx:
        assert await cursors.get_cursor(tx, SYSTEM, "test") == 0
        await cursors.set_cursor(tx, SYSTEM, "test", 7)
        await cursors.set_cursor(tx, SYSTEM, "test", 5)
        assert await cursors.get_cursor(tx, SYSTEM, "test") == 7


async def test_old_history_goes_and_new_stays(database: Database, county: County) -> None:
    old = datetime.now(UTC) - timedelta(days=100)
    async with database.transaction() as tx:
        await events.add_events(
            tx, SYSTEM, [motion(county, old), motion(county, datetime.now(UTC))]
        )
        assert await server.drop_old(tx, SYSTEM, "events", timedelta(days=30)) >= 1
        left = await events.list_events(tx, SYSTEM, EventFilter())
    assert len(left.items) == 1


async def test_compression_is_asked_for_and_never_a_failure(database: Database) -> None:
    info = await server.inspect_server(database)
    done = await server.compress_old(database, SYSTEM, timedelta(days=7))
    assert done is (info.edition == "timescale")
