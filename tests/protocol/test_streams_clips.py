"""Films of cameras on the wire: what they show, what is refused, what a broken one costs."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
)
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.runtime.outbound import open_client
from hub.simulators.faults import Fault
from streams.clips import MIME, ClipTaker
from tests.protocol.frame_camera import ADMIN, LOOPBACK, PASSWORD, KeyFrames
from tests.protocol.scripted_rtsp import serve, stay_silent
from tests.protocol.simulated import simulated_camera

UPPER_HALF = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))


@pytest.fixture
async def film() -> AsyncIterator[ClipTaker]:
    async with open_client(LOOPBACK) as client:
        taker = ClipTaker(
            client=client, policy=LOOPBACK, clock=lambda: datetime.now(UTC), size=1, limit_s=8.0
        )
        yield taker
        await taker.close()


def target(address: str = "", **more: object) -> CameraTarget:
    usual = CameraTarget(device_id=1, stream_address=address, credentials=ADMIN)
    return replace(usual, **more)  # type: ignore[arg-type]  # by name


def pictures(data: bytes) -> list[NDArray[np.uint8]]:
    with av.open(io.BytesIO(data)) as opened:
        assert isinstance(opened, av.container.InputContainer)
        return [
            np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            for frame in opened.decode(video=0)
        ]


async def test_a_film_is_taken_masked_from_a_stream_or_else_from_snapshots(
    film: ClipTaker,
) -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.MOVING_THING)
        state = camera.state
        known = target(credentials=state.credentials, masks=(UPPER_HALF,))
        by_stream = replace(known, stream_address=state.stream_address())
        by_sub = replace(known, sub_stream_address=state.stream_address("sub"))
        by_snapshot = replace(known, snapshot_address=state.snapshot_address())
        for one, size in ((by_stream, 640), (by_sub, 352), (by_snapshot, 640)):
            clip = await film(one, seconds=1.0, timeout_s=15.0)
            shown = pictures(clip.data)
            assert clip.mime == MIME
            assert 0.8 <= clip.seconds <= 3.0
            assert len(shown) >= 5
            assert shown[0].shape[1] == size
            assert max(int(one[: one.shape[0] // 2 - 3].max()) for one in shown) < 24
            assert shown[0][-60:].std() > 5
        assert camera.viewers == 0


@pytest.mark.threat("T4")
@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "exec:id", "rtsp://169.254.169.254/", "rtsp://10.0.0.1:5432/", "-i x"],
)
async def test_an_address_that_is_none_of_a_camera_is_refused(
    film: ClipTaker, address: str
) -> None:
    with pytest.raises(AddressRefused):
        await film(target(address), seconds=1.0, timeout_s=5.0)


async def test_a_camera_that_hangs_up_is_shown_as_far_as_it_got(film: ClipTaker) -> None:
    async with serve(KeyFrames(6, gap_s=0.05, hangs_up=True)) as served:
        address = f"rtsp://127.0.0.1:{served.port}/"
        clip = await film(target(address), seconds=5.0, timeout_s=10.0)
        assert len(pictures(clip.data)) >= 2
    async with serve(KeyFrames(1, hangs_up=True)) as served:
        with pytest.raises(DeviceUnreachable, match=r"^frames: "):
            await film(target(f"rtsp://127.0.0.1:{served.port}/"), seconds=5.0, timeout_s=10.0)


async def test_a_silent_camera_costs_its_time_and_no_more(film: ClipTaker) -> None:
    async with serve(stay_silent) as served:
        address = f"rtsp://127.0.0.1:{served.port}/"
        async with asyncio.timeout(5):
            with pytest.raises(DeviceError):
                await film(target(address), seconds=0.1, timeout_s=0.5)


async def test_a_refused_password_is_said_and_not_shown(film: ClipTaker) -> None:
    async with simulated_camera() as camera:
        wrong = Credentials(username="admin", password=Secret(PASSWORD))
        known = target(camera.state.stream_address(), credentials=wrong)
        with pytest.raises(AuthRejected, match=r"^credentials: ") as caught:
            await film(known, seconds=1.0, timeout_s=5.0)
        assert PASSWORD not in str(caught.value)


@pytest.mark.threat("T27")
async def test_a_process_that_hangs_or_dies_is_replaced(film: ClipTaker) -> None:
    async with serve(KeyFrames(1_000, gap_s=0.02)) as served:
        known = target(f"rtsp://127.0.0.1:{served.port}/")
        await film(known, seconds=0.2, timeout_s=10.0)
        maker = film._makers[0]
        child = maker.process
        assert child is not None
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(DeviceError, match="no film within 1 s"):
            await film(known, seconds=0.2, timeout_s=1.0)
        assert child.returncode is not None
        await film(known, seconds=0.2, timeout_s=10.0)
        child = maker.process
        assert child is not None
        os.kill(child.pid, signal.SIGSTOP)
        broken = asyncio.create_task(film(known, seconds=0.2, timeout_s=10.0))
        await asyncio.sleep(0.8)
        child.kill()
        with pytest.raises(ProtocolViolation, match="picture: the film broke the decoder"):
            await broken
        await film(known, seconds=0.2, timeout_s=10.0)
