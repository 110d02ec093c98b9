"""What people say of verdicts, as corrections of one camera's thresholds. Pure.

A correction is a number of points added to the threshold that the profile gives. "This is fine"
at a score lifts the threshold above it, "this is broken" brings it down to the score; where two
people contradict each other the newest wins. No correction can make a lost picture pass.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.quality import Index, Thresholds

# More than the margin of transitions.Confirming: a fault that is fine mends.
MARGIN: Final = 5.0
LOWEST: Final = 5.0
HIGHEST: Final = 95.0
# A black picture scores 100, and so does one that is frozen or covered as can be.
HIGHEST_OF: Final[Mapping[Index, float]] = {Index.SIGNAL: 80.0}
MOST: Final = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody said of one verdict; ``threshold`` is the one that applied then."""

    index: Index
    is_fault: bool
    score: float
    threshold: float
    said_at: datetime


def correct(said: Iterable[Said], thresholds: Thresholds) -> dict[Index, float]:
    """Return the corrections that follow from all that was said, in whatever order it comes.

    ``thresholds`` are those of the camera's profile. Agreement changes nothing. An index that
    the profile does not judge gets no correction.
    """
    corrected: dict[Index, float] = {}
    for one in sorted(said, key=lambda each: (each.said_at, each.is_fault)):
        base = thresholds.get(one.index)
        if base is None:
            continue
        now = base + corrected.get(one.index, 0.0)
        wanted = _wanted(one, now)
        if wanted != now:
            corrected[one.index] = _bounded(one.index, wanted, base) - base
    return {index: points for index, points in corrected.items() if points}


def apply(thresholds: Thresholds, corrections: Mapping[Index, float]) -> dict[Index, float | None]:
    """Return thresholds with the corrections of one camera added, within bounds."""
    return {
        index: None
        if threshold is None
        else _bounded(index, threshold + corrections.get(index, 0.0), threshold)
        for index, threshold in thresholds.items()
    }


def _wanted(one: Said, threshold: float) -> float:
    if one.is_fault:
        return min(threshold, one.score)
    return max(threshold, one.score + MARGIN)


def _bounded(index: Index, wanted: float, base: float) -> float:
    """Return a threshold that neither people nor machines can make senseless."""
    highest = HIGHEST_OF.get(index, HIGHEST)
    within = max(base - MOST, LOWEST, min(wanted, base + MOST, highest))
    # A profile's own threshold stands as it is, however odd.
    return base if wanted == base else within
