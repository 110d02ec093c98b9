"""The header of a JPEG (ITU-T T.81): is it one, and how large a picture would it become?

Pure; nothing is decoded. A stranger's picture is measured here before any decoder sees it.
"""

from hub.domain.errors import ProtocolViolation

MAX_JPEG_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000  # 40 megapixels: above the largest cameras sold

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


def parse_jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a complete JPEG within the limits.

    Raises:
        ProtocolViolation: it is no JPEG, is cut off, or is too large.
    """
    if len(data) > MAX_JPEG_BYTES:
        msg = f"the picture exceeds {MAX_JPEG_BYTES} bytes"
        raise ProtocolViolation(msg)
    if not data.startswith(b"\xff\xd8\xff"):
        msg = "the answer is not a JPEG picture"
        raise ProtocolViolation(msg, evidence=data[:64])
    if data.rfind(b"\xff\xd9", max(0, len(data) - 65_536)) < 0:
        msg = "the picture is cut off"
        raise ProtocolViolation(msg)
    width, height = find_jpeg_size(data)
    if width * height > MAX_PIXELS:
        msg = f"the picture of {width} x {height} pixels exceeds {MAX_PIXELS} pixels"
        raise ProtocolViolation(msg)
    return width, height


def find_jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height as the header tells them, whatever they are.

    Raises:
        ProtocolViolation: it tells none.
    """
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
        elif marker in _WITHOUT_LENGTH:
            position += 2
        elif marker in _START_OF_FRAME:
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            width = int.from_bytes(data[position + 7 : position + 9], "big")
            if width and height:
                return width, height
            break
        else:
            position += 2 + max(2, int.from_bytes(data[position + 2 : position + 4], "big"))
    msg = "the picture names no size"
    raise ProtocolViolation(msg, evidence=data[:64])
