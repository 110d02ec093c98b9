"""Parts of a picture in which what is always seen there is missing, and what they look like.

Found by the cells of a grid (structure.py) against a view learnt (views.py): a part is a coherent
group of cells that show nothing, or a shadow of what they always show, or other edges than always.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import Region
from streams.quality.structure import CELLS, COLUMNS, ROWS, Directions, Flags, Floats, Structure
from streams.quality.views import AGREES, View, agree, correlate

ALL_FADED: Final = -1.0  # doublings: where nothing else is seen, the rest may be as faint

_NEAR: Final = np.ones((3, 3), np.uint8)
_SMALLEST = 0.03  # share of the picture: less is a passer-by
_SHADOW = 2.0  # doublings: a quarter of the usual contrast
_DISAGREE = 0.2  # agreement below which an edge is not the one that was there
_NEW = 0.3  # agreement below which a strong edge is a new one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """A part of the picture where what is always seen is missing.

    ``area``: share of the picture; ``gone``: share of it where nothing is seen at all;
    ``trace``: how much of the old structure is left, faint, -1 to 1; ``sharpness``: of the edges
    at its rim that do not belong there, against the usual of the picture; ``faded``: doublings by
    which the cells further round have changed; ``luma``: levels; ``brighter``: levels above the
    rest.
    """

    cells: Flags
    area: float
    gone: float
    trace: float
    sharpness: float
    faded: float
    luma: float
    brighter: float
    region: Region


def find_patches(view: View, structure: Structure) -> list[Patch]:
    """Find the parts of a picture where the structure of a view is missing."""
    agreement = agree(view, structure)
    expected = view.expected
    lost = find_gone(view, structure) | (view.lasting & (agreement < _DISAGREE))
    share = cv2.blur(expected.astype(np.float32), (3, 3))
    missing = (cv2.blur(lost.astype(np.float32), (3, 3)) > 0.5 * share) & (share > 0.2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8))
    return [
        _describe(labels == label, view, structure, agreement)
        for label in range(1, count)
        if stats[label][cv2.CC_STAT_AREA] >= _SMALLEST * CELLS
    ]


def find_gone(view: View, structure: Structure) -> Flags:
    """Find the cells where nothing is seen, or a shadow of it: through thin paint."""
    return view.expected & (~structure.seen | (fade(view, structure) < -_SHADOW))


def fade(view: View, structure: Structure) -> Floats:
    """Return by how many doublings each cell is stronger than usual."""
    return np.asarray(np.log2(structure.strength + np.float32(1.0)) - view.strength, np.float32)


def _describe(inside: Flags, view: View, structure: Structure, agreement: Floats) -> Patch:
    shape = inside.astype(np.uint8)
    rim = (cv2.dilate(shape, _NEAR) - cv2.erode(shape, _NEAR)).astype(np.bool_)
    if not rim.any():
        rim = inside
    usual = max(1.0, float(np.exp2(np.median(view.strength[view.expected]))) - 1.0)
    # The clock the camera writes is as sharp as ever, whatever lies round it.
    known = view.lasting & (agreement > AGREES)
    expected = inside & view.expected
    lasting = inside & view.lasting
    near = cv2.dilate(shape, _NEAR, iterations=6) > cv2.dilate(shape, _NEAR, iterations=2)
    near &= view.expected & structure.seen
    rows, columns = np.nonzero(inside)
    edges = np.where(known, np.float32(0.0), structure.strength)[rim]
    return Patch(
        cells=inside,
        area=float(inside.mean()),
        gone=float(find_gone(view, structure)[expected].mean()) if expected.any() else 0.0,
        trace=_find_trace(view.directions[lasting], structure.directions[lasting]),
        sharpness=float(np.percentile(edges, 80)) / usual,
        faded=float(np.median(fade(view, structure)[near])) if near.sum() >= 8 else ALL_FADED,
        luma=float(structure.luma[inside].mean()),
        brighter=_find_brightness(structure, inside),
        region=Region(
            float(columns.min()) / COLUMNS,
            float(rows.min()) / ROWS,
            float(columns.max() + 1) / COLUMNS,
            float(rows.max() + 1) / ROWS,
        ),
    )


def _find_brightness(structure: Structure, inside: Flags) -> float:
    """Return by how many levels a part is brighter than the rest; 0 without a rest."""
    if inside.all():
        return 0.0
    return float(structure.luma[inside].mean() - structure.luma[~inside].mean())


def _find_trace(usual: Directions, now: Directions) -> float:
    """Return how much of the usual structure is left; at the rim alone it would not count."""
    size = float(np.vdot(usual, usual).real)
    left = float(np.vdot(usual, now).real) / size if size > 0.0 else 0.0
    return min(correlate(usual, now), 1.5 * left)
