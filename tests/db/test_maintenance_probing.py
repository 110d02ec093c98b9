"""The prober on a real database, with cameras that answer as they are told to."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.devices import Registration
from hub.domain.errors import StoreUnavailable
from hub.domain.health import Depth, DeviceStatusReport, Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget
from hub.maintenance.probing import KEPT_FAILURES, KEPT_SUCCESSES, Prober, ProbingOptions
from hub.patrols.pictures import PictureFolder
from hub.runtime.jobs import Jobs
from hub.store.database import Database
from hub.store.devices import set_registration
from hub.store.status import apply_reports
from tests.db.patrol_world import HUB, World, settle
from tests.statuses import Told, change_status

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


class Site:
    """Cameras, a pipeline that writes what it is told, and a clock that pauses move on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.database = world.database
        self.now = START
        self.faults: dict[int, Layer] = {}
        self.recovers: set[int] = set()  # between the first and the second probe
        self.is_ours = False
        self.is_away = False
        self.asked: list[int] = []
        self.told: list[DeviceStatusReport] = []
        self.batches = 0

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        del timeout_s, depth
        await asyncio.sleep(0)
        self.asked.append(target.device_id)
        fault = self.faults.get(target.device_id)
        if target.device_id in self.recovers:
            self.recovers.discard(target.device_id)
            self.faults.pop(target.device_id)
        return ProbeResult(
            probed_at=self.now,
            latency_s=0.01,
            failed_layer=fault,
            detail="connection refused" if fault else "",
            lines=("connecting", "connection refused") if fault else ("good",),
            is_conclusive=not self.is_ours,
        )

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        if self.is_away:
            msg = "the database does not answer"
            raise StoreUnavailable(msg)
        self.batches += 1
        self.told += reports
        async with self.database.transaction() as tx:
            await apply_reports(tx, HUB, reports)

    async def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def prober(self, **options: float) -> Prober:
        return Prober(
            database=self.database,
            probe=self.probe,
            report=self.report,
            options=ProbingOptions(**{"shards": 2, **options}),  # type: ignore[arg-type]  # by name
            pause=self.pause,
        )

    async def hold(self, device_id: int, status: Status, layer: Layer | None = None) -> None:
        async with self.database.transaction() as tx:
            row = Told(device_id=device_id, status=status, since=self.now, layer=layer)
            await change_status(tx, HUB, row)


@pytest.fixture
async def site(database: Database, tmp_path: object) -> Site:
    del tmp_path
    world = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder.__new__(PictureFolder),
    )
    await settle(world)
    return Site(world)


async def probe_all(prober: Prober, shards: int = 2) -> None:
    for shard in range(shards):
        await prober.probe_shard(shard)


async def test_every_camera_is_in_exactly_one_shard(site: Site) -> None:
    await probe_all(site.prober(shards=4), 4)
    assert sorted(site.asked) == sorted(site.world.cameras)
    assert {r.layer for r in site.told} == {None}
    assert sorted(r.device_id for r in site.told) == sorted(site.world.cameras)


async def test_what_is_known_already_is_not_told_again(site: Site) -> None:
    prober = site.prober()
    await probe_all(prober)
    site.told.clear()
    await probe_all(prober)
    assert site.told == []


async def test_a_dead_camera_is_told_of_after_a_second_probe(site: Site) -> None:
    prober, dead = site.prober(), site.world.cameras[3]
    await probe_all(prober)
    site.told.clear()
    site.asked.clear()
    site.faults[dead] = Layer.NETWORK
    await probe_all(prober)
    [told] = site.told
    assert (told.device_id, told.layer) == (dead, Layer.NETWORK)
    assert told.detail == "connection refused"
    assert site.asked.count(dead) == 2
    assert len(site.asked) == 7
    site.asked.clear()
    await probe_all(prober)
    assert site.asked.count(dead) == 1  # known to be dead: nothing to confirm
    assert len(site.told) == 1


async def test_a_blip_is_not_told(site: Site) -> None:
    prober, shaky = site.prober(), site.world.cameras[0]
    await probe_all(prober)
    site.told.clear()
    site.faults[shaky] = Layer.PROTOCOL
    site.recovers = {shaky}
    await probe_all(prober)
    assert site.told == []
    failed = [r for r in prober.results(shaky) if r.failed_layer]
    assert len(failed) == 1


