"""How long the administration waits: a million lines of the audit log, health, attention.

In 500 areas with 70,000 devices, for one who administers the county and for one who administers a
township, straight at the store: what HTTP adds is in :mod:`tests.benchmarks.console_lists`. Prints
a table, judges nothing:

    python -m tests.benchmarks.console_admin [runs of each question, 40]
"""

import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import uvloop

from hub.domain.access import Scope
from hub.store import attention, audit, system_health
from hub.store.audit import AuditFilter
from hub.store.database import Database, Transaction
from tests.benchmarks.console_county import build_county
from tests.benchmarks.measured_hub import fresh_database

BUDGET_MS = 100
DATABASE = "bench_admin"
COUNTY = Scope(paths=("330402",), actor="benchmark")
TOWN = Scope(paths=("330402.330402007",), actor="benchmark")
DAY = timedelta(days=1)

Question = Callable[[Transaction], Awaitable[object]]

# Everybody does everything everywhere, but for one of them.
_LINES = """
INSERT INTO audit (at, actor, user_id, source, action, object_type, object_id, area_id, detail)
SELECT now() - (1000000 - i) * interval '20 s',
  CASE WHEN i % 50000 = 0 THEN '王五' ELSE (ARRAY['zhang','li','张三'])[i % 3 + 1] || i % 30 END,
  i % 30, '10.1.' || i % 200 || '.7',
  (ARRAY['device.edited','alert.acknowledged','session.begun','session.refused','rule.changed',
         'grant.added','stop.judged','live.began'])[i % 8 + 1],
  (ARRAY['device','alert','session','session','rule','user','patrol_round','device'])[i % 8 + 1],
  (i::bigint * 7919 % 70000)::text,
  CASE WHEN i % 8 IN (2, 3) THEN NULL
       ELSE (SELECT min(id) FROM areas) + (i::bigint * 7907 % 500) END,
  jsonb_build_object('name', 'camera ' || (i::bigint * 31 % 70000), 'note', md5(i::text))
FROM generate_series(1, 1000000) i
"""


def questions(scope: Scope, now: datetime) -> Iterator[tuple[str, Question]]:
    """Each with its name."""
    asked = {
        "newest": AuditFilter(),
        "one person": AuditFilter(actor="zhang3"),
        "one person, few lines": AuditFilter(actor="王五"),
        "nobody": AuditFilter(actor="nobody"),
        "one deed": AuditFilter(action="grant.added"),
        "deeds about rules": AuditFilter(action="rule"),
        "one person's deeds about rules": AuditFilter(actor="li4", action="rule"),
        "one device": AuditFilter(object_type="device", object_id="7919"),
        "one area": AuditFilter(area_id=30),
        "one day": AuditFilter(since=now - 100 * DAY, until=now - 99 * DAY),
        "search, everywhere": AuditFilter(text="camera"),
        "search, rare": AuditFilter(text="camera 31415"),
        "search, nothing": AuditFilter(text="qqqqqq"),
        "search, 2 characters": AuditFilter(text="张三"),
        "search, 2 characters, nothing": AuditFilter(text="鬼怪"),
        "search in an area": AuditFilter(area_id=30, text="camera 12"),
    }
    for name, wanted in asked.items():

        async def listed(tx: Transaction, wanted: AuditFilter = wanted) -> object:
            return await audit.list_entries(tx, scope, wanted)

        yield f"audit: {name}", listed
    yield "audit: names of the filters", lambda tx: audit.list_names(tx, scope)
    yield "attention: devices", lambda tx: attention.device_notices(tx, scope, now)
    yield "attention: plans", lambda tx: attention.plan_notices(tx, scope, now)
    yield "attention: people", lambda tx: attention.people_notices(tx, scope, now)
    yield "attention: rules", lambda tx: attention.lonely_rules(tx, scope)
    yield "system: database", lambda tx: system_health.database_figures(tx, scope)
    yield "system: due work", lambda tx: system_health.task_queues(tx, scope, DAY)
    yield "system: readers of events", lambda tx: system_health.reader_lags(tx, scope)


async def measure(database: Database, question: Question, runs: int) -> list[float]:
    """Milliseconds of each run, sorted."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        async with database.transaction() as tx:
            await question(tx)
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


async def run(runs: int) -> None:
    """Fill a database, ask, print."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        await build_county(database)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_LINES.encode())
            connection.execute(b"VACUUM ANALYZE audit")
        sys.stdout.write(f"{'':45} {'median':>8} {'p95':>8} {'worst':>8} ms\n")
        slow = []
        for name, scope in (("county", COUNTY), ("township", TOWN)):
            for what, question in questions(scope, datetime.now(UTC)):
                times = await measure(database, question, runs)
                p95 = times[int(len(times) * 0.95)]
                label = f"{name}, {what}"
                slow += [label] if p95 > BUDGET_MS else []
                median = statistics.median(times)
                sys.stdout.write(f"{label:45} {median:8.1f} {p95:8.1f} {times[-1]:8.1f}\n")
        await database.close()
    sys.stdout.write(f"\nbeyond {BUDGET_MS} ms: {', '.join(slow) or 'none'}\n")


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
