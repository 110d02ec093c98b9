"""Signal loss: black, blue or another plain colour, colour bars, a card "no video".

Unit: share of the picture that is *drawn*: covered by at most nine colours, each of them exactly
the same wherever it is and far from the next. A camera never gives that: even the plainest wall
has shades, and light between its colours. Each cell of 8 x 8 pixels stands for its mean, so that
noise on the line does not hide a card. Text, logos and a clock on a card are what is not covered.

What is black needs more: at night much of a good picture is black. Outside the strips with clock
and name nearly all of it must be, and what is not must be sharp like text, for lamps have halos.
What is white is overexposed, which is a matter of its own. Practice: recorders draw black, blue,
grey or a card; the bars are those of EBU and SMPTE.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Region, Score
from streams.quality.grading import Scale
from streams.quality.sample import Floats, Sample

_DRAWN = Scale(nothing=0.5, visible=0.74, worst=1.0)
_BLACK = Scale(nothing=0.93, visible=0.97, worst=1.0)
_SAME = 2.5  # levels: how far a cell may be from its colour
_SAME_BLACK = 1.0
_APART = 24.0  # levels: two colours of one card differ by more
_MOST_COLOURS = 9
_LEAST_SHARE = 0.03  # of the picture, that a colour must cover
_MOSTLY = 0.5  # of the picture: from here on it is a matter of one colour
_SHADED = 12.0  # levels: what lies this near to a colour without being of it is its shade
_EXACT = (0.72, 0.82)  # the share without shades of what is nearly of one colour: scene, and card
_DARK = 20.0  # levels of the brightest channel: what is called black
_WHITE = 246.0  # levels of the darkest channel
_BRIGHT = 70.0  # levels: a cell with a stroke of text in it
_MOST_HALO = 0.5  # of what is not black: more is light, not text
_STRIP: Final = 6  # of the 45 rows of cells: where clock and name are written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Palette:
    """The colours (BGR, levels) a picture may be drawn with, and the share each covers.

    ``shades`` is the share of cells that nearly have one of the colours.
    """

    colours: tuple[tuple[float, float, float], ...]
    shares: tuple[float, ...]
    shades: float

    @property
    def covers(self) -> float:
        """The share of the picture that is drawn."""
        return sum(self.shares)


def measure(sample: Sample) -> Score:
    """Score the loss of the signal; 50 where 74 % are drawn."""
    cells = sample.cells.reshape(-1, 3)
    palette = _find_palette(cells)
    if not palette.colours:
        return Score(value=0.0, why="No part of the picture is of one colour.")
    first = palette.colours[0]
    if max(first) < _DARK and palette.shares[0] > _MOSTLY:
        return _judge_black(sample, palette)
    if min(first) > _WHITE and len(palette.colours) == 1:
        return Score(
            value=0.0, why=f"{palette.covers:.0%} of the picture is white: overexposed, not lost."
        )
    blue, green, red = first
    kind = "one colour" if len(palette.colours) == 1 else f"{len(palette.colours)} colours"
    why = (
        f"{palette.covers:.0%} of the picture is of exactly {kind}"
        f" (mostly red {red:.0f}, green {green:.0f}, blue {blue:.0f}),"
        f" {palette.shades:.0%} of shades near them; a camera's picture is all shades."
    )
    exact = palette.covers / (palette.covers + palette.shades)
    plainness = min(1.0, max(0.0, (exact - _EXACT[0]) / (_EXACT[1] - _EXACT[0])))
    value = _DRAWN.grade(palette.covers) * plainness
    return Score(value=value, why=why, region=Region(0.0, 0.0, 1.0, 1.0))


def _judge_black(sample: Sample, palette: _Palette) -> Score:
    body = sample.cells[_STRIP:-_STRIP]
    distance = np.abs(body - np.asarray(palette.colours[0], np.float32)).max(axis=2)
    is_black = distance <= _SAME_BLACK
    covers = float(is_black.mean())
    if covers >= _BLACK.visible:
        value = _BLACK.grade(covers)
        return Score(
            value=value, why=f"{covers:.0%} of the picture is black without any structure."
        )
    halo = _measure_halo(sample, is_black)
    value = _DRAWN.grade(covers) * max(0.0, 1.0 - halo / _MOST_HALO)
    why = (
        f"{covers:.0%} of the picture is black; of the rest {halo:.0%} is dim light"
        " around lamps or things, which drawn text has not."
    )
    return Score(value=value, why=why)


def _measure_halo(sample: Sample, is_black: NDArray[np.bool_]) -> float:
    """The share of what is not black that lies away from anything bright: light, not text."""
    grey = sample.grey
    rows, columns = is_black.shape
    height, width = grey.shape
    strip = height * _STRIP // (rows + 2 * _STRIP)
    if height - 2 * strip < rows or width < columns:
        return 1.0
    brightest = cv2.dilate(grey[strip : height - strip], np.ones((3, 3), np.uint8))
    cells = cv2.resize(brightest, (columns, rows), interpolation=cv2.INTER_AREA)
    near_bright = cv2.dilate((cells > _BRIGHT).astype(np.uint8), np.ones((3, 3), np.uint8))
    dim = near_bright[~is_black] == 0
    return float(dim.mean()) if dim.size else 0.0


def _find_palette(cells: Floats) -> _Palette:
    left = cells
    colours: list[tuple[float, float, float]] = []
    shares: list[float] = []
    shades = 0
    while len(colours) < _MOST_COLOURS and len(left) >= _LEAST_SHARE * len(cells):
        colour = _find_commonest(left)
        apart = np.abs(left - colour)
        distance = np.maximum(np.maximum(apart[:, 0], apart[:, 1]), apart[:, 2])
        share = float(np.count_nonzero(distance <= _SAME)) / len(cells)
        if share < _LEAST_SHARE:
            break
        colours.append((float(colour[0]), float(colour[1]), float(colour[2])))
        shares.append(share)
        shades += int(np.count_nonzero((distance > _SAME) & (distance <= _SHADED)))
        left = left[distance > _APART]
    return _Palette(
        colours=tuple(colours), shares=tuple(shares), shades=shades / max(1, len(cells))
    )


def _find_commonest(cells: Floats) -> Floats:
    """The middle of the most populated cube of 5 x 5 x 5 levels."""
    cubes = (cells / 5.0).astype(np.int64)
    codes = (cubes[:, 0] * 64 + cubes[:, 1]) * 64 + cubes[:, 2]
    values, counts = np.unique(codes, return_counts=True)
    members = cells[codes == values[counts.argmax()]]
    return np.asarray(np.median(members, axis=0), np.float32)
