"""What people say of verdicts and what they hide of pictures, on both databases."""

import math

import pytest

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.domain.quality import Index, Polygon
from hub.store import audit
from hub.store.database import Database
from hub.store.picture_feedback import (
    FeedbackFilter,
    NewFeedback,
    add_feedback,
    all_feedback,
    get_feedback,
    list_feedback,
    mark_pictured,
)
from hub.store.picture_masks import get_masks, load_masks, set_masks
from tests.db.conftest import SYSTEM, County
from tests.db.stored_pictures import MINUTE, NOW

SQUARE: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


async def test_what_people_say_of_verdicts_is_kept_as_a_labelled_set(
    database: Database, county: County
) -> None:
    east, west = county.east_camera.id, county.west_camera.id
    fine = NewFeedback(
        device_id=east,
        index=Index.BLUR,
        is_fault=False,
        said_at=NOW,
        note=" fog\0 ",
        score=62.5,
        threshold=50.0,
        taken_at=NOW - MINUTE,
    )
    async with database.transaction() as tx:
        first = await add_feedback(tx, county.east_scope, fine)
        assert (first.author, first.note, first.has_picture) == ("eve", "fog", False)
        assert (first.device_name, first.area_path) == ("东村", county.east.path)
        assert (first.index, first.is_fault, first.score, first.threshold) == (
            Index.BLUR,
            False,
            62.5,
            50.0,
        )
        assert (first.said_at, first.taken_at) == (NOW, NOW - MINUTE)
        broken = NewFeedback(device_id=west, index=Index.DARK, is_fault=True, said_at=NOW)
        second = await add_feedback(tx, SYSTEM, broken)
        third = await add_feedback(
            tx, SYSTEM, NewFeedback(device_id=east, index=Index.DARK, is_fault=True, said_at=NOW)
        )
        await mark_pictured(tx, county.east_scope, first.id)
        assert (await get_feedback(tx, county.east_scope, first.id)).has_picture

        async def ask(scope: Scope, wanted: FeedbackFilter) -> list[int]:
            return [one.id for one in (await list_feedback(tx, scope, wanted)).items]

        every = FeedbackFilter()
        assert await ask(SYSTEM, every) == [third.id, second.id, first.id]
        assert await ask(county.east_scope, every) == [third.id, first.id]
        assert await ask(SYSTEM, FeedbackFilter(device_id=west)) == [second.id]
        assert await ask(SYSTEM, FeedbackFilter(index=Index.DARK)) == [third.id, second.id]
        assert await ask(SYSTEM, FeedbackFilter(area_id=county.west.id)) == [second.id]
        page = await list_feedback(tx, SYSTEM, every, limit=2)
        rest = await list_feedback(tx, SYSTEM, every, limit=2, cursor=page.next)
        assert [one.id for one in rest.items] == [first.id]
        assert rest.next is None
        labelled = [one.id async for one in all_feedback(tx, SYSTEM)]
        assert labelled == [first.id, second.id, third.id]
        assert [one.id async for one in all_feedback(tx, county.east_scope)] == [
            first.id,
            third.id,
        ]
        for missing in (
            add_feedback(tx, county.east_scope, broken),
            get_feedback(tx, county.east_scope, second.id),
            mark_pictured(tx, county.east_scope, second.id),
        ):
            with pytest.raises(NotFound):
                await missing
        with pytest.raises(Invalid, match="at most 500"):
            await add_feedback(
                tx,
                SYSTEM,
                NewFeedback(
                    device_id=east, index=Index.DARK, is_fault=True, said_at=NOW, note="x" * 501
                ),
            )
        lines = (await audit.list_entries(tx, county.east_scope)).items
        assert [line.action for line in lines] == ["picture.judged_by_hand"] * 2


@pytest.mark.threat("T1")
async def test_masks_are_polygons_within_the_picture(database: Database, county: County) -> None:
    camera = county.east_camera.id
    small: Polygon = ((0.25, 0.5), (0.5, 0.5), (0.5, 0.75))
    async with database.transaction() as tx:
        assert await get_masks(tx, county.east_scope, camera) == ()
        assert await set_masks(tx, county.east_scope, camera, [SQUARE]) == (SQUARE,)
        assert await set_masks(tx, SYSTEM, camera, [SQUARE, small]) == (SQUARE, small)
        assert await get_masks(tx, SYSTEM, camera) == (SQUARE, small)
        assert await load_masks(tx, county.east_scope, [camera, county.west_camera.id]) == {
            camera: (SQUARE, small)
        }
        foreign = Scope(paths=(county.west.path,), actor="wang")
        assert await load_masks(tx, foreign, [camera]) == {}
        for missing in (get_masks(tx, foreign, camera), set_masks(tx, foreign, camera, [])):
            with pytest.raises(NotFound):
                await missing
        for refused in (
            [SQUARE] * 17,
            [SQUARE[:2]],
            [tuple((0.5, n / 64) for n in range(65))],
            [(*SQUARE[:3], (1.1, 0.0))],
            [(*SQUARE[:3], (-0.1, 0.0))],
            [(*SQUARE[:3], (math.nan, 0.0))],
        ):
            with pytest.raises(Invalid) as error:
                await set_masks(tx, SYSTEM, camera, refused)
            assert error.value.field == "polygons"
        assert len(await get_masks(tx, SYSTEM, camera)) == 2
        assert await set_masks(tx, SYSTEM, camera, []) == ()
        assert await get_masks(tx, SYSTEM, camera) == ()
        lines = (await audit.list_entries(tx, SYSTEM)).items
        assert [line.action for line in lines] == ["picture_masks.set"] * 3
        assert lines[-1].detail == {"polygons": [[list(xy) for xy in SQUARE]], "before": 0}
