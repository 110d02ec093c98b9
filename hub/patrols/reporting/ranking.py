"""Ranks areas and units (红黑榜); pure. Formula version 1, of :data:`.figures.FORMULA`.

An area's score is the weighted mean, times 100, of what was asked of it:

* 40: completion (stops seen with a picture ÷ planned),
* 30: duty rooms that answered in time ÷ asked,
* 30: tasks done by their deadline ÷ due.

What was not asked of an area (no duty room, no task due) has no weight there. What is unknown is
no success: it stays in the whole. What was *found* at the stops takes no part: who looks well
must not lose by it.

A unit's score is 100 times its tasks done by their deadline ÷ tasks due.

An area is ranked when enough is known of it: coverage = stops that were looked at ÷ stops planned,
times rounds with stops ÷ rounds planned over it. A unit is ranked with enough tasks due. Equal
scores (to two decimals) share a place. The red list are the best of at least ``red_from``, the
black list the worst below ``black_below``, at most ``most`` each; nobody stands in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.patrols.reporting.figures import (
    AreaFigures,
    Place,
    Ranking,
    Rate,
    UnitFigures,
    Unplaced,
    Why,
)

WEIGHTS: Final = (40, 30, 30)  # completion, answers, tasks on time


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingOptions:
    """Bounds of the lists (practice). With less coverage an area is not ranked yet."""

    red_from: float = 95.0
    black_below: float = 80.0
    most: int = 10
    least_coverage: float = 0.95
    least_tasks: int = 3


def rank_areas(areas: Sequence[AreaFigures], options: RankingOptions) -> Ranking:
    """Rank areas by their score."""
    scored: list[tuple[float, float, int, str]] = []
    unplaced = []
    for one in areas:
        score, coverage = score_area(one), _coverage(one)
        if score is None:
            unplaced.append(Unplaced(id=one.area_id, name=one.name, why=Why.NOTHING_ASKED))
        elif coverage < options.least_coverage:
            unplaced.append(
                Unplaced(
                    id=one.area_id,
                    name=one.name,
                    why=Why.COLLECTING,
                    coverage=round(coverage, 4),
                )
            )
        else:
            scored.append((score, coverage, one.area_id, one.name))
    return _rank(scored, unplaced, options)


def rank_units(units: Sequence[UnitFigures], options: RankingOptions) -> Ranking:
    """Rank units by their tasks on time."""
    scored: list[tuple[float, float, int, str]] = []
    unplaced = []
    for one in units:
        timely = one.tasks.timely
        if timely.value is None or timely.whole < options.least_tasks:
            unplaced.append(
                Unplaced(id=one.unit_id, name=one.name, why=Why.FEW_TASKS, due=timely.whole)
            )
        else:
            scored.append((_points(timely.value), timely.coverage or 0.0, one.unit_id, one.name))
    return _rank(scored, unplaced, options)


def score_area(one: AreaFigures) -> float | None:
    """The score of an area, 0 to 100; None when nothing was asked of it."""
    parts: tuple[Rate, ...] = (one.stops.completion, one.calls.rate, one.tasks.timely)
    asked = [
        (weight, part.value)
        for weight, part in zip(WEIGHTS, parts, strict=True)
        if part.value is not None
    ]
    if not asked:
        return None
    return _points(sum(w * v for w, v in asked) / sum(w for w, _ in asked))


def _coverage(one: AreaFigures) -> float:
    """How much of an area's patrol is known; 1 where none was planned."""
    rounds = 1.0 if not one.rounds else (one.rounds - one.rounds_unknown) / one.rounds
    looked = one.stops.completion.coverage
    return rounds * (1.0 if looked is None else looked)


def _rank(
    scored: Sequence[tuple[float, float, int, str]],
    unplaced: Sequence[Unplaced],
    options: RankingOptions,
) -> Ranking:
    ordered = sorted(scored, key=lambda one: (-one[0], one[3], one[2]))
    places: list[Place] = []
    for number, (score, coverage, key, name) in enumerate(ordered, start=1):
        rank = places[-1].rank if places and places[-1].score == score else number
        places.append(Place(rank=rank, id=key, name=name, score=score, coverage=round(coverage, 4)))
    best = [one for one in places if one.score >= options.red_from]
    worst = sorted(
        (one for one in places if one.score < options.black_below),
        key=lambda one: (one.score, one.name, one.id),
    )
    return Ranking(
        places=places,
        red=best[: options.most],
        red_more=_left_out(best, options.most),
        black=worst[: options.most],
        black_more=_left_out(worst, options.most),
        unplaced=sorted(unplaced, key=lambda one: (one.name, one.id)),
    )


def _left_out(ordered: Sequence[Place], most: int) -> int:
    """How many have the score of the last one shown and found no room."""
    return sum(one.score == ordered[most - 1].score for one in ordered[most:])


def _points(value: float) -> float:
    return round(100 * value, 2)
