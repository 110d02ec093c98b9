"""Whose picture is due, and what a check of it is told, on both databases."""

from dataclasses import replace
from itertools import pairwise

from hub.domain.access import Scope
from hub.domain.devices import DeviceKind, Preset
from hub.domain.events import StoredEvent
from hub.domain.health import Layer, Status
from hub.domain.quality import Index, Mode
from hub.store.cameras import list_targets
from hub.store.cursors import get_cursor
from hub.store.database import Database
from hub.store.events import add_events
from hub.store.picture_baselines import NewBaseline, keep_baselines
from hub.store.picture_due import (
    OPINION_CURSOR,
    SECONDS_EACH,
    DuePicture,
    due_for_picture,
    ensure_states,
    load_pictures,
    look_again,
    note_opinions,
)
from hub.store.picture_masks import set_masks
from hub.store.picture_opinions import OPINION_GAP
from hub.store.picture_states import get_state
from tests.db.conftest import SYSTEM, County
from tests.db.stored_pictures import HOUR, MINUTE, NOW, add_cameras, change, keep, kept
from tests.statuses import Told, change_status


async def ensure(database: Database, minutes: float = 0) -> int:
    async with database.transaction() as tx:
        return await ensure_states(tx, SYSTEM, NOW + minutes * MINUTE)


async def due_at(
    database: Database, minutes: float, *, shard: tuple[int, int] = (0, 1), limit: int = 1_000
) -> list[DuePicture]:
    async with database.transaction() as tx:
        return await due_for_picture(tx, SYSTEM, NOW + minutes * MINUTE, shard=shard, limit=limit)


def ids_of(due: list[DuePicture]) -> list[int]:
    return [one.target.device_id for one in due]


async def test_a_first_round_is_spread_and_a_new_camera_is_looked_at_soon(
    database: Database, county: County
) -> None:
    cameras = await add_cameras(database, county.east_link.id, county.east.id, 118)
    for statement in (
        "UPDATE devices SET registration = 'pending' WHERE id = %(one)s",
        "DELETE FROM channels WHERE device_id = %(two)s",
        "UPDATE connections SET is_enabled = false WHERE id = %(link)s",
    ):
        values = {"one": cameras[0], "two": cameras[1], "link": county.west_link.id}
        await change(database, statement, **values)
    watched = sorted([*cameras[2:], county.east_camera.id])
    async with database.transaction() as tx:
        assert await ensure_states(tx, county.east_scope, NOW, spread_s=3_300) == 117
        assert await ensure_states(tx, SYSTEM, NOW) == 0
        assert await ensure_states(tx, Scope(paths=(), actor="nobody"), NOW) == 0
        rows = await tx.tuples("SELECT device_id, next_at FROM picture_states ORDER BY next_at")
    waits = [(at - NOW).total_seconds() for _, at in rows]  # type: ignore[operator]  # a time
    assert sorted(int(str(device)) for device, _ in rows) == watched
    assert [int(str(device)) for device, _ in rows] != watched, "neighbours are not in a row"
    assert waits[0] == 0
    assert max(waits) < 117 * SECONDS_EACH + 0.001, "so few are not made to wait for an hour"
    gaps = [b - a for a, b in pairwise(waits)]
    assert max(gaps) < 1.01 * min(gaps) + 0.001
    # The next day another one is approved, and thousands are added: those are spread.
    await change(
        database, "UPDATE devices SET registration = 'approved' WHERE id = %(id)s", id=cameras[0]
    )
    assert await ensure(database, 1) == 1
    assert cameras[0] in ids_of(await due_at(database, 1))
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM picture_states")
        await ensure_states(tx, SYSTEM, NOW, spread_s=1.0)
        rows = await tx.tuples("SELECT max(next_at) - min(next_at) FROM picture_states")
    ((took,),) = rows
    assert 0.9 < took.total_seconds() < 1  # type: ignore[attr-defined]  # a time