async def test_recovery_needs_one_good_probe(site: Site) -> None:
    prober, dead = site.prober(), site.world.cameras[0]
    site.faults[dead] = Layer.NETWORK
    await probe_all(prober)
    site.told.clear()
    site.faults.clear()
    await probe_all(prober)
    assert [(r.device_id, r.layer) for r in site.told] == [(dead, None)]


async def test_the_next_worker_goes_by_what_the_database_holds(site: Site) -> None:
    """A shard that moves to another process and back must not trust an old memory."""
    here, there, camera = site.prober(), site.prober(), site.world.cameras[1]
    await probe_all(here)
    site.faults[camera] = Layer.NETWORK
    await probe_all(there)
    site.faults.clear()
    site.told.clear()
    await probe_all(here)
    assert [(r.device_id, r.layer) for r in site.told] == [(camera, None)]


async def test_a_good_probe_does_not_clear_what_it_cannot_see(site: Site) -> None:
    await site.hold(site.world.cameras[0], Status.DEGRADED, Layer.PICTURE)
    await site.hold(site.world.cameras[1], Status.MAINTENANCE)
    await probe_all(site.prober())
    assert sorted(r.device_id for r in site.told) == sorted(site.world.cameras[2:])


async def test_our_own_shortage_tells_nothing(site: Site) -> None:
    site.is_ours = True
    site.faults = dict.fromkeys(site.world.cameras, Layer.NETWORK)
    await probe_all(site.prober())
    assert site.told == []


@pytest.mark.threat("K3")
async def test_what_cannot_be_stored_is_told_again(site: Site) -> None:
    prober = site.prober()
    site.is_away = True
    await probe_all(prober)
    assert site.told == []
    site.is_away = False
    await probe_all(prober)
    assert sorted(r.device_id for r in site.told) == sorted(site.world.cameras)


async def test_failures_are_kept_longer_than_successes_and_both_are_bounded(site: Site) -> None:
    prober, camera = site.prober(), site.world.cameras[0]
    site.faults[camera] = Layer.NETWORK
    for _ in range(KEPT_FAILURES + 5):
        await probe_all(prober)
    site.faults.clear()
    for _ in range(KEPT_SUCCESSES + 5):
        await probe_all(prober)
    kept = prober.results(camera)
    assert sum(r.failed_layer is None for r in kept) == KEPT_SUCCESSES
    assert sum(r.failed_layer is not None for r in kept) == KEPT_FAILURES
    last = prober.last_result(camera)
    assert last is not None
    assert last.lines == ("good",)
    assert kept[-1].lines == ("connecting", "connection refused")
    assert prober.last_result(4711) is None


async def test_a_retired_camera_is_neither_probed_nor_remembered(site: Site) -> None:
    prober, gone = site.prober(), site.world.cameras[2]
    await probe_all(prober)
    async with site.database.transaction() as tx:
        await set_registration(tx, HUB, gone, Registration.RETIRED)
    site.asked.clear()
    await probe_all(prober)
    assert gone not in site.asked
    assert prober.last_result(gone) is None


async def test_probes_are_spread_and_bounded(site: Site) -> None:
    under_way, most = 0, 0

    async def slow(
        target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        under_way -= 1
        return await site.probe(target, timeout_s=timeout_s)

    prober = Prober(
        database=site.database,
        probe=slow,
        report=site.report,
        options=ProbingOptions(shards=1, concurrency=2, spread_s=3.0),
        pause=site.pause,
    )
    await prober.probe_shard(0)
    assert most == 2
    assert site.now - START == timedelta(seconds=3)


async def test_a_branch_that_dies_at_once_is_told_in_few_batches(site: Site) -> None:
    prober = site.prober(spread_s=0.0)
    await probe_all(prober)
    site.batches = 0
    site.faults = dict.fromkeys(site.world.cameras, Layer.NETWORK)
    await asyncio.gather(prober.probe_shard(0), prober.probe_shard(1))
    assert len(site.told) == 12
    assert site.batches < 6


async def test_shards_run_as_series_of_jobs(site: Site) -> None:
    jobs = Jobs(site.database, lambda: datetime.now(UTC))
    prober = site.prober(interval_s=0.2)
    prober.register(jobs)
    task = asyncio.create_task(jobs.run(concurrency=4))
    try:
        async with asyncio.timeout(15):
            while min(site.asked.count(camera) for camera in site.world.cameras) < 2:
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(site.told) == 6
