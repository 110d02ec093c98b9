"""A round over 2,200 cameras' pictures: what it costs, where the time goes, what it finds.

2,000 cameras give 1080p JPEG snapshots over HTTP (Digest), 200 a key frame of a 704x576 H.264
stream over RTSP (Digest); they run in a process of their own, whose time is not counted. The hub's
side is the real one: fetching, the judging processes, the rounds, TimescaleDB. The first round is
of cameras never seen, which keeps a picture of each as evidence; the second is any round of a day.
Then one camera in twenty shows a fault, and is looked at again until it is believed. Run it as

    python -m tests.benchmarks.picture_round [--snapshots 2000] [--streams 200] [--judges 2]
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import aiohttp
import psycopg
import uvloop

from hub.domain.access import system_scope
from hub.domain.health import DeviceStatusReport
from hub.domain.ports import CameraTarget
from hub.domain.quality import CheckOrder, EncodedFrame, Index, PictureCheck, PictureState
from hub.maintenance.pictures.evidence import EvidenceFolder
from hub.maintenance.pictures.learning import Learning
from hub.maintenance.pictures.rounds import PictureOptions, PictureRounds, PictureSenses
from hub.runtime.outbound import open_client
from hub.simulators.picture_faults import Mode
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.picture_due import load_pictures
from hub.store.picture_states import load_states
from hub.store.vault import Vault
from streams.frames import fetch_frames
from streams.quality.judges import JudgePool
from tests.benchmarks.camera_farm import LOOPBACK, PER_SUBNET, cpu_s, raise_file_limit
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.benchmarks.picture_farm import EXPECTED, LOGIN, NOON, PictureFarm, scripted
from tests.benchmarks.picture_meter import Meter, rss_mib
from tests.fresh_databases import with_database

HUB = system_scope("benchmark")
SHANGHAI = timezone(timedelta(hours=8))
COUNTY = 69_919
DATABASE = "bench_picture_round"
SHARDS = 8
ALONE = 300  # pictures for timing one step by itself
MOST_LOOKS = 40  # at cameras with a fault, a minute apart
LESSONS = 4  # pictures a baseline needs
APART = timedelta(minutes=45)  # rounds; all of them lie within one band of hours
# Hours stand for the days a baseline takes to be trusted.
LEARNING = Learning(ripe_pictures=LESSONS, ripe_after=(LESSONS - 1) * APART)

_FILL = """
INSERT INTO areas (code, name, path) VALUES ('county', '测试县', 'county');
INSERT INTO areas (parent_id, code, name, path)
    SELECT (SELECT id FROM areas WHERE code = 'county'), 'v' || n, n || '号村',
        ('county.v' || n)::ltree
    FROM generate_series(0, %(last)s / %(per_subnet)s) n;
INSERT INTO connections (protocol, name, address, area_id, username, password_sealed)
    SELECT 'rtsp', '枪机 ' || n, address,
        (SELECT id FROM areas WHERE code = 'v' || (n - 1) / %(per_subnet)s),
        %(username)s, %(password)s
    FROM unnest(%(addresses)s::text[]) WITH ORDINALITY AS given (address, n) ORDER BY n;
INSERT INTO devices (connection_id, key, area_id, kind, name, registration, address)
    SELECT id, 'camera', area_id, 'camera', name, 'approved', address FROM connections ORDER BY id;
INSERT INTO device_status (device_id, status) SELECT id, 'online' FROM devices;
INSERT INTO channels (device_id, key, name, snapshot_address, streams)
    SELECT id, '1', name, CASE WHEN address LIKE 'http%%' THEN address ELSE '' END,
        CASE WHEN address LIKE 'http%%' THEN '[]' ELSE
            jsonb_build_array(jsonb_build_object('role', 'sub', 'address', address)) END
    FROM devices;
