"""What maintenance costs at the size of a county: windows, the end of flapping, suggested parents.

Builds the county and the ledger of the uptime report on TimescaleDB, gives every 250 cameras a
subnet and cuts each subnet three times; in every second subnet most cameras fail in no other way.
Prints how long each periodic pass takes, judges nothing:

    python -m tests.benchmarks.maintenance_county [cameras]
"""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import psycopg
import uvloop

from hub.domain.access import system_scope
from hub.maintenance.flapping import FlappingEnds
from hub.maintenance.parents import ParentFinder
from hub.maintenance.windows import WindowKeeper
from hub.store import areas, maintenance_windows, parent_suggestions
from hub.store.database import Database
from hub.store.maintenance_windows import NewWindow
from hub.store.migrate import migrate
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.benchmarks.uptime_report import SINCE, UNTIL, build
from tests.fresh_databases import with_database

DATABASE = "bench_maintenance"
SCOPE = system_scope("benchmark")
HOUR = timedelta(hours=1)

SUBNETS = """
    UPDATE devices SET address = format('rtsp://10.%%s.%%s.%%s:554/main',
                                        id / 64000, id / 250 %% 256, 1 + id %% 250);
    DELETE FROM outages WHERE device_id / 250 %% 2 = 0 AND device_id %% 4 > 0;
    INSERT INTO outages (device_id, started_at, ended_at, layer, cause)
    SELECT d.id, at, at + interval '10 min', 'network', 'no answer within 3 s'
    FROM devices d CROSS JOIN generate_series(1, 3) n CROSS JOIN LATERAL
         (SELECT %(since)s + (d.id / 250 * 1.7 + n * 200) * interval '1 h'
                 + d.id %% 40 * interval '1 s' AS at) x;
    UPDATE device_status SET is_flapping = true WHERE device_id %% 100 = 1
"""


async def measure(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Say how long one pass takes."""
    began = time.perf_counter()
    await work()
    sys.stdout.write(f"{name}: {time.perf_counter() - began:.2f} s\n")


def at(moment: datetime) -> Callable[[], datetime]:
    """A clock that stands still."""
    return lambda: moment


async def passes(database: Database) -> None:
    """Every periodic pass, as the hub runs it."""
    async with database.transaction() as tx:
        root = await areas.find_area(tx, SCOPE, "c")
        window = NewWindow(area_id=root.id, starts_at=UNTIL, ends_at=UNTIL + HOUR, reason="works")
        await maintenance_windows.plan_window(tx, SCOPE, window, now=UNTIL)
    for name, moment in (
        ("a window over the whole county begins", UNTIL),
        ("while it lasts", UNTIL + HOUR / 2),
        ("it ends", UNTIL + HOUR),
        ("while there is none", UNTIL + 2 * HOUR),
    ):
        await measure(name, WindowKeeper(database=database, clock=at(moment)).run_once)
    for name, moment in (("devices become steady", UNTIL + HOUR), ("none flaps", UNTIL + 2 * HOUR)):
        await measure(name, FlappingEnds(database=database, clock=at(moment)).run_once)
    finder = ParentFinder(database=database, clock=at(UNTIL))
    await measure("parents are inferred from the ledger", finder.run_once)
    async with database.transaction() as tx:
        outages = await tx.scalar(
            int, "SELECT count(*) FROM outages WHERE started_at >= %(since)s", {"since": SINCE}
        )
        found = await tx.scalar(int, "SELECT count(*) FROM parent_suggestions")
        page = await parent_suggestions.list_suggestions(tx, SCOPE, limit=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{outages:,} outages in 30 days, {found} suggestions, the surest of"
        f" {max((one.confidence for one in page.items), default=0):.2f}\n"
    )
    sys.stdout.write(f"this process took at most {peak:,.0f} MiB\n")


async def run(cameras: int) -> None:
    """Build the county, measure, take it down again."""
    server = await asyncio.to_thread(start_timescaledb)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = with_database(server, DATABASE)
    await migrate(url)
    sys.stdout.write(f"{cameras:,} cameras\n")
    await asyncio.to_thread(build, url, cameras)
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(SUBNETS.encode(), {"since": SINCE})
        connection.execute("VACUUM ANALYZE")
    database = await Database.open(url)
    await passes(database)
    await database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 70_000))
