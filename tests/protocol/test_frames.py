"""Encoded frames of one visit, from web servers and streams."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from aiohttp import web

from hub.domain.errors import (
    DeviceBusy,
    DeviceUnreachable,
    UnsupportedByDevice,
)
from hub.domain.quality import Codec
from streams.frames import MAX_FRAMES
from tests.protocol.frame_camera import (
    JPEG,
    KEY_FRAME,
    START,
    KeyFrames,
    answering,
    fetch,
    give_picture,
    until,
)
from tests.protocol.scripted_rtsp import (
    play_along,
    serve,
    serve_answers,
    stay_silent,
)
from tests.protocol.web_camera import serve_web


async def test_pictures_of_a_snapshot_address_are_passed_on_as_they_are() -> None:
    async with serve_web(give_picture) as port:
        frames = await fetch(snapshot=f"http://127.0.0.1:{port}/snap.jpg?a=%20", count=3)
    assert [frame.data for frame in frames] == [JPEG] * 3
    assert {frame.codec for frame in frames} == {Codec.JPEG}
    assert [frame.taken_at - START for frame in frames] == [timedelta(seconds=s) for s in range(3)]


async def test_requests_keep_their_distance() -> None:
    asked: list[float] = []

    async def noting(request: web.Request) -> web.StreamResponse:
        asked.append(asyncio.get_running_loop().time())
        return await give_picture(request)

    async with serve_web(noting) as port:
        await fetch(snapshot=f"http://127.0.0.1:{port}/", count=3, spacing_s=0.15)
    assert all(later - earlier >= 0.12 for earlier, later in itertools.pairwise(asked))
    assert len(asked) == 3


async def test_one_visit_has_a_bounded_number_of_frames() -> None:
    async with serve_web(give_picture) as port:
        frames = await fetch(snapshot=f"http://127.0.0.1:{port}/", count=10_000)
    assert len(frames) == MAX_FRAMES


async def test_later_failure_leaves_what_is_there() -> None:
    handler = answering(lambda: web.Response(body=JPEG), lambda: web.Response(status=503))
    async with serve_web(handler) as port:
        frames = await fetch(snapshot=f"http://127.0.0.1:{port}/", count=2)
        assert [frame.data for frame in frames] == [JPEG]
        with pytest.raises(DeviceBusy, match=r"^protocol: .*503"):
            await fetch(snapshot=f"http://127.0.0.1:{port}/", count=2)


async def test_no_request_is_made_that_would_be_too_late() -> None:
    async with serve_web(give_picture) as port:
        async with asyncio.timeout(5):
            frames = await fetch(
                snapshot=f"http://127.0.0.1:{port}/", count=2, spacing_s=60, timeout_s=3
            )
    assert len(frames) == 1


async def test_key_frames_come_from_the_sub_stream_in_one_session() -> None:
    camera = KeyFrames(3)
    async with serve(camera) as served, serve(stay_silent) as main:
        frames = await fetch(
            stream=f"rtsp://127.0.0.1:{main.port}/main",
            sub=f"rtsp://127.0.0.1:{served.port}/sub",
            count=3,
        )
        assert (served.connections, main.connections) == (1, 0)
        await until(lambda: len(camera.seen) == 4)
    assert [frame.codec for frame in frames] == [Codec.H264] * 3
    assert all(frame.data.endswith(KEY_FRAME[-500:]) for frame in frames)
    assert [one.method for one in camera.seen] == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    assert camera.seen[0].url.endswith("/sub")


async def test_key_frames_keep_their_distance() -> None:
    loop = asyncio.get_running_loop()
    async with serve(KeyFrames(40, gap_s=0.02)) as served:
        began_at = loop.time()
        frames = await fetch(
            stream=f"rtsp://127.0.0.1:{served.port}/", count=2, spacing_s=0.3, timeout_s=15
        )
    assert len(frames) == 2
    assert loop.time() - began_at >= 0.3


@pytest.mark.parametrize("camera", [KeyFrames(1), KeyFrames(1, hangs_up=True)])
async def test_stream_with_fewer_key_frames_gives_those(camera: KeyFrames) -> None:
    async with serve(camera) as served:
        frames = await fetch(stream=f"rtsp://127.0.0.1:{served.port}/", count=2, timeout_s=1.0)
    assert len(frames) == 1


async def test_stream_is_asked_where_the_snapshot_address_fails() -> None:
    async with (
        serve_web(answering(lambda: web.Response(status=404))) as port,
        serve(KeyFrames(1)) as served,
        serve_answers(play_along) as without_frames,
    ):
        snapshot = f"http://127.0.0.1:{port}/"
        (frame,) = await fetch(snapshot=snapshot, sub=f"rtsp://127.0.0.1:{served.port}/")
        assert frame.codec is Codec.H264
        with pytest.raises(DeviceUnreachable, match=r"^frames: ") as caught:
            await fetch(
                snapshot=snapshot,
                stream=f"rtsp://127.0.0.1:{without_frames.port}/",
                timeout_s=0.6,
            )
    assert any("404" in note for note in caught.value.__notes__)


async def test_camera_without_any_address() -> None:
    with pytest.raises(UnsupportedByDevice, match="no stream address"):
        await fetch()


async def test_cancelled_fetch_leaves_no_connection() -> None:
    ended = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        ended.set()

    async with serve(wait) as served:
        task = asyncio.create_task(fetch(stream=f"rtsp://127.0.0.1:{served.port}/"))
        await served.was_reached.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await ended.wait()