async def test_cameras_that_cannot_answer_wait_and_are_looked_at_when_they_return(
    database: Database, county: County
) -> None:
    cameras = await add_cameras(database, county.east_link.id, county.east.id, 6)
    await ensure(database)
    everybody = {*cameras, county.east_camera.id, county.west_camera.id}
    assert set(ids_of(await due_at(database, 5))) == everybody
    halves = [ids_of(await due_at(database, 5, shard=(number, 2))) for number in (0, 1)]
    assert set(halves[0]) | set(halves[1]) == everybody
    assert all(device % 2 == number for number, half in enumerate(halves) for device in half)

    offline, lost, doubtful, refused, *_ = cameras
    async with database.transaction() as tx:
        for number, (device, status, layer) in enumerate(
            (
                (offline, Status.OFFLINE, Layer.NETWORK),
                (lost, Status.OFFLINE, Layer.PROTOCOL),
                (lost, Status.UNKNOWN, None),
                (doubtful, Status.UNKNOWN, None),
                (refused, Status.DEGRADED, Layer.CREDENTIALS),
            )
        ):
            told = Told(device_id=device, status=status, since=NOW + number * MINUTE, layer=layer)
            await change_status(tx, SYSTEM, told)
        await look_again(tx, SYSTEM, [offline], NOW - HOUR)
        assert await look_again(tx, county.east_scope, [county.west_camera.id], NOW + HOUR) == 0
    due = {one.target.device_id: one for one in await due_at(database, 5)}
    assert everybody - due.keys() == {offline, lost}
    assert (due[doubtful].status, due[doubtful].layer) == (Status.UNKNOWN, None)
    assert (due[refused].status, due[refused].layer) == (Status.DEGRADED, Layer.CREDENTIALS)
    async with database.transaction() as tx:
        state = await get_state(tx, SYSTEM, offline)
        assert state.next_at == NOW - HOUR, "its moment is not burnt"
        told = Told(device_id=offline, status=Status.ONLINE, since=NOW + HOUR)
        await change_status(tx, SYSTEM, told)
    assert ids_of(await due_at(database, 5, limit=1)) == [offline], "the longest due comes first"
    async with database.transaction() as tx:
        scoped = await due_for_picture(
            tx, Scope(paths=(county.west.path,), actor="wang"), NOW + HOUR, shard=(0, 1), limit=9
        )
    assert ids_of(scoped) == [county.west_camera.id]


async def test_a_check_is_told_all_that_is_known_of_its_camera(
    database: Database, county: County
) -> None:
    camera = county.east_camera
    mask = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.25))
    await ensure(database)
    await change(
        database,
        "UPDATE channels SET snapshot_address = 'http://192.168.1.1/jpeg', streams ="
        ' \'[{"role": "sub", "address": "rtsp://192.168.1.1/sub"},'
        ' {"role": "main", "address": "rtsp://192.168.1.1/main"}]\','
        ' presets = \'[{"token": "1", "name": "大门"}]\' WHERE device_id = %(id)s',
        id=camera.id,
    )
    await change(
        database,
        "UPDATE connections SET options = '{\"verify\": false}' WHERE id = %(id)s",
        id=county.east_link.id,
    )
    async with database.transaction() as tx:
        await set_masks(tx, SYSTEM, camera.id, [mask])
        await tx.execute(
            "INSERT INTO asset_records (device_id, longitude, latitude)"
            " VALUES (%(id)s, 120.7, 30.7)",
            {"id": camera.id},
        )
        for band, state in ((0, b"night"), (3, b"noon")):
            mode = Mode.INFRARED if band == 0 else Mode.COLOUR
            new = NewBaseline(device_id=camera.id, key=(band, mode), state=state, learnt_at=NOW)
            await keep_baselines(tx, SYSTEM, [new])
        (due,) = await load_pictures(tx, county.east_scope, [county.west_camera.id, camera.id])
        (west,) = await load_pictures(tx, SYSTEM, [county.west_camera.id])
        targets = {one.device_id: one for one in await list_targets(tx, SYSTEM)}
    target = due.target
    assert target.stream_address == "rtsp://192.168.1.1/main"
    assert target.sub_stream_address == "rtsp://192.168.1.1/sub"
    assert target.snapshot_address == "http://192.168.1.1/jpeg"
    assert target.service_address == county.east_link.address
    assert target.credentials.password.reveal() == "camera-pw"
    assert (target.options, target.masks, due.masks) == ({"verify": False}, (mask,), (mask,))
    assert (due.device_name, due.area_id, due.area_path) == (
        "东村",
        county.east.id,
        county.east.path,
    )
    assert (due.kind, due.has_ptz, due.presets) == (
        DeviceKind.CAMERA,
        True,
        (Preset(token="1", name="大门"),),
    )
    assert (due.longitude, due.latitude) == (120.7, 30.7)
    assert due.baselines == {(0, Mode.INFRARED): b"night", (3, Mode.COLOUR): b"noon"}
    assert due.state.next_at is not None
    assert (west.masks, west.baselines, west.has_ptz, west.opinions) == ((), {}, False, {})
    assert (west.target.sub_stream_address, west.longitude) == ("", None)
    # Patrols and alerts paint over the same.
    assert targets[camera.id].masks == (mask,)
    assert targets[county.west_camera.id].masks == ()


