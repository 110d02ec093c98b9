"""Colour cast: a white balance that is far off, an infrared filter stuck out of its place.

Unit: natural logarithm of the ratio of light (linear) of red or blue to green; 0 is neutral, 0.69
is twice as much. The colour of the light is estimated in three ways that err differently: by the
mean (Buchsbaum, 1980), by the bright parts (shades of grey with p = 6, Finlayson and Trezzi, 2004),
and by the strongest contours (grey edge with p = 5, van de Weijer and others, 2007). What all three
agree on is a cast; a coloured scene (meadow, sky, sunset, a painted wall) seldom colours its
contours and its highlights as well. Daylight, shade and household lamps stay within 0.35; one
channel with four times the gain gives 0.6 to 1.6.

Leaves, straw and soil reflect hardly any blue and about as much red as green, contours and all:
towards yellow the figure counts for less. Infrared pictures have no colour to be off, and in the
dark there is too little of it to tell.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Mode, Score
from streams.quality.grading import Scale
from streams.quality.sample import Floats, Sample

_SCALE = Scale(nothing=0.2, visible=0.55, worst=1.6)
_SIZE = (160, 90)  # pixels: small enough to average noise away, large enough to have contours
_ROWS = slice(10, 80)  # without the strips with clock and name
_LIT = (15, 250)  # levels of the brightest channel: what is darker or burnt out has lost its colour
_LEAST_LIT = 800  # pixels
_DARK = 16.0  # levels of mean luma
_LIGHT = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)
_LEAST = 1e-4
_LEAF = 100.0  # degrees below the axis of red: the direction of leaves and straw
_LEAF_REACH = (16.0, 25.0)  # degrees to either side: full discount to here, none from here
_LEAF_COUNTS = 0.42


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cast:
    """How strong, and where to: logarithms of red and of blue to green."""

    strength: float
    red: float
    blue: float


def measure(sample: Sample) -> Score:
    """Score the colour cast of a picture; 50 where all estimates agree on 0.55."""
    if sample.mode is Mode.INFRARED:
        return Score(value=0.0, why="The picture is grey: there is no colour to be off.")
    if sample.luma < _DARK:
        return Score(value=0.0, why=f"Too dark to judge colours: mean luma {sample.luma:.0f}.")
    small = cv2.resize(sample.bgr, _SIZE, interpolation=cv2.INTER_AREA)[_ROWS]
    blue, green, red = cv2.split(small)
    brightest = cv2.max(cv2.max(blue, green), red)
    is_lit = (brightest > _LIT[0]) & (brightest < _LIT[1])
    if int(np.count_nonzero(is_lit)) < _LEAST_LIT:
        return Score(value=0.0, why="Too much is dark or burnt out to judge colours.")
    inside = is_lit[:-1, :-1] & is_lit[1:, :-1] & is_lit[:-1, 1:]
    channels = [_look_at(_LIGHT[channel], is_lit, inside) for channel in (blue, green, red)]
    cast = _agree(np.log(np.array(channels) + _LEAST))
    why = (
        f"The light looks {_name(cast)}: red is {np.exp(cast.red):.2f} times and blue"
        f" {np.exp(cast.blue):.2f} times as strong as green, in mean, highlights and contours"
        f" alike (agreement {cast.strength:.2f}; {_SCALE.visible:.2f} is clearly visible)."
    )
    return Score(value=_SCALE.grade(cast.strength), why=why)


def _look_at(
    light: Floats, is_lit: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """The light of one channel by its mean, its bright parts and its strongest contours."""
    lit = light[is_lit]
    across = light[:-1, 1:] - light[:-1, :-1]
    down = light[1:, :-1] - light[:-1, :-1]
    squares = (across * across + down * down)[inside]
    mean = float(lit.mean())
    bright = float(np.mean((lit * lit * lit) ** 2)) ** (1 / 6)
    contours = float(np.mean(squares * squares * np.sqrt(squares))) if squares.size else 0.0
    return mean, bright, contours ** (1 / 5)


def _agree(logarithms: NDArray[np.float64]) -> _Cast:
    """What the estimates (columns) say alike of the channels (rows: blue, green, red)."""
    blue, green, red = logarithms
    estimates = np.stack([red - green, blue - green], axis=1)
    mean = estimates.mean(axis=0)
    length = float(np.hypot(mean[0], mean[1]))
    if length < _LEAST:
        return _Cast(strength=0.0, red=0.0, blue=0.0)
    agreed = max(0.0, float((estimates @ (mean / length)).min()))
    return _Cast(
        strength=agreed * _discount(float(mean[0]), float(mean[1])),
        red=float(mean[0]),
        blue=float(mean[1]),
    )


def _discount(red: float, blue: float) -> float:
    """How much a cast in this direction counts: leaves are no cast."""
    away = abs(float(np.degrees(np.arctan2(-blue, red))) - _LEAF)
    near, far = _LEAF_REACH
    share = min(1.0, max(0.0, (away - near) / (far - near)))
    return _LEAF_COUNTS + (1.0 - _LEAF_COUNTS) * share


def _name(cast: _Cast) -> str:
    if cast.red >= 0.0:
        return "purple" if cast.blue >= 0.0 else "orange"
    return "blue" if cast.blue >= 0.0 else "green"
