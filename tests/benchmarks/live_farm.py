"""Cameras which each stream 2 Mbit/s of real H.264, all the same film of 25 pictures a second.

``async with LiveFarm() as farm`` starts them. At the end of each picture, where decoders look no
more, stands when it was sent (CLOCK_MONOTONIC, which all processes of a machine share): see
:func:`sent_at`. Without ``--serve`` the module says what its film is.
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import rtsp_farm
from tests.benchmarks.rtsp_farm import FRAME_RATE, Cameras, Film, RtspFarm, Unit

SECONDS = 4
WIDTH, HEIGHT = 1280, 720
BIT_RATE = 2_180_000  # 2 Mbit/s without what only fills up
SLOTS = 10  # cameras do not send all at the same moment
MARK = b"GGFU"
DIGITS = 16
STAMP_BYTES = len(MARK) + DIGITS
FILLER = 12  # type of a NAL unit (H.264, table 7-1)
OPTIONS = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "x264-params": f"keyint={2 * FRAME_RATE}:min-keyint={2 * FRAME_RATE}:scenecut=0:threads=1"
    f":vbv-maxrate={BIT_RATE // 1000}:vbv-bufsize={BIT_RATE // 2000}:nal-hrd=cbr:filler=1",
}


class LiveFarm(RtspFarm):
    """The cameras, in a process of their own that ends with the block."""

    def __init__(self) -> None:
        super().__init__("tests.benchmarks.live_farm", "--serve")


def sent_at(fragment: bytes) -> float:
    """When the picture at the end of a fragment was sent; raises ValueError for none of ours."""
    stamp = fragment[-STAMP_BYTES:]
    if not stamp.startswith(MARK):
        msg = "no picture of the farm"
        raise ValueError(msg)
    return int(stamp[len(MARK) :], 16) / 1e9


def encode_film() -> Film:
    """Encode noise that drifts: it costs the bit rate, as a street at night does."""
    return rtsp_farm.encode_film(_draw(), bit_rate=BIT_RATE, options=OPTIONS, finish=_make_room)


def _draw() -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 255, (HEIGHT, 2 * WIDTH), np.uint8)
    for number in range(FRAME_RATE * SECONDS):
        yield noise[:, 4 * number : 4 * number + WIDTH] // 4 + 90


def _make_room(unit: Unit) -> Unit:
    """For the stamp. Slices stand last; what fills up the bit rate goes before them."""
    kept = sorted(
        (nal for nal in unit if nal[0] & 31 != FILLER), key=lambda nal: nal[0] & 31 in {1, 5}
    )
    return (*kept[:-1], kept[-1] + MARK + b"0" * DIGITS)


async def send_in_turn(cameras: Cameras) -> None:
    """Send each session its own next picture, a tenth of them at a time."""
    loop = asyncio.get_running_loop()
    due, slot = loop.time(), 0
    while True:
        for session in cameras.due(slot):
            session.send(session.sent, b"%016x" % time.monotonic_ns())
        slot = (slot + 1) % SLOTS
        due += 1 / FRAME_RATE / SLOTS
        await asyncio.sleep(due - loop.time())


def main() -> None:
    """Be the cameras until the input ends, or say what the film is."""
    film = encode_film()
    if sys.argv[1:] == ["--serve"]:
        rtsp_farm.main(film, send_in_turn, slots=SLOTS)
        return
    size = sum(len(whole) for whole, _ in film.pictures)
    packets = sum(len(starts) for _, starts in film.pictures)
    sys.stdout.write(f"{size * 8 / SECONDS / 1e6:.2f} Mbit/s, {packets / SECONDS:.0f} packets/s\n")


if __name__ == "__main__":
    main()
