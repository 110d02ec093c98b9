"""An uplink of 5,000 cameras is cut and restored, in a county of 70,000, on TimescaleDB.

From the verdicts of the probes to everything judged: through the pipeline, the events and the
alert engine with the rules a new hub starts with and one receiver. Before it the first round, in
which every device is found online; after it 2,000 single failures, and what the engine's sweep
costs among them. Prints figures, judges nothing:

    python -m tests.benchmarks.uplink_alerts [devices] [children]
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import uvloop

from alerts.judging.engine import SWEEP_S, AlertEngine
from alerts.rules.defaults import ensure_default_rules
from hub.domain.access import system_scope
from hub.domain.devices import Connection
from hub.domain.health import DeviceStatusReport, Layer
from hub.domain.notifications import Receiver, ReceiverKind
from hub.domain.secrets import Secret
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.pipeline import Pipeline
from hub.runtime.registry import Registry
from hub.store.areas import create_area
from hub.store.connections import add_connection
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.receivers import add_receiver
from hub.store.rules import all_rules, change_rule
from hub.store.vault import Vault
from tests.benchmarks.mqtt_ingest import start_timescaledb

SCOPE = system_scope("benchmark")
DATABASE = "bench_uplink_alerts"
DEVICES = 70_000
CHILDREN = 5_000
SINGLE = 2_000
CHUNK = 1_000  # verdicts handed over at once, as a shard of the probes does
LIMIT_S = 300.0


@dataclass(slots=True)
class Clock:
    """The real time, which may be moved on."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A county and what watches it."""

    database: Database
    clock: Clock
    pipeline: Pipeline
    engine: AlertEngine
    live: LiveFeed
    uplink: int
    children: Sequence[int]
    others: Sequence[int]

    async def number(self, query: str) -> int:
        """One number from the database."""
        async with self.database.pool.connection() as connection:
            row = await (await connection.execute(query.encode())).fetchone()
        return int(str(row[0])) if row else 0

    async def judged(self, events: int) -> None:
        """Wait until so many events are stored and the engine has seen them all."""
        while await self.number("SELECT count(*) FROM events") < events:
            await asyncio.sleep(0.02)
        while await self.number(
            "SELECT (SELECT event_id FROM cursors WHERE name = 'alerts')"
            " - (SELECT max(id) FROM events)"
        ):
            await asyncio.sleep(0.02)

    def verdict(
        self, device_id: int, *, is_good: bool, behind: int | None = None
    ) -> DeviceStatusReport:
        """What a probe says."""
        return DeviceStatusReport(
            device_id=device_id,
            probed_at=self.clock(),
            layer=None if is_good else Layer.NETWORK,
            detail="" if is_good else "no answer within 3 s",
            behind=behind,
        )

    async def hand_over(self, verdicts: Sequence[DeviceStatusReport]) -> None:
        """Give them to the pipeline, a chunk at a time."""
        for start in range(0, len(verdicts), CHUNK):
            await self.pipeline.report(verdicts[start : start + CHUNK])


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def build(url: str, folder: Path, devices: int, children: int) -> Parts:
    """Store the county: an uplink, its children, and everybody else in a hundred villages."""
    database = await Database.open(url, vault=Vault.open(folder / "key"))
    async with database.transaction() as tx:
        county = await create_area(tx, SCOPE, code="county", name="County", parent_id=None)
        for number in range(100):
            await create_area(
                tx, SCOPE, code=f"v{number}", name=f"Village {number}", parent_id=county.id
            )
        link = Connection(
            id=0, protocol="mqtt", name="bench", address="mqtt://bench", area_id=county.id
        )
        values = {"link": await add_connection(tx, SCOPE, link), "last": devices - 1}
        await tx.execute(
            "INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
            " SELECT %(link)s, 'd' || n, a.id, CASE n WHEN 0 THEN 'uplink' ELSE 'camera' END,"
            " CASE n WHEN 0 THEN 'Uplink 7' ELSE 'Camera ' || n END, 'approved'"
            " FROM generate_series(0, %(last)s) AS n JOIN areas a ON a.code = 'v' || (n %% 100)"
            " ORDER BY n",
            values,
        )
        await tx.execute("INSERT INTO device_status (device_id) SELECT id FROM devices")
        await tx.execute(
            "UPDATE devices SET parent_id = (SELECT id FROM devices WHERE kind = 'uplink')"
            " WHERE id IN (SELECT id FROM devices WHERE kind = 'camera' ORDER BY id"
            "  LIMIT %(children)s)",
            {"children": children},
        )
        await ensure_default_rules(tx, SCOPE, county.id)
        receiver = await add_receiver(
            tx,
            SCOPE,
            Receiver(
                name="duty room",
                area_id=county.id,
                kind=ReceiverKind.WEBHOOK,
                options={"address": "https://hooks.example.org/x"},
                secret=Secret("bench-key"),
            ),
        )
        for rule in await all_rules(tx, SCOPE):
            await change_rule(tx, SCOPE, replace(rule, receivers=(receiver.id,)))
        numbers = [int(str(n)) for (n,) in await tx.tuples("SELECT id FROM devices ORDER BY id")]
    async with database.pool.connection() as connection:
        await connection.execute("ANALYZE")
    clock = Clock()
    registry = Registry(database)
    await registry.load()
    live = LiveFeed(database)
    return Parts(
        database=database,
        clock=clock,
        pipeline=Pipeline(database, registry, clock),
        engine=AlertEngine(database, Jobs(database, clock), live, clock),
        live=live,
        uplink=numbers[0],
        children=numbers[1 : children + 1],
        others=numbers[children + 1 :],
    )


