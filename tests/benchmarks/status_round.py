"""A county's status round, through the whole program, against a farm of simulated cameras.

For 1,000, 10,000 and 69,919 cameras (connect, RTSP answer, transitions stored in TimescaleDB):
how long the first round takes, what a minute of rounds costs, how much memory it needs; then an
uplink of 5,000 cameras is cut and restored. Prints figures, judges nothing:

    python -m tests.benchmarks.status_round [cameras …]

The hub runs the roles web, alerts and work in one process (``gengfu run --role …``); with
``--all-roles`` it runs all of them, with an adapter for each camera.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.benchmarks.camera_farm import Farm, cpu_s
from tests.benchmarks.county import build_county
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.system.whole_hub import WholeHub

BUDGET_S = 20.0
SIZES = (1_000, 10_000, 69_919)
BRANCH = range(5_000)
STEADY_S = 60.0
DATABASE = "bench_status_round"
ROLES = ("--role", "web", "--role", "alerts", "--role", "work")
SETTINGS = {"GENGFU_NETWORK__DEVICES": "127.0.0.0/8", "GENGFU_LOG__LEVEL": "warning"}


class Ledger:
    """What the database says, asked from outside."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def count(self, query: str) -> int:
        """The one number of a query."""
        row = self._connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0

    def online(self) -> int:
        """How many devices are online."""
        return self.count("SELECT count(*) FROM device_status WHERE status = 'online'")

    def behind(self) -> int:
        """How many are known to hang behind a dead parent."""
        return self.count("SELECT count(*) FROM device_status WHERE behind_id IS NOT NULL")

    def alerts(self) -> int:
        """How many alerts there ever were."""
        return self.count("SELECT count(*) FROM alerts")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


async def until(what: Callable[[], bool], within_s: float) -> float:
    """Wait; returns the seconds it took."""
    began = time.monotonic()
    while not await asyncio.to_thread(what):
        if time.monotonic() - began > within_s:
            return float("inf")
        await asyncio.sleep(0.2)
    return time.monotonic() - began


def memory_mib(pid: int) -> tuple[float, float]:
    """Resident memory now and at its highest."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]  # two names


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def measure(server: str, cameras: int, *, has_all_roles: bool) -> None:
    """One size, from an empty ledger."""
    async with Farm() as farm:
        url = await build_county(server, DATABASE, cameras=cameras, port=farm.port)
        ledger = Ledger(url)
        with tempfile.TemporaryDirectory() as folder:
            hub = WholeHub(
                data_dir=Path(folder) / "hub",
                settings={"GENGFU_DATABASE__URL": url, **SETTINGS},
                arguments=("run",) if has_all_roles else ("run", *ROLES),
            )
            await hub.start()
            assert hub.process is not None
            pid = hub.process.pid
            try:
                await run_rounds(ledger, pid, cameras)
                if cameras >= 2 * len(BRANCH):
                    await cut_uplink(ledger, farm, url)
            finally:
                await hub.stop()
                ledger.close()


async def run_rounds(ledger: Ledger, pid: int, cameras: int) -> None:
    """The first round, then a minute of them."""
    took = await until(lambda: ledger.online() == cameras, 300)
    used = cpu_s(pid)
    say(
        f"{cameras:6} cameras: first round {took:5.1f} s (budget {BUDGET_S:g} s for 69,919),"
        f" {used:5.1f} CPU-s since the start of the process"
    )
    await asyncio.sleep(20)
    before, began = cpu_s(pid), time.monotonic()
    await asyncio.sleep(STEADY_S)
    share = (cpu_s(pid) - before) / (time.monotonic() - began)
    resident, highest = memory_mib(pid)
    say(
        f"       {'':6}  a minute of rounds: {share:6.1%} of a core,"
        f" {share / cameras * 1e6:5.1f} us per camera and second,"
        f" memory {resident:.0f} MiB (highest {highest:.0f}),"
        f" online {ledger.online()}, alerts {ledger.alerts()}"
    )


async def cut_uplink(ledger: Ledger, farm: Farm, url: str) -> None:
    """A branch falls silent with its uplink, and comes back."""
    uplink = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = uplink.sockets[0].getsockname()[1]
    with psycopg.connect(url) as connection:
        connection.execute(
            "WITH c AS (INSERT INTO connections (protocol, name, address, area_id, options)"
            "  SELECT 'uplink', '光猫 7', %(address)s, id,"
            '   \'{"protocol": "uplink", "kind": "uplink"}\' FROM areas'
            "  WHERE code = 'county' RETURNING id, area_id),"
            " d AS (INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
            "  SELECT id, 'device', area_id, 'uplink', '光猫 7', 'approved' FROM c RETURNING id),"
            " s AS (INSERT INTO device_status (device_id) SELECT id FROM d)"
            " UPDATE devices SET parent_id = (SELECT id FROM d) WHERE id <= %(last)s",
            {"address": f"tcp://127.0.0.1:{port}", "last": len(BRANCH)},
        )
        connection.execute('SELECT pg_notify(\'gengfu\', \'{"topic": "resync", "ids": []}\')')
    whole = ledger.online() + 1
    joined = await until(lambda: ledger.online() == whole, 120)
    say(f"uplink of {len(BRANCH)}: registered and online after {joined:.1f} s")
    before = ledger.alerts()
    uplink.close()
    await uplink.wait_closed()
    await farm.cut(BRANCH)
    marked = await until(lambda: ledger.behind() == len(BRANCH), 180)
    told = await until(lambda: ledger.alerts() > before, 30)
    await asyncio.sleep(20)
    say(
        f"  cut: {len(BRANCH)} marked in {marked:.1f} s (budget 30 s), alert after {told:.1f} s"
        f" more, alerts in all {ledger.alerts() - before} (budget 1)"
    )
    again = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port)
    await farm.restore(BRANCH)
    back = await until(lambda: ledger.online() == whole, 180)
    await asyncio.sleep(20)
    say(f"  restored: all back in {back:.1f} s, alerts in all {ledger.alerts() - before}")
    again.close()


async def main(sizes: list[int], *, has_all_roles: bool) -> None:
    """Measure each size."""
    server = await asyncio.to_thread(start_timescaledb)
    say(f"{os.cpu_count()} cores, shared with the cameras and the database")
    for cameras in sizes:
        await measure(server, cameras, has_all_roles=has_all_roles)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cameras", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--all-roles", action="store_true")
    given = parser.parse_args()
    asyncio.run(main(given.cameras, has_all_roles=given.all_roles))
