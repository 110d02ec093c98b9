"""Cameras whose pictures tell when they were sent.

Each streams 704x576 at 25 pictures a second, some 0.6 Mbit/s, a key picture each second. Across
the top of picture ``n`` stand eight bars, black or white: ``n`` modulo 200. Pictures are sent when
the wall clock says so, number ``n`` at ``n / 25`` seconds: whoever sees one knows how old it is.
``async with WallFarm() as farm`` starts them.
"""

import asyncio
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import rtsp_farm
from tests.benchmarks.rtsp_farm import FRAME_RATE, Cameras, Film, RtspFarm

PICTURES = 200  # one loop; what is older than its length is not told apart
WIDTH, HEIGHT = 704, 576
BARS, BAR_HEIGHT = 8, 64
BIT_RATE = 600_000
OPTIONS = {
    "preset": "veryfast",
    "tune": "zerolatency",
    "profile": "baseline",
    "x264-params": f"keyint={FRAME_RATE}:min-keyint={FRAME_RATE}:scenecut=0:threads=1",
}


class WallFarm(RtspFarm):
    """The cameras, in a process of their own that ends with the block."""

    def __init__(self) -> None:
        super().__init__("tests.benchmarks.wall_farm", "--serve")


def encode_film() -> Film:
    """Encode noise that drifts, under the bars."""
    return rtsp_farm.encode_film(_draw(), bit_rate=BIT_RATE, options=OPTIONS)


def _draw() -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 255, (HEIGHT // 16, WIDTH // 8), np.uint8).repeat(16, 0).repeat(16, 1)
    for number in range(PICTURES):
        luma = np.roll(noise, -4 * number, 1)[:, :WIDTH] // 2 + 60
        for bar in range(BARS):
            left = bar * WIDTH // BARS
            luma[:BAR_HEIGHT, left : left + WIDTH // BARS] = 235 if number >> bar & 1 else 16
        yield luma


async def send_by_the_clock(cameras: Cameras) -> None:
    """Send everybody the picture whose moment it is."""
    number = int(time.time() * FRAME_RATE)
    while True:
        number += 1
        await asyncio.sleep(number / FRAME_RATE - time.time())
        for session in cameras.due():
            session.send(number)


if __name__ == "__main__":
    rtsp_farm.main(encode_film(), send_by_the_clock)
