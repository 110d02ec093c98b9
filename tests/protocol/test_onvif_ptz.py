"""Moving cameras over real sockets: simulated ones and odd ones."""

import asyncio
import time
from dataclasses import replace

import pytest
from aiohttp import web
from pydantic import ValidationError

from adapters.onvif.options import OnvifOptions
from adapters.onvif.ptz import call_preset, find_bearing
from hub.domain.addresses import AddressPolicy
from hub.domain.errors import (
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import Bearing, CameraTarget
from hub.simulators.camera import Camera as SimulatedCamera
from hub.simulators.faults import Fault
from tests.protocol.onvif_camera import Camera, fault, serve, soap
from tests.protocol.onvif_look import target_of
from tests.protocol.onvif_run import LOOPBACK, PASSWORD
from tests.protocol.simulated import LOGIN, simulated_camera, utc_now
from tests.protocol.test_onvif_hostile import BOMB, grows_less_than


def told(camera: SimulatedCamera) -> CameraTarget:
    return replace(target_of(camera.state.service_address()), credentials=LOGIN)


async def go(
    target: CameraTarget, preset: str, *, timeout_s: float = 5.0, policy: AddressPolicy = LOOPBACK
) -> None:
    await call_preset(target, preset, timeout_s=timeout_s, policy=policy, clock=utc_now)


async def bearing_of(target: CameraTarget, *, timeout_s: float = 5.0) -> Bearing:
    return await find_bearing(target, timeout_s=timeout_s, policy=LOOPBACK, clock=utc_now)


def answering(operation: str, body: str, **options: str) -> Camera:
    camera = Camera(**options)  # type: ignore[arg-type]  # its text options only

    async def answer(_request: web.Request, _body: str) -> web.StreamResponse:
        return soap(body)

    camera.answers[operation] = answer
    return camera


async def test_a_camera_goes_where_it_is_sent_and_tells_so() -> None:
    async with simulated_camera() as camera:
        assert await bearing_of(told(camera)) == Bearing(preset="1", is_moving=False)
        await go(told(camera), "3")
        assert camera.state.preset == 2
        assert await bearing_of(told(camera)) == Bearing(preset="3", is_moving=False)
        await go(replace(told(camera), channel="video_source_1"), "2")
        assert camera.state.preset == 1
        assert camera.subscriptions == 0


async def test_a_camera_that_does_not_obey_takes_the_order_all_the_same() -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.STUCK_PTZ)
        await go(told(camera), "3")
        assert await bearing_of(told(camera)) == Bearing(preset="1", is_moving=False)
        await camera.clear_fault()
        await go(told(camera), "3")
        assert camera.state.preset == 2


async def test_what_cannot_be_moved_is_not_supported() -> None:
    async with simulated_camera() as camera:
        with pytest.raises(ProtocolViolation, match="Preset does not exist"):
            await go(told(camera), "99")
        with pytest.raises(UnsupportedByDevice, match="this channel"):
            await go(replace(told(camera), channel="other"), "1")
        with pytest.raises(UnsupportedByDevice, match="no ONVIF service"):
            await go(CameraTarget(device_id=1, stream_address="rtsp://127.0.0.1/main"), "1")
        with pytest.raises(UnsupportedByDevice, match="edit the connection"):
            await go(replace(told(camera), options={"verify": "off"}), "1")
    async with serve(Camera(services=("media", "events"))) as still:
        for ask in (go(target_of(still.base), "1"), bearing_of(target_of(still.base))):
            with pytest.raises(UnsupportedByDevice, match="no PTZ service"):
                await ask
        assert "GotoPreset" not in still.calls


@pytest.mark.threat("T28")
@pytest.mark.parametrize("auth", ["wsse", "http-digest"])
async def test_a_wrong_password_is_tried_once_and_told_nowhere(auth: str) -> None:
    async with serve(Camera(auth=auth)) as camera:
        with pytest.raises(AuthRejected) as caught:
            await go(target_of(camera.base, password="wrong-Pa55"), "1")
    assert "wrong-Pa55" not in repr(caught.value)
    assert "GotoPreset" not in camera.calls
    tried = [body for body in camera.bodies if "UsernameToken" in body]
    assert len({body for body in tried if auth == "wsse"}) <= 1


@pytest.mark.threat("T1")
async def test_an_address_outside_the_policy_gets_no_order() -> None:
    camera = Camera()
    async with serve(camera):
        with pytest.raises(DeviceError, match="the settings allow"):
            await go(target_of(camera.base), "1", policy=AddressPolicy(allowed=()))
        assert camera.calls == []
        camera.media_xaddr = "http://10.9.9.9/onvif/media"
        with pytest.raises(UnsupportedByDevice):
            await go(target_of(camera.base), "1")
        assert "GotoPreset" not in camera.calls


