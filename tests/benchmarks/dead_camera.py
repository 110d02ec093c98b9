"""How long from a dead camera to the webhook, at default settings, through the whole program.

Cables are cut and power is cut at random moments of the probe interval; each camera is mended
again. Prints the median and the worst, judges nothing:

    python -m tests.benchmarks.dead_camera [cameras]
"""

import asyncio
import random
import statistics
import sys
import tempfile
from pathlib import Path

import psycopg

from hub.simulators.faults import Fault
from hub.store.migrate import migrate
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.fresh_databases import with_database
from tests.system.village_site import everything_reports, holds, run_site, tell_webhook, until

DATABASE = "bench_dead_camera"
BUDGET_S = 30.0


async def run(cameras: int) -> None:
    """Cut every camera once in each way."""
    server = await asyncio.to_thread(start_timescaledb)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = with_database(server, DATABASE)
    await migrate(url)
    with tempfile.TemporaryDirectory() as folder:
        async with run_site(url, Path(folder), cameras=cameras, sensors=0) as site:
            await everything_reports(site)
            await tell_webhook(site)
            for fault in (Fault.POWER_CUT, Fault.CABLE_CUT):
                took = []
                for camera in site.village.cameras.values():
                    site.hook.bodies.clear()
                    await asyncio.sleep(random.uniform(0, 15))
                    await camera.set_fault(fault)
                    is_told = holds(site, "fired", camera.name)
                    took.append(await until("webhook", is_told, within_s=120))
                    await camera.clear_fault()
                    is_over = holds(site, "resolved", camera.name)
                    await until("resolved", is_over, within_s=120)
                sys.stdout.write(
                    f"{fault} to webhook, {cameras} cameras:"
                    f" median {statistics.median(took):.1f} s,"
                    f" worst {max(took):.1f} s (budget {BUDGET_S:g} s)\n"
                )


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
