"""How fast people are told: notifications made, messages posted, and the delay of a lone alert.

On TimescaleDB, with real jobs and a way out that takes everything at once. Prints figures,
judges nothing:

    python -m tests.benchmarks.outbox [alerts] [receivers]
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import uvloop

from alerts.telling.delivery import Delivery
from hub.domain.alerts import Rule, Step
from hub.domain.notifications import Message, Receiver, ReceiverKind
from hub.runtime.jobs import Jobs
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.vault import Vault
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.db.alerts_site import running
from tests.db.posting_site import PostingSite
from tests.fresh_databases import with_database

DATABASE = "bench_outbox"
ALERTS = 10_000
RECEIVERS = 300
BATCH = 200  # alerts of one transaction, as the engine changes them
TOLD_BY_EACH = 5
LONE = 100


class Counter:
    """A way out that notes what it is given, and when."""

    def __init__(self) -> None:
        self.messages = 0
        self.notifications = 0
        self.last: float = 0.0

    async def send(self, message: Message) -> str:
        self.messages += 1
        self.notifications += message.count
        self.last = time.perf_counter()
        return "kept"

    async def reached(self, notifications: int) -> None:
        while self.notifications < notifications:
            await asyncio.sleep(0.001)


def wall_clock() -> datetime:
    return datetime.now(UTC)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def tell_all(site: PostingSite, rule: Rule, alerts: int) -> tuple[float, float]:
    """Tell in batches; return notifications a second, and milliseconds of the median batch."""
    made, took = 0, []
    for _ in range(alerts // BATCH):
        opened = await site.open_alerts(rule, BATCH)
        tellings = await site.note(opened, Step.FIRED)
        began = time.perf_counter()
        made += await site.tell_of(tellings)
        took.append(time.perf_counter() - began)
    return made / sum(took), statistics.median(took) * 1000


async def post_all(site: PostingSite, counter: Counter, waiting: int) -> tuple[float, int]:
    """Let jobs post what waits; return seconds and the number of messages."""
    before = counter.messages
    target = counter.notifications + waiting
    began = time.perf_counter()
    async with running(site.jobs.run()):
        await counter.reached(target)
    return counter.last - began, counter.messages - before


async def lone_delays(site: PostingSite, counter: Counter, rules: Sequence[Rule]) -> list[float]:
    """Seconds from a critical alert, known, to its message, each to another receiver."""
    delays = []
    async with running(site.jobs.run()):
        for number in range(LONE):
            rule = rules[number % len(rules)]
            await asyncio.sleep(0.05)
            target = counter.notifications + 1
            tellings = await site.note(await site.open_alerts(rule), Step.FIRED)
            began = time.perf_counter()
            await site.tell_of(tellings)
            await counter.reached(target)
            delays.append(counter.last - began)
    return delays


async def measure(url: str, folder: Path, alerts: int, receivers: int) -> None:
    database = await Database.open(url, vault=Vault.open(folder / "key"), max_size=12)
    site = await PostingSite(database, wall_clock).build()
    counter = Counter()
    site.delivery = Delivery(database, wall_clock, {ReceiverKind.WEBHOOK: counter})
    site.jobs = Jobs(database, wall_clock)
    site.delivery.register(site.jobs)
    everybody: list[Receiver] = [await site.add_receiver(f"room {n}") for n in range(receivers)]
    shared = await site.add_rule(*everybody[:TOLD_BY_EACH])
    rate, batch_ms = await tell_all(site, shared, alerts)
    say(f"told: {rate:,.0f} notifications/s; {BATCH} alerts to {TOLD_BY_EACH}: {batch_ms:.0f} ms")
    waiting = alerts // BATCH * BATCH * TOLD_BY_EACH
    seconds, messages = await post_all(site, counter, waiting)
    say(f"digests: {waiting:,} notifications in {messages} messages, {seconds:.2f} s")
    own = [await site.add_rule(one) for one in everybody[TOLD_BY_EACH:]]
    for rule in own:
        await site.fire(rule, 3)
    seconds, messages = await post_all(site, counter, 3 * len(own))
    say(f"singles: {messages / seconds:,.0f} messages/s to {len(own)} receivers")
    delays = sorted(await lone_delays(site, counter, own))
    say(
        f"a lone critical alert: median {delays[len(delays) // 2] * 1000:.0f} ms,"
        f" 99 of 100 within {delays[-2] * 1000:.0f} ms after it was known"
    )
    say(f"books: {await site.books()}")
    await database.close()


async def run(alerts: int, receivers: int) -> None:
    """A database of its own, thrown away at the end."""
    server = await asyncio.to_thread(start_timescaledb)
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {DATABASE}")
        url = with_database(server, DATABASE)
        await migrate(url)
        with tempfile.TemporaryDirectory() as folder:
            await measure(url, Path(folder), alerts, receivers)
        await admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    uvloop.run(run(*(numbers + [ALERTS, RECEIVERS][len(numbers) :])))
