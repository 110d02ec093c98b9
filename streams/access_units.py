"""From RTP packets to whole encoded pictures: H.264 (RFC 6184) and H.265 (RFC 7798).

Pure and bounded. Every packet of every stream that is watched passes here, so that it does no
more than it must with one. Nothing is decoded; parameter sets are kept by their numbers.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from hub.domain.errors import ProtocolViolation, UnsupportedByDevice

MAX_FRAME_BYTES: Final = 8 * 1024 * 1024
MAX_UNITS: Final = 1024  # NAL units of one frame; real ones have up to 64 slices
MAX_PARAMETERS: Final = 32  # parameter sets of one stream; real ones have two or three
CODECS: Final = frozenset({"h264", "hevc"})

_HEADER: Final = struct.Struct(">BBHI")
_HEADER_BYTES: Final = 12
_H264_STAP_A, _H264_FU_A = 24, 28
_H265_AP, _H265_FU = 48, 49
_H264_KEY, _H264_PARAMETERS = frozenset({5}), frozenset({7, 8})
_H265_KEY, _H265_PARAMETERS = frozenset(range(16, 22)), frozenset({32, 33, 34})
_H264_SLICES, _H265_SLICES = frozenset(range(1, 6)), frozenset(range(32))
_H264_PPS, _H265_PPS = 8, 34


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessUnit:
    """One encoded picture: its slices, without parameter sets and what else is no picture.

    ``timestamp`` is that of RTP: 90 kHz, 32 bits. ``follows_gap``: pictures before it were lost.
    """

    units: tuple[bytes, ...] = field(repr=False)
    timestamp: int
    is_key: bool
    follows_gap: bool


def find_payload(data: bytes) -> tuple[int, int] | None:
    """Return where the payload of an RTP packet begins and ends; None for what is no packet."""
    if len(data) < _HEADER_BYTES or data[0] >> 6 != 2:
        return None
    start = _HEADER_BYTES + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:  # header extension
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)  # padding
    return None if start > end else (start, end)


class AccessUnits:
    """Collects packets until a picture is whole.

    A picture with a lost packet is dropped, and all that follow it up to the next key picture.
    ``payload_type``: packets of another one are no part of the stream; None takes all.
    """

    def __init__(
        self, codec: str, parameter_sets: Iterable[bytes] = (), *, payload_type: int | None = None
    ) -> None:
        if codec not in CODECS:
            msg = (
                f"pictures of a {codec or 'nameless'} stream cannot be taken, only H.264 and H.265"
            )
            raise UnsupportedByDevice(msg)
        self._is_h264 = is_h264 = codec == "h264"
        self._payload_type = payload_type
        self._aggregate = _H264_STAP_A if is_h264 else _H265_AP
        self._fragments_of = _H264_FU_A if is_h264 else _H265_FU
        self._slices = _H264_SLICES if is_h264 else _H265_SLICES
        self._keys = _H264_KEY if is_h264 else _H265_KEY
        self._sets = _H264_PARAMETERS if is_h264 else _H265_PARAMETERS
        self._known: dict[tuple[int, int], bytes] = {}
        self._units: list[bytes] = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._timestamp: int | None = None
        self._expected: int | None = None
        self._is_broken = False
        self._has_key = False
        self._follows = False  # a key picture, without a gap
        self._had_gap = False
        for unit in parameter_sets:
            self._keep_set(unit)

    @property
    def parameter_sets(self) -> tuple[bytes, ...]:
        """The parameter sets in force, in the order a decoder wants."""
        return tuple(self._known[key] for key in sorted(self._known))

    def feed(self, data: bytes) -> AccessUnit | None:
        """Take one packet; return the picture that is whole by it.

        Raises:
            ProtocolViolation: a picture exceeds what a camera could mean.
        """
        start, end = _HEADER_BYTES, len(data)
        if end <= start or data[0] != 0x80:  # not the plain header that nearly all packets have
            found = find_payload(data)
            if found is None or found[0] == found[1]:
                return None
            start, end = found
        _, mark, sequence, timestamp = _HEADER.unpack_from(data)
        if self._payload_type is not None and mark & 0x7F != self._payload_type:
            return None
        whole = None
        has_gap = sequence != self._expected and self._expected is not None
        if timestamp != self._timestamp:
            # Some cameras never say that a picture is whole: the next one does.
            self._is_broken |= has_gap or bool(self._pieces)
            whole = self._finish()
            self._restart(timestamp)
        self._is_broken |= has_gap
        self._expected = (sequence + 1) & 0xFFFF
        self._size += end - start
        if self._size > MAX_FRAME_BYTES or len(self._units) > MAX_UNITS:
            msg = f"one frame exceeds {MAX_FRAME_BYTES} bytes or {MAX_UNITS} parts"
            raise ProtocolViolation(msg)
        self._unpack(data, start, end)
        return self._finish() or whole if mark & 0x80 else whole

    def _restart(self, timestamp: int) -> None:
        """Begin another picture. Parameter sets seen so far stay."""
        self._timestamp = timestamp
        self._units = []
        self._pieces = []
        self._size = 0
        self._is_broken = False
        self._has_key = False

    def _finish(self) -> AccessUnit | None:
        """Return the picture, if it is whole and what it refers to is known."""
        if self._is_broken:
            self._follows, self._had_gap = False, True
        units = self._units
        if not units or self._is_broken or not (self._has_key or self._follows):
            return None
        whole = AccessUnit(
            units=tuple(units),
            timestamp=self._timestamp or 0,
            is_key=self._has_key,
            follows_gap=self._had_gap,
        )
        self._follows, self._had_gap = True, False
        self._units = []
        return whole

    def _unpack(self, data: bytes, start: int, end: int) -> None:
        first = data[start]
        kind = first & 0x1F if self._is_h264 else (first >> 1) & 0x3F
        if kind == self._fragments_of:
            self._unpack_fragment(data, start, end)
        elif kind == self._aggregate:
            self._unpack_aggregate(data[start + (1 if self._is_h264 else 2) : end])
        else:
            self._add_unit(kind, data[start:end])

    def _unpack_fragment(self, data: bytes, start: int, end: int) -> None:
        at = start + (1 if self._is_h264 else 2)
        if end <= at + 1:
            self._is_broken = True
            return
        flags = data[at]
        if flags & 0x80:  # first fragment: rebuild the unit's own header
            if self._is_h264:
                header = bytes((data[start] & 0xE0 | flags & 0x1F,))
            else:
                header = bytes((data[start] & 0x81 | (flags & 0x3F) << 1, data[start + 1]))
            self._pieces = [header]
        elif not self._pieces:
            self._is_broken = True
            return
        self._pieces.append(data[at + 1 : end])
        if flags & 0x40:  # last fragment
            kind = flags & 0x1F if self._is_h264 else flags & 0x3F
            unit, self._pieces = b"".join(self._pieces), []
            self._add_unit(kind, unit)

    def _unpack_aggregate(self, rest: bytes) -> None:
        while len(rest) > 2:
            end = 2 + int.from_bytes(rest[:2], "big")
            if end == 2 or len(rest) < end:
                self._is_broken = True
                return
            self._add_unit(_kind(rest[2], is_h264=self._is_h264), rest[2:end])
            rest = rest[end:]

    def _add_unit(self, kind: int, unit: bytes) -> None:
        if kind in self._slices:
            if kind in self._keys:
                self._has_key = True
            self._units.append(unit)
        elif kind in self._sets:
            self._keep_set(unit)

    def _keep_set(self, unit: bytes) -> None:
        kind = _kind(unit[0], is_h264=self._is_h264)
        number = 0
        if kind == (_H264_PPS if self._is_h264 else _H265_PPS):  # the one there are several of
            number = _first_number(unit[1 if self._is_h264 else 2 :])
        self._known[kind, number] = unit
        if len(self._known) > MAX_PARAMETERS:
            msg = f"the stream has more than {MAX_PARAMETERS} parameter sets"
            raise ProtocolViolation(msg)


def _kind(first: int, *, is_h264: bool) -> int:
    return first & 0x1F if is_h264 else (first >> 1) & 0x3F


def _first_number(data: bytes) -> int:
    """The Exp-Golomb number that data begin with; 0 for none that fits into two bytes."""
    bits = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
    zeros = 32 - bits.bit_length()
    return 0 if zeros > 7 else (bits >> (31 - 2 * zeros)) - 1
