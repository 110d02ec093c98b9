"""The simulated camera's stream, watched by FFmpeg (PyAV), which nobody here wrote."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from hub.simulators.camera import Camera
from hub.simulators.camera_state import STREAM_SHAPES, StreamShape
from hub.simulators.clip import CLIP_SECONDS, FRAME_RATE, Clip
from hub.simulators.faults import Fault
from hub.simulators.rtsp_player import Player
from tests.protocol.simulated import PASSWORD, USER, simulated_camera

TIMEOUT = (1.5, 1.0)  # to open and to read, s
NOISE = 15.0

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One decoded picture."""

    pts: int | None
    luma: Luma


@contextmanager
def viewing(camera: Camera, *, role: str = "main", password: str = PASSWORD) -> Iterator["Viewer"]:
    address = camera.state.stream_address(role).replace("//", f"//{USER}:{password}@")
    # The SDP says all there is to know: do not wait for pictures before it is open.
    options = {"rtsp_transport": "tcp", "fpsprobesize": "0", "probesize": "32"}
    with av.open(address, options=options, timeout=TIMEOUT) as opened:
        yield Viewer(opened)


class Viewer:
    """FFmpeg, watching."""

    def __init__(self, opened: "av.container.InputContainer") -> None:
        self.stream = opened.streams.video[0]
        self._frames = opened.decode(video=0)

    def look(self) -> Seen:
        frame = next(self._frames)
        plane = frame.to_ndarray(format="gray")
        return Seen(pts=frame.pts, luma=cast("Luma", plane))

    def look_until(self, is_it: Callable[[Seen], bool], *, within_s: float = 4.0) -> Seen:
        ends_at = time.monotonic() + within_s
        while not is_it(seen := self.look()):
            assert time.monotonic() < ends_at, "the picture did not become what it should"
        return seen

    def look_for(self, count: int) -> list[Seen]:
        return [self.look() for _ in range(count)]


def is_black(seen: Seen) -> bool:
    return bool(seen.luma.mean() < 20)


def difference(one: Luma, other: Luma) -> float:
    """How much the most changed block of 8 x 8 differs; the encoder's own noise is below NOISE."""
    apart = one.astype(np.float32) - other
    height, width = apart.shape
    blocks = apart.reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3))
    return float(np.abs(blocks).max())


