"""A process that stands in for cameras whose pictures tell when they were sent.

Each streams 704x576 at 25 pictures a second, some 0.6 Mbit/s, a key picture each second. Across
the top of picture ``n`` stand eight bars, black or white: ``n`` modulo 200. Pictures are sent when
the wall clock says so, number ``n`` at ``n / 25`` seconds: whoever sees one knows how old it is.
``async with WallFarm() as farm`` starts it; camera ``n`` is ``farm.address(n)``.
"""

import asyncio
import base64
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Self, cast

import av
import numpy as np
import uvloop

from hub.simulators.clip import split_nals
from hub.simulators.rtp import PAYLOAD_LIMIT, build_interleaved, build_packet, build_payloads
from tests.benchmarks.camera_farm import ROOT

FRAME_RATE = 25
PICTURES = 200  # one loop; what is older than its length is not told apart
WIDTH, HEIGHT = 704, 576
BARS, BAR_HEIGHT = 8, 64
BIT_RATE = 600_000
_HEADER = struct.Struct(">HI")  # sequence number and timestamp of RTP


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """An encoded loop: for each picture its interleaved packets, and where each begins."""

    sdp: bytes
    pictures: tuple[tuple[bytes, tuple[int, ...]], ...]


def encode_film() -> Film:
    """Encode noise that drifts, under the bars."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE)
    codec.bit_rate = BIT_RATE
    codec.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "x264-params": f"keyint={FRAME_RATE}:min-keyint={FRAME_RATE}:scenecut=0:threads=1",
    }
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 255, (HEIGHT // 16, WIDTH // 8), np.uint8).repeat(16, 0).repeat(16, 1)
    units: list[tuple[bytes, ...]] = []
    for number in range(PICTURES):
        grey = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        grey[:HEIGHT] = np.roll(noise, -4 * number, 1)[:, :WIDTH] // 2 + 60
        for bar in range(BARS):
            left = bar * WIDTH // BARS
            shade = 235 if number >> bar & 1 else 16
            grey[:BAR_HEIGHT, left : left + WIDTH // BARS] = shade
        frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        frame.pts = number
        units += [split_nals(bytes(packet)) for packet in codec.encode(frame)]
    units += [split_nals(bytes(packet)) for packet in codec.encode(None)]
    sps = next(nal for unit in units for nal in unit if nal[0] & 31 == 7)
    pps = next(nal for unit in units for nal in unit if nal[0] & 31 == 8)
    sets = ",".join(base64.b64encode(nal).decode() for nal in (sps, pps))
    sdp = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=farm\r\nt=0 0\r\na=control:*\r\n"
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 packetization-mode=1;profile-level-id={sps[1:4].hex()}"
        f";sprop-parameter-sets={sets}\r\na=control:track1\r\n"
    )
    return Film(sdp=sdp.encode(), pictures=tuple(_packetise(unit) for unit in units))


def _packetise(unit: tuple[bytes, ...]) -> tuple[bytes, tuple[int, ...]]:
    payloads = build_payloads(unit, limit=PAYLOAD_LIMIT)
    whole, starts = b"", []
    for index, payload in enumerate(payloads):
        packet = build_packet(
            payload, sequence=0, timestamp=0, ssrc=7, is_last=index == len(payloads) - 1
        )
        starts.append(len(whole) + 4)
        whole += build_interleaved(0, packet)
    return whole, tuple(starts)


class WallFarm:
    """The cameras, in a process of their own that ends with the block."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.wall_farm",
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.port = int(await self._read_line())
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._running()
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    def address(self, number: int) -> str:
        """The stream address of a camera."""
        return f"rtsp://127.0.0.1:{self.port}/{number}"

    async def order(self, line: str) -> None:
        """``freeze N``, ``resume N``, ``cut N``, ``dead N``, ``alive N``."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(f"{line}\n".encode())
        await process.stdin.drain()
        await self._read_line()

    async def _read_line(self) -> str:
        process = self._running()
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        assert line, "the farm has ended"
        return line.decode().strip()

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the farm does not run"
        return self._process


@dataclass(slots=True)
class _Cameras:
    """All cameras: who plays at them, which send nothing, which refuse."""

    film: Film
    playing: "set[_Session]"
    frozen: set[int]
    dead: set[int]


class _Session(asyncio.Protocol):
    """One connection to one camera."""

    def __init__(self, cameras: _Cameras) -> None:
        self._cameras = cameras
        self._sequence = 0
        self.number = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._cameras.playing.discard(self)

    def data_received(self, data: bytes) -> None:
        method, _, rest = data.partition(b" ")
        if method not in {b"OPTIONS", b"DESCRIBE", b"SETUP", b"PLAY"}:
            return
        self.number = int(rest.split(b" ")[0].split(b"/")[3])
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
            self._cameras.playing.add(self)

    def cut(self) -> None:
        """Reset the connection."""
        self._transport.abort()

    def send(self, number: int) -> None:
        """Send a picture."""
        template, starts = self._cameras.film.pictures[number % PICTURES]
        out = bytearray(template)
        timestamp = number * (90_000 // FRAME_RATE) & 0xFFFFFFFF
        for start in starts:
            _HEADER.pack_into(out, start + 2, self._sequence, timestamp)
            self._sequence = (self._sequence + 1) & 0xFFFF
        self._transport.write(out)


async def _serve() -> None:
    cameras = _Cameras(film=encode_film(), playing=set(), frozen=set(), dead=set())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Session(cameras), "127.0.0.1", 0)
    _say(str(server.sockets[0].getsockname()[1]))
    ticking = asyncio.create_task(_tick(cameras))
    while order := await asyncio.to_thread(sys.stdin.readline):
        _obey(order, cameras)
        _say("done")
    ticking.cancel()
    server.close()


async def _tick(cameras: _Cameras) -> None:
    number = int(time.time() * FRAME_RATE)
    while True:
        number += 1
        await asyncio.sleep(number / FRAME_RATE - time.time())
        for session in list(cameras.playing):
            if session.number not in cameras.frozen:
                session.send(number)


def _obey(order: str, cameras: _Cameras) -> None:
    verb, text = order.split()
    number = int(text)
    if verb in {"cut", "dead"}:
        for session in [one for one in cameras.playing if one.number == number]:
            session.cut()
    if verb == "dead":
        cameras.dead.add(number)
    elif verb == "freeze":
        cameras.frozen.add(number)
    else:
        cameras.dead.discard(number)
        cameras.frozen.discard(number)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve())
