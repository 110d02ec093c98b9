"""What pictures cost the database at the size of a county: due cameras, results, lists, dry runs.

Builds a county on TimescaleDB, with a check of every camera each hour of a day, and prints the
median of three of each; judges nothing:

    python -m tests.benchmarks.picture_store [cameras]
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import uvloop

from hub.domain.access import system_scope
from hub.domain.quality import Finding, Index, Mode, PictureCheck, PictureFault
from hub.domain.quality_profiles import PROFILES
from hub.store.database import Database, Transaction
from hub.store.migrate import migrate
from hub.store.picture_changes import DryRun, count_changes
from hub.store.picture_due import DuePicture, due_for_picture, ensure_states
from hub.store.picture_faults import (
    FaultFilter,
    count_picture_faults,
    list_picture_faults,
    picture_coverage,
)
from hub.store.picture_history import list_check_hours
from hub.store.picture_states import KeptCheck, keep_checks
from hub.store.vault import Vault
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.benchmarks.uptime_report import BUILD
from tests.fresh_databases import with_database

DATABASE = "bench_picture_store"
SCOPE = system_scope("benchmark")
ROUNDS = 3
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BATCH, SHARDS = 100, 8
# Two views of a scene, and what one visit leaves to compare the next one with.
BASELINE_BYTES, FINGERPRINT_BYTES = 4_624, 4_608
BANDS_EACH = 6  # a camera that is grey by night learns about so many of twelve

_CHANNELS = """
    INSERT INTO channels (device_id, key, streams, snapshot_address)
    SELECT id, '1', '[{"role": "main", "address": "rtsp://10.0.0.1/1", "codec": "h264",
           "width": 1920, "height": 1080, "frame_rate": 25.0}]', 'http://10.0.0.1/1.jpg'
    FROM devices;
    UPDATE device_status SET status = 'offline', layer = 'network' WHERE device_id %% 50 = 1
"""
_CHECKS = """
    INSERT INTO picture_checks (at, device_id, mode, is_night, faults, signal_loss, "freeze",
        occlusion, scene_change, too_dark, too_bright, low_contrast, blur, colour_cast, noise,
        stripes)
    SELECT %(now)s - hour * interval '1 h' - d.id %% 3600 * interval '1 s', d.id,
           CASE WHEN hour > 12 THEN 'infrared' ELSE 'colour' END, hour > 12,
           CASE WHEN blur >= 50 THEN ARRAY['blur'] ELSE '{}' END,
           random() * 20, random() * 40, random() * 49, random() * 49, random() * 49,
           random() * 49, random() * 49, blur, random() * 49, random() * 49, random() * 49
    FROM devices d, generate_series(0, 23) hour,
         LATERAL (SELECT CASE WHEN d.id %% 40 = 0 THEN 45 + random() * 20
                         ELSE random() * 49 END AS blur) b
"""


async def measure(name: str, work: Callable[[], Awaitable[str]]) -> None:
    """Print the median of three."""
    took, said = [], ""
    for _ in range(ROUNDS):
        began = time.perf_counter()
        said = await work()
        took.append(time.perf_counter() - began)
    sys.stdout.write(f"{name}: {1000 * statistics.median(took):,.1f} ms {said}\n")
    sys.stdout.flush()


async def build(database: Database, cameras: int) -> None:
    """The county, its cameras' first states and a day of checks."""
    async with database.transaction() as tx:
        for script in (BUILD["areas"], BUILD["cameras"], _CHANNELS):
            for statement in script.split(";"):
                await tx.execute(statement, {"cameras": cameras})
    async with database.transaction() as tx:
        began = time.perf_counter()
        number = await ensure_states(tx, SCOPE, NOW)
        sys.stdout.write(f"first states of {number:,}: {time.perf_counter() - began:.2f} s\n")
    async with database.transaction() as tx:
        began = time.perf_counter()
        number = await tx.execute(_CHECKS, {"now": NOW})
        sys.stdout.write(f"{number:,} checks generated in {time.perf_counter() - began:.1f} s\n")
    async with database.pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("VACUUM ANALYZE")
        await connection.set_autocommit(False)


def judged(due: DuePicture, at: datetime, number: int) -> KeptCheck:
    """A check of a camera: every fortieth is blurred."""
    rng = random.Random(due.target.device_id + number)
    blur = 60.0 if due.target.device_id % 40 == 0 else 12.5
    findings = tuple(
        Finding(
            index=index,
            score=blur if index is Index.BLUR else 7.5,
            threshold=50.0,
            why=f"The {index} of the picture measures {rng.random():.3f} levels a pixel where"
            f" {rng.random():.3f} are usual; {rng.random():.1%} of it is touched.",
        )
        for index in Index
    )
    check = PictureCheck(mode=Mode.COLOUR, width=1920, height=1080, findings=findings)
    faults = {}
    if blur >= 50:
        since = NOW - timedelta(seconds=due.target.device_id)
        why = findings[0].why
        faults[Index.BLUR] = PictureFault(since=since, looks=2, score=blur, threshold=50, why=why)
    state = replace(
        due.state,
        faults=faults,
        tried_at=at,
        checked_at=at,
        next_at=at + timedelta(seconds=3_300),
        findings=findings,
        fingerprint=rng.randbytes(FINGERPRINT_BYTES),
    )
    learnt = ((number % BANDS_EACH, Mode.COLOUR), rng.randbytes(BASELINE_BYTES))
    return KeptCheck(state=state, at=at, check=check, learnt=learnt, was_due_at=due.state.next_at)