async def test_decodes_with_rising_times_through_the_loop_point() -> None:
    def watch(camera: Camera) -> list[Seen]:
        with viewing(camera) as viewer:
            assert (viewer.stream.width, viewer.stream.height) == (640, 360)
            assert viewer.stream.codec_context.name == "h264"
            return viewer.look_for((CLIP_SECONDS + 1) * FRAME_RATE)

    async with simulated_camera() as camera:
        seen = await asyncio.to_thread(watch, camera)
    # FFmpeg gives the first picture of an RTSP stream no time.
    times = [one.pts for one in seen[1:] if one.pts is not None]
    assert len(times) == len(seen) - 1
    assert {b - a for a, b in pairwise(times)} == {90_000 // FRAME_RATE}
    # The same moment of the next round shows the same picture: the loop point was passed.
    assert difference(seen[2].luma, seen[2 + CLIP_SECONDS * FRAME_RATE].luma) < NOISE
    assert difference(seen[2].luma, seen[2 + 2 * FRAME_RATE].luma) > NOISE


async def test_offers_both_streams_in_their_sizes() -> None:
    def measure(camera: Camera, role: str) -> tuple[int, int]:
        with viewing(camera, role=role) as viewer:
            height, width = viewer.look().luma.shape
            return width, height

    async with simulated_camera() as camera:
        for shape in STREAM_SHAPES:
            size = await asyncio.to_thread(measure, camera, shape.role)
            assert size == (shape.width, shape.height)


async def test_refuses_a_wrong_password_and_an_unknown_stream() -> None:
    def watch(camera: Camera, role: str, password: str) -> None:
        with viewing(camera, role=role, password=password):
            pass

    async with simulated_camera() as camera:
        with pytest.raises(av.HTTPUnauthorizedError):
            await asyncio.to_thread(watch, camera, "main", "wrong")
        with pytest.raises(av.HTTPNotFoundError):
            await asyncio.to_thread(watch, camera, "third", PASSWORD)


async def test_turns_black_freezes_and_recovers_while_watched() -> None:
    async with simulated_camera() as camera:
        loop = asyncio.get_running_loop()

        def order(work: Callable[[], object]) -> None:
            asyncio.run_coroutine_threadsafe(_call(work), loop).result(5)

        def watch() -> None:
            with viewing(camera) as viewer:
                viewer.look_until(lambda seen: not is_black(seen))
                order(lambda: camera.set_fault(Fault.BLACK_PICTURE))
                viewer.look_until(is_black)
                order(lambda: camera.set_fault(Fault.FROZEN_PICTURE))
                viewer.look_until(lambda seen: not is_black(seen))
                still = viewer.look_for(FRAME_RATE)
                assert max(difference(still[0].luma, one.luma) for one in still) < NOISE
                order(camera.clear_fault)
                viewer.look_until(lambda seen: difference(still[0].luma, seen.luma) > NOISE)

        await asyncio.to_thread(watch)


async def _call(work: Callable[[], object]) -> None:
    outcome = work()
    if asyncio.iscoroutine(outcome):
        await outcome


async def test_another_preset_is_another_picture() -> None:
    def look(camera: Camera) -> Luma:
        with viewing(camera) as viewer:
            return viewer.look().luma

    async with simulated_camera() as camera:
        first = await asyncio.to_thread(look, camera)
        camera.state.preset = 2
        assert difference(first, await asyncio.to_thread(look, camera)) > NOISE


@pytest.mark.parametrize(
    "fault",
    [Fault.POWER_CUT, Fault.CABLE_CUT, Fault.WRONG_PASSWORD, Fault.GARBAGE],
)
async def test_a_fault_ends_the_watching_and_prevents_it_until_cleared(fault: Fault) -> None:
    def open_once(camera: Camera) -> None:
        with viewing(camera) as viewer:
            viewer.look()

    async with simulated_camera() as camera:
        await asyncio.to_thread(_watch_until_broken, camera, fault, asyncio.get_running_loop())
        with pytest.raises(av.FFmpegError):
            await asyncio.to_thread(open_once, camera)
        await camera.clear_fault()
        await asyncio.to_thread(open_once, camera)


def _watch_until_broken(camera: Camera, fault: Fault, loop: asyncio.AbstractEventLoop) -> None:
    with viewing(camera) as viewer:
        viewer.look()
        asyncio.run_coroutine_threadsafe(camera.set_fault(fault), loop).result(5)
        with pytest.raises((av.FFmpegError, StopIteration)):
            viewer.look_for(5 * FRAME_RATE)


async def test_slow_answers_outlast_an_impatient_viewer() -> None:
    def open_once(camera: Camera) -> None:
        with viewing(camera) as viewer:
            viewer.look()

    async with simulated_camera() as camera:
        await camera.set_fault(Fault.SLOW_ANSWERS)
        with pytest.raises(av.FFmpegError):
            await asyncio.to_thread(open_once, camera)
        await camera.clear_fault()
        await asyncio.to_thread(open_once, camera)
        # Whoever gave up is noticed a moment later.
        async with asyncio.timeout(10):
            while camera.viewers > 1:
                await asyncio.sleep(0.05)


async def test_an_open_connection_is_gone_with_the_power() -> None:
    async with simulated_camera() as camera:
        before = asyncio.all_tasks()
        reader, writer = await asyncio.open_connection("127.0.0.1", camera.state.rtsp_port)
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert await reader.readline() == b"RTSP/1.0 200 OK\r\n"
        assert camera.viewers == 1
        await camera.set_fault(Fault.POWER_CUT)
        assert camera.viewers == 0
        assert asyncio.all_tasks() == before
        writer.close()
        with pytest.raises(OSError):  # noqa: PT011 - refused
            await asyncio.open_connection("127.0.0.1", camera.state.rtsp_port)


async def test_a_viewer_that_does_not_read_is_dropped() -> None:
    big = Clip(width=1, height=1, sps=b"\x67", pps=b"\x68", pictures=((b"x" * 1400,) * 1500,) * 10)
    unsent: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def find_clip(_shape: StreamShape) -> Clip:
        return big

    async with simulated_camera() as camera:

        async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            player = Player(camera.state, STREAM_SHAPES[0], 0, writer)
            async with asyncio.timeout(8):
                await player.run(find_clip)
            unsent.set_result(writer.transport.get_write_buffer_size())

        server = await asyncio.start_server(play, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        try:
            assert await asyncio.wait_for(unsent, 9) == 0  # it does not wait to be fetched
        finally:
            writer.close()
            server.close()
            await server.wait_closed()
