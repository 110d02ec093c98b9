"""Parents suggested by the outage ledger, and what people make of them, on both databases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.access import Scope
from hub.domain.devices import DeviceKind
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.health import Status
from hub.maintenance.parents import ParentFinder
from hub.store import (
    connections,
    devices,
    maintenance_windows,
    parent_decisions,
    parent_suggestions,
)
from hub.store.database import Database
from hub.store.maintenance_windows import NewWindow
from hub.store.outages import Watch, mark_watched
from hub.store.parent_decisions import Choice
from hub.store.parent_suggestions import Suggestion, SuggestionState
from tests.db.conftest import SYSTEM, County
from tests.db.parent_world import add, parent_of, put, switches
from tests.statuses import Told, change_status

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


async def fail(database: Database, device_ids: Sequence[int], at: datetime) -> None:
    """They fail one a second from then on, and are back ten minutes later."""
    async with database.transaction() as tx:
        for status, begin in ((Status.OFFLINE, at), (Status.ONLINE, at + 10 * MINUTE)):
            for seconds, number in enumerate(device_ids):
                since = begin + timedelta(seconds=seconds)
                await change_status(tx, SYSTEM, Told(device_id=number, status=status, since=since))


async def village(database: Database, county: County, count: int = 8) -> list[int]:
    """Cameras of one subnet, online since long ago."""
    cameras = await add(database, county, [f"rtsp://10.3.7.{n}/main" for n in range(1, count + 1)])
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE device_status SET since = %(at)s WHERE device_id = ANY (%(ids)s)",
            {"at": NOW - 60 * DAY, "ids": cameras},
        )
        await tx.execute(
            "UPDATE devices SET created_at = %(at)s WHERE id = ANY (%(ids)s)",
            {"at": NOW - 60 * DAY, "ids": cameras},
        )
    return cameras


async def look(database: Database, after: timedelta = timedelta()) -> None:
    await ParentFinder(database=database, clock=lambda: NOW + after).run_once()


async def open_suggestions(database: Database, scope: Scope = SYSTEM) -> Sequence[Suggestion]:
    async with database.transaction() as tx:
        return (await parent_suggestions.list_suggestions(tx, scope)).items


async def test_a_group_in_the_ledger_is_suggested_once(database: Database, county: County) -> None:
    cameras = await village(database, county)
    await fail(database, cameras, NOW - 20 * DAY)
    await look(database)
    assert await open_suggestions(database) == []
    await fail(database, cameras, NOW - 2 * DAY)
    await look(database)
    (first,) = await open_suggestions(database)
    assert (first.subnet, first.device_ids, first.times_seen) == ("10.3.7.0/24", cameras, 2)
    assert first.first_at == NOW - 20 * DAY
    await fail(database, cameras, NOW - DAY)
    await look(database, DAY)
    (again,) = await open_suggestions(database)
    assert again == replace(first, times_seen=3, last_at=NOW - DAY, confidence=again.confidence)
    assert again.confidence > first.confidence


async def test_planned_maintenance_of_the_area_suggests_nothing(
    database: Database, county: County
) -> None:
    cameras = await village(database, county)
    for days in (3, 2):
        window = NewWindow(
            area_id=county.county.id,
            starts_at=NOW - days * DAY,
            ends_at=NOW - days * DAY + 60 * MINUTE,
            reason="new switch",
        )
        async with database.transaction() as tx:
            await maintenance_windows.plan_window(tx, SYSTEM, window, now=NOW - 9 * DAY)
        await fail(database, cameras, NOW - days * DAY + MINUTE)
    await look(database)
    assert await open_suggestions(database) == []


async def test_what_the_hub_missed_suggests_nothing(database: Database, county: County) -> None:
    cameras = await village(database, county)
    for days in (3, 2):
        async with database.transaction() as tx:
            for hours in (-5, 0):
                at = NOW - days * DAY + timedelta(hours=hours)
                await mark_watched(tx, SYSTEM, Watch(name="probes"), at, longest_gap_s=60)
        await fail(database, cameras, NOW - days * DAY + MINUTE)
    await look(database)
    assert await open_suggestions(database) == []


async def test_devices_with_a_parent_are_left_out(database: Database, county: County) -> None:
    cameras = await village(database, county)
    (switch,) = await switches(database, county, 1)
    for days in (3, 2):
        await fail(database, cameras, NOW - days * DAY)
    await put(database, cameras[:2], switch)
    await look(database)
    (found,) = await open_suggestions(database)
    assert found.device_ids == cameras[2:]
    # Somebody set the others by hand: there is nothing left to review.
    await put(database, cameras[2:5], switch)
    await look(database, DAY)
    assert await open_suggestions(database) == []


async def suggested(database: Database, county: County) -> tuple[list[int], Suggestion]:
    cameras = await village(database, county)
    for days in (3, 2):
        await fail(database, cameras, NOW - days * DAY)
    await look(database)
    (found,) = await open_suggestions(database)
    return cameras, found


async def test_accepted_with_a_parent_that_exists(database: Database, county: County) -> None:
    cameras, found = await suggested(database, county)
    (switch,) = await switches(database, county, 1)
    async with database.transaction() as tx:
        both = Choice(parent_id=switch, area_id=county.east.id)
        with pytest.raises(Invalid):
            await parent_decisions.accept_suggestion(tx, SYSTEM, found.id, both, now=NOW)
        after = await parent_decisions.accept_suggestion(
            tx, county.east_scope, found.id, Choice(parent_id=switch), now=NOW
        )
    assert (after.state, after.parent_id, after.decided_by) == ("accepted", switch, "eve")
    assert {await parent_of(database, camera) for camera in cameras} == {switch}
    await look(database, DAY)
    assert await open_suggestions(database) == []
    async with database.transaction() as tx:
        with pytest.raises(Conflict):
            await parent_decisions.dismiss_suggestion(tx, SYSTEM, found.id, now=NOW)


async def test_accepted_with_a_new_uplink(database: Database, county: County) -> None:
    cameras, found = await suggested(database, county)
    async with database.transaction() as tx:
        after = await parent_decisions.accept_suggestion(
            tx, county.east_scope, found.id, Choice(), now=NOW
        )
        uplink = await devices.get_device(tx, SYSTEM, after.parent_id or 0)
        link = await connections.get_connection(tx, SYSTEM, uplink.connection_id)
    assert (uplink.kind, uplink.name, uplink.key) == (
        DeviceKind.UPLINK,
        "Uplink 10.3.7.0/24",
        "device",
    )
    assert uplink.registration == "approved"
    assert uplink.area_id == county.east.id
    assert (link.protocol, link.options) == ("uplink", {"kind": "uplink"})
    assert link.address == f"passive://10-3-7-0-24-{found.id}"
    assert {await parent_of(database, camera) for camera in cameras} == {uplink.id}


async def test_a_parent_that_failed_with_its_children_is_not_put_below_itself(
    database: Database, county: County
) -> None:
    cameras, found = await suggested(database, county)
    async with database.transaction() as tx:
        await tx.execute("UPDATE devices SET kind = 'switch' WHERE id = %(id)s", {"id": cameras[0]})
        await parent_decisions.accept_suggestion(
            tx, SYSTEM, found.id, Choice(parent_id=cameras[0]), now=NOW
        )
    assert await parent_of(database, cameras[0]) is None
    assert {await parent_of(database, camera) for camera in cameras[1:]} == {cameras[0]}


async def test_dismissed_it_comes_back_when_it_has_grown_by_half(
    database: Database, county: County
) -> None:
    cameras, found = await suggested(database, county)
    async with database.transaction() as tx:
        await parent_decisions.dismiss_suggestion(tx, SYSTEM, found.id, now=NOW)
    await look(database)
    assert await open_suggestions(database) == []
    more = await add(database, county, [f"rtsp://10.3.7.{n}/main" for n in range(101, 105)])
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET created_at = %(at)s WHERE id = ANY (%(ids)s)",
            {"at": NOW, "ids": more},
        )
    every = [*cameras, *more]
    for days, number, expected in ((1, 3, []), (35, 4, [every])):
        some = [*cameras, *more[:number]]
        for hours in (10, 5):
            await fail(database, some, NOW + days * DAY - timedelta(hours=hours))
        await look(database, days * DAY)
        assert [one.device_ids for one in await open_suggestions(database)] == expected


@pytest.mark.threat("T1")
async def test_a_suggestion_is_seen_by_those_who_may_see_all_of_it(
    database: Database, county: County
) -> None:
    cameras, found = await suggested(database, county)
    wes = Scope(paths=(county.west.path,), actor="wes")
    nobody = Scope(paths=(), actor="nobody")
    assert await open_suggestions(database, wes) == []
    assert await open_suggestions(database, nobody) == []
    assert len(await open_suggestions(database, county.east_scope)) == 1
    async with database.transaction() as tx:
        with pytest.raises(NotFound):
            await parent_decisions.dismiss_suggestion(tx, wes, found.id, now=NOW)
        await tx.execute(
            "UPDATE devices SET area_id = %(area)s WHERE id = %(id)s",
            {"area": county.west.id, "id": cameras[0]},
        )
    assert await open_suggestions(database, county.east_scope) == []
    both = Scope(paths=(county.east.path, county.west.path), actor="bo")
    assert len(await open_suggestions(database, both)) == 1
    async with database.transaction() as tx:
        with pytest.raises(Invalid, match="no area of yours"):
            await parent_decisions.accept_suggestion(tx, both, found.id, Choice(), now=NOW)
        await tx.execute("DELETE FROM devices WHERE id = ANY (%(ids)s)", {"ids": cameras})
    assert await open_suggestions(database) == []


async def test_suggestions_are_cut_into_pages(database: Database, county: County) -> None:
    groups = [
        parent_suggestions.Group(
            subnet=f"10.3.{number}.0/24",
            device_ids=(county.east_camera.id,),
            times_seen=2,
            first_at=NOW,
            last_at=NOW,
            confidence=confidence,
        )
        for number, confidence in ((1, 0.6), (2, 0.9), (3, 0.6))
    ]
    async with database.transaction() as tx:
        await parent_suggestions.keep_groups(tx, SYSTEM, groups, now=NOW)
        seen: list[str] = []
        cursor = None
        while len(seen) < 9:
            page = await parent_suggestions.list_suggestions(tx, SYSTEM, limit=1, cursor=cursor)
            seen += [one.subnet for one in page.items]
            cursor = page.next
            if cursor is None:
                break
        dismissed = await parent_suggestions.list_suggestions(
            tx, SYSTEM, state=SuggestionState.DISMISSED
        )
    assert seen == ["10.3.2.0/24", "10.3.1.0/24", "10.3.3.0/24"]
    assert dismissed.items == []
