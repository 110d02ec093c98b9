"""Real encoded pictures for tests, and the RTP packets that carry them."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

from hub.simulators.clip import split_nals

LIMIT = 600  # of a payload: small pictures, too, come in several
_H265_AP, _H265_FU = 48, 49


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The NAL units of each picture in the order of decoding, and when each is shown (90 kHz)."""

    codec: str
    pictures: tuple[tuple[bytes, ...], ...]
    shown: tuple[int, ...]


@cache
def encode(
    codec: str, *, count: int = 20, key_every: int = 10, b_frames: int = 0, size: int = 160
) -> Encoded:
    """Encode a square that moves, 25 pictures a second."""
    context = av.CodecContext.create({"h264": "libx264", "hevc": "libx265"}[codec], "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = size, size * 3 // 4, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    keys = f"keyint={key_every}:min-keyint={key_every}:scenecut=0:bframes={b_frames}"
    name = "x264-params" if codec == "h264" else "x265-params"
    more = "" if codec == "h264" else ":log-level=none:repeat-headers=1:open-gop=0"
    tune = {} if b_frames else {"tune": "zerolatency"}
    context.options = {"preset": "ultrafast", name: keys + more, **tune}
    packets: list[av.Packet[av.VideoStream]] = []
    for number in range(count):
        drawn = np.random.default_rng(number).integers(60, 90, (size * 9 // 8, size), np.uint8)
        drawn[20:60, 4 * number % 100 : 4 * number % 100 + 40] = 220
        frame = av.VideoFrame.from_ndarray(drawn, format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return Encoded(
        codec=codec,
        pictures=tuple(split_nals(bytes(packet)) for packet in packets),
        shown=tuple(int(packet.pts or 0) * 3600 for packet in packets),
    )


def packets_of(
    encoded: Encoded, *, first: int = 65_500, marks: bool = True, start: int = 0
) -> Iterator[bytes]:
    """RTP packets of all pictures; sequence numbers begin at ``first`` and wrap."""
    sequence = first
    for units, shown in zip(encoded.pictures, encoded.shown, strict=True):
        payloads = list(_payloads(units, is_h264=encoded.codec == "h264"))
        for index, payload in enumerate(payloads):
            mark = 0x80 if marks and index == len(payloads) - 1 else 0
            yield (
                struct.pack(
                    "!BBHII", 0x80, 96 | mark, sequence & 0xFFFF, (start + shown) & 0xFFFFFFFF, 7
                )
                + payload
            )
            sequence += 1


def _payloads(units: Sequence[bytes], *, is_h264: bool) -> Iterator[bytes]:
    """The first two units together, where they are small; large ones in pieces."""
    rest = list(units)
    if len(rest) > 2 and len(rest[0]) + len(rest[1]) < LIMIT:
        both = b"".join(len(unit).to_bytes(2, "big") + unit for unit in rest[:2])
        yield (b"\x18" if is_h264 else bytes((_H265_AP << 1, 1))) + both
        rest = rest[2:]
    for unit in rest:
        if len(unit) <= LIMIT:
            yield unit
            continue
        skip = 1 if is_h264 else 2
        kind = unit[0] & 0x1F if is_h264 else (unit[0] >> 1) & 0x3F
        head = bytes((unit[0] & 0xE0 | 28,)) if is_h264 else bytes((_H265_FU << 1, unit[1]))
        pieces = [unit[at : at + LIMIT] for at in range(skip, len(unit), LIMIT)]
        for index, piece in enumerate(pieces):
            flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
            yield head + bytes((flags | kind,)) + piece
