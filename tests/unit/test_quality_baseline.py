"""What is learnt of a camera: how much, how many views, how slowly; and what is no state at all."""

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.quality import Mode
from streams.quality import baseline
from streams.quality.baseline import MAX_STATE, Learnt
from streams.quality.stillness import fingerprint
from streams.quality.structure import find_structure
from streams.quality.views import MAX_VIEWS, compare, read_state
from tests.unit.drawn_streets import draw_street, relight, sample_of, take

NOTHING = Learnt(pictures=0, views=0)


def learn(streets: list[int], state: bytes = b"") -> bytes:
    for moment, street in enumerate(streets):
        state = baseline.learn(state, take(draw_street(street), moment))
    return state


def test_counts_pictures_and_views() -> None:
    state = learn([1, 1, 1])
    assert baseline.summary(state) == Learnt(pictures=3, views=1)
    assert baseline.summary(learn([1, 2, 1, 2, 1])) == Learnt(pictures=5, views=2)


def test_the_same_pictures_give_the_same_state() -> None:
    assert learn([1, 2, 1]) == learn([1, 2, 1])


def test_is_mature_once_a_day_showed_nothing_new() -> None:
    assert not baseline.is_mature(b"")
    assert not baseline.is_mature(learn([1, 1, 1]))
    assert baseline.is_mature(learn([1, 1, 1, 1]))
    assert not baseline.is_mature(learn([1, 2, 3, 4]))  # every picture a new place


def test_a_tour_is_mature_when_its_presets_return() -> None:
    assert baseline.is_mature(learn([1, 2, 3] * 3))


def test_a_camera_steered_by_hand_is_never_mature() -> None:
    state = learn(list(range(40)))
    assert not baseline.is_mature(state)
    assert len(state) <= MAX_STATE
    assert baseline.summary(state).views == MAX_VIEWS


def test_the_view_shown_most_is_not_forgotten() -> None:
    state = learn([1] * 12 + list(range(2, 2 + 2 * MAX_VIEWS)))
    structure = find_structure(take(draw_street(1), 999))
    best = max(compare(view, structure, view.lasting) for view in read_state(state).views)
    assert best > 0.8


def test_ages_slowly_towards_what_is_seen_now() -> None:
    before, after = draw_street(1), draw_street(2)
    mixed = np.where(np.arange(640)[None, :, None] < 500, before, after).astype(np.uint8)
    state = learn([1] * 10)
    target = find_structure(take(mixed, 77))
    likeness = []
    for moment in range(12):
        view = read_state(state).views[0]
        likeness.append(compare(view, target, view.lasting))
        state = baseline.learn(state, take(mixed, 100 + moment))
    assert baseline.summary(state).views == 1
    assert all(later >= earlier - 0.01 for earlier, later in pairwise(likeness))
    assert likeness[1] < likeness[-1]


def test_a_black_picture_teaches_nothing() -> None:
    state = learn([1, 1])
    black = take(relight(draw_street(1), 0.0), 5, noise=0.5)
    assert baseline.learn(state, black) == state


def test_learns_how_still_a_camera_is() -> None:
    still = sample_of(draw_street(1))
    state = b""
    for _ in range(6):
        state = baseline.learn(state, still, fingerprint(still))
    assert read_state(state).still == pytest.approx(1.0, abs=0.01)
    alive = take(draw_street(1), 3)
    for _ in range(30):
        state = baseline.learn(state, alive, fingerprint(still))
    assert read_state(state).still < 0.2


def damaged() -> list[bytes]:
    """States with one thing wrong."""
    state = learn([1, 2])
    return [
        state[:-1],
        state + b"\0",
        state[: len(state) // 2],
        state[:12],
        b"GV",
        b"XX" + state[2:],
        state[:2] + b"\xff" + state[3:],  # another version
        state[:3] + b"\xff" + state[4:],  # 255 views promised
        state[:3] + b"\0" + state[4:],  # none promised, two there
        b"\x80\x04\x95" + state,  # a pickle's beginning
        struct.pack("<2sBBI", b"GV", 1, 7, 2**32 - 1),
        b"\0" * MAX_STATE,
        b"\xff" * (MAX_STATE * 4),
    ]


@pytest.mark.threat("K5")
@pytest.mark.parametrize("state", damaged())
def test_damaged_bytes_are_nothing_learnt(state: bytes) -> None:
    assert baseline.summary(state) == NOTHING
    assert not baseline.is_mature(state)
    assert baseline.summary(baseline.learn(state, take(draw_street(1)))).pictures == 1


@pytest.mark.threat("K5")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 4000), st.integers(0, 255))
def test_a_flipped_byte_never_raises(position: int, value: int) -> None:
    state = bytearray(_TWO_VIEWS)
    state[position % len(state)] = value
    sample = _SAMPLE
    after = baseline.learn(bytes(state), sample)
    assert len(after) <= MAX_STATE
    baseline.is_mature(bytes(state))
    list(baseline.usable_views({(0, Mode.COLOUR): bytes(state)}, 0, Mode.COLOUR))


@pytest.mark.threat("K5")
@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=6000))
def test_random_bytes_are_nothing_learnt(state: bytes) -> None:
    assert baseline.summary(state) == NOTHING


_TWO_VIEWS = learn([1, 2])
_SAMPLE = take(draw_street(1))
