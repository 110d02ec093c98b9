"""The lasting structure of a picture: where its edges lie and which way they run.

Colour, brightness and contrast come and go with the hour, the season and the weather; the edges of
houses, kerbs and poles stay. The picture is reduced to CANVAS, freed of everything smooth (shade,
glow, an object too near the lens to be sharp), and each gradient is written as a vector of doubled
angle, so that an edge that turns from dark-bright to bright-dark (a wall by day and by lamplight)
stays the same edge (Granlund & Knutsson, Signal Processing for Computer Vision, 1995, ch. 5). It is
divided by the gradients around it, which takes the contrast out (as in Dalal & Triggs, CVPR 2005),
and averaged over cells of a grid: shaking by a few pixels stays within a cell.
"""

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.quality.sample import Sample

CANVAS: Final = (256, 144)  # pixels, whatever the shape of the camera's picture
CELL: Final = 8  # canvas pixels
COLUMNS: Final = CANVAS[0] // CELL
ROWS: Final = CANVAS[1] // CELL
CELLS: Final = ROWS * COLUMNS

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Directions = NDArray[np.complex64]

_FAINTEST = 1.6  # levels a canvas pixel: a gradient that is seen, however clean the picture
_NOISIEST = 4.0  # levels: a gradient that is seen, however noisy the picture
_NOISE_GRADIENT = 4.0  # gradient that noise of one level makes after coding has clotted it

_SMOOTH = 2.5  # canvas pixels: what is smoother than this sigma is no structure
_FLOOR = 0.6  # levels a pixel: gradients of coding and of averaged noise
_QUIET = 20.0  # percentile: of the cells, so many are taken to hold noise alone
_AROUND = 17  # canvas pixels: the neighbourhood whose contrast is taken out
_NOISE_MASK: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Structure:
    """What the cells of one picture show; every array is ROWS x COLUMNS.

    ``directions``: mean gradient of doubled angle, magnitude 0 (none, or every which way) to 1;
    ``strength``: root mean square gradient, levels a canvas pixel; a cell with less of it than
    ``floor`` shows nothing but noise; ``fineness``: root mean square curvature against gradient,
    about 1 for edges in focus, 0.5 and less for those out of focus; ``luma``: levels.
    """

    directions: Directions
    strength: Floats
    fineness: Floats
    luma: Floats
    floor: float

    @property
    def seen(self) -> Flags:
        """Which cells show anything."""
        return self.strength >= self.floor


_found: WeakKeyDictionary[Sample, Structure] = WeakKeyDictionary()


def find_structure(sample: Sample) -> Structure:
    """Measure the structure of a picture; once for each sample, however many indices ask."""
    found = _found.get(sample)
    if found is None:
        found = _found[sample] = _measure(sample)
    return found


def _measure(sample: Sample) -> Structure:
    small = cv2.resize(sample.grey, CANVAS, interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), _SMOOTH)
    across = cv2.Sobel(fine, cv2.CV_32F, 1, 0, ksize=3, scale=0.25)
    down = cv2.Sobel(fine, cv2.CV_32F, 0, 1, ksize=3, scale=0.25)
    squared_across, squared_down = across * across, down * down
    energy = squared_across + squared_down
    around = cv2.blur(energy, (_AROUND, _AROUND))
    weight = 1.0 / (energy + around + _FLOOR * _FLOOR)
    real = _pool((squared_across - squared_down) * weight)
    imaginary = _pool(2.0 * across * down * weight)
    directions = np.empty((ROWS, COLUMNS), np.complex64)
    directions.real, directions.imag = real, imaginary
    curvature = cv2.Laplacian(fine, cv2.CV_32F, ksize=1, scale=0.5)
    strength = np.asarray(np.sqrt(_pool(energy)), np.float32)
    return Structure(
        directions=directions,
        strength=strength,
        fineness=np.asarray(
            np.sqrt(_pool(curvature * curvature)) / (strength + np.float32(0.1)), np.float32
        ),
        luma=_pool(small),
        floor=_find_floor(small),
    )


def _find_floor(canvas: cv2.typing.MatLike) -> float:
    """Return the gradient below which there is noise only (Immerkaer, CVIU 64(2), 1996)."""
    response = _pool(np.abs(cv2.filter2D(canvas, cv2.CV_32F, _NOISE_MASK)))
    noise = float(np.percentile(response, _QUIET)) * float(np.sqrt(np.pi / 2.0)) / 6.0
    return min(_NOISIEST, max(_FAINTEST, _NOISE_GRADIENT * noise))


def _pool(canvas: cv2.typing.MatLike) -> Floats:
    pooled = cv2.resize(canvas, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(pooled, np.float32)
