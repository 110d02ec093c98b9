"""Uptime from the outage ledger, on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.domain.health import Status
from hub.maintenance.uptime import UptimeReport, report_uptime
from hub.patrols.files import PictureFolder
from hub.runtime.jobs import Jobs
from hub.store.database import Database
from hub.store.ledger_rows import Period
from tests.db.patrol_world import HUB, World, settle
from tests.statuses import Told, change_status

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=100)
NOW = UNTIL + timedelta(days=30)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """Six cameras, registered long ago and online ever since."""
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path),
    )
    await settle(made)
    long_ago = SINCE - timedelta(days=30)
    async with database.transaction() as tx:
        await tx.execute("UPDATE devices SET created_at = %(at)s", {"at": long_ago})
        for camera in made.cameras:
            row = Told(device_id=camera, status=Status.ONLINE, since=long_ago)
            await change_status(tx, HUB, row)
    return made


async def outage(world: World, camera: int, begins_h: float, ends_h: float | None) -> None:
    async with world.database.transaction() as tx:
        for status, hours in ((Status.OFFLINE, begins_h), (Status.ONLINE, ends_h)):
            if hours is not None:
                at = SINCE + timedelta(hours=hours)
                await change_status(
                    tx, HUB, Told(device_id=world.cameras[camera], status=status, since=at)
                )


async def report(world: World, scope: Scope = HUB, **changes: object) -> UptimeReport:
    period = Period(**{"since": SINCE, "until": UNTIL, **changes})  # type: ignore[arg-type]  # by name
    async with world.database.transaction() as tx:
        return await report_uptime(tx, scope, period, now=NOW)


def online(found: UptimeReport, world: World, camera: int) -> float | None:
    by_id = {line.device_id: line.rate.online for line in found.devices}
    return by_id[world.cameras[camera]]


async def test_outages_are_cut_to_the_period(world: World) -> None:
    await outage(world, 0, -10, 10)
    await outage(world, 1, 40, 45)
    await outage(world, 1, 50, 55)
    await outage(world, 2, 75, 200)
    await outage(world, 3, 90, None)
    await outage(world, 4, -20, -10)
    found = await report(world)
    rates = [online(found, world, camera) for camera in range(6)]
    assert rates == pytest.approx([0.9, 0.9, 0.75, 0.9, 1.0, 1.0])
    assert found.total.online == pytest.approx(sum(x or 0 for x in rates) / 6)
    assert found.total.coverage == 1
    assert found.total.outages == 5
    assert found.total.down_s == pytest.approx(55 * 3600)
    assert not found.total.is_withheld


async def test_areas_add_up_their_own_cameras(world: World) -> None:
    await outage(world, 1, 0, 50)  # in village a
    found = await report(world)
    assert [(a.area_name, a.devices) for a in found.areas] == [("安平村", 3), ("北沟村", 3)]
    assert found.areas[0].rate.online == pytest.approx((1 + 1 + 0.5) / 3)
    assert found.areas[1].rate.online == 1


async def test_a_camera_counts_from_its_registration_on(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET created_at = %(at)s WHERE id = %(id)s",
            {"at": SINCE + timedelta(hours=90), "id": world.cameras[0]},
        )
    await outage(world, 0, 95, 100)
    assert online(await report(world), world, 0) == pytest.approx(0.5)


async def test_unknown_is_neither_online_nor_offline(world: World) -> None:
    async with world.database.transaction() as tx:
        at = SINCE + timedelta(hours=50)
        row = Told(device_id=world.cameras[0], status=Status.UNKNOWN, since=at)
        await change_status(tx, HUB, row)
    await outage_before_unknown(world)
    found = await report(world)
    assert online(found, world, 0) == pytest.approx(0.8)  # 10 of the 50 hours known
    assert found.total.coverage == pytest.approx(550 / 600)
    assert found.total.is_withheld


async def outage_before_unknown(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO outages (device_id, started_at, ended_at) VALUES (%(id)s, %(a)s, %(b)s)",
            {
                "id": world.cameras[0],
                "a": SINCE + timedelta(hours=10),
                "b": SINCE + timedelta(hours=20),
            },
        )


async def test_time_since_anybody_watched_is_unknown(world: World) -> None:
    await outage(world, 0, 80, None)
    await outage(world, 1, 80, None)
    marks = [("probes", 0, 2, 90.0), ("probes", 1, 2, 99.995), ("adapters", 0, 1, 1.0)]
    # A division of the shards that is no more says only that somebody watched then.
    marks += [("probes", shard, 3, 85.0) for shard in range(3)]
    async with world.database.transaction() as tx:
        for watch, shard, shards, hours in marks:
            await tx.execute(
                "INSERT INTO watch_marks (watch, shard, shards, seen_at)"
                " VALUES (%(watch)s, %(shard)s, %(shards)s, %(at)s)",
                {
                    "watch": watch,
                    "shard": shard,
                    "shards": shards,
                    "at": SINCE + timedelta(hours=hours),
                },
            )
    found = await report(world)
    for place, line in enumerate(sorted(found.devices, key=lambda one: one.device_id)):
        is_unwatched = line.device_id % 2 == 0
        assert line.rate.unknown_s == (36_000 if is_unwatched else 0)
        down_s = 0 if place > 1 else 36_000 if is_unwatched else 72_000
        assert line.rate.down_s == down_s
    assert {line.rate.down_s for line in found.devices} == {0, 36_000, 72_000}


async def test_nothing_known_is_said_not_guessed(world: World) -> None:
    async with world.database.transaction() as tx:
        for camera in world.cameras:
            row = Told(device_id=camera, status=Status.UNKNOWN, since=SINCE)
            await change_status(tx, HUB, row)
    found = await report(world)
    assert found.total.online is None
    assert found.total.coverage == 0
    assert found.total.is_withheld


@pytest.mark.threat("T1")
async def test_a_scope_sees_its_own_cameras_only(world: World) -> None:
    found = await report(world, Scope(paths=("c.b",), actor="village b"))
    assert {a.area_name for a in found.areas} == {"北沟村"}
    assert len(found.devices) == 3
    nobody = await report(world, Scope(paths=(), actor="nobody"))
    assert (nobody.devices, nobody.areas, nobody.total.online) == ([], [], None)


async def test_an_area_narrows_the_report(world: World) -> None:
    found = await report(world, area_id=world.areas["a"])
    assert {a.area_name for a in found.areas} == {"安平村"}
    assert len((await report(world, area_id=world.areas["county"])).devices) == 6


async def test_a_period_ends_now_at_the_latest(world: World) -> None:
    found = await report(world, until=NOW + timedelta(days=1))
    assert found.until == NOW
    with pytest.raises(Invalid):
        await report(world, since=NOW, until=NOW + timedelta(days=1))


async def test_both_ways_to_the_areas_give_the_same(world: World) -> None:
    await outage(world, 0, -30, -20)
    await outage(world, 0, -10, 10)
    await outage(world, 3, 90, None)
    async with world.database.transaction() as tx:
        row = Told(device_id=world.cameras[1], status=Status.UNKNOWN, since=SINCE)
        await change_status(tx, HUB, row)
        period = Period(since=SINCE, until=UNTIL)
        brief = await report_uptime(tx, HUB, period, now=NOW, with_devices=False)
    full = await report(world)
    assert [(a.area_id, a.devices) for a in brief.areas] == [
        (a.area_id, a.devices) for a in full.areas
    ]
    for ours, theirs in zip(brief.areas, full.areas, strict=True):
        assert ours.rate.online == pytest.approx(theirs.rate.online)
        assert ours.rate.coverage == pytest.approx(theirs.rate.coverage)
        assert ours.rate.outages == theirs.rate.outages
    assert not brief.devices
    assert full.total.outages == 2
