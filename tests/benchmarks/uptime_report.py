"""How long figures take from a large outage ledger, and how that grows.

Builds a county on TimescaleDB: cameras, 15 outages each within the 30 days of the report and as
many in the 30 days before, absences of the hub, windows, times unknown. Prints the median of
three of each report, judges nothing:

    python -m tests.benchmarks.uptime_report [cameras]
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import psycopg
import uvloop

from hub.domain.access import system_scope
from hub.maintenance.kpis import report_every_grouping, report_kpis
from hub.maintenance.uptime import report_uptime
from hub.store.database import Database, Transaction
from hub.store.ledger_rows import GroupBy, Period
from hub.store.migrate import migrate
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.fresh_databases import with_database

DATABASE = "bench_uptime_report"
SCOPE = system_scope("benchmark")
BUDGET_S = 2.0
ROUNDS = 3
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=30)

# The budget is for the online rate; key figures read the outages twice and the cameras' days.
# Statements by name; 70,000 cameras have 1,050,000 outages in the period.
BUILD = {
    "areas": """
        INSERT INTO areas (code, name, path) VALUES ('c', 'county', 'c');
        INSERT INTO areas (parent_id, code, name, path)
        SELECT (SELECT id FROM areas WHERE code = 'c'), 't' || t, 'township ' || t,
               ('c.t' || t)::ltree FROM generate_series(1, 20) t;
        INSERT INTO areas (parent_id, code, name, path)
        SELECT a.id, a.code || 'v' || v, a.name || ' village ' || v,
               a.path || (a.code || 'v' || v) FROM areas a, generate_series(1, 20) v
        WHERE a.code LIKE 't%%'
    """,
    "cameras": """
        INSERT INTO connections (protocol, name, address, area_id)
        SELECT 'onvif', 'bench', 'http://bench', id FROM areas WHERE code = 'c';
        INSERT INTO devices (connection_id, key, area_id, kind, name, registration, manufacturer,
                             model, team, class, created_at, code)
        SELECT (SELECT min(id) FROM connections), n::text, v.ids[1 + n %% 400], 'camera',
               'camera ' || n, 'approved', 'vendor ' || n %% 7, 'model ' || n %% 60,
               'team ' || n %% 25, 'class ' || n %% 3, '2026-01-01', ''
        FROM generate_series(1, %(cameras)s) n,
             (SELECT array_agg(id ORDER BY id) AS ids FROM areas WHERE nlevel(path) = 3) v;
        INSERT INTO device_status (device_id, status, since)
        SELECT id, 'online', '2026-01-01' FROM devices
    """,
    "outages": """
        INSERT INTO outages (device_id, started_at, ended_at, layer, cause)
        SELECT id, at, at + least(-ln(1 - random()) * 1800, 28800) * interval '1 s', 'network',
               'no answer within 3 s'
        FROM (SELECT d.id, %(since)s + (slot * 48 + random() * 39) * interval '1 h' AS at
              FROM generate_series(-15, 14) slot, devices d) o
        ORDER BY at;
        INSERT INTO outages (device_id, started_at, layer)
        SELECT id, %(until)s - random() * interval '150 min', 'network' FROM devices
        WHERE id %% 50 = 1
    """,
    "times nobody can know of": """
        INSERT INTO absences (watch, shard, shards, started_at, ended_at)
        SELECT 'probes', shard, 8, at, at + random() * interval '40 min'
        FROM (SELECT %(since)s + (n * 140 + random() * 100) * interval '1 h' AS at
              FROM generate_series(0, 4) n) x, generate_series(0, 7) shard;
        INSERT INTO unknown_spells (device_id, started_at, ended_at)
        SELECT id, %(since)s + n * interval '9 day', %(since)s + n * interval '9 day'
               + random() * interval '8 h' FROM devices, generate_series(-3, 3) n
        WHERE id %% 35 = 1;
        UPDATE device_status SET status = 'unknown', since = %(until)s - interval '3 h'
        WHERE device_id %% 100 = 2;
        INSERT INTO maintenance_windows (area_id, starts_at, ends_at, reason, author)
        SELECT id, %(since)s + id * interval '1 h', %(since)s + id * interval '1 h'
               + interval '6 h', 'works', 'bench' FROM areas WHERE id %% 60 = 2;
        INSERT INTO maintenance_windows (area_id, device_id, starts_at, ends_at, reason, author)
        SELECT area_id, id, %(since)s + random() * interval '700 h',
               %(since)s + interval '720 h', 'repair', 'bench' FROM devices WHERE id %% 700 = 3
    """,
    "looks at each camera every day": """
        INSERT INTO camera_days (day, device_id, clock_offset_s, recorded_s, planned_s)
        SELECT day, id, random() * 70 - 5, 86400 * (1 - random() * random() / 10), 86400
        FROM generate_series(%(since)s, %(until)s - interval '1 day', interval '1 day') day, devices
    """,
}


def build(url: str, cameras: int) -> None:
    """Fill an empty database."""
    values = {"cameras": cameras, "since": SINCE, "until": UNTIL}
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("SET timezone = 'UTC'")
        for name, statements in BUILD.items():
            began = time.perf_counter()
            connection.execute(statements.encode(), values)
            sys.stdout.write(f"  {name}: {time.perf_counter() - began:.1f} s\n")
        connection.execute("VACUUM ANALYZE")


async def measure(database: Database, work: Callable[[Transaction], Awaitable[object]]) -> float:
    """Median seconds of some rounds, one after another."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        async with database.transaction() as tx:
            await work(tx)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


async def one_size(server: str, cameras: int) -> dict[str, float]:
    """Build a county, measure every report, take the county down again."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = with_database(server, DATABASE)
    await migrate(url)
    sys.stdout.write(f"{cameras:,} cameras\n")
    await asyncio.to_thread(build, url, cameras)
    database = await Database.open(url)
    period = Period(since=SINCE, until=UNTIL)

    async def by_area(tx: Transaction) -> object:
        return await report_uptime(tx, SCOPE, period, now=UNTIL, with_devices=False)

    async def by_device(tx: Transaction) -> object:
        return await report_uptime(tx, SCOPE, period, now=UNTIL)

    async def kpis(tx: Transaction) -> object:
        return await report_kpis(tx, SCOPE, period, GroupBy.VENDOR, now=UNTIL)

    async def month(tx: Transaction) -> object:
        return await report_every_grouping(tx, SCOPE, period, now=UNTIL)

    works = {
        "online rate by area": by_area,
        "with every camera": by_device,
        "key figures by vendor": kpis,
        "key figures by every grouping": month,
    }
    figures = {name: await measure(database, work) for name, work in works.items()}
    async with database.transaction() as tx:
        outages = await tx.scalar(
            int, "SELECT count(*) FROM outages WHERE started_at >= %(since)s", {"since": SINCE}
        )
    await database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
    for name, took in figures.items():
        sys.stdout.write(
            f"{cameras:,} cameras, {outages:,} outages in 30 days: {name}: median of {ROUNDS}"
            f" {took:.2f} s ({took / BUDGET_S:.0%} of the budget of {BUDGET_S:g} s)\n"
        )
    return figures


async def run(cameras: int) -> None:
    """A tenth of the county, then all of it."""
    server = await asyncio.to_thread(start_timescaledb)
    small = await one_size(server, cameras // 10)
    large = await one_size(server, cameras)
    for name, took in large.items():
        sys.stdout.write(f"{name}: ten times the cameras take {took / small[name]:.1f} times\n")


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 70_000))
