"""What people say of verdicts, as corrections of one camera's thresholds. Pure.

A correction is a number of points added to the threshold that the profile gives. "This is fine"
at a score lifts the threshold above it, "this is broken" brings it down to the score; where two
people contradict each other the newest wins. Corrections are bounded: a lost picture is always
found, and a threshold does not sink to where good pictures are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.quality import Index, Thresholds

# Points above the score that is fine: more than the margin of transitions.Confirming, so that a
# fault of which it is said is over.
MARGIN: Final = 5.0
MOST_UP: Final = 40.0
MOST_DOWN: Final = 25.0
LOWEST: Final = 25.0
HIGHEST: Final = 95.0
# A black picture scores 100; a "no video" card somewhat less.
HIGHEST_OF: Final[Mapping[Index, float]] = {Index.SIGNAL: 80.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody said of one verdict.

    ``threshold`` is the one of the profile, without the corrections that applied then.
    """

    index: Index
    is_fault: bool
    score: float
    threshold: float
    said_at: datetime


def correct(said: Iterable[Said]) -> dict[Index, float]:
    """Return the corrections that follow from all that was said, in whatever order it comes.

    Agreement with the machine changes nothing.
    """
    corrections: dict[Index, float] = {}
    for one in sorted(said, key=lambda each: (each.said_at, each.is_fault)):
        points = corrections.get(one.index, 0.0)
        if one.is_fault:
            points = min(points, one.score - one.threshold)
        else:
            points = max(points, one.score + MARGIN - one.threshold)
        corrections[one.index] = _bounded(one.index, one.threshold, points) - one.threshold
    return {index: points for index, points in corrections.items() if points}


def apply(thresholds: Thresholds, corrections: Mapping[Index, float]) -> dict[Index, float | None]:
    """Return thresholds with the corrections of one camera added; what is not judged stays so."""
    return {
        index: threshold
        if threshold is None
        else _bounded(index, threshold, corrections.get(index, 0.0))
        for index, threshold in thresholds.items()
    }


def _bounded(index: Index, base: float, points: float) -> float:
    """A threshold with points added that make sense; a profile's own stands, however odd."""
    if points > 0:
        return max(base, min(base + min(points, MOST_UP), HIGHEST_OF.get(index, HIGHEST)))
    return min(base, max(base + max(points, -MOST_DOWN), LOWEST))
