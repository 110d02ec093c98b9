"""Maintenance windows on both databases: planned, in force, over; for one device and for many."""

import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.events import StoredEvent
from hub.domain.health import Status
from hub.maintenance.windows import WindowKeeper
from hub.store import device_lists, events, maintenance_windows
from hub.store.database import Database
from hub.store.device_lists import DeviceFilter
from hub.store.events import EventFilter
from hub.store.maintenance_windows import MaintenanceWindow, NewWindow, WindowFilter, WindowState
from hub.store.notices import parse_notice
from tests.db.conftest import SYSTEM, County
from tests.statuses import Told, change_status

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MANY = 70_000


async def plan(
    database: Database,
    *,
    area_id: int | None = None,
    device_id: int | None = None,
    begins_h: float = 0,
    ends_h: float = 2,
    scope: Scope = SYSTEM,
) -> MaintenanceWindow:
    """Plan a window, its beginning and end given in hours from now."""
    new = NewWindow(
        area_id=area_id,
        device_id=device_id,
        starts_at=NOW + begins_h * HOUR,
        ends_at=NOW + ends_h * HOUR,
        reason="new lenses",
    )
    async with database.transaction() as tx:
        return await maintenance_windows.plan_window(tx, scope, new, now=NOW)


async def look(database: Database, hours: float = 0) -> None:
    """One pass, so many hours from now, by a hub that remembers nothing."""
    await WindowKeeper(database=database, clock=lambda: NOW + hours * HOUR).run_once()


async def held(database: Database) -> dict[int, int]:
    """Which device is in which window."""
    async with database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT device_id, window_id FROM device_status WHERE window_id IS NOT NULL"
        )
    return {int(str(device)): int(str(window)) for device, window in rows}


async def told(database: Database) -> list[StoredEvent]:
    """What was said of maintenance, oldest first."""
    async with database.transaction() as tx:
        page = await events.list_events(tx, SYSTEM, EventFilter(), limit=500)
    found = [event for event in page.items if event.kind.startswith("device.maintenance")]
    return sorted(found, key=lambda event: event.id)


def kinds(found: list[StoredEvent]) -> list[str]:
    return [event.kind.removeprefix("device.maintenance_") for event in found]


async def test_devices_of_an_area_are_in_its_window_while_it_lasts(
    database: Database, county: County
) -> None:
    window = await plan(database, area_id=county.county.id, begins_h=1, ends_h=2)
    seen = []
    for hours in (0.9, 1.0, 1.9, 2.0):
        await look(database, hours)
        seen.append(await held(database))
    inside = {county.east_camera.id: window.id, county.west_camera.id: window.id}
    assert seen == [{}, inside, inside, {}]


async def test_what_began_and_ended_is_said_once_a_window(
    database: Database, county: County
) -> None:
    window = await plan(database, area_id=county.county.id)
    for hours in (0, 0.5, 1, 2, 2.5):
        await look(database, hours)
    found = await told(database)
    assert kinds(found) == ["started", "ended"]
    assert [event.area_id for event in found] == [county.county.id] * 2
    assert [event.device_id for event in found] == [None, None]
    assert [event.is_active for event in found] == [True, False]
    assert found[0].data["window"] == window.id
    assert [event.data["devices"] for event in found] == [2, 2]


