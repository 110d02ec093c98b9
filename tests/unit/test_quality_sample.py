"""What the indices share: one scale, infrared mode, and pictures no camera should send."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from hub.domain.quality import Index, Mode
from hub.domain.quality_profiles import PROFILES
from streams.quality.grading import Scale
from streams.quality.judging import ALONE
from streams.quality.sample import ANALYSIS_WIDTH, make_sample
from tests.unit.quality_scenes import (
    Floats,
    draw_fence,
    draw_fog,
    draw_night,
    draw_scene,
    draw_sky,
    draw_snow,
    draw_wall,
    make_grey,
    take,
    write_clock,
)

SHAPES = ((1, 1), (48, 64), (1, 700), (900, 3), (2000, 10), (240, 320), (33, 640), (360, 640))
GOOD: Mapping[str, Callable[[], Floats]] = {
    "scene": draw_scene,
    "wall": draw_wall,
    "sky": draw_sky,
    "snow": draw_snow,
    "fog": draw_fog,
    "night": draw_night,
    "fence": draw_fence,
    "infrared": lambda: make_grey(draw_scene()),
    "clock": lambda: write_clock(draw_scene(6)),
}


def test_every_picture_is_measured_at_one_scale() -> None:
    rng = np.random.default_rng(1)
    large = make_sample(rng.integers(0, 256, (540, 960, 3), np.uint8), 1920, 1080)
    assert large.grey.shape == (360, ANALYSIS_WIDTH)
    assert (large.width, large.height) == (1920, 1080)
    small = make_sample(rng.integers(0, 256, (288, 352, 3), np.uint8), 352, 288)
    assert small.grey.shape == (288, 352)
    upright = make_sample(rng.integers(0, 256, (3000, 500, 3), np.uint8), 500, 3000)
    assert max(upright.grey.shape) <= 2 * ANALYSIS_WIDTH


def test_infrared_mode_is_recognised_with_a_slight_tint() -> None:
    grey = make_grey(draw_scene())
    assert take(grey).mode is Mode.INFRARED
    assert take(grey * np.array([1.0, 0.96, 0.97])).mode is Mode.INFRARED
    assert take(grey * np.array([1.0, 0.7, 1.0])).mode is Mode.COLOUR
    assert take(draw_scene()).mode is Mode.COLOUR
    assert take(draw_night()).mode is Mode.COLOUR


def test_levels_leave_the_strips_with_clock_and_name_out() -> None:
    picture = np.full((360, 640, 3), 100.0)
    picture[:40] = 255
    picture[330:] = 0
    sample = take(picture, noise=0.0)
    assert sample.level(0.5) == 100
    assert sample.range <= 2


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_picture_has_no_fault_by_any_index(kind: str) -> None:
    sample = take(GOOD[kind]())
    scores = {index.value: measure(sample).value for index, measure in ALONE.items()}
    assert max(scores.values()) < 50, scores


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("index", ALONE)
def test_no_shape_or_content_breaks_an_index(index: Index, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    pictures = [
        np.zeros((*shape, 3), np.uint8),
        np.full((*shape, 3), 255, np.uint8),
        rng.integers(0, 256, (*shape, 3), np.uint8),
        np.where(np.indices(shape).sum(axis=0)[..., None] % 2, 255, 0).astype(np.uint8)
        * np.ones(3, np.uint8),
    ]
    for picture in pictures:
        first, second = (ALONE[index](make_sample(picture, shape[1], shape[0])) for _ in range(2))
        assert 0.0 <= first.value <= 100.0
        assert first == second
        assert first.why.endswith(".")
        assert "nan" not in first.why


def test_a_scale_rises_or_falls_without_a_step() -> None:
    rising, falling = Scale(nothing=1, visible=3, worst=9), Scale(nothing=9, visible=3, worst=1)
    assert [rising.grade(x) for x in (0, 1, 2, 3, 6, 9, 99)] == [0, 0, 25, 50, 75, 100, 100]
    assert [falling.grade(x) for x in (99, 9, 6, 3, 2, 1, 0)] == [0, 0, 25, 50, 75, 100, 100]


def test_every_profile_names_every_index() -> None:
    assert set(PROFILES) == {"day", "night", "indoor", "gate", "dome on tour"}
    for thresholds in PROFILES.values():
        assert set(thresholds) == set(Index)
        assert all(value is None or 0 < value <= 100 for value in thresholds.values())
