"""A process that stands in for cameras which each stream 2 Mbit/s of real H.264.

``async with LiveFarm() as farm`` starts it; camera ``n`` is ``farm.address(n)``. The film, of 25
pictures a second, is encoded once and sent by all; at the end of each picture, where decoders
look no more, stands when it was sent (CLOCK_MONOTONIC, which all processes of a machine share):
see :func:`sent_at`.
"""

import argparse
import asyncio
import base64
import random
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self, cast

import av
import numpy as np
import uvloop

from hub.simulators.clip import split_nals
from hub.simulators.rtp import PAYLOAD_LIMIT, build_interleaved, build_packet, build_payloads
from tests.benchmarks.camera_farm import BACKLOG, address_of, number_of, raise_file_limit

FRAME_RATE = 25
SECONDS = 4
WIDTH, HEIGHT = 1280, 720
BIT_RATE = 2_180_000  # 2 Mbit/s without what only fills up
SLOTS = 10  # cameras do not send all at the same moment
MARK = b"GGFU"
STAMP_BYTES = len(MARK) + 16
ROOT = Path(__file__).parents[2]
FILLER = 12
_HEADER = struct.Struct(">HI")  # sequence number and timestamp of RTP


def sent_at(fragment: bytes) -> float:
    """When the picture at the end of a fragment was sent; raises ValueError for none of ours."""
    stamp = fragment[-STAMP_BYTES:]
    if not stamp.startswith(MARK):
        msg = "no picture of the farm"
        raise ValueError(msg)
    return int(stamp[len(MARK) :], 16) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """An encoded loop: for each picture its interleaved packets, and where each begins."""

    sdp: bytes
    pictures: tuple[tuple[bytes, tuple[int, ...]], ...]


def encode_film() -> Film:
    """Encode noise that drifts: it costs the bit rate, as a street at night does."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE)
    codec.bit_rate = BIT_RATE
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={2 * FRAME_RATE}:min-keyint={2 * FRAME_RATE}:scenecut=0:threads=1"
        f":vbv-maxrate={BIT_RATE // 1000}:vbv-bufsize={BIT_RATE // 2000}:nal-hrd=cbr:filler=1",
    }
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 255, (HEIGHT, 2 * WIDTH), np.uint8)
    units: list[tuple[bytes, ...]] = []
    for number in range(FRAME_RATE * SECONDS):
        grey = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        grey[:HEIGHT] = noise[:, 4 * number : 4 * number + WIDTH] // 4 + 90
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
    # Slices stand last; what fills up the bit rate goes before them.
    kept = sorted(
        (nal for nal in unit if nal[0] & 31 != FILLER), key=lambda nal: nal[0] & 31 in {1, 5}
    )
    stamped = (*kept[:-1], kept[-1] + MARK + b"0" * 16)
    payloads = build_payloads(stamped, limit=PAYLOAD_LIMIT)
    whole, starts = b"", []
    for index, payload in enumerate(payloads):
        packet = build_packet(
            payload, sequence=0, timestamp=0, ssrc=7, is_last=index == len(payloads) - 1
        )
        starts.append(len(whole) + 4)
        whole += build_interleaved(0, packet)
    return whole, tuple(starts)


class LiveFarm:
    """The cameras, in a process of their own that ends with the block."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.live_farm", "--serve",
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
        return address_of(number, self.port)

    async def connections(self, number: int) -> int:
        """How many sessions play at a camera."""
        return int(await self.order(f"count {number}"))

    async def order(self, line: str) -> str:
        """``freeze N``, ``resume N``, ``cut N``, ``count N``: returns the answer."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(f"{line}\n".encode())
        await process.stdin.drain()
        return await self._read_line()

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


class _Session(asyncio.Protocol):
    """One connection to one camera."""

    def __init__(self, film: Film, playing: "list[set[_Session]]") -> None:
        self._film, self._playing = film, playing
        self._slot = random.randrange(SLOTS)
        self._index = 0
        self._sequence = 0
        self._timestamp = 0
        self.number = -1
        self.is_frozen = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self.number = number_of(transport.get_extra_info("sockname")[0])

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._playing[self._slot].discard(self)

    def data_received(self, data: bytes) -> None:
        method = data.partition(b" ")[0]
        if method not in {b"OPTIONS", b"DESCRIBE", b"SETUP", b"PLAY"}:
            return
        sequence = data.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
        head = b"RTSP/1.0 200 OK\r\nCSeq: " + sequence + b"\r\nSession: 7\r\n"
        if method == b"DESCRIBE":
            sdp = self._film.sdp
            head += b"Content-Length: %d\r\n\r\n%s" % (len(sdp), sdp)
        elif method == b"SETUP":
            head += b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
        else:
            head += b"Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n\r\n"
        self._transport.write(head)
        if method == b"PLAY":
            self._playing[self._slot].add(self)

    def cut(self) -> None:
        """Reset the connection."""
        self._transport.abort()

    def send(self) -> None:
        """Send the next picture."""
        if self.is_frozen:
            return
        template, starts = self._film.pictures[self._index]
        self._index = (self._index + 1) % len(self._film.pictures)
        out = bytearray(template)
        for start in starts:
            _HEADER.pack_into(out, start + 2, self._sequence, self._timestamp)
            self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + 90_000 // FRAME_RATE) & 0xFFFFFFFF
        out[-16:] = b"%016x" % time.monotonic_ns()
        self._transport.write(out)


async def _serve() -> None:
    film = encode_film()
    playing: list[set[_Session]] = [set() for _ in range(SLOTS)]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Session(film, playing), "0.0.0.0", 0, backlog=BACKLOG
    )
    _say(str(server.sockets[0].getsockname()[1]))
    ticking = asyncio.create_task(_tick(playing))
    while order := await asyncio.to_thread(sys.stdin.readline):
        _say(_obey(order, playing))
    ticking.cancel()
    server.close()


async def _tick(playing: list[set[_Session]]) -> None:
    loop = asyncio.get_running_loop()
    due, slot = loop.time(), 0
    while True:
        for session in list(playing[slot]):
            session.send()
        slot = (slot + 1) % SLOTS
        due += 1 / FRAME_RATE / SLOTS
        await asyncio.sleep(due - loop.time())


def _obey(order: str, playing: list[set[_Session]]) -> str:
    verb, number = order.split()
    concerned = [one for slot in playing for one in slot if one.number == int(number)]
    for session in concerned:
        if verb == "cut":
            session.cut()
        elif verb in {"freeze", "resume"}:
            session.is_frozen = verb == "freeze"
    return str(len(concerned))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Be the cameras until the input ends, or say what the film is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    raise_file_limit()
    if parser.parse_args().serve:
        with suppress(KeyboardInterrupt):
            uvloop.run(_serve())
        return
    film = encode_film()
    size = sum(len(whole) for whole, _ in film.pictures)
    packets = sum(len(starts) for _, starts in film.pictures)
    sys.stdout.write(f"{size * 8 / SECONDS / 1e6:.2f} Mbit/s, {packets / SECONDS:.0f} packets/s\n")


if __name__ == "__main__":
    main()
