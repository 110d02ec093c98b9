"""Reports on a real database: they add up, repeat themselves, and are signed for good."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.notes import Note
from hub.domain.patrol_reports import KeptReport, Period
from hub.patrols.reporting.figures import Figures, parse_figures
from hub.patrols.reporting.sending import SEND, ReportSender
from hub.runtime.files import NotKept
from hub.runtime.jobs import Job
from hub.store import patrol_evidence, patrol_reports
from hub.store.database import Database
from hub.store.patrol_reports import ReportFilter, digest_figures
from tests.db.report_scene import HUB, MIDNIGHT, NOON, SHANGHAI, Scene

DAY = timedelta(days=1)
COUNT = "SELECT count(*) FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id WHERE "


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    """The county."""
    return await Scene(database=database, data_dir=tmp_path).build()


def figures_of(report: KeptReport) -> Figures:
    assert report.figures is not None
    return parse_figures(report.figures)


async def fill(scene: Scene) -> int:
    """Three nights of the county and a round of one town, whose number is returned."""
    rng = random.Random(6)
    for back in range(3):
        at = MIDNIGHT + back * DAY
        round_id = await scene.walk(at)
        await scene.add_stops(round_id, at, rng)
        await scene.call_rooms(round_id, at, rng)
        await scene.add_tasks(NOON + back * DAY, rng)
    town_round = await scene.walk(MIDNIGHT + timedelta(hours=2), area=scene.towns[0])
    await scene.add_stops(town_round, MIDNIGHT, rng, villages=scene.villages[::2])
    await scene.walk(MIDNIGHT + timedelta(hours=3), state="missed")
    scene.now = NOON + 5 * DAY
    return town_round


async def test_reports_add_up_with_the_database_to_the_last_stop(scene: Scene) -> None:
    town_round = await fill(scene)
    nights = [figures_of(await scene.night(back)) for back in range(3)]
    week = figures_of(
        await scene.maker.make_period(HUB, Period.WEEK, scene.county, (NOON + DAY).date())
    )
    round_report = figures_of(await scene.maker.make_round(HUB, town_round))

    stops = week.stops
    assert stops.planned == await scene.count(COUNT + "true") == 42
    seen = "s.verdict = 'seen' AND s.has_picture"
    assert stops.seen == await scene.count(COUNT + seen)
    assert stops.abnormal == await scene.count(COUNT + "s.result = 'abnormal'")
    assert stops.kinds["waste"] == await scene.count(
        COUNT + "s.result = 'abnormal' AND s.kind = 'waste'"
    )
    for timing in ("on_time", "late", "early", "missed", "out_of_order"):
        found = await scene.count(COUNT + "s.timing = %(timing)s", timing=timing)
        assert getattr(stops, timing) == found
    assert round_report.stops.planned == 6
    assert round_report.stops.seen == await scene.count(
        COUNT + seen + " AND r.id = %(id)s", id=town_round
    )
    assert (week.rounds.planned, week.rounds.missed, week.rounds.unknown) == (5, 1, 1)
    asked = "SELECT count(*) FROM room_calls WHERE state <> 'cancelled'"
    assert week.calls.asked == await scene.count(asked)
    in_time = " AND answered_at <= answer_by"
    assert week.calls.answered == await scene.count(asked + in_time)
    assert sum(one.silent + one.late for one in week.silent) == week.calls.asked - (
        week.calls.answered
    )
    assert week.tasks.opened == await scene.count("SELECT count(*) FROM dispatches") == 30
    tasks = "SELECT count(*) FROM dispatches WHERE "
    is_open = "closed_at IS NULL OR closed_at >= %(until)s"
    assert week.tasks.still_open == await scene.count(tasks + is_open, until=week.until)
    (unit,) = week.units
    assert unit.tasks.done == await scene.count(tasks + "done_at < %(until)s", until=week.until)
    # The parts add up to the whole: areas, branches, nights.
    for name in ("planned", "seen", "not_kept", "not_looked", "normal", "abnormal", "late"):
        whole = getattr(stops, name)
        assert sum(getattr(one.stops, name) for one in week.areas) == whole
        assert sum(getattr(one.stops, name) for one in week.branches) == whole
        assert sum(getattr(one.stops, name) for one in nights) == whole
    assert [one.name for one in week.branches] == ["第0镇", "第1镇"]
    for name in ("whole", "part"):
        in_nights = sum(getattr(one.tasks.timely, name) for one in nights)
        assert in_nights == getattr(week.tasks.timely, name) > 0
    # A town is told of the county's rounds as far as they lie in it.
    town = figures_of(await scene.night(area=scene.towns[1]))
    assert (town.stops.planned, town.rounds.planned) == (6, 2)


async def test_the_same_data_give_the_same_report_and_a_new_fact_another(scene: Scene) -> None:
    rng = random.Random(7)
    round_id = await scene.walk(MIDNIGHT)
    await scene.add_stops(round_id, MIDNIGHT, rng)
    scene.now = MIDNIGHT + timedelta(hours=2)
    first = await scene.maker.make_round(HUB, round_id)
    scene.now += timedelta(hours=1)
    again = await scene.maker.make_round(HUB, round_id)
    assert (again.id, again.made_at) == (first.id, first.made_at)
    assert digest_figures(again.figures or {}) == digest_figures(first.figures or {})
    await scene.call_rooms(round_id, MIDNIGHT, rng)
    changed = await scene.maker.make_round(HUB, round_id)
    assert (changed.id, changed.made_at) == (first.id, scene.now)
    (event,) = await scene.events("patrol.report_ready")
    assert (event.data["report"], event.data["planned"]) == (first.id, 12)
    with pytest.raises(Conflict, match="is over"):
        await scene.maker.make_round(HUB, await scene.walk(MIDNIGHT, state="missed"))
    with pytest.raises(Invalid, match="not come yet"):
        await scene.night(9)


@pytest.mark.threat("K10")
async def test_a_full_disk_delays_the_page_and_never_the_figures(scene: Scene) -> None:
    round_id = await scene.walk(MIDNIGHT)
    await scene.add_stops(round_id, MIDNIGHT, random.Random(8))
    job = Job(id=1, args={"round": round_id}, attempt=1)
    blocked = scene.data_dir / "patrols"
    blocked.write_text("no folder can be here")
    with pytest.raises(NotKept):
        await scene.reporter.report_round(job)
    (report,) = await scene.reports()
    assert figures_of(report).stops.planned == 12
    assert (await scene.papers.page(report)).startswith(b"<!doctype html>")
    assert (await scene.papers.pdf(report)).startswith(b"%PDF-")
    has_report = "SELECT count(*) FROM patrol_rounds WHERE has_report"
    assert await scene.count(has_report) == 0
    blocked.unlink()
    await scene.reporter.run_once()  # asks for what is missing
    asked = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'patrols.report'"
    assert await scene.count(asked) == 1
    await scene.reporter.report_round(job)
    assert await scene.count(has_report) == 1
    assert scene.papers.pictures.report_path(round_id).read_bytes().startswith(b"<!doctype html>")
    assert len(await scene.reports(round_id=round_id)) == 1
    assert len([e for e in await scene.events("patrol.report_ready") if "round" in e.data]) == 1


async def test_a_signature_is_final_and_proven(scene: Scene) -> None:
    round_id = await scene.walk(MIDNIGHT)
    await scene.add_stops(round_id, MIDNIGHT, random.Random(9))
    report = await scene.maker.make_round(HUB, round_id)
    boss = Scope(paths=("c",), actor="zhao", user_id=None)
    with pytest.raises(Conflict, match="made anew"):
        await scene.maker.sign(boss, report.id, made_at=NOON, note="")
    stranger = Scope(paths=("c.t0",), actor="qian")
    with pytest.raises(NotFound):
        await scene.maker.sign(stranger, report.id, made_at=report.made_at, note="")
    signed = await scene.maker.sign(boss, report.id, made_at=report.made_at, note="阅")
    assert (signed.signed_by, signed.sign_note) == ("zhao", "阅")
    with pytest.raises(Conflict, match="signed by zhao"):
        await scene.maker.sign(boss, report.id, made_at=report.made_at, note="")
    await scene.call_rooms(round_id, MIDNIGHT, random.Random(9))
    with pytest.raises(Conflict, match="stays as it is"):
        await scene.maker.make_round(HUB, round_id)
    async with scene.database.transaction() as tx:
        (line,) = await patrol_evidence.lines_of(tx, HUB, round_id)
        (seal,) = await patrol_evidence.seals_of(tx, HUB, round_id)
        again = await patrol_reports.get_report(tx, HUB, report.id)
    assert line.what == "report_signed"
    assert digest_figures(again.figures or {}) in line.body
    assert (seal.lines, seal.head) == (1, line.hash)
    log = "SELECT count(*) FROM audit WHERE action = 'patrol_report.signed' AND actor = 'zhao'"
    assert await scene.count(log) == 1
    assert len(await scene.events("patrol.report_signed")) == 1
    with pytest.raises(psycopg.errors.RaiseException):  # not even by hand
        await scene.count("UPDATE patrol_reports SET sign_note = 'x' RETURNING id")
    # A lost page of a signed report is made again.
    await scene.reporter.report_round(Job(id=1, args={"round": round_id}, attempt=1))
    assert "zhao" in scene.papers.pictures.report_path(round_id).read_text()


async def test_nights_weeks_and_months_come_in_the_morning_and_again_at_noon(
    scene: Scene,
) -> None:
    sunday = MIDNIGHT + 2 * DAY  # the night of Sunday, 22 November
    round_id = await scene.walk(sunday, area=scene.towns[0])
    await scene.add_stops(round_id, sunday, random.Random(10))
    scene.now = sunday + timedelta(hours=6, minutes=29)
    await scene.reporter.run_once()
    assert await scene.reports() == []
    scene.now = sunday + timedelta(hours=6, minutes=31)
    await scene.reporter.run_once()
    made = await scene.reports()
    both = {scene.county, scene.towns[0]}
    assert {(one.period, one.area_id) for one in made} == {
        (period, area) for period in (Period.NIGHT, Period.WEEK) for area in both
    }
    scene.now += timedelta(minutes=5)
    await scene.reporter.run_once()
    assert [one.made_at for one in await scene.reports()] == [one.made_at for one in made]
    # A round that ends later, and the end of the night, each make them again.
    late = await scene.walk(sunday + timedelta(hours=5, minutes=45))
    await scene.add_stops(late, sunday, random.Random(11))
    scene.now = sunday + timedelta(hours=7)
    await scene.reporter.run_once()
    county = next(one for one in await scene.reports() if one.area_id == scene.county)
    assert figures_of(county).stops.planned == 24
    signed = await scene.maker.sign(HUB, county.id, made_at=county.made_at, note="")
    scene.now = NOON + 3 * DAY + timedelta(minutes=1)
    await scene.reporter.run_once()
    after = {one.id: one for one in await scene.reports()}
    assert after[county.id].made_at == signed.made_at
    others = [one for one in after.values() if one.id != county.id]
    assert {one.made_at for one in others} == {scene.now}
    assert all(figures_of(one).as_of == figures_of(one).until for one in others)
    await scene.reporter.run_once()
    assert {one.made_at for one in await scene.reports() if one.id != county.id} == {scene.now}
    scene.now = MIDNIGHT + 11 * DAY  # the month is over on 1 December; nights are in their window
    await scene.reporter.run_once()
    assert len([one for one in await scene.reports() if one.period is Period.MONTH]) == 2


@pytest.mark.threat("T1")
async def test_a_report_of_another_area_does_not_exist(scene: Scene) -> None:
    round_id = await scene.walk(MIDNIGHT)
    await scene.add_stops(round_id, MIDNIGHT, random.Random(12))
    county = await scene.night()
    town = await scene.night(area=scene.towns[0])
    mayor = Scope(paths=("c.t0",), actor="sun")
    async with scene.database.transaction() as tx:
        page = await patrol_reports.list_reports(tx, mayor, ReportFilter())
        assert [one.id for one in page.items] == [town.id]
        lines = await patrol_reports.get_lines(tx, mayor, [county.id, town.id])
        assert [(one.id, one.figures) for one in lines] == [(town.id, None)]
        with pytest.raises(NotFound):
            await patrol_reports.get_report(tx, mayor, county.id)
    with pytest.raises(NotFound):
        await scene.night(scope=mayor)
    with pytest.raises(NotFound):
        await scene.maker.make_round(mayor, round_id)
    seen_by_all = figures_of(town)
    by_mayor = figures_of(await scene.night(scope=mayor, area=scene.towns[0]))
    assert replace(by_mayor, as_of=NOON) == replace(seen_by_all, as_of=NOON)
    assert {one.name for one in by_mayor.areas} == {"第0村", "第2村"}
    # Who walks the county is the county's: its own page names him, the town's does not.
    assert "王芳" in (await scene.papers.page(county)).decode()
    assert "王芳" not in (await scene.papers.page(town)).decode()


async def test_word_goes_to_whom_the_plan_names_once(scene: Scene) -> None:
    receiver = await scene.count(
        "INSERT INTO receivers (name, area_id, kind, options) VALUES ('主任', %(area)s, 'webhook',"
        " '{}') RETURNING id",
        area=scene.county,
    )
    round_id = await scene.walk(MIDNIGHT)
    named = f'{{"report_receivers": [{receiver}, 999]}}'
    await scene.count(
        "UPDATE patrol_rounds SET details = %(details)s::jsonb RETURNING id", details=named
    )
    for _ in range(2):
        await scene.maker.make_round(HUB, round_id)
        await scene.night()
    asked = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %(name)s"
    assert await scene.count(asked, name=SEND) == 2  # the round's and the night's
    told: list[tuple[int, Note]] = []

    async def send(receiver_id: int, note: Note) -> None:
        told.append((receiver_id, note))

    sender = ReportSender(
        database=scene.database, send_note=send, zone=SHANGHAI, link_base="https://hub.test"
    )
    night, _ = sorted(await scene.reports(), key=lambda one: one.period)
    await sender.send(Job(id=1, args={"report": night.id, "receiver": receiver}, attempt=1))
    await sender.send(Job(id=1, args={"report": 999, "receiver": receiver}, attempt=1))
    ((to, note),) = told
    assert (to, note.link.reveal()) == (
        receiver,
        f"https://hub.test/api/v1/patrol-reports/{night.id}/page",
    )
    assert note.title == "零点夜查夜报 Night report: 某县 2026-11-20"
    assert "完成率 Completion - (0/0)" in note.text
