"""PTZ: a view that stayed is disobedience, whatever passed; a view that changed is not."""

import pytest

from hub.domain.quality_profiles import VISIBLE
from streams.quality import obeying
from tests.unit.drawn_streets import Picture, draw_street, park_lorry, relight, shift, take

STREET = draw_street(1)


def score(last: Picture) -> float:
    found = obeying.measure(take(STREET, 1), take(last, 2))
    assert found is not None
    return found.value


def test_a_view_that_stayed_is_the_worst() -> None:
    assert score(STREET) == 100.0


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("a lorry came", park_lorry(STREET, (180, 100, 430, 330))),
        ("the light changed", relight(STREET, 0.5)),
        ("it trembled", shift(STREET, 3, 2)),
    ],
)
def test_what_passes_is_no_obedience(name: str, last: Picture) -> None:
    assert score(last) >= VISIBLE, name


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_another_view_is_obedience(seed: int) -> None:
    assert score(draw_street(seed)) < 40.0


def test_a_turn_by_a_fifth_is_obedience() -> None:
    assert score(shift(STREET, 128)) < VISIBLE


def test_the_dark_tells_nothing() -> None:
    dark = take(relight(STREET, 0.01), 1)
    assert obeying.measure(dark, take(STREET, 2)) is None
    assert obeying.measure(take(STREET, 1), dark) is None
