"""The program of the process that cleans photos: photos in on stdin, JPEG pictures out on stdout.

Started by streams.photos without the hub's environment. A request is the longest side (2 bytes)
and a length (4), and one photo; the answer is a length, 0 for what cannot be decoded, and the
picture.
"""

import struct
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.errors import GengfuError
from streams.codecs import MAX_SCANS, count_scans
from streams.confinement import confine, limit_cpu, read_whole
from streams.photo_header import PhotoKind, parse_photo_size

REQUEST: Final = struct.Struct(">HI")
ANSWER: Final = struct.Struct(">I")
MAX_MEMORY_BYTES: Final = 2 * 1024**3  # a progressive JPEG of 120 megapixels holds 0.4 GB at once
JPEG_QUALITY: Final = 85

# A JPEG is made of 8 x 8 cosines: leaving the fine ones out costs less than decoding them.
_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)


def main() -> None:
    """Answer requests until stdin ends."""
    cv2.setNumThreads(1)
    clean(encode(np.zeros((32, 32, 3), np.uint8)), 32)  # all is imported while files may be opened
    source, sink = confine(MAX_MEMORY_BYTES)
    while (head := read_whole(source, REQUEST.size)) is not None:
        side, length = REQUEST.unpack(head)
        data = read_whole(source, length)
        if data is None:
            return
        limit_cpu()
        try:
            jpeg = clean(data, side)
        except (GengfuError, cv2.error, ValueError, TypeError, MemoryError, OSError):
            jpeg = b""
        sink.write(ANSWER.pack(len(jpeg)) + jpeg)
        sink.flush()


def clean(data: bytes, longest_side: int) -> bytes:
    """Decode a photo, turn it upright, and encode its pixels and nothing else.

    Raises:
        Invalid: it is no photo that can be taken.
        ValueError: it cannot be decoded.
    """
    kind, width, height = parse_photo_size(data)
    flag = cv2.IMREAD_COLOR
    if kind is PhotoKind.JPEG:
        if count_scans(data) > MAX_SCANS:
            msg = f"the picture is sent in more than {MAX_SCANS} passes"
            raise ValueError(msg)
        longest = max(width, height)
        flag = next((flag for by, flag in _REDUCED if longest // by >= longest_side), flag)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag)  # turns as the photo asks for
    if picture is None:
        msg = "the picture cannot be decoded"
        raise ValueError(msg)
    return encode(_shrink(np.asarray(picture, np.uint8), longest_side))


def encode(bgr: NDArray[np.uint8]) -> bytes:
    """Return a picture as JPEG."""
    is_encoded, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_encoded:
        msg = "the picture cannot be encoded"
        raise ValueError(msg)
    return jpeg.tobytes()


def _shrink(bgr: NDArray[np.uint8], longest_side: int) -> NDArray[np.uint8]:
    rows, columns = bgr.shape[:2]
    scale = longest_side / max(rows, columns)
    if scale >= 1.0:
        return bgr
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
