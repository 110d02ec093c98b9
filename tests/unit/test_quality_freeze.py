"""Freeze: the same picture again is found; a clock, a living sensor, a still camera are not."""

import cv2
import numpy as np
import pytest

from hub.domain.quality import Mode
from hub.domain.quality_profiles import VISIBLE
from streams.quality import baseline, freeze
from streams.quality.sample import Sample
from streams.quality.stillness import fingerprint
from tests.unit.drawn_streets import Picture, draw_street, relight, sample_of, take, write_clock

STREET = draw_street(1)
BAND = 3


def recode(picture: Picture, quality: int) -> Sample:
    """Send a picture as a JPEG."""
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return sample_of(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))


def score(samples: list[Sample], previous: bytes) -> float | None:
    found = freeze.measure(samples, previous, {}, BAND)
    return None if found is None else found.value


def test_a_fingerprint_is_small_and_always_the_same() -> None:
    once, again = fingerprint(take(STREET, 1)), fingerprint(take(STREET, 1))
    assert once == again
    assert len(once) <= 8 * 1024
    assert fingerprint(take(STREET, 2)) != once


def test_the_same_picture_in_two_frames_and_the_visit_before_is_frozen() -> None:
    same = take(STREET, 1)
    assert score([same, take(STREET, 1)], fingerprint(same)) == 100.0


def test_a_frozen_picture_that_is_encoded_anew_is_frozen() -> None:
    sent = [recode(STREET, 88)]
    for _ in range(2):
        sent.append(recode(sent[-1].bgr, 88))
    assert fingerprint(sent[1]) != fingerprint(sent[2])
    value = score(sent[1:], fingerprint(sent[0]))
    assert value is not None
    assert value >= VISIBLE


def test_a_living_sensor_is_not_frozen() -> None:
    before, first, second = (take(STREET, moment, noise=1.0) for moment in range(3))
    value = score([first, second], fingerprint(before))
    assert value is not None
    assert value < 40.0
    assert not freeze.is_suspicious(first, fingerprint(before))


def test_a_clock_that_moves_shows_that_the_camera_lives() -> None:
    frames = [sample_of(write_clock(STREET, f"12:00:0{second}")) for second in (1, 3)]
    value = score(frames, fingerprint(sample_of(write_clock(STREET, "11:00:00"))))
    assert value is not None
    assert value < 40.0


def test_one_frame_like_the_last_visit_needs_a_second() -> None:
    same = take(STREET, 1)
    value = score([same], fingerprint(same))
    assert value is not None
    assert 40.0 <= value < VISIBLE
    assert freeze.is_suspicious(same, fingerprint(same))


def test_one_frame_unlike_the_last_visit_is_well() -> None:
    assert score([take(STREET, 1)], fingerprint(take(draw_street(2), 1))) == 0.0


def test_two_equal_frames_wait_for_the_next_visit() -> None:
    frames = [take(STREET, 1), take(STREET, 1)]
    for previous in (b"", fingerprint(take(draw_street(2), 1))):
        value = score(frames, previous)
        assert value is not None
        assert 40.0 <= value < VISIBLE


def test_there_is_nothing_to_say_of_one_frame_alone_or_of_black() -> None:
    assert score([], b"") is None
    assert score([take(STREET, 1)], b"") is None
    black = sample_of(relight(STREET, 0.0))
    assert score([black, black], fingerprint(black)) is None
    assert not freeze.is_suspicious(black, fingerprint(black))


def test_a_camera_that_is_still_by_nature_is_no_fault() -> None:
    still = sample_of(STREET)
    state = b""
    for _ in range(6):
        state = baseline.learn(state, still, fingerprint(still))
    known = {(BAND, Mode.COLOUR): state}
    found = freeze.measure([still, still], fingerprint(still), known, BAND)
    assert found is not None
    assert found.value < VISIBLE
    fresh = freeze.measure([still, still], fingerprint(still), {}, BAND)
    assert fresh is not None
    assert fresh.value == 100.0


@pytest.mark.threat("K5")
@pytest.mark.parametrize(
    "previous",
    [
        b"GF",
        fingerprint(take(STREET, 1))[:-1],
        fingerprint(take(STREET, 1)) + b"\0",
        b"XX" + fingerprint(take(STREET, 1))[2:],
        b"\xff" * len(fingerprint(take(STREET, 1))),
    ],
)
def test_a_damaged_fingerprint_is_none(previous: bytes) -> None:
    assert score([take(STREET, 1)], previous) is None
    assert not freeze.is_suspicious(take(STREET, 1), previous)


def test_pictures_of_another_size_are_not_compared() -> None:
    small = sample_of(np.asarray(STREET[:180, :320], np.uint8))
    assert score([small], fingerprint(take(STREET, 1))) is None