async def first_round(parts: Parts) -> None:
    """Everything is found online; then the engine, which was not running, catches up."""
    everybody = [parts.uplink, *parts.children, *parts.others]
    await parts.engine.step()
    began = time.perf_counter()
    await parts.hand_over([parts.verdict(n, is_good=True) for n in everybody])
    while await parts.number("SELECT count(*) FROM events") < len(everybody):
        await asyncio.sleep(0.05)
    stored = time.perf_counter() - began
    began, cpu = time.perf_counter(), time.process_time()
    await parts.engine.step()
    took = time.perf_counter() - began
    say(
        f"first round: {len(everybody):,} verdicts stored in {stored:.1f} s;"
        f" the engine passes their events in {took:.1f} s"
        f" ({len(everybody) / took:,.0f}/s, {time.process_time() - cpu:.1f} s CPU)"
    )


async def cut_and_restore(parts: Parts) -> None:
    """The uplink and its children go, and come back."""
    number = parts.number
    for is_good, name in ((False, "cut"), (True, "restored")):
        events = await number("SELECT count(*) FROM events")
        verdicts = [parts.verdict(parts.uplink, is_good=is_good)]
        behind = None if is_good else parts.uplink
        verdicts += [parts.verdict(n, is_good=is_good, behind=behind) for n in parts.children]
        began, cpu = time.perf_counter(), time.process_time()
        await parts.hand_over(verdicts)
        async with asyncio.timeout(LIMIT_S):
            await parts.judged(events + len(verdicts))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        alerts = await number("SELECT count(*) FROM alerts")
        still = await number("SELECT count(*) FROM alerts WHERE status <> 'resolved'")
        told = await number("SELECT count(*) FROM notifications")
        say(
            f"uplink of {len(parts.children):,} {name}: judged {took:.2f} s after the verdicts"
            f" ({cpu:.2f} s CPU); alerts {alerts} (open {still}), notifications {told}"
        )


async def fail_singly(parts: Parts) -> None:
    """Single cameras fail, each an alert of its own."""
    events = await parts.number("SELECT count(*) FROM events")
    failing = parts.others[:SINGLE]
    began, cpu = time.perf_counter(), time.process_time()
    await parts.hand_over([parts.verdict(n, is_good=False) for n in failing])
    async with asyncio.timeout(LIMIT_S):
        await parts.judged(events + len(failing))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    alerts = await parts.number("SELECT count(*) FROM alerts WHERE status <> 'resolved'")
    say(
        f"{len(failing):,} single cameras fail: {alerts:,} alerts {took:.2f} s after the verdicts"
        f" ({cpu:.2f} s CPU)"
    )


async def sweep(parts: Parts) -> None:
    """What a step costs with and without the sweep, nothing having happened."""
    offline = await parts.number("SELECT count(*) FROM device_status WHERE status = 'offline'")
    await parts.engine.step()
    idle, swept = [], []
    for _ in range(10):
        began = time.perf_counter()
        await parts.engine.step()
        idle.append(time.perf_counter() - began)
        parts.clock.ahead += timedelta(seconds=SWEEP_S + 1)
        began = time.perf_counter()
        await parts.engine.step()
        swept.append(time.perf_counter() - began)
    say(
        f"with {offline:,} offline a step takes {statistics.median(idle) * 1e3:.1f} ms,"
        f" with the sweep of every {SWEEP_S:g} s {statistics.median(swept) * 1e3:.1f} ms (median)"
    )


async def run(devices: int, children: int) -> None:
    """All of it, in a database of its own."""
    server = os.environ.get("GENGFU_TEST_TIMESCALEDB", "")
    if not server:
        server = await asyncio.to_thread(start_timescaledb)
    url = psycopg.conninfo.make_conninfo(server, dbname=DATABASE)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    await migrate(url)
    with tempfile.TemporaryDirectory() as folder:
        parts = await build(url, Path(folder), devices, children)
    storing = [asyncio.create_task(parts.pipeline.run()), asyncio.create_task(parts.live.run())]
    await first_round(parts)
    judging = asyncio.create_task(parts.engine.run())
    await asyncio.sleep(1)
    await cut_and_restore(parts)
    await fail_singly(parts)
    judging.cancel()
    with suppress(asyncio.CancelledError):
        await judging
    await sweep(parts)
    for task in storing:
        task.cancel()
    await asyncio.gather(*storing, return_exceptions=True)
    await parts.database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    uvloop.run(run(*(numbers + [DEVICES, CHILDREN][len(numbers) :])))