ANALYZE;
"""


@dataclass(slots=True)
class Hub:
    """The hub's side of the benchmark; its clock is set forward by hand."""

    database: Database
    client: aiohttp.ClientSession
    pool: JudgePool
    now: datetime = NOON
    reports: list[DeviceStatusReport] = field(default_factory=list)
    targets: list[CameraTarget] = field(default_factory=list)
    waits_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    orders: list[CheckOrder] = field(default_factory=list)

    async def fetch(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        """Fetch, and note how long that took."""
        started = time.perf_counter()
        frames = await fetch_frames(
            target,
            count=count,
            spacing_s=spacing_s,
            timeout_s=timeout_s,
            client=self.client,
            policy=LOOPBACK,
            clock=lambda: self.now,
        )
        self.waits_s["fetches"] += 1
        self.waits_s["frames"] += len(frames)
        self.waits_s["fetch"] += time.perf_counter() - started
        return frames

    async def judge(self, order: CheckOrder) -> PictureCheck:
        """Judge, note how long that took, and keep the first orders."""
        started = time.perf_counter()
        check = await self.pool(order)
        self.waits_s["judgements"] += 1
        self.waits_s["judge"] += time.perf_counter() - started
        if len(self.orders) < ALONE:
            self.orders.append(order)
        return check

    async def report(self, told: Sequence[DeviceStatusReport]) -> None:
        """Take what would go to the pipeline."""
        self.reports += told

    def rounds(self, folder: Path, concurrency: int) -> PictureRounds:
        """Rounds that do not pause between cameras, and are otherwise as they are."""
        options = PictureOptions(
            shards=SHARDS,
            spread_s=0.0,
            every_s=3_600.0,
            most_per_run=1_000 * SHARDS,
            concurrency=concurrency,
            per_subnet=max(4, concurrency // 8),
            learning=LEARNING,
            zone=SHANGHAI,
        )
        senses = PictureSenses(
            fetch=self.fetch, judge=self.judge, report=self.report, clock=lambda: self.now
        )
        return PictureRounds(self.database, senses, options, files=EvidenceFolder(folder))

    async def make_due(self, *, only_scripted: bool = False) -> None:
        """Make all cameras due now, or those that break by the script."""
        ids = [
            target.device_id
            for number, target in enumerate(self.targets)
            if not only_scripted or not is_good(number)
        ]
        async with self.database.transaction() as tx:
            await tx.execute(
                "UPDATE picture_states SET next_at = %(now)s WHERE device_id = ANY (%(ids)s)",
                {"now": self.now, "ids": ids},
            )


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def fill(url: str, addresses: Sequence[str], vault: Vault) -> None:
    """Make the database anew, with a camera for each address."""
    await migrate(url)
    values = {
        "addresses": list(addresses),
        "last": len(addresses) - 1,
        "per_subnet": PER_SUBNET,
        "username": LOGIN.username,
        "password": vault.seal(LOGIN.password),
    }
    with psycopg.ClientCursor(psycopg.connect(url, autocommit=True)) as cursor:
        cursor.execute(_FILL.encode(), values)
        cursor.connection.close()


async def run_round(name: str, hub: Hub, rounds: PictureRounds, meter: Meter) -> Meter:
    """All shards once, side by side as the queue runs them."""
    await hub.make_due()
    hub.waits_s.clear()
    before = meter.read()
    await judge_all(rounds)
    used = meter.since(before)
    waits, count = hub.waits_s, len(hub.targets)
    ours_s = used.hub + used.judges
    say(
        f"{name}: {count} cameras in {used.wall:.1f} s, {60 * count / used.wall:,.0f} pictures a"
        f" minute on this machine, shared with the cameras ({cpu_s(meter.farm):.0f} CPU-s so far)\n"
        f"  CPU: hub {1000 * used.hub / count:.1f} ms a picture, judges"
        f" {1000 * used.judges / count:.1f} ms, database {1000 * used.backends / count:.1f} ms\n"
        f"  {60 * count / ours_s:,.0f} pictures a minute and core (hub and judges);"
        f" {60 * count / (ours_s + used.backends):,.0f} with the database\n"
        f"  {waits['frames']:.0f} frames: {60 * waits['frames'] / ours_s:,.0f} a minute and core;"
        f" waited for a fetch {1000 * waits['fetch'] / waits['fetches']:.0f} ms, for a judgement"
        f" {1000 * waits['judge'] / waits['judgements']:.0f} ms"
    )
    return used


async def steps_alone(hub: Hub, meter: Meter, used: Meter) -> None:
    """Time fetching and handing over by themselves, to tell the parts of a round."""
    targets = hub.targets[:: max(1, len(hub.targets) // ALONE)]
    slots = asyncio.Semaphore(16)

    async def fetch(target: CameraTarget) -> None:
        async with slots:
            await hub.fetch(target, timeout_s=20)

    before = meter.read()
    await asyncio.gather(*(fetch(target) for target in targets))
    fetching = meter.since(before).hub / len(targets)
    before = meter.read()
    await asyncio.gather(*(hub.pool(order) for order in hub.orders))
    judging = meter.since(before)
    handing = judging.hub / len(hub.orders)
    count = len(hub.targets)
    each = used.hub / count
    total = (used.hub + used.judges) / count
    say("where the CPU of a picture goes (second round; fetching and handing over timed alone):")
    for name, seconds in (
        ("fetch: HTTP or RTSP, Digest", fetching),
        ("hand over to a judge and back", handing),
        ("choose, decide, store, the rest", max(0.0, each - fetching - handing)),
        ("judge: decode and all indices", used.judges / count),
    ):
        say(f"  {name:32} {1000 * seconds:6.2f} ms {seconds / total:6.1%}")


async def judge_all(rounds: PictureRounds) -> None:
    """All shards, side by side."""
    await asyncio.gather(*(rounds.judge_shard(shard) for shard in range(SHARDS)))


async def find_faults(hub: Hub, rounds: PictureRounds, farm: PictureFarm) -> None:
    """Let faults appear and look until they are believed."""
    for _ in range(2, LESSONS):  # what compares with a baseline needs one
        hub.now += APART
        await hub.make_due(only_scripted=True)
        await judge_all(rounds)
    await farm.spoil()
    hub.reports.clear()
    hub.waits_s.clear()
    minutes = 0
    for is_first in (True, False):  # a frozen picture is known by the next visit
        hub.now += APART
        await hub.make_due(only_scripted=not is_first)
        for _ in range(MOST_LOOKS):
            await judge_all(rounds)
            if not any(state.suspects for state in await load(hub)):
                break
            hub.now += timedelta(minutes=1)
            minutes += 1
    say(f"faults: {hub.waits_s['judgements']:.0f} judgements, {minutes} minutes to confirm")
    compare(await load(hub))
    say(f"  status reports: {len(hub.reports)}")


def compare(states: Sequence[PictureState]) -> None:
    """Print what was found beside what the script says."""
    wanted: Counter[Mode] = Counter()
    found: Counter[Mode] = Counter()
    others: Counter[tuple[Mode, Index]] = Counter()
    for number, state in enumerate(states):
        mode = scripted(number)
        expected = EXPECTED.get(mode)
        wanted[mode] += 1
        found[mode] += expected in state.faults
        others.update((mode, index) for index in state.faults if index is not expected)
    for mode, expected in EXPECTED.items():
        say(f"  {mode.value:10} as {expected.value:13} {found[mode]:3} of {wanted[mode]}")
    for (mode, index), count in sorted(others.items()):
        say(f"  {mode.value:10} also as {index.value:13} {count:3}")
    wrong = sum(bool(state.faults) for n, state in enumerate(states) if is_good(n))
    say(f"  good cameras with a fault: {wrong} of {wanted[Mode.LIVE]}")


def is_good(number: int) -> bool:
    """Tell whether a camera's picture stays good."""
    return scripted(number) is Mode.LIVE


async def load(hub: Hub) -> list[PictureState]:
    """What is known of every camera's picture, in the order of their numbers."""
    ids = [target.device_id for target in hub.targets]
    async with hub.database.transaction() as tx:
        states = await load_states(tx, HUB, ids)
    return [states[number] for number in ids]


async def measure(given: argparse.Namespace) -> None:
    """All of it."""
    server = await asyncio.to_thread(start_timescaledb)
    url = with_database(server, DATABASE)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        farm = await stack.enter_async_context(
            PictureFarm(snapshots=given.snapshots, streams=given.streams)
        )
        vault = Vault.open(folder / "key")
        await fill(url, farm.addresses, vault)
        database = await Database.open(url, vault=vault)
        stack.push_async_callback(database.close)
        client = await stack.enter_async_context(open_client(LOOPBACK))
        pool = JudgePool(size=given.judges)
        stack.push_async_callback(pool.close)
        hub = Hub(database=database, client=client, pool=pool)
        rounds = hub.rounds(folder, given.at_once)
        await rounds.welcome()
        async with database.transaction() as tx:
            ids = [row[0] for row in await tx.tuples("SELECT id FROM devices ORDER BY id")]
            cameras = await load_pictures(tx, HUB, [int(str(number)) for number in ids])
        hub.targets = [camera.target for camera in cameras]
        await run_all(hub, rounds, farm, Meter(farm=farm.pid, database=url))


async def run_all(hub: Hub, rounds: PictureRounds, farm: PictureFarm, meter: Meter) -> None:
    """The rounds one after the other."""
    load_1, *_ = os.getloadavg()
    say(f"{os.cpu_count()} cores, shared with the cameras and the database; load {load_1:.1f}")
    await run_round("first round", hub, rounds, meter)
    hub.now += APART
    used = await run_round("second round", hub, rounds, meter)
    seen = await load(hub)
    say(
        f"  unseen {sum(1 for state in seen if state.unseen)}, with a fault"
        f" {sum(1 for state in seen if state.faults)}, suspected"
        f" {sum(1 for state in seen if state.suspects)}"
    )
    judges = meter.judge_pids()
    say(
        f"  memory: hub {rss_mib(os.getpid()):.0f} MiB, {len(judges)} judges"
        f" {', '.join(f'{rss_mib(pid):.0f}' for pid in judges)} MiB at the most"
    )
    await steps_alone(hub, meter, used)
    cores = (used.hub + used.judges) / len(hub.targets) * COUNTY / 3600
    stored = used.backends / len(hub.targets) * COUNTY / 3600
    say(
        f"extrapolated, not measured: {COUNTY:,} cameras an hour need {cores:.2f} cores for hub and"
        f" judges, {stored:.2f} more for the database"
    )
    await find_faults(hub, rounds, farm)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=2_000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--judges", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=32)
    raise_file_limit()
    uvloop.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
