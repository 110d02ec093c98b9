"""Movement: in which part of the picture anything moved during the seconds of one visit.

Background subtraction over a handful of frames: the background is the median of each pixel, as
adaptive mixtures (MOG2, KNN) need dozens of frames before they know it. A pixel moved where it
lies outside what its neighbours in the background show, by more than the noise of this picture:
so leaves and a pole that trembles by a pixel do not count. What moves is not recognised, ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Region
from streams.quality.sample import Sample

LEAST_FRAMES: Final = 3
MOST_REGIONS: Final = 5

_WIDTH: Final = 320  # pixels: a person 20 m away is some 14 pixels high
_LEAST_LEVELS: Final = 10.0  # what encoding and a sensor by night leave after averaging
_MOST_LEVELS: Final = 24.0  # however restless the picture: a lorry before the lens makes it so
_QUIET, _RESTLESS = 80, 5.0  # times what all but a fifth of the picture differs by
_SMALLEST: Final = 0.0008  # share of the picture: less is an insect, a drop, a flickering pixel
_MANY, _LARGER = 10, 4.0  # of more things than that only those so much larger count
_OVERLAY, _LINE = 0.12, 0.08  # shares of the height: where cameras write, how high a line is
_FURTHEST: Final = 16.0  # pixels: further it did not shake, it turned
_SURE: Final = 0.2  # response of the correlation

_NEAR: Final = np.ones((3, 3), np.uint8)
_THICK: Final = np.ones((6, 6), np.uint8)
_GAP: Final = np.ones((7, 7), np.uint8)

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """The share of the picture in which anything moved, and where, the largest part first."""

    share: float
    regions: tuple[Region, ...] = ()


def measure(samples: Sequence[Sample]) -> Motion | None:
    """Find what moved between at least three frames of one visit.

    None: fewer frames, or frames of different sizes.
    """
    if len(samples) < LEAST_FRAMES or len({one.grey.shape for one in samples}) > 1:
        return None
    frames = [_reduce(one.grey) for one in samples]
    moved = _find(frames)
    steady = _align(frames) if moved.any() else None
    if steady is not None:
        moved = min(moved, _find(steady), key=np.count_nonzero)
    return Motion(share=float(moved.mean()), regions=_regions(moved))


def _reduce(grey: Grey) -> Grey:
    rows, columns = grey.shape
    if columns > _WIDTH:
        size = (_WIDTH, max(1, round(rows * _WIDTH / columns)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), np.uint8)


def _find(frames: Sequence[Grey]) -> NDArray[np.bool_]:
    """Return where anything moved in any of the frames."""
    background = np.sort(np.stack(frames), axis=0)[len(frames) // 2]
    highest = cv2.dilate(background, _NEAR).astype(np.int16)
    lowest = cv2.erode(background, _NEAR).astype(np.int16)
    moved = np.zeros(background.shape, np.bool_)
    for frame in frames:
        change = frame.astype(np.int16) - background
        light = int(np.median(change))  # a lamp, or the camera's own exposure
        restless = float(np.percentile(np.abs(change - light), _QUIET))
        least = round(min(max(_LEAST_LEVELS, _RESTLESS * restless), _MOST_LEVELS))
        lit = frame.astype(np.int16) - light
        mask = (lit > highest + least) | (lit < lowest - least)
        moved |= _keep_things(mask)
    return moved


def _keep_things(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out what is too small or too thin, and the lines cameras write on their pictures.

    Rain and snow in the light of a lamp are many things at once: then only what is larger counts.
    """
    least = _SMALLEST * mask.size
    solid = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _NEAR)
    if cv2.connectedComponents(solid)[0] - 1 > _MANY:
        solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, _THICK)
        least *= _LARGER
    joined = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, _GAP)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    tops, heights = stats[:, cv2.CC_STAT_TOP], stats[:, cv2.CC_STAT_HEIGHT]
    rows = mask.shape[0]
    is_edge = (tops + heights <= rows * _OVERLAY) | (tops >= rows * (1.0 - _OVERLAY))
    is_line = is_edge & (heights <= rows * _LINE)
    kept = (stats[:, cv2.CC_STAT_AREA] >= least) & ~is_line
    kept[0] = False  # the background
    return np.asarray(kept[labels], np.bool_)


def _align(frames: Sequence[Grey]) -> list[Grey] | None:
    """Return the frames shifted onto the first; None: the camera stood still, or turned."""
    first = frames[0].astype(np.float32)
    rows, columns = first.shape
    window = cv2.createHanningWindow((columns, rows), cv2.CV_32F)
    shifts = []
    for frame in frames[1:]:
        shift, response = cv2.phaseCorrelate(first, frame.astype(np.float32), window)
        if response < _SURE or max(map(abs, shift)) > _FURTHEST:
            return None
        shifts.append(shift)
    margin = max(1, *(int(np.ceil(abs(part))) for shift in shifts for part in shift))
    if all(max(map(abs, shift)) < 0.5 for shift in shifts):
        return None
    steady = [frames[0]]
    for frame, (right, down) in zip(frames[1:], shifts, strict=True):
        way = np.array([[1.0, 0.0, -right], [0.0, 1.0, -down]], np.float32)
        moved = cv2.warpAffine(frame, way, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
        steady.append(np.asarray(moved, np.uint8))
    return [_frame_out(one, margin) for one in steady]


def _frame_out(grey: Grey, margin: int) -> Grey:
    """Blacken the rim that not every frame shows."""
    kept = np.zeros_like(grey)
    inner = np.s_[margin : grey.shape[0] - margin, margin : grey.shape[1] - margin]
    kept[inner] = grey[inner]
    return kept


def _regions(moved: NDArray[np.bool_]) -> tuple[Region, ...]:
    rows, columns = moved.shape
    count, _, stats, _ = cv2.connectedComponentsWithStats(moved.astype(np.uint8))
    largest = sorted(range(1, count), key=lambda label: -int(stats[label][cv2.CC_STAT_AREA]))
    found = []
    for label in largest[:MOST_REGIONS]:
        left, top, wide, high = (int(part) for part in stats[label][:4])
        found.append(
            Region(left / columns, top / rows, (left + wide) / columns, (top + high) / rows)
        )
    return tuple(found)
