"""Privacy masks: what nobody may see is painted over before a picture is stored or shown."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Polygon

MOST_CORNERS: Final = 256
_BLACK: Final = (0, 0, 0)


def paint_over(bgr: NDArray[np.uint8], masks: Sequence[Polygon]) -> None:
    """Paint polygons black, in place, with every pixel that they touch.

    Raises:
        ValueError: a polygon is none; a picture with an unclear mask must not be stored.
    """
    height, width = bgr.shape[:2]
    for mask in masks:
        corners = np.array(mask, np.float64)
        if corners.ndim != 2 or corners.shape[1] != 2 or not 3 <= len(corners) <= MOST_CORNERS:
            msg = "a mask is no polygon"
            raise ValueError(msg)
        if not np.isfinite(corners).all() or np.abs(corners).max() > 2:
            msg = "a corner of a mask lies far outside the picture"
            raise ValueError(msg)
        points = np.floor(corners * (width, height)).astype(np.int32)
        cv2.fillPoly(bgr, [points], _BLACK)
        # The edge lies up to a pixel beside its corners' pixels: cover both sides of it.
        cv2.polylines(bgr, [points], isClosed=True, color=_BLACK, thickness=3)
