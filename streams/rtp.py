"""RTP (RFC 3550) and the key frames it carries: H.264 (RFC 6184) and H.265 (RFC 7798).

Pure and bounded: feed packets to a KeyFrameAssembler until it returns one decodable frame.
"""

from dataclasses import dataclass

from hub.domain.errors import ProtocolViolation, UnsupportedByDevice

MAX_FRAME_BYTES = 8 * 1024 * 1024
MAX_UNITS = 1024  # NAL units of one frame; real ones have up to 64 slices

_START_CODE = b"\x00\x00\x00\x01"
_H264_STAP_A, _H264_FU_A = 24, 28
_H265_AP, _H265_FU = 48, 49
_H264_KEY, _H264_PARAMETERS = frozenset({5}), frozenset({7, 8})
_H265_KEY, _H265_PARAMETERS = frozenset(range(16, 22)), frozenset({32, 33, 34})
_H264_SLICES, _H265_SLICES = frozenset(range(1, 6)), frozenset(range(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpPacket:
    """The parts of an RTP packet that matter to video."""

    payload_type: int
    sequence: int
    timestamp: int
    is_last: bool
    payload: bytes


def is_rtp(data: bytes) -> bool:
    """Tell whether this is an RTP packet with anything in it."""
    packet = parse_rtp(data)
    return packet is not None and bool(packet.payload)


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Parse an RTP packet; None for what is not one."""
    if len(data) < 12 or data[0] >> 6 != 2:
        return None
    start = 12 + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:  # header extension
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)  # padding
    if start > end:
        return None
    return RtpPacket(
        payload_type=data[1] & 0x7F,
        sequence=int.from_bytes(data[2:4], "big"),
        timestamp=int.from_bytes(data[4:8], "big"),
        is_last=bool(data[1] & 0x80),
        payload=data[start:end],
    )


class KeyFrameAssembler:
    """Collects packets until a whole key frame is there, then returns it in Annex B form.

    A frame with a lost packet is dropped and the next key frame awaited. ``is_film``: the frames
    that follow a key frame are returned as well, each when it is whole.
    """

    def __init__(
        self, codec: str, parameter_sets: tuple[bytes, ...] = (), *, is_film: bool = False
    ) -> None:
        if codec not in {"h264", "hevc"}:
            msg = (
                f"pictures of a {codec or 'nameless'} stream cannot be taken, only H.264 and H.265"
            )
            raise UnsupportedByDevice(msg)
        self._is_h264 = codec == "h264"
        self._parameters = {self._kind(unit): unit for unit in parameter_sets}
        self._units: list[bytes] = []
        self._fragment = bytearray()
        self._size = 0
        self._timestamp: int | None = None
        self._sequence: int | None = None
        self._is_broken = False
        self._has_key = False
        self._is_film = is_film
        self._follows = False  # a key frame, without a gap

    def feed(self, data: bytes) -> bytes | None:
        """Take one RTP packet; return the frame when it is complete.

        Raises:
            ProtocolViolation: the frame exceeds what a camera could mean.
        """
        packet = parse_rtp(data)
        if packet is None or not packet.payload:
            return None
        if packet.timestamp != self._timestamp:
            self._restart(packet.timestamp)
        if self._sequence is not None and packet.sequence != (self._sequence + 1) & 0xFFFF:
            self._is_broken = True
        self._sequence = packet.sequence
        self._size += len(packet.payload)
        if self._size > MAX_FRAME_BYTES or len(self._units) > MAX_UNITS:
            msg = f"one frame exceeds {MAX_FRAME_BYTES} bytes or {MAX_UNITS} parts"
            raise ProtocolViolation(msg)
        self._unpack(packet.payload)
        if self._is_broken:
            self._follows = False
        if not packet.is_last or self._is_broken or not (self._has_key or self._follows):
            return None
        self._follows = self._is_film
        return self._build_frame()

    def _restart(self, timestamp: int) -> None:
        """Begin another frame. Parameter sets seen so far stay."""
        self._timestamp = timestamp
        self._units.clear()
        self._fragment.clear()
        self._size = 0
        self._is_broken = False
        self._has_key = False

    def _unpack(self, payload: bytes) -> None:
        kind = self._kind(payload)
        if kind == (_H264_STAP_A if self._is_h264 else _H265_AP):
            self._unpack_aggregate(payload[1 if self._is_h264 else 2 :])
        elif kind == (_H264_FU_A if self._is_h264 else _H265_FU):
            self._unpack_fragment(payload)
        else:
            self._add_unit(payload)

    def _unpack_aggregate(self, rest: bytes) -> None:
        while len(rest) > 2:
            end = 2 + int.from_bytes(rest[:2], "big")
            if end == 2 or len(rest) < end:
                self._is_broken = True
                return
            self._add_unit(rest[2:end])
            rest = rest[end:]

    def _unpack_fragment(self, payload: bytes) -> None:
        header_size = 1 if self._is_h264 else 2
        if len(payload) <= header_size + 1:
            self._is_broken = True
            return
        flags = payload[header_size]
        if flags & 0x80:  # first fragment: rebuild the unit's own header
            if self._is_h264:
                header = bytes([(payload[0] & 0xE0) | (flags & 0x1F)])
            else:
                header = bytes([(payload[0] & 0x81) | ((flags & 0x3F) << 1), payload[1]])
            self._fragment = bytearray(header)
        elif not self._fragment:
            self._is_broken = True
            return
        self._fragment += payload[header_size + 1 :]
        if flags & 0x40:  # last fragment
            self._add_unit(bytes(self._fragment))
            self._fragment.clear()

    def _add_unit(self, unit: bytes) -> None:
        kind = self._kind(unit)
        if kind in (_H264_PARAMETERS if self._is_h264 else _H265_PARAMETERS):
            self._parameters[kind] = unit
        elif kind in (_H264_SLICES if self._is_h264 else _H265_SLICES):
            self._has_key |= kind in (_H264_KEY if self._is_h264 else _H265_KEY)
            self._units.append(unit)

    def _build_frame(self) -> bytes:
        kinds = sorted(self._parameters) if self._has_key else []
        ordered = [self._parameters[kind] for kind in kinds]
        return b"".join(_START_CODE + unit for unit in (*ordered, *self._units))

    def _kind(self, unit: bytes) -> int:
        return unit[0] & 0x1F if self._is_h264 else (unit[0] >> 1) & 0x3F
