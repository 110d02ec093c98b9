"""The rounds on a real database: what is seen becomes state, events, status and evidence."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from hub.domain.access import Scope
from hub.domain.devices import Registration
from hub.domain.errors import (
    AuthRejected,
    DeviceUnreachable,
    ProtocolViolation,
    StoreUnavailable,
)
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import Layer, Status
from hub.domain.quality import Index, Mode, Profile
from hub.maintenance.pictures.evidence import Kind
from hub.maintenance.pictures.learning import lessons_of
from hub.store.database import Database
from hub.store.devices import set_registration
from hub.store.events import add_events
from hub.store.picture_assignments import Assignment, put_assignment
from hub.store.picture_baselines import forget_baselines, load_baselines
from hub.store.picture_profiles import add_profile
from hub.store.picture_states import set_corrections
from hub.store.probe_intervals import ProbeInterval, put_interval
from tests.db.conftest import SYSTEM, County
from tests.db.pictures_site import BLURRED, FINE, PictureSite
from tests.db.stored_pictures import HOUR, NOW
from tests.statuses import Told, change_status


@pytest.fixture
async def site(database: Database, county: County, tmp_path: Path) -> PictureSite:
    made = PictureSite(database, county, tmp_path)
    await made.settle()
    return made


async def test_a_fault_is_believed_told_shown_and_mended(site: PictureSite) -> None:
    first, *others = site.cameras
    assert await site.look() == site.cameras
    assert await site.files.read(first, Kind.GOOD) != b""
    assert (await site.state(first)).good_at == site.now
    assert await site.look(60) == [], "not due"
    site.shows[first] = BLURRED
    assert await site.look(3_300) == site.cameras, "everybody at least once an hour"
    assert await site.events() == []
    assert (await site.status(first))[0] is Status.ONLINE
    since = site.now
    assert await site.look(59) == []
    assert await site.look(1) == [first], "a suspect is looked at soon"
    state = await site.state(first)
    fault = state.faults[Index.BLUR]
    assert (fault.since, fault.looks, fault.why, fault.seen_at) == (since, 2, "blur 80", site.now)
    assert (state.bad_at, state.suspects, state.width) == (site.now, {}, 1920)
    (event,) = await site.events()
    assert (event.kind, event.device_id, event.at) == ("picture.fault", first, site.now)
    assert (event.is_active, event.severity, event.channel) == (True, Severity.WARNING, "1")
    assert event.data == {
        "index": "blur",
        "score": 80.0,
        "threshold": 50.0,
        "why": "blur 80",
        "mode": "colour",
    }
    # Who may see the other village only is told nothing of it.
    assert await site.events(Scope(paths=(site.county.west.path,), actor="w")) == []
    status = Status.DEGRADED, {Layer.PICTURE: "out of focus: blur 80"}
    assert await site.status(first) == status
    assert b"80" in await site.files.read(first, Kind.BAD)
    assert [check.faults for check in await site.checks(first)] == [
        (),
        (Index.BLUR,),
        (Index.BLUR,),
    ]
    await site.look(60)
    assert len(site.told) == 1, "what is known is not told again"
    site.shows[first] = FINE
    for after_s in (3_300, 60):
        await site.look(after_s)
    state = await site.state(first)
    assert (state.faults, state.mending, state.good_at) == ({}, {}, site.now)
    assert await site.status(first) == (Status.ONLINE, {})
    _, event = await site.events()
    assert (event.kind, event.is_active, event.data["since"]) == (
        "picture.mended",
        False,
        since.isoformat(),
    )
    assert {report.device_id for report in site.told} == {first}
    for other in others:
        assert (await site.state(other)).faults == {}


async def test_what_cannot_be_seen_is_unknown_and_neither_good_nor_bad(
    site: PictureSite, caplog: pytest.LogCaptureFixture
) -> None:
    gone, refused, garbled, broken = site.cameras
    site.shows = dict.fromkeys(site.cameras, BLURRED)
    await site.look()
    await site.look(60)
    assert len(await site.events()) == 4
    site.shows = {
        gone: DeviceUnreachable("network: no route"),
        refused: AuthRejected("credentials: refused"),
        garbled: ProtocolViolation("the picture broke the decoder"),
        broken: RuntimeError("a defect"),
    }
    await site.look(3_300)
    assert "the check of a picture failed" in caplog.text
    for number in site.cameras:
        state = await site.state(number)
        assert state.faults.keys() == {Index.BLUR}, "it stands"
        assert state.tried_at == site.now
        assert state.checked_at == site.now - timedelta(seconds=3_300)
        assert (await site.status(number))[0] is Status.DEGRADED
        assert len(await site.checks(number)) == 2
    assert (await site.state(gone)).unseen == "network: no route"
    assert (await site.state(broken)).unseen == "a defect of the hub, see its log"
    assert await site.look(299) == []
    assert await site.look(1) == [gone, garbled], "a refused password is not tried again soon"
    assert await site.look(300) == []
    assert await site.look(300) == [gone, garbled]
    assert len(await site.events()) == 4
    site.shows = dict.fromkeys(site.cameras, FINE)
    await site.look(3_300)
    assert (await site.state(gone)).unseen == ""


@pytest.mark.threat("K1")
async def test_a_look_that_is_cut_short_takes_place_again_and_counts_once(
    site: PictureSite,
) -> None:
    """Killed between judge and store: nothing was stored, so that it is due still."""
    site.shows = dict.fromkeys(site.cameras, BLURRED)
    await site.look()
    site.now += timedelta(seconds=60)
    async with site.database.transaction() as holder:
        await holder.execute("SELECT FROM picture_states FOR UPDATE")
        run = asyncio.create_task(site.rounds().judge_shard(0))
        while not site.orders[4:]:
            await asyncio.sleep(0.01)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert await site.events() == []
    assert all([not (await site.state(number)).faults for number in site.cameras])
    assert await site.look() == site.cameras
    assert len(await site.events()) == 4
    assert await site.look() == []


@pytest.mark.threat("K3")
async def test_a_connection_lost_while_storing_loses_and_doubles_nothing(
    site: PictureSite,
) -> None:
    site.shows = dict.fromkeys(site.cameras, BLURRED)
    await site.look()
    site.now += timedelta(seconds=60)
    async with site.database.transaction() as holder:
        await holder.execute("SELECT FROM picture_states FOR UPDATE")
        run = asyncio.create_task(site.rounds().judge_shard(0))
        ended = 0
        while not ended:
            await asyncio.sleep(0.01)
            async with site.database.transaction() as killer:
                ended = await killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    " AND backend_type = 'client backend'"
                )
        with pytest.raises(StoreUnavailable):
            await run
    assert await site.events() == []
    assert await site.look() == site.cameras
    events = await site.events()
    assert sorted(str(event.device_id) for event in events) == sorted(map(str, site.cameras))
    assert [len(await site.checks(number)) for number in site.cameras] == [2] * 4


@pytest.mark.threat("K2")
async def test_two_workers_at_one_shard_never_count_a_look_twice(site: PictureSite) -> None:
    """A worker that was thought dead comes back with what it saw."""
    site.shows = dict.fromkeys(site.cameras, BLURRED)
    await site.look()
    site.now += timedelta(seconds=60)
    site.gate.clear()
    late = asyncio.create_task(site.rounds(batch=2).judge_shard(0))
    soon = asyncio.create_task(site.rounds().judge_shard(0))
    while len(site.asked) < 12:
        await asyncio.sleep(0.01)
    site.gate.set()
    await asyncio.gather(late, soon)
    assert len(await site.events()) == 4
    for number in site.cameras:
        assert (await site.state(number)).faults[Index.BLUR].looks == 2
        assert len(await site.checks(number)) == 2
    assert len(site.told) == 4


async def test_what_was_not_reported_is_reported_at_the_next_look(site: PictureSite) -> None:
    first, unknown, *_ = site.cameras
    async with site.database.transaction() as tx:
        told = Told(device_id=unknown, status=Status.UNKNOWN, since=site.now)
        await change_status(tx, SYSTEM, told)
    site.shows = {first: BLURRED, unknown: BLURRED}
    await site.look()
    site.is_away = True
    with pytest.raises(StoreUnavailable):
        await site.look(60)
    assert len(await site.events()) == 2, "the facts are stored all the same"
    assert (await site.status(first))[0] is Status.ONLINE
    site.is_away = False
    assert await site.look(60) == [first, unknown], "after news there is a look soon"
    assert (await site.status(first))[0] is Status.DEGRADED
    assert len(await site.events()) == 2
    # Whether an unknown camera is there, the probes say first.
    assert (await site.status(unknown))[0] is Status.UNKNOWN
    async with site.database.transaction() as tx:
        told = Told(device_id=unknown, status=Status.ONLINE, since=site.now)
        await change_status(tx, SYSTEM, told)
    await site.look(3_300)
    assert (await site.status(unknown))[0] is Status.DEGRADED
    # Another fault beside the first: the same layer, another sentence.
    site.shows[first] = {**BLURRED, Index.NOISE: 90.0}
    await site.look(3_300)
    await site.look(60)
    _, faults = await site.status(first)
    assert faults == {Layer.PICTURE: "out of focus: blur 80; also noise"}
    report = site.told[-1]
    assert (report.device_id, report.confirms) == (first, True)
    assert report.seen == frozenset({Layer.PICTURE})


async def test_the_camera_s_own_opinion_brings_a_look_and_counts_as_one(
    site: PictureSite,
) -> None:
    first, *_ = site.cameras
    rounds = site.rounds()
    await site.look()
    await rounds.hear_opinions()  # begins with what is news from now on
    site.now += timedelta(minutes=20)
    said = StoredEvent(
        id=0,
        kind="picture_too_blurry.started",
        area_id=site.county.east.id,
        area_path=site.county.east.path,
        at=site.now,
        received_at=site.now,
        device_id=first,
        is_active=True,
    )
    async with site.database.transaction() as tx:
        await add_events(tx, SYSTEM, [said])
    await rounds.hear_opinions()
    site.shows[first] = BLURRED
    assert await site.look(10) == [first]
    assert await site.look(50) == [first]
    (event,) = await site.events()
    assert event.device_id == first
    assert (await site.state(first)).faults[Index.BLUR].since == said.at
    await rounds.hear_opinions()
    assert await site.look(61) == [first], "after news; nothing is heard twice"
    assert await site.look(60) == []


async def test_profiles_corrections_and_intervals_of_the_camera_apply(site: PictureSite) -> None:
    own, corrected, *_ = site.cameras
    area = site.county.east.id
    async with site.database.transaction() as tx:
        profiles = [
            await add_profile(
                tx, SYSTEM, Profile(name=name, area_id=area, thresholds={Index.BLUR: score})
            )
            for name, score in (("plain", 90.0), ("strict", 20.0))
        ]
        plain, strict = (profile.id for profile in profiles)
        await put_assignment(tx, SYSTEM, Assignment(area_id=area, day_id=plain, night_id=plain))
        await put_assignment(tx, SYSTEM, Assignment(device_id=own, day_id=strict, night_id=plain))
        await set_corrections(tx, SYSTEM, corrected, {Index.BLUR: -15.0})
        await put_interval(tx, SYSTEM, ProbeInterval(device_id=own, picture_s=600))
    await site.look()  # ten in the morning
    assert {
        order.thresholds[Index.BLUR]: (order.band, order.infrared[Index.BLUR])
        for order in site.orders
    } == {20.0: (2, 90.0), 75.0: (2, 75.0), 90.0: (2, 90.0)}
    assert all(order.thresholds[Index.NOISE] == 50.0 for order in site.orders)
    assert await site.look(600) == [own]
    await site.look(12 * 3_600)
    assert {order.thresholds[Index.BLUR] for order in site.orders} == {75.0, 90.0}
    assert {order.band for order in site.orders} == {5}
    checks = await site.checks(own)
    assert [check.is_night for check in checks] == [False, False, True]


async def test_baselines_are_learnt_from_good_pictures_alone(site: PictureSite) -> None:
    first, second, forgotten, _ = site.cameras

    async def pictures_of(device_id: int) -> int:
        async with site.database.transaction() as tx:
            stored = (await load_baselines(tx, SYSTEM, [device_id])).get(device_id, {})
        lesson = lessons_of(stored).get((2, Mode.COLOUR))
        return 0 if lesson is None else lesson.pictures

    await site.look()
    site.shows[second] = BLURRED
    # While a look at it is under way somebody has the hub forget what it knows of the camera.
    site.gate.clear()
    site.now += timedelta(hours=25)
    run = asyncio.create_task(site.rounds().judge_shard(0))
    while len(site.asked) < 8:
        await asyncio.sleep(0.01)
    async with site.database.transaction() as tx:
        assert await forget_baselines(tx, SYSTEM, forgotten, site.now) == 1
    site.gate.set()
    await run
    assert [await pictures_of(number) for number in (first, second, forgotten)] == [2, 1, 0]
    order = site.order_for(first)
    assert order.baselines == {(2, Mode.COLOUR): b"+"}, "as it was made, without our note"
    assert order.previous == f"{first} at 02:00:01".encode()
    # He may have drawn a mask: what was seen without it is not kept.
    good_at = [(await site.state(number)).good_at for number in (first, forgotten)]
    assert good_at == [site.now, site.now - timedelta(hours=25)]
    assert await site.look(30) == [forgotten], "and the look that was asked for takes place"
    assert await pictures_of(forgotten) == 1
    assert (await site.state(forgotten)).good_at == site.now


async def test_who_is_retired_is_forgotten_and_a_clock_set_back_strands_nobody(
    site: PictureSite,
) -> None:
    first, *others = site.cameras
    rounds = site.rounds()
    await site.look()
    async with site.database.transaction() as tx:
        await set_registration(tx, SYSTEM, first, Registration.RETIRED)
    await rounds.tidy()
    assert await site.files.read(first, Kind.GOOD) == b""
    assert await site.files.read(others[0], Kind.GOOD) != b""
    assert (await site.state(first)).checked_at is None
    site.now = NOW - timedelta(days=400)
    assert await site.look() == []
    await rounds.welcome()
    assert await site.look() == others
    assert await site.look() == []
    assert await rounds.check_now([others[0], 10**9]) == 1
    assert await site.look() == [others[0]]
    assert await site.look(HOUR.total_seconds()) == others
