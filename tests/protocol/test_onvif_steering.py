"""Steering cameras over real sockets: simulated ones and odd ones."""

from dataclasses import replace

import pytest
from aiohttp import web

from adapters.onvif.steering import OnvifSteering
from hub.domain.devices import Preset
from hub.domain.errors import AuthRejected, DeviceError, UnsupportedByDevice
from hub.domain.ports import CameraTarget
from hub.domain.steering import Motion
from hub.simulators.camera import Camera as SimulatedCamera
from hub.simulators.faults import Fault
from tests.protocol.onvif_camera import Camera, fault, serve, soap
from tests.protocol.onvif_look import target_of
from tests.protocol.onvif_run import LOOPBACK, PASSWORD
from tests.protocol.simulated import LOGIN, simulated_camera, until, utc_now

LIMIT = 5.0


def told(camera: SimulatedCamera) -> CameraTarget:
    return replace(target_of(camera.state.service_address()), credentials=LOGIN)


def steering() -> OnvifSteering:
    return OnvifSteering(policy=LOOPBACK, clock=utc_now)


async def test_a_camera_moves_until_it_is_stopped_or_its_time_is_over() -> None:
    helm = steering()
    async with simulated_camera() as camera:
        motor = camera.state.motor
        await helm.move(told(camera), Motion(pan=1.0, tilt=-0.5, lasts_s=2.0), timeout_s=LIMIT)
        assert motor.is_moving(utc_now())
        await until(lambda: motor.place(utc_now()).away[0] > 0.05)
        await helm.stop(told(camera), timeout_s=LIMIT)
        assert not motor.is_moving(utc_now())
        pan, tilt, zoom = motor.place(utc_now()).away
        assert pan > 0 > tilt
        assert zoom == 0
        await helm.move(told(camera), Motion(zoom=0.5, lasts_s=0.3), timeout_s=LIMIT)
        await until(lambda: not motor.is_moving(utc_now()))
        assert motor.place(utc_now()).away[:2] == (pan, tilt)
        assert motor.place(utc_now()).away[2] > 0
        await helm.go_home(told(camera), timeout_s=LIMIT)
        assert motor.place(utc_now()).view == (0, 0, 0)


async def test_presets_are_stored_found_and_forgotten() -> None:
    helm = steering()
    async with simulated_camera() as camera:
        await helm.move(told(camera), Motion(pan=1.0, lasts_s=1.0), timeout_s=LIMIT)
        await until(lambda: camera.state.motor.place(utc_now()).away[0] > 0.05)
        await helm.stop(told(camera), timeout_s=LIMIT)
        there = camera.state.motor.place(utc_now())
        token = await helm.set_preset(told(camera), "西门 <img onerror=1>", timeout_s=LIMIT)
        assert Preset(token=token, name="西门 <img onerror=1>") in await helm.list_presets(
            told(camera), timeout_s=LIMIT
        )
        await helm.call_preset(told(camera), "2", timeout_s=LIMIT)
        assert camera.state.preset == 1
        await helm.call_preset(told(camera), token, timeout_s=LIMIT)
        assert camera.state.motor.place(utc_now()) == there
        assert await helm.set_preset(told(camera), "Road", preset="2", timeout_s=LIMIT) == "2"
        await helm.remove_preset(told(camera), token, timeout_s=LIMIT)
        presets = await helm.list_presets(told(camera), timeout_s=LIMIT)
        assert [one.token for one in presets] == ["1", "2", "3", "4"]
        with pytest.raises(DeviceError, match="Preset does not exist"):
            await helm.remove_preset(told(camera), token, timeout_s=LIMIT)


async def test_a_motor_is_looked_for_once_and_again_after_a_refusal() -> None:
    helm = steering()
    camera = Camera()
    times: list[bool] = []

    async def move(_request: web.Request, body: str) -> web.StreamResponse:
        times.append("Timeout" in body)
        if times[-1]:
            return fault("InvalidArgVal", "timeout not supported")
        return soap("<tptz:ContinuousMoveResponse/>")

    async def stop(_request: web.Request, _body: str) -> web.StreamResponse:
        return fault("MovingPTZ", f"PTZ is busy, {PASSWORD}")

    camera.answers |= {"ContinuousMove": move, "Stop": stop}
    async with serve(camera):
        target = target_of(camera.base)
        await helm.move(target, Motion(pan=0.5), timeout_s=LIMIT)
        await helm.move(target, Motion(pan=0.5), timeout_s=LIMIT)
        assert times == [True, False, True, False]
        assert camera.calls.count("GetProfiles") == 1
        with pytest.raises(DeviceError, match="busy") as caught:
            await helm.stop(target, timeout_s=LIMIT)
        assert PASSWORD not in str(caught.value)
        await helm.move(target, Motion(pan=0.5), timeout_s=LIMIT)
        assert camera.calls.count("GetProfiles") == 2


@pytest.mark.threat("T28")
async def test_what_cannot_be_steered_says_so() -> None:
    helm = steering()
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.STUCK_PTZ)
        await helm.move(told(camera), Motion(pan=1.0), timeout_s=LIMIT)
        assert camera.state.motor.place(utc_now()).view == (0, 0, 0)
        await camera.set_fault(Fault.WRONG_PASSWORD)
        with pytest.raises(AuthRejected):
            await helm.stop(told(camera), timeout_s=LIMIT)
    async with serve(Camera(services=("media", "events"))) as still:
        with pytest.raises(UnsupportedByDevice, match="no PTZ service"):
            await helm.move(target_of(still.base), Motion(pan=1.0), timeout_s=LIMIT)
