"""The figures of a report, as they are kept and published: plain data with their formulas.

Formulas, version 1. A figure says of how many things it speaks and how many of them are unknown;
what is unknown stays in the whole and never in the part: it is never counted as good.

* completion: stops seen with a picture that was kept ÷ stops planned; unknown: never looked at.
* judged: stops judged normal or abnormal, by machine or person ÷ stops planned.
* on time: stops on time ÷ stops planned. Late, early, missed and out of order stand apart, and so
  do stops without a time (a round cancelled in the middle).
* answered: duty rooms that answered within their time ÷ rooms asked (cancelled questions are
  none); answers that came later stand apart; unknown: the time is not over.
* tasks on time: tasks done by their deadline ÷ tasks due. A task falls due once, when it is done
  or when its deadline passes, whichever comes first: it counts in the period of that moment, so
  that a month is the sum of its nights. Cancelled and merged tasks that were not overdue before,
  and tasks without a deadline, are not due; they stand apart.
* response times: from the opening of a task to its acceptance, arrival and completion; of a unit
  from the sending. Median: the middle one, or the mean of both; p95: the smallest that at least
  95 of 100 do not exceed (nearest rank). They speak of tasks whose step fell into the period.
* a round's forecast: it was off by the time it took without pauses - the forecast.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Final

from pydantic import TypeAdapter, ValidationError

from hub.domain.devices import Json
from hub.domain.dispatches import UnitKind
from hub.domain.errors import Invalid
from hub.domain.patrol_reports import Period
from hub.domain.patrols import PatrolMode, RoundState

FORMULA: Final = 1
P95: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``part`` of ``whole``, of which ``unknown`` are not known yet (they are not in ``part``).

    ``value`` and ``coverage`` (how much of the whole is known) are 0 to 1, None of nothing.
    """

    part: int = 0
    whole: int = 0
    unknown: int = 0
    value: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of ``known`` things out of ``of``; None of nothing."""

    known: int = 0
    of: int = 0
    median_s: float | None = None
    p95_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFigures:
    """Stops. Each stands once in every one of three rows that add up to ``planned``.

    Seen: seen + not_kept (seen, but the disk took no picture) + not_seen + not_looked.
    Result: normal + abnormal + not_judged + open. Time: on_time + early + late + missed +
    out_of_order + untimed.
    """

    planned: int = 0
    seen: int = 0
    not_kept: int = 0
    not_seen: int = 0
    not_looked: int = 0
    normal: int = 0
    abnormal: int = 0
    not_judged: int = 0
    open: int = 0
    on_time: int = 0
    early: int = 0
    late: int = 0
    missed: int = 0
    out_of_order: int = 0
    untimed: int = 0
    by_person: int = 0
    second_wanted: int = 0
    second_agreed: int = 0
    second_disagreed: int = 0
    dispatched: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    completion: Rate = field(default_factory=Rate)
    judged: Rate = field(default_factory=Rate)
    timely: Rate = field(default_factory=Rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """Questions to duty rooms: asked = answered + late + unanswered + waiting."""

    asked: int = 0
    answered: int = 0
    late: int = 0
    unanswered: int = 0
    waiting: int = 0
    cancelled: int = 0
    by: Mapping[str, int] = field(default_factory=dict)
    rate: Rate = field(default_factory=Rate)
    answer: Times = field(default_factory=Times)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentRoom:
    """A duty room that did not answer in time, how often, out of how many questions."""

    area_name: str
    room_name: str
    asked: int
    silent: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFigures:
    """Dispatches. ``overdue``: open at the end, and a deadline has passed."""

    opened: int = 0
    done: int = 0
    verified: int = 0
    cancelled: int = 0
    merged: int = 0
    still_open: int = 0
    overdue: int = 0
    without_deadline: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    timely: Rate = field(default_factory=Rate)
    accept: Times = field(default_factory=Times)
    arrive: Times = field(default_factory=Times)
    finish: Times = field(default_factory=Times)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFigures:
    """What a unit did with the tasks it was given."""

    unit_id: int
    name: str
    kind: UnitKind
    area_name: str
    tasks: TaskFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFigures:
    """One round of the period; ``off_s`` is by how much it missed its forecast.

    Of a round of an area further up there is neither number nor name: only what it found here.
    """

    id: int
    plan_name: str
    area_name: str
    mode: PatrolMode
    state: RoundState
    planned_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ends_by: datetime | None = None
    walker_name: str = ""
    reason: str = ""
    took_s: float | None = None
    paused_s: float = 0.0
    forecast_s: float | None = None
    off_s: float | None = None
    planned: int = 0
    seen: int = 0
    abnormal: int = 0
    not_judged: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundCounts:
    """Rounds: planned = finished + missed + cancelled + unfinished.

    Of a missed round the stops are not known: ``unknown`` counts rounds without any stop.
    """

    planned: int = 0
    finished: int = 0
    missed: int = 0
    cancelled: int = 0
    unfinished: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFigures:
    """One village, or one branch of the tree. ``rounds_unknown`` rounds over it had no stops."""

    area_id: int
    name: str
    rounds: int = 0
    rounds_unknown: int = 0
    stops: StopFigures = field(default_factory=StopFigures)
    calls: CallFigures = field(default_factory=CallFigures)
    tasks: TaskFigures = field(default_factory=TaskFigures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a ranking; equal scores share one. ``coverage`` is of what the score rests on."""

    rank: int
    id: int
    name: str
    score: float
    coverage: float


