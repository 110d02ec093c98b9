"""Scene change: what moved the camera is found, what changed the light or stands about is not."""

import cv2
import numpy as np
import pytest

from hub.domain.quality import BandKey, Mode
from hub.domain.quality_profiles import VISIBLE
from streams.quality import baseline, scene
from tests.unit.drawn_streets import (
    HEIGHT,
    WIDTH,
    Picture,
    cover,
    draw_street,
    park_lorry,
    relight,
    shift,
    take,
)

BAND = 2
STREET = draw_street(1)


def learn(*streets: Picture, band: int = BAND, times: int = 6) -> dict[BandKey, bytes]:
    state = b""
    for moment in range(times):
        for number, street in enumerate(streets):
            state = baseline.learn(state, take(street, 100 * moment + number))
    return {(band, Mode.COLOUR): state}


KNOWN = learn(STREET)


def score(picture: Picture, known: dict[BandKey, bytes] = KNOWN, band: int = BAND) -> float | None:
    found = scene.measure(take(picture, 7), known, band)
    return None if found is None else found.value


def tilt(picture: Picture, angle: float) -> Picture:
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), angle, 1.0)
    turned = cv2.warpAffine(picture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(turned, np.uint8)


def test_is_not_judged_before_enough_is_learnt() -> None:
    assert score(STREET, {}) is None
    assert score(STREET, learn(STREET, times=2)) is None
    assert score(STREET, {(BAND, Mode.COLOUR): b"not a state"}) is None


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("the same", STREET),
        ("at dusk", relight(STREET, 0.4)),
        ("in glaring light", relight(STREET, 1.5)),
        ("in fog", relight(STREET, 1.0, veil=0.6)),
        ("shaken by a few pixels", shift(STREET, 4, -3)),
        ("behind a lorry", park_lorry(STREET, (180, 100, 430, 330))),
        ("half covered", cover(STREET, (0, 0, 320, 360))),
        ("inverted by lamplight", np.asarray(255 - STREET, np.uint8)),
    ],
)
def test_the_same_place_is_no_scene_change(name: str, picture: Picture) -> None:
    value = score(picture)
    assert value is not None, name
    assert value < 40.0, name


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("another street", draw_street(2)),
        ("turned by a fifth", shift(STREET, 128)),
        ("turned by an eighth", shift(STREET, -80)),
        ("tilted down", shift(STREET, 0, -70)),
        ("knocked askew", tilt(STREET, 14.0)),
        ("upside down", np.asarray(STREET[::-1, ::-1], np.uint8)),
    ],
)
def test_a_moved_camera_is_found(name: str, picture: Picture) -> None:
    value = score(picture)
    assert value is not None, name
    assert value >= VISIBLE, name


def test_says_where_the_view_went() -> None:
    found = scene.measure(take(shift(STREET, 100), 7), KNOWN, BAND)
    assert found is not None
    assert "+16% of the width" in found.why


def test_returning_presets_are_known() -> None:
    known = learn(STREET, draw_street(2), draw_street(3), times=4)
    for street in (1, 2, 3):
        value = score(draw_street(street), known)
        assert value is not None
        assert value < 40.0
    value = score(draw_street(4), known)
    assert value is not None
    assert value >= VISIBLE


def test_a_camera_that_never_returns_is_not_judged() -> None:
    known = learn(*(draw_street(seed) for seed in range(30)), times=1)
    assert score(draw_street(50), known) is None


def test_other_bands_stand_in_once_they_are_known_well() -> None:
    assert score(STREET, learn(STREET, band=1), BAND) is None
    known = learn(STREET, band=1, times=14)
    value = score(STREET, known, BAND)
    assert value is not None
    assert value < 40.0


def test_what_shows_nothing_is_not_compared() -> None:
    assert score(relight(STREET, 0.01)) is None
    assert score(cover(STREET, (-50, -50, 700, 420))) is None
