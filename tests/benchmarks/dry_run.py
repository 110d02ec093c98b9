"""How long a week of the past takes to show to a rule, and whether the process stays awake.

Builds, on TimescaleDB, 2,000 sensors with a week of readings and 20,000 cameras with a week of
events, and shows them to rules of each sort. Prints what it took, rows a second, and the longest
time for which the event loop did not come round. Judges nothing:

    python -m tests.benchmarks.dry_run [readings] [events]
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

import psycopg
import uvloop

from alerts.dry_runs.dry_run import Limits, Span, dry_run
from alerts.dry_runs.report import DryRun
from hub.domain.access import system_scope
from hub.domain.alerts import Rule
from hub.domain.conditions import (
    Condition,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    NothingSeen,
    PointBeyond,
)
from hub.store.areas import list_areas
from hub.store.database import Database
from hub.store.migrate import migrate
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.fresh_databases import with_database

DATABASE = "bench_dry_run"
SCOPE = system_scope("benchmark")
UNTIL = datetime(2026, 11, 16, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
SENSORS, CAMERAS = 2_000, 20_000
TURN_S = 0.005

# Statements by name. Values swing once a day about 30; one sensor in 50 gets hot. Each camera
# reports motion and, one in ten, an outage of some minutes.
BUILD = {
    "areas": """
        INSERT INTO areas (code, name, path) VALUES ('c', 'county', 'c');
        INSERT INTO areas (parent_id, code, name, path)
        SELECT (SELECT id FROM areas WHERE code = 'c'), 'v' || v, 'village ' || v,
               ('c.v' || v)::ltree FROM generate_series(1, 100) v
    """,
    "devices": """
        INSERT INTO connections (protocol, name, address, area_id)
        SELECT 'onvif', 'bench', 'http://bench', id FROM areas WHERE code = 'c';
        INSERT INTO devices (connection_id, key, area_id, kind, name, registration)
        SELECT (SELECT min(id) FROM connections), n::text, v.ids[1 + n %% 100],
               CASE WHEN n <= %(sensors)s THEN 'sensor' ELSE 'camera' END,
               'device ' || n, 'approved'
        FROM generate_series(1, %(sensors)s + %(cameras)s) n,
             (SELECT array_agg(id ORDER BY id) AS ids FROM areas WHERE nlevel(path) = 2) v;
        INSERT INTO points (device_id, key, unit)
        SELECT id, 'temp', '°C' FROM devices WHERE kind = 'sensor'
    """,
    "readings": """
        INSERT INTO readings (at, device_id, point_id, value)
        SELECT %(since)s + (n + random() / 2) * (interval '7 days' / %(each)s), p.device_id, p.id,
               30 + 10 * sin(6.28 * n * 7 / %(each)s) + 2 * random()
               + CASE WHEN p.id %% 50 = 0 THEN 10 ELSE 0 END
        FROM points p, generate_series(0, %(each)s - 1) n
    """,
    "events": """
        INSERT INTO events (at, received_at, digest, device_id, area_id, kind, severity, is_active)
        SELECT at, at, gen_random_uuid(), id, area_id, kind, 'info', NULL FROM (
          SELECT d.id, d.area_id, %(since)s + (n + random()) * interval '7 days' / %(moves)s AS at,
                 CASE WHEN n %% 2 = 0 THEN 'motion.started' ELSE 'motion.stopped' END AS kind
          FROM devices d, generate_series(0, %(moves)s - 1) n WHERE d.kind = 'camera'
          UNION ALL SELECT o.id, o.area_id, o.at + s.after,
                 'device.' || s.status FROM (SELECT id, area_id,
                   %(since)s + random() * interval '6 days' AS at FROM devices
                   WHERE kind = 'camera' AND id %% 10 = 0) o,
                 (VALUES ('offline', interval '0'), ('online', interval '7 min')) s (status, after)
        ) x ORDER BY at
    """,
    "statistics": "ANALYZE",
}


async def build(database: Database, readings: int, events: int) -> None:
    """Fill the database."""
    params: dict[str, object] = {
        "sensors": SENSORS,
        "cameras": CAMERAS,
        "since": SINCE,
        "each": readings // SENSORS,
        "moves": events // CAMERAS,
    }
    async with await psycopg.AsyncConnection.connect(database.address, autocommit=True) as link:
        cursor = psycopg.AsyncClientCursor(link)
        for name, statement in BUILD.items():
            began = time.monotonic()
            await cursor.execute(statement.encode(), params)
            sys.stdout.write(f"  {name}: {time.monotonic() - began:.1f} s\n")


async def watch_loop(gaps: list[float]) -> None:
    """Note for how long the loop did not come round."""
    last = time.perf_counter()
    while True:
        await asyncio.sleep(TURN_S)
        now = time.perf_counter()
        gaps.append(now - last - TURN_S)
        last = now


async def one_rule(database: Database, rule: Rule) -> tuple[DryRun, float, float, float]:
    """The answer, how long it took, how much of it was this process's, and the longest stop."""
    gaps: list[float] = []
    watcher = asyncio.create_task(watch_loop(gaps))
    began, worked = time.perf_counter(), time.process_time()
    limits = Limits(most_s=300)
    run = await dry_run(database, SCOPE, rule, Span(since=SINCE, until=UNTIL), limits)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    watcher.cancel()
    return run, took, worked, max(gaps)


async def run(readings: int, events: int) -> None:
    """Build, then one rule of each sort."""
    server = await asyncio.to_thread(start_timescaledb)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = with_database(server, DATABASE)
    await migrate(url)
    database = await Database.open(url)
    await build(database, readings, events)
    async with database.transaction() as tx:
        county = next(a for a in await list_areas(tx, SCOPE) if a.parent_id is None)
    conditions: dict[str, Condition] = {
        "readings beyond a threshold": PointBeyond(
            point="temp", direction=Direction.ABOVE, threshold=45, clear=40, for_s=600
        ),
        "readings that stay away": NothingSeen(point="temp", for_s=3600),
        "cameras offline": DeviceOffline(for_s=60),
        "motion, cleared by an event": EventOfKind(
            kind="motion.started", clear_kind="motion.stopped"
        ),
        "motion counted": EventCount(kind="motion.started", count=3, within_s=600),
    }
    for name, condition in conditions.items():
        rule = Rule(name=name, area_id=county.id, area_path=county.path, condition=condition)
        answer, took, worked, gap = await one_rule(database, rule)
        looked = answer.looked
        rows = looked.events + looked.readings
        sys.stdout.write(
            f"{name}: {rows:,} rows in {took:.2f} s ({rows / took:,.0f}/s, {worked:.2f} s of CPU"
            f" here), fired {answer.count:,} times; the loop stood still for {1000 * gap:.0f} ms"
            f"{'; cut short: ' + looked.cut_short if looked.cut_short else ''}\n"
        )
    await database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


if __name__ == "__main__":
    wanted = [int(text) for text in sys.argv[1:]]
    uvloop.run(run(*(wanted or [1_000_000, 500_000])))
