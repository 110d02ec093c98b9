"""Sound to and from a simulated camera over real sockets."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from hub.domain.errors import AuthRejected, DeviceError, UnsupportedByDevice
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.faults import Fault
from streams.talk.line import open_line
from tests.protocol.onvif_run import LOOPBACK
from tests.protocol.simulated import LOGIN, simulated_camera, until, utc_now

WORDS = bytes(range(160)) * 25  # half a second


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    options = CameraOptions(
        name="gate",
        serial="1",
        mac="02:00:00:00:00:01",
        http_port=0,
        rtsp_port=0,
        credentials=LOGIN,
        motion_interval_s=None,
        has_sound=True,
    )
    async with Camera(options, clock=utc_now, rng=random.Random(7)) as made:
        yield made


def target_of(camera: Camera) -> CameraTarget:
    return CameraTarget(
        device_id=1, stream_address=camera.state.stream_address("main"), credentials=LOGIN
    )


async def test_a_camera_is_heard_and_says_what_it_is_told(camera: Camera) -> None:
    async with open_line(target_of(camera), policy=LOOPBACK) as line:
        assert (line.hears, line.speaks) == ("pcma", "pcma")
        heard = await line.listen()
        assert len(heard) % 160 == 0
        line.say(WORDS[:100])
        line.say(WORDS[100:])
        await until(lambda: len(camera.state.told) == len(WORDS))
        assert bytes(camera.state.told) == WORDS
        assert await line.listen()
    assert camera.state.condition.line.is_cut is False


async def test_more_than_a_second_ahead_is_dropped(camera: Camera) -> None:
    async with open_line(target_of(camera), policy=LOOPBACK) as line:
        line.say(bytes(8000 * 30))
        line.say(WORDS)
        await line.listen()
        await until(lambda: len(camera.state.told) > 8000)
        assert len(camera.state.told) < 8000 * 2


async def test_a_line_that_breaks_says_so(camera: Camera) -> None:
    async def talk() -> None:
        async with open_line(target_of(camera), policy=LOOPBACK) as line:
            await line.listen()
            await camera.set_fault(Fault.POWER_CUT)
            while await line.listen():
                pass

    async with asyncio.timeout(10):
        with pytest.raises(DeviceError):
            await talk()


async def test_what_has_no_sound_is_not_spoken_to(camera: Camera) -> None:
    async with simulated_camera() as mute:
        with pytest.raises(UnsupportedByDevice, match="no sound"):
            async with open_line(target_of(mute), policy=LOOPBACK):
                pass
    with pytest.raises(UnsupportedByDevice, match="no stream"):
        async with open_line(CameraTarget(device_id=1), policy=LOOPBACK):
            pass
    wrong = Credentials(username="admin", password=Secret("wrong-Pa55"))
    with pytest.raises(AuthRejected) as caught:
        async with open_line(replace(target_of(camera), credentials=wrong), policy=LOOPBACK):
            pass
    assert "wrong-Pa55" not in str(caught.value)
