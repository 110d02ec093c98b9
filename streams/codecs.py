"""What decodes one frame of a stranger: a JPEG, or a key frame of H.264 or H.265.

Only for processes that are confined. What is too large, or made to keep a decoder busy, is
refused before it is decoded.
"""

from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from streams.jpeg import parse_jpeg_size

MAX_PIXELS: Final = 40_000_000
VIDEO_CODECS: Final = frozenset({"h264", "hevc"})
MAX_SCANS: Final = 100  # of a JPEG: a progressive one has about ten, and each goes over all of it


def decode_jpeg(data: bytes, flag: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """Decode a JPEG, as ``flag`` (IMREAD_…) wants it, into height x width x 3.

    Raises:
        ProtocolViolation: it is no JPEG, exceeds the limits, or cannot be decoded.
    """
    parse_jpeg_size(data)
    if count_scans(data) > MAX_SCANS:
        msg = f"the picture is sent in more than {MAX_SCANS} passes"
        raise ProtocolViolation(msg)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        picture = None
    if picture is None:
        msg = "the picture cannot be decoded"
        raise ProtocolViolation(msg)
    return np.asarray(picture, np.uint8)


def decode_key_frame(codec: str, data: bytes) -> av.VideoFrame:
    """Decode a frame in Annex B form.

    Raises:
        ProtocolViolation: the codec is none of ours, or there is no whole frame in it.
    """
    if codec not in VIDEO_CODECS:
        msg = "the frame cannot be decoded: its codec is not known"
        raise ProtocolViolation(msg)
    context = av.CodecContext.create(codec, "r")
    if not isinstance(context, av.VideoCodecContext):
        msg = "no video codec"
        raise TypeError(msg)
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_PIXELS)}
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except (av.FFmpegError, ValueError) as error:
        msg = f"the frame cannot be decoded ({type(error).__name__})"
        raise ProtocolViolation(msg) from None
    good = [frame for frame in frames if not frame.is_corrupt]
    if not good:
        msg = "the frame cannot be decoded: it is not whole"
        raise ProtocolViolation(msg)
    return good[0]


def draw_frame(frame: av.VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
    """Return a decoded frame as height x width x 3, averaged down where it is larger."""
    drawn = frame.reformat(
        width=width,
        height=height,
        format="bgr24",
        interpolation="AREA",
        threads=1,  # on its own it starts as many as there are cores, which a confined one cannot
    )
    return np.asarray(drawn.to_ndarray(), np.uint8)


def count_scans(data: bytes) -> int:
    """Return how many passes over the picture a JPEG consists of, at the most."""
    octets = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(octets[1:] == 0xDA)  # ten times as fast as to count two bytes at once
    return int(np.count_nonzero(octets[at] == 0xFF))
