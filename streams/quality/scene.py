"""Scene change: has the camera been turned, tilted, knocked, or does it show another's view?

The picture's lasting edges are correlated with those of every view learnt (see structure.py). A
view that is darkened, veiled, snowed in or a third hidden by a lorry correlates by 0.4 and more,
another view by 0.3 at most. A camera that was turned a little shows the same edges elsewhere: the
picture fits a view better when it is shifted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from hub.domain.quality import BandKey, Score
from streams.quality.baseline import usable_views
from streams.quality.grading import VISIBLE_SCORE, Scale
from streams.quality.sample import Sample
from streams.quality.structure import COLUMNS, ROWS, Structure, find_structure
from streams.quality.views import View, compare

SCALE: Final = Scale(nothing=0.75, visible=0.36, worst=0.05)
"""Correlation with the likest view."""

SHIFT_SCALE: Final = Scale(nothing=0.0, visible=0.2, worst=0.5)
"""How much better the picture fits when it is shifted."""

_LEAST_LASTING = 20  # cells: a view with fewer lasting edges (sky, a bare wall) proves nothing
_LEAST_SEEN = 0.25  # share of the lasting edges that must be seen for a comparison
_SURE = 0.6  # correlation from which on no shift is looked for
_FURTHEST = (8, 5)  # cells to the side, and up or down
_LEAST_SHIFT = 2  # cells; one is 3 % of the width
_FITS = 0.45  # correlation when shifted that is no chance


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shift:
    """The shift (cells) at which a picture fits a view best, and how well."""

    right: int
    down: int
    likeness: float


def measure(sample: Sample, baselines: Mapping[BandKey, bytes], band: int) -> Score | None:
    """Score how little the picture resembles any view learnt of this camera.

    None: too little is learnt yet, or too little is seen to be compared (dark, fog, covered).
    """
    structure = find_structure(sample)
    best: float | None = None
    likest: View | None = None
    for views in usable_views(baselines, band, sample.mode):
        for view in views:
            likeness = _compare(view, structure)
            if likeness is not None and (best is None or likeness > best):
                best, likest = likeness, view
        if best is not None and best >= _SURE:
            break
    if best is None or likest is None:
        return None
    return _judge(likest, structure, best)


def _compare(view: View, structure: Structure) -> float | None:
    lasting = view.lasting
    where = lasting & structure.seen
    if lasting.sum() < _LEAST_LASTING or where.sum() < _LEAST_SEEN * lasting.sum():
        return None
    return compare(view, structure, where)


def _judge(view: View, structure: Structure, likeness: float) -> Score:
    value = SCALE.grade(likeness)
    if likeness >= _SURE:
        return Score(value=value, why=f"The edges fit the usual view by {_percent(likeness)}.")
    shift = _find_shift(view, structure)
    gain = SHIFT_SCALE.grade(shift.likeness - likeness) if shift.likeness >= _FITS else 0.0
    if gain > value:
        right, down = shift.right / COLUMNS, shift.down / ROWS
        why = (
            f"The usual view has moved by {right:+.0%} of the width and {down:+.0%} of the height:"
            f" so the edges fit by {_percent(shift.likeness)}, unmoved by {_percent(likeness)}."
        )
        return Score(value=gain, why=why)
    word = "no known view by more than" if value >= VISIBLE_SCORE else "the usual view by"
    return Score(value=value, why=f"The edges fit {word} {_percent(likeness)}.")


def _find_shift(view: View, structure: Structure) -> _Shift:
    """Try all shifts of the picture against the view; those that overlap enough count."""
    best = _Shift(right=0, down=0, likeness=-1.0)
    ours = np.where(view.lasting, view.directions, 0)
    theirs = np.where(structure.seen, structure.directions, 0)
    for down in range(-_FURTHEST[1], _FURTHEST[1] + 1):
        for right in range(-_FURTHEST[0], _FURTHEST[0] + 1):
            if max(abs(right), abs(down)) < _LEAST_SHIFT:
                continue
            a = ours[max(0, -down) : ROWS - max(0, down), max(0, -right) : COLUMNS - max(0, right)]
            b = theirs[max(0, down) : ROWS + min(0, down), max(0, right) : COLUMNS + min(0, right)]
            where = (a != 0) & (b != 0)
            if where.sum() < 2 * _LEAST_LASTING:
                continue
            left, other = a[where], b[where]
            left, other = left - left.mean(), other - other.mean()
            norm = float(np.sqrt(np.vdot(left, left).real * np.vdot(other, other).real))
            likeness = float(np.vdot(left, other).real) / norm if norm > 0.0 else 0.0
            if likeness > best.likeness:
                best = _Shift(right=right, down=down, likeness=likeness)
    return best


def _percent(likeness: float) -> str:
    return f"{max(0.0, likeness):.0%}"
