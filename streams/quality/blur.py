"""Blur: a lens out of focus, a dome smeared or wet.

Unit: natural logarithm of the ratio of the energies of two bands of detail, twice as coarse to
fine. A contour in focus has as much energy in one band as in the next (about 0); out of focus, the
fine band goes first (Field, Relations between the statistics of natural images, 1987; bands after
Burt and Adelson, The Laplacian Pyramid, 1983). Two figures, the worse one counts:

* *focus*: detail of 4 to 9 pixels to detail of 2 to 4, in the sharpest quarter of what has
  detail at all: things in focus are enough, a soft background is not a fault, and a picture
  without detail (wall, sky, fog) is not judged. 1.04 is a lens that spreads a point over 16 pixels
  of a picture 1920 wide.
* *haze*: detail of 16 to 36 pixels to detail of 4 to 9, where contours are strongest: a smeared
  dome leaves contours sharp but weak, in a halo of scattered light. 1.91 is a dome that scatters
  three quarters of the light.

Noise hides blur: what the plainest parts have in each band is taken off as noise, whatever its
colour, and where detail is not well above it nothing is judged. Strips with clock and name are left
out: they stay sharp in every picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Floats, Sample
from streams.quality.stripes import find_stripes

_FOCUS = Scale(nothing=0.3, visible=1.04, worst=1.9)
_HAZE = Scale(nothing=0.9, visible=1.91, worst=3.0)
_TILE = 32  # pixels: the side of a part
_LEAST_TILES = 6
_LEAST_DETAIL = 1.0  # levels squared: weaker detail is what compression leaves of a plain wall
_LEAST_CONTOURS = 20.0  # levels squared: weaker ones may as well be shades of something plain
_DARK = 14.0  # levels of mean luma: below, noise and cut-off shadows are all there is
_BANDS = 4
_PLAINEST = 5  # percent of the parts that show the noise alone
_CLEAR_OF_NOISE = 3.0  # times the noise in the fine band: detail that is judged
_STEP = float(np.sqrt(1.4**2 - 0.7**2))  # a Gaussian that takes deviation 0.7 to 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Band:
    """Energy of one band in each tile, levels squared, noise taken off.

    ``curved`` is without what runs straight across or down the tile: slats and bars that stand
    close have so much energy in a band of their own that they look like blur.
    """

    all: Floats
    curved: Floats
    noise: float  # in ``curved``


def measure(sample: Sample) -> Score:
    """Score the blur of a picture; 50 at a focus of 1.04 or a haze of 1.91."""
    if not sample.is_large_enough or min(sample.body.shape) < 2 * _TILE:
        return Score(value=0.0, why="The picture is too small to judge its sharpness.")
    if sample.luma < _DARK:
        return Score(value=0.0, why=f"Too dark to judge sharpness: mean luma {sample.luma:.0f}.")
    if find_stripes(sample).has_wave:
        return Score(value=0.0, why="A wave over the picture hides how sharp it is.")
    bands = _measure_bands(sample)
    focus, haze = _measure_focus(bands), _measure_haze(bands)
    if focus is None and haze is None:
        return Score(value=0.0, why="There is too little detail in view to judge sharpness.")
    focus, haze = focus or 0.0, haze or 0.0
    scores = (_FOCUS.grade(focus), _HAZE.grade(haze))
    if scores[0] >= scores[1]:
        why = (
            f"Where the picture is sharpest, detail of 4 to 9 pixels has {np.exp(focus):.1f}"
            f" times the energy of detail half as fine"
            f" ({np.exp(_FOCUS.visible):.1f} is clearly out of focus)."
        )
    else:
        why = (
            f"Contours are weak for what lies between them: detail of 16 to 36 pixels has"
            f" {np.exp(haze):.1f} times the energy of detail of 4 to 9"
            f" ({np.exp(_HAZE.visible):.1f} is a clearly smeared dome)."
        )
    return Score(value=max(scores), why=why)


def _measure_focus(bands: Sequence[_Band]) -> float | None:
    fine, middle = bands[0], bands[1]
    least = max(
        _LEAST_DETAIL, _CLEAR_OF_NOISE * fine.noise, float(np.percentile(middle.curved, 40))
    )
    has_detail = middle.curved >= least
    if int(has_detail.sum()) < _LEAST_TILES:
        return None
    return float(np.percentile(np.log(middle.curved / fine.curved)[has_detail], 25))


def _measure_haze(bands: Sequence[_Band]) -> float | None:
    _, middle, coarse, coarsest = bands
    busy = coarse.all >= np.percentile(coarse.all, 85)
    strong = float(coarsest.all[busy].mean())
    if strong < _LEAST_CONTOURS:
        return None
    return float(np.log(strong / max(float(middle.all[busy].mean()), _LEAST_DETAIL / 4)))


def _measure_bands(sample: Sample) -> Sequence[_Band]:
    """The four bands, finest first: each twice as coarse as the one before."""
    body = sample.body
    tiles = (body.shape[1] // _TILE, body.shape[0] // _TILE)
    part = np.ascontiguousarray(body[: tiles[1] * _TILE, : tiles[0] * _TILE], np.float32)
    level = np.asarray(cv2.GaussianBlur(part, (0, 0), 0.7), np.float32)
    bands: list[_Band] = []
    for _ in range(_BANDS):
        softer = np.asarray(cv2.GaussianBlur(level, (0, 0), _STEP), np.float32)
        bands.append(_measure_band(level - softer, tiles))
        level = np.ascontiguousarray(softer[::2, ::2])
    return bands


def _measure_band(band: Floats, tiles: tuple[int, int]) -> _Band:
    rows, columns = band.shape
    energy = _energy(band, tiles)
    across = cv2.resize(band, (tiles[0], rows), interpolation=cv2.INTER_AREA)
    down = cv2.resize(band, (columns, tiles[1]), interpolation=cv2.INTER_AREA)
    straight = _energy(np.asarray(across, np.float32), tiles)
    straight += _energy(np.asarray(down, np.float32), tiles)
    curved, noise = _without_noise(np.maximum(energy - straight, 0.02 * energy))
    return _Band(all=_without_noise(energy)[0], curved=curved, noise=noise)


def _energy(band: Floats, tiles: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(band * band, tiles, interpolation=cv2.INTER_AREA), np.float32)


def _without_noise(energy: Floats) -> tuple[Floats, float]:
    rank = energy.size * _PLAINEST // 100
    plain = float(np.partition(energy, rank, axis=None)[rank])
    return np.asarray(np.maximum(energy - plain, 0.05 * energy) + 1e-3, np.float32), plain
