"""When devices are asked: evenly, each at its own moments, deep ones seldom."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.health import Depth
from hub.maintenance.intervals import Intervals
from hub.maintenance.schedule import due_in

EVERY = Intervals()
NOW = 1_790_000_000.0


def test_each_device_is_asked_once_an_interval() -> None:
    dues = list(due_in(((n, EVERY) for n in range(1, 1001)), NOW, NOW + 15))
    assert sorted(due.device_id for due in dues) == list(range(1, 1001))


def test_questions_are_spread_evenly() -> None:
    dues = due_in(((n, EVERY) for n in range(1, 70_001)), NOW, NOW + 15)
    by_second = Counter(int(due.at - NOW) for due in dues)
    assert set(by_second) == set(range(15))
    assert max(by_second.values()) < 1.02 * min(by_second.values())


def test_a_shard_is_spread_as_evenly() -> None:
    dues = due_in(((n, EVERY) for n in range(3, 70_000, 256)), NOW, NOW + 15)
    by_second = Counter(int(due.at - NOW) for due in dues)
    assert max(by_second.values()) - min(by_second.values()) <= 4


def test_deep_questions_take_the_place_of_shallow_ones() -> None:
    dues = list(due_in([(42, EVERY)], NOW, NOW + 3600))
    depths = Counter(due.depth for due in dues)
    assert len(dues) == 240
    assert depths[Depth.FRAMES] == 6
    # Where both are due at once, the deeper one answers for the other.
    assert 24 <= depths[Depth.STREAM] <= 30


def test_deep_questions_of_many_devices_do_not_fall_together() -> None:
    dues = due_in(((n, EVERY) for n in range(1, 60_001)), NOW, NOW + 600)
    by_minute = Counter(int((d.at - NOW) / 60) for d in dues if d.depth is Depth.FRAMES)
    assert set(by_minute) == set(range(10))
    assert max(by_minute.values()) < 1.1 * min(by_minute.values())


@pytest.mark.threat("K1")
@given(
    device=st.integers(1, 10**12),
    cuts=st.lists(st.floats(0, 600), min_size=1, max_size=5),
    every=st.floats(5, 90),
)
def test_whoever_takes_over_in_between_asks_neither_twice_nor_never(
    device: int, cuts: list[float], every: float
) -> None:
    intervals = Intervals(answer_s=every)
    edges = [0.0, *sorted(cuts), 600.0]
    parts = [
        due
        for since, until in itertools.pairwise(edges)
        for due in due_in([(device, intervals)], NOW + since, NOW + until)
    ]
    assert parts == list(due_in([(device, intervals)], NOW, NOW + 600))


def test_an_interval_of_its_own() -> None:
    slow = Intervals(answer_s=300, stream_s=300, frames_s=86_400)
    dues = list(due_in([(7, slow)], NOW, NOW + 3600))
    assert len(dues) == 12
    assert {due.depth for due in dues} <= {Depth.STREAM, Depth.FRAMES}
