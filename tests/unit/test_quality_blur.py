"""Blur: told in noise, under a sharp clock, at night, and not of what is plain."""

import cv2
import numpy as np
import pytest

from streams.quality.blur import measure
from tests.unit.quality_scenes import (
    Floats,
    defocus,
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


def smear(picture: Floats, share: float) -> Floats:
    scattered = cv2.GaussianBlur(picture, (0, 0), 5)
    return np.asarray(picture * (1 - share) + scattered * share, np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_the_score_rises_as_the_lens_goes_out_of_focus(seed: int) -> None:
    scores = [
        measure(take(defocus(draw_scene(seed), radius))).value
        for radius in (0.6, 1.2, 2.0, 3.0, 4.5)
    ]
    assert scores == sorted(scores)
    assert scores[0] < 40
    assert scores[3] > 55
    assert scores[4] > 80


def test_a_smeared_dome_is_found_though_contours_stay_sharp() -> None:
    scores = [measure(take(smear(draw_scene(), share))).value for share in (0, 0.3, 0.6, 0.8, 0.93)]
    assert scores == sorted(scores)
    assert scores[0] < 30
    assert scores[4] > 50


def test_neither_clock_nor_noise_nor_grey_hides_it() -> None:
    blurred = defocus(draw_scene(), 4.0)
    assert measure(take(write_clock(blurred))).value > 55
    assert measure(take(blurred, noise=6.0)).value > 55
    assert measure(take(make_grey(blurred), noise=4.0)).value > 55
    assert measure(take(defocus(draw_night(), 4.0), noise=2.0)).value > 55


def test_plain_far_dim_and_noisy_pictures_are_not_called_blurred() -> None:
    for picture in (draw_wall(), draw_sky(), draw_fog(), draw_snow(), draw_night(), draw_fence()):
        for noise in (1.0, 5.0):
            assert measure(take(picture, noise=noise)).value < 50
    assert measure(take(draw_scene() * 0.05)).why.startswith("Too dark to judge")


def test_one_thing_in_focus_before_a_soft_background_is_enough() -> None:
    picture = defocus(draw_scene(), 5.0)
    picture[80:310, 60:420] = draw_scene()[80:310, 60:420]
    assert measure(take(picture)).value < 50


def test_slats_of_a_blind_are_no_blur() -> None:
    picture = draw_scene()
    slats = (150 + 60 * np.sin(np.arange(360) / 12 * 2 * np.pi))[:, None, None]
    picture[:, 200:540] = slats
    assert measure(take(picture)).value < 50
