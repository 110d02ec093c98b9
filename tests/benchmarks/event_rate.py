"""Events through pipeline, database and rules in one process, and how late alerts are.

Events are emitted at a steady rate, stored by the real pipeline on TimescaleDB and judged by the
real engine. Of the rules a few match what happens; most watch for the same kinds in other
villages, or for kinds that never come. Prints what was stored, how long after its arrival an
event's alert was committed, and the CPU share; then shorter runs with 10, 100 and 1,000 rules:

    python -m tests.benchmarks.event_rate [events a second] [seconds] [rules]
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import uvloop

from alerts.judging.engine import AlertEngine
from alerts.telling.desk import CURSOR
from hub.domain.access import system_scope
from hub.domain.alerts import Rule
from hub.domain.conditions import Condition, DeviceOffline, EventCount, EventOfKind
from hub.domain.devices import Connection, Registration
from hub.domain.events import Event, Occurrence, Severity
from hub.domain.ports import Link
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.pipeline import Pipeline
from hub.runtime.registry import Registry
from hub.store import areas, connections
from hub.store.cursors import get_cursor
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.rules import add_rule
from hub.store.vault import Vault
from tests.benchmarks.mqtt_ingest import start_timescaledb

SCOPE = system_scope("benchmark")
DATABASE = "event_rate"
RATE, SECONDS, RULES = 5_000, 60, 200
SHORT_S = 15
DEVICES = 2_000
VILLAGES = 100
TICK_S = 0.01
POLL_S = 0.02
# What happens at devices, and how often: doors make alerts, crossed lines are counted.
KINDS = ("motion.started", "motion.stopped", "line.crossed", "door.opened", "door.closed")
WEIGHTS = (47, 46, 5, 1, 1)


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Run:
    """One run and what was measured."""

    database: Database
    link: Link
    rate: int
    seconds: int
    rng: random.Random = field(default_factory=lambda: random.Random(5))  # repeatable
    delays: list[float] = field(default_factory=list)
    acknowledged: int = 0

    async def emit(self) -> float:
        """Emit at the rate; return how many seconds the emitting was behind at the end."""
        began = time.monotonic()
        sent = 0
        while sent < self.rate * self.seconds:
            elapsed = min(time.monotonic() - began, self.seconds)
            due = min(int(elapsed * self.rate) - sent, self.rate // 20)
            if due > 0:
                events = [self.event() for _ in range(due)]
                await self.link.emit(events, acknowledge=partial(self._count, due))
                sent += due
            await asyncio.sleep(TICK_S)
        return time.monotonic() - began - self.seconds

    def event(self) -> Event:
        """Something at one of the devices."""
        (kind,) = self.rng.choices(KINDS, WEIGHTS)
        return Occurrence(
            device=f"d{self.rng.randrange(DEVICES)}",
            kind=kind,
            data={"nonce": self.rng.getrandbits(48)},
        )

    async def watch(self) -> None:
        """Note when steps of alerts are committed: their numbers grow in that order."""
        last = 0
        while True:
            async with self.database.transaction() as tx:
                rows = await tx.tuples(
                    "SELECT id, at FROM alert_steps WHERE id > %(last)s ORDER BY id",
                    {"last": last},
                )
            now = wall_clock()
            for number, at in rows:
                last = int(str(number))
                if isinstance(at, datetime):
                    self.delays.append((now - at).total_seconds())
            await asyncio.sleep(POLL_S)

    async def caught_up(self) -> None:
        """Wait until everything stored is judged."""
        while True:
            async with self.database.transaction() as tx:
                behind = await tx.scalar(
                    int,
                    "SELECT coalesce((SELECT max(id) FROM events), 0) - event_id FROM cursors"
                    " WHERE name = %(name)s",
                    {"name": CURSOR},
                )
            if behind == 0:
                return
            await asyncio.sleep(POLL_S)

    def _count(self, number: int) -> None:
        self.acknowledged += number


def conditions(number: int) -> list[tuple[Condition, bool]]:
    """So many conditions; True: it watches the county, False: a village where nothing happens."""
    door = EventOfKind(kind="door.opened", clear_kind="door.closed")
    matching: list[tuple[Condition, bool]] = [
        (door, True),
        (EventCount(kind="line.crossed", count=3, within_s=30), True),
        (DeviceOffline(for_s=30), True),
        (EventOfKind(kind="motion.tampered", auto_clear_s=60), True),
    ]
    others: Sequence[tuple[Condition, bool]] = (
        (EventOfKind(kind="motion.started", clear_kind="motion.stopped"), False),
        (EventOfKind(kind="door.opened", auto_clear_s=600), False),
        (EventOfKind(kind="smoke.detected", auto_clear_s=600), True),
    )
    rest = number - len(matching)
    return matching + [others[n % len(others)] for n in range(rest)]


@asynccontextmanager
async def built(
    server: str, folder: Path, rules: int
) -> AsyncIterator[tuple[Database, Link, AlertEngine]]:
    """Database, the way in, and the engine, with everything running that runs in the hub."""
    url = psycopg.conninfo.make_conninfo(server, dbname=DATABASE)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    await migrate(url)
    database = await Database.open(url, vault=Vault.open(folder / f"key-{rules}"))
    link = await _fill(database, rules)
    registry = Registry(database)
    await registry.load()
    live = LiveFeed(database)
    engine = AlertEngine(database, Jobs(database, wall_clock), live, wall_clock)
    pipeline = Pipeline(database, registry, wall_clock, after_commit=engine.offer_readings)
    works = (pipeline.run(), live.run(), registry.run(live), engine.run())
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield database, pipeline.link(link, Registration.APPROVED), engine
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


async def _fill(database: Database, rules: int) -> Connection:
    async with database.transaction() as tx:
        county = await areas.create_area(tx, SCOPE, code="county", name="county", parent_id=None)
        quiet = await areas.create_area(tx, SCOPE, code="q", name="quiet", parent_id=county.id)
        villages = [
            await areas.create_area(tx, SCOPE, code=f"v{n}", name=f"v{n}", parent_id=county.id)
            for n in range(VILLAGES)
        ]
        link = Connection(
            id=0, protocol="mqtt", name="bench", address="mqtt://bench", area_id=county.id
        )
        number = await connections.add_connection(tx, SCOPE, link)
        await tx.execute(
            "INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
            " SELECT %(link)s, 'd' || n, (%(areas)s::bigint[])[1 + n %% %(villages)s], 'sensor',"
            " 'd' || n, 'approved' FROM generate_series(0, %(count)s - 1) AS n",
            {
                "link": number,
                "areas": [village.id for village in villages],
                "villages": VILLAGES,
                "count": DEVICES,
            },
        )
        await tx.execute("INSERT INTO device_status (device_id) SELECT id FROM devices")
        for position, (condition, is_wide) in enumerate(conditions(rules)):
            rule = Rule(
                name=f"rule {position}",
                area_id=county.id if is_wide else quiet.id,
                condition=condition,
                severity=Severity.WARNING,
            )
            await add_rule(tx, SCOPE, rule)
        await get_cursor(tx, SCOPE, CURSOR)
        made = await connections.get_connection(tx, SCOPE, number)
    async with database.pool.connection() as connection:
        await connection.execute("ANALYZE")
    return made


async def measure(server: str, rate: int, seconds: int, rules: int) -> None:
    """One run."""
    with tempfile.TemporaryDirectory() as folder:
        async with built(server, Path(folder), rules) as (database, link, _):
            await asyncio.sleep(1)
            run = Run(database=database, link=link, rate=rate, seconds=seconds)
            watching = asyncio.create_task(run.watch())
            began, cpu = time.monotonic(), time.process_time()
            late_s = await run.emit()
            while run.acknowledged < rate * seconds:
                await asyncio.sleep(POLL_S)
            stored_s = time.monotonic() - began
            await run.caught_up()
            took, cpu = time.monotonic() - began, time.process_time() - cpu
            await asyncio.sleep(4 * POLL_S)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            async with database.transaction() as tx:
                ((events,),) = await tx.tuples("SELECT count(*) FROM events")
                ((alerts,),) = await tx.tuples("SELECT count(*) FROM alerts")
    delays = sorted(run.delays)
    say(
        f"{rules:,} rules: {int(str(events)):,} events stored, {int(str(events)) / stored_s:,.0f}/s"
        f" (emitting {late_s:.2f} s late), all judged {took - stored_s:.2f} s after;"
        f" {int(str(alerts)):,} alerts; event to committed step of {len(delays):,}:"
        f" p50 {_share(delays, 0.5):.2f} s, p99 {_share(delays, 0.99):.2f} s,"
        f" max {delays[-1]:.2f} s; CPU {cpu / took:.0%} of one core"
        f" ({cpu / rate / seconds * 1e6:.0f} µs an event)"
    )


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def main(rate: int, seconds: int, rules: int) -> None:
    """The long run, then shorter ones with more and more rules."""
    server = os.environ.get("GENGFU_TEST_TIMESCALEDB", "")
    if not server:
        server = await asyncio.to_thread(start_timescaledb)
    await measure(server, rate, seconds, rules)
    for number in (10, 100, 1_000):
        await measure(server, rate, min(seconds, SHORT_S), number)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    uvloop.run(main(*(numbers + [RATE, SECONDS, RULES][len(numbers) :])))
