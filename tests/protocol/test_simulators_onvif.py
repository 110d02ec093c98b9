"""The simulated camera's ONVIF side, asked by onvif-zeep-async, which nobody here wrote."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
import zeep.exceptions
from onvif import ONVIFCamera  # type: ignore[import-untyped]  # ships no types

from hub.simulators.camera import Camera
from hub.simulators.camera_state import FIRMWARE, MANUFACTURER, MODEL
from hub.simulators.faults import CLOCK_FAULT_S, SLOW_ANSWER_S, Fault
from hub.simulators.motor import PRESET_NAMES
from hub.simulators.pull_points import Property
from tests.protocol.simulated import PASSWORD, USER, simulated_camera

FIRST = {"ProfileToken": "profile_main"}


@pytest.fixture(autouse=True)
def _keep_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library deletes these variables of the process; so they come back."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def client_of(
    camera: Camera, *, password: str = PASSWORD, adjust_time: bool = False
) -> AsyncIterator[Any]:
    port = camera.state.http_port
    client = ONVIFCamera("127.0.0.1", port, USER, password, no_cache=True, adjust_time=adjust_time)
    try:
        yield client
    finally:
        await client.close()


async def snapshot(camera: Camera, *, password: str = PASSWORD) -> tuple[int, bytes]:
    """Fetch a picture with aiohttp's own HTTP Digest."""
    digest = aiohttp.DigestAuthMiddleware(USER, password)
    async with (
        aiohttp.ClientSession(middlewares=(digest,)) as session,
        session.get(camera.state.snapshot_address()) as answer,
    ):
        return answer.status, await answer.read()


def changed_share(one: bytes, other: bytes) -> float:
    """The share of the pixels that differ clearly between two JPEGs."""
    first, second = (
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) for data in (one, other)
    )
    assert first is not None
    assert second is not None
    return float((cv2.absdiff(first, second) > 15).mean())


async def test_tells_who_it_is_and_what_it_offers() -> None:
    async with simulated_camera() as camera, client_of(camera) as client:
        await client.update_xaddrs()
        device = await client.create_devicemgmt_service()
        told = await device.GetDeviceInformation()
        assert (told.Manufacturer, told.Model, told.SerialNumber, told.FirmwareVersion) == (
            MANUFACTURER,
            MODEL,
            "SIM-1",
            FIRMWARE,
        )
        interfaces = await device.GetNetworkInterfaces()
        assert interfaces[0].Info.HwAddress == "02:00:00:00:00:01"
        media = await client.create_media_service()
        profiles = await media.GetProfiles()
        assert [one.token for one in profiles] == ["profile_main", "profile_sub"]
        sizes = [one.VideoEncoderConfiguration.Resolution for one in profiles]
        assert [(one.Width, one.Height) for one in sizes] == [(640, 360), (352, 288)]
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        uri = await media.GetStreamUri({"StreamSetup": setup, **FIRST})
        assert uri.Uri == camera.state.stream_address("main")
        assert (await media.GetSnapshotUri(FIRST)).Uri == camera.state.snapshot_address("main")
        with pytest.raises(zeep.exceptions.Fault, match="does not exist"):
            await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": "profile_third"})


async def test_moves_to_a_preset_and_shows_another_picture() -> None:
    async with simulated_camera() as camera, client_of(camera) as client:
        await client.update_xaddrs()
        ptz = await client.create_ptz_service()
        presets = await ptz.GetPresets(FIRST)
        assert [one.Name for one in presets] == list(PRESET_NAMES)
        _, before = await snapshot(camera)
        await ptz.GotoPreset({**FIRST, "PresetToken": presets[2].token})
        status = await ptz.GetStatus(FIRST)
        assert status.Position.PanTilt.x == presets[2].PTZPosition.PanTilt.x
        _, after = await snapshot(camera)
        _, again = await snapshot(camera)
        # The car and the clock change a little; another preset changes the sky and the houses.
        assert changed_share(after, again) < 0.08
        assert changed_share(before, after) > 0.15
        with pytest.raises(zeep.exceptions.Fault, match="Preset does not exist"):
            await ptz.GotoPreset({**FIRST, "PresetToken": "99"})


