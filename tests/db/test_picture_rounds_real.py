"""The rounds as jobs of the real queue, and with frames from cameras and a judge of their own."""

import asyncio
import random
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.health import Status
from hub.domain.quality import Index
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.pictures.evidence import Kind
from hub.maintenance.pictures.rounds import PictureOptions, PictureRounds, PictureSenses
from hub.runtime.jobs import Jobs
from hub.runtime.outbound import open_client
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.faults import Fault
from hub.store.cursors import get_cursor
from hub.store.database import Database
from hub.store.picture_due import OPINION_CURSOR
from hub.store.vault import Vault
from streams.frames import fetch_frames
from streams.quality.judges import JudgePool
from tests.db.conftest import SYSTEM, County
from tests.db.pictures_site import SHANGHAI, PictureSite
from tests.db.pictures_victim import JPEG
from tests.db.stored_pictures import change
from tests.protocol.simulated import utc_now


@pytest.fixture
async def site(database: Database, county: County, tmp_path: Path) -> PictureSite:
    made = PictureSite(database, county, tmp_path)
    await made.settle()
    return made


async def test_shards_opinions_and_newcomers_are_series_of_jobs(site: PictureSite) -> None:
    jobs = Jobs(site.database, lambda: datetime.now(UTC))
    async with site.database.transaction() as tx:
        await tx.execute("DELETE FROM picture_states")
        await get_cursor(tx, SYSTEM, OPINION_CURSOR)
    site.rounds(shards=2, every_s=0.2, opinions_s=0.2).register(jobs)
    task = asyncio.create_task(jobs.run(concurrency=8))
    try:
        async with asyncio.timeout(20):
            while len(site.asked) < len(site.cameras):
                await asyncio.sleep(0.05)
                site.now += timedelta(seconds=1)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert set(site.asked) == set(site.cameras)


async def test_real_frames_by_http_and_rtsp_meet_a_real_judge(site: PictureSite) -> None:
    """A covered eye and a whole one, over both ways to a picture; nothing handed in but time."""
    by_http, by_rtsp, *_ = site.cameras
    login = Credentials(username="admin", password=Secret("camera-pw"))
    loopback = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
    async with AsyncExitStack() as stack:
        eyes = []
        for number in (by_http, by_rtsp):
            options = CameraOptions(
                name=f"{number}",
                serial=f"{number}",
                mac=f"02:00:00:00:00:{number:02x}",
                http_port=0,
                rtsp_port=0,
                credentials=login,
                motion_interval_s=None,
            )
            eye = Camera(options, clock=utc_now, rng=random.Random(7))
            eyes.append(await stack.enter_async_context(eye))
        await change(
            site.database,
            "UPDATE channels SET snapshot_address = %(http)s WHERE device_id = %(id)s",
            http=eyes[0].state.snapshot_address(),
            id=by_http,
        )
        await change(
            site.database,
            "UPDATE channels SET streams = jsonb_build_array(jsonb_build_object('role', 'sub',"
            " 'address', %(rtsp)s::text)) WHERE device_id = %(id)s",
            rtsp=eyes[1].state.stream_address("sub"),
            id=by_rtsp,
        )
        client = await stack.enter_async_context(open_client(loopback))
        pool = JudgePool(size=1)
        stack.push_async_callback(pool.close)
        senses = PictureSenses(
            fetch=partial(fetch_frames, client=client, policy=loopback, clock=utc_now),
            judge=pool,
            report=site.report,
            clock=lambda: site.now,
            pause=site.pause,
        )
        rounds = PictureRounds(
            site.database, senses, PictureOptions(shards=1, zone=SHANGHAI), files=site.files
        )
        await site.look(rounds=rounds)
        for number, width in ((by_http, 640), (by_rtsp, 352)):
            state = await site.state(number)
            assert (state.unseen, state.faults, state.suspects, state.width) == ("", {}, {}, width)
            assert (await site.files.read(number, Kind.GOOD)).startswith(b"\xff\xd8")
        for eye in eyes:
            await eye.set_fault(Fault.BLACK_PICTURE)
        for after_s in (3_300, 60):
            await site.look(after_s, rounds)
        for number in (by_http, by_rtsp):
            state = await site.state(number)
            assert state.faults.keys() == {Index.SIGNAL}, state.findings
            assert (await site.status(number))[0] is Status.DEGRADED
            assert (await site.files.read(number, Kind.BAD)).startswith(b"\xff\xd8")
        await eyes[0].set_fault(Fault.GARBAGE)
        await eyes[1].clear_fault()
        for after_s in (3_300, 60):
            await site.look(after_s, rounds)
        assert (await site.state(by_http)).faults.keys() == {Index.SIGNAL}, "unknown is not good"
        assert (await site.state(by_http)).unseen != ""
        assert await site.status(by_rtsp) == (Status.ONLINE, {})


@pytest.mark.threat("K1")
@pytest.mark.timeout(120)
async def test_killed_at_any_moment_the_books_balance(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    vault = Vault.open(tmp_path / "gengfu.key")
    database = await Database.open(timescaledb_database_url, vault=vault)
    try:
        site = PictureSite(database, await County.build(database), tmp_path)
        await site.settle(20)
        await change(database, "UPDATE picture_states SET next_at = now()")
        chance = random.Random(5)
        for _ in range(5):
            await kill_after(chance.uniform(0.4, 1.2), timescaledb_database_url, tmp_path)
        site.now = utc_now()
        events = await site.events()
        for number in site.cameras:
            kinds = [event.kind for event in events if event.device_id == number]
            turns = ["picture.fault", "picture.mended"] * len(kinds)
            assert kinds == turns[: len(kinds)], "one after the other, none lost and none doubled"
            state = await site.state(number)
            assert bool(state.faults) is (kinds[-1:] == ["picture.fault"])
            last = (await site.checks(number))[-1]
            assert (state.checked_at, state.tried_at) == (last.at, last.at)
            for kind, at in ((Kind.GOOD, state.good_at), (Kind.BAD, state.bad_at)):
                kept = await site.files.read(number, kind)
                assert kept == JPEG if at is not None else kept in {b"", JPEG}
        assert len(events) > len(site.cameras), "something happened at all"
    finally:
        await database.close()


async def kill_after(seconds: float, url: str, data_dir: Path) -> None:
    """Let a process judge pictures for a while, and kill it."""
    victim = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.db.pictures_victim",
        url,
        str(data_dir),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert victim.stdout is not None
        assert await victim.stdout.readline() == b"ready\n"
        await asyncio.sleep(seconds)
        assert victim.returncode is None
    finally:
        victim.kill()
        await victim.wait()