async def test_people_see_maintenance_while_the_truth_is_kept(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    await plan(database, device_id=camera)
    await look(database)
    async with database.transaction() as tx:
        await change_status(tx, SYSTEM, Told(device_id=camera, status=Status.OFFLINE, since=NOW))
        shown = await device_lists.list_devices(tx, SYSTEM, DeviceFilter(status=Status.MAINTENANCE))
        outages = await tx.scalar(int, "SELECT count(*) FROM outages")
    assert [line.id for line in shown.items] == [camera]
    assert outages == 1
    await look(database, 2)
    async with database.transaction() as tx:
        shown = await device_lists.list_devices(tx, SYSTEM, DeviceFilter(status=Status.OFFLINE))
    assert [line.id for line in shown.items] == [camera]


async def test_of_several_windows_the_one_that_ends_last_holds_the_device(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    short = await plan(database, device_id=camera, ends_h=1)
    long = await plan(database, area_id=county.county.id, ends_h=3)
    village = await plan(database, area_id=county.east.id, ends_h=5)
    await look(database)
    assert (await held(database))[camera] == village.id
    async with database.transaction() as tx:
        await maintenance_windows.end_window(tx, SYSTEM, village.id, now=NOW)
    await look(database)
    assert (await held(database))[camera] == long.id
    async with database.transaction() as tx:
        await maintenance_windows.end_window(tx, SYSTEM, long.id, now=NOW)
    await look(database)
    assert await held(database) == {camera: short.id}


async def test_a_device_that_moves_changes_its_window(database: Database, county: County) -> None:
    window = await plan(database, area_id=county.east.id)
    await look(database)
    assert await held(database) == {county.east_camera.id: window.id}
    async with database.transaction() as tx:
        for camera, area in ((county.east_camera, county.west), (county.west_camera, county.east)):
            await tx.execute(
                "UPDATE devices SET area_id = %(area)s WHERE id = %(id)s",
                {"area": area.id, "id": camera.id},
            )
    await look(database)
    assert await held(database) == {county.west_camera.id: window.id}


@pytest.mark.threat("K10")
async def test_a_clock_that_jumps_leaves_what_the_tables_say(
    database: Database, county: County
) -> None:
    await plan(database, area_id=county.east.id, begins_h=0, ends_h=2)
    seen = []
    for hours in (0, 30, 1, -5, 1.5):
        await look(database, hours)
        seen.append(len(await held(database)))
    assert seen == [1, 0, 1, 0, 1]
    assert kinds(await told(database)) == ["started", "ended", "started", "ended", "started"]


@pytest.mark.threat("K1")
async def test_a_window_that_passed_while_the_hub_was_away_is_no_news(
    database: Database, county: County
) -> None:
    await plan(database, area_id=county.east.id, begins_h=1, ends_h=2)
    await look(database, 0)
    await look(database, 3)
    assert await held(database) == {}
    assert await told(database) == []


async def test_a_window_taken_back_before_it_begins_never_does(
    database: Database, county: County
) -> None:
    window = await plan(database, area_id=county.east.id, begins_h=1, ends_h=2)
    async with database.transaction() as tx:
        ended = await maintenance_windows.end_window(tx, SYSTEM, window.id, now=NOW)
    assert ended.state == WindowState.OVER
    assert ended.ends_at == ended.starts_at == NOW + HOUR
    await look(database, 1.5)
    assert await held(database) == {}
    assert await told(database) == []
    async with database.transaction() as tx:
        with pytest.raises(Conflict):
            await maintenance_windows.end_window(tx, SYSTEM, window.id, now=NOW)


async def test_a_beginning_in_the_past_becomes_now(database: Database, county: County) -> None:
    window = await plan(database, area_id=county.east.id, begins_h=-5, ends_h=1)
    assert window.starts_at == NOW
    assert window.state == WindowState.IN_FORCE


async def test_a_window_ends_after_it_begins_and_within_90_days(
    database: Database, county: County
) -> None:
    for begins_h, ends_h in ((2, 1), (1, 1), (-5, -1), (0, 24 * 90 + 1)):
        with pytest.raises(Invalid):
            await plan(database, area_id=county.east.id, begins_h=begins_h, ends_h=ends_h)
    await plan(database, area_id=county.east.id, begins_h=-5, ends_h=24 * 90)


async def test_a_window_is_of_an_area_or_of_a_device(database: Database, county: County) -> None:
    with pytest.raises(Invalid):
        await plan(database)
    with pytest.raises(Invalid):
        await plan(database, area_id=county.east.id, device_id=county.east_camera.id)


@pytest.mark.threat("T1")
async def test_windows_of_another_area_do_not_exist(database: Database, county: County) -> None:
    eve = county.east_scope
    foreign = await plan(database, area_id=county.west.id)
    of_all = await plan(database, area_id=county.county.id)
    of_device = await plan(database, device_id=county.west_camera.id)
    own = await plan(database, device_id=county.east_camera.id, scope=eve)
    for area, device in ((county.west.id, None), (None, county.west_camera.id)):
        with pytest.raises(NotFound):
            await plan(database, area_id=area, device_id=device, scope=eve)
    async with database.transaction() as tx:
        page = await maintenance_windows.list_windows(tx, eve, WindowFilter(), now=NOW)
        assert [window.id for window in page.items] == [own.id]
        for hidden in (foreign, of_all, of_device):
            with pytest.raises(NotFound):
                await maintenance_windows.end_window(tx, eve, hidden.id, now=NOW)


async def test_the_list_is_narrowed_and_cut_into_pages(database: Database, county: County) -> None:
    over = await plan(database, area_id=county.east.id, ends_h=1)
    later = await plan(database, area_id=county.west.id, begins_h=5, ends_h=6)
    two = [await plan(database, device_id=county.east_camera.id, ends_h=9) for _ in range(2)]
    now = NOW + 2 * HOUR
    async with database.transaction() as tx:
        for state, expected in (
            (WindowState.OVER, [over.id]),
            (WindowState.IN_FORCE, [two[1].id, two[0].id]),
            (WindowState.PLANNED, [later.id]),
            (None, [later.id, two[1].id, two[0].id, over.id]),
        ):
            wanted = WindowFilter(state=state)
            page = await maintenance_windows.list_windows(tx, SYSTEM, wanted, now=now)
            assert [window.id for window in page.items] == expected
        found: list[int] = []
        cursor = None
        for _ in range(3):
            page = await maintenance_windows.list_windows(
                tx, SYSTEM, WindowFilter(area_id=county.east.id), now=now, limit=1, cursor=cursor
            )
            found += [window.id for window in page.items]
            cursor = page.next
    assert found == [two[1].id, two[0].id, over.id]
    assert cursor is None


async def test_consoles_are_told_of_what_changed(database: Database, county: County) -> None:
    window = await plan(database, area_id=county.county.id)
    heard: dict[str, set[int]] = {}
    payloads = database.listen("gengfu")
    assert isinstance(payloads, AsyncGenerator)
    async with contextlib.aclosing(payloads):
        assert await anext(payloads) == ""
        await look(database)
        while len(heard) < 3:
            notice = parse_notice(await anext(payloads))
            assert notice is not None
            heard.setdefault(notice.topic, set()).update(notice.ids)
    assert heard["statuses"] == {county.east_camera.id, county.west_camera.id}
    assert heard["maintenance-windows"] == {window.id}
    assert heard["events"] == {event.id for event in await told(database)}


async def test_a_window_over_a_whole_county_is_one_statement_each_way(
    database: Database, county: County, record_property: Callable[[str, object], None]
) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            "WITH new AS (INSERT INTO devices (connection_id, key, area_id, kind, name)"
            "  SELECT %(link)s, 'k' || n, %(area)s, 'camera', 'camera ' || n"
            "  FROM generate_series(1, %(many)s) AS n RETURNING id)"
            " INSERT INTO device_status (device_id, status) SELECT id, 'online' FROM new",
            {"link": county.east_link.id, "area": county.east.id, "many": MANY - 2},
        )
    await plan(database, area_id=county.county.id)
    took = []
    for hours in (0, 1, 2):
        began = time.perf_counter()
        await look(database, hours)
        took.append(time.perf_counter() - began)
        assert len(await held(database)) == (0 if hours == 2 else MANY)
    for name, seconds in zip(("in", "unchanged", "out"), took, strict=True):
        record_property(f"{MANY} devices {name}, seconds", round(seconds, 3))
    assert [event.data["devices"] for event in await told(database)] == [MANY, MANY]
