"""Reports as pages: one HTML file with everything in it, to read, print and keep.

What is wrong comes first. Names come from users and devices and are shown as text only: the
templates escape everything, and a page forbids itself scripts and every outside address.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.domain.patrol_reports import KeptReport
from hub.domain.patrols import PatrolRound, PatrolStop, RoundState
from hub.patrols.files import PictureFolder
from hub.patrols.reporting import words
from hub.patrols.reporting.figures import Figures, RoundFigures
from hub.patrols.reporting.lines import (
    OF_PERIOD,
    ON_SCREEN,
    PictureLimits,
    StopLine,
    describe_stop,
    is_wrong,
    shrink_all,
    urgency,
)

ROUND_TEMPLATE: Final = "round.html.j2"
PERIOD_TEMPLATE: Final = "period.html.j2"
MOST_OFF_TIME: Final = 200
MOST_WALKS: Final = 200
MOST_SILENT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed a report, as its page says it."""

    by: str
    at: str
    note: str


async def build_round_page(
    walk: PatrolRound,
    stops: Sequence[PatrolStop],
    figures: Figures,
    folder: PictureFolder,
    *,
    signed: KeptReport | None = None,
    limits: PictureLimits = ON_SCREEN,
) -> str:
    """The page of a round, with as many pictures as ``limits`` leave."""
    zone = find_zone(walk.time_zone)
    lines = await _describe(stops, folder, zone, limits)
    pairs = list(zip(stops, lines, strict=True))
    wrong = sorted((pair for pair in pairs if is_wrong(pair[0])), key=lambda one: urgency(one[0]))
    well = [line for stop, line in pairs if not is_wrong(stop)]
    others = [line for line in well if line.picture]
    off_time = [line for line in lines if line.is_off_time]
    return await _render(
        ROUND_TEMPLATE,
        zone,
        {
            "walk": walk,
            "f": figures,
            "planned_at": words.full_time(walk.planned_at, zone),
            "started_at": words.full_time(walk.started_at, zone),
            "finished_at": words.full_time(walk.finished_at, zone),
            "ends_by": words.clock_time(walk.ends_by, zone) or words.NONE,
            "as_of": words.day_time(figures.as_of, zone),
            "took": figures.walks[0] if figures.walks else _nothing(walk),
            "wrong": [line for _, line in wrong],
            "off_time": off_time[:MOST_OFF_TIME],
            "off_time_count": len(off_time),
            "others": others,
            "others_count": len(well),
            "rest": [line for line in well if not line.picture],
            "is_paper": limits.is_paper,
            "signed": _signature(signed, zone),
        },
    )


async def build_period_page(
    figures: Figures,
    findings: Sequence[PatrolStop],
    folder: PictureFolder,
    *,
    signed: KeptReport | None = None,
) -> str:
    """The page of a night, a week or a month, on screen and on paper."""
    zone = find_zone(figures.time_zone)
    ordered = sorted(findings, key=urgency)
    lines = await _describe(ordered, folder, zone, OF_PERIOD)
    walks = sorted(figures.walks, key=_trouble_first)
    return await _render(
        PERIOD_TEMPLATE,
        zone,
        {
            "f": figures,
            "name": words.PERIOD_NAMES[figures.period],
            "since": words.day_time(figures.since, zone),
            "until": words.day_time(figures.until, zone),
            "as_of": words.day_time(figures.as_of, zone),
            "walks": walks[:MOST_WALKS],
            "walks_left_out": max(0, len(walks) - MOST_WALKS),
            "silent": figures.silent[:MOST_SILENT],
            "lines": lines,
            "findings_count": figures.stops.abnormal
            + figures.stops.not_judged
            + figures.stops.open,
            "signed": _signature(signed, zone),
        },
    )


def find_zone(name: str) -> tzinfo:
    """The zone of a report; one without a name of its own ("UTC+0800") by its offset."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        try:
            offset = datetime.strptime(name.removeprefix("UTC"), "%z").tzinfo
        except ValueError:
            offset = None
        return offset or UTC


async def _describe(
    stops: Sequence[PatrolStop], folder: PictureFolder, zone: tzinfo, limits: PictureLimits
) -> list[StopLine]:
    pictures = await shrink_all(stops, folder, limits)
    return [
        describe_stop(stop, zone, pictures.get((stop.round_id, stop.position))) for stop in stops
    ]


def _trouble_first(one: RoundFigures) -> tuple[bool, datetime]:
    return one.state not in {RoundState.MISSED, RoundState.CANCELLED}, one.planned_at


def _nothing(walk: PatrolRound) -> RoundFigures:
    return RoundFigures(
        id=walk.id,
        plan_name=walk.plan_name,
        area_name=walk.area_name,
        mode=walk.mode,
        state=walk.state,
        planned_at=walk.planned_at,
    )


def _signature(report: KeptReport | None, zone: tzinfo) -> Signature | None:
    if report is None or report.signed_at is None:
        return None
    return Signature(
        by=report.signed_by,
        at=words.day_time(report.signed_at, zone),
        note=report.sign_note,
    )


async def _render(template: str, zone: tzinfo, context: Mapping[str, object]) -> str:
    def local_time(at: datetime | None) -> str:
        return words.day_time(at, zone)

    page = _TEMPLATES.get_template(template)
    return await asyncio.to_thread(page.render, context, local_time=local_time)


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(
    percent=words.percent,
    share=words.share,
    span=words.span,
    coverage=words.coverage,
    unplaced=words.unplaced,
    kind_name=words.kind_name,
    mode_name=words.MODE_NAMES.__getitem__,
    state_name=words.STATE_NAMES.__getitem__,
    unit_kind=words.UNIT_NAMES.__getitem__,
    answer_name=lambda how: words.ANSWER_NAMES.get(how, how),
)
