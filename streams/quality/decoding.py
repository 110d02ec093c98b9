"""From one encoded frame to a small picture, as cheaply as its format allows.

Runs in a confined process; the header of a JPEG is judged before any decoder sees the rest.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Codec, EncodedFrame
from streams.codecs import decode_jpeg, decode_key_frame, draw_frame
from streams.jpeg import parse_jpeg_size
from streams.quality.sample import ANALYSIS_WIDTH

LEAST_SIDE: Final = 32  # pixels; what is smaller shows nothing that could be judged
MOST_ELONGATED: Final = 10  # panoramas are sold up to about 4 : 1

# A JPEG is made of 8 x 8 cosines: leaving the fine ones out costs less than decoding them.
_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A picture reduced to 1/2, 1/4 or 1/8, or whole where ANALYSIS_WIDTH asks for it.

    ``bgr`` is height x width x 3, uint8; ``width`` and ``height`` are the camera's own.
    ``detail`` is the same picture, larger, where that was wanted.
    """

    bgr: NDArray[np.uint8] = field(repr=False)
    width: int
    height: int
    detail: NDArray[np.uint8] = field(repr=False)


def decode(frame: EncodedFrame, *, detail_width: int = 0) -> Decoded:
    """Decode a frame, no larger than need be, with a detail at least so wide if it can be.

    Raises:
        ProtocolViolation: it is no picture, exceeds the limits, or cannot be decoded.
    """
    if frame.codec is Codec.JPEG:
        return _decode_jpeg(frame.data, detail_width)
    return _decode_video(frame.codec, frame.data, detail_width)


def choose_reduction(width: int, wanted: int = ANALYSIS_WIDTH) -> int:
    """Return by how much a picture may be reduced and be as wide as wanted: 1, 2, 4 or 8."""
    return next((by for by, _ in _REDUCED if width // by >= wanted), 1)


def _decode_jpeg(data: bytes, detail_width: int) -> Decoded:
    width, height = parse_jpeg_size(data)
    _expect_shape(width, height)
    by = choose_reduction(width)
    finer = min(by, choose_reduction(width, max(ANALYSIS_WIDTH, detail_width)))
    detail = decode_jpeg(data, dict(_REDUCED).get(finer, cv2.IMREAD_COLOR))
    rows, columns = detail.shape[:2]
    if (columns > rows) != (width > height) and columns != rows:
        width, height = height, width  # its own note says that it stands on end
    bgr = detail if finer == by else _reduce(detail, by // finer)
    return Decoded(bgr=bgr, width=width, height=height, detail=detail)


def _decode_video(codec: Codec, data: bytes, detail_width: int) -> Decoded:
    frame = decode_key_frame(codec, data)
    width, height = frame.width, frame.height
    _expect_shape(width, height)
    by = choose_reduction(width)
    finer = min(by, choose_reduction(width, max(ANALYSIS_WIDTH, detail_width)))
    detail = draw_frame(frame, -(-width // finer), -(-height // finer))
    bgr = detail if finer == by else draw_frame(frame, -(-width // by), -(-height // by))
    return Decoded(bgr=bgr, width=width, height=height, detail=detail)


def _reduce(bgr: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    rows, columns = bgr.shape[:2]
    size = (-(-columns // by), -(-rows // by))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def _expect_shape(width: int, height: int) -> None:
    if min(width, height) < LEAST_SIDE or max(width, height) > MOST_ELONGATED * min(width, height):
        msg = f"the picture of {width} x {height} pixels is no camera's"
        raise ProtocolViolation(msg)
