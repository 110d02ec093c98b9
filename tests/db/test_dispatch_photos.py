"""Photos, messages and positions of a task: kept once, bounded, gone for nobody but strangers."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.access import Scope
from hub.domain.dispatches import Position
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.looks import CleanPhoto
from hub.patrols.dispatch import desk
from hub.patrols.dispatch import photos as keeping
from hub.patrols.dispatch.photos import PhotoFolder, TakenPhoto, keep_photo
from hub.patrols.dispatch.talking import say
from hub.runtime.files import NotKept
from hub.store import dispatch_messages, dispatch_positions, photos
from hub.store.database import Database
from hub.store.dispatch_messages import NewMessage
from hub.store.photos import PhotoOf
from tests.db.conftest import County
from tests.db.dispatch_world import DESK, EAST, HUB, START, DispatchWorld
from tests.web.stage import JPEG

PHOTO = TakenPhoto(
    photo=CleanPhoto(jpeg=JPEG, width=64, height=48), author="Wu", is_field=True, at=START
)


@pytest.fixture
async def world(database: Database, county: County) -> DispatchWorld:
    return await DispatchWorld.build(database, county)


async def test_photos_are_on_disk_before_they_count(world: DispatchWorld, tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path)
    task = await world.open()

    async def keep(taken: TakenPhoto = PHOTO, to: PhotoFolder = folder) -> int:
        async with world.database.transaction() as tx:
            return (await keep_photo(tx, EAST, to, task.id, taken)).id

    # A phone that sends again while the first answer is on its way keeps one.
    first, again = await asyncio.gather(keep(), keep())
    assert first == again
    assert await folder.read(first) == JPEG
    assert (await world.read(task)).has_picture
    other = replace(PHOTO, photo=CleanPhoto(jpeg=JPEG + b"\0", width=64, height=48))
    # What the disk does not take is not there at all.
    full = tmp_path / "full"
    full.write_text("no folder")
    with pytest.raises(NotKept):
        await keep(other, PhotoFolder(full))
    huge = replace(PHOTO, photo=CleanPhoto(jpeg=b"x" * (keeping.MOST_BYTES + 1), width=1, height=1))
    with pytest.raises(NotKept, match="8 MiB"):
        await keep(huge)
    async with world.database.transaction() as tx:
        kept = await photos.list_photos(tx, HUB, PhotoOf(dispatch_id=task.id))
    assert [(one.id, one.author, one.width) for one in kept] == [(first, "Wu", 64)]
    await world.rows(
        "INSERT INTO photos (dispatch_id, at, author, is_field, width, height, sha256)"
        " SELECT %(task)s, %(now)s, 'Wu', true, 1, 1, n::text"
        " FROM generate_series(2, %(most)s) n RETURNING 1",
        task=task.id,
        now=world.now,
        most=keeping.MOST_PHOTOS,
    )
    assert "at most 40 photos" in await world.refused(keep(other), Conflict)
    assert await keep() == first
    async with world.database.transaction() as tx:
        await desk.cancel(tx, DESK, world.order(await world.read(task), "nothing there"))
    assert "no more photos" in await world.refused(keep(other), Conflict)
    assert [line[0] for line in await world.history(task)] == ["opened", "photo", "cancelled"]


@pytest.mark.threat("T1")
async def test_messages_and_the_way_of_the_unit(world: DispatchWorld) -> None:
    task = await world.open(world.new(area_id=world.county.west.id))
    word = NewMessage(author="Wu", is_field=True, text="在路上 on my way", at=START, given_id="7")

    async def write(new: NewMessage, scope: Scope = DESK) -> None:
        async with world.database.transaction() as tx:
            await say(tx, scope, task.id, new)

    await asyncio.gather(*(write(word) for _ in range(3)))
    await write(replace(word, given_id=None, text="which gate?", is_field=False, author="li"))
    for bad in (
        replace(word, text=" "), replace(word, text="x" * 2001), replace(word, text="\x00"),
        replace(word, given_id=""), replace(word, given_id="x" * 65),
    ):  # fmt: skip
        await world.refused(write(bad), Invalid)
    await world.refused(write(word, EAST), NotFound)
    here = Position(longitude=120.7, latitude=30.7, at=START, accuracy_m=8.0)
    async with world.database.transaction() as tx:
        for scope in (DESK, EAST):
            await dispatch_positions.add_position(
                tx, scope, task.id, world.wu.id, here, now=world.now
            )
        told = await dispatch_messages.list_messages(tx, HUB, task.id)
        assert [(one.author, one.text) for one in told] == [
            ("Wu", "在路上 on my way"), ("li", "which gate?"),
        ]  # fmt: skip
        way = await dispatch_positions.list_positions(tx, DESK, task.id)
        assert [(one.longitude, one.accuracy_m) for one in way] == [(120.7, 8.0)]
        assert await dispatch_messages.list_messages(tx, EAST, task.id) == []
        assert await dispatch_positions.list_positions(tx, EAST, task.id) == []
