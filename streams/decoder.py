"""A process of its own that decodes strangers' frames, within limits of memory and time.

One process, one frame at a time, started when first needed. A frame that makes it hang or
die costs that process, never the hub.
"""

import asyncio
import json
import re
import struct

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Polygon
from streams.confined import Confined

MAX_FRAME_BYTES = 8 * 1024 * 1024
MAX_JPEG_BYTES = 32 * 1024 * 1024
LONGEST_REASON = 200  # characters
DECODE_LIMIT_S = 10.0  # a 40-megapixel frame takes less than 1 s

_UNPRINTABLE = re.compile(r"[^ -~]")
_REQUEST = struct.Struct(">4sII")
_ANSWER = struct.Struct(">BHHI")


class DecoderProcess:
    """Turns H.264 and H.265 key frames into JPEG pictures and paints over; close it in the end."""

    def __init__(self, *, limit_s: float = DECODE_LIMIT_S) -> None:
        self._limit_s = limit_s
        self._child = Confined("streams.decoder_worker", limit_s=limit_s)

    async def decode(
        self, codec: str, frame: bytes, masks: tuple[Polygon, ...] = ()
    ) -> tuple[bytes, int, int]:
        """Return a JPEG, with the masks painted over, and its width and height.

        Raises:
            ProtocolViolation: the frame cannot be decoded within the limits.
            OwnShortage: this machine cannot start the process.
        """
        if len(frame) > MAX_FRAME_BYTES:
            msg = f"the frame exceeds {MAX_FRAME_BYTES} bytes"
            raise ProtocolViolation(msg)
        polygons = json.dumps(masks).encode("ascii")
        head = _REQUEST.pack(codec.encode("ascii"), len(polygons), len(frame))
        try:
            reason, answer = await self._child.ask(head + polygons + frame, _read_answer)
        except TimeoutError:
            msg = f"the frame was not decoded within {self._limit_s:g} s"
            raise ProtocolViolation(msg) from None
        except (OSError, EOFError, struct.error) as error:
            msg = "the frame broke the decoder"
            raise ProtocolViolation(msg) from error
        if reason:
            raise ProtocolViolation(reason)
        return answer

    async def close(self) -> None:
        """End the process."""
        await self._child.close()


async def _read_answer(source: asyncio.StreamReader) -> tuple[str, tuple[bytes, int, int]]:
    """Return why there is no picture, empty when there is one, and the picture."""
    status, width, height, length = _ANSWER.unpack(await source.readexactly(_ANSWER.size))
    if length > MAX_JPEG_BYTES:
        msg = "the decoder's answer is too large"
        raise EOFError(msg)
    body = await source.readexactly(length)
    if status != 0:
        reason = _UNPRINTABLE.sub("?", body[:LONGEST_REASON].decode("ascii", "replace"))
        return reason or "the frame cannot be decoded", (b"", 0, 0)
    if not body.startswith(b"\xff\xd8\xff"):
        msg = "the decoder's answer is no JPEG"
        raise EOFError(msg)
    return "", (body, width, height)
