"""How the hub and the process that makes films talk; every length is checked. Pure."""

import asyncio
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from hub.domain.quality import Polygon
from streams.confinement import read_whole
from streams.recording import MAX_RECORDED_FRAMES, Recording

MAX_FILM_BYTES: Final = 32 * 1024 * 1024
LONGEST_REASON: Final = 200  # characters
MAX_SECONDS: Final = 3_600.0

_HEAD: Final = struct.Struct(">4sII")  # codec, length of the masks, number of frames
_FRAME: Final = struct.Struct(">dI")  # second, length
_ANSWER: Final = struct.Struct(">BdI")  # status (0: a film), seconds, length


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmOrder:
    """The encoded pictures of a film, and what is painted over in it."""

    codec: str
    frames: Sequence[tuple[float, bytes]]
    masks: tuple[Polygon, ...] = ()


def build_order(recording: Recording, masks: tuple[Polygon, ...]) -> bytes:
    """Return the message that asks for a film."""
    polygons = json.dumps(masks).encode("ascii")
    frames = recording.frames[:MAX_RECORDED_FRAMES]
    head = _HEAD.pack(recording.codec.encode("ascii"), len(polygons), len(frames))
    parts = [head, polygons]
    for at_s, data in frames:
        parts += [_FRAME.pack(at_s, len(data)), data]
    return b"".join(parts)


def read_order(source: BinaryIO) -> FilmOrder | None:
    """Read an order in the process that makes films; None when the pipe ends."""
    head = read_whole(source, _HEAD.size)
    if head is None:
        return None
    codec, mask_length, count = _HEAD.unpack(head)
    masks = read_whole(source, mask_length)
    frames = []
    for _ in range(count):
        frame = read_whole(source, _FRAME.size)
        at_s, length = (0.0, 0) if frame is None else _FRAME.unpack(frame)
        data = read_whole(source, length)
        if frame is None or data is None:
            return None
        frames.append((at_s, data))
    if masks is None:
        return None
    name = codec.rstrip(b"\0").decode("ascii")
    return FilmOrder(codec=name, frames=frames, masks=json.loads(masks))


def build_film(film: bytes, seconds: float) -> bytes:
    """Return the message that holds a film."""
    return _ANSWER.pack(0, seconds, len(film)) + film


def build_refusal(reason: str) -> bytes:
    """Return the message that tells why there is none."""
    text = reason.encode("ascii", "replace")[:LONGEST_REASON]
    return _ANSWER.pack(1, 0.0, len(text)) + text


async def read_answer(source: asyncio.StreamReader) -> tuple[str, bytes, float]:
    """Return why there is no film (empty when there is one), the film and its seconds.

    Raises:
        EOFError: it is no answer.
    """
    status, seconds, length = _ANSWER.unpack(await source.readexactly(_ANSWER.size))
    if length > MAX_FILM_BYTES:
        msg = "the film is too large"
        raise EOFError(msg)
    body = await source.readexactly(length)
    if status != 0:
        text = "".join(c if c.isprintable() else "?" for c in body.decode("ascii", "replace"))
        return text[:LONGEST_REASON] or "the film cannot be made", b"", 0.0
    if body[4:8] != b"ftyp" or not 0.0 <= seconds <= MAX_SECONDS:
        msg = "the answer is no film"
        raise EOFError(msg)
    return "", body, seconds