async def test_pull_point_tells_the_state_first_and_then_its_changes() -> None:
    async with simulated_camera() as camera, client_of(camera) as client:
        await client.update_xaddrs()
        lost: list[bool] = []
        manager = await client.create_pullpoint_manager(
            dt.timedelta(seconds=60), lambda: lost.append(True)
        )
        puller = manager.get_service()
        ask = {"MessageLimit": 100, "Timeout": dt.timedelta(seconds=5)}
        first = (await puller.PullMessages(ask)).NotificationMessage
        assert [operation(one) for one in first] == ["Initialized"] * len(Property)
        camera.set_property(Property.MOTION, is_active=True)
        (news,) = (await puller.PullMessages(ask)).NotificationMessage
        assert news.Topic._value_1 == "tns1:VideoSource/MotionAlarm"
        assert operation(news) == "Changed"
        await manager.shutdown()
        assert camera.subscriptions == 0
        assert lost == []


def operation(notification: Any) -> str:
    return str(notification.Message._value_1.PropertyOperation)


async def test_a_wrong_clock_refuses_whoever_does_not_allow_for_it() -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.CLOCK_OFF)
        async with client_of(camera) as naive:
            device = await naive.create_devicemgmt_service()
            with pytest.raises(zeep.exceptions.Fault, match="clock"):
                await device.GetDeviceInformation()
        async with client_of(camera, adjust_time=True) as careful:
            await careful.update_xaddrs()
            assert careful.dt_diff.total_seconds() == pytest.approx(CLOCK_FAULT_S, abs=3)
            device = await careful.create_devicemgmt_service()
            assert (await device.GetDeviceInformation()).SerialNumber == "SIM-1"
        await camera.clear_fault()
        async with client_of(camera) as naive:
            device = await naive.create_devicemgmt_service()
            assert (await device.GetDeviceInformation()).SerialNumber == "SIM-1"


async def test_a_changed_password_refuses_the_old_one_until_cleared() -> None:
    async with simulated_camera() as camera:
        assert (await snapshot(camera, password="wrong"))[0] == 401
        assert (await snapshot(camera))[0] == 200
        await camera.set_fault(Fault.WRONG_PASSWORD)
        assert (await snapshot(camera))[0] == 401
        async with client_of(camera) as client:
            device = await client.create_devicemgmt_service()
            with pytest.raises(zeep.exceptions.Fault, match="not authorized"):
                await device.GetDeviceInformation()
            await camera.clear_fault()
            assert (await device.GetDeviceInformation()).SerialNumber == "SIM-1"
        assert (await snapshot(camera))[0] == 200


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.POWER_CUT, aiohttp.ClientConnectorError),
        (Fault.CABLE_CUT, TimeoutError),
        (Fault.GARBAGE, aiohttp.ClientError),
        (Fault.SLOW_ANSWERS, TimeoutError),
    ],
)
async def test_a_fault_shows_on_the_wire_and_clears(fault: Fault, error: type[Exception]) -> None:
    async with simulated_camera() as camera:
        assert (await snapshot(camera))[0] == 200
        await camera.set_fault(fault)
        with pytest.raises(error):
            async with asyncio.timeout(0.5):
                await snapshot(camera)
        await camera.clear_fault()
        async with asyncio.timeout(SLOW_ANSWER_S - 1):
            assert (await snapshot(camera))[0] == 200


async def test_a_frozen_and_a_black_picture_show_in_the_snapshot() -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.FROZEN_PICTURE)
        _, first = await snapshot(camera)
        await asyncio.sleep(0.3)
        assert (await snapshot(camera))[1] == first
        await camera.set_fault(Fault.BLACK_PICTURE)
        _, black = await snapshot(camera)
        assert len(black) < len(first) / 3
        await camera.clear_fault()
        _, one = await snapshot(camera)
        await asyncio.sleep(0.3)
        _, other = await snapshot(camera)
        assert len(one) > 3 * len(black)
        assert one != other


async def test_a_reboot_forgets_presets_and_subscriptions() -> None:
    async with simulated_camera() as camera, client_of(camera) as client:
        await client.update_xaddrs()
        manager = await client.create_pullpoint_manager(dt.timedelta(seconds=60), lambda: None)
        camera.state.preset = 2
        port = camera.state.http_port
        assert camera.subscriptions == 1
        await camera.set_fault(Fault.POWER_CUT)
        assert camera.subscriptions == 0
        await camera.clear_fault()
        assert (camera.state.preset, camera.state.http_port) == (0, port)
        with pytest.raises(zeep.exceptions.Fault, match="subscription"):
            await manager.get_service().PullMessages(
                {"MessageLimit": 1, "Timeout": dt.timedelta(seconds=1)}
            )
        await manager.shutdown()