class Why(StrEnum):
    """Why somebody is not ranked."""

    NOTHING_ASKED = "nothing_asked"
    COLLECTING = "collecting"  # too little is known: see the coverage
    FEW_TASKS = "few_tasks"  # see how many fell due


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """Who is not ranked, and why."""

    id: int
    name: str
    why: Why
    coverage: float | None = None
    due: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """All places, and of them the red list (the best) and the black list (红黑榜).

    ``red_more`` and ``black_more`` have the score of the last that a list shows, and no room.
    """

    places: Sequence[Place] = ()
    red: Sequence[Place] = ()
    red_more: int = 0
    black: Sequence[Place] = ()
    black_more: int = 0
    unplaced: Sequence[Unplaced] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All figures of a report. ``as_of``: what happened later is not in them.

    ``branches`` are the areas directly below the report's. ``unvisited`` are areas with cameras
    in which no stop was planned: of them nothing is known (``unvisited_count`` in all).
    """

    formula: int = FORMULA
    period: Period
    area_id: int
    area_name: str
    since: datetime
    until: datetime
    as_of: datetime
    time_zone: str
    rounds: RoundCounts = field(default_factory=RoundCounts)
    walks: Sequence[RoundFigures] = ()
    stops: StopFigures = field(default_factory=StopFigures)
    calls: CallFigures = field(default_factory=CallFigures)
    silent: Sequence[SilentRoom] = ()
    tasks: TaskFigures = field(default_factory=TaskFigures)
    units: Sequence[UnitFigures] = ()
    areas: Sequence[AreaFigures] = ()
    branches: Sequence[AreaFigures] = ()
    area_ranking: Ranking = field(default_factory=Ranking)
    branch_ranking: Ranking = field(default_factory=Ranking)
    unit_ranking: Ranking = field(default_factory=Ranking)
    unvisited_count: int = 0
    unvisited: Sequence[str] = ()


_FIGURES: Final = TypeAdapter(Figures)


def make_rate(part: int, whole: int, *, unknown: int = 0) -> Rate:
    """A rate with its value and coverage."""
    if not whole:
        return Rate(part=part, whole=whole, unknown=unknown)
    return Rate(
        part=part,
        whole=whole,
        unknown=unknown,
        value=part / whole,
        coverage=(whole - unknown) / whole,
    )


def make_times(seconds: Sequence[float], *, of: int) -> Times:
    """Median and p95 of what is known of ``of`` things."""
    if not seconds:
        return Times(known=0, of=of)
    ordered = sorted(seconds)
    nearest = ordered[max(0, math.ceil(P95 * len(ordered)) - 1)]
    return Times(
        known=len(ordered),
        of=of,
        median_s=round(median(ordered), 3),
        p95_s=round(nearest, 3),
    )


def build_figures(figures: Figures) -> dict[str, Json]:
    """Turn figures into JSON to keep; :func:`parse_figures` reads it back."""
    return dict(_FIGURES.dump_python(figures, mode="json"))


def parse_figures(raw: Mapping[str, Json]) -> Figures:
    """Read kept figures.

    Raises:
        Invalid: they were kept by a version of the hub that this one does not understand.
    """
    try:
        return _FIGURES.validate_python(dict(raw))
    except ValidationError as error:
        fields = sorted(
            {".".join(map(str, one["loc"])) for one in error.errors(include_input=False)}
        )
        msg = f"these figures cannot be read: {', '.join(fields[:5])}"
        raise Invalid(msg, field="figures") from None
