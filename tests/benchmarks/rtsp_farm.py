"""Cameras that stream a film of H.264, encoded once and sent by all: what such farms share.

A farm is a module with a film, and with a pace at which it is sent; ``main`` makes a process of
it. :class:`RtspFarm` starts that process; camera ``n`` is ``farm.address(n)``.
"""

import asyncio
import base64
import random
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
import uvloop
from numpy.typing import NDArray

from hub.simulators.clip import split_nals
from hub.simulators.rtp import PAYLOAD_LIMIT, build_interleaved, build_packet, build_payloads
from tests.benchmarks.camera_farm import BACKLOG, address_of, number_of, raise_file_limit
from tests.benchmarks.other_process import OtherProcess, obey_orders

FRAME_RATE = 25
SPS, PPS = 7, 8  # types of NAL units (H.264, table 7-1)
_HEADER = struct.Struct(">HI")  # sequence number and timestamp of RTP

Unit = tuple[bytes, ...]
"""The NAL units of one picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """An encoded loop: for each picture its interleaved packets, and where each begins."""

    sdp: bytes
    pictures: tuple[tuple[bytes, tuple[int, ...]], ...]


def encode_film(
    lumas: Iterable[NDArray[np.uint8]],
    *,
    bit_rate: int,
    options: Mapping[str, str],
    finish: Callable[[Unit], Unit] | None = None,
) -> Film:
    """Encode grey pictures with x264; ``finish`` changes the units of each before they are sent."""
    codec = av.CodecContext.create("libx264", "w")
    codec.pix_fmt = "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE)
    codec.bit_rate = bit_rate
    codec.options = dict(options)
    units: list[Unit] = []
    for number, luma in enumerate(lumas):
        height, width = luma.shape
        if number == 0:
            codec.width, codec.height = width, height
        grey = np.full((height * 3 // 2, width), 128, np.uint8)
        grey[:height] = luma
        frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        frame.pts = number
        units += [split_nals(bytes(packet)) for packet in codec.encode(frame)]
    units += [split_nals(bytes(packet)) for packet in codec.encode(None)]
    sps, pps = (
        next(nal for unit in units for nal in unit if nal[0] & 31 == kind) for kind in (SPS, PPS)
    )
    sets = ",".join(base64.b64encode(nal).decode() for nal in (sps, pps))
    sdp = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=farm\r\nt=0 0\r\na=control:*\r\n"
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 packetization-mode=1;profile-level-id={sps[1:4].hex()}"
        f";sprop-parameter-sets={sets}\r\na=control:track1\r\n"
    )
    sent = units if finish is None else [finish(unit) for unit in units]
    return Film(sdp=sdp.encode(), pictures=tuple(_packetise(unit) for unit in sent))


def _packetise(unit: Unit) -> tuple[bytes, tuple[int, ...]]:
    payloads = build_payloads(unit, limit=PAYLOAD_LIMIT)
    whole, starts = b"", []
    for index, payload in enumerate(payloads):
        packet = build_packet(
            payload, sequence=0, timestamp=0, ssrc=7, is_last=index == len(payloads) - 1
        )
        starts.append(len(whole) + 4)
        whole += build_interleaved(0, packet)
    return whole, tuple(starts)


class RtspFarm(OtherProcess):
    """The cameras of a farm's module, in a process of their own that ends with the block.

    Orders: ``freeze N`` (send nothing), ``resume N``, ``cut N`` (hang up), ``dead N`` (hang up on
    whoever comes, too), ``alive N``, ``count N``. The answer is how many sessions played at it.
    """

    @property
    def port(self) -> int:
        """The same for all cameras."""
        return int(self.said)

    def address(self, number: int) -> str:
        """The stream address of a camera."""
        return address_of(number, self.port)

    async def connections(self, number: int) -> int:
        """How many sessions play at a camera."""
        return int(await self.order(f"count {number}"))


@dataclass(slots=True, kw_only=True)
class Cameras:
    """All cameras: who plays at them and in which slot, which send nothing, which refuse."""

    film: Film
    playing: "tuple[set[Session], ...]"
    frozen: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)

    def due(self, slot: int = 0) -> "list[Session]":
        """Who in a slot is to be sent a picture."""
        return [one for one in self.playing[slot] if one.number not in self.frozen]

    def obey(self, order: str) -> str:
        """Do what a line of input says; returns how many sessions were concerned."""
        verb, text = order.split()
        number = int(text)
        concerned = [one for slot in self.playing for one in slot if one.number == number]
        if verb in {"cut", "dead"}:
            for session in concerned:
                session.cut()
        if verb == "dead":
            self.dead.add(number)
        elif verb == "alive":
            self.dead.discard(number)
        elif verb == "freeze":
            self.frozen.add(number)
        elif verb == "resume":
            self.frozen.discard(number)
        return str(len(concerned))


class Session(asyncio.Protocol):
    """One connection to one camera; ``sent`` pictures it has got."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras
        self._slot = random.choice(cameras.playing)
        self._sequence = 0
        self.number = -1
        self.sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self.number = number_of(transport.get_extra_info("sockname")[0])

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._slot.discard(self)

    def data_received(self, data: bytes) -> None:
        method = data.partition(b" ")[0]
        if method not in {b"OPTIONS", b"DESCRIBE", b"SETUP", b"PLAY"}:
            return
        if self.number in self._cameras.dead:
            self.cut()
            return
        sequence = data.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
        head = b"RTSP/1.0 200 OK\r\nCSeq: " + sequence + b"\r\nSession: 7\r\n"
        if method == b"DESCRIBE":
            sdp = self._cameras.film.sdp
            head += b"Content-Length: %d\r\n\r\n%s" % (len(sdp), sdp)
        elif method == b"SETUP":
            head += b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
        else:
            head += b"Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n\r\n"
        self._transport.write(head)
        if method == b"PLAY":
            self._slot.add(self)

    def cut(self) -> None:
        """Reset the connection."""
        self._transport.abort()

    def send(self, number: int, stamp: bytes = b"") -> None:
        """Send a picture of the film, which goes on for ever; ``stamp`` is its last bytes."""
        pictures = self._cameras.film.pictures
        template, starts = pictures[number % len(pictures)]
        out = bytearray(template)
        timestamp = number * (90_000 // FRAME_RATE) & 0xFFFFFFFF
        for start in starts:
            _HEADER.pack_into(out, start + 2, self._sequence, timestamp)
            self._sequence = (self._sequence + 1) & 0xFFFF
        out[len(out) - len(stamp) :] = stamp
        self.sent += 1
        self._transport.write(out)


Pace = Callable[[Cameras], Awaitable[None]]
"""Sends pictures to whoever is due, until it is cancelled."""


def main(film: Film, pace: Pace, *, slots: int = 1) -> None:
    """Be the cameras until the input ends; each session plays in one of the slots."""
    raise_file_limit()
    cameras = Cameras(film=film, playing=tuple(set() for _ in range(slots)))
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve(cameras, pace))


async def _serve(cameras: Cameras, pace: Pace) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(cameras), "0.0.0.0", 0, backlog=BACKLOG)
    sending = asyncio.ensure_future(pace(cameras))
    await obey_orders(str(server.sockets[0].getsockname()[1]), cameras.obey)
    sending.cancel()
    server.close()
