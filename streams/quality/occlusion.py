"""Occlusion: covered, sprayed, leaves, a spider web, a sticker on part of the lens.

What lies on the lens or close before it is out of focus: where it is, all that is always seen there
is gone, and nothing sharp stands in its place. So a part of the picture counts in which the
structure every good picture had is missing, and counts less

* the more traces are left in it: fog and dusk make faint, they do not take away;
* the more of what is around it has faded too (fog, rain, darkness);
* the more it is framed or filled by sharp new edges: a lorry stands in the scene.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import BandKey, Region, Score
from streams.quality.baseline import usable_views
from streams.quality.grading import VISIBLE_SCORE, Scale
from streams.quality.sample import Sample
from streams.quality.structure import CELLS, COLUMNS, ROWS, Flags, Floats, Structure, find_structure
from streams.quality.views import AGREES, View, agree, correlate

SCALE: Final = Scale(nothing=0.03, visible=0.1, worst=0.45)
"""Share of the picture that is covered."""

VEIL_USUAL: Final = 0.05  # share of the picture with new soft edges (shadows, glare) that is usual
VEIL_COUNTS: Final = (
    0.7  # what such a share beyond it counts: between the strands something is seen
)

_FOREIGN = 0.4  # agreement below which an edge may be another than the one that was there
_OUT_OF_FOCUS = 0.55  # fineness
_RIVALS = 3  # views: so many are tried, the one that explains the picture best is believed
_LEAST_PICTURES = 3  # of a view
_LEAST_EXPECTED = 0.08  # share of cells
_NEAR: Final = np.ones((3, 3), np.uint8)
_SMALLEST = 0.03  # share of the picture: less is a passer-by
_DISAGREE = 0.2  # agreement below which an edge is not the one that was there


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A part of the picture where what is always seen is missing.

    ``area``: share of the picture; ``gone``: share of it where nothing is seen at all;
    ``trace``: how much of the old structure is left, faint, -1 to 1; ``edged``: share of its rim
    with strong new edges; ``sharpness``: of its rim, against the usual of the picture.
    """

    area: float
    gone: float
    trace: float
    edged: float
    sharpness: float
    faded: float
    luma: float
    region: Region


def find_patches(view: View, structure: Structure) -> list[Patch]:
    """Find the parts of a picture where the structure of a view is missing."""
    agreement = agree(view, structure)
    expected = view.expected
    gone = expected & ~structure.seen
    lost = gone | (view.lasting & (agreement < _DISAGREE))
    share = cv2.blur(expected.astype(np.float32), (3, 3))
    missing = (cv2.blur(lost.astype(np.float32), (3, 3)) > 0.5 * share) & (share > 0.2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8))
    return [
        _describe(labels == label, view, structure, agreement)
        for label in range(1, count)
        if stats[label][cv2.CC_STAT_AREA] >= _SMALLEST * CELLS
    ]


def _describe(inside: Flags, view: View, structure: Structure, agreement: Floats) -> Patch:
    shape = inside.astype(np.uint8)
    rim = (cv2.dilate(shape, _NEAR) - cv2.erode(shape, _NEAR)).astype(np.bool_)
    if not rim.any():
        rim = inside
    usual = max(1.0, float(np.exp2(np.median(view.strength[view.expected]))) - 1.0)
    foreign = structure.seen & (agreement < 0.3) & (structure.strength >= 0.5 * usual)
    expected = inside & view.expected
    lasting = inside & view.lasting
    faded = np.log2(structure.strength + np.float32(1.0)) - view.strength
    near = cv2.dilate(shape, _NEAR, iterations=4) > cv2.dilate(shape, _NEAR)
    near &= view.expected & structure.seen
    rows, columns = np.nonzero(inside)
    return Patch(
        area=float(inside.mean()),
        gone=float((~structure.seen)[expected].mean()) if expected.any() else 0.0,
        trace=correlate(view.directions[lasting], structure.directions[lasting]),
        edged=float(foreign[rim].mean()),
        sharpness=float(np.percentile(structure.strength[rim], 80)) / usual,
        faded=float(np.median(faded[near])) if near.sum() >= 8 else 0.0,
        luma=float(structure.luma[inside].mean()),
        region=Region(
            float(columns.min()) / COLUMNS,
            float(rows.min()) / ROWS,
            float(columns.max() + 1) / COLUMNS,
            float(rows.max() + 1) / ROWS,
        ),
    )


