"""Occlusion: covered, sprayed, leaves, a spider web, a sticker on part of the lens.

What lies on the lens or close before it is out of focus: where it is, all that is always seen there
is gone, and nothing sharp stands in its place. So a part of the picture counts in which the
structure every good picture had is missing, and counts less

* the more traces are left in it: fog and dusk make faint, they do not take away;
* the more of what is around it has faded too (fog, rain, darkness);
* where it is brighter than the rest and traces are left: fresh snow;
* the more it is framed or filled by sharp new edges: a lorry stands in the scene.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import BandKey, Mode, Region, Score
from streams.quality.baseline import usable_views
from streams.quality.grading import VISIBLE_SCORE, Scale
from streams.quality.sample import Sample
from streams.quality.structure import (
    CELLS,
    COLUMNS,
    ROWS,
    Directions,
    Flags,
    Floats,
    Structure,
    find_structure,
)
from streams.quality.views import AGREES, View, agree, correlate

SCALE: Final = Scale(nothing=0.03, visible=0.09, worst=0.45)
"""Share of the picture that is covered."""

VEIL_USUAL: Final = 0.04  # of what _find_veil measures; passers-by and headlights
VEIL_COUNTS: Final = 0.5  # what the rest counts: between the strands something is seen

_WIDELY: Final = (9, 9)  # cells
_WEAKER = 0.7  # doublings
_GLARE = 170.0  # levels
_FOREIGN = 0.4  # agreement below which an edge may be another than the one that was there
_OUT_OF_FOCUS = 0.55  # fineness
_DARK = 15.0  # levels: in a darker picture nothing is seen, covered or not
_BLANK = 0.1  # share of cells: a picture that shows less has no mode of its own
_RIVALS = 3  # views of each kind: so many are tried
_NEARLY = 0.9  # a view that explains nearly as much as the best may be the one
_LEAST_EXPECTED = 0.08  # share of cells
_LEAST_KIN = 30  # cells: with fewer, what is left to be seen does not tell which view it is
_NEAR: Final = np.ones((3, 3), np.uint8)
_SMALLEST = 0.03  # share of the picture: less is a passer-by
_ALL_FADED = -1.0  # doublings: where nothing else is seen, the rest may be as faint
_GROUND = 0.65  # share of the picture: no snow lies on more of it
_SHADOW = 2.0  # doublings: a quarter of the usual contrast
_DISAGREE = 0.2  # agreement below which an edge is not the one that was there


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A part of the picture where what is always seen is missing.

    ``area``: share of the picture; ``gone``: share of it where nothing is seen at all;
    ``trace``: how much of the old structure is left, faint, -1 to 1; ``edged``: share of its rim
    with strong new edges; ``sharpness``: of its rim, against the usual of the picture;
    ``faded``: doublings by which the cells further round have changed; ``brighter``: levels above
    the rest.
    """

    area: float
    gone: float
    trace: float
    edged: float
    sharpness: float
    faded: float
    brighter: float
    region: Region


def find_patches(view: View, structure: Structure) -> list[Patch]:
    """Find the parts of a picture where the structure of a view is missing."""
    agreement = agree(view, structure)
    expected = view.expected
    lost = _find_gone(view, structure) | (view.lasting & (agreement < _DISAGREE))
    share = cv2.blur(expected.astype(np.float32), (3, 3))
    missing = (cv2.blur(lost.astype(np.float32), (3, 3)) > 0.5 * share) & (share > 0.2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8))
    return [
        _describe(labels == label, view, structure, agreement)
        for label in range(1, count)
        if stats[label][cv2.CC_STAT_AREA] >= _SMALLEST * CELLS
    ]


def _find_gone(view: View, structure: Structure) -> Flags:
    """Find the cells where nothing is seen, or a shadow of it: through thin paint."""
    return view.expected & (~structure.seen | (_fade(view, structure) < -_SHADOW))


