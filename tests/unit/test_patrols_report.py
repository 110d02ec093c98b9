"""The report of a round."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from hub.domain.patrols import PatrolRound, PatrolStop, RoundState, Verdict
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.round_report import (
    build_report,
    count_areas,
    count_reasons,
    format_completion,
)

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
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


def walk(**changes: object) -> PatrolRound:
    made = PatrolRound(
        id=7,
        plan_id=1,
        plan_name="零点夜查",
        area_id=1,
        area_path="c",
        area_name="某县",
        time_zone="Asia/Shanghai",
        window_s=600,
        seconds_per_stop=5,
        planned_at=NOW,
        state=RoundState.RUNNING,
        started_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller knows the fields


def stop(position: int, **changes: object) -> PatrolStop:
    made = PatrolStop(
        round_id=7,
        position=position,
        device_id=position,
        device_name=f"camera {position}",
        area_name="a" if position < 3 else "b",
        verdict=Verdict.SEEN,
        at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller knows the fields


def jpeg(width: int = 1920, height: int = 1080) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 80, np.uint8))[1].tobytes()


async def test_pictures_are_in_the_file_and_small(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    await folder.keep_picture(7, 1, jpeg())
    page = Page(await build_report(walk(), [stop(1, has_picture=True)], folder, now=NOW))
    [source] = [attrs["src"] or "" for tag, attrs in page.tags if tag == "img"]
    kind, _, encoded = source.partition(",")
    assert kind == "data:image/jpeg;base64"
    made = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), 1)
    assert made is not None
    assert made.shape == (270, 480, 3)


async def test_a_small_picture_is_not_blown_up(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    await folder.keep_picture(7, 1, jpeg(320, 240))
    html = await build_report(walk(), [stop(1, has_picture=True)], folder, now=NOW)
    encoded = html.partition("data:image/jpeg;base64,")[2].partition('"')[0]
    made = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), 1)
    assert made is not None
    assert made.shape[:2] == (240, 320)


@pytest.mark.threat("T7")
async def test_names_from_devices_and_users_are_inert(tmp_path: Path) -> None:
    stops = [
        stop(1, device_name=NASTY, area_name=NASTY, detail=NASTY, reason=NASTY),
        stop(2, device_name=NASTY, verdict=Verdict.NOT_SEEN, reason=NASTY, detail=NASTY),
    ]
    html = await build_report(
        walk(plan_name=NASTY, area_name=NASTY), stops, PictureFolder(tmp_path), now=NOW
    )
    page = Page(html)
    assert not [tag for tag, _ in page.tags if tag in {"img", "script", "iframe", "object"}]
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert page.text.count(NASTY) >= 10
    assert "default-src 'none'" in html


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
    await folder.keep_picture(7, 1, data)
    await folder.keep_picture(7, 2, jpeg())
    stops = [stop(1, has_picture=True), stop(2, has_picture=True)]
    html = await build_report(walk(), stops, folder, now=NOW)
    assert html.count("data:image/jpeg;base64,") == 1
    assert html.count("picture cannot be shown") == 2  # in the table and below its place


async def test_a_round_without_cameras_says_so(tmp_path: Path) -> None:
    html = await build_report(walk(), [], PictureFolder(tmp_path), now=NOW)
    assert "nothing was looked at" in html


async def test_times_are_in_the_zone_of_the_plan(tmp_path: Path) -> None:
    page = Page(await build_report(walk(), [stop(1)], PictureFolder(tmp_path), now=NOW))
    assert "2026-11-23 00:00:00" in page.text
    assert "2026-11-22" not in page.text


def test_figures_per_area_and_reason() -> None:
    stops = [
        stop(1),
        stop(2, verdict=Verdict.NOT_SEEN, reason="away", layer="network"),
        stop(3, verdict=Verdict.NOT_SEEN, reason="locked", layer="credentials"),
        stop(4, verdict=Verdict.NOT_SEEN, reason="locked", layer="credentials"),
    ]
    figures = [(a.name, a.planned, a.seen, a.not_seen, a.completion) for a in count_areas(stops)]
    assert figures == [("a", 2, 1, 1, "50 %"), ("b", 2, 0, 2, "0 %")]
    assert [(reason, n) for _, reason, n in count_reasons(stops)] == [("locked", 2), ("away", 1)]


def test_completion_never_rounds_up_to_all() -> None:
    assert format_completion(69_918, 69_919) == "99.9 %"
    assert format_completion(5, 5) == "100 %"
    assert format_completion(0, 0) == "-"
