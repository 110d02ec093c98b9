"""The slow looks on a real database, with cameras that tell what they are told to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.access import Scope
from hub.domain.devices import Registration
from hub.domain.errors import AuthRejected, DeviceUnreachable, StoreUnavailable
from hub.domain.health import Inspection, Layer, Recording, Status
from hub.domain.ports import CameraTarget
from hub.maintenance.inspecting import InspectingOptions, InspectingSenses, Inspector
from hub.maintenance.intervals import Intervals
from hub.runtime.jobs import Jobs
from hub.store.camera_days import Finding, keep_findings
from hub.store.database import Database
from hub.store.devices import (
    get_device,
    set_registration,
)
from hub.store.probe_intervals import ProbeInterval, put_interval
from tests.db.inspecting_site import DAY_S, GOOD, HUB, START, TODAY, YESTERDAY, Site
from tests.statuses import Told, change_status


@pytest.fixture
async def site(database: Database) -> Site:
    made = Site(database)
    await made.settle()
    return made


async def test_every_camera_is_looked_at_once_and_again_after_its_interval(site: Site) -> None:
    assert await site.look() == site.cameras
    assert await site.look() == []
    site.now += timedelta(hours=5, minutes=59)
    assert await site.look() == []
    site.now += timedelta(minutes=1)
    assert await site.look() == site.cameras


async def test_a_look_gets_address_password_and_options_of_the_connection(site: Site) -> None:
    await site.look()
    target = next(one for one in site.asked if one.device_id == site.cameras[0])
    assert target.service_address == "http://192.0.2.1/onvif/device_service"
    assert target.credentials.password.reveal() == "pw-0"
    assert target.options == {"verify": "off", "reason": "old"}


async def test_who_cannot_be_asked_is_left_out(site: Site) -> None:
    """Offline cameras wait; no other protocol's password goes to an address by HTTP."""
    offline, retired = site.cameras[:2]
    await site.add(10, protocol="mqtt")
    await site.add(11, address="rtsp://192.0.2.12/main")
    async with site.database.transaction() as tx:
        told = Told(device_id=offline, status=Status.OFFLINE, since=site.now)
        await change_status(tx, HUB, told)
        await set_registration(tx, HUB, retired, Registration.RETIRED)
    assert await site.look() == site.cameras[2:]


async def test_intervals_are_of_the_device_or_its_area(site: Site) -> None:
    own, area = site.cameras[0], site.areas[1]
    async with site.database.transaction() as tx:
        await put_interval(tx, HUB, ProbeInterval(device_id=own, inspect_s=3600))
        await put_interval(tx, HUB, ProbeInterval(area_id=area, inspect_s=86_400))
    await site.look()
    site.now += timedelta(hours=1)
    assert await site.look() == [own]
    site.now += timedelta(hours=6)
    assert await site.look() == site.cameras[0::2]
    site.now += timedelta(hours=17)
    assert await site.look() == site.cameras


async def test_the_longest_unseen_come_first_when_there_are_too_many(site: Site) -> None:
    inspector = site.inspector(most_per_run=2)
    assert len(await site.look(inspector)) == 4
    first = {target.device_id for target in site.asked}
    site.now += timedelta(hours=7)
    assert set(site.cameras) - first < set(await site.look(inspector))


@pytest.mark.threat("K10")
@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
async def test_our_own_clock_may_jump_both_ways(site: Site, jump: timedelta) -> None:
    await site.look()
    site.now += jump
    assert await site.look() == site.cameras
    assert await site.look() == []


async def test_a_wrong_clock_degrades_and_a_right_one_mends(site: Site) -> None:
    wrong = site.cameras[2]
    site.answers[wrong] = replace(GOOD, clock_offset_s=-61.0)
    await site.look()
    status, faults = await site.status(wrong)
    assert status is Status.DEGRADED
    assert faults == {Layer.CLOCK: "the camera's clock is 1 min 1 s behind"}
    assert (await site.status(site.cameras[1]))[0] is Status.ONLINE
    assert await site.column(wrong, "clock_offset_s") == -61.0
    assert await site.column(wrong, "clock_at") == "2026-11-22T02:00:00+00:00"
    site.answers[wrong] = replace(GOOD, clock_offset_s=60.0)
    site.now += timedelta(hours=6)
    await site.look()
    assert await site.status(wrong) == (Status.ONLINE, {})
    (day,) = await site.days(wrong)
    assert (day.day, day.clock_offset_s) == (TODAY, -61.0), "the worst of the day, with its sign"


