"""The fair draw of some cameras of each village (抽帧). Pure.

Each camera comes within a promised number of rounds, whatever the dice say: no draw is made
after which the promise could not be kept any more. All else is left to chance, so that a camera
drawn tonight is as likely as any other to be drawn tomorrow.
"""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final, NoReturn

from hub.domain.errors import Invalid
from hub.domain.patrol_details import PlanDetails
from hub.store.patrol_candidates import Candidate

# So many rounds of a draw say how much of it is left to chance.
ROUNDS_TRIED: Final = 100
MOST_TRIED: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """``per_area`` cameras of each village a round, each of them within ``within_rounds``."""

    per_area: int
    within_rounds: int

    @classmethod
    def of(cls, details: PlanDetails) -> "Promise":
        """The promise of a plan."""
        return cls(per_area=details.per_area, within_rounds=details.within_rounds)


def draw(
    found: Sequence[Candidate],
    unseen: Mapping[int, int],
    promise: Promise,
    rng: random.Random,
) -> list[Candidate]:
    """Return the cameras of this round, in the order of the candidates.

    ``unseen``: how many rounds have begun since each camera was looked at, 0: in the last one.
    Where more is overdue than a round can hold (cameras were added, rounds cut short) the longest
    unseen come first.
    """
    villages: dict[int, list[int]] = {}
    for one in found:
        villages.setdefault(one.area_id, []).append(one.device_id)
    drawn: set[int] = set()
    for numbers in villages.values():
        picked, _ = draw_village(numbers, unseen, promise, rng)
        drawn.update(picked)
    return [one for one in found if one.device_id in drawn]


def draw_village(
    numbers: Sequence[int], unseen: Mapping[int, int], promise: Promise, rng: random.Random
) -> tuple[list[int], int]:
    """Return the cameras drawn of one village, and how many of them had to be drawn."""
    # Within how many rounds each has to come, this one counted; less than 1: it is overdue.
    due = {one: promise.within_rounds - unseen.get(one, 0) for one in numbers}
    waiting = Counter(due.values())
    left, picked, forced = list(numbers), [], 0
    for slots in range(min(promise.per_area, len(left)), 0, -1):
        day = _pressing_day(waiting, promise.per_area, slots)
        pool = left if day is None else [one for one in left if due[one] <= day]
        forced += len(pool) <= slots and len(left) > slots
        one = rng.choice(pool)
        left.remove(one)
        waiting[due[one]] -= 1
        picked.append(one)
    return picked, forced


def check_promise(found: Sequence[Candidate], promise: Promise) -> None:
    """Refuse a promise that cannot be kept.

    Raises:
        Invalid: a village has more cameras than its rounds have places.
    """
    biggest = biggest_village(found)
    if biggest is None:
        return
    name, count = biggest
    if promise.per_area * promise.within_rounds < count:
        _refuse(
            f"{name} has {count} cameras, and {promise.per_area} a round for"
            f" {promise.within_rounds} rounds are {promise.per_area * promise.within_rounds}:"
            " draw more of them a round, or promise them within more rounds"
        )


def draws(found: Sequence[Candidate], promise: Promise) -> int:
    """How many cameras are drawn each round."""
    counted = Counter(one.area_id for one in found)
    return sum(min(promise.per_area, count) for count in counted.values())


def biggest_village(found: Sequence[Candidate]) -> tuple[str, int] | None:
    """Return the name of the area with the most cameras and their number; None without any."""
    names = {one.area_id: one.area_name for one in found}
    counted = Counter(one.area_id for one in found).most_common(1)
    return (names[counted[0][0]], counted[0][1]) if counted else None


def foreseeable_share(count: int, promise: Promise) -> float:
    """How much of the draw of a village with ``count`` cameras its promise leaves to no chance.

    Found by trying: near 0 where the promise leaves room, 1 where every place is needed to keep it
    and the rounds repeat themselves. A big village is tried on a small one of the same shape.
    """
    if promise.per_area > MOST_TRIED:
        count = math.ceil(count * MOST_TRIED / promise.per_area)
        promise = replace(promise, per_area=MOST_TRIED)
    numbers = range(count)
    unseen = dict.fromkeys(numbers, 0)
    rng = random.Random(count)  # noqa: S311  # a trial, not the draw itself
    places = forced = 0
    for number in range(promise.within_rounds + ROUNDS_TRIED):
        picked, had_to = draw_village(numbers, unseen, promise, rng)
        if number >= promise.within_rounds:  # before, all began alike
            places, forced = places + len(picked), forced + had_to
        unseen = {one: age + 1 for one, age in unseen.items()} | dict.fromkeys(picked, 0)
    return forced / places if places else 0.0


def _pressing_day(waiting: Mapping[int, int], per_area: int, slots: int) -> int | None:
    """The next place has to go to a camera due by this day for the promise to be kept; None: any.

    Of the cameras due within d rounds, the d - 1 rounds after this one can hold ``per_area``
    each: the others must come now.
    """
    days = sorted(waiting)
    for day, total in zip(days, accumulate(waiting[day] for day in days), strict=True):
        if total - per_area * max(0, day - 1) >= slots:
            return day
    return None


def _refuse(message: str) -> NoReturn:
    raise Invalid(message, field="within_rounds")
