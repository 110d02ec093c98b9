"""The same work twice, without a browser: streams received and remuxed to fragmented MP4.

Ours is the relay with a viewer who throws everything away; the peer is PyAV (FFmpeg), which
demuxes each stream in a thread and remuxes it with its own muxer. Each runs in a process of its
own: ``python -m tests.benchmarks.live_peer ours|pyav PORT STREAMS``, until its input ends.
"""

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import av
import uvloop

from hub.domain.live_video import Fragment, StreamRole
from hub.domain.ports import CameraTarget, Picture
from hub.main.surroundings import utc_now
from streams.live.relay import Relay
from tests.benchmarks.camera_farm import LOOPBACK, address_of, raise_file_limit

FRAGMENTS: Final = "empty_moov+default_base_moof+frag_every_frame"


class Nowhere(io.RawIOBase):
    """Takes what a muxer writes, and counts it."""

    def __init__(self) -> None:
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        size = len(memoryview(data))  # type: ignore[arg-type]  # PyAV hands over bytes
        self.size += size
        return size


async def _no_picture(target: CameraTarget, *, timeout_s: float) -> Picture:
    raise NotImplementedError((target.device_id, timeout_s))


async def relay_all(addresses: list[str]) -> None:
    """Watch every stream until the input ends."""
    relay = Relay(policy=LOOPBACK, clock=utc_now, take_snapshot=_no_picture)

    async def watch(number: int, address: str) -> None:
        target = CameraTarget(device_id=number, stream_address=address)
        with relay.watch(target, StreamRole.MAIN) as viewer:
            while True:
                _seen[number] += sum(isinstance(one, Fragment) for one in await viewer.next())

    _seen = [0] * len(addresses)
    watching = [asyncio.create_task(watch(n, address)) for n, address in enumerate(addresses)]
    while not all(_seen):
        await asyncio.sleep(0.1)
    _say("playing")
    await asyncio.to_thread(sys.stdin.read)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    await relay.close()


def remux_all(addresses: list[str]) -> None:
    """Remux every stream in a thread of its own until the input ends."""
    begun = threading.Semaphore(0)
    for address in addresses:
        work = threading.Thread(target=_remux, args=(address, begun.release), daemon=True)
        work.start()
    for _ in addresses:
        begun.acquire()
    _say("playing")
    sys.stdin.read()


def _remux(address: str, begin: Callable[[], None]) -> None:
    options: Mapping[str, str] = MappingProxyType({"rtsp_transport": "tcp", "fpsprobesize": "0"})
    with (
        av.open(address, "r", options=dict(options), timeout=(10.0, 10.0)) as source,
        av.open(Nowhere(), "w", format="mp4", options={"movflags": FRAGMENTS}) as film,
    ):
        video = source.streams.video[0]
        track = film.add_stream_from_template(video)
        is_first = True
        for packet in source.demux(video):
            if packet.dts is None:
                continue
            packet.stream = track
            film.mux(packet)
            if is_first:
                is_first = False
                begin()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise_file_limit()
    kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    every = [address_of(number, port) for number in range(count)]
    if kind == "ours":
        uvloop.run(relay_all(every))
    else:
        remux_all(every)