async def test_what_cameras_say_of_themselves_is_a_first_opinion(
    database: Database, county: County
) -> None:
    east, west = county.east_camera.id, county.west_camera.id
    said = StoredEvent(
        id=0,
        kind="picture_too_dark.started",
        area_id=county.east.id,
        area_path=county.east.path,
        at=NOW - 1_000 * HOUR,  # its clock is wrong
        received_at=NOW + MINUTE,
        device_id=east,
    )

    cursor = 0

    async def hear(*events: StoredEvent, minutes: float) -> None:
        nonlocal cursor
        async with database.transaction() as tx:
            await add_events(tx, SYSTEM, events)
            last = await note_opinions(tx, SYSTEM, cursor, now=NOW + minutes * MINUTE)
            assert await note_opinions(tx, county.east_scope, cursor, now=NOW) == cursor
            assert last == await note_opinions(tx, SYSTEM, last, now=NOW), "nothing is new"
            assert (last > cursor) is bool(events)
            cursor = last

    async def look() -> tuple[dict[Index, object], float]:
        async with database.transaction() as tx:
            (found,) = await load_pictures(tx, SYSTEM, [east])
        assert found.state.next_at is not None
        return dict(found.opinions), (found.state.next_at - NOW) / MINUTE

    async with database.transaction() as tx:
        assert await get_cursor(tx, SYSTEM, OPINION_CURSOR) == cursor
    await ensure(database)
    await keep(database, *(kept(device, NOW, {Index.BLUR: 3.0}) for device in (east, west)))
    await hear(said, minutes=1)
    gap = OPINION_GAP / MINUTE
    assert await look() == ({Index.DARK: said.received_at}, gap), "not at once after a check"
    await hear(
        replace(said, kind="signal.lost"),
        replace(said, kind="motion.started"),
        replace(said, kind="tamper.started", device_id=None),
        minutes=30,
    )
    both = {Index.DARK: said.received_at, Index.SIGNAL: said.received_at}
    assert await look() == (both, 30), "it is due already: it stays so, and who checks it sees it"
    ended = replace(said, kind="picture_too_dark.stopped", at=NOW, received_at=NOW)
    await hear(ended, minutes=40)
    only = {Index.SIGNAL: said.received_at}
    assert await look() == (only, 40)
    await hear(replace(ended, at=NOW + MINUTE), minutes=50)
    assert await look() == (only, 40), "it said so before"
    await hear(replace(said, at=NOW), replace(ended, at=NOW + 2 * MINUTE), minutes=55)
    assert await look() == (only, 40), "the last word counts"
    await change(database, "UPDATE devices SET registration = 'retired' WHERE id = %(id)s", id=east)
    await hear(replace(said, kind="tamper.started"), minutes=60)
    assert await look() == (only, 40)
    async with database.transaction() as tx:
        (other,) = await load_pictures(tx, SYSTEM, [west])
    assert (other.opinions, other.state.next_at) == ({}, NOW + HOUR)
