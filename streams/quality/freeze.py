"""Freeze: the same picture again and again.

What the score of one visit means (the default threshold is 50):

* 0 to 39: something moved: a digit of the clock, the noise of a living sensor. Not frozen.
* 40: still, but so is this camera's picture by nature.
* 48: needs a closer look: one frame, the same as an hour ago (fetch a second one:
  ``is_suspicious``); or two frames of one visit that are the same while the visit before differs
  or is unknown (the next visit decides).
* from 80: frames of one visit, at least a second apart, are the same everywhere, the clock on the
  picture included, and so was the visit before.

A camera that repeats one picture but encodes it each time by other settings is not found: that
changes as much as a quiet sensor does.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from hub.domain.quality import BandKey, Mode, Score
from streams.quality.sample import Sample
from streams.quality.stillness import (
    Difference,
    can_change,
    differ,
    differ_within,
    is_still,
)
from streams.quality.views import read_state

FROZEN: Final = 100.0  # to the last bit
FROZEN_BUT_FOR_CODING: Final = 85.0
UNDECIDED: Final = 48.0  # no fault, and no good look at one that stands
STILL_BY_NATURE: Final = 40.0
NEARLY: Final = 25.0

_STILL_BY_NATURE = 0.2  # share of good visits at which nothing had moved


def is_suspicious(sample: Sample, previous: bytes) -> bool:
    """Tell whether one frame looks so like the last visit's that a second must be fetched."""
    return is_still(sample, previous) and can_change(sample)


def measure(
    samples: Sequence[Sample], previous: bytes, baselines: Mapping[BandKey, bytes], band: int
) -> Score | None:
    """Score how surely the camera repeats one picture; ``samples``: of one visit, oldest first.

    None: nothing to compare with, or nothing in the picture that could change (all black).
    """
    if not samples or not can_change(samples[-1]):
        return None
    since = differ(samples[-1], previous)
    within = _within(samples)
    if since is None and within is None:
        return None
    if (since is not None and not since.is_none) or (within is not None and not within.is_none):
        return _moved(since, within)
    if since is None:
        return Score(
            value=UNDECIDED,
            why="Nothing moved between the frames of this visit; there is no earlier visit yet.",
        )
    if within is None:
        return Score(
            value=UNDECIDED,
            why="Nothing moved since the last visit; a second frame of this visit would decide.",
        )
    return _frozen(since, within, _stillness(baselines, band, samples[-1].mode))


def _within(samples: Sequence[Sample]) -> Difference | None:
    """Compare each frame of the visit with the one before; the largest difference counts."""
    found = [
        difference
        for first, second in pairwise(samples)
        if (difference := differ_within(first, second)) is not None
    ]
    return max(found, key=lambda difference: (difference.blocks, difference.pixels), default=None)


def _moved(since: Difference | None, within: Difference | None) -> Score:
    if within is not None and within.is_none:
        return Score(
            value=UNDECIDED,
            why="Nothing moved between the frames of this visit, but since the last visit;"
            " the next visit decides.",
        )
    seen = within or since
    share = max(seen.blocks, seen.pixels) if seen is not None else 1.0
    value = NEARLY * max(0.0, 1.0 - share / 0.02)
    span = "between two frames" if within is not None else "since the last visit"
    return Score(value=value, why=f"{share:.1%} of the picture changed {span}.")


def _frozen(since: Difference, within: Difference, still: float) -> Score:
    if still >= _STILL_BY_NATURE:
        return Score(
            value=STILL_BY_NATURE,
            why=f"Nothing moved since the last visit, as on {still:.0%} of this camera's visits.",
        )
    if since.is_exact and within.is_exact:
        return Score(
            value=FROZEN,
            why="Not one pixel changed between the frames of this visit, nor since the last one.",
        )
    return Score(
        value=FROZEN_BUT_FOR_CODING,
        why="Nothing but the coding changed between the frames of this visit and since the last.",
    )


def _stillness(baselines: Mapping[BandKey, bytes], band: int, mode: Mode) -> float:
    """Return how often this camera's picture was that still when it was known to be good."""
    own = baselines.get((band, mode))
    states = [own] if own is not None else baselines.values()
    return max((read_state(state).still for state in states), default=0.0)
