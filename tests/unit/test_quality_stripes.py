"""Stripes of the signal are told from things that look like stripes."""

from collections.abc import Callable

import numpy as np
import pytest

from streams.quality.stripes import measure
from tests.unit.quality_scenes import (
    Floats,
    draw_fence,
    draw_night,
    draw_scene,
    draw_sky,
    draw_snow,
    draw_wall,
    take,
)

ROWS, COLUMNS = np.mgrid[0:360, 0:640].astype(np.float32)


def roll(amplitude: float) -> Floats:
    return np.asarray(amplitude * np.sin(2 * np.pi * ROWS / 70 + 1)[..., None], np.float32)


def slant(amplitude: float) -> Floats:
    wave = np.sin(2 * np.pi * (COLUMNS + 0.6 * ROWS) / 8)
    return np.asarray(amplitude * wave[..., None], np.float32)


def stand(amplitude: float) -> Floats:
    steps = np.random.default_rng(1).normal(0, amplitude, 160).repeat(4)
    return np.asarray(steps[None, :, None], np.float32)


def lie(amplitude: float) -> Floats:
    steps = np.random.default_rng(2).normal(0, amplitude, 120).repeat(3)
    return np.asarray(steps[:, None, None], np.float32)


@pytest.mark.parametrize("over", [roll, slant, stand, lie])
def test_the_score_rises_with_the_amplitude(over: Callable[[float], Floats]) -> None:
    for picture in (draw_scene(1), draw_wall()):
        scores = [measure(take(picture + over(levels))).value for levels in (0, 4, 10, 25, 50)]
        assert scores == sorted(scores)
        assert scores[0] < 20
        assert scores[3] > 50


def test_fences_blinds_horizons_and_lamps_are_no_fault() -> None:
    for picture in (draw_fence(), draw_sky(), draw_snow(), draw_night()):
        assert measure(take(picture)).value < 50
    blinds = draw_scene()
    blinds[:, 150:470] = (150 + 70 * np.sin(np.arange(360) / 11 * 2 * np.pi))[:, None, None]
    assert measure(take(blinds)).value < 50
    road = draw_scene() * 0.6
    road[170:185] = 230
    road[260:280] = 230
    assert measure(take(road)).value < 50


def test_why_tells_what_and_how_strong() -> None:
    assert "Bands" in measure(take(draw_scene() + roll(40))).why
    assert "Upright lines" in measure(take(draw_scene() + stand(40))).why
    assert "every 6.8 pixels" in measure(take(draw_scene() + slant(40))).why