def _describe(inside: Flags, view: View, structure: Structure, agreement: Floats) -> Patch:
    shape = inside.astype(np.uint8)
    rim = (cv2.dilate(shape, _NEAR) - cv2.erode(shape, _NEAR)).astype(np.bool_)
    if not rim.any():
        rim = inside
    usual = max(1.0, float(np.exp2(np.median(view.strength[view.expected]))) - 1.0)
    foreign = structure.seen & (agreement < 0.3) & (structure.strength >= 0.5 * usual)
    expected = inside & view.expected
    lasting = inside & view.lasting
    faded = _fade(view, structure)
    near = cv2.dilate(shape, _NEAR, iterations=6) > cv2.dilate(shape, _NEAR, iterations=2)
    near &= view.expected & structure.seen
    rows, columns = np.nonzero(inside)
    return Patch(
        area=float(inside.mean()),
        gone=float(_find_gone(view, structure)[expected].mean()) if expected.any() else 0.0,
        trace=_find_trace(view.directions[lasting], structure.directions[lasting]),
        edged=float(foreign[rim].mean()),
        sharpness=float(np.percentile(structure.strength[rim], 80)) / usual,
        faded=float(np.median(faded[near])) if near.sum() >= 8 else _ALL_FADED,
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


def measure(sample: Sample, baselines: Mapping[BandKey, bytes], band: int) -> Score | None:
    """Score the share of the picture where what is always there has gone, with its region.

    None: too little is learnt yet, or the camera never showed much that could be covered. There is
    no verdict without a baseline: a bare wall and a cloth before the lens look the same.
    """
    structure = find_structure(sample)
    if float(structure.luma.mean()) < _DARK:
        return None
    best = _compare(structure, baselines, band, sample.mode)
    if best is None and float(structure.seen.mean()) < _BLANK:
        # A cloth has no colour; the camera that it covers still has a mode of its own.
        other = Mode.COLOUR if sample.mode is Mode.INFRARED else Mode.INFRARED
        best = _compare(structure, baselines, band, other)
    return best


def _compare(
    structure: Structure, baselines: Mapping[BandKey, bytes], band: int, mode: Mode
) -> Score | None:
    """Return the best score by the views that explain most of the picture."""
    tried: list[tuple[int, Score]] = []
    # By the light of another hour everything may look faded: only that of this hour excuses.
    own_light = True
    for views in usable_views(baselines, band, mode):
        rivals = sorted(
            ((_explained(view, structure), view) for view in views if _can_be_covered(view)),
            key=lambda rival: -rival[0],
        )[:_RIVALS]
        light = mode if own_light else None
        tried += [(explained, _score(view, structure, light)) for explained, view in rivals]
        own_light = not tried
        best = _choose(tried)
        if best is not None and best.value < VISIBLE_SCORE:
            return best
    return _choose(tried)


def _choose(tried: Sequence[tuple[int, Score]]) -> Score | None:
    most = max((explained for explained, _ in tried), default=0)
    likely = [score for explained, score in tried if explained >= _NEARLY * most]
    return min(likely, key=lambda score: score.value, default=None)


def _can_be_covered(view: View) -> bool:
    return float(view.expected.mean()) >= _LEAST_EXPECTED


def _explained(view: View, structure: Structure) -> int:
    """Count the lasting edges of a view that the picture has where they belong."""
    return int(np.count_nonzero(view.lasting & (agree(view, structure) > AGREES)))


def _score(view: View, structure: Structure, mode: Mode | None) -> Score:
    """Score a picture by a view; ``mode`` is None for a view by another light."""
    agreement = agree(view, structure)
    patches = find_patches(view, structure)
    covered = sum(patch.area * _weigh(patch, mode) for patch in patches)
    # Strands are seen where the camera's own light shines on them.
    veiled = _find_veil(view, structure, agreement) if mode is Mode.INFRARED else 0.0
    kin = _find_kinship(view, structure, agreement)
    weather = _find_weather(view, structure) if mode is not None else 0.0
    veiled *= 1.0 - weather
    strands = VEIL_COUNTS * max(0.0, veiled - VEIL_USUAL)
    value = SCALE.grade(kin * (covered * (1.0 - 0.6 * weather) + strands))
    if not patches and value < VISIBLE_SCORE:
        return Score(value=value, why="Everything that is usually seen is there.")
    worst = max(patches, key=lambda patch: patch.area, default=None)
    if worst is None or veiled > covered:
        why = f"Bright strands out of focus hang before {min(1.0, veiled):.0%} of the picture"
    else:
        area = sum(patch.area for patch in patches)
        why = f"Where something is always seen, nothing is on {area:.0%} of the picture"
    if value < VISIBLE_SCORE and worst is not None:
        why += _explain(worst)
    return Score(value=value, why=f"{why}.", region=worst.region if worst is not None else None)


def _find_veil(view: View, structure: Structure, agreement: Floats) -> float:
    """Measure a spider's web: bright strands out of focus before a picture that is still there.

    Three shares of the picture, the first whole, the others by half: where the structure is weaker
    than around it; where strong new edges are out of focus; where it is weaker and glaring.
    """
    expected = view.expected
    fade = np.where(expected, _fade(view, structure), np.float32(0.0))
    usual = cv2.blur(fade, _WIDELY) / (cv2.blur(expected.astype(np.float32), _WIDELY) + 1e-3)
    patchy = expected & (fade - usual < -_WEAKER)
    foreign = ~expected | (agreement < _FOREIGN)
    strong = structure.strength > 2.0 * structure.floor
    soft = strong & (structure.fineness < _OUT_OF_FOCUS) & foreign
    glaring = expected & (fade < -_WEAKER) & (structure.luma > _GLARE)
    cells = max(1.0, float(expected.sum()))
    known = float(patchy.sum()) + 0.5 * float(glaring.sum())
    return known / cells + 0.5 * float(soft.mean())


def _find_kinship(view: View, structure: Structure, agreement: Floats) -> float:
    """Return how surely what is still seen is this view at all, 0.3 to 1; else it was moved."""
    seen = view.lasting & structure.seen
    if seen.sum() < _LEAST_KIN:
        return 1.0
    return 0.3 + 0.7 * _ramp(float((agreement[seen] > AGREES).mean()), 0.35, 0.5)


def _find_weather(view: View, structure: Structure) -> float:
    """Return how surely all there is to see has faded (fog, snow, rain, dusk), 0 to 1."""
    known = view.expected & structure.seen
    if known.sum() < 0.25 * view.expected.sum():
        return 0.0
    return _ramp(-float(np.median(_fade(view, structure)[known])), 0.3, 0.8)


def _fade(view: View, structure: Structure) -> Floats:
    """Return by how many doublings each cell is stronger than usual."""
    return np.asarray(np.log2(structure.strength + np.float32(1.0)) - view.strength, np.float32)


def _weigh(patch: Patch, mode: Mode | None) -> float:
    """Return how surely a patch is covered, 0 to 1."""
    thing = 0.9 * _ramp(patch.sharpness, 0.85, 1.4)
    filled = 1.0 - _ramp(patch.gone, 0.25, 0.6)
    if mode is None:
        return (1.0 - thing) * (1.0 - 0.6 * filled)
    faint = _ramp(patch.trace, 0.1, 0.4) * _ramp(-patch.faded, 0.15, 0.5)
    snowed = _ramp(patch.brighter, 15.0, 45.0)
    # By infrared light snow glares and drowns its traces; what lies on the lens is found by day.
    drowned = mode is Mode.INFRARED and patch.area < _GROUND
    kept = 0.35 * _ramp(patch.trace, 0.3, 0.7)
    kept += 0.65 * snowed * (1.0 if drowned else _ramp(patch.trace, 0.15, 0.4))
    kept = max(kept, snowed if drowned else 0.0)
    return (1.0 - thing) * (1.0 - 0.6 * filled) * (1.0 - max(faint, kept))


def _explain(patch: Patch) -> str:
    if patch.sharpness > 1.3:
        return ", but what is there instead has sharp edges: it stands in the scene"
    if patch.trace > 0.3:
        return ", but traces of it are left, as in fog or in the dark"
    return ""


def _ramp(figure: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (figure - start) / (end - start)))