@pytest.mark.threat("T21")
@pytest.mark.parametrize("operation", ["GetSystemDateAndTime", "GetProfiles", "GotoPreset"])
@pytest.mark.parametrize("body", [BOMB, b"", b"\xff\xd8 JPEG", b"<html/>", b"<a b='c'/>" * 90_000])
async def test_nonsense_is_an_error_of_the_device(operation: str, body: bytes) -> None:
    camera = Camera()

    async def nonsense(_request: web.Request, _body: str) -> web.StreamResponse:
        return web.Response(body=bytes(body), content_type="text/xml")

    camera.answers[operation] = nonsense
    with grows_less_than(96):
        async with serve(camera):
            with pytest.raises(DeviceError) as caught:
                await go(target_of(camera.base), "1")
    assert PASSWORD not in repr(caught.value)


async def test_a_camera_that_refuses_the_order_says_why() -> None:
    camera = Camera()

    async def refuse(_request: web.Request, _body: str) -> web.StreamResponse:
        return fault("MovingPTZ", f"PTZ device is busy, {PASSWORD}")

    camera.answers["GotoPreset"] = refuse
    async with serve(camera):
        with pytest.raises(DeviceError, match="busy") as caught:
            await go(target_of(camera.base), "1")
    assert PASSWORD not in str(caught.value)


@pytest.mark.threat("T22")
async def test_a_camera_that_hangs_meets_the_deadline_and_a_cancelled_order_ends() -> None:
    camera = Camera()

    async def hang(_request: web.Request, _body: str) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    camera.answers["GotoPreset"] = hang
    async with serve(camera):
        started = time.monotonic()
        with pytest.raises(DeviceUnreachable):
            await go(target_of(camera.base), "1", timeout_s=0.5)
        order = asyncio.create_task(go(target_of(camera.base), "1", timeout_s=20))
        while camera.calls.count("GotoPreset") < 2:
            await asyncio.sleep(0.01)
        order.cancel()
        await asyncio.gather(order, return_exceptions=True)
        assert order.cancelled()
        assert time.monotonic() - started < 5


PTZ_STATUS = "<tptz:GetStatusResponse><tptz:PTZStatus>{}</tptz:PTZStatus></tptz:GetStatusResponse>"
HERE = (
    '<tt:Position><tt:PanTilt x="0.501" y="-0.2"/><tt:Zoom x="0"/></tt:Position>'
    "<tt:MoveStatus><tt:PanTilt>{}</tt:PanTilt></tt:MoveStatus>"
    "<tt:UtcTime>2026-11-22T00:00:00Z</tt:UtcTime>"
)
PRESETS = (
    '<tptz:GetPresetsResponse><tptz:Preset token="7"><tt:Name>a</tt:Name></tptz:Preset>'
    '<tptz:Preset token="8"><tt:Name>b</tt:Name><tt:PTZPosition><tt:PanTilt x="{}" y="-0.2"/>'
    '<tt:Zoom x="0"/></tt:PTZPosition></tptz:Preset></tptz:GetPresetsResponse>'
)


@pytest.mark.parametrize(
    ("status", "presets", "bearing"),
    [
        (HERE.format("MOVING"), PRESETS.format("0.49"), Bearing(preset="8", is_moving=True)),
        (HERE.format("IDLE"), PRESETS.format("0.4"), Bearing(preset="", is_moving=False)),
        (HERE.format("UNKNOWN"), PRESETS.format("0.5"), Bearing(preset="8")),
        (HERE.format("IDLE"), None, Bearing(is_moving=False)),
        ("", PRESETS.format("0.5"), Bearing()),
        (None, None, Bearing()),
        ("<tt:Position/><tt:Nonsense/>", PRESETS.format("x"), Bearing()),
    ],
)
async def test_a_bearing_is_what_the_camera_tells_of_it(
    status: str | None, presets: str | None, bearing: Bearing
) -> None:
    camera = Camera()
    if status is not None:
        camera = answering("GetStatus", PTZ_STATUS.format(status))
    if presets is not None:
        camera.answers |= answering("GetPresets", presets).answers
    async with serve(camera):
        assert await bearing_of(target_of(camera.base)) == bearing
    assert "GotoPreset" not in camera.calls


def test_a_check_names_two_presets() -> None:
    given = OnvifOptions.model_validate({"ptz_check": ["1", "2"]})
    assert given.ptz_check == ("1", "2")
    for wrong in (["1"], ["1", "1"], ["1", ""], ["1", 2], "12", ["1", "2", "3"]):
        with pytest.raises(ValidationError):
            OnvifOptions.model_validate({"ptz_check": wrong})
