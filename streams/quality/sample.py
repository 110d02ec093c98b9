"""One decoded picture, small, and what several indices need of it, computed once at most.

Every index measures at the same scale: a picture wider than ``ANALYSIS_WIDTH`` is reduced to it,
so that a figure in pixels means the same at 704 x 576 and at 3840 x 2160. Lengths in pixels are
those of the reduced picture wherever nothing else is said; levels are luma steps of 0 to 255.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Mode

ANALYSIS_WIDTH = 640
"""Width in pixels. A tile on the wall is no larger, and what cannot be seen there is no fault."""

ANALYSIS_HEIGHT = 1280  # a picture standing on end, or a sliver, is held to this height

Picture = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

_BLOCK = 16  # pixels: the side of a block
_OVERLAY = 0.12  # share of the height, above and below, where cameras write clock and name
_LEAST_BODY = 48  # pixels: three blocks
_SECOND_DIFFERENCE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_TO_DEVIATION = float(np.sqrt(np.pi / 2) / 6)
_TINY = (80, 45)  # the picture in so few cells that noise is averaged away
_INFRARED_TINT = 14.0  # levels: the tint a camera's white balance may leave on a grey picture
_INFRARED_REST = 3.0  # levels of colour that no constant tint explains, in all but 2 % of cells


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A picture as the indices see it. Not slotted: what is computed is kept in the instance.

    ``bgr`` is height x width x 3, uint8, at most ANALYSIS_WIDTH wide; ``width`` and ``height``
    are the camera's own.
    """

    bgr: Picture
    width: int
    height: int

    @cached_property
    def grey(self) -> Grey:
        """Luma (ITU-R BT.601), of the size of ``bgr``."""
        return np.asarray(cv2.cvtColor(self.bgr, cv2.COLOR_BGR2GRAY), np.uint8)

    @cached_property
    def cells(self) -> Floats:
        """The picture as 45 x 80 cells of mean colour (BGR, levels): no noise, no fine detail."""
        small = cv2.resize(self.bgr, _TINY, interpolation=cv2.INTER_AREA)
        return small.astype(np.float32)

    @cached_property
    def cell_luma(self) -> Floats:
        """Luma of the cells, 45 x 80, levels."""
        weights = np.array([0.114, 0.587, 0.299], np.float32)
        return np.asarray(self.cells @ weights, np.float32)

    @cached_property
    def body(self) -> Grey:
        """Luma without the strips at the top and the bottom, where clock and name are written."""
        rows = self.grey.shape[0]
        first = round(rows * _OVERLAY)
        return np.ascontiguousarray(self.grey[first : max(rows - first, first + 1)])

    @cached_property
    def is_large_enough(self) -> bool:
        """Tell whether there is enough of a body to measure detail in."""
        return bool(min(self.body.shape) >= _LEAST_BODY)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """For each level from 0 to 255, the share of the body's pixels that are no brighter."""
        counts = cv2.calcHist([self.body], [0], None, [256], [0, 256]).ravel()
        return np.asarray(np.cumsum(counts, dtype=np.float64) / self.body.size)

    def level(self, share: float) -> int:
        """The level that this share (0 to 1) of the body's pixels does not exceed."""
        return min(255, int(np.searchsorted(self.shares, share - 1e-9)))

    @cached_property
    def range(self) -> float:
        """Levels between the darkest and the brightest hundredth of the body's pixels."""
        return float(self.level(0.99) - self.level(0.01))

    @cached_property
    def grains(self) -> "Grains":
        """Noise of each block of 16 x 16 pixels of the body."""
        return measure_grain(self.body, _BLOCK)

    @cached_property
    def mode(self) -> Mode:
        """Infrared when all there is of colour is a slight tint, the same everywhere."""
        luma = self.cell_luma.ravel().astype(np.float64)
        design = np.stack([luma, np.ones_like(luma)], axis=1)
        for channel in (0, 2):
            colour = self.cells[..., channel].ravel() - self.cells[..., 1].ravel()
            if float(np.mean(np.abs(colour))) > _INFRARED_TINT:
                return Mode.COLOUR
            explained = design @ np.linalg.lstsq(design, colour, rcond=None)[0]
            if float(np.percentile(np.abs(colour - explained), 98)) > _INFRARED_REST:
                return Mode.COLOUR
        return Mode.INFRARED

    @cached_property
    def luma(self) -> float:
        """Mean luma, levels."""
        return float(np.mean(self.cell_luma))


@dataclass(frozen=True, kw_only=True, eq=False)
class Grains:
    """The noise of each block as a standard deviation, levels, told in two ways.

    ``means`` follow from the mean size of the second difference, ``deviations`` from its own
    deviation: they are the same where the noise is Gaussian, and the second is larger where it is
    rare and strong.
    """

    means: Floats
    deviations: Floats


def measure_grain(grey: Grey, block: int) -> Grains:
    """Measure the noise of each block of so many pixels.

    The second difference in both directions is blind to shades, edges and upright or level
    stripes (Immerkaer, Fast Noise Variance Estimation, 1996), not to texture.
    """
    second = cv2.filter2D(grey, cv2.CV_16S, _SECOND_DIFFERENCE)
    size = crop_blocks(np.asarray(cv2.convertScaleAbs(second), np.uint8), block)
    blocks = (max(1, size.shape[1] // block), max(1, size.shape[0] // block))
    means = cv2.resize(size, blocks, interpolation=cv2.INTER_AREA).astype(np.float32)
    squares = cv2.multiply(size, size, dtype=cv2.CV_32F)
    energy = cv2.resize(squares, blocks, interpolation=cv2.INTER_AREA)
    return Grains(
        means=np.asarray(means * _TO_DEVIATION, np.float32),
        deviations=np.asarray(np.sqrt(energy) / 6.0, np.float32),
    )


def crop_blocks(grey: Grey, block: int) -> Grey:
    """Leave out what fills no block: reducing by whole numbers is several times as fast."""
    rows, columns = grey.shape
    return grey[: max(1, rows - rows % block), : max(1, columns - columns % block)]


def make_sample(bgr: Picture, width: int, height: int) -> Sample:
    """Reduce a decoded picture to the scale of the indices; ``width``, ``height``: the camera's."""
    rows, columns = bgr.shape[:2]
    scale = min(1.0, ANALYSIS_WIDTH / columns, ANALYSIS_HEIGHT / rows)
    if scale < 1.0:
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        # Down to a half, two pixels make one: a third of the cost of exact areas.
        way = cv2.INTER_LINEAR if scale >= 0.5 else cv2.INTER_AREA
        bgr = np.asarray(cv2.resize(bgr, size, interpolation=way), np.uint8)
    return Sample(bgr=bgr, width=width, height=height)


def measure_contours(grey: Grey) -> Floats:
    """Standard deviation of each block of 16 x 16 pixels, slow shades taken out; levels."""
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
    detail = cv2.absdiff(soft, cv2.blur(soft, (_BLOCK + 1, _BLOCK + 1)))
    detail = crop_blocks(np.asarray(detail, np.uint8), _BLOCK)
    blocks = (max(1, detail.shape[1] // _BLOCK), max(1, detail.shape[0] // _BLOCK))
    squares = cv2.multiply(detail, detail, dtype=cv2.CV_32F)
    means = cv2.resize(squares, blocks, interpolation=cv2.INTER_AREA)
    return np.asarray(np.sqrt(means), np.float32)
