"""What is kept of checks of pictures, and what becomes of it, on both databases."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.domain.access import Scope
from hub.domain.devices import Registration
from hub.domain.errors import Invalid, NotFound
from hub.domain.health import Status
from hub.domain.quality import Finding, Index, Mode, PictureState, Region
from hub.store import audit, server
from hub.store.database import Database
from hub.store.devices import set_registration
from hub.store.picture_baselines import (
    forget_baselines,
    list_bands,
    load_baselines,
    mark_baseline,
)
from hub.store.picture_due import due_for_picture, ensure_states, load_pictures, look_again
from hub.store.picture_faults import (
    Coverage,
    FaultFilter,
    count_picture_faults,
    list_picture_faults,
    picture_coverage,
)
from hub.store.picture_feedback import FeedbackFilter, NewFeedback, add_feedback, list_feedback
from hub.store.picture_history import PastHour, list_check_hours, list_checks
from hub.store.picture_masks import get_masks, set_masks
from hub.store.picture_states import (
    KeptCheck,
    drop_retired_pictures,
    get_state,
    keep_checks,
    set_corrections,
)
from tests.db.conftest import SYSTEM, County
from tests.db.stored_pictures import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    add_cameras,
    change,
    check_of,
    fault_of,
    keep,
    kept,
)
from tests.statuses import Told, change_status

WEST = Scope(paths=("330402.330402002",), actor="wang")


async def test_what_a_check_found_is_read_back_as_it_was(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    check = check_of({Index.BLUR: 61.5, Index.SIGNAL: 0.0})
    odd = Finding(index=Index.NOISE, score=math.nan, threshold=50.0, why="no number")
    state = PictureState(
        device_id=camera,
        tried_at=NOW,
        checked_at=NOW - MINUTE,
        next_at=NOW + HOUR,
        mode=Mode.INFRARED,
        width=1920,
        height=1080,
        findings=(
            check.findings[1],
            replace(check.findings[0], region=Region(0.25, 0.5, 0.75, 1.0)),
        ),
        faults={Index.BLUR: fault_of(NOW - DAY, why="7.3 px, 2.1 usual")},
        suspects={Index.CAST: fault_of(NOW)},
        mending={Index.BLUR: 1},
        unseen="no \0picture",
        good_at=NOW - 2 * DAY,
        bad_at=NOW - HOUR,
        fingerprint=b"\0\1\2",
    )
    first = KeptCheck(
        state=replace(state, findings=(*state.findings, odd), corrections={Index.NOISE: 9.0}),
        at=NOW,
        is_night=True,
        check=replace(check, mode=Mode.INFRARED, findings=(*check.findings, odd)),
        learnt=((2, Mode.INFRARED), b"seen well"),
    )
    async with database.transaction() as tx:
        await keep_checks(tx, SYSTEM, [])
        await keep_checks(tx, WEST, [first])
        assert await get_state(tx, SYSTEM, camera) == PictureState(device_id=camera)
        await keep_checks(tx, county.east_scope, [first])
        await keep_checks(tx, SYSTEM, [first])  # a job that runs again changes nothing
        assert await get_state(tx, county.east_scope, camera) == replace(
            state, unseen="no picture"
        ), "what is no number is left out; corrections are people's to set"
        with pytest.raises(NotFound):
            await get_state(tx, WEST, camera)
        (found,) = await list_checks(tx, SYSTEM, camera, since=NOW, until=NOW + MINUTE)
        assert (found.at, found.mode, found.is_night) == (NOW, Mode.INFRARED, True)
        assert found.faults == (Index.BLUR,)
        assert found.scores == {Index.BLUR: 61.5, Index.SIGNAL: 0.0}
        assert await list_checks(tx, SYSTEM, camera, since=NOW - DAY, until=NOW) == []
        assert await list_checks(tx, WEST, camera, since=NOW, until=NOW + MINUTE) == []
        assert await load_baselines(tx, SYSTEM, [camera]) == {
            camera: {(2, Mode.INFRARED): b"seen well"}
        }
        judged = "SELECT picture_at FROM device_status WHERE device_id = %(id)s"
        assert await tx.scalar(datetime, judged, {"id": camera}) == NOW

        await set_corrections(tx, SYSTEM, camera, {Index.BLUR: 12.0})
        unseen = KeptCheck(state=replace(state, tried_at=NOW + HOUR), at=NOW + HOUR)
        await keep_checks(tx, SYSTEM, [unseen])
        after = await get_state(tx, SYSTEM, camera)
        assert (after.tried_at, after.corrections) == (NOW + HOUR, {Index.BLUR: 12.0})
        assert await tx.scalar(datetime, judged, {"id": camera}) == NOW, "nothing was judged"
        assert len(await list_checks(tx, SYSTEM, camera, since=NOW, until=NOW + DAY)) == 1
        for points in (101.0, math.nan):
            with pytest.raises(Invalid, match="between -100 and 100"):
                await set_corrections(tx, SYSTEM, camera, {Index.BLUR: points})
        with pytest.raises(NotFound):
            await set_corrections(tx, WEST, camera, {})


async def test_whoever_asks_during_a_check_is_not_forgotten(
    database: Database, county: County
) -> None:
    camera, other = county.east_camera.id, county.west_camera.id
    async with database.transaction() as tx:
        await ensure_states(tx, SYSTEM, NOW, spread_s=0.0)
        due = await due_for_picture(tx, SYSTEM, NOW, shard=(0, 1), limit=9)
        # While both are looked at, somebody asks for one to be looked at again …
        await forget_baselines(tx, SYSTEM, camera, NOW + MINUTE)
        checks = [
            replace(
                kept(one.target.device_id, NOW + 2 * MINUTE, {Index.BLUR: 1.0}),
                learnt=((0, Mode.COLOUR), b"old"),
                was_due_at=one.state.next_at,
            )
            for one in due
        ]
        checks = [replace(one, state=replace(one.state, fingerprint=b"seen")) for one in checks]
        await keep_checks(tx, SYSTEM, checks)
        # … which takes place, without what was learnt before it.
        assert [one.state.next_at for one in await load_pictures(tx, SYSTEM, [camera, other])] == [
            NOW + MINUTE,
            NOW + 2 * MINUTE + HOUR,
        ]
        assert await load_baselines(tx, SYSTEM, [camera, other]) == {
            other: {(0, Mode.COLOUR): b"old"}
        }
        assert not (await get_state(tx, SYSTEM, camera)).fingerprint
        assert (await get_state(tx, SYSTEM, other)).fingerprint
        await look_again(tx, SYSTEM, [other], NOW + DAY)
        await keep_checks(tx, SYSTEM, [replace(checks[1], was_due_at=NOW)])
        state = await get_state(tx, SYSTEM, other)
        assert state.next_at == NOW + 2 * MINUTE + HOUR, "the sooner of both"

        await mark_baseline(tx, SYSTEM, camera, ((5, Mode.COLOUR), b"confirmed"), NOW)
        (band,) = await list_bands(tx, county.east_scope, camera)
        assert (band.band, band.mode, band.learnt_at, band.size) == (5, Mode.COLOUR, NOW, 9)
        assert await list_bands(tx, WEST, camera) == []
        assert await load_baselines(tx, WEST, [camera]) == {}
        for refused in (
            mark_baseline(tx, WEST, camera, ((0, Mode.COLOUR), b"x"), NOW),
            forget_baselines(tx, WEST, camera, NOW),
        ):
            with pytest.raises(NotFound):
                await refused
        assert await forget_baselines(tx, county.east_scope, camera, NOW) == 1
        lines = (await audit.list_entries(tx, SYSTEM)).items
        assert [(line.action, line.object_id) for line in reversed(lines)] == [
            ("picture.forgotten", str(camera)),
            ("picture.confirmed_good", str(camera)),
            ("picture.forgotten", str(camera)),
        ]


async def test_maintenance_gets_its_list_of_bad_pictures(
    database: Database, county: County
) -> None:
    cameras = await add_cameras(database, county.east_link.id, county.east.id, 30)
    west = county.west_camera.id
    await keep(
        database,
        *(
            kept(device, NOW, {Index.BLUR: 70.0}, faults={Index.BLUR: fault_of(NOW - n * HOUR)})
            for n, device in enumerate(cameras)
        ),
        kept(county.east_camera.id, NOW, {Index.BLUR: 1.0}),
        kept(
            west,
            NOW,
            {Index.DARK: 90.0},
            faults={Index.DARK: fault_of(NOW - DAY / 2), Index.BLUR: fault_of(NOW - 9 * DAY)},
        ),
    )
    await change(
        database,
        "UPDATE devices SET team = '甲队', class = 'gate', code = '3304', place = '村口'"
        " WHERE id = %(id)s",
        id=west,
    )
    every = FaultFilter()
    async with database.transaction() as tx:
        pages, cursor = [], None
        while True:
            page = await list_picture_faults(tx, SYSTEM, every, limit=7, cursor=cursor)
            pages.append([line.device_id for line in page.items])
            cursor = page.next
            if cursor is None:
                break

        expected = [*cameras[:12], west, cameras[12]]
        found = [device for page in pages for device in page]
        assert sorted(found[12:14]) == sorted(expected[12:14]), "both since the same moment"
        assert found[:12] == expected[:12]
        assert found[14:] == cameras[13:]
        assert [len(page) for page in pages] == [7, 7, 7, 7, 3]

        async def ask(scope: Scope = SYSTEM, **wanted: object) -> list[int]:
            chosen = replace(every, **wanted)  # type: ignore[arg-type]  # as the fields are
            page = await list_picture_faults(tx, scope, chosen)
            counts = await count_picture_faults(tx, scope, chosen)
            assert max(counts.values(), default=0) == len(page.items)
            return [line.device_id for line in page.items]

        assert await ask(index=Index.DARK) == [west]
        assert (await ask(index=Index.BLUR))[-1] == west, "by the fault that is asked for"
        assert await ask(team="甲队") == await ask(device_class="gate") == [west]
        assert await ask(area_id=county.west.id) == await ask(WEST) == [west]
        assert len(await ask(area_id=county.county.id)) == 31
        assert await ask(county.east_scope, area_id=county.west.id) == []
        (line,) = (await list_picture_faults(tx, WEST, every)).items
        assert (line.code, line.place, line.team, line.area_name) == (
            "3304",
            "村口",
            "甲队",
            "西村",
        )
        assert list(line.faults) == [Index.DARK, Index.BLUR]
        assert (line.since, line.checked_at, line.bad_at) == (NOW - DAY / 2, NOW, None)
        assert await count_picture_faults(tx, SYSTEM, every) == {Index.DARK: 1, Index.BLUR: 31}
        assert await count_picture_faults(tx, SYSTEM, FaultFilter(index=Index.DARK)) == {
            Index.DARK: 1
        }
        with pytest.raises(Invalid):
            await list_picture_faults(tx, SYSTEM, every, cursor="nonsense")


async def test_figures_say_how_many_cameras_were_looked_at_and_why_others_were_not(
    database: Database, county: County
) -> None:
    cameras = await add_cameras(database, county.east_link.id, county.east.id, 8)
    good, bad, stale, offline, silent, refused, *waiting = cameras
    await keep(
        database,
        kept(good, NOW - HOUR, {}),
        kept(bad, NOW - HOUR, {}, faults={Index.BLUR: fault_of(NOW)}),
        kept(stale, NOW - 2 * DAY, {}, faults={Index.BLUR: fault_of(NOW)}),
        KeptCheck(
            state=PictureState(device_id=refused, tried_at=NOW, unseen="the password is refused"),
            at=NOW,
        ),
    )
    await change(database, "DELETE FROM channels WHERE device_id = %(id)s", id=silent)
    await change(
        database,
        "UPDATE connections SET is_enabled = false WHERE id = %(id)s",
        id=county.west_link.id,
    )
    await change(
        database, "UPDATE devices SET registration = 'retired' WHERE id = %(id)s", id=waiting[0]
    )
    async with database.transaction() as tx:
        await change_status(tx, SYSTEM, Told(device_id=offline, status=Status.OFFLINE, since=NOW))
        found = await picture_coverage(tx, SYSTEM, NOW)
        west = await picture_coverage(tx, SYSTEM, NOW, area_id=county.west.id)
        assert await picture_coverage(tx, WEST, NOW) == west
        assert await picture_coverage(tx, WEST, NOW, area_id=county.east.id) == Coverage(
            managed=0, checked=0, faulty=0, stale=0, never=0
        )
    assert found == Coverage(
        managed=9,
        checked=2,
        faulty=1,
        stale=1,
        never=6,
        reasons={
            "it waits for its turn": 3,
            "it has not told its streams yet": 1,
            "it is offline": 1,
            "its connection is switched off": 1,
            "the password is refused": 1,
        },
    )
    assert (west.managed, west.never) == (1, 1)
    assert west.reasons == {"its connection is switched off": 1}


async def test_history_by_the_hour_and_what_goes_with_time(
    database: Database, county: County
) -> None:
    camera, other = county.east_camera.id, county.west_camera.id
    today = datetime.now(UTC)
    for minutes, score in ((0, 10.0), (20, 60.0), (59, 55.5), (60, 20.0)):
        await keep(
            database,
            kept(camera, NOW + minutes * MINUTE, {Index.BLUR: score, Index.DARK: score / 2}),
        )
    await keep(database, kept(other, NOW, {Index.BLUR: 99.0}))
    for at in (today - 100 * DAY, today):
        await keep(database, kept(other, at, {Index.BLUR: 99.0}))
    said = NewFeedback(device_id=other, index=Index.BLUR, is_fault=False, said_at=NOW)
    async with database.transaction() as tx:
        period = {"since": NOW, "until": NOW + DAY}
        found = await list_check_hours(tx, county.east_scope, camera, **period)
        assert found == [
            PastHour(
                hour=NOW,
                checks=3,
                faults={Index.BLUR: 2},
                scores={Index.BLUR: 60.0, Index.DARK: 30.0},
            ),
            PastHour(
                hour=NOW + HOUR, checks=1, faults={}, scores={Index.BLUR: 20.0, Index.DARK: 10.0}
            ),
        ]
        assert await list_check_hours(tx, WEST, camera, **period) == []
        newest = await list_checks(tx, SYSTEM, camera, **period, limit=2)
        assert [one.scores[Index.BLUR] for one in newest] == [55.5, 20.0]

        assert await server.drop_old(tx, SYSTEM, "picture_checks", 30 * DAY) >= 1
        left = await list_checks(tx, SYSTEM, other, since=today - 200 * DAY, until=today + DAY)
        assert left[-1].at == today
        assert all(one.at > today - 40 * DAY for one in left)

        await set_masks(tx, SYSTEM, other, [((0, 0), (1, 0), (1, 1))])
        await add_feedback(tx, SYSTEM, said)
        await mark_baseline(tx, SYSTEM, other, ((0, Mode.COLOUR), b"x"), NOW)
        assert await drop_retired_pictures(tx, SYSTEM) == 0
        await set_registration(tx, SYSTEM, other, Registration.RETIRED)
        assert await drop_retired_pictures(tx, county.east_scope) == 0
        assert await drop_retired_pictures(tx, SYSTEM) == 1
        assert await get_state(tx, SYSTEM, other) == PictureState(device_id=other)
        assert await load_baselines(tx, SYSTEM, [other]) == {}
        assert (await get_state(tx, SYSTEM, camera)).checked_at is not None
        assert len((await list_feedback(tx, SYSTEM, FeedbackFilter(device_id=other))).items) == 1
        assert len(await get_masks(tx, SYSTEM, other)) == 1, "it may be approved again"
