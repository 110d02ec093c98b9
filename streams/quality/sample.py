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

    @cached_property
    def spread(self) -> float:
        """Levels between the 5th and the 95th percentile of the cells' luma."""
        low, high = np.percentile(self.cell_luma, (5, 95))
        return float(high - low)


def make_sample(bgr: Picture, width: int, height: int) -> Sample:
    """Reduce a decoded picture to the scale of the indices; ``width``, ``height``: the camera's."""
    rows, columns = bgr.shape[:2]
    scale = min(1.0, ANALYSIS_WIDTH / columns, ANALYSIS_HEIGHT / rows)
    if scale < 1.0:
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Sample(bgr=bgr, width=width, height=height)
