"""Jitter: a shaking camera is found; cars and a camera that pans are not."""

from collections.abc import Sequence

import pytest

from hub.domain.quality_profiles import VISIBLE
from streams.quality import jitter
from streams.quality.sample import Sample
from tests.unit.drawn_streets import draw_street, park_lorry, relight, shift, take

STREET = draw_street(1)


def frames(places: Sequence[tuple[int, int]]) -> list[Sample]:
    """Take one frame with the camera moved by each of some pixels."""
    return [take(shift(STREET, *place), moment) for moment, place in enumerate(places)]


def score(samples: Sequence[Sample]) -> float:
    found = jitter.measure(samples)
    assert found is not None
    return found.value


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_frames_tell_nothing(count: int) -> None:
    assert jitter.measure(frames([(0, 0)] * count)) is None


def test_a_camera_at_rest_does_not_shake() -> None:
    assert score(frames([(0, 0)] * 4)) < 10.0


def test_shaking_is_found_and_graded() -> None:
    slight = score(frames([(0, 0), (1, 0), (0, 1)]))
    clear = score(frames([(0, 0), (8, 3), (-7, -4), (6, 5)]))
    strong = score(frames([(0, 0), (18, 8), (-16, -9), (17, 6)]))
    assert slight < VISIBLE <= clear < strong
    assert strong > 90.0


def test_cars_that_pass_are_not_shaking() -> None:
    places = [(40, 150, 190, 330), (170, 150, 320, 330), (300, 150, 450, 330)]
    passing = [take(park_lorry(STREET, box), moment) for moment, box in enumerate(places)]
    assert score(passing) < 20.0


def test_a_camera_that_pans_evenly_does_not_shake() -> None:
    assert score(frames([(0, 0), (10, 0), (20, 0), (30, 0)])) < 20.0


def test_the_dark_tells_nothing() -> None:
    dark = [take(relight(STREET, 0.01), moment) for moment in range(3)]
    assert jitter.measure(dark) is None


def test_says_how_far() -> None:
    found = jitter.measure(frames([(0, 0), (13, 0), (0, 0)]))
    assert found is not None
    assert "2.0" in found.why  # 13 of 640 pixels, in per cent
