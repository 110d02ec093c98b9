"""Colour casts are told from coloured scenes, and never found by infrared light."""

import numpy as np
import pytest

from streams.quality.cast import measure
from tests.unit.quality_scenes import draw_scene, draw_sky, make_grey, take

CASTS = {
    "purple": (1.0, 0.0, 1.0),
    "blue": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.15),
    "orange": (0.0, 0.3, 1.0),
}


@pytest.mark.parametrize("name", CASTS)
def test_the_score_rises_with_the_gain(name: str) -> None:
    strong = np.array(CASTS[name])
    scores = []
    for ratio in (1.0, 1.15, 1.4, 1.9, 2.5):
        gains = ratio**strong
        scores.append(measure(take(draw_scene() * gains / gains.mean())).value)
    assert scores == sorted(scores)
    assert scores[0] < 10
    assert scores[3] > 50
    assert name in measure(take(draw_scene() * 2.2**strong / 1.6)).why


def test_infrared_pictures_have_no_cast() -> None:
    tinted = make_grey(draw_scene()) * np.array([1.04, 1.0, 1.03])
    assert measure(take(tinted)).value == 0


def test_coloured_scenes_are_no_fault() -> None:
    assert measure(take(draw_sky())).value < 50
    meadow = draw_scene()
    meadow[120:] *= np.array([0.45, 1.1, 0.8])
    assert measure(take(meadow)).value < 50
    leaves = draw_scene(3) * np.array([0.65, 1.05, 0.85])
    assert measure(take(leaves)).value < 50


def test_the_dark_is_not_judged() -> None:
    assert "Too dark" in measure(take(draw_scene() * np.array([0.1, 0.05, 0.1]))).why
