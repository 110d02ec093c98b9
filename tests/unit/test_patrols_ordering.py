"""Which cameras a plan leaves on the map, and in which order a round visits them."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.patrol_details import Selection
from hub.domain.patrols import StopOrder
from hub.domain.places import distance_km
from hub.patrols.planning.ordering import MOST_IN_TABLE, arrange, measure_way
from hub.patrols.planning.selecting import is_inside, select
from hub.store.patrol_candidates import Candidate

RNG = random.Random(1)
SQUARE = ((120.0, 30.0), (121.0, 30.0), (121.0, 31.0), (120.0, 31.0))


def camera(number: int, place: tuple[float, float] | None = None, village: int = 1) -> Candidate:
    return Candidate(
        device_id=number,
        name=f"c{number:05d}",
        area_id=village,
        area_name=f"v{village}",
        area_path=f"county.v{village:03d}",
        longitude=None if place is None else place[0],
        latitude=None if place is None else place[1],
    )


def scattered(count: int, seed: int = 3) -> list[Candidate]:
    rng = random.Random(seed)
    places = [(120 + rng.random() / 2, 30 + rng.random() / 2) for _ in range(count)]
    return [camera(number + 1, place, 1 + number % 30) for number, place in enumerate(places)]


def numbers(found: Sequence[Candidate]) -> list[int]:
    return [one.device_id for one in found]


def test_fixed_is_as_the_plan_lists_them_else_by_number() -> None:
    found = [camera(3), camera(1), camera(2)]
    assert numbers(arrange(found, StopOrder.FIXED, (2, 3, 2, 9, 1), RNG)) == [2, 3, 1]
    assert numbers(arrange(found, StopOrder.FIXED, None, RNG)) == [1, 2, 3]


def test_by_area_goes_village_by_village() -> None:
    found = [camera(1, village=2), camera(2, village=1), camera(4, village=2), camera(3, village=1)]
    assert numbers(arrange(found, StopOrder.BY_AREA, None, RNG)) == [2, 3, 1, 4]


def test_shuffled_is_drawn_and_owes_nothing_to_numbers() -> None:
    found = scattered(40)
    orders = {
        tuple(numbers(arrange(found, StopOrder.SHUFFLED, None, random.Random(seed))))
        for seed in range(30)
    }
    assert len(orders) == 30
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(1, 41))}
    # Each camera comes first about as often as any other: of 4,000 rounds 100 each, give or take.
    rng = random.Random(11)
    firsts = [arrange(found, StopOrder.SHUFFLED, None, rng)[0].device_id for _ in range(4000)]
    counts = [firsts.count(number) for number in range(1, 41)]
    chi_square = sum((count - 100) ** 2 / 100 for count in counts)
    assert chi_square < 80  # 39 degrees of freedom: beyond it lies 1 in 8,000


def test_the_distance_over_the_ground_is_right() -> None:
    # Hangzhou and Shanghai; a quarter of the meridian; over the date line.
    assert distance_km(120.1551, 30.2741, 121.4737, 31.2304) == pytest.approx(165, rel=0.01)
    assert distance_km(0, 0, 0, 90) == pytest.approx(10_007.557, rel=1e-4)
    assert distance_km(179.9, 0, -179.9, 0) == pytest.approx(22.239, rel=1e-3)


def test_the_short_way_is_short() -> None:
    """Far shorter than by village, and near what is known of the best way over a square."""
    found = scattered(400)
    way = arrange(found, StopOrder.SHORTEST, None, RNG)
    assert sorted(numbers(way)) == sorted(numbers(found))
    by_area = measure_way(arrange(found, StopOrder.BY_AREA, None, RNG))
    assert measure_way(way) < by_area / 5
    # Beardwood, Halton and Hammersley: the best way is about 0.7124 sqrt(n A).
    wide, high = distance_km(120, 30.25, 120.5, 30.25), distance_km(120, 30, 120, 30.5)
    assert measure_way(way) < 1000 * 1.25 * 0.7124 * math.sqrt(400 * wide * high)


def test_along_a_road_the_short_way_is_the_road() -> None:
    found = [camera(n + 1, (120 + n / 1000, 30)) for n in range(60)]
    random.Random(5).shuffle(found)
    assert numbers(arrange(found, StopOrder.SHORTEST, None, RNG)) == list(range(1, 61))


def test_more_than_fit_a_table_follow_a_curve_over_the_map() -> None:
    found = scattered(MOST_IN_TABLE + 1)
    way = arrange(found, StopOrder.SHORTEST, None, RNG)
    assert sorted(numbers(way)) == sorted(numbers(found))
    assert measure_way(way) < measure_way(found) / 20


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)) | st.none(), max_size=12))
def test_every_camera_comes_once_and_those_without_a_place_last(
    places: list[tuple[float, float] | None],
) -> None:
    found = [camera(number + 1, place) for number, place in enumerate(places)]
    way = arrange(found, StopOrder.SHORTEST, None, RNG)
    assert sorted(numbers(way)) == sorted(numbers(found))
    assert [one.longitude is None for one in way] == sorted(one.longitude is None for one in way)


def test_cameras_at_one_place_are_all_visited() -> None:
    found = [camera(n, (120.0, 30.0)) for n in range(1, 9)]
    assert sorted(numbers(arrange(found, StopOrder.SHORTEST, None, RNG))) == list(range(1, 9))
    crowd = [replace(one, device_id=n) for n, one in enumerate(found * 400)]
    assert len(arrange(crowd, StopOrder.SHORTEST, None, RNG)) == 3200


def test_what_is_drawn_on_the_map_is_chosen_and_what_has_no_place_is_not() -> None:
    found = [camera(1, (120.5, 30.5)), camera(2, (121.5, 30.5)), camera(3)]
    assert numbers(select(found, Selection(polygon=SQUARE))) == [1]
    assert numbers(select(found, Selection())) == [1, 2, 3]


def test_a_drawing_may_have_bays() -> None:
    """A U: a bay is cut into it from the north between 1 and 2."""
    bay = ((0, 0), (3, 0), (3, 2), (2, 2), (2, 1), (1, 1), (1, 2), (0, 2))
    within = [(0.5, 0.5), (2.5, 0.5), (1.5, 0.5), (0.5, 1.9), (2.5, 1.9)]
    without = [(1.5, 1.5), (-1, 0.5), (4, 0.5), (1.5, 2.5), (0.5, 2.1)]
    for drawing in (bay, bay[::-1]):
        assert all(is_inside(*place, drawing) for place in within)
        assert not any(is_inside(*place, drawing) for place in without)
