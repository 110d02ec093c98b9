"""Too dark: by light to see by, not by lamps."""

from streams.quality.darkness import measure
from tests.unit.quality_scenes import draw_night, draw_scene, take


def test_the_score_rises_as_the_light_goes() -> None:
    scores = [measure(take(draw_scene() * gain)).value for gain in (1.0, 0.5, 0.3, 0.2, 0.1, 0.03)]
    assert scores == sorted(scores)
    assert scores[0] == 0
    assert scores[1] < 50 <= scores[3]
    assert scores[-1] > 95


def test_a_street_under_lamps_can_be_seen_and_a_few_lamps_alone_do_not_hide_the_dark() -> None:
    assert measure(take(draw_night())).value < 50
    dark = draw_scene() * 0.04
    dark[100:110, 200:210] = 255
    dark[150:160, 500:510] = 255
    assert measure(take(dark)).value > 70


def test_why_tells_levels_and_shares() -> None:
    why = measure(take(draw_scene() * 0.1)).why
    assert "of 255" in why
    assert "100%" in why
