"""What an H.265 sequence parameter set says of a stream (ITU-T H.265, 7.3.2.2). Pure."""

from dataclasses import dataclass, field
from typing import Final

from streams.bits import Bits, strip_emulation

_KIND_SPS: Final = 33
_MAX_SIDE: Final = 16_384
_PROFILE_BYTES: Final = 12  # general profile, tier, compatibility, constraints and level
_SUB_LAYER_PROFILE_BITS: Final = 88
_SUB_LAYER_LEVEL_BITS: Final = 8
# By chroma format: how many luma samples a unit of cropping is wide and high.
_CROP_UNITS: Final = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class H265Facts:
    """What a player must know before it decodes; ``profile`` is as it stands in the set."""

    width: int
    height: int
    profile: bytes = field(repr=False)
    chroma: int
    luma_depth: int
    chroma_depth: int
    layers: int


def parse_h265_sps(unit: bytes) -> H265Facts | None:
    """Read a sequence parameter set (with its NAL header); None for what cannot be read."""
    if len(unit) < 2 + 1 + _PROFILE_BYTES or (unit[0] >> 1) & 0x3F != _KIND_SPS:
        return None
    raw = strip_emulation(unit[2:])
    try:
        facts = _read(raw)
    except (IndexError, ValueError, KeyError):
        return None
    if not (0 < facts.width <= _MAX_SIDE and 0 < facts.height <= _MAX_SIDE):
        return None
    return facts


def _read(raw: bytes) -> H265Facts:
    bits = Bits(raw)
    bits.take(4)  # the number of its VPS
    sub_layers = bits.take(3)
    bits.take(1)  # temporal nesting
    profile = raw[1 : 1 + _PROFILE_BYTES]
    bits.take(8 * _PROFILE_BYTES)
    _skip_sub_layers(bits, sub_layers)
    bits.unsigned()  # its own number
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)  # separate colour planes
    width, height = bits.unsigned(), bits.unsigned()
    if bits.take(1):  # cropping
        across, down = _CROP_UNITS[chroma]
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= across * (left + right)
        height -= down * (top + bottom)
    return H265Facts(
        width=width,
        height=height,
        profile=profile,
        chroma=chroma & 3,
        luma_depth=8 + (bits.unsigned() & 7),
        chroma_depth=8 + (bits.unsigned() & 7),
        layers=sub_layers + 1,
    )


def _skip_sub_layers(bits: Bits, count: int) -> None:
    present = [(bits.take(1), bits.take(1)) for _ in range(count)]
    if count:
        bits.take(2 * (8 - count))  # alignment
    for has_profile, has_level in present:
        if has_profile:
            bits.take(_SUB_LAYER_PROFILE_BITS)
        if has_level:
            bits.take(_SUB_LAYER_LEVEL_BITS)
