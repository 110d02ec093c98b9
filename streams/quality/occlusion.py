"""Occlusion: covered, sprayed, leaves, a spider web, a sticker on part of the lens.

What lies on the lens or close before it is out of focus: where it is, all that is always seen there
is gone, and nothing sharp stands in its place. So a part of the picture counts in which the
structure every good picture had is missing, and counts less

* the more traces are left in it: fog, dusk and snow make faint, they do not take away;
* the more of what is around it has faded too (fog, rain, darkness);
* where it is bright ground, from below up to the horizon at most: snow;
* the more it is framed or filled by sharp new edges: a lorry stands in the scene.

What is covered is covered by whichever view the picture may show: the lowest score counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import BandKey, Mode, Score
from streams.quality.baseline import usable_views
from streams.quality.grading import VISIBLE_SCORE, Scale
from streams.quality.patches import Patch, fade, find_gone, find_patches
from streams.quality.sample import Sample
from streams.quality.structure import COLUMNS, ROWS, Flags, Floats, Structure, find_structure
from streams.quality.views import AGREES, View, agree

SCALE: Final = Scale(nothing=0.03, visible=0.07, worst=0.45)
"""Share of the picture that is covered."""

VEIL_USUAL: Final = 0.04  # of what _find_veil measures; passers-by and headlights
VEIL_COUNTS: Final = 0.5  # what the rest counts: between the strands something is seen

_NEAR: Final = np.ones((3, 3), np.uint8)
_WIDELY: Final = (9, 9)  # cells
_WEAKER = 0.7  # doublings
_GLARE = 170.0  # levels
_FOREIGN = 0.4  # agreement below which an edge may be another than the one that was there
_OUT_OF_FOCUS = 0.55  # fineness
_DARK = 15.0  # levels: in a darker picture nothing is seen, covered or not
_BLANK = 0.1  # share of cells: a picture that shows less has no mode of its own
_RIVALS = 3  # views of each kind: so many are tried
_NEARLY = 0.6  # a view that explains so much of what the best does may be the one
_KNOWN = 0.5  # share of a young view's lasting edges: a picture that has them shows this view
_KEPT = 0.75  # at most, so much is excused by traces: thin paint leaves some
_YOUNG = 3  # pictures
_YOUNG_SCORE = 60.0  # at most: too few pictures showed this view to tell what is always there
_KIN_VEILED = 0.5  # at least
_LEAST_EXPECTED = 0.08  # share of cells
_LEAST_KIN_SHARE = 0.2  # of the lasting edges
_LEAST_KIN = 30  # cells: with fewer, what is left to be seen does not tell which view it is
_HORIZON = 0.33  # share of the height from above: snow lies below
_LOWEST = 0.95  # share of the height: the ground before the camera


@dataclass(frozen=True, slots=True, kw_only=True)
class _Light:
    """By which light a picture is compared with a view.

    ``is_own``: the view is of this hour. By the light of another hour everything may look faded:
    only that of this hour excuses.
    """

    mode: Mode
    is_own: bool


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
    """Return the lowest score by the views that may be the one: covered is covered by all."""
    tried: list[tuple[float, Score]] = []
    most, is_own = 0.0, True
    for views in usable_views(baselines, band, mode):
        rivals = _find_rivals(views, structure)
        light = _Light(mode=mode, is_own=is_own)
        for explained, view in rivals:
            most = max(most, explained)
            score = _score(view, structure, light)
            if explained >= _NEARLY * most and score.value < VISIBLE_SCORE:
                return score
            tried.append((explained, score))
        is_own = not tried
    likely = [score for explained, score in tried if explained >= _NEARLY * most]
    return min(likely, key=lambda score: score.value, default=None)


def _find_rivals(views: Sequence[View], structure: Structure) -> list[tuple[float, View]]:
    """Return the views a picture may show, with how much of them it explains, most first."""
    rivals = [(_explained(view, structure), view) for view in views if _can_be_covered(view)]
    sure = [one for one in rivals if one[1].pictures >= _YOUNG or one[0] >= _KNOWN]
    return sorted(sure, key=lambda one: -one[0])[:_RIVALS]


def _can_be_covered(view: View) -> bool:
    return float(view.expected.mean()) >= _LEAST_EXPECTED


def _explained(view: View, structure: Structure) -> float:
    """Return the share of a view's lasting edges that the picture has where they belong."""
    lasting = view.lasting
    found = np.count_nonzero(lasting & (agree(view, structure) > AGREES))
    return float(found) / max(1.0, float(lasting.sum()))


