"""Signal loss: cards are told from plain and from dark pictures."""

import cv2
import numpy as np
import pytest

from streams.quality.signal import measure
from tests.unit.quality_scenes import (
    HEIGHT,
    WIDTH,
    Floats,
    draw_night,
    draw_scene,
    draw_wall,
    take,
    write_clock,
)

PLAIN = {"black": (0, 0, 0), "blue": (220, 20, 0), "grey": (128, 128, 128), "green": (0, 200, 0)}


def fill(colour: tuple[int, int, int]) -> Floats:
    return np.full((HEIGHT, WIDTH, 3), colour, np.float32)


def draw_card(colour: tuple[int, int, int], text: str) -> Floats:
    card = fill(colour).astype(np.uint8)
    cv2.putText(card, text, (150, 200), 0, 2.0, (255, 255, 255), 4)
    return card.astype(np.float32)


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_colour_is_a_lost_signal_with_clock_and_noise_on_it(name: str) -> None:
    assert measure(take(fill(PLAIN[name]))).value > 90
    assert measure(take(write_clock(fill(PLAIN[name])), noise=2.0)).value > 70


@pytest.mark.parametrize("colour", [(0, 0, 0), (90, 20, 10), (40, 40, 40)])
def test_a_card_is_a_lost_signal(colour: tuple[int, int, int]) -> None:
    score = measure(take(write_clock(draw_card(colour, "NO VIDEO"))))
    assert score.value > 60
    assert "%" in score.why


def test_colour_bars_are_a_lost_signal() -> None:
    colours = [(235, 235, 235), (16, 235, 235), (235, 235, 16), (16, 235, 16)]
    colours += [(235, 16, 235), (16, 16, 235), (235, 16, 16), (16, 16, 16)]
    bars = np.repeat(np.array(colours, np.float32)[None], HEIGHT, axis=0).repeat(80, axis=1)
    assert measure(take(bars)).value > 55


def test_dark_and_plain_and_burnt_pictures_are_not_lost() -> None:
    for gain in (0.3, 0.1, 0.05):
        assert measure(take(draw_scene() * gain)).value < 50
    assert measure(take(draw_night() * 0.4)).value < 50
    assert measure(take(draw_wall())).value < 20
    assert measure(take(draw_wall() * 0.4)).value < 20
    assert measure(take(fill((255, 255, 255)))).value == 0
    assert measure(take((draw_scene() - 110) * 0.08 + 140)).value < 50


def test_lamps_in_the_dark_are_not_text_on_black() -> None:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    street = np.zeros((HEIGHT, WIDTH), np.float32)
    for across in (100, 300, 500):
        squared = (columns - across) ** 2 + (rows - 120) ** 2
        street += 255 * np.exp(-squared / 40) + 25 * np.exp(-squared / 2_500)
    assert measure(take(np.repeat(street[..., None], 3, axis=2))).value < 50


def test_the_score_rises_with_what_is_covered_by_one_colour() -> None:
    scores = []
    for rows in (0, 150, 250, 300, 340):
        picture = draw_scene()
        picture[:rows] = (200, 30, 10)
        scores.append(measure(take(picture)).value)
    assert scores == sorted(scores)
    assert scores[0] == 0
    assert scores[-1] > 75
