"""Too bright: burnt out over a large part, not white by itself."""

import numpy as np

from streams.quality.brightness import measure
from tests.unit.quality_scenes import draw_night, draw_scene, draw_snow, draw_wall, take


def test_the_score_rises_with_the_exposure() -> None:
    scores = [measure(take(draw_scene() * gain)).value for gain in (1.0, 1.5, 2.0, 3.0, 5.0)]
    assert scores == sorted(scores)
    assert scores[0] < 20
    assert scores[3] > 70


def test_white_things_are_no_fault() -> None:
    assert measure(take(draw_snow() + 20)).value < 50
    assert measure(take(draw_wall() + 25)).value < 50


def test_headlights_are_a_fault_only_where_they_cover_much() -> None:
    rows, columns = np.mgrid[0:360, 0:640]
    scores = []
    for spread in (100, 4_000, 120_000):
        glare = 600 * np.exp(-((columns - 320) ** 2 + (rows - 180) ** 2) / spread)
        scores.append(measure(take(draw_night() + glare[..., None])).value)
    assert scores[0] < 20
    assert scores[1] < 50 < scores[2]


def test_why_tells_levels_and_shares() -> None:
    assert "of the picture is white and burnt out" in measure(take(draw_scene() * 3)).why
