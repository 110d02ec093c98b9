"""The picture indices find what is clearly wrong, and leave acceptable pictures alone.

A small part of what tests/benchmarks/quality measures on photographs, with the same faults; the
scenes are drawn here, so that nothing has to be installed.
"""

from functools import cache

import cv2
import numpy as np
import pytest

from hub.domain.quality import Index
from streams.quality.judging import judge
from tests.benchmarks.quality.accuracy import label, order_of
from tests.benchmarks.quality.camera import noise_field
from tests.benchmarks.quality.cases import Case, cases_of
from tests.benchmarks.quality.catalogue import Half, Photograph, Place
from tests.benchmarks.quality.faults import Strength
from tests.benchmarks.quality.photographs import Image, View
from tests.benchmarks.quality.tables import Judged

WIDTH, HEIGHT = 704, 576
# On a drawn street: its rows of windows are stripes themselves, and its paint has no fine grain.
DOUBTFUL = {"grease", "columns", "hum"}


def draw_street(seed: int) -> Image:
    """Houses with windows, trees, a road with cars: edges and textures as streets have them."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    picture = np.array([225, 205, 180], np.float32) * (1 - 0.25 * rows) * np.ones((1, WIDTH, 1))
    picture = picture.astype(np.float32)
    ground = round(HEIGHT * 0.62)
    picture[ground:] = (95, 98, 100)
    left = 0
    while left < WIDTH:
        wide, tall = int(rng.integers(90, 180)), int(rng.integers(150, 300))
        wall = rng.uniform(70, 190) * rng.uniform(0.85, 1.15, 3)
        cv2.rectangle(picture, (left, ground - tall), (left + wide, ground), wall.tolist(), -1)
        for top in range(ground - tall + 18, ground - 40, 48):
            for side in range(left + 14, left + wide - 26, 42):
                cv2.rectangle(picture, (side, top), (side + 22, top + 28), (45, 40, 38), -1)
                cv2.rectangle(picture, (side, top), (side + 22, top + 28), (215, 215, 215), 2)
        left += wide
    for _ in range(60):
        at = (int(rng.integers(0, WIDTH)), int(rng.normal(ground - 30, 25)))
        cv2.circle(picture, at, int(rng.integers(8, 26)), (50, 95, 60), -1, cv2.LINE_AA)
    for left in range(0, WIDTH, 90):
        cv2.rectangle(picture, (left, ground + 120), (left + 45, ground + 127), (225, 228, 228), -1)
    for _ in range(4):
        left, top = int(rng.integers(0, WIDTH - 90)), ground + int(rng.integers(15, 80))
        paint = rng.uniform(20, 220, 3).tolist()
        cv2.rectangle(picture, (left, top), (left + 85, top + 34), paint, -1)
        cv2.rectangle(picture, (left + 18, top - 16), (left + 66, top), (50, 45, 40), -1)
    texture = sum(4 * noise_field((HEIGHT, WIDTH), grain, rng) for grain in (1.5, 3, 6, 12, 24))
    solid = np.where(np.arange(HEIGHT)[:, None] > ground - 140, 1.0, 0.25)
    return np.clip(picture + (texture * solid)[..., None], 0, 255).astype(np.uint8)


@cache
def judged(number: int) -> tuple[Judged, ...]:
    """All cases of one street but the strengths in between, judged."""
    photograph = Photograph(
        name=f"street {number}", package="", path="", place=Place.OUTDOOR, half=Half.REPORT
    )
    view = View(photograph=photograph, number=number, image=draw_street(number))
    return tuple(
        label(case, judge(order_of(case, case.render())))
        for case in cases_of(view)
        if _counts(case)
    )


def _counts(case: Case) -> bool:
    return case.index is None or case.strength is Strength.CLEAR


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_clearly_wrong_is_found(number: int) -> None:
    faulty = [one for one in judged(number) if one.index is not None]
    assert {one.index for one in faulty} == {
        *(Index.SIGNAL, Index.DARK, Index.BRIGHT, Index.CONTRAST),
        *(Index.BLUR, Index.CAST, Index.NOISE, Index.STRIPES),
    }
    missed = [one for one in faulty if one.index is not None and not one.flags(one.index)]
    assert [one.name for one in missed if one.fault not in DOUBTFUL] == []
    assert len(missed) < len(faulty) / 5


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_acceptable_is_not_blamed(number: int) -> None:
    acceptable = [one for one in judged(number) if one.index is None]
    assert len(acceptable) > 15
    assert {one.name: one.false_alarms for one in acceptable if one.false_alarms} == {}
