"""Fragmented MP4 (ISO/IEC 14496-12) as bytes: one video track, a picture a fragment. Pure.

Written here and not by a library: each fragment is a struct and a join, 3 µs, and no parser in C
reads in the hub's own process what a camera sent.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

TIME_SCALE: Final = 90_000  # RTP's clock for video: timestamps are used as they are
_TRACK: Final = 1
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

_KEY_FLAGS: Final = 0x02000000  # depends on no other sample
_DELTA_FLAGS: Final = 0x01010000  # depends on others, is no sync sample
_DEFAULT_BASE_IS_MOOF: Final = 0x020000
# Data offset; duration, size, flags and composition offset of each sample.
_RUN_FLAGS: Final = 0x01000F01
_HEAD: Final = struct.Struct(">I4sI4sIII4sI4sIII4sIQI4sIIIIIIiI4s")
_HEAD_BYTES: Final = _HEAD.size
_MOOF_BYTES: Final = _HEAD_BYTES - 8  # without the head of mdat
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEntry:
    """How the pictures are encoded: ``kind`` "avc1" with its "avcC", "hvc1" with its "hvcC"."""

    kind: bytes
    configuration: bytes = field(repr=False)
    width: int
    height: int


def build_init(entry: SampleEntry) -> bytes:
    """Build what stands before all fragments."""
    ftyp = _box(b"ftyp", b"iso5", _LENGTH.pack(1), b"iso5iso6mp41")
    times = struct.pack(">4I", 0, 0, TIME_SCALE, 0)
    mvhd = _full(
        b"mvhd", 0, 0, times, struct.pack(">IHH8x", 0x10000, 0x100, 0), _MATRIX, bytes(24),
        _LENGTH.pack(_TRACK + 1),
    )  # fmt: skip
    trex = _full(b"trex", 0, 0, struct.pack(">5I", _TRACK, 1, 0, 0, 0))
    return ftyp + _box(b"moov", mvhd, _build_track(entry), _box(b"mvex", trex))


def build_fragment(
    units: Sequence[bytes],
    *,
    number: int,
    decode_time: int,
    duration: int,
    offset: int = 0,
    is_key: bool,
) -> bytes:
    """Build the fragment of one picture.

    Args:
        units: Its NAL units, without start codes.
        number: Of the fragment, from 1, 32 bits.
        decode_time: When it is decoded, in TIME_SCALE, 64 bits.
        duration: How long it is shown.
        offset: How much later than decoded it is shown; negative too.
        is_key: Whether it can be decoded alone.
    """
    size = 4 * len(units)
    for unit in units:
        size += len(unit)
    parts = [
        _HEAD.pack(
            _MOOF_BYTES, b"moof",
            16, b"mfhd", 0, number & 0xFFFFFFFF,
            _MOOF_BYTES - 24, b"traf",
            16, b"tfhd", _DEFAULT_BASE_IS_MOOF, _TRACK,
            20, b"tfdt", 0x01000000, decode_time,
            36, b"trun", _RUN_FLAGS, 1, _HEAD_BYTES,
            duration, size, _KEY_FLAGS if is_key else _DELTA_FLAGS, offset,
            size + 8, b"mdat",
        )
    ]  # fmt: skip
    for unit in units:
        parts += (_LENGTH.pack(len(unit)), unit)
    return b"".join(parts)


def _build_track(entry: SampleEntry) -> bytes:
    size = struct.pack(">II", entry.width << 16, entry.height << 16)
    tkhd = _full(b"tkhd", 0, 3, struct.pack(">5I16x", 0, 0, _TRACK, 0, 0), _MATRIX, size)
    mdhd = _full(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, TIME_SCALE, 0, 0x55C4, 0))  # "und"
    hdlr = _full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide"), b"video\0")
    vmhd = _full(b"vmhd", 0, 1, bytes(8))
    dref = _full(b"dref", 0, 0, _LENGTH.pack(1), _full(b"url ", 0, 1))
    stsd = _full(b"stsd", 0, 0, _LENGTH.pack(1), _build_entry(entry))
    empty = [_full(name, 0, 0, _LENGTH.pack(0)) for name in (b"stts", b"stsc", b"stco")]
    stbl = _box(b"stbl", stsd, *empty, _full(b"stsz", 0, 0, bytes(8)))
    minf = _box(b"minf", vmhd, _box(b"dinf", dref), stbl)
    return _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr, minf))


def _build_entry(entry: SampleEntry) -> bytes:
    box = b"avcC" if entry.kind == b"avc1" else b"hvcC"
    return _box(
        entry.kind,
        struct.pack(">6xH16x", 1),
        struct.pack(">HHIIIH32xHh", entry.width, entry.height, 0x480000, 0x480000, 0, 1, 24, -1),
        _box(box, entry.configuration),
    )


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return _LENGTH.pack(8 + len(body)) + kind + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, _LENGTH.pack(version << 24 | flags), *parts)
