"""RTP for H.264: payloads (RFC 6184), packet headers, sender reports (RFC 3550), interleaving.

Pure functions from data to bytes.
"""

import struct
from collections.abc import Sequence
from datetime import datetime

CLOCK_RATE = 90_000
PAYLOAD_TYPE = 96
PAYLOAD_LIMIT = 1400  # fits an Ethernet frame with every header
_STAP_A, _FU_A = 24, 28
_FU_START, _FU_END = 0x80, 0x40
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970


def build_payloads(nals: Sequence[bytes], *, limit: int) -> tuple[bytes, ...]:
    """Carry the NAL units of one picture: small neighbours together, large ones in pieces."""
    payloads: list[bytes] = []
    small: list[bytes] = []
    for nal in nals:
        if _aggregate_size([*small, nal]) > limit:
            payloads += _flush(small)
            small = []
        if len(nal) > limit:
            payloads += _fragments(nal, limit)
        else:
            small.append(nal)
    return tuple(payloads + _flush(small))


def _aggregate_size(nals: Sequence[bytes]) -> int:
    return 1 + sum(2 + len(nal) for nal in nals)


def _flush(nals: list[bytes]) -> list[bytes]:
    if len(nals) < 2:
        return nals
    importance = max(nal[0] & 0x60 for nal in nals)
    body = b"".join(struct.pack("!H", len(nal)) + nal for nal in nals)
    return [bytes([importance | _STAP_A]) + body]


def _fragments(nal: bytes, limit: int) -> list[bytes]:
    indicator, kind = nal[0] & 0x60 | _FU_A, nal[0] & 0x1F
    size = limit - 2
    pieces = [nal[start : start + size] for start in range(1, len(nal), size)]
    last = len(pieces) - 1
    return [
        bytes([indicator, kind | (_FU_START if i == 0 else 0) | (_FU_END if i == last else 0)])
        + piece
        for i, piece in enumerate(pieces)
    ]


def build_packet(
    payload: bytes, *, sequence: int, timestamp: int, ssrc: int, is_last: bool
) -> bytes:
    """Put the RTP header before a payload; ``is_last`` sets the marker of a picture's end."""
    kind = PAYLOAD_TYPE | (0x80 if is_last else 0)
    header = struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return header + payload


def build_sender_report(
    *, now: datetime, timestamp: int, ssrc: int, packets: int, octets: int
) -> bytes:
    """Build an RTCP sender report: the camera's time beside the stream's."""
    seconds = now.timestamp() + _NTP_EPOCH
    return struct.pack(
        "!BBHIIIIII",
        0x80,
        200,
        6,
        ssrc,
        int(seconds) & 0xFFFFFFFF,
        int(seconds % 1 * 2**32),
        timestamp & 0xFFFFFFFF,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )


def build_interleaved(channel: int, packet: bytes) -> bytes:
    """Frame a packet for transport inside the RTSP connection (RFC 2326 section 10.12)."""
    return struct.pack("!cBH", b"$", channel, len(packet)) + packet
