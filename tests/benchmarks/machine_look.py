"""The machine's look at patrol stops: stops a minute and core, and where the time goes.

Cameras of a night farm (see ``picture_farm``) run in a process of their own, whose time is not
counted: most give 1080p JPEG snapshots over HTTP (Digest), some a 704x576 H.264 stream over RTSP
(Digest). The hub's side is the real one: probe, glance of three seconds and three frames, judging
processes, what is known of the camera from TimescaleDB, what is known of the place, the picture
kept on disk. The peer is the bare fetch of one snapshot of the same cameras in the same run, which
is all an ordinary tour of pictures does. Then something moves, or a picture is bad, at some of
the stops, and what is found is compared with the script. Run it as

    python -m tests.benchmarks.machine_look [--snapshots 600] [--streams 60] [--at-once 32]
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import psycopg
import uvloop

from hub.domain.patrols import PatrolStop, Verdict
from hub.domain.ports import CameraTarget
from hub.domain.quality import CheckOrder, EncodedFrame, PictureCheck
from hub.maintenance.pictures.glancing import Glancer
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.patrols.files import PictureFolder
from hub.patrols.walking.orders import DOUBTFUL, LookOrder
from hub.patrols.walking.visit import Eyes, visit
from hub.runtime.outbound import open_client
from hub.simulators.picture_faults import Mode
from hub.store.cameras import list_targets
from hub.store.database import Database
from hub.store.patrol_places import Place, load_places
from hub.store.picture_due import ensure_states, load_pictures
from hub.store.stops import StopResult
from hub.store.vault import Vault
from streams.decoder import DecoderProcess
from streams.frames import fetch_frames
from streams.probe import probe_camera
from streams.quality.judges import JudgePool
from streams.snapshot import take_snapshot
from tests.benchmarks.camera_farm import LOOPBACK, raise_file_limit
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.benchmarks.picture_farm import NIGHT_SCRIPT, PictureFarm, scripted
from tests.benchmarks.picture_meter import Meter, rss_mib
from tests.benchmarks.picture_round import HUB, fill, say
from tests.fresh_databases import with_database

SHANGHAI = ZoneInfo("Asia/Shanghai")
DATABASE = "bench_machine_look"
ALONE = 200  # stops for timing one step by itself
GROUP = 30  # stops whose places are looked up together
LOOK_S = 3.0


def now() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Hub:
    """The hub's side of the benchmark; the first orders to the judges are kept."""

    database: Database
    client: aiohttp.ClientSession
    pool: JudgePool
    decoder: DecoderProcess
    folder: Path
    targets: list[CameraTarget] = field(default_factory=list)
    orders: list[CheckOrder] = field(default_factory=list)
    frames: int = 0

    async def fetch(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        """Fetch, and count the frames."""
        found = await fetch_frames(
            target,
            count=count,
            spacing_s=spacing_s,
            timeout_s=timeout_s,
            client=self.client,
            policy=LOOPBACK,
            clock=now,
        )
        self.frames += len(found)
        return found

    async def judge(self, order: CheckOrder) -> PictureCheck:
        """Judge, and keep the first orders."""
        if len(self.orders) < ALONE:
            self.orders.append(order)
        return await self.pool(order)

    def eyes(self) -> Eyes:
        """What a worker looks with."""
        sight = Sight(SightSenses(fetch=self.fetch, judge=self.judge), SightOptions(zone=SHANGHAI))
        return Eyes(
            probe=partial(probe_camera, policy=LOOPBACK, clock=now),
            snapshot=partial(
                take_snapshot,
                client=self.client,
                policy=LOOPBACK,
                clock=now,
                decoder=self.decoder,
            ),
            folder=PictureFolder(self.folder),
            clock=now,
            glance=Glancer(self.database, sight, now),
            glance_s=LOOK_S,
        )


async def at_once(
    targets: Sequence[CameraTarget], number: int, deed: Callable[[int], Awaitable[object]]
) -> None:
    """Do something for each of some cameras, so many at a time."""
    slots = asyncio.Semaphore(number)

    async def one(position: int) -> None:
        async with slots:
            await deed(position)

    await asyncio.gather(*(one(position) for position in range(len(targets))))


async def fetch_bare(hub: Hub, meter: Meter, number: int) -> float:
    """Fetch one snapshot of each camera, and return the CPU seconds of one."""
    eyes = hub.eyes()
    failed: Counter[str] = Counter()

    async def fetch(position: int) -> None:
        try:
            await eyes.snapshot(hub.targets[position], timeout_s=10.0)
        except Exception as error:  # noqa: BLE001 - a benchmark tells and goes on
            failed[str(error)] += 1

    before = meter.read()
    await at_once(hub.targets, number, fetch)
    used = meter.since(before)
    count = len(hub.targets)
    each = (used.hub + used.judges) / count
    say(
        f"bare snapshots: {count} in {used.wall:.1f} s, {1000 * each:.2f} ms of CPU each,"
        f" {60 / each:,.0f} a minute and core; failed {sum(failed.values())}"
    )
    return each


async def look_at_all(hub: Hub, number: int, *, usual: float | None = None) -> list[StopResult]:
    """Look at every camera as a round does; ``usual`` stands for what was learnt of movement."""
    places: dict[int, Place] = {}
    for start in range(0, len(hub.targets), GROUP):
        ids = [target.device_id for target in hub.targets[start : start + GROUP]]
        async with hub.database.transaction() as tx:
            places.update(await load_places(tx, HUB, ids, now=now(), zone=SHANGHAI))
    eyes = hub.eyes()
    found: dict[int, StopResult] = {}

    async def look(position: int) -> None:
        target = hub.targets[position]
        stop = PatrolStop(
            round_id=1,
            position=position,
            device_id=target.device_id,
            device_name="",
            area_name="",
            attempts=1,
        )
        place = replace(places[target.device_id], usual_movement=usual)
        found[position] = await visit(stop, target, eyes, LookOrder(place=place))

    await at_once(hub.targets, number, look)
    return [found[position] for position in sorted(found)]


async def look(hub: Hub, meter: Meter, number: int, bare: float) -> Meter:
    """Look at all stops and say what that costs."""
    hub.frames = 0
    before = meter.read()
    found = await look_at_all(hub, number)
    used = meter.since(before)
    count = len(found)
    ours = (used.hub + used.judges) / count
    seen = [one for one in found if one.verdict is Verdict.SEEN]
    waits = sorted(one.looked_s for one in found)
    say(
        f"looks: {count} stops in {used.wall:.1f} s ({number} at a time),"
        f" {60 * count / used.wall:,.0f} a minute on this machine, shared with the cameras\n"
        f"  CPU of a stop: hub {1000 * used.hub / count:.1f} ms, judges"
        f" {1000 * used.judges / count:.1f} ms, database {1000 * used.backends / count:.1f} ms\n"
        f"  {60 / ours:,.0f} stops a minute and core (hub and judges),"
        f" {60 / (ours + used.backends / count):,.0f} with the database\n"
        f"  a look takes {waits[count // 2]:.1f} s (median), {waits[count * 95 // 100]:.1f} s"
        f" (95 %); {hub.frames / count:.2f} frames each\n"
        f"  seen {len(seen)}, without a verdict on movement"
        f" {sum(one.moved is None for one in seen)}, not seen {count - len(seen)}"
        f" ({Counter(one.reason for one in found if one not in seen).most_common(2)})\n"
        f"  ratio to a bare snapshot: {ours / bare:.1f} times its CPU, for three frames judged by"
        " all indices, movement, baseline and place"
    )
    return used


async def parts_alone(hub: Hub, meter: Meter, used: Meter) -> None:
    """Time the steps by themselves, to tell the parts of a look."""
    count = len(hub.targets)
    some = hub.targets[:: max(1, count // ALONE)][:ALONE]
    eyes = hub.eyes()
    folder = PictureFolder(hub.folder / "alone")
    loaded = [target.device_id for target in some]

    async def load(position: int) -> None:
        async with hub.database.transaction() as tx:
            await load_pictures(tx, HUB, [loaded[position]])

    steps: Mapping[str, Callable[[int], Awaitable[object]]] = {
        "probe": lambda n: eyes.probe(some[n], timeout_s=5.0),
        "load what is known of the camera": load,
        "fetch three frames": lambda n: hub.fetch(some[n], count=3, spacing_s=0.0, timeout_s=20),
        "hand over to a judge and back": lambda n: hub.pool(hub.orders[n % len(hub.orders)]),
        "keep the picture (sync included)": lambda n: folder.keep_picture(1, n, b"x" * 150_000),
    }
    total = (used.hub + used.judges) / count
    told = 0.0
    say("where the CPU of a look goes (steps timed alone):")
    for name, step in steps.items():
        before = meter.read()
        await at_once(some, 16, step)
        spent = meter.since(before).hub / len(some)
        told += spent
        say(f"  {name:34} {1000 * spent:6.2f} ms {spent / total:6.1%}")
    rest = max(0.0, used.hub / count - told)
    say(f"  {'decide and the rest':34} {1000 * rest:6.2f} ms {rest / total:6.1%}")
    judging = used.judges / count
    say(f"  {'decode, judge, movement, JPEG':34} {1000 * judging:6.2f} ms {judging / total:6.1%}")


async def judge_alone(hub: Hub, meter: Meter) -> None:
    """What movement and the wider picture add to judging."""
    say("what a judge spends on an order of three frames:")
    for name, changes in (
        ("all indices, 640 wide", {"wants_movement": False, "evidence_width": 640}),
        ("and movement", {"evidence_width": 640}),
        ("and a picture 1280 wide", {}),
    ):
        orders = [replace(order, **changes) for order in hub.orders]  # type: ignore[arg-type]  # by name
        before = meter.read()
        for order in orders:
            await hub.pool(order)
        spent = meter.since(before).judges / len(orders)
        say(f"  {name:34} {1000 * spent:6.2f} ms")


async def find_what_moves(hub: Hub, farm: PictureFarm, given: argparse.Namespace) -> None:
    """Let something move at some stops where nothing does, and compare with the script."""
    await farm.spoil()
    found = await look_at_all(hub, given.at_once, usual=0.0)
    wanted: Counter[Mode] = Counter()
    doubted: Counter[Mode] = Counter()
    kinds: Counter[tuple[Mode, str]] = Counter()
    for number, one in enumerate(found[: given.snapshots]):
        mode = scripted(number, NIGHT_SCRIPT)
        wanted[mode] += 1
        doubted[mode] += one.doubt >= DOUBTFUL
        kinds[mode, one.kind] += one.doubt >= DOUBTFUL
    for mode, count in wanted.items():
        told = ", ".join(f"{kind or 'no kind'} {n}" for (m, kind), n in kinds.items() if m is mode)
        say(f"  {mode.value:8} doubted {doubted[mode]:4} of {count:4} ({told})")


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
            PictureFarm(snapshots=given.snapshots, streams=given.streams, is_night=True)
        )
        vault = Vault.open(folder / "key")
        await fill(url, farm.addresses, vault)
        database = await Database.open(url, vault=vault)
        stack.push_async_callback(database.close)
        client = await stack.enter_async_context(open_client(LOOPBACK))
        pool, decoder = JudgePool(size=given.judges), DecoderProcess()
        stack.push_async_callback(pool.close)
        stack.push_async_callback(decoder.close)
        hub = Hub(database=database, client=client, pool=pool, decoder=decoder, folder=folder)
        async with database.transaction() as tx:
            await ensure_states(tx, HUB, now())
            hub.targets = await list_targets(tx, HUB)
        load_1, *_ = os.getloadavg()
        say(
            f"{os.cpu_count()} cores, shared with the cameras and the database; load {load_1:.1f};"
            f" {given.snapshots} cameras by HTTP, {given.streams} by RTSP"
        )
        meter = Meter(farm=farm.pid, database=url)
        await look_at_all(hub, given.at_once)  # everything is started and warm
        bare = await fetch_bare(hub, meter, given.at_once)
        used = await look(hub, meter, given.at_once, bare)
        await parts_alone(hub, meter, used)
        await judge_alone(hub, meter)
        judges = ", ".join(f"{rss_mib(pid):.0f}" for pid in meter.judge_pids())
        say(f"memory: hub {rss_mib(os.getpid()):.0f} MiB, its children {judges} MiB at the most")
        await find_what_moves(hub, farm, given)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=600)
    parser.add_argument("--streams", type=int, default=60)
    parser.add_argument("--judges", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=32)
    raise_file_limit()
    began = time.perf_counter()
    uvloop.run(measure(parser.parse_args()))
    say(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
