"""The program of a judging process: orders in on stdin, what was found out on stdout.

Started by ``judges`` without the hub's environment, so that strangers' bytes meet the decoders
where there are no secrets, little memory and no files. Messages are those of ``messages``.
"""

import importlib
from datetime import UTC, datetime
from typing import BinaryIO, Final

import av
import cv2
import numpy as np

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import CheckOrder, Codec, EncodedFrame, Index
from streams.confinement import confine, limit_cpu, read_whole
from streams.quality import messages
from streams.quality.explaining import explain
from streams.quality.judging import encode_jpeg, judge
from streams.quality.messages import LENGTH_BYTES, Message

MAX_MEMORY_BYTES: Final = 1024**3  # 0.4 GiB are reserved at once; 40 megapixels take 0.25 more
# What NumPy imports only when it is first used, which is too late for a process without files.
_LATE: Final = ("char", "fft", "linalg", "ma", "polynomial", "random", "rec", "strings")


def main() -> None:
    """Answer orders until stdin ends."""
    cv2.setNumThreads(1)
    for name in _LATE:
        importlib.import_module(f"numpy.{name}")
    _warm_up()
    source, sink = confine(MAX_MEMORY_BYTES)
    while (message := _receive(source)) is not None:
        limit_cpu()
        sink.write(_answer(message))
        sink.flush()


def _receive(source: BinaryIO) -> Message | None:
    head = read_whole(source, LENGTH_BYTES)
    text = None if head is None else read_whole(source, messages.parse_length(head))
    if text is None:
        return None
    header, sizes = messages.parse_header(text)
    blobs = [read_whole(source, size) for size in sizes]
    whole = [blob for blob in blobs if blob is not None]
    return Message(header=header, blobs=whole) if len(whole) == len(blobs) else None


def _answer(message: Message) -> bytes:
    order, check = messages.parse_order(message)
    try:
        if check is not None:
            return messages.build_picture(explain(order, check))
        return messages.build_answer(judge(order))
    except ProtocolViolation as error:
        return messages.build_error(str(error))
    except (
        *(cv2.error, av.FFmpegError, MemoryError, OSError),
        *(ArithmeticError, LookupError, TypeError, ValueError),
    ) as error:
        return messages.build_error(f"the picture cannot be judged ({_describe(error)})")


def _describe(error: BaseException) -> str:
    """Name the error and where it was raised: a process without files can tell nothing else."""
    trace = error.__traceback__
    if trace is None:
        return type(error).__name__
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "")
    return f"{type(error).__name__} in {module}, line {trace.tb_lineno}"


def _warm_up() -> None:
    """Have everything imported and set up while files may still be opened."""
    grain = np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8)
    frame = EncodedFrame(
        codec=Codec.JPEG, data=encode_jpeg(grain), taken_at=datetime(2000, 1, 1, tzinfo=UTC)
    )
    order = CheckOrder(
        frames=(frame, frame, frame),
        thresholds=dict.fromkeys(Index, 50.0),
        infrared=dict.fromkeys(Index, 50.0),
        evidence_width=64,
    )
    explain(order, judge(order))
