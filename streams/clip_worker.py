"""The program of the process that makes films: encoded pictures in on stdin, films out on stdout.

Started by streams.clips without the hub's environment. What a camera encoded is decoded, painted
over and encoded anew: not one byte of it reaches a browser.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from streams.clip_messages import FilmOrder, build_film, build_refusal, read_order
from streams.codecs import MAX_PIXELS, VIDEO_CODECS, decode_jpeg, draw_frame
from streams.confinement import confine, limit_cpu
from streams.quality.masks import paint_over

MAX_MEMORY_BYTES: Final = 2 * 1024**3
WIDEST: Final = 960  # pixels
FRAMES_A_SECOND: Final = 12.0
LEAST_SIDE: Final = 16
# Constant quality, and no thread of its own: a confined process can start none.
_ENCODER: Final = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": "26",
    "x264-params": "threads=1:keyint=24",
}
_TICKS: Final = 1_000  # a second

Picture = NDArray[np.uint8]


def main() -> None:
    """Answer orders until stdin ends."""
    cv2.setNumThreads(1)
    _encode(iter([(0.0, np.zeros((32, 32, 3), np.uint8))]))  # all is loaded while files may be
    source, sink = confine(MAX_MEMORY_BYTES)
    while (order := read_order(source)) is not None:
        limit_cpu()
        try:
            answer = build_film(*make_film(order))
        except ProtocolViolation as error:
            answer = build_refusal(str(error))
        except (av.FFmpegError, cv2.error, ValueError, TypeError, MemoryError, OSError) as error:
            answer = build_refusal(f"the film cannot be made ({type(error).__name__})")
        sink.write(answer)
        sink.flush()


def make_film(order: FilmOrder) -> tuple[bytes, float]:
    """Return a film that browsers play, with the masks painted over, and how long it is.

    Raises:
        ProtocolViolation: what the camera sent cannot be decoded.
    """
    pictures = _decode_jpegs(order) if order.codec == "jpeg" else _decode_video(order)
    film, seconds = _encode(_covered(pictures, order))
    if not film:
        msg = "nothing of it can be decoded"
        raise ProtocolViolation(msg)
    return film, seconds


def _decode_jpegs(order: FilmOrder) -> Iterator[tuple[float, Picture]]:
    for at_s, data in order.frames:
        picture = decode_jpeg(data)
        rows, columns = picture.shape[:2]
        width, height = _shape(columns, rows)
        size = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        yield at_s, np.asarray(size, np.uint8)


def _decode_video(order: FilmOrder) -> Iterator[tuple[float, Picture]]:
    """Decode all pictures, and draw as many of them as are shown."""
    if order.codec not in VIDEO_CODECS:
        msg = "its codec is not known"
        raise ProtocolViolation(msg)
    context = av.CodecContext.create(order.codec, "r")
    if not isinstance(context, av.VideoCodecContext):
        msg = "no video codec"
        raise TypeError(msg)
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_PIXELS)}
    due_s = 0.0
    for frame in _decode_all(context, order.frames):
        at_s = (frame.pts or 0) / _TICKS
        if at_s >= due_s and not frame.is_corrupt:
            due_s = at_s + 1.0 / FRAMES_A_SECOND
            yield at_s, draw_frame(frame, *_shape(frame.width, frame.height))


def _decode_all(
    context: av.VideoCodecContext, frames: Sequence[tuple[float, bytes]]
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded, each with the tick at which it came; some come late."""
    for at_s, data in frames:
        packet = av.Packet(data)
        packet.pts = round(at_s * _TICKS)
        try:
            yield from context.decode(packet)
        except (av.FFmpegError, ValueError):
            continue  # what follows may be well
    with suppress(av.FFmpegError, ValueError):
        yield from context.decode(None)


def _shape(width: int, height: int) -> tuple[int, int]:
    """Return the size of the film: even, as its colours need it, and at most WIDEST wide."""
    if min(width, height) < LEAST_SIDE:
        msg = "its pictures are too small"
        raise ProtocolViolation(msg)
    scale = min(1.0, WIDEST / width, WIDEST / height)
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


def _covered(
    pictures: Iterator[tuple[float, Picture]], order: FilmOrder
) -> Iterator[tuple[float, Picture]]:
    for at_s, picture in pictures:
        paint_over(picture, order.masks)
        yield at_s, picture


def _encode(pictures: Iterator[tuple[float, Picture]]) -> tuple[bytes, float]:
    """Encode pictures as H.264 in MP4; a picture of another size than the first ends the film."""
    file = io.BytesIO()
    last = -1
    size: tuple[int, ...] = ()
    with av.open(file, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=round(FRAMES_A_SECOND), options=_ENCODER)
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        for at_s, picture in pictures:
            if not size:
                size = picture.shape
                stream.height, stream.width = size[:2]
            if picture.shape != size:
                break
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            last = max(last + 1, round(at_s * _TICKS))
            frame.pts, frame.time_base = last, Fraction(1, _TICKS)
            film.mux(stream.encode(frame))
        if size:
            film.mux(stream.encode(None))
    if not size:
        return b"", 0.0
    return file.getvalue(), last / _TICKS + 1.0 / FRAMES_A_SECOND
