"""Low contrast: a milky dome is told from fog and from plain things."""

import numpy as np

from streams.quality.contrast import measure
from tests.unit.quality_scenes import draw_fog, draw_scene, draw_wall, make_grey, take


def test_the_score_rises_as_the_contrast_goes() -> None:
    scores = [
        measure(take((draw_scene() - 110) * left + 140)).value
        for left in (1.0, 0.6, 0.4, 0.25, 0.12, 0.06)
    ]
    assert scores == sorted(scores)
    assert scores[0] < 20
    assert scores[3] > 50


def test_what_lies_over_the_picture_does_not_hide_it() -> None:
    milky = (make_grey(draw_scene()) - 110) * 0.15 + 150
    milky[:30] = 255
    milky[335:] = 0
    assert measure(take(milky)).value > 60


def test_fog_and_plain_walls_are_no_fault() -> None:
    assert measure(take(draw_fog())).value < 50
    assert measure(take(draw_wall(), noise=2.0)).value < 20
    assert measure(take(np.full((360, 640, 3), 150.0), noise=3.0)).value < 20


def test_why_tells_levels() -> None:
    assert "of 255" in measure(take((draw_scene() - 110) * 0.1 + 140)).why
