"""The fair draw: what it promises it keeps, and nobody can say what it draws tomorrow."""

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.patrols.planning.sampling import (
    Promise,
    check_promise,
    draw,
    draw_village,
    draws,
    foreseeable_share,
)
from hub.store.patrol_candidates import Candidate

Night = frozenset[int]
Draw = Callable[[Sequence[int], Mapping[int, int], Promise, random.Random], Sequence[int]]


def camera(number: int, village: int = 1) -> Candidate:
    return Candidate(
        device_id=number,
        name=f"c{number}",
        area_id=village,
        area_name=f"village {village}",
        area_path=f"county.v{village}",
    )


def ours(
    numbers: Sequence[int], unseen: Mapping[int, int], promise: Promise, rng: random.Random
) -> Sequence[int]:
    return draw_village(numbers, unseen, promise, rng)[0]


def walk_nights(
    make: Draw, count: int, promise: Promise, nights: int, rng: random.Random
) -> list[Night]:
    """What is drawn of ``count`` cameras, night after night."""
    numbers = range(1, count + 1)
    unseen = dict.fromkeys(numbers, 0)
    walked = []
    for _ in range(nights):
        drawn = frozenset(make(list(numbers), unseen, promise, rng))
        unseen = {one: 0 if one in drawn else age + 1 for one, age in unseen.items()}
        walked.append(drawn)
    return walked


