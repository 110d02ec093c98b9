"""Decode one key frame of H.264 or H.265. Only for processes that are confined."""

from typing import Final

import av

MAX_PIXELS: Final = 40_000_000
CODECS: Final = frozenset({"h264", "hevc"})


def decode_key_frame(codec: str, data: bytes) -> av.VideoFrame:
    """Decode a frame in Annex B form.

    Raises:
        ValueError: the codec is none of ours, or there is no whole frame in it.
        av.FFmpegError: the decoder refuses it.
    """
    if codec not in CODECS:
        msg = "unknown codec"
        raise ValueError(msg)
    context = av.CodecContext.create(codec, "r")
    if not isinstance(context, av.VideoCodecContext):
        msg = "no video codec"
        raise TypeError(msg)
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_PIXELS)}
    frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    good = [frame for frame in frames if not frame.is_corrupt]
    if not good:
        msg = "no frame"
        raise ValueError(msg)
    return good[0]
