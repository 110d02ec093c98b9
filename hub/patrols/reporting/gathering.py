"""Gathers the figures of a report from the database: the same data give the same figures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.patrol_reports import NewReport, Period
from hub.patrols.reporting.counting import (
    count_calls,
    count_rounds,
    count_stops,
    describe_round,
    find_silent,
    is_unknown,
)
from hub.patrols.reporting.figures import AreaFigures, Figures
from hub.patrols.reporting.ranking import RankingOptions, rank_areas, rank_units
from hub.patrols.reporting.task_counts import Window, count_tasks, count_units
from hub.store import patrol_figures
from hub.store.database import Transaction
from hub.store.patrol_figures import AreaFact, CallFact, RoundFact, Span, StopCount, TaskFact

MOST_UNVISITED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a report is counted from."""

    rounds: Sequence[RoundFact] = ()
    stops: Sequence[StopCount] = ()
    calls: Sequence[CallFact] = ()
    tasks: Sequence[TaskFact] = ()
    areas: Sequence[AreaFact] = ()


@dataclass(slots=True, kw_only=True)
class _Part:
    """What belongs to one area or branch."""

    area_id: int
    name: str
    path: str
    stops: list[StopCount] = field(default_factory=list)
    calls: list[CallFact] = field(default_factory=list)
    tasks: list[TaskFact] = field(default_factory=list)


async def gather(tx: Transaction, scope: Scope, span: Span) -> Facts:
    """Read what a report is counted from."""
    return Facts(
        rounds=await patrol_figures.list_rounds(tx, scope, span),
        stops=await patrol_figures.count_stops(tx, scope, span),
        calls=await patrol_figures.list_calls(tx, scope, span),
        tasks=await patrol_figures.list_tasks(tx, scope, span),
        areas=await patrol_figures.list_areas(tx, scope, span.area_path),
    )


def work_out(
    new: NewReport, area: AreaFact, facts: Facts, span: Span, options: RankingOptions
) -> Figures:
    """Count a report of ``area``."""
    window = Window.of(span)
    with_stops = frozenset(one.round_id for one in facts.stops)
    by_round: defaultdict[int, list[StopCount]] = defaultdict(list)
    for one in facts.stops:
        by_round[one.round_id].append(one)
    units = count_units(facts.tasks, window)
    areas = _split(facts, {one.path: (one.id, one.name) for one in facts.areas}, depth=None)
    branches = _split(
        facts,
        {one.path: (one.id, one.name) for one in facts.areas},
        depth=area.path.count(".") + 2,
    )
    per_area = [_count(one, facts, window, with_stops) for one in areas]
    per_branch = [_count(one, facts, window, with_stops) for one in branches]
    figures = Figures(
        period=new.period,
        area_id=area.id,
        area_name=area.name,
        since=span.since,
        until=span.until,
        as_of=span.as_of,
        time_zone=new.time_zone,
        formula=new.formula,
        rounds=count_rounds(facts.rounds, with_stops),
        walks=[
            describe_round(_seen_from(area, one), count_stops(by_round[one.id]))
            for one in facts.rounds
        ],
        stops=count_stops(facts.stops),
        calls=count_calls(facts.calls, span.as_of),
        silent=find_silent(facts.calls, span.as_of),
        tasks=count_tasks(facts.tasks, window),
        units=units,
        areas=per_area,
        branches=per_branch,
        area_ranking=rank_areas(per_area, options),
        branch_ranking=rank_areas(per_branch, options),
        unit_ranking=rank_units(units, options),
    )
    return figures if new.period is Period.ROUND else _say_unvisited(figures, facts)


def _seen_from(area: AreaFact, one: RoundFact) -> RoundFact:
    """A round of an area further up is not its readers' to know: only what it found here."""
    if one.area_path == area.path or one.area_path.startswith(area.path + "."):
        return one
    return replace(
        one,
        id=0,
        plan_name="",
        area_name="",
        walker_name="",
        reason="",
        started_at=None,
        finished_at=None,
        ends_by=None,
        paused_s=0.0,
        forecast_s=None,
    )


def _say_unvisited(figures: Figures, facts: Facts) -> Figures:
    visited = {one.area_id for one in facts.stops}
    names = [one.name for one in facts.areas if one.has_cameras and one.id not in visited]
    return replace(figures, unvisited_count=len(names), unvisited=names[:MOST_UNVISITED])


def _split(facts: Facts, known: Mapping[str, tuple[int, str]], *, depth: int | None) -> list[_Part]:
    """Put facts together by their own area, or by the part of its path of ``depth`` labels."""
    parts: dict[str, _Part] = {}

    def part(path: str, area_id: int, name: str) -> _Part:
        cut = path if depth is None else ".".join(path.split(".")[:depth])
        number, called = known.get(cut, (area_id, name))
        return parts.setdefault(cut, _Part(area_id=number, name=called, path=cut))

    for stop in facts.stops:
        part(stop.area_path, stop.area_id, stop.area_name).stops.append(stop)
    for call in facts.calls:
        part(call.area_path, call.area_id, call.area_name).calls.append(call)
    for task in facts.tasks:
        part(task.area_path, task.area_id, task.area_name).tasks.append(task)
    return [parts[path] for path in sorted(parts)]


def _count(part: _Part, facts: Facts, window: Window, with_stops: frozenset[int]) -> AreaFigures:
    """The figures of one part; a round over it that tells nothing leaves its stops unknown."""
    unknown = sum(
        is_unknown(one, with_stops) and _covers(one.area_path, part.path) for one in facts.rounds
    )
    return AreaFigures(
        area_id=part.area_id,
        name=part.name,
        rounds=len({one.round_id for one in part.stops}) + unknown,
        rounds_unknown=unknown,
        stops=count_stops(part.stops),
        calls=count_calls(part.calls, window.until),
        tasks=count_tasks(part.tasks, window),
    )


def _covers(round_path: str, part_path: str) -> bool:
    """Whether a round of an area goes through a part of the tree, or lies in it."""
    return (
        round_path == part_path
        or part_path.startswith(round_path + ".")
        or round_path.startswith(part_path + ".")
    )


def span_of(new: NewReport, area_path: str, as_of: datetime) -> Span:
    """What a report is counted over."""
    return Span(
        area_path=area_path,
        since=new.starts_at,
        until=new.ends_at,
        as_of=as_of,
        round_id=new.round_id,
    )