@settings(max_examples=50, deadline=None)
@given(
    per_area=st.integers(1, 5),
    within=st.integers(1, 12),
    fill=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_each_camera_is_seen_at_least_as_promised_over_30_nights(
    per_area: int, within: int, fill: float, seed: int
) -> None:
    promise = Promise(per_area=per_area, within_rounds=within)
    count = max(1, round(per_area * within * fill))  # up to the last place that there is
    walked = walk_nights(ours, count, promise, 30 + within, random.Random(seed))
    for first in range(len(walked) - within + 1):
        seen = frozenset().union(*walked[first : first + within])
        assert seen == frozenset(range(1, count + 1)), f"nights {first} to {first + within}"
    assert {len(night) for night in walked} == {min(per_area, count)}


def test_a_promise_not_kept_would_be_noticed() -> None:
    """The same count on a draw that promises nothing: it must find the gap."""

    def any_of_them(
        numbers: Sequence[int], unseen: Mapping[int, int], promise: Promise, rng: random.Random
    ) -> Sequence[int]:
        del unseen
        return rng.sample(list(numbers), promise.per_area)

    promise = Promise(per_area=2, within_rounds=10)
    walked = walk_nights(any_of_them, 12, promise, 40, random.Random(1))
    windows = [frozenset().union(*walked[n : n + 10]) for n in range(31)]
    assert any(len(seen) < 12 for seen in windows)


# --- nobody can say what is drawn tomorrow ---

COUNT, PROMISE, NIGHTS = 20, Promise(per_area=5, within_rounds=30), 1200
BY_CHANCE = PROMISE.per_area / COUNT
Guess = Callable[[list[Night]], list[int]]


def order_by(key: Callable[[int], float]) -> list[int]:
    return sorted(range(1, COUNT + 1), key=key)


def last_seen(past: list[Night], one: int) -> int:
    return max((night for night, drawn in enumerate(past) if one in drawn), default=-1)


def times_seen(past: list[Night], one: int) -> int:
    return sum(one in drawn for drawn in past)


GUESSES: Mapping[str, Guess] = {
    "the longest unseen": lambda past: order_by(lambda one: last_seen(past[-60:], one)),
    "those just seen": lambda past: order_by(lambda one: -last_seen(past[-60:], one)),
    "the least often seen": lambda past: order_by(lambda one: times_seen(past[-60:], one)),
    "the most often seen": lambda past: order_by(lambda one: -times_seen(past[-60:], one)),
    "those seen two nights ago": lambda past: order_by(lambda one: one not in past[-2]),
    "those seen when a cycle ago": lambda past: order_by(
        lambda one: one not in past[-COUNT // PROMISE.per_area]
    ),
    "the next numbers": lambda past: order_by(lambda one: (one - max(past[-1]) - 1) % COUNT),
    "the same numbers": lambda _: order_by(lambda one: one),
}


def foreseen(walked: list[Night]) -> dict[str, float]:
    """Which share of the cameras of a night each way of guessing names beforehand."""
    hits = dict.fromkeys(GUESSES, 0)
    nights = range(60, len(walked))
    for night in nights:
        for name, guess in GUESSES.items():
            named = guess(walked[:night])[: PROMISE.per_area]
            hits[name] += len(walked[night].intersection(named))
    return {name: hit / (len(nights) * PROMISE.per_area) for name, hit in hits.items()}


def test_the_draw_cannot_be_foreseen_from_the_past() -> None:
    """All guesses do as well as chance: 5,700 draws, a standard deviation of less than 0.006."""
    shares = foreseen(walk_nights(ours, COUNT, PROMISE, NIGHTS, random.Random(20261122)))
    assert all(abs(share - BY_CHANCE) < 0.025 for share in shares.values()), shares


def rotate(
    numbers: Sequence[int], unseen: Mapping[int, int], promise: Promise, rng: random.Random
) -> Sequence[int]:
    del rng
    return sorted(numbers, key=lambda one: (-unseen[one], one))[: promise.per_area]


def cycle(
    numbers: Sequence[int], unseen: Mapping[int, int], promise: Promise, rng: random.Random
) -> Sequence[int]:
    """Fair, shuffled, and yet each comes once before any comes again."""
    waiting = sorted(numbers, key=lambda one: -unseen[one])
    oldest = [one for one in waiting if unseen[one] >= promise.per_area - 1] or waiting
    return rng.sample(oldest, min(promise.per_area, len(oldest)))


def by_number(
    numbers: Sequence[int], unseen: Mapping[int, int], promise: Promise, rng: random.Random
) -> Sequence[int]:
    """Some numbers more often than others, as a hash with a fixed key would."""
    del unseen
    heavy = [one for one in numbers for _ in range(3 if one <= COUNT // 2 else 1)]
    picked: dict[int, None] = {}
    while len(picked) < promise.per_area:
        picked[rng.choice(heavy)] = None
    return list(picked)


@pytest.mark.parametrize("make", [rotate, cycle, by_number])
def test_a_draw_that_can_be_foreseen_would_be_noticed(make: Draw) -> None:
    shares = foreseen(walk_nights(make, COUNT, PROMISE, NIGHTS, random.Random(20261122)))
    assert max(abs(share - BY_CHANCE) for share in shares.values()) > 0.05, shares


def test_one_drawn_tonight_may_well_be_drawn_tomorrow() -> None:
    """Whoever saw the light of the camera tonight is not safe from it tomorrow."""
    walked = walk_nights(ours, COUNT, PROMISE, NIGHTS, random.Random(7))
    again = sum(len(a & b) for a, b in pairwise(walked))
    assert again / ((NIGHTS - 1) * PROMISE.per_area) == pytest.approx(BY_CHANCE, abs=0.025)


def test_the_same_past_leads_to_different_draws() -> None:
    unseen = {one: one % 7 for one in range(1, 21)}
    drawn = {
        frozenset(draw_village(list(unseen), unseen, PROMISE, random.Random(seed))[0])
        for seed in range(50)
    }
    assert len(drawn) > 45


# --- the edges ---


def test_villages_are_drawn_each_for_itself_and_small_ones_whole() -> None:
    found = [*(camera(n, 1) for n in range(1, 7)), camera(7, 2), *(camera(n, 3) for n in (8, 9))]
    promise = Promise(per_area=2, within_rounds=3)
    drawn = draw(found, {}, promise, random.Random(3))
    assert [one.area_id for one in drawn] == [1, 1, 2, 3, 3]
    assert draws(found, promise) == 5


def test_what_is_overdue_comes_first_and_the_longest_unseen_before_all() -> None:
    promise = Promise(per_area=2, within_rounds=5)
    unseen = dict.fromkeys(range(1, 11), 0) | {3: 8, 4: 12, 5: 6}
    for seed in range(20):
        picked, forced = draw_village(list(unseen), unseen, promise, random.Random(seed))
        assert set(picked) == {3, 4}
        assert forced == 2


def test_a_camera_that_is_new_waits_no_longer_than_the_others() -> None:
    promise = Promise(per_area=1, within_rounds=4)
    picked, _ = draw_village([1, 2, 3], {1: 0, 2: 1, 3: 3}, promise, random.Random(1))
    assert picked == [3]  # of four rounds three are gone


def test_a_promise_that_cannot_be_kept_is_refused_by_the_biggest_village() -> None:
    found = [*(camera(n, 1) for n in range(1, 7)), *(camera(n, 2) for n in range(10, 31))]
    check_promise(found, Promise(per_area=2, within_rounds=11))
    with pytest.raises(Invalid, match="village 2 has 21 cameras") as caught:
        check_promise(found, Promise(per_area=2, within_rounds=10))
    assert caught.value.field == "within_rounds"
    check_promise([], Promise(per_area=1, within_rounds=1))


def test_how_much_of_a_draw_is_left_to_chance_is_told() -> None:
    assert foreseeable_share(6, Promise(per_area=2, within_rounds=3)) == 1
    assert foreseeable_share(6, Promise(per_area=2, within_rounds=10)) < 0.05
    assert foreseeable_share(2, Promise(per_area=2, within_rounds=1)) == 0  # all, every night
    # A village of thousands is no more work.
    assert foreseeable_share(3000, Promise(per_area=1000, within_rounds=3)) == 1
    assert foreseeable_share(100_000, Promise(per_area=1000, within_rounds=366)) < 0.1
