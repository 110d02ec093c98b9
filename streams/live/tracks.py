"""What a player must know of a stream before its first picture, out of its parameter sets. Pure."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from streams.h264 import parse_sps_size
from streams.h265 import H265Facts, parse_h265_sps
from streams.live.fmp4 import SampleEntry

_H264_SPS, _H264_PPS = 7, 8
_H265_SETS = (32, 33, 34)  # VPS, SPS, PPS
_H265_SPS = 33
_UNKNOWN_SIZE: Final = (1920, 1080)  # players look into the parameter sets themselves
# What a High profile's configuration ends with: 4:2:0, 8 bits, no extensions.
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 144})
_HIGH_TAIL: Final = b"\xfd\xf8\xf8\x00"
_MOST_SETS: Final = 31  # that a configuration can count


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a stream is encoded; ``codecs`` as in RFC 6381."""

    codecs: str
    entry: SampleEntry = field(repr=False)

    @property
    def mime(self) -> str:
        """The type that a browser is asked about."""
        return f'video/mp4; codecs="{self.codecs}"'


def describe(
    codec: str, parameter_sets: Iterable[bytes], size: tuple[int, int] = (0, 0)
) -> Encoding | None:
    """Return how a stream with these parameter sets is encoded; None while some are missing.

    ``size`` is what the camera said elsewhere, for sets that cannot be read.
    """
    sets = [unit for unit in parameter_sets if 4 <= len(unit) <= 0xFFFF][:_MOST_SETS]
    if codec == "h264":
        return _describe_h264(sets, size)
    return _describe_h265(sets, size)


def _describe_h264(sets: list[bytes], said: tuple[int, int]) -> Encoding | None:
    sps = [unit for unit in sets if unit[0] & 0x1F == _H264_SPS]
    pps = [unit for unit in sets if unit[0] & 0x1F == _H264_PPS]
    if not sps or not pps:
        return None
    profile = sps[0][1:4]
    parts = [b"\x01", profile, b"\xff", bytes((0xE0 | len(sps),)), *map(_counted, sps)]
    parts += [bytes((len(pps),)), *map(_counted, pps)]
    if profile[0] in _HIGH_PROFILES:
        parts.append(_HIGH_TAIL)
    width, height = parse_sps_size(sps[0]) or _sensible(said)
    return Encoding(
        codecs=f"avc1.{profile.hex()}",
        entry=SampleEntry(kind=b"avc1", configuration=b"".join(parts), width=width, height=height),
    )


def _describe_h265(sets: list[bytes], said: tuple[int, int]) -> Encoding | None:
    by_kind = {kind: [u for u in sets if (u[0] >> 1) & 0x3F == kind] for kind in _H265_SETS}
    if not all(by_kind.values()):
        return None
    facts = parse_h265_sps(by_kind[_H265_SPS][0])
    if facts is None:
        return None
    width, height = facts.width, facts.height
    del said
    head = struct.pack(
        ">B12sHBBBBHBB",
        1,
        facts.profile,
        0xF000,  # no least segmentation
        0xFC,  # parallelism not said
        0xFC | facts.chroma,
        0xF8 | (facts.luma_depth - 8),
        0xF8 | (facts.chroma_depth - 8),
        0,  # average frame rate not said
        facts.layers << 3 | 3,  # lengths of four bytes
        len(by_kind),
    )
    arrays = [
        struct.pack(">BH", 0x80 | kind, len(units)) + b"".join(map(_counted, units))
        for kind, units in by_kind.items()
    ]
    return Encoding(
        codecs=_name_h265(facts),
        entry=SampleEntry(
            kind=b"hvc1", configuration=head + b"".join(arrays), width=width, height=height
        ),
    )


def _name_h265(facts: H265Facts) -> str:
    """The codecs parameter (ISO/IEC 14496-15, annex E.3)."""
    first = facts.profile[0]
    space = ("", "A", "B", "C")[first >> 6]
    tier = "H" if first & 0x20 else "L"
    compatible = int(f"{int.from_bytes(facts.profile[1:5], 'big'):032b}"[::-1], 2)
    constraints = facts.profile[5:11].rstrip(b"\0")
    tail = "".join(f".{byte:X}" for byte in constraints)
    return f"hvc1.{space}{first & 0x1F}.{compatible:X}.{tier}{facts.profile[11]}{tail}"


def _sensible(said: tuple[int, int]) -> tuple[int, int]:
    width, height = said
    return said if 0 < width <= 0xFFFF and 0 < height <= 0xFFFF else _UNKNOWN_SIZE


def _counted(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit
