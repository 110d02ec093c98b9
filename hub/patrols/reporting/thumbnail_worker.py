"""The program that shrinks pictures for reports: file-free, with little memory and no secrets.

Run as a script by :mod:`hub.patrols.reporting.thumbnails`, so that a camera's bytes meet the
decoder where they can harm nothing. A request is a width and a length (4 bytes each) and one JPEG;
the answer is a length, 0 for a picture that cannot be read, and the smaller JPEG.
"""

import resource
import struct
import sys
from typing import BinaryIO

import cv2
import numpy as np

REQUEST = struct.Struct(">II")
ANSWER = struct.Struct(">I")
MAX_MEMORY_BYTES = 2 * 1024**3
MAX_PIXELS = 40_000_000
JPEG_QUALITY = 80
# OpenCV decodes a JPEG at 1/2, 1/4 or 1/8 for a fraction of the cost.
REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)


def main() -> None:
    """Answer requests until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(1)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (head := _read(source, REQUEST.size)) is not None:
        width, length = REQUEST.unpack(head)
        data = _read(source, length)
        if data is None:
            return
        try:
            small = shrink(data, width)
        except (cv2.error, ValueError, MemoryError):
            small = b""
        sink.write(ANSWER.pack(len(small)) + small)
        sink.flush()


def shrink(jpeg: bytes, width: int) -> bytes:
    """Return the picture at most ``width`` pixels wide.

    Raises:
        ValueError: it cannot be read, or is too large.
    """
    found = _size(jpeg)
    if found is None or found[0] * found[1] > MAX_PIXELS:
        msg = "no picture"
        raise ValueError(msg)
    flag = next((f for by, f in REDUCED if found[0] // by >= width), cv2.IMREAD_COLOR)
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    if picture is None:
        msg = "no picture"
        raise ValueError(msg)
    height, wide = picture.shape[:2]
    if wide > width:
        size = (width, max(1, round(height * width / wide)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    is_made, made = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_made:
        msg = "not encoded"
        raise ValueError(msg)
    return made.tobytes()


def _size(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header (ITU-T T.81, B.2.2), before anything is decoded."""
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", jpeg[at + 5 : at + 9])
            return (width, height) if width and height else None
        at += 1 if marker == 0xFF else 2 + max(2, int.from_bytes(jpeg[at + 2 : at + 4], "big"))
    return None


def _read(source: BinaryIO, size: int) -> bytes | None:
    data = source.read(size)
    return data if len(data) == size else None


if __name__ == "__main__":
    main()
