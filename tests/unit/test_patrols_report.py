"""The pages and workbooks of reports: what is wrong first, nothing of strangers alive."""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from hub.domain.patrol_reports import KeptReport, Period
from hub.domain.patrols import PatrolRound, PatrolStop, Result, RoundState, SecondLook, Verdict
from hub.patrols.files import PictureFolder
from hub.patrols.reporting import lines, words
from hub.patrols.reporting.figures import Figures, make_rate
from hub.patrols.reporting.pages import build_period_page, build_round_page, find_zone
from hub.patrols.reporting.workbook import build_workbook
from tests.benchmarks import patrol_papers as papers

NASTY = "<img src=x onerror=alert(1)>{{7*7}}\"'&"


class Page(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def pictures(self) -> list[str]:
        return [str(attrs["src"]) for tag, attrs in self.tags if tag == "img"]

    @property
    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _, attrs in self.tags if "id" in attrs]


def walk(**changes: object) -> PatrolRound:
    return replace(papers.make_walk(12), **changes)  # type: ignore[arg-type]  # fields by name


def stop(position: int, **changes: object) -> PatrolStop:
    made = PatrolStop(
        round_id=papers.ROUND,
        position=position,
        device_id=position,
        device_name=f"camera {position}",
        area_name=f"village {position % 2}",
        area_id=10 + position % 2,
        verdict=Verdict.SEEN,
        has_picture=True,
        result=Result.NORMAL,
        judged_by="hub.patrols",
        at=papers.BEGIN,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller knows the fields


def jpeg(width: int = 1920, height: int = 1080) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 80, np.uint8))[1].tobytes()


def figures_of(stops: Sequence[PatrolStop]) -> Figures:
    return papers.count_figures(walk(), stops)


async def page(
    stops: Sequence[PatrolStop],
    folder: PictureFolder,
    limits: lines.PictureLimits = lines.ON_SCREEN,
) -> str:
    return await build_round_page(walk(), stops, figures_of(stops), folder, limits=limits)


