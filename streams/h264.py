"""The picture size out of an H.264 sequence parameter set (ITU-T H.264, 7.3.2.1.1).

Pure; a set that cannot be read gives None: the size is then simply not known.
"""

from streams.bits import Bits, strip_emulation

_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_MAX_SIDE = 16_384


def parse_sps_size(unit: bytes) -> tuple[int, int] | None:
    """Return width and height of a sequence parameter set (with its NAL header)."""
    if len(unit) < 5 or unit[0] & 0x1F != 7:
        return None
    try:
        width, height = _read_size(Bits(strip_emulation(unit[1:])))
    except (IndexError, ValueError):
        return None
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        return None
    return width, height


def _read_size(bits: Bits) -> tuple[int, int]:
    profile = bits.take(8)
    bits.take(16)  # constraints and level
    bits.unsigned()  # its id
    chroma, is_separate = _read_chroma(bits) if profile in _HIGH_PROFILES else (1, 0)
    bits.unsigned()  # log2_max_frame_num
    _skip_picture_order(bits)
    bits.unsigned()  # reference frames
    bits.take(1)  # gaps allowed
    width = 16 * (bits.unsigned() + 1)
    map_height = 16 * (bits.unsigned() + 1)
    is_progressive = bits.take(1)
    if not is_progressive:
        bits.take(1)  # macroblock-adaptive fields
    bits.take(1)  # direct 8x8 inference
    height = map_height * (2 - is_progressive)
    if bits.take(1):  # cropping, in units of chroma samples
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        has_chroma = chroma in {1, 2, 3} and not is_separate
        unit_x = 2 if has_chroma and chroma in {1, 2} else 1
        unit_y = (2 if has_chroma and chroma == 1 else 1) * (2 - is_progressive)
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    return width, height


def _read_chroma(bits: Bits) -> tuple[int, int]:
    chroma = bits.unsigned()
    is_separate = bits.take(1) if chroma == 3 else 0
    bits.unsigned()  # luma bit depth
    bits.unsigned()  # chroma bit depth
    bits.take(1)  # lossless bypass
    if bits.take(1):  # scaling matrices
        for index in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma, is_separate


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_picture_order(bits: Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()
