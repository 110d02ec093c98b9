"""What planning a patrol takes: order, draw, forecast and layout over a county of 70,000 devices.

Thirty nights of two cameras of each village lie behind the plan. Prints a table, judges nothing:

    python -m tests.benchmarks.patrol_planning
"""

import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import uvloop

from hub.domain.access import system_scope
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, PatrolPlan, StopOrder
from hub.patrols.planning import saving
from hub.patrols.planning.calendar_feed import build_feed
from hub.patrols.planning.laying import lay_out
from hub.patrols.planning.ordering import arrange, measure_way
from hub.patrols.planning.sampling import Promise, draw, foreseeable_share
from hub.store import patrols, rounds
from hub.store.database import Database, Transaction
from hub.store.patrol_candidates import Candidate
from hub.store.patrols import PlacedPlan
from tests.benchmarks.console_county import build_county
from tests.benchmarks.measured_hub import fresh_database

DATABASE = "bench_planning"
HUB = system_scope("benchmark")
NIGHTS = 30
PLAN = PatrolPlan(
    name="零点夜查",
    area_id=1,
    rrule="FREQ=DAILY",
    time_zone="Asia/Shanghai",
    starts_on=date(2026, 1, 1),
    mode=PatrolMode.SAMPLED,
    details=PlanDetails(per_area=2, within_rounds=120),
)
_NIGHT = """
INSERT INTO patrol_stops (round_id, position, device_id, device_name, area_id, area_name, verdict,
                          looked_s, at)
SELECT %(round)s, row_number() OVER (), n.id, n.name, n.area_id, '', 'seen', 3, %(at)s
FROM (SELECT d.*, row_number() OVER (PARTITION BY d.area_id ORDER BY md5(%(seed)s || d.id)) AS turn
      FROM devices d WHERE d.kind = 'camera' AND d.registration = 'approved') n WHERE n.turn <= 2
"""


def scatter(count: int) -> list[Candidate]:
    """Cameras all over half a degree, six to a village."""
    rng = random.Random(count)  # places of a benchmark
    return [
        Candidate(
            device_id=number,
            name=f"c{number}",
            area_id=number // 6,
            area_name=f"v{number // 6}",
            area_path=f"county.v{number // 6:06d}",
            longitude=120 + rng.random() / 2,
            latitude=30 + rng.random() / 2,
        )
        for number in range(count)
    ]


def show(what: str, began: tuple[float, float], note: str = "") -> None:
    """Print a line of the table: by the wall, and our own processor time."""
    wall, work = time.perf_counter() - began[0], time.process_time() - began[1]
    sys.stdout.write(f"{what:44} {wall:8.3f} s {work:8.3f} s  {note}\n")
    sys.stdout.flush()


def start() -> tuple[float, float]:
    """The clocks now."""
    return time.perf_counter(), time.process_time()


def measure_pure() -> None:
    """What needs no database."""
    rng = random.SystemRandom()
    for count in (300, 1800, 2000, 3000, 20_000):
        found = scatter(count)
        by_area = measure_way(arrange(found, StopOrder.BY_AREA, None, rng))
        began = start()
        way = measure_way(arrange(found, StopOrder.SHORTEST, None, rng))
        note = f"{way / 1000:,.0f} km, by area {by_area / 1000:,.0f} km"
        show(f"shortest way over {count:,} stops", began, note)
    found = scatter(70_000)
    began = start()
    drawn = draw(found, {}, Promise(per_area=2, within_rounds=12), rng)
    show("draw among 70,000 cameras", began, f"{len(drawn):,} drawn")
    for per_area, within in ((2, 3), (2, 5), (2, 10), (1, 10), (1, 30)):
        began = start()
        share = foreseeable_share(6, Promise(per_area=per_area, within_rounds=within))
        show(f"6 cameras, {per_area} a night within {within}", began, f"{share:.0%} foreseeable")
    plans = [PlacedPlan(plan=PLAN, area_name="v")] * 160
    began = start()
    feed = build_feed(plans, now=datetime(2026, 11, 22, tzinfo=UTC), days=31)
    show("calendar of 160 plans over a month", began, f"{len(feed):,} bytes")


async def measure_stored(database: Database) -> None:
    """What asks the database."""
    county = await build_county(database)
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        plan = await patrols.add_plan(tx, HUB, replace(PLAN, area_id=county.root), now=now)
        for night in range(NIGHTS):
            await _walk(tx, plan, now - timedelta(days=NIGHTS - night))
        await tx.execute("ANALYZE patrol_rounds")
        await tx.execute("ANALYZE patrol_stops")
    whole = replace(PLAN, area_id=county.root, mode=PatrolMode.MACHINE, details=PlanDetails())

    async def foretell(tx: Transaction) -> str:
        thought = await saving.foretell(tx, HUB, whole, now=now)
        return f"{thought.stops:,} stops, {thought.takes_s:,.0f} s"

    async def foretell_draw(tx: Transaction) -> str:
        thought = await saving.foretell_stored(tx, HUB, plan.id, now=now)
        return f"{thought.stops:,} stops, from {thought.measured_rounds} rounds"

    async def lay(tx: Transaction) -> str:
        number = await rounds.add_round(tx, HUB, plan, now)
        walk = await rounds.get_round(tx, HUB, number or 0)
        return f"{len(await lay_out(tx, HUB, walk, plan, rng=random.SystemRandom())):,} stops"

    works: dict[str, Callable[[Transaction], Awaitable[str]]] = {
        "forecast, the whole county": foretell,
        "forecast, a draw of every village": foretell_draw,
        "layout of a draw, 30 nights behind it": lay,
    }
    for name, work in works.items():
        async with database.transaction() as tx:
            began = start()
            note = await work(tx)
            show(name, began, note)


async def _walk(tx: Transaction, plan: PatrolPlan, at: datetime) -> None:
    number = await rounds.add_round(tx, HUB, plan, at)
    await tx.execute(_NIGHT, {"round": number, "seed": str(number), "at": at})
    await tx.execute(
        "UPDATE patrol_rounds SET state = 'finished', started_at = %(at)s,"
        " finished_at = %(at)s + interval '20 minutes' WHERE id = %(id)s",
        {"id": number, "at": at},
    )


@asynccontextmanager
async def open_database() -> AsyncIterator[Database]:
    """A database of its own, gone afterwards."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        try:
            yield database
        finally:
            await database.close()


async def run() -> None:
    """Measure all of it."""
    measure_pure()
    async with open_database() as database:
        await measure_stored(database)


if __name__ == "__main__":
    uvloop.run(run())
