"""A round of a village that is over, with its picture, its film and its report."""

import random
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from hub.domain.patrols import PatrolPlan, Verdict
from hub.patrols.files import PictureFolder
from hub.patrols.planning.laying import lay_out
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.pdf import Printer
from hub.patrols.walking.rounds import new_stops
from hub.runtime.files import write_whole
from hub.runtime.jobs import Jobs
from hub.store import (
    patrol_reports,
    patrols,
    round_ends,
    rounds,
    stop_looks,
    stops,
)
from hub.store.database import Database
from tests.web.stage import JPEG, SYSTEM

FILM = b"a film"
WALKED_AT = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


async def walk_round(
    database: Database, area_id: int, name: str, data_dir: Path
) -> tuple[int, int]:
    """A finished round of a plan, with a picture and a report."""
    folder = PictureFolder(data_dir)
    async with database.transaction() as tx:
        plan = await patrols.add_plan(
            tx,
            SYSTEM,
            PatrolPlan(
                name=name,
                area_id=area_id,
                rrule="FREQ=DAILY",
                time_zone="Asia/Shanghai",
                starts_on=date(2026, 1, 1),
            ),
            now=WALKED_AT,
        )
        number = await rounds.add_round(tx, SYSTEM, plan, WALKED_AT)
        assert number is not None
        walk = await rounds.get_round(tx, SYSTEM, number)
        laid = await lay_out(tx, SYSTEM, walk, plan, rng=random.Random(1))
        await stops.add_stops(tx, SYSTEM, number, new_stops(laid, WALKED_AT), group_size=30)
        await rounds.begin_round(tx, SYSTEM, walk, WALKED_AT)
        await folder.keep_picture(number, 1, JPEG)
        await folder.keep_clip(number, 1, FILM)
        await folder.keep_report(number, f"<!doctype html><title>{name}</title>")
        found = stops.StopResult(
            round_id=number,
            position=1,
            verdict=Verdict.SEEN,
            reason="",
            at=WALKED_AT,
            has_picture=True,
            picture_sha256=sha256(JPEG).hexdigest(),
            clip_sha256=sha256(FILM).hexdigest(),
        )
        assert await stop_looks.settle_stop(tx, SYSTEM, found)
        at = WALKED_AT + timedelta(minutes=1)
        await round_ends.finish_round(tx, SYSTEM, number, now=at)
        await patrol_reports.mark_round_reported(tx, SYSTEM, number)
    return plan.id, number


async def report_round(database: Database, walk: int, data_dir: Path) -> int:
    """The report of a round, on paper already: that takes longer than all other routes."""

    def clock() -> datetime:
        return WALKED_AT

    papers = Papers.of(database, data_dir, Printer())
    maker = Maker(
        database=database, jobs=Jobs(database, clock), papers=papers, clock=clock, zone=UTC
    )
    report = await maker.make_round(SYSTEM, walk)
    write_whole(papers.path(report, "pdf"), b"%PDF-1.7")
    return report.id
