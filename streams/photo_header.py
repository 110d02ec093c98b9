"""The first bytes of a photo: is it one of the kinds that are taken, and how large is it?

Pure; nothing is decoded. A stranger's photo is measured here before any decoder sees it.
"""

from enum import StrEnum
from typing import Final, NoReturn

from hub.domain.errors import Invalid, ProtocolViolation
from streams.jpeg import find_jpeg_size

FIELD: Final = "photo"
MAX_PHOTO_BYTES: Final = 12 * 1024 * 1024
# A JPEG is decoded at a fraction of its size, the others are not; phones take up to 108 megapixels.
MAX_JPEG_PIXELS: Final = 120_000_000
MAX_PIXELS: Final = 40_000_000
LEAST_SIDE: Final = 16  # pixels

_PNG_MARK: Final = b"\x89PNG\r\n\x1a\n"


class PhotoKind(StrEnum):
    """What photos are taken as."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


def parse_photo_size(data: bytes) -> tuple[PhotoKind, int, int]:
    """Return what a photo is, and its width and height as they are stored.

    Raises:
        Invalid: it is none that can be taken; ``field`` is FIELD.
    """
    if len(data) > MAX_PHOTO_BYTES:
        refuse(f"it is larger than {MAX_PHOTO_BYTES // 1024**2} MiB: send a smaller one")
    kind, size = _measure(data)
    if size is None:
        refuse("it is no photo: send a JPEG, PNG or WebP picture")
    width, height = size
    most = MAX_JPEG_PIXELS if kind is PhotoKind.JPEG else MAX_PIXELS
    if min(width, height) < LEAST_SIDE or width * height > most:
        refuse(f"its size of {width} x {height} pixels is none that can be taken")
    return kind, width, height


def refuse(reason: str) -> NoReturn:
    """Say why a photo is not taken; raises Invalid."""
    msg = f"the photo was not taken: {reason}"
    raise Invalid(msg, field=FIELD)


def _measure(data: bytes) -> tuple[PhotoKind, tuple[int, int] | None]:
    if data.startswith(b"\xff\xd8\xff"):
        try:
            return PhotoKind.JPEG, find_jpeg_size(data)
        except ProtocolViolation:
            return PhotoKind.JPEG, None
    if data.startswith(_PNG_MARK) and data[12:16] == b"IHDR" and len(data) >= 24:
        sides = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        return PhotoKind.PNG, (next(sides), next(sides))
    return PhotoKind.WEBP, _measure_webp(data)


def _measure_webp(data: bytes) -> tuple[int, int] | None:
    """Read a WebP container (RFC 9649, sections 2.4 to 2.7)."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8X":
            return _little(data[24:27]) + 1, _little(data[27:30]) + 1
        case b"VP8L" if data[20] == 0x2F:
            bits = _little(data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
