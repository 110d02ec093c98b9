"""The program of the decoding process: key frames in on stdin, JPEG pictures out on stdout.

Started by streams.decoder as a script of its own, without the hub's environment, so that a
stranger's bytes meet the decoder where there are no secrets, little memory and no files.
A request is a codec name (4 bytes), a length and one frame in Annex B form; the answer is
a status (0 good), width, height, a length, and the picture or the reason.
"""

import resource
import struct
import sys
from typing import BinaryIO

import av
import cv2

REQUEST = struct.Struct(">4sI")
ANSWER = struct.Struct(">BHHI")
MAX_PIXELS = 40_000_000
MAX_MEMORY_BYTES = 2 * 1024**3  # one 40-megapixel frame takes 60 MB, as BGR 120 MB
CPU_LIMIT_S = 20  # per frame; past it the system ends this process, even without its parent
CODECS = frozenset({"h264", "hevc"})
JPEG_QUALITY = 85


def main() -> None:
    """Answer requests until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (head := _read(source, REQUEST.size)) is not None:
        codec, length = REQUEST.unpack(head)
        data = _read(source, length)
        if data is None:
            return
        _limit_cpu()
        try:
            jpeg, width, height = decode(codec.decode("ascii"), data)
            answer = ANSWER.pack(0, width, height, len(jpeg)) + jpeg
        except (av.FFmpegError, ValueError, TypeError, MemoryError, cv2.error) as error:
            reason = type(error).__name__.encode("ascii")
            answer = ANSWER.pack(1, 0, 0, len(reason)) + reason
        sink.write(answer)
        sink.flush()


def decode(codec: str, data: bytes) -> tuple[bytes, int, int]:
    """Decode one key frame and encode it as JPEG; returns it with width and height."""
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
    picture = good[0].to_ndarray(format="bgr24")
    is_encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_encoded:
        msg = "not encoded"
        raise ValueError(msg)
    return jpeg.tobytes(), picture.shape[1], picture.shape[0]


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + CPU_LIMIT_S
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _read(source: BinaryIO, size: int) -> bytes | None:
    data = source.read(size)
    return data if len(data) == size else None


if __name__ == "__main__":
    main()
