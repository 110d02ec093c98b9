"""MQTT QoS 1 to stored in TimescaleDB, acknowledged after commit, in one process.

Beside it, in the same run, what paho alone receives.

A persistent session is filled while nobody listens, then drained: by paho with manual
acknowledgement (it stores nothing), and by adapter and pipeline into the database. Prints
figures and the ratio, judges nothing:

    python -m tests.benchmarks.mqtt_ingest [messages] [rounds]
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import uvloop
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from hub.domain.access import system_scope
from hub.domain.devices import Connection, Registration
from hub.domain.events import Event
from hub.domain.ports import Link
from hub.runtime.pipeline import Pipeline
from hub.runtime.registry import Registry
from hub.store import areas, connections
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.vault import Vault
from tests.benchmarks.mqtt_paho import build_adapter, leave_session, receive_by_paho
from tests.protocol.mosquitto import run_mosquitto

ROOT = Path(__file__).parents[2]
SCOPE = system_scope("benchmark")
DEVICES = 1_000
BYTES = 200


@dataclass(slots=True)
class CountedLink:
    """Counts what is acknowledged, that is committed."""

    inner: Link
    expected: int
    done: asyncio.Event

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        """Pass on, and count at the acknowledgement."""

        def counted() -> None:
            self.expected -= len(events)
            if acknowledge is not None:
                acknowledge()
            if self.expected <= 0:
                self.done.set()

        await self.inner.emit(events, acknowledge=counted)


def fill(port: int, messages: int) -> None:
    """Publish readings of 200 bytes, each with a time of its own."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages = 1_000
    client.connect("127.0.0.1", port)
    client.loop_start()
    start = datetime.now(UTC) - timedelta(seconds=messages / DEVICES + 60)
    for number in range(messages):
        at = start + timedelta(seconds=number // DEVICES, milliseconds=number % DEVICES)
        text = json.dumps(
            {"at": at.isoformat(timespec="milliseconds"), "values": {"temp": number / 10}, "x": ""}
        )
        payload = text[:-2] + "x" * (BYTES - len(text)) + text[-2:]
        info = client.publish(f"gengfu/v1/s{number % DEVICES}/reading", payload, qos=1)
    info.wait_for_publish(120)
    client.disconnect()
    client.loop_stop()


async def store(url: str, port: int, messages: int) -> tuple[float, float]:
    """Seconds and CPU seconds until every message is committed; checks the count."""
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(url, vault=Vault.open(Path(folder) / "key"))
    async with database.transaction() as tx:
        area = await areas.create_area(tx, SCOPE, code="bench", name="bench", parent_id=None)
        link = Connection(
            id=0, protocol="mqtt", name="bench", address="mqtt://bench", area_id=area.id
        )
        number = await connections.add_connection(tx, SCOPE, link)
        link = await connections.get_connection(tx, SCOPE, number)
    registry = Registry(database)
    await registry.load()
    pipeline = Pipeline(database, registry, lambda: datetime.now(UTC))
    done = asyncio.Event()
    counted = CountedLink(pipeline.link(link, Registration.APPROVED), messages, done)
    started, cpu = time.perf_counter(), time.process_time()
    tasks = [
        asyncio.create_task(pipeline.run()),
        asyncio.create_task(build_adapter("5", port).run(counted)),
    ]
    finished = asyncio.create_task(done.wait())
    await asyncio.wait([*tasks, finished], timeout=300, return_when=asyncio.FIRST_COMPLETED)
    took = time.perf_counter() - started, time.process_time() - cpu
    for task in (*tasks, finished):
        task.cancel()
    await asyncio.gather(*tasks, finished, return_exceptions=True)
    async with database.transaction() as tx:
        stored = await tx.scalar(int, "SELECT count(*) FROM readings")
    await database.close()
    if stored != messages:
        msg = f"{messages} sent, {stored} stored"
        raise RuntimeError(msg)
    return took


async def one_round(server_url: str, messages: int) -> tuple[float, float]:
    """Messages/s of paho alone and of the whole way."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench_ingest WITH (FORCE)")
        connection.execute("CREATE DATABASE bench_ingest")
    url = psycopg.conninfo.make_conninfo(server_url, dbname="bench_ingest")
    await migrate(url)
    with tempfile.TemporaryDirectory() as folder:
        async with run_mosquitto(Path(folder)) as broker:
            await asyncio.to_thread(leave_session, "5", broker.port)
            await asyncio.to_thread(fill, broker.port, messages)
            alone = await asyncio.to_thread(receive_by_paho, "5", broker.port, messages)
        async with run_mosquitto(Path(folder)) as broker:
            idle = asyncio.create_task(build_adapter("5", broker.port).run(_Nowhere()))
            await asyncio.sleep(1)
            idle.cancel()
            await asyncio.gather(idle, return_exceptions=True)
            await asyncio.to_thread(fill, broker.port, messages)
            ours = await store(url, broker.port, messages)
    sys.stdout.write(
        f"paho alone {messages / alone[0]:,.0f}/s ({alone[1]:.2f} s CPU); stored and acknowledged"
        f" {messages / ours[0]:,.0f}/s ({ours[1]:.2f} s CPU); ratio {alone[0] / ours[0]:.2f}\n"
    )
    return messages / alone[0], messages / ours[0]


class _Nowhere:
    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        """Take nothing: only the session is wanted."""


def start_timescaledb() -> str:
    """Start it, or find it running; return its address."""
    command = ["deploy/timescaledb.sh", "start"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def run(messages: int, rounds: int) -> None:
    """Some rounds and their medians."""
    url = await asyncio.to_thread(start_timescaledb)
    results = [await one_round(url, messages) for _ in range(rounds)]
    alone = statistics.median(r[0] for r in results)
    ours = statistics.median(r[1] for r in results)
    sys.stdout.write(
        f"median of {rounds}: {ours:,.0f} messages/s stored (goal 10,000), "
        f"{ours / alone:.2f} of paho alone ({alone:,.0f}/s)\n"
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    uvloop.run(run(*(numbers + [50_000, 3][len(numbers) :])))