async def test_holes_in_the_recording_degrade_and_are_kept_by_day(site: Site) -> None:
    camera = site.cameras[0]
    hole = (YESTERDAY + timedelta(hours=3), YESTERDAY + timedelta(hours=5))
    recording = Recording(recorded_s=DAY_S - 7200, planned_s=DAY_S, holes=(hole,))
    site.answers[camera] = replace(
        GOOD,
        recording=recording,
        recording_day=YESTERDAY,
        oldest_recording_at=START - timedelta(days=30),
    )
    await site.look()
    status, faults = await site.status(camera)
    assert status is Status.DEGRADED
    text = "only 91.6 % of 2026-11-21 was recorded; 1 hole, up to 2 h"
    assert faults == {Layer.RECORDING: text}
    yesterday, today = await site.days(camera)
    assert (yesterday.day, yesterday.recorded_s, yesterday.planned_s) == (
        YESTERDAY,
        DAY_S - 7200,
        DAY_S,
    )
    assert yesterday.holes == [[at.isoformat() for at in hole]]
    assert yesterday.clock_offset_s is None
    assert (today.day, today.recorded_s) == (TODAY, None)
    assert await site.column(camera, "oldest_recording_at") == "2026-10-23T02:00:00+00:00"
    # The gap was filled later from the camera's own memory.
    filled = Recording(recorded_s=DAY_S, planned_s=DAY_S)
    site.answers[camera] = replace(GOOD, recording=filled, recording_day=YESTERDAY)
    site.now += timedelta(hours=6)
    await site.look()
    assert await site.status(camera) == (Status.ONLINE, {})
    assert (await site.days(camera))[0].holes == []


async def test_two_faults_stand_beside_each_other(site: Site) -> None:
    camera = site.cameras[0]
    nothing = Recording(recorded_s=0, planned_s=DAY_S)
    site.answers[camera] = replace(
        GOOD, clock_offset_s=3600, recording=nothing, recording_day=YESTERDAY
    )
    await site.look()
    _, faults = await site.status(camera)
    assert faults == {
        Layer.CLOCK: "the camera's clock is 1 h ahead",
        Layer.RECORDING: "nothing was recorded on 2026-11-21",
    }


async def test_the_day_a_camera_was_hung_up_is_neither_judged_nor_kept(site: Site) -> None:
    camera = site.cameras[0]
    async with site.database.transaction() as tx:
        noon = YESTERDAY + timedelta(hours=12)
        await tx.execute("UPDATE devices SET created_at = %(at)s", {"at": noon})
    half = Recording(recorded_s=DAY_S / 2, planned_s=DAY_S)
    site.answers[camera] = replace(
        GOOD, recording=half, recording_day=YESTERDAY, oldest_recording_at=noon
    )
    await site.look()
    assert await site.status(camera) == (Status.ONLINE, {})
    assert [day.day for day in await site.days(camera)] == [TODAY]


async def test_recording_that_was_given_up_is_no_fault_any_more(site: Site) -> None:
    camera = site.cameras[0]
    nothing = Recording(recorded_s=0, planned_s=DAY_S)
    site.answers[camera] = replace(GOOD, recording=nothing, recording_day=YESTERDAY)
    await site.look()
    assert Layer.RECORDING in (await site.status(camera))[1]
    site.answers[camera] = replace(
        GOOD, recording=Recording(recorded_s=0, planned_s=0), recording_day=TODAY
    )
    site.now += timedelta(hours=6)
    await site.look()
    assert await site.status(camera) == (Status.ONLINE, {})
    assert [day.planned_s for day in await site.days(camera)] == [DAY_S, None]


async def test_what_is_not_told_is_not_judged(site: Site) -> None:
    camera = site.cameras[0]
    site.answers[camera] = replace(GOOD, clock_offset_s=3600)
    await site.look()
    site.answers[camera] = Inspection(inspected_at=START, firmware="5.7.1")
    site.now += timedelta(hours=6)
    await site.look()
    assert Layer.CLOCK in (await site.status(camera))[1]
    assert await site.column(camera, "clock_offset_s") == 3600


