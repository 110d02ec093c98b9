"""Makes photos from strangers harmless: decoded and encoded anew in a confined process.

What comes out is a JPEG that stands upright and holds nothing but its pixels: no position, no
device, no name, no second picture, no script behind its end.
"""

import asyncio
import struct
from typing import Final

from hub.domain.errors import ProtocolViolation
from hub.domain.looks import CleanPhoto
from streams.confined import Confined
from streams.jpeg import MAX_JPEG_BYTES, parse_jpeg_size
from streams.photo_header import parse_photo_size, refuse

LONGEST_SIDE: Final = 2048  # pixels
CLEAN_LIMIT_S: Final = 20.0  # twelve megapixels take 0.2 s

_REQUEST = struct.Struct(">HI")
_ANSWER = struct.Struct(">I")


class PhotoCleaner:
    """Cleans photos in one process, started when first needed; close it in the end."""

    def __init__(self, *, limit_s: float = CLEAN_LIMIT_S) -> None:
        self._child = Confined("streams.photo_worker", limit_s=limit_s)

    async def __call__(self, data: bytes) -> CleanPhoto:
        """Return the photo, upright and at most LONGEST_SIDE wide or high.

        Raises:
            Invalid: it is no photo that can be taken; it says why.
            OwnShortage: this machine cannot start the process.
        """
        parse_photo_size(data)
        try:
            jpeg = await self._child.ask(_REQUEST.pack(LONGEST_SIDE, len(data)) + data, _read)
            if not jpeg:
                refuse("it cannot be decoded")
            width, height = parse_jpeg_size(jpeg)
        except TimeoutError:
            refuse("it was not decoded in time")
        except (OSError, EOFError, struct.error, ProtocolViolation):
            refuse("it broke the decoder")
        if max(width, height) > LONGEST_SIDE:
            refuse("it broke the decoder")
        return CleanPhoto(jpeg=jpeg, width=width, height=height)

    async def close(self) -> None:
        """End the process, once it has answered."""
        await self._child.close()


async def _read(source: asyncio.StreamReader) -> bytes:
    (length,) = _ANSWER.unpack(await source.readexactly(_ANSWER.size))
    if length > MAX_JPEG_BYTES:
        msg = "the answer is too large"
        raise EOFError(msg)
    return await source.readexactly(length)
