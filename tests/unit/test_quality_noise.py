"""Noise is told from texture, stripes, rain and flakes."""

import cv2
import numpy as np

from streams.quality.noise import measure
from tests.unit.quality_scenes import Floats, draw_fog, draw_night, draw_scene, draw_wall, take


def scatter_dashes(picture: Floats, share: float) -> Floats:
    rng = np.random.default_rng(3)
    rows, columns = picture.shape[:2]
    hit = (rng.random((rows, columns // 3 + 1)) < share).repeat(3, axis=1)[:, :columns]
    value = rng.uniform(0, 255, (rows, columns // 3 + 1)).repeat(3, axis=1)[:, :columns]
    return np.asarray(np.where(hit[..., None], value[..., None], picture), np.float32)


def test_the_score_rises_with_the_grain() -> None:
    for picture in (draw_scene(), draw_wall(), draw_fog()):
        scores = [measure(take(picture, noise=sigma)).value for sigma in (1, 4, 8, 14, 25)]
        assert scores == sorted(scores)
        assert scores[0] < 40
        assert scores[3] > 50


def test_the_score_rises_with_dashes_on_the_line() -> None:
    scores = [
        measure(take(scatter_dashes(draw_wall(), share))).value for share in (0, 0.01, 0.06, 0.3)
    ]
    assert scores == sorted(scores)
    assert scores[0] < 20
    assert scores[2] > 50


def test_the_grain_of_a_night_and_flakes_are_no_fault() -> None:
    assert measure(take(draw_night(), noise=3.0)).value < 50
    rng = np.random.default_rng(9)
    flakes = draw_scene()
    for row, column in zip(rng.integers(0, 350, 130), rng.integers(0, 630, 130), strict=True):
        flakes[row : row + 4, column : column + 4] = 215
    flakes = np.asarray(cv2.GaussianBlur(flakes, (0, 0), 0.8), np.float32)
    assert measure(take(flakes)).value < 50


def test_slanted_stripes_are_not_called_noise() -> None:
    rows, columns = np.mgrid[0:360, 0:640]
    wave = 22 * np.sin(2 * np.pi * (columns + 0.7 * rows) / 5)
    assert measure(take(draw_wall() + wave[..., None])).value < 50


def test_burnt_out_and_black_pictures_are_not_judged() -> None:
    assert measure(take(np.zeros((360, 640, 3)))).value == 0
    assert measure(take(np.full((360, 640, 3), 255.0))).value == 0
    assert "levels" in measure(take(draw_wall(), noise=12.0)).why