async def test_an_unknown_camera_is_not_called_online_by_its_clock(site: Site) -> None:
    camera = site.cameras[0]
    async with site.database.transaction() as tx:
        told = Told(device_id=camera, status=Status.UNKNOWN, since=site.now)
        await change_status(tx, HUB, told)
    await site.look()
    assert (await site.status(camera))[0] is Status.UNKNOWN
    assert len(await site.days(camera)) == 1


@pytest.mark.threat("T28")
@pytest.mark.parametrize("error", [AuthRejected("no"), DeviceUnreachable("gone")])
async def test_a_camera_that_refuses_is_left_alone_for_its_interval(
    site: Site, error: Exception
) -> None:
    site.answers[site.cameras[0]] = error
    assert await site.look() == site.cameras
    assert await site.look() == []
    site.now += timedelta(hours=6)
    assert site.cameras[0] in await site.look()
    assert await site.days(site.cameras[0]) == []
    assert all(report.device_id != site.cameras[0] for report in site.told)


async def test_a_defect_of_ours_stops_nobody_else(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answers[site.cameras[0]] = RuntimeError("a defect")
    assert await site.look() == site.cameras
    assert "a slow look at a camera failed" in caplog.text
    assert await site.look() == [], "nor is it run into every five minutes"


@pytest.mark.threat("T22")
async def test_absurd_findings_of_one_camera_are_kept_and_harm_no_other(site: Site) -> None:
    odd = site.cameras[0]
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    hole = (YESTERDAY, YESTERDAY + timedelta(microseconds=1))
    site.answers[odd] = Inspection(
        inspected_at=START,
        clock_offset_s=-1.9e9,
        recording=Recording(recorded_s=1e-6, planned_s=DAY_S, holes=(hole,) * 100),
        recording_day=YESTERDAY,
        oldest_recording_at=datetime(1971, 1, 1, tzinfo=UTC),
        certificate_expires_at=never,
        firmware="<img onerror='x'> \x00\ud800 '; DROP TABLE devices; --" + "v" * 500,
    )
    assert await site.look() == site.cameras
    assert await site.look() == []
    assert await site.column(odd, "certificate_expires_at") == "9999-12-31T23:59:59+00:00"
    assert str(await site.column(odd, "firmware")).startswith("<img onerror='x'> ? '; DROP")
    assert (await site.status(odd))[0] is Status.DEGRADED
    site.now += timedelta(hours=6)
    expired = datetime(1988, 1, 1, tzinfo=UTC)
    site.answers[odd] = replace(GOOD, certificate_expires_at=expired)
    await site.look()
    assert len(await site.events("certificate.expiring")) == 1
    assert [day.clock_offset_s for day in await site.days(odd)] == [None, -1.9e9]


async def test_new_firmware_is_an_event_and_the_first_is_not(site: Site) -> None:
    camera = site.cameras[0]
    await site.look()
    assert await site.events("device.firmware_changed") == []
    site.answers[camera] = replace(GOOD, firmware="5.7.2")
    site.now += timedelta(hours=6)
    await site.look()
    (event,) = await site.events("device.firmware_changed")
    assert (event.device_id, event.data) == (camera, {"previous": "5.7.1", "firmware": "5.7.2"})
    async with site.database.transaction() as tx:
        assert (await get_device(tx, HUB, camera)).firmware == "5.7.2"


async def test_a_certificate_about_to_end_is_said_once_and_its_successor_too(site: Site) -> None:
    camera = site.cameras[0]
    ends = START + timedelta(days=31)
    site.answers[camera] = replace(GOOD, certificate_expires_at=ends)
    await site.look()
    assert await site.events("certificate.expiring") == []
    site.answers[camera] = DeviceUnreachable("just then")
    site.now = START + timedelta(days=2)
    await site.look()
    site.answers[camera] = replace(GOOD, certificate_expires_at=ends)
    for _ in range(3):
        site.now += timedelta(days=11)
        await site.look()
    (event,) = await site.events("certificate.expiring")
    assert (event.device_id, event.is_active) == (camera, True)
    assert event.data == {"expires_at": ends.isoformat()}
    assert await site.column(camera, "certificate_expires_at") == "2026-12-23T02:00:00+00:00"
    renewed = ends + timedelta(days=800)
    site.answers[camera] = replace(GOOD, certificate_expires_at=renewed)
    site.now += timedelta(days=1)
    await site.look()
    (event,) = await site.events("certificate.renewed")
    assert (event.is_active, event.data) == (False, {"expires_at": renewed.isoformat()})
    site.now += timedelta(days=1)
    await site.look()
    assert len(await site.events("certificate.renewed")) == 1
    assert len(await site.events("certificate.expiring")) == 1


@pytest.mark.threat("K3")
async def test_what_cannot_be_stored_is_found_again(site: Site) -> None:
    site.answers[site.cameras[0]] = replace(GOOD, clock_offset_s=3600)
    site.is_away = True
    with pytest.raises(StoreUnavailable):
        await site.look()
    site.is_away = False
    assert site.cameras[0] in await site.look()
    assert Layer.CLOCK in (await site.status(site.cameras[0]))[1]


async def test_looks_are_spread_and_bounded_in_all_and_by_subnet(site: Site) -> None:
    for number in range(20, 30):
        await site.add(number, address=f"http://198.51.100.{number}/onvif")
    under_way: dict[str, int] = {}
    most: dict[str, int] = {}

    async def slow(target: CameraTarget, *, timeout_s: float) -> Inspection:
        keys = ("all", target.service_address[:15])
        for key in keys:
            under_way[key] = under_way.get(key, 0) + 1
            most[key] = max(most.get(key, 0), under_way[key])
        for _ in range(30):
            await asyncio.sleep(0)
        for key in keys:
            under_way[key] -= 1
        return await site.inspect(target, timeout_s=timeout_s)

    senses = InspectingSenses(
        inspect=slow, report=site.report, clock=lambda: site.now, pause=site.pause
    )
    options = InspectingOptions(shards=1, concurrency=3, per_subnet=2, spread_s=8.0)
    await Inspector(site.database, senses, options).inspect_shard(0)
    assert len(site.asked) == 16
    assert most == {"all": 3, "http://192.0.2.": 2, "http://198.51.1": 2}
    assert site.paused_s == pytest.approx(8.0)


async def test_a_run_ends_in_time_and_leaves_the_rest_to_the_next(site: Site) -> None:
    assert await site.look(site.inspector(every_s=0.0)) == []
    assert await site.look() == site.cameras


async def test_a_cancelled_run_leaves_nothing_under_way(site: Site) -> None:
    async def hang(target: CameraTarget, *, timeout_s: float) -> Inspection:
        del target
        await asyncio.sleep(timeout_s)
        return GOOD

    senses = InspectingSenses(inspect=hang, report=site.report, clock=lambda: site.now)
    before = asyncio.all_tasks()
    options = InspectingOptions(shards=1, spread_s=0.0)
    run = asyncio.create_task(Inspector(site.database, senses, options).inspect_shard(0))
    while len(asyncio.all_tasks() - before) < 4:
        await asyncio.sleep(0.01)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert run.cancelled()
    assert asyncio.all_tasks() <= before


async def test_shards_run_as_series_of_jobs(site: Site) -> None:
    jobs = Jobs(site.database, lambda: datetime.now(UTC))
    site.inspector(intervals=Intervals(inspect_s=60)).register(jobs)
    task = asyncio.create_task(jobs.run(concurrency=4))
    try:
        async with asyncio.timeout(15):
            while len(site.asked) < len(site.cameras):
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert sorted(target.device_id for target in site.asked) == site.cameras


@pytest.mark.threat("T1")
async def test_days_and_findings_stay_within_the_scope(site: Site) -> None:
    await site.look()
    camera = site.cameras[0]
    async with site.database.transaction() as tx:
        other = await get_device(tx, HUB, site.cameras[1])
        outside = Scope(paths=(other.area_path,), actor="eve")
        finding = Finding(
            device_id=camera,
            tried_at=site.now,
            day=TODAY,
            inspection=replace(GOOD, clock_offset_s=99.0),
        )
        assert await keep_findings(tx, outside, [finding]) == []
    assert await site.days(camera, outside) == []
    (day,) = await site.days(camera)
    assert day.clock_offset_s == 0.4
