"""Movement: what goes through a scene is found; noise, light, trembling and clocks are not it."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from hub.domain.quality import CheckOrder, Codec, Index
from hub.patrols.walking.doubt import LEAST_MOVED
from streams.quality import motion
from streams.quality.decoding import decode
from streams.quality.judging import judge
from streams.quality.motion import MOST_REGIONS, Motion
from streams.quality.sample import Sample
from tests.encoded_frames import as_frame, build_jpeg, build_key_frame
from tests.unit.drawn_streets import Picture, draw_street, relight, sample_of, shift, take

STREET = draw_street(1)
NIGHT = relight(STREET, 0.25)
SIGNAL = {Index.SIGNAL: 50.0}


def walker(street: Picture, x: int, *, tall: int = 60, foot: int = 300) -> Picture:
    """Somebody or something upright stands there, darker than the ground or, by night, lighter."""
    picture = street.copy()
    coat = (25, 20, 60) if street[foot, x].mean() > 60 else (60, 52, 58)
    centre = (x, foot - tall // 2)
    cv2.ellipse(picture, centre, (max(2, tall // 6), tall // 2), 0, 0, 360, coat, -1)
    return picture


def measure(*frames: Sample) -> Motion:
    found = motion.measure(frames)
    assert found is not None
    return found


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_frames_tell_nothing(count: int) -> None:
    assert motion.measure([take(STREET, moment) for moment in range(count)]) is None


def test_frames_of_different_sizes_tell_nothing() -> None:
    odd = sample_of(np.ascontiguousarray(STREET[:200]))
    assert motion.measure([take(STREET), take(STREET, 1), odd]) is None


@pytest.mark.parametrize("street", [STREET, NIGHT])
@pytest.mark.parametrize("noise", [2.0, 10.0, 18.0])
def test_nothing_moves_in_an_empty_street_by_day_and_by_night(
    street: Picture, noise: float
) -> None:
    for seed in range(0, 9, 3):
        found = measure(*(take(street, seed + moment, noise) for moment in range(3)))
        assert found == Motion(share=0.0)


@pytest.mark.parametrize("street", [STREET, NIGHT])
def test_somebody_who_walks_is_found_where_he_walks(street: Picture) -> None:
    places = (200, 240, 280)
    found = measure(*(take(walker(street, x), x, 6.0) for x in places))
    assert found.share > LEAST_MOVED
    for x in places:
        assert any(
            region.left <= x / 640 <= region.right and region.top <= 0.75 <= region.bottom
            for region in found.regions
        )


def test_what_a_thrifty_encoder_makes_of_a_noisy_night_is_no_movement() -> None:
    def encoded(pictures: Sequence[Picture]) -> list[Sample]:
        samples = []
        for seed, picture in enumerate(pictures):
            grain = np.random.default_rng(seed).normal(0.0, 12.0, picture.shape[:2])[..., None]
            noisy = np.clip(picture + grain, 0, 255).astype(np.uint8)
            frame = as_frame(build_key_frame(Codec.H264, noisy, crf=38), Codec.H264)
            samples.append(sample_of(decode(frame).bgr))
        return samples

    assert measure(*encoded([NIGHT] * 3)).share < LEAST_MOVED
    walking = [walker(NIGHT, x, tall=90, foot=310) for x in (150, 300, 450)]
    assert measure(*encoded(walking)).share > LEAST_MOVED


def test_what_comes_late_what_left_early_and_what_creeps_is_found_too() -> None:
    empty, there = [take(STREET, moment) for moment in range(3)], take(walker(STREET, 320), 9)
    assert measure(*empty[:2], there).share > LEAST_MOVED
    assert measure(there, *empty[:2]).share > LEAST_MOVED
    assert measure(*(take(walker(STREET, x, tall=90), x) for x in (300, 312, 324))).share > 0.0


def test_a_larger_thing_moves_more_of_the_picture() -> None:
    shares = [
        measure(*(take(walker(STREET, x, tall=tall), x) for x in (100, 250, 400))).share
        for tall in (30, 60, 120)
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[2] / 4


def test_light_that_changes_everywhere_is_no_movement() -> None:
    lit = [relight(STREET, gain) for gain in (1.0, 1.06, 0.94)]
    found = measure(*(take(picture, moment) for moment, picture in enumerate(lit)))
    assert found.share < LEAST_MOVED


@pytest.mark.parametrize("step", [1, 2, 6, 20])
def test_a_camera_that_trembles_in_the_wind_is_no_movement(step: int) -> None:
    moves = ((0, 0), (step, 0), (-step, step // 2))
    found = measure(*(take(shift(STREET, *way), n) for n, way in enumerate(moves)))
    assert found.share < LEAST_MOVED


def test_somebody_is_found_though_the_camera_trembles() -> None:
    moves = ((0, 0), (6, 0), (-6, 3))
    seen = [shift(walker(STREET, 150 + 100 * n, tall=90), *way) for n, way in enumerate(moves)]
    found = measure(*(take(picture, n) for n, picture in enumerate(seen)))
    assert found.share > LEAST_MOVED


def test_the_clock_a_camera_writes_and_an_insect_are_no_movement() -> None:
    frames = []
    for second in range(3):
        picture = STREET.copy()
        for baseline in (28, 350):
            text = f"2026-11-22 23:59:{47 + 6 * second}"
            cv2.putText(picture, text, (8, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,) * 3, 2)
        cv2.circle(picture, (100 + 150 * second, 150), 4, (250, 250, 250), -1)
        frames.append(take(picture, second))
    assert measure(*frames) == Motion(share=0.0)


@pytest.mark.parametrize("drops", [20, 120])
def test_rain_and_snow_in_the_light_of_a_lamp_are_no_movement(drops: int) -> None:
    rng = np.random.default_rng(drops)
    rain, snow, both = [], [], []
    for moment in range(3):
        wet, white = NIGHT.copy(), NIGHT.copy()
        for x, y, size in rng.integers((0, 0, 2), (640, 360, 5), (drops, 3)).tolist():
            cv2.line(wet, (x, y), (x + 4, y + 12 * size), (150, 150, 150), 2)
            cv2.circle(white, (x, y), size, (190, 190, 190), -1)
        rain.append(take(wet, moment))
        snow.append(take(white, moment))
        there = 100 + 120 * moment
        both.append(take(walker(wet, there, tall=110, foot=310), moment))
    assert measure(*rain).share < LEAST_MOVED
    assert measure(*snow).share < LEAST_MOVED
    assert measure(*both).share > LEAST_MOVED


def test_regions_are_few_and_the_largest_comes_first() -> None:
    frames = []
    for moment in range(3):
        picture = STREET
        for n in range(6):
            picture = walker(picture, 60 + 100 * n + 20 * moment, tall=20 + 12 * n, foot=310)
        frames.append(take(picture, moment))
    found = measure(*frames)
    assert 2 <= len(found.regions) <= MOST_REGIONS
    widest = found.regions[0]
    assert widest.bottom - widest.top >= found.regions[-1].bottom - found.regions[-1].top


def order(*pictures: Picture, **told: object) -> CheckOrder:
    frames = tuple(as_frame(build_jpeg(picture)) for picture in pictures)
    usual = {"frames": frames, "thresholds": SIGNAL, "infrared": SIGNAL, **told}
    return CheckOrder(**usual)  # type: ignore[arg-type]  # by name


def test_it_is_measured_where_it_is_wanted_behind_masks_and_not_without_a_signal() -> None:
    seen = [walker(STREET, x) for x in (200, 240, 280)]
    assert judge(order(*seen)).moved is None
    check = judge(order(*seen, wants_movement=True))
    assert check.moved is not None
    assert check.moved > LEAST_MOVED
    assert check.moving
    mask = ((0.2, 0.5), (0.6, 0.5), (0.6, 0.9), (0.2, 0.9))
    assert judge(order(*seen, wants_movement=True, masks=(mask,))).moved == 0.0
    black = [np.zeros_like(STREET)] * 3
    assert judge(order(*black, wants_movement=True)).moved is None


def test_the_picture_kept_is_as_wide_as_wanted_where_the_camera_gives_it() -> None:
    large = np.asarray(cv2.resize(STREET, (1920, 1080)), np.uint8)
    for width, kept in ((640, 640), (1280, 1280), (4000, 1920)):
        check = judge(order(large, evidence_width=width))
        picture = cv2.imdecode(np.frombuffer(check.evidence, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[:2] == (kept * 9 // 16, kept)
        assert (check.width, check.height) == (1920, 1080)


def test_what_is_judged_does_not_depend_on_the_picture_that_is_kept() -> None:
    large = np.asarray(cv2.resize(STREET, (1920, 1080)), np.uint8)
    every = dict.fromkeys(Index, 50.0)
    small, wide = (
        judge(order(large, thresholds=every, evidence_width=width)) for width in (640, 1280)
    )
    for one, other in zip(small.findings, wide.findings, strict=True):
        assert one.index is other.index
        assert one.score == pytest.approx(other.score, abs=4.0)
