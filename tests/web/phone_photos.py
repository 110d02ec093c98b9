"""Photos as phones and strangers make them: with metadata, a script, a file behind the end."""

import io
import struct
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

SCRIPT: Final = b"<script>alert(1)</script>"
MAKER: Final = b"SpyPhone 9"
ARCHIVE: Final = b"PK\x03\x04 not a photo"
# None of it may be in what is kept.
MARKS: Final = (b"<script", MAKER, b"GPS", b"Exif", b"PK\x03\x04", b"http://ns.adobe.com")
_GPS_IFD: Final = 0x8825
_MAKE, _DESCRIPTION, _ORIENTATION = 0x010F, 0x010E, 0x0112


def make_photo(width: int = 640, height: int = 480, *, seed: int = 1) -> bytes:
    """A plain JPEG with some structure in it."""
    return _encode(_scene(width, height, seed), exif=b"")


def make_burdened(width: int = 640, height: int = 480) -> bytes:
    """A JPEG, lying on its side, with place, device, scripts and an archive in and behind it."""
    image = _scene(width, height, 2)
    exif = Image.Exif()
    exif[_MAKE] = MAKER.decode()
    exif[_DESCRIPTION] = SCRIPT.decode()
    exif[_ORIENTATION] = 6
    exif.get_ifd(_GPS_IFD).update({1: "N", 2: (36.0, 48.0, 12.5), 3: "E", 4: (118.0, 3.0, 7.0)})
    jpeg = _encode(image, exif=exif.tobytes())
    comment = b"\xff\xfe" + struct.pack(">H", len(SCRIPT) + 2) + SCRIPT
    packet = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>" + SCRIPT
    xmp = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    return jpeg[:2] + comment + xmp + jpeg[2:] + SCRIPT + ARCHIVE


def make_burdened_png() -> bytes:
    """A PNG with a script in its text."""
    info = PngInfo()
    info.add_text("Comment", SCRIPT.decode())
    out = io.BytesIO()
    _scene(320, 240, 3).save(out, "PNG", pnginfo=info)
    return out.getvalue() + ARCHIVE


def make_bomb(side: int = 60_000) -> bytes:
    """A PNG of some kilobytes that would be gigabytes of pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _scene(width: int, height: int, seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (max(1, height // 40), max(1, width // 40), 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def _encode(image: Image.Image, *, exif: bytes) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, exif=exif)
    return out.getvalue()


TROUBLE: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "nothing": b"",
        "a page": b"<!doctype html>" + SCRIPT,
        "a drawing with a script": b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
        "a picture that is a script, too": b"GIF89a/*" + SCRIPT + b"*/=1;",
        "an archive": ARCHIVE,
        "a page behind the mark of a photo": b"\xff\xd8\xff\xe0" + SCRIPT * 40,
        "half a header": make_photo()[:90],
        "a bomb": make_bomb(),
        "one pixel": _encode(_scene(1, 1, 4), exif=b""),
    }
)
