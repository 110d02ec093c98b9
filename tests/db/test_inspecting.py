"""The slow looks on a real database, with cameras that tell what they are told to."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.domain.access import Scope, system_scope
from hub.domain.devices import Connection, DeviceDescription, DeviceKind, Registration
from hub.domain.errors import AuthRejected, DeviceUnreachable, StoreUnavailable
from hub.domain.events import StoredEvent
from hub.domain.health import DeviceStatusReport, Inspection, Layer, Recording, Status
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.inspecting import InspectingOptions, InspectingSenses, Inspector
from hub.maintenance.intervals import Intervals
from hub.runtime.jobs import Jobs
from hub.store.areas import create_area
from hub.store.camera_days import CameraDay, Finding, keep_findings, list_camera_days
from hub.store.connections import add_connection
from hub.store.database import Database
from hub.store.devices import (
    NewDevice,
    add_device,
    describe_device,
    get_device,
    set_registration,
)
from hub.store.events import EventFilter, list_events
from hub.store.probe_intervals import ProbeInterval, put_interval
from hub.store.status import all_statuses, apply_reports
from tests.statuses import Told, change_status

HUB = system_scope("test")
START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)  # midnight in Shanghai
YESTERDAY = TODAY - timedelta(days=1)
DAY_S = 86_400.0
GOOD = Inspection(inspected_at=START, clock_offset_s=0.4, firmware="5.7.1")


class Site:
    """Two villages of cameras, a pipeline that writes what it is told, and a clock to turn."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = START
        self.cameras: list[int] = []
        self.areas: list[int] = []
        self.answers: dict[int, Inspection | Exception] = {}
        self.asked: list[CameraTarget] = []
        self.told: list[DeviceStatusReport] = []
        self.is_away = False
        self.paused_s = 0.0

    async def settle(self) -> None:
        async with self.database.transaction() as tx:
            county = await create_area(tx, HUB, code="c", name="某县", parent_id=None)
            for code in "ab":
                village = await create_area(tx, HUB, code=code, name=code, parent_id=county.id)
                self.areas.append(village.id)
        for number in range(6):
            self.cameras.append(await self.add(number))

    async def add(self, number: int, *, protocol: str = "onvif", address: str = "") -> int:
        address = address or f"http://192.0.2.{number + 1}/onvif/device_service"
        area = self.areas[number % 2]
        async with self.database.transaction() as tx:
            link = await add_connection(
                tx,
                HUB,
                Connection(
                    id=0,
                    protocol=protocol,
                    name=f"camera {number}",
                    address=address,
                    area_id=area,
                    credentials=Credentials(username="admin", password=Secret(f"pw-{number}")),
                    options={"verify": "off", "reason": "old"} if number == 0 else {},
                ),
            )
            new = NewDevice(
                connection_id=link, key="device", area_id=area, registration=Registration.APPROVED
            )
            device = await add_device(tx, HUB, new)
            said = DeviceDescription(kind=DeviceKind.CAMERA, address=address)
            await describe_device(tx, HUB, device.id, said)
            told = Told(device_id=device.id, status=Status.ONLINE, since=self.now)
            await change_status(tx, HUB, told)
        return device.id

    async def inspect(self, target: CameraTarget, *, timeout_s: float) -> Inspection:
        assert timeout_s == 20.0
        await asyncio.sleep(0)
        self.asked.append(target)
        answer = self.answers.get(target.device_id, GOOD)
        if isinstance(answer, Exception):
            raise answer
        return replace(answer, inspected_at=self.now)

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        if self.is_away:
            msg = "the database does not answer"
            raise StoreUnavailable(msg)
        self.told += reports
        for report in reports:
            async with self.database.transaction() as tx:
                await apply_reports(tx, HUB, [report])

    async def pause(self, seconds: float) -> None:
        self.paused_s += seconds
        await asyncio.sleep(0)

    def inspector(self, **options: object) -> Inspector:
        senses = InspectingSenses(
            inspect=self.inspect,
            report=self.report,
            clock=lambda: self.now,
            rng=random.Random(3),
            pause=self.pause,
        )
        chosen = InspectingOptions(**{"shards": 2, "zone": SHANGHAI, **options})  # type: ignore[arg-type]  # by name
        return Inspector(self.database, senses, chosen)

    async def look(self, inspector: Inspector | None = None) -> list[int]:
        """Run every shard once; return who was asked, in order of number."""
        self.asked.clear()
        inspector = inspector or self.inspector()
        for shard in range(2):
            await inspector.inspect_shard(shard)
        return sorted(target.device_id for target in self.asked)

    async def status(self, device_id: int) -> tuple[Status, dict[Layer, str]]:
        async with self.database.transaction() as tx:
            (row,) = await all_statuses(tx, HUB, [device_id])
        return row.status, dict(row.faults)

    async def days(self, device_id: int, scope: Scope = HUB) -> list[CameraDay]:
        since, until = START - timedelta(days=9), START + timedelta(days=9)
        async with self.database.transaction() as tx:
            return await list_camera_days(tx, scope, device_id, since=since, until=until)

    async def events(self, kind: str) -> list[StoredEvent]:
        async with self.database.transaction() as tx:
            return list((await list_events(tx, HUB, EventFilter(kind=kind))).items)

    async def column(self, device_id: int, name: str) -> object:
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT to_jsonb(d) -> %(name)s FROM (SELECT d.*, s.clock_at FROM devices d"
                " JOIN device_status s ON s.device_id = d.id WHERE d.id = %(id)s) d",
                {"id": device_id, "name": name},
            )
        return rows[0][0]


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
