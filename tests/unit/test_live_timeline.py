"""The timeline of a film without gaps, whatever a camera's timestamps do."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.live.timeline import BEGIN, Place, Timeline


def place(stamps: Sequence[int]) -> list[Place]:
    timeline = Timeline()
    return [timeline.place(stamp, is_key=index == 0) for index, stamp in enumerate(stamps)]


def test_steps_are_taken_as_they_are_one_picture_later() -> None:
    places = place([7, 7 + 9000, 7 + 18000, 7 + 21000])
    assert [one.duration for one in places] == [3600, 9000, 9000, 3000]
    assert [one.decode_time - BEGIN for one in places] == [0, 3600, 12600, 21600]


def test_a_timestamp_wraps_around() -> None:
    places = place([0xFFFFFFFF - 3599, 0, 3600])
    assert [one.duration for one in places] == [3600, 3600, 3600]


@pytest.mark.parametrize("jump", [10_000_000, 90_001 + 3600, -10_000_000])
def test_a_jump_is_no_gap(jump: int) -> None:
    stamps = [20_000_000, 20_003_600, 20_003_600 + jump, 20_007_200 + jump]
    assert [one.duration for one in place(stamps)] == [3600] * 4


def test_a_camera_may_send_a_picture_every_other_second() -> None:
    places = place([0, 90_000, 270_000, 450_000])
    assert [one.duration for one in places] == [3600, 90_000, 180_000, 180_000]


def test_what_comes_after_a_loss_follows_at_once() -> None:
    timeline = Timeline()
    timeline.place(0, is_key=True)
    timeline.place(3600, is_key=False)
    timeline.forget()
    assert timeline.place(80_000, is_key=True) == Place(decode_time=BEGIN + 7200, duration=3600)


@given(st.lists(st.integers(0, 0xFFFFFFFF), max_size=40), st.sets(st.integers(0, 39)))
def test_a_timeline_has_no_gap_and_never_turns_back(stamps: list[int], keys: set[int]) -> None:
    timeline = Timeline()
    places = [timeline.place(s, is_key=n in keys) for n, s in enumerate(stamps)]
    for number, (before, after) in enumerate(pairwise(places), start=1):
        follows = before.decode_time + before.duration
        assert after.decode_time >= follows
        assert after.decode_time == follows or number in keys
        assert after.duration > 0
