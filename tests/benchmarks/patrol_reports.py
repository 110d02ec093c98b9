"""What reports of patrols cost: a round of 1,800 stops as HTML, PDF and XLSX, and a month of them.

The round has a picture of its own of 1280 x 720 for every stop; about one stop in twelve is
abnormal. The month is 30 nights of 1,800 stops, 300 duty rooms and 40 tasks a night on
TimescaleDB. Prints times, sizes and memory, judges nothing:

    python -m tests.benchmarks.patrol_reports [stops]
"""

import asyncio
import random
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import psycopg
import uvloop

from hub.domain.patrol_reports import Period
from hub.domain.patrols import Result
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.figures import build_figures
from hub.patrols.reporting.gathering import gather, span_of, work_out
from hub.patrols.reporting.lines import OF_PERIOD, ON_PAPER
from hub.patrols.reporting.pages import build_period_page, build_round_page
from hub.patrols.reporting.papers import MOST_FINDINGS
from hub.patrols.reporting.pdf import Printer
from hub.patrols.reporting.ranking import RankingOptions
from hub.patrols.reporting.workbook import build_workbook
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.patrol_figures import AreaFact
from tests.benchmarks import patrol_papers as papers
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.db.report_scene import HUB, MIDNIGHT, NOON, Scene
from tests.fresh_databases import with_database

T = TypeVar("T")

DATABASE = "bench_patrol_reports"
NIGHTS = 30
TOWNS, VILLAGES, PER_VILLAGE = 15, 300, 6
TASKS_A_NIGHT = 40
MIB = 1024**2


def say(what: str, took: float, more: str = "") -> None:
    """One line of a result."""
    sys.stdout.write(f"{what}: {took:.2f} s{', ' + more if more else ''}\n")


async def timed(work: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    """What some work gave, and how long it took."""
    began = time.perf_counter()
    found = await work()
    return found, time.perf_counter() - began


def memory_of_children() -> str:
    """The most that any process so far held which this one started and that has ended."""
    return f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB at the most"


async def measure_round(count: int, data_dir: Path) -> None:
    """A round in every form."""
    folder, walk, stops = PictureFolder(data_dir), papers.make_walk(count), papers.make_stops(count)
    kept = await papers.keep_pictures(stops, folder)
    wrong = [stop for stop in stops if stop.result is not Result.NORMAL]
    sys.stdout.write(
        f"a round of {count:,} stops, {len(wrong)} not normal, {kept / MIB:.0f} MiB of pictures\n"
    )
    began = time.perf_counter()
    figures = papers.count_figures(walk, stops)
    say("  figures", time.perf_counter() - began)
    html, took = await timed(lambda: build_round_page(walk, stops, figures, folder))
    say("  HTML with every picture", took, f"{len(html) / MIB:.1f} MiB, {memory_of_children()}")
    paper, took = await timed(
        lambda: build_round_page(walk, stops, figures, folder, limits=ON_PAPER)
    )
    say("  page for paper", took, f"{len(paper) / MIB:.1f} MiB")
    pdf, took = await timed(lambda: Printer().print_page(paper))
    say("  PDF of it", took, f"{len(pdf) / MIB:.1f} MiB, {memory_of_children()}")
    night = replace(figures, period=Period.NIGHT)
    page, took = await timed(lambda: build_period_page(night, wrong[: OF_PERIOD.abnormal], folder))
    say("  HTML of the night", took, f"{len(page) / MIB:.1f} MiB")
    pdf, took = await timed(lambda: Printer().print_page(page))
    say("  PDF of it", took, f"{len(pdf) / MIB:.1f} MiB, {memory_of_children()}")
    began = time.perf_counter()
    book = build_workbook(figures, stops)
    say("  XLSX", time.perf_counter() - began, f"{len(book) / MIB:.1f} MiB")


async def fill_month(scene: Scene) -> None:
    """30 nights of the county."""
    rng = random.Random(1)
    for back in range(NIGHTS):
        at = MIDNIGHT + timedelta(days=back - 19)  # from 1 November on
        round_id = await scene.walk(at)
        await scene.add_stops(round_id, at, rng)
        await scene.call_rooms(round_id, at, rng)
        await scene.add_tasks(at - timedelta(hours=12), rng, count=TASKS_A_NIGHT)


async def measure_month(scene: Scene) -> None:
    """Nights, weeks and months of the county, counted from the database."""
    began = time.perf_counter()
    await fill_month(scene)
    stops = await scene.count("SELECT count(*) FROM patrol_stops")
    await scene.count("SELECT 1 FROM areas LIMIT 1")
    say(f"a month of {NIGHTS} nights with {stops:,} stops is built", time.perf_counter() - began)
    scene.now = NOON + timedelta(days=20)
    county = AreaFact(id=scene.county, name="某县", path="c", has_cameras=False)
    for period in (Period.NIGHT, Period.WEEK, Period.MONTH):
        new = scene.maker.name_period(period, scene.county, NOON.date())
        span = span_of(new, "c", new.ends_at)
        began = time.perf_counter()
        async with scene.database.transaction() as tx:
            facts = await gather(tx, HUB, span)
        read = time.perf_counter() - began
        figures = work_out(new, county, facts, span, RankingOptions())
        counted = time.perf_counter() - began - read
        size = len(str(build_figures(figures)))
        more = f"counting {counted:.2f} s, {figures.stops.planned:,} stops, {size / 1024:.0f} KiB"
        say(f"  {period.value}: reading", read, more)
        report, took = await timed(
            partial(scene.maker.make_period, HUB, period, scene.county, NOON.date())
        )
        say(f"  {period.value}: made and kept", took)
        _, took = await timed(partial(scene.papers.keep_page, report))
        say(f"  {period.value}: its page, {MOST_FINDINGS} findings at the most", took)
        book, took = await timed(partial(scene.papers.workbook, report))
        say(f"  {period.value}: XLSX", took, f"{len(book) / MIB:.1f} MiB")


async def run(count: int) -> None:
    """The round, then the month on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        await measure_round(count, Path(folder))
        server = await asyncio.to_thread(start_timescaledb)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        url = with_database(server, DATABASE)
        await migrate(url)
        database = await Database.open(url)
        scene = Scene(database=database, data_dir=Path(folder), per_village=PER_VILLAGE)
        await measure_month(await scene.build(towns=TOWNS, villages=VILLAGES))
        await database.close()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 1800))
