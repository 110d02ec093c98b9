"""The red list and the black list."""

from dataclasses import replace

from hub.domain.dispatches import UnitKind
from hub.patrols.reporting.figures import (
    AreaFigures,
    CallFigures,
    StopFigures,
    TaskFigures,
    UnitFigures,
    Why,
    make_rate,
)
from hub.patrols.reporting.ranking import RankingOptions, rank_areas, rank_units, score_area

OPTIONS = RankingOptions()


def area(number: int, *, seen: int = 10, answered: int | None = None, **more: int) -> AreaFigures:
    """An area of ten stops."""
    calls = CallFigures() if answered is None else CallFigures(rate=make_rate(answered, 4))
    return AreaFigures(
        area_id=number,
        name=f"village {number:02d}",
        rounds=1,
        stops=StopFigures(
            planned=10,
            seen=seen,
            abnormal=more.get("abnormal", 0),
            completion=make_rate(seen, 10, unknown=more.get("unknown", 0)),
        ),
        calls=calls,
        tasks=TaskFigures(timely=make_rate(more.get("on_time", 0), more.get("due", 0))),
    )


def unit(number: int, on_time: int, due: int) -> UnitFigures:
    return UnitFigures(
        unit_id=number,
        name=f"unit {number}",
        kind=UnitKind.PATROL_UNIT,
        area_name="town",
        tasks=TaskFigures(timely=make_rate(on_time, due)),
    )


def test_only_what_was_asked_of_an_area_has_weight() -> None:
    assert score_area(area(1, seen=9)) == 90.0
    assert score_area(area(1, seen=9, answered=2)) == 72.86  # (40 x 0.9 + 30 x 0.5) / 70
    assert score_area(area(1, seen=10, answered=4, on_time=1, due=2)) == 85.0
    assert score_area(replace(area(1), stops=StopFigures())) is None


def test_findings_cost_nothing() -> None:
    assert score_area(area(1, abnormal=9)) == score_area(area(1)) == 100.0


def test_equal_scores_share_a_place_and_nobody_stands_in_both_lists() -> None:
    ranking = rank_areas([area(3, seen=6), area(2), area(1), area(4, seen=9)], OPTIONS)
    assert [(one.rank, one.id) for one in ranking.places] == [(1, 1), (1, 2), (3, 4), (4, 3)]
    assert [one.id for one in ranking.red] == [1, 2]
    assert [one.id for one in ranking.black] == [3]
    assert not {one.id for one in ranking.red} & {one.id for one in ranking.black}


def test_a_short_list_says_how_many_of_the_same_score_it_leaves_out() -> None:
    ranking = rank_areas([area(number) for number in range(30)], OPTIONS)
    assert (len(ranking.red), ranking.red_more, ranking.black_more) == (10, 20, 0)


def test_who_is_hardly_known_is_not_ranked() -> None:
    half = replace(area(1), rounds=2, rounds_unknown=1)
    ranking = rank_areas([half, area(2, seen=9, unknown=1), area(3)], OPTIONS)
    assert [one.id for one in ranking.places] == [3]
    assert [(one.id, one.why, one.coverage) for one in ranking.unplaced] == [
        (1, Why.COLLECTING, 0.5),
        (2, Why.COLLECTING, 0.9),
    ]
    nothing = rank_areas([replace(area(4), stops=StopFigures())], OPTIONS)
    assert nothing.unplaced[0].why is Why.NOTHING_ASKED


def test_units_are_ranked_by_tasks_in_time() -> None:
    ranking = rank_units([unit(1, 3, 4), unit(2, 4, 4), unit(3, 1, 1)], OPTIONS)
    assert [(one.rank, one.id, one.score) for one in ranking.places] == [(1, 2, 100.0), (2, 1, 75)]
    assert [one.id for one in ranking.black] == [1]
    assert (ranking.unplaced[0].why, ranking.unplaced[0].due) == (Why.FEW_TASKS, 1)


def test_the_order_in_which_areas_come_changes_nothing() -> None:
    areas = [area(number, seen=number % 7 + 3, answered=number % 5) for number in range(20)]
    assert rank_areas(areas, OPTIONS) == rank_areas(areas[::-1], OPTIONS)
