"""What one visit leaves behind so that the next can tell whether anything in the picture moved.

A fingerprint holds block means (64 x 36) and single pixels (64 x 36). A block's mean shows what
moved (a digit of the clock); the single pixels, never averaged, show whether the sensor is alive.
"""

import struct
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.quality.sample import Grey, Sample

_MAGIC: Final = b"GF"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<2sBBHH")  # magic, version, -, width and height of the grey
_GRID: Final = (64, 36)
_COUNT: Final = _GRID[0] * _GRID[1]
_BYTES: Final = _HEADER.size + 2 * _COUNT

CODING = 2  # levels: what encoding a picture anew changes in a pixel
CODING_MEAN = 1  # levels: and in the mean of a block
_STILL_SHARE = 0.005  # of the single pixels may differ by more and the picture be still
_NOTHING_MOVES = 3.0  # levels: darker or brighter than all but this, a pixel cannot change


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How two pictures differ: shares (0 to 1) of blocks and of pixels, beyond coding."""

    blocks: float
    pixels: float
    is_exact: bool

    @property
    def is_none(self) -> bool:
        """Tell whether nothing moved, no digit of a clock and no noise of a sensor."""
        return self.blocks == 0.0 and self.pixels <= _STILL_SHARE


def fingerprint(sample: Sample) -> bytes:
    """Return what a later visit compares with: 4,616 bytes, the same for the same picture."""
    rows, columns = sample.grey.shape
    header = _HEADER.pack(_MAGIC, _VERSION, 0, columns, rows)
    return header + _means(sample.grey).tobytes() + _pixels(sample.grey).tobytes()


def differ(sample: Sample, previous: bytes) -> Difference | None:
    """Compare with an earlier visit's fingerprint; None: it is none, or of another size."""
    if len(previous) != _BYTES:
        return None
    magic, version, _, columns, rows = _HEADER.unpack_from(previous)
    if magic != _MAGIC or version != _VERSION or (rows, columns) != sample.grey.shape:
        return None
    means = np.frombuffer(previous, np.uint8, _COUNT, _HEADER.size)
    pixels = np.frombuffer(previous, np.uint8, _COUNT, _HEADER.size + _COUNT)
    return _difference(
        _distance(_means(sample.grey).ravel(), means),
        _distance(_pixels(sample.grey).ravel(), pixels),
    )


def differ_within(first: Sample, second: Sample) -> Difference | None:
    """Compare two frames of one visit, every pixel; None: they are of different sizes."""
    if first.grey.shape != second.grey.shape:
        return None
    return _difference(
        _distance(_means(first.grey), _means(second.grey)),
        _distance(first.grey, second.grey),
    )


def is_still(sample: Sample, previous: bytes) -> bool:
    """Tell whether nothing moved since the visit before."""
    difference = differ(sample, previous)
    return difference is not None and difference.is_none


def can_change(sample: Sample) -> bool:
    """Tell whether a living sensor would show in the picture: not where all is black or white."""
    pixels = _pixels(sample.grey)
    inner = (pixels > _NOTHING_MOVES) & (pixels < 255.0 - _NOTHING_MOVES)
    return float(inner.mean()) >= 0.05


def _difference(blocks: Grey, pixels: Grey) -> Difference:
    return Difference(
        blocks=float(np.mean(blocks > CODING_MEAN)),
        pixels=float(np.mean(pixels > CODING)),
        is_exact=not blocks.any() and not pixels.any(),
    )


def _distance(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> Grey:
    return np.asarray(cv2.absdiff(ours, theirs), np.uint8)


def _means(grey: Grey) -> Grey:
    return np.asarray(cv2.resize(grey, _GRID, interpolation=cv2.INTER_AREA), np.uint8)


def _pixels(grey: Grey) -> Grey:
    rows, columns = grey.shape
    down = (np.arange(_GRID[1]) * 2 + 1) * rows // (2 * _GRID[1])
    across = (np.arange(_GRID[0]) * 2 + 1) * columns // (2 * _GRID[0])
    return np.ascontiguousarray(grey[np.ix_(down, across)])