async def round_of(database: Database, later: datetime, name: str) -> None:
    """One round over every camera, in batches, and what each part of it takes."""
    took = {"due": 0.0, "kept": 0.0}
    seen = 0
    for shard in range(SHARDS):
        while True:
            async with database.transaction() as tx:
                began = time.perf_counter()
                due = await due_for_picture(tx, SCOPE, later, shard=(shard, SHARDS), limit=BATCH)
                took["due"] += time.perf_counter() - began
            if not due:
                break
            async with database.transaction() as tx:
                began = time.perf_counter()
                await keep_checks(
                    tx, SCOPE, [judged(one, later, shard + n) for n, one in enumerate(due)]
                )
                took["kept"] += time.perf_counter() - began
            seen += len(due)
    said = ", ".join(f"{part} {1000 * took[part] / max(1, seen):.2f} ms" for part in took)
    sys.stdout.write(f"{name}, {seen:,} cameras in batches of {BATCH}: each {said}\n")
    sys.stdout.flush()


async def rounds(database: Database) -> None:
    """A first round, one with something learnt, one while half of the county is cut off."""
    await round_of(database, NOW + timedelta(hours=2), "first round")
    await round_of(database, NOW + timedelta(hours=4), "next round")
    async with database.transaction() as tx:
        await tx.execute("UPDATE device_status SET status = 'offline' WHERE device_id %% 2 = 0")
    await round_of(database, NOW + timedelta(hours=6), "round with half of them offline")
    async with database.transaction() as tx:
        await tx.execute("UPDATE device_status SET status = 'online' WHERE device_id %% 50 <> 1")
        rows = await tx.tuples(
            "SELECT relname, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class"
            " WHERE relname IN ('picture_states', 'picture_baselines')"
        )
    sys.stdout.write(", ".join(f"{name} {size}" for name, size in rows) + "\n")


async def run(cameras: int) -> None:
    """Build the county, measure, take it down again."""
    server = await asyncio.to_thread(start_timescaledb)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = with_database(server, DATABASE)
    await migrate(url)
    with TemporaryDirectory() as folder:
        database = await Database.open(url, vault=Vault.open(Path(folder) / "key"))
        await build(database, cameras)
        await rounds(database)
        await questions(database)
        await database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


async def questions(database: Database) -> None:
    """What people and the hub ask."""
    async with database.transaction() as tx:
        town = await tx.scalar(int, "SELECT id FROM areas WHERE code = 't3'")

    def ask(work: Callable[[Transaction], Awaitable[object]]) -> Callable[[], Awaitable[str]]:
        async def asked() -> str:
            async with database.transaction() as tx:
                found = await work(tx)
            return str(found)[:150]

        return asked

    county = FaultFilter()
    blurred = FaultFilter(area_id=town, index=Index.BLUR)
    day = DryRun(thresholds=PROFILES["day"], since=NOW - timedelta(hours=24), until=NOW)
    low = replace(day, thresholds=dict.fromkeys(Index, 30.0))
    for name, work in {
        "states of all are there": lambda tx: ensure_states(tx, SCOPE, NOW),
        "nobody is due": lambda tx: due_for_picture(tx, SCOPE, NOW, shard=(0, 8), limit=BATCH),
        "faults of the county, a page": lambda tx: list_picture_faults(tx, SCOPE, county),
        "faults of a township, blurred": lambda tx: list_picture_faults(tx, SCOPE, blurred),
        "faults counted": lambda tx: count_picture_faults(tx, SCOPE, county),
        "coverage of the county": lambda tx: picture_coverage(tx, SCOPE, NOW),
        "coverage of a township": lambda tx: picture_coverage(tx, SCOPE, NOW, area_id=town),
        "hours of a camera": lambda tx: list_check_hours(
            tx, SCOPE, 77, since=NOW - timedelta(days=30), until=NOW
        ),
        "dry run, county, a day, same": lambda tx: count_changes(tx, SCOPE, day),
        "dry run, county, a day, strict": lambda tx: count_changes(tx, SCOPE, low),
        "dry run, township, a day": lambda tx: count_changes(tx, SCOPE, replace(low, area_id=town)),
        "dry run, a camera, a day": lambda tx: count_changes(tx, SCOPE, replace(low, device_id=77)),
    }.items():
        await measure(name, ask(work))


def main() -> None:
    """Run from the command line."""
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 69_919))


if __name__ == "__main__":
    main()