async def test_pictures_are_in_the_file_and_small(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    await folder.keep_picture(papers.ROUND, 1, jpeg())
    (source,) = Page(await page([stop(1)], folder)).pictures
    kind, _, text = source.partition(",")
    assert kind == "data:image/jpeg;base64"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[:2] == (270, 480)


async def test_a_small_picture_is_not_blown_up(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    await folder.keep_picture(papers.ROUND, 1, jpeg(320, 240))
    (source,) = Page(await page([stop(1)], folder)).pictures
    data = np.frombuffer(base64.b64decode(source.partition(",")[2]), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[:2] == (240, 320)


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        jpeg()[:300],
        b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + b"\0" * 64,  # 65,535 pixels square
        bytes(range(256)) * 40,
    ],
    ids=["empty", "bare", "cut off", "huge", "garbage"],
)
async def test_a_broken_picture_is_said_and_the_next_one_shown(tmp_path: Path, data: bytes) -> None:
    folder = PictureFolder(tmp_path)
    await folder.keep_picture(papers.ROUND, 1, data)
    await folder.keep_picture(papers.ROUND, 2, jpeg())
    wrong = [stop(n, result=Result.ABNORMAL, reason="grey") for n in (1, 2)]
    html = await page(wrong, folder)
    assert len(Page(html).pictures) == 1
    assert html.count("picture cannot be shown") == 1


@pytest.mark.threat("T7")
async def test_foreign_text_stays_text(tmp_path: Path) -> None:
    bad = stop(
        1,
        device_name=NASTY,
        area_name=NASTY,
        reason=NASTY,
        detail=NASTY,
        note=NASTY,
        remarks=(NASTY,),
        result=Result.ABNORMAL,
        kind=NASTY,
        judged_by=NASTY,
        second_look=SecondLook.DISAGREED,
        second_by=NASTY,
        second_note=NASTY,
    )
    pictured = replace(bad, position=2)
    folder = PictureFolder(tmp_path)
    await folder.keep_picture(papers.ROUND, 2, jpeg(64, 48))
    nasty = walk(plan_name=NASTY, area_name=NASTY, walker_name=NASTY, reason=NASTY)
    figures = papers.count_figures(nasty, [bad, pictured])
    signed = kept(signed_by=NASTY, sign_note=NASTY)
    night = replace(figures, period=Period.NIGHT, unvisited=[NASTY], unvisited_count=1)
    pages = [
        await build_round_page(nasty, [bad, pictured], figures, folder, signed=signed),
        await build_round_page(nasty, [bad, pictured], figures, folder, limits=lines.ON_PAPER),
        await build_period_page(night, [bad, pictured], folder, signed=signed),
    ]
    for html in pages:
        shown = Page(html)
        assert all(source.startswith("data:") for source in shown.pictures)
        assert not [attrs for _, attrs in shown.tags if any(k.startswith("on") for k in attrs)]
        assert {"script", "iframe", "object", "link", "form"}.isdisjoint(t for t, _ in shown.tags)
        assert shown.text.count(NASTY) >= 5
        assert "49" not in re.sub(r"\d\d:49|:49|49:", "", shown.text.replace(NASTY, ""))
        assert "default-src 'none'" in html


async def test_what_is_wrong_comes_first_and_nothing_is_left_out(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    for position in (1, 2, 3, 4):
        await folder.keep_picture(papers.ROUND, position, jpeg(64, 48))
    stops = [
        stop(1),
        stop(2, second_look=SecondLook.DISAGREED, second_by="李队"),
        stop(3, result=Result.ABNORMAL, kind="fire_smoke", note="屋后起火"),
        stop(4),
        stop(5, result=Result.NOT_JUDGED, reason="out of time", has_picture=False),
        stop(6, has_picture=False),
    ]
    html = await page(stops, folder)
    assert Page(html).ids == [f"stop-7-{n}" for n in (3, 2, 5, 1, 4)]
    assert html.index("烟火 Fire or smoke") < html.index("其余画面")
    assert html.index("屋后起火") < html.index("分区统计")
    for one in stops:
        assert html.count(one.device_name) >= 1


async def test_on_paper_pictures_are_bounded_and_every_stop_is_named(tmp_path: Path) -> None:
    bound = replace(lines.ON_PAPER, abnormal=2, others=3)
    folder = PictureFolder(tmp_path)
    stops = [stop(n, result=Result.ABNORMAL if n % 3 == 0 else Result.NORMAL) for n in range(1, 13)]
    for one in stops:
        await folder.keep_picture(papers.ROUND, one.position, jpeg(640, 360))
    html = await page(stops, folder, bound)
    assert len(Page(html).pictures) == 5
    assert "cannot be shown" not in html
    for one in stops:
        assert re.search(rf"\b{one.device_name}\b", html)


async def test_rates_are_never_rounded_up_and_the_unknown_is_said(tmp_path: Path) -> None:
    stops = [stop(n, has_picture=n > 1) for n in range(1, 1801)]
    folder = PictureFolder(tmp_path)
    stops[0] = replace(stops[0], verdict=Verdict.PENDING, result=Result.NOT_JUDGED)
    figures = figures_of(stops)
    assert words.percent(figures.stops.completion) == "99.9 %"
    html = await build_round_page(walk(), stops[:3], figures, folder)
    assert "Without a picture of this night: 1 of 1800" in html
    assert words.percent(make_rate(0, 0)) == "-"
    assert words.share(0.99999) == "99.9 %"


async def test_a_round_without_any_stop_is_nothing_to_be_glad_of(tmp_path: Path) -> None:
    html = await page([], PictureFolder(tmp_path))
    assert "nothing was looked at" in html
    assert "nothing abnormal" not in html


async def test_a_night_tells_missed_rounds_and_what_is_not_known(tmp_path: Path) -> None:
    figures = figures_of([stop(1)])
    missed = replace(
        figures.walks[0], id=9, state=RoundState.MISSED, reason="no worker was running"
    )
    night = replace(
        figures,
        period=Period.NIGHT,
        walks=[figures.walks[0], missed],
        rounds=replace(figures.rounds, planned=2, missed=1, unknown=1),
        unvisited=["丙村"],
        unvisited_count=1,
        until=figures.as_of + timedelta(hours=5),
    )
    html = await build_period_page(night, [], PictureFolder(tmp_path))
    assert "Rounds missed: 1" in html
    assert "Rounds that tell nothing: 1 of 2" in html
    assert html.index("no worker was running") < html.index("完成 finished")
    assert "not over" in html
    assert "丙村" in html


def kept(**changes: object) -> KeptReport:
    made = KeptReport(
        id=1,
        period=Period.ROUND,
        area_id=1,
        area_path="a1",
        area_name="南湖区",
        round_id=7,
        starts_at=papers.BEGIN,
        ends_at=papers.BEGIN,
        time_zone="Asia/Shanghai",
        formula=1,
        made_at=papers.BEGIN,
        signed_by="赵主任",
        signed_at=datetime(2026, 11, 22, 0, 5, tzinfo=UTC),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller knows the fields


async def test_a_signed_page_says_by_whom_and_when(tmp_path: Path) -> None:
    stops = [stop(1)]
    html = await build_round_page(
        walk(), stops, figures_of(stops), PictureFolder(tmp_path), signed=kept()
    )
    assert "赵主任" in html
    assert "2026-11-22 08:05" in html


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"),
        (0, "0 s"),
        (59.6, "1 min 00 s"),
        (3725, "1 h 02 min"),
        (90000, "1 d 1 h"),
        (-75, "−1 min 15 s"),  # noqa: RUF001 - a minus
    ],
)
def test_spans_are_said_for_people(seconds: float | None, said: str) -> None:
    assert words.span(seconds) == said


def test_a_zone_is_found_by_its_name_or_offset() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    assert at.astimezone(find_zone("UTC+0800")).hour == 8
    assert at.astimezone(find_zone("Asia/Shanghai")).hour == 8
    assert find_zone("../etc/passwd") == UTC


def read(data: bytes) -> Mapping[str, Sequence[Sequence[object]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_workbook_holds_every_stop_and_the_same_figures() -> None:
    stops = papers.make_stops(60)
    figures = figures_of(stops)
    sheets = read(build_workbook(figures, stops))
    assert len(sheets["点位 Stops"]) == 61
    summary = {row[0]: row[1:] for row in sheets["总览 Summary"]}
    rate = figures.stops.completion
    assert summary["完成率 completion"][:3] == [rate.value, rate.part, rate.whole]
    assert summary["异常 abnormal"][0] == figures.stops.abnormal
    planned = [row[3] for row in sheets["区域 Areas"][1:]]
    assert sum(float(str(n)) for n in planned) == 60


@pytest.mark.threat("T34")
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝"])  # noqa: RUF001 - a wide one
def test_no_cell_of_a_workbook_is_a_formula(start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    bad = stop(1, device_name=text, note=text, area_name=text, remarks=(text,), judged_by=text)
    figures = papers.count_figures(walk(plan_name=text, walker_name=text), [bad])
    book = build_workbook(figures, [bad])
    texts = [cell for rows in read(book).values() for row in rows for cell in row]
    assert not [one for one in texts if isinstance(one, str) and one.startswith(start)]
    assert sum(str(one) == f"'{text}" for one in texts) >= 5