def measure(sample: Sample, baselines: Mapping[BandKey, bytes], band: int) -> Score | None:
    """Score the share of the picture where what is always there has gone, with its region.

    None: too little is learnt yet, or the camera never showed much that could be covered. There is
    no verdict without a baseline: a bare wall and a cloth before the lens look the same.
    """
    structure = find_structure(sample)
    best: Score | None = None
    for views in usable_views(baselines, band, sample.mode):
        rivals = [view for view in views if _can_be_covered(view)]
        for view in sorted(rivals, key=lambda view: -_likeness(view, structure))[:_RIVALS]:
            score = _score(view, structure)
            if best is None or score.value < best.value:
                best = score
        if best is not None and best.value < VISIBLE_SCORE:
            break
    return best


def _can_be_covered(view: View) -> bool:
    return view.pictures >= _LEAST_PICTURES and float(view.expected.mean()) >= _LEAST_EXPECTED


def _likeness(view: View, structure: Structure) -> float:
    """Return the share of a view's lasting edges that the picture has where they belong."""
    lasting = view.lasting
    return float((agree(view, structure)[lasting] > AGREES).mean()) if lasting.any() else 0.0


def _score(view: View, structure: Structure) -> Score:
    patches = find_patches(view, structure)
    covered = sum(patch.area * _weigh(patch) for patch in patches)
    veiled = _find_veil(view, structure)
    value = SCALE.grade(covered + VEIL_COUNTS * max(0.0, veiled - VEIL_USUAL))
    if not patches and value < VISIBLE_SCORE:
        return Score(value=value, why="Everything that is usually seen is there.")
    worst = max(patches, key=lambda patch: patch.area * _weigh(patch), default=None)
    if worst is None or veiled > covered:
        why = f"On {veiled:.0%} of the picture are edges out of focus that were never there"
    else:
        area = sum(patch.area for patch in patches)
        why = f"Where something is always seen, nothing is on {area:.0%} of the picture"
    if value < VISIBLE_SCORE and worst is not None:
        why += _explain(worst)
    return Score(value=value, why=f"{why}.", region=worst.region if worst is not None else None)


def _find_veil(view: View, structure: Structure) -> float:
    """Return the share of cells that show strong edges, new and out of focus: strands of a web."""
    foreign = ~view.expected | (agree(view, structure) < _FOREIGN)
    strong = structure.strength > 2.0 * structure.floor
    return float((strong & (structure.fineness < _OUT_OF_FOCUS) & foreign).mean())


def _weigh(patch: Patch) -> float:
    """Return how surely a patch is covered, 0 to 1."""
    thing = _ramp(patch.sharpness, 0.9, 1.7) * 0.85
    filled = 1.0 - _ramp(patch.gone, 0.25, 0.6)
    faint = _ramp(patch.trace, 0.1, 0.4) * _ramp(-patch.faded, 0.15, 0.5)
    kept = 0.35 * _ramp(patch.trace, 0.3, 0.7)
    return (1.0 - thing) * (1.0 - 0.6 * filled) * (1.0 - max(faint, kept))


def _explain(patch: Patch) -> str:
    if patch.sharpness > 1.3:
        return ", but what is there instead has sharp edges: it stands in the scene"
    if patch.trace > 0.3:
        return ", but traces of it are left, as in fog or in the dark"
    return ""


def _ramp(figure: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (figure - start) / (end - start)))
