"""The prober on a real database, with cameras that answer as they are told to."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.devices import Registration
from hub.domain.health import Depth, Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget
from hub.maintenance.probing import Prober, ProbingOptions, Senses
from hub.maintenance.watched import KEPT_FAILURES
from hub.patrols.files import PictureFolder
from hub.runtime.jobs import Jobs
from hub.runtime.registry import Registry
from hub.store.database import Database
from hub.store.devices import set_registration
from hub.store.notices import Notice, notify
from hub.store.outages import doubtful_devices
from hub.store.probe_hours import list_hours
from hub.store.status import all_statuses
from tests.db.patrol_world import HUB, World, settle
from tests.db.probing_site import START, Site

LEASE_S = 15.0


@pytest.fixture
async def site(database: Database, tmp_path: object) -> Site:
    del tmp_path
    world = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder.__new__(PictureFolder),
    )
    await settle(world)
    registry = Registry(database)
    await registry.load()
    return Site(world, registry)


async def one_turn(prober: Prober, shards: int = 1) -> None:
    """Have every device asked once."""
    for shard in range(shards):
        await prober.watch_shard(shard, lease_s=LEASE_S)
        await prober.settle()


async def test_every_camera_is_in_exactly_one_shard(site: Site) -> None:
    await one_turn(site.prober(ProbingOptions(shards=4)), 4)
    assert sorted(site.asked) == sorted(site.world.cameras)
    assert {r.layer for r in site.told} == {None}
    assert sorted(r.device_id for r in site.told) == sorted(site.world.cameras)


async def test_what_is_known_already_is_not_told_again(site: Site) -> None:
    prober = site.prober()
    await one_turn(prober)
    site.told.clear()
    await one_turn(prober)
    assert site.told == []
    assert len(site.asked) == 12


async def test_a_dead_camera_is_told_of_after_a_second_probe(site: Site) -> None:
    prober, dead = site.prober(), site.world.cameras[3]
    await one_turn(prober)
    site.told.clear()
    site.asked.clear()
    site.faults[dead] = Layer.NETWORK
    await one_turn(prober)
    [told] = site.told
    assert (told.device_id, told.layer) == (dead, Layer.NETWORK)
    assert told.detail == "connection refused"
    assert site.asked.count(dead) == 2
    assert len(site.asked) == 7
    site.asked.clear()
    await one_turn(prober)
    assert site.asked.count(dead) == 1  # known to be dead: nothing to confirm
    assert len(site.told) == 1


async def test_a_blip_is_not_told(site: Site) -> None:
    prober, shaky = site.prober(), site.world.cameras[0]
    await one_turn(prober)
    site.told.clear()
    site.faults[shaky] = Layer.PROTOCOL
    site.recovers = {shaky}
    await one_turn(prober)
    assert site.told == []
    assert len([r for r in prober.results(shaky) if r.failed_layer]) == 1


async def test_the_next_worker_goes_by_what_the_hub_holds(site: Site) -> None:
    """A shard that moves to another process and back must not trust an old memory."""
    here, there, camera = site.prober(), site.prober(), site.world.cameras[1]
    await one_turn(here)
    site.faults[camera] = Layer.NETWORK
    await one_turn(there)
    site.faults.clear()
    site.told.clear()
    await one_turn(here)
    assert [(r.device_id, r.layer) for r in site.told] == [(camera, None)]


async def test_a_good_probe_does_not_clear_what_it_cannot_see(site: Site) -> None:
    await site.hold(site.world.cameras[0], Status.DEGRADED, Layer.PICTURE)
    await one_turn(site.prober())
    assert sorted(r.device_id for r in site.told) == sorted(site.world.cameras[1:])


async def test_our_own_shortage_tells_nothing(site: Site) -> None:
    site.is_ours = True
    site.faults = dict.fromkeys(site.world.cameras, Layer.NETWORK)
    await one_turn(site.prober())
    assert site.told == []


@pytest.mark.threat("K3")
async def test_what_cannot_be_stored_is_told_again(site: Site) -> None:
    prober = site.prober()
    site.is_away = True
    await one_turn(prober)
    assert site.told == []
    site.is_away = False
    await one_turn(prober)
    assert sorted(r.device_id for r in site.told) == sorted(site.world.cameras)


async def test_failures_are_kept_longer_than_successes_and_both_are_bounded(site: Site) -> None:
    prober, camera = site.prober(), site.world.cameras[0]
    site.faults[camera] = Layer.NETWORK
    for _ in range(KEPT_FAILURES + 5):
        await one_turn(prober)
    site.faults.clear()
    for _ in range(3):
        await one_turn(prober)
    kept = prober.results(camera)
    assert sum(r.failed_layer is None for r in kept) == 1
    assert sum(r.failed_layer is not None for r in kept) == KEPT_FAILURES
    assert kept[0].lines == ("good",)
    assert kept[-1].lines == ("connecting", "connection refused")
    assert prober.results(4711) == []


async def test_a_retired_camera_is_neither_probed_nor_remembered(site: Site) -> None:
    prober, gone = site.prober(), site.world.cameras[2]
    await one_turn(prober)
    async with site.database.transaction() as tx:
        await set_registration(tx, HUB, gone, Registration.RETIRED)
    await site.registry.load()
    prober.hear(Notice(topic="devices", ids=(gone,)))
    site.asked.clear()
    site.told.clear()
    await one_turn(prober)
    assert gone not in site.asked
    assert prober.results(gone) == []
    assert site.told == []


async def test_of_a_camera_whose_link_is_switched_off_nothing_is_known(site: Site) -> None:
    prober = site.prober()
    await one_turn(prober)
    async with site.database.transaction() as tx:
        await tx.execute("UPDATE connections SET is_enabled = false")
    prober.hear(Notice(topic="connections", ids=(1,)))
    site.told.clear()
    site.asked.clear()
    await one_turn(prober)
    assert site.asked == []
    assert {r.is_unknown for r in site.told} == {True}
    async with site.database.transaction() as tx:
        rows = await all_statuses(tx, HUB)
    assert {(row.status, row.detail) for row in rows} == {
        (Status.UNKNOWN, "not sampled: its link is switched off")
    }


async def test_intervals_of_its_own_are_kept_to(site: Site) -> None:
    slow = site.world.cameras[0]
    async with site.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO probe_intervals (area_id, device_id, answer_s)"
            " SELECT area_id, id, 60 FROM devices WHERE id = %(id)s",
            {"id": slow},
        )
    prober = site.prober()
    for _ in range(8):
        await one_turn(prober)
    assert site.asked.count(slow) == 2
    assert site.asked.count(site.world.cameras[1]) == 8


async def test_probes_are_spread_over_the_interval(site: Site) -> None:
    moments: list[datetime] = []

    async def noted(
        target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        moments.append(site.now)
        return await site.probe(target, timeout_s=timeout_s, depth=depth)

    senses = Senses(probe=noted, report=site.report, clock=site.clock, pause=site.pause)
    prober = Prober(site.database, site.registry, senses, ProbingOptions(shards=1))
    await prober.watch_shard(0, lease_s=LEASE_S)
    await prober.settle()
    assert len(moments) == 6
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(moments)]
    assert all(gap >= 1.0 for gap in gaps)
    assert site.now - START == timedelta(seconds=LEASE_S)


async def test_latency_and_loss_are_kept_by_the_hour(site: Site) -> None:
    prober, dead = site.prober(), site.world.cameras[1]
    site.faults[dead] = Layer.NETWORK
    for _ in range(4):
        await one_turn(prober)
    site.now = START + timedelta(hours=1)
    await one_turn(prober)
    async with site.database.transaction() as tx:
        day = {"since": START, "until": START + timedelta(days=1)}
        [lost] = await list_hours(tx, HUB, dead, **day)
        [well] = await list_hours(tx, HUB, site.world.cameras[0], **day)
    assert lost.hour == well.hour == START
    assert lost.lost_share == 1.0
    assert lost.probes >= 4
    assert well.lost == 0
    assert well.mean_ms == pytest.approx(10.0)
    # The second question of a first answer goes deeper and is not compared.
    assert well.probes == 3
    await prober.close()
    async with site.database.transaction() as tx:
        assert len(await list_hours(tx, HUB, dead, **day)) == 2


@pytest.mark.threat("K1")
async def test_the_hubs_own_absence_is_unknown(site: Site) -> None:
    stays, returns, dies = site.world.cameras[:3]
    site.faults = dict.fromkeys((stays, returns), Layer.NETWORK)
    await one_turn(site.prober())
    left = START + timedelta(seconds=10)  # the mark of its last turn
    assert len(await site.outages()) == 2

    site.now += timedelta(hours=3)
    back = site.now
    site.faults = dict.fromkeys((stays, dies), Layer.NETWORK)
    prober = site.prober()
    await prober.watch_shard(0, lease_s=0.001)
    async with site.database.transaction() as tx:
        assert await doubtful_devices(tx, HUB) == {stays, returns}
    await one_turn(prober)
    await one_turn(prober)

    assert await site.absences() == [(0, left, back)]
    found = {outage.device_id: outage for outage in await site.outages()}
    # It was offline when the hub left: known no further. It is still: one outage, not two.
    assert found[returns].ended_at is not None
    assert found[returns].ended_at == max(left, found[returns].started_at)
    assert found[stays].ended_at is None
    assert found[stays].doubtful_from is None
    assert found[dies].started_at >= back
    assert len(found) == 3


async def test_a_short_restart_is_no_absence(site: Site) -> None:
    await one_turn(site.prober())
    site.now += timedelta(seconds=6)
    await one_turn(site.prober())
    assert await site.absences() == []


@pytest.mark.threat("K10")
async def test_a_clock_that_jumps_back_stops_nothing(site: Site) -> None:
    prober = site.prober()
    await one_turn(prober)
    site.now -= timedelta(hours=5)
    site.asked.clear()
    await one_turn(prober)
    assert sorted(site.asked) == sorted(site.world.cameras)
    site.now += timedelta(hours=9)
    site.asked.clear()
    await one_turn(prober)
    assert sorted(site.asked) == sorted(site.world.cameras)


async def test_a_parent_in_another_shard_is_found(site: Site) -> None:
    uplink, *children = site.world.cameras
    async with site.database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET parent_id = %(uplink)s WHERE id = ANY (%(children)s)",
            {"uplink": uplink, "children": children},
        )
        await notify(tx, HUB, "devices", children)
    prober = site.prober(ProbingOptions(shards=6))
    await one_turn(prober, 6)
    site.told.clear()
    site.faults = dict.fromkeys(site.world.cameras, Layer.NETWORK)
    [last] = [n for n in range(6) if n == children[-1] % 6]
    await prober.watch_shard(last, lease_s=LEASE_S)
    await prober.settle()
    assert [(r.device_id, r.behind) for r in site.told] == [
        (uplink, None),
        (children[-1], uplink),
    ]


async def test_shards_run_as_series_of_jobs(site: Site) -> None:
    jobs = Jobs(site.database, lambda: datetime.now(UTC))
    options = ProbingOptions(shards=2)
    quick = replace(options, intervals=replace(options.intervals, answer_s=0.5))
    senses = Senses(probe=site.probe, report=site.report, clock=lambda: datetime.now(UTC))
    prober = Prober(site.database, site.registry, senses, quick)
    prober.register(jobs)
    task = asyncio.create_task(jobs.run(concurrency=4))
    try:
        async with asyncio.timeout(15):
            while min(site.asked.count(camera) for camera in site.world.cameras) < 2:
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await prober.close()
    assert len(site.told) == 6