def _score(view: View, structure: Structure, light: _Light) -> Score:
    agreement = agree(view, structure)
    patches = find_patches(view, structure)
    covered = sum(patch.area * _weigh(patch, light) for patch in patches)
    # Strands are seen where the camera's own light shines on them.
    veiled = 0.0
    if light.mode is Mode.INFRARED:
        veiled = _find_veil(view, structure, agreement, _find_snow(patches))
    kin = _find_kinship(view, structure, agreement)
    weather = _find_weather(view, structure) if light.is_own else 0.0
    veiled *= 1.0 - weather
    strands = VEIL_COUNTS * max(0.0, veiled - VEIL_USUAL)
    # Strands before it make a view look like another one.
    share = kin * covered * (1.0 - 0.6 * weather) + max(kin, _KIN_VEILED) * strands
    value = SCALE.grade(share)
    if view.pictures < _YOUNG:
        value = min(value, _YOUNG_SCORE)
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


def _find_snow(patches: Sequence[Patch]) -> Flags:
    """Find the cells of snow, and those beside them."""
    snow = np.zeros((ROWS, COLUMNS), np.uint8)
    for patch in patches:
        if _snowed(patch) > 0.0:
            snow |= patch.cells.astype(np.uint8)
    return cv2.dilate(snow, _NEAR, iterations=2).astype(np.bool_)


def _find_veil(view: View, structure: Structure, agreement: Floats, snow: Flags) -> float:
    """Measure a spider's web: bright strands out of focus before a picture that is still there.

    Three shares of the picture, the first whole, the others by half: where the structure is weaker
    than around it; where strong new edges are out of focus; where it is weaker and glaring.
    """
    expected = view.expected
    faded = np.where(expected, fade(view, structure), np.float32(0.0))
    usual = cv2.blur(faded, _WIDELY) / (cv2.blur(expected.astype(np.float32), _WIDELY) + 1e-3)
    patchy = expected & (faded - usual < -_WEAKER)
    foreign = ~expected | (agreement < _FOREIGN)
    strong = structure.strength > 2.0 * structure.floor
    soft = strong & (structure.fineness < _OUT_OF_FOCUS) & foreign
    glaring = expected & (faded < -_WEAKER) & (structure.luma > _GLARE)
    cells = max(1.0, float(expected.sum()))
    known = float((patchy & ~snow).sum()) + 0.5 * float((glaring & ~snow).sum())
    return known / cells + 0.5 * float((soft & ~snow).mean())


def _find_kinship(view: View, structure: Structure, agreement: Floats) -> float:
    """Return how surely what is still seen is this view at all, 0.1 to 1; else it was moved."""
    seen = view.lasting & structure.seen & ~find_gone(view, structure)
    if seen.sum() < max(_LEAST_KIN, _LEAST_KIN_SHARE * view.lasting.sum()):
        return 1.0
    return 0.1 + 0.9 * _ramp(float((agreement[seen] > AGREES).mean()), 0.35, 0.5)


def _find_weather(view: View, structure: Structure) -> float:
    """Return how surely all there is to see has faded (fog, snow, rain, dusk), 0 to 1."""
    known = view.expected & structure.seen
    if known.sum() < 0.25 * view.expected.sum():
        return 0.0
    return _ramp(-float(np.median(fade(view, structure)[known])), 0.3, 0.8)


def _weigh(patch: Patch, light: _Light) -> float:
    """Return how surely a patch is covered, 0 to 1."""
    # Nothing that stands in the scene fills the picture; the clock is sharp before any cover.
    thing = 0.9 * _ramp(patch.sharpness, 0.85, 1.4) * (1.0 - _ramp(patch.area, 0.5, 0.8))
    filled = 1.0 - _ramp(patch.gone, 0.25, 0.6)
    lies = (1.0 - thing) * (1.0 - 0.6 * filled)
    if not light.is_own:
        return lies
    faint = _ramp(patch.trace, 0.1, 0.4) * _ramp(-patch.faded, 0.15, 0.5)
    kept = _KEPT * _ramp(patch.trace, 0.3, 0.65)
    return lies * (1.0 - max(faint, kept, _snowed(patch)))


def _snowed(patch: Patch) -> float:
    """Return how surely a patch is snow: bright ground, from below up to the horizon at most."""
    if patch.region.bottom < _LOWEST or patch.region.top < _HORIZON:
        return 0.0
    return _ramp(patch.brighter, 5.0, 20.0)


def _explain(patch: Patch) -> str:
    if patch.sharpness > 1.3:
        return ", but what is there instead has sharp edges: it stands in the scene"
    if _snowed(patch) > 0.5:
        return ", but it is bright and on the ground, as snow is"
    if patch.trace > 0.3:
        return ", but traces of it are left, as in fog or in the dark"
    return ""


def _ramp(figure: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (figure - start) / (end - start)))
