"""Occlusion: what lies on the lens is found with its place, what stands in the scene is not."""

import cv2
import numpy as np
import pytest

from hub.domain.quality import BandKey, Mode
from hub.domain.quality_profiles import VISIBLE
from streams.quality import baseline, occlusion
from tests.unit.drawn_streets import (
    HEIGHT,
    WIDTH,
    Picture,
    cover,
    draw_street,
    park_lorry,
    relight,
    take,
    write_clock,
)

BAND = 2
STREET = draw_street(1)


def learn(street: Picture, times: int = 6) -> dict[BandKey, bytes]:
    state = b""
    for moment in range(times):
        state = baseline.learn(state, take(street, 100 + moment))
    return {(BAND, Mode.COLOUR): state}


KNOWN = learn(STREET)


def score(picture: Picture, known: dict[BandKey, bytes] = KNOWN) -> float | None:
    found = occlusion.measure(take(picture, 7), known, BAND)
    return None if found is None else found.value


def let_it_snow(picture: Picture, share: float) -> Picture:
    """Whiten the ground from the kerb down; what is left of it is faint."""
    depth = np.clip((np.arange(HEIGHT, dtype=np.float32) / HEIGHT - 0.4) * 5.0, 0.0, 1.0)
    snow = (depth * np.float32(share))[:, None, None]
    return np.asarray(picture * (1.0 - snow) + 225.0 * snow, np.uint8)


def spin_web(picture: Picture) -> Picture:
    """Draw bright strands close before the lens."""
    strands = np.zeros((HEIGHT, WIDTH), np.float32)
    for angle in np.linspace(0.0, np.pi, 6):
        way = np.array([np.cos(angle), np.sin(angle)]) * 500
        ends = [(int(300 - way[0]), int(170 - way[1])), (int(300 + way[0]), int(170 + way[1]))]
        cv2.line(strands, ends[0], ends[1], 1.0, 24)
    for radius in range(70, 400, 110):
        cv2.circle(strands, (300, 170), radius, 1.0, 20)
    soft = np.asarray(cv2.GaussianBlur(strands, (0, 0), 6.0), np.float32)[..., None] * 0.95
    webbed = picture.astype(np.float32) * (1.0 - soft) + 240.0 * soft
    return np.asarray(np.clip(webbed, 0, 255), np.uint8)


def test_is_not_judged_before_enough_is_learnt() -> None:
    assert score(STREET, {}) is None
    assert score(STREET, learn(STREET, times=2)) is None
    assert score(cover(STREET, (-50, -50, 700, 420)), {}) is None  # a bare wall looks the same


def test_a_camera_that_looks_at_a_bare_wall_is_not_judged() -> None:
    wall = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    assert score(wall, learn(wall)) is None


def spray(picture: Picture, share: float) -> Picture:
    """Spray paint over the left half; a little of what is behind it shines through."""
    painted = picture.astype(np.float32) * (1.0 - share) + 90.0 * share
    seen = cover(np.zeros_like(picture), (-50, -50, 320, 420), level=255) / 255.0
    return np.asarray(picture * (1.0 - seen) + painted * seen, np.uint8)


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("the same", STREET),
        ("at dusk", relight(STREET, 0.35)),
        ("in fog", relight(STREET, 1.0, veil=0.7)),
        ("in thick fog", relight(STREET, 1.0, veil=0.93)),
        ("in snow", let_it_snow(STREET, 0.9)),
        ("deep in snow", let_it_snow(STREET, 1.0)),
        ("behind a lorry", park_lorry(STREET, (180, 120, 420, 330))),
        ("with a small leaf", cover(STREET, (500, 20, 560, 70))),
    ],
)
def test_what_stands_in_the_scene_or_veils_it_is_no_occlusion(name: str, picture: Picture) -> None:
    value = score(picture)
    assert value is not None, name
    assert value < 40.0, name


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("a cloth from the left", cover(STREET, (-50, -50, 260, 420))),
        ("a sticker", cover(STREET, (220, 90, 460, 290))),
        ("a hand, bright", cover(STREET, (-50, -50, 500, 420), level=200)),
        ("a bright bag from above", cover(STREET, (-50, -50, 700, 200), level=220)),
        ("thin paint", spray(STREET, 0.92)),
        ("wholly covered", cover(STREET, (-50, -50, 700, 420))),
        ("a dark bag", cover(STREET, (-50, -50, 700, 420), level=30)),
    ],
)
def test_what_lies_on_the_lens_is_found(name: str, picture: Picture) -> None:
    value = score(picture)
    assert value is not None, name
    assert value >= VISIBLE, name


def test_the_clock_before_a_covered_lens_is_no_lorry() -> None:
    known = learn(write_clock(STREET, "12:00:01"))
    covered = cover(STREET, (-50, -50, 700, 420))
    value = score(write_clock(covered, "12:34:56"), known)
    assert value is not None
    assert value >= 90.0


def test_snow_glares_by_infrared_light_and_is_no_web() -> None:
    grey = np.repeat(STREET[..., 1:2], 3, axis=2)
    known = {(BAND, Mode.INFRARED): learn(grey)[BAND, Mode.COLOUR]}
    value = score(let_it_snow(grey, 0.95), known)
    assert value is not None
    assert value < 40.0


def test_what_is_usual_at_another_hour_is_no_cover() -> None:
    shuttered = cover(STREET, (330, -50, 700, 420))
    both = {**KNOWN, (BAND + 1, Mode.COLOUR): learn(shuttered)[BAND, Mode.COLOUR]}
    alone, with_other = score(shuttered), score(shuttered, both)
    assert alone is not None
    assert with_other is not None
    assert with_other < 20.0 < VISIBLE <= alone


def test_a_view_hardly_known_is_not_judged_severely() -> None:
    state = b""
    for moment in range(5):
        state = baseline.learn(state, take(draw_street(2), moment))
    for moment in range(2):
        state = baseline.learn(state, take(STREET, 50 + moment))
    value = score(cover(STREET, (-50, -50, 300, 420)), {(BAND, Mode.COLOUR): state})
    known = score(cover(STREET, (-50, -50, 300, 420)))
    assert value is not None
    assert known is not None
    assert value <= 60.0 < known


def test_a_web_in_infrared_light_is_found() -> None:
    grey = np.repeat(STREET[..., 1:2], 3, axis=2)
    known = {(BAND, Mode.INFRARED): learn(grey)[BAND, Mode.COLOUR]}
    clean, webbed = score(grey, known), score(spin_web(grey), known)
    assert clean is not None
    assert webbed is not None
    assert clean < 20.0
    assert webbed >= VISIBLE


def test_the_more_is_covered_the_worse() -> None:
    values = [score(cover(STREET, (-50, -50, right, 420))) for right in (60, 200, 350, 700)]
    assert None not in values
    assert values == sorted(values, key=lambda value: value or 0.0)
    assert values[-1] == 100.0


def test_says_where() -> None:
    found = occlusion.measure(take(cover(STREET, (330, -50, 700, 420)), 7), KNOWN, BAND)
    assert found is not None
    assert found.region is not None
    assert 0.4 < found.region.left < 0.65
    assert found.region.right > 0.9
    assert found.region.bottom - found.region.top > 0.8
    assert "%" in found.why


def test_a_dark_picture_is_not_judged() -> None:
    assert score(relight(STREET, 0.03)) is None


def test_damaged_baselines_are_none() -> None:
    assert score(STREET, {(BAND, Mode.COLOUR): KNOWN[BAND, Mode.COLOUR][:-3]}) is None
