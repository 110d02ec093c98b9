"""Jitter: the whole picture shakes from frame to frame.

How far the picture moved between two frames is found by phase correlation of the gradients in
parts of the picture (Kuglin & Hines, 1975); the median over the parts is the camera's, so that cars
that fill less than half of them do not count. A camera that pans moves on; one that shakes moves
to and fro, which is what the second difference of its positions shows.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Sample

SCALE: Final = Scale(nothing=0.15, visible=0.5, worst=2.0)
"""Root mean square shaking, per cent of the picture's width: 0.5 is 10 pixels of 1,920."""

_LEAST_FRAMES = 3
_CANVAS: Final = (384, 216)  # pixels
_PART: Final = (128, 108)  # pixels: six parts
_WINDOW: Final = cv2.createHanningWindow(_PART, cv2.CV_32F)
_SURE = 0.08  # response of the correlation below which a part tells nothing
_LEAST_PARTS = 3

Floats = NDArray[np.float32]


def measure(samples: Sequence[Sample]) -> Score | None:
    """Score the shaking between at least three frames of one visit.

    None: fewer frames, or too little is seen to follow (dark, covered).
    """
    if len(samples) < _LEAST_FRAMES:
        return None
    edges = [_find_edges(sample) for sample in samples]
    moves = [_find_move(before, after) for before, after in pairwise(edges)]
    known = [move for move in moves if move is not None]
    if len(known) < len(moves):
        return None
    # Positions with independent errors of variance v have second differences of variance 6 v.
    bends = np.diff(np.array(known), axis=0)
    shaking = float(np.sqrt(np.mean(np.sum(bends**2, axis=1)) / 6.0)) * 100.0 / _CANVAS[0]
    furthest = float(np.max(np.hypot(*np.array(known).T))) * 100.0 / _CANVAS[0]
    return Score(
        value=SCALE.grade(shaking),
        why=f"The picture shakes by {shaking:.2f} % of its width, at most {furthest:.2f} % between"
        f" two of {len(samples)} frames.",
    )


def _find_edges(sample: Sample) -> Floats:
    small = cv2.resize(sample.grey, _CANVAS, interpolation=cv2.INTER_AREA).astype(np.float32)
    across = cv2.Sobel(small, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(small, cv2.CV_32F, 0, 1, ksize=3)
    # The root keeps one lamp or one line of text from outweighing the rest.
    return np.asarray(np.sqrt(np.hypot(across, down)), np.float32)


def _find_move(before: Floats, after: Floats) -> tuple[float, float] | None:
    """Return how far the picture moved (canvas pixels); None where too few parts tell."""
    found = []
    for top in range(0, _CANVAS[1], _PART[1]):
        for left in range(0, _CANVAS[0], _PART[0]):
            part = np.s_[top : top + _PART[1], left : left + _PART[0]]
            shift, response = cv2.phaseCorrelate(before[part], after[part], _WINDOW)
            if response >= _SURE:
                found.append(shift)
    if len(found) < _LEAST_PARTS:
        return None
    right, down = np.median(np.array(found), axis=0)
    return float(right), float(down)
