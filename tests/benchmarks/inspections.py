"""CPU per slow look at a camera, and what finding and keeping costs at the size of a county.

The cameras run in a process of their own, so that the figures are the hub's side alone; with
``--database`` (an empty, migrated one's address) the statements are timed as well. Run it as
``python -m tests.benchmarks.inspections [--cameras 20] [--looks 200] [--database URL]``.
"""

import argparse
import asyncio
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from adapters.onvif.client import load_descriptions, load_search_description
from adapters.onvif.inspection import inspect_camera
from hub.domain.access import system_scope
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.health import Inspection, Recording
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.store.camera_days import Finding, keep_findings
from hub.store.database import Database
from hub.store.inspection_due import Wanted, due_for_inspection
from hub.store.vault import Vault

HUB = system_scope("benchmark")
COUNTY = 70_000
BATCH = 50
HOLES = 12
LOGIN = Credentials(username="admin", password=Secret("benchmark-1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured, of the hub's side."""

    looks: int
    wall_s: float
    cpu_ms: float
    description_mib: float


def _now() -> datetime:
    return datetime.now(UTC)


def _run_cameras(pipe: Pipe, count: int) -> None:
    """Serve cameras with holes in their recordings until the pipe closes; the child's main."""

    async def main() -> None:
        cameras = []
        for number in range(count):
            options = CameraOptions(
                name=f"camera {number}",
                serial=f"B{number}",
                mac="02:00:00:00:00:01",
                http_port=0,
                rtsp_port=0,
                credentials=LOGIN,
                motion_interval_s=None,
            )
            rng = random.Random(number)
            camera = await Camera(options, clock=_now, rng=rng).__aenter__()
            if camera.state.card is not None:
                begin = _now() - timedelta(days=2)
                camera.state.card.holes += [
                    (begin + n * timedelta(hours=3), begin + n * timedelta(hours=3, seconds=9))
                    for n in range(1, HOLES)
                ]
            cameras.append(camera)
        pipe.send([camera.state.service_address() for camera in cameras])
        await asyncio.to_thread(pipe.poll, None)
        for camera in cameras:
            await camera.__aexit__(None, None, None)

    asyncio.run(main())


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def measure(addresses: Sequence[str], looks: int) -> Figures:
    """Look at the cameras again and again, 16 at a time."""
    load_descriptions()
    before = _rss_mib()
    load_search_description()
    description_mib = _rss_mib() - before
    policy = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
    slots = asyncio.Semaphore(16)

    async def one(number: int) -> None:
        async with slots:
            target = CameraTarget(
                device_id=number,
                service_address=addresses[number % len(addresses)],
                credentials=LOGIN,
            )
            found = await inspect_camera(target, timeout_s=60, policy=policy, clock=_now)
        if found.recording is None or not found.recording.holes:
            msg = f"a look found nothing: {found.notes}"
            raise RuntimeError(msg)

    started, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for number in range(looks):
            group.create_task(one(number))
    return Figures(
        looks=looks,
        wall_s=time.perf_counter() - started,
        cpu_ms=1000 * (time.process_time() - cpu) / looks,
        description_mib=description_mib,
    )


async def measure_database(url: str, say: Callable[[str], object]) -> None:
    """Fill a database with a county and time the statements of a run."""
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(url, vault=Vault.open(Path(folder) / "key"))
        try:
            await _fill(database)
            for all_new in (True, False):
                started = time.perf_counter()
                async with database.transaction() as tx:
                    wanted = Wanted(
                        shard=(0, 8), shortest_s=21_600, interval_of=lambda *_: 21_600, limit=500
                    )
                    found = await due_for_inspection(tx, HUB, _now(), wanted)
                said = "none was ever looked at" if all_new else "few are due"
                elapsed_ms = 1000 * (time.perf_counter() - started)
                say(f"  finding {len(found):3} due of a shard ({said}) {elapsed_ms:8.1f} ms\n")
                async with database.transaction() as tx:
                    await tx.execute(
                        "UPDATE devices SET inspected_at = now() - random() * interval '6.1 hours'"
                    )
            await _time_keeping(database, [one.target.device_id for one in found], say)
        finally:
            await database.close()


async def _fill(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO areas (code, name, path) VALUES ('b', 'b', 'b')")
        await tx.execute(
            "INSERT INTO connections (protocol, name, address, area_id)"
            " SELECT 'onvif', 'c' || n, 'http://10.0.0.1/' || n, (SELECT max(id) FROM areas)"
            " FROM generate_series(1, %(count)s) n",
            {"count": COUNTY},
        )
        await tx.execute(
            "INSERT INTO devices (connection_id, key, area_id, kind, name, registration, address)"
            " SELECT id, 'device', area_id, 'camera', name, 'approved', address FROM connections"
        )
        await tx.execute(
            "INSERT INTO device_status (device_id, status) SELECT id, 'online' FROM devices"
        )
        await tx.execute("ANALYZE devices, connections, device_status")


async def _time_keeping(
    database: Database, device_ids: Sequence[int], say: Callable[[str], object]
) -> None:
    now = _now()
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = day - timedelta(days=1)
    hours = [begin + timedelta(hours=n) for n in range(HOLES)]
    holes = tuple((hour, hour + timedelta(seconds=9)) for hour in hours)
    look = Inspection(
        inspected_at=now,
        clock_offset_s=1.0,
        recording=Recording(recorded_s=86_000.0, planned_s=86_400.0, holes=holes),
        recording_day=begin,
        firmware="2",
    )
    findings = [
        Finding(device_id=number, tried_at=now, day=day, inspection=look)
        for number in device_ids[:BATCH]
    ]
    for again in ("first", "again"):
        started = time.perf_counter()
        async with database.transaction() as tx:
            kept = await keep_findings(tx, HUB, findings)
        elapsed_ms = 1000 * (time.perf_counter() - started)
        say(f"  keeping {len(kept):3} findings ({again})               {elapsed_ms:8.1f} ms\n")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=20)
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--database", default="")
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run_cameras, args=(theirs, given.cameras), daemon=True)
    process.start()
    theirs.close()
    try:
        addresses: list[str] = ours.recv()
        figures = asyncio.run(measure(addresses, given.looks))
    finally:
        ours.close()
        process.join(10)
        process.terminate()
    cores = figures.cpu_ms / 1000 * COUNTY / 21_600
    sys.stdout.write(
        f"{figures.looks} slow looks at ONVIF cameras with recordings, 16 at a time\n"
        f"  CPU of one look                    {figures.cpu_ms:8.1f} ms\n"
        f"  looks a second                     {figures.looks / figures.wall_s:8.1f}\n"
        f"  a county of {COUNTY} every 6 h       {cores:8.3f} cores\n"
        f"  WSDL of the search, once a process {figures.description_mib:8.1f} MiB\n"
    )
    if given.database:
        asyncio.run(measure_database(given.database, sys.stdout.write))


if __name__ == "__main__":
    main()
