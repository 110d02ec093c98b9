"""The report of a round that was really walked: it says what the round says, and is proven."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.domain.access import Scope
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.figures import parse_figures
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.pdf import Printer
from hub.patrols.reporting.reports import JOB, Reporter, ReportOptions
from hub.runtime.jobs import Job, Jobs
from hub.store import patrol_reports, rounds
from hub.store.database import Database
from tests.db.patrol_world import HUB, NOW, World, settle


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    made = World(
        database=database, jobs=Jobs(database, lambda: NOW), folder=PictureFolder(tmp_path)
    )
    await settle(made)
    return made


async def test_a_walked_round_is_reported_signed_and_proven(world: World, tmp_path: Path) -> None:
    world.dead = {world.cameras[0], world.cameras[3]}
    round_id = await world.run_now(await world.create())
    await world.walk_to_end(round_id)
    maker = Maker(
        database=world.database,
        jobs=world.jobs,
        papers=Papers.of(world.database, tmp_path, Printer()),
        clock=world.clock,
        zone=ZoneInfo("Asia/Shanghai"),
    )
    reporter = Reporter(maker=maker, options=ReportOptions(has_pdf=False))
    async with world.database.transaction() as tx:
        waiting = await tx.tuples(
            "SELECT args FROM procrastinate_jobs WHERE task_name = %(name)s", {"name": JOB}
        )
    assert waiting == [({"round": round_id},)]
    await reporter.report_round(Job(id=1, args={"round": round_id}, attempt=1))
    async with world.database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
        wanted = patrol_reports.ReportFilter(round_id=round_id)
        (line,) = (await patrol_reports.list_reports(tx, HUB, wanted)).items
        report = await patrol_reports.get_report(tx, HUB, line.id)
    figures = parse_figures(report.figures or {})
    assert walk.has_report
    assert (figures.stops.planned, figures.stops.seen) == (walk.stops_planned, walk.stops_seen)
    assert (figures.stops.normal, figures.stops.abnormal) == (4, 2)
    assert figures.stops.kinds == {"camera_down": 2}
    assert [(one.name, one.stops.planned) for one in figures.areas] == [
        ("安平村", 3),
        ("北沟村", 3),
    ]
    page = world.folder.report_path(round_id).read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 4
    boss = Scope(paths=("c",), actor="zhao")
    await maker.sign(boss, report.id, made_at=report.made_at, note="")
    proof = await world.proof()
    assert (proof.rounds, proof.faults) == (1, ())
