"""The ONVIF adapter against a camera on loopback: the contract of every adapter."""

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from adapters.onvif.adapter import DEVICE_KEY
from hub.domain.devices import DeviceKind
from hub.domain.errors import (
    AuthRejected,
    DeviceBusy,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.events import DeviceDescribed, Occurrence, UnrecognisedEvent
from tests.protocol.onvif_camera import Camera, fault, notification, serve
from tests.protocol.onvif_run import PASSWORD, Recorder, adapter_for, running


async def test_registers_a_camera_and_ends_within_a_second_of_cancel() -> None:
    async with serve(Camera()) as camera:
        link = Recorder()
        task = asyncio.create_task(adapter_for(camera).run(link))
        events = await link.wait_for(1)
        async with asyncio.timeout(5):
            await camera.is_pulled.wait()
        started = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.get_running_loop().time() - started < 1.0
        assert camera.subscriptions == 0, "the pull point was not given back"
    described = events[0]
    assert isinstance(described, DeviceDescribed)
    assert described.device == DEVICE_KEY
    device = described.description
    assert device.kind is DeviceKind.CAMERA
    assert (device.manufacturer, device.model, device.serial) == ("Gengfu", "T1", "SN-1")
    assert (device.name, device.area_hint) == ("West gate", "village-3")
    assert device.clock_offset_s is not None
    assert abs(device.clock_offset_s) < 2
    (channel,) = device.channels
    assert channel.key == "vs_1"
    assert [(s.role, s.address, s.codec, s.width) for s in channel.streams] == [
        ("main", "rtsp://127.0.0.1:554/main_1", "h264", 1920),
        ("sub", "rtsp://127.0.0.1:554/sub_1", "h264", 704),
    ]
    assert channel.snapshot_address == f"{camera.base}/snapshot/main_1.jpg"
    assert [(p.token, p.name) for p in channel.presets] == [("1", "Gate"), ("2", "Yard")]


async def test_reports_news_replayed_state_and_unknown_topics() -> None:
    camera = Camera()
    camera.pending.put_nowait(
        notification("tns1:VideoSource/MotionAlarm", operation="Initialized", State="false")
    )
    camera.pending.put_nowait(notification("tns1:VideoSource/MotionAlarm", State="true"))
    camera.pending.put_nowait(notification("tns1:Vendor/Odd", Echo=PASSWORD))
    async with serve(camera), running(adapter_for(camera)) as link:
        _, replayed, news, odd = (await link.wait_for(4))[:4]
    assert isinstance(replayed, Occurrence)
    assert (replayed.kind, replayed.is_active, replayed.replayed) == ("motion.stopped", False, True)
    assert isinstance(news, Occurrence)
    assert (news.kind, news.is_active, news.replayed) == ("motion.started", True, False)
    assert news.channel == "vs_1"
    assert news.occurred_at == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert isinstance(odd, UnrecognisedEvent)
    assert odd.topic == "Vendor/Odd"
    assert b"Odd" in odd.payload
    assert PASSWORD.encode() not in odd.payload


@pytest.mark.threat("T31")
@pytest.mark.parametrize("auth", ["wsse", "http-digest"])
async def test_wrong_password_is_rejected_at_once_and_not_told(
    auth: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(Camera(auth=auth)) as camera:
        with pytest.raises(AuthRejected) as caught:
            async with asyncio.timeout(2):
                await adapter_for(camera, password="wrong-Pa55").run(Recorder())
    assert camera.calls.count("GetDeviceInformation") <= 2, "more tries could lock the account"
    assert "wrong-Pa55" not in str(caught.value) + caplog.text


@pytest.mark.threat("T31")
async def test_a_camera_that_echoes_the_password_does_not_spread_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    camera = Camera()

    async def echo(request: web.Request, body: str) -> web.StreamResponse:
        return fault("Other", f"bad password {PASSWORD}")

    camera.answers["GetDeviceInformation"] = echo
    async with serve(camera):
        with pytest.raises((AuthRejected, ProtocolViolation)) as caught:
            await adapter_for(camera).run(Recorder())
    assert PASSWORD not in str(caught.value) + caplog.text
    assert PASSWORD.encode() not in getattr(caught.value, "evidence", b"")


@pytest.mark.threat("T31")
async def test_evidence_holds_no_security_header_that_the_camera_repeats() -> None:
    camera = Camera()

    async def echo(request: web.Request, body: str) -> web.StreamResponse:
        return web.Response(body=body.encode(), content_type="application/soap+xml")

    camera.answers["PullMessages"] = echo
    async with serve(camera):
        with pytest.raises(ProtocolViolation) as caught:
            await adapter_for(camera).run(Recorder())
    assert b"Username" in caught.value.evidence
    assert b"Password" in caught.value.evidence
    (digest,) = re.findall(
        r"PasswordDigest\">([^<]+)<", camera.bodies[camera.calls.index("PullMessages")]
    )
    assert digest.encode() not in caught.value.evidence


async def test_http_digest_only_camera_registers() -> None:
    async with serve(Camera(auth="http-digest")) as camera, running(adapter_for(camera)) as link:
        await link.wait_for(1)


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_ten_minutes_off_does_not_matter(minutes: int) -> None:
    camera = Camera(clock_shift=timedelta(minutes=minutes))
    async with serve(camera), running(adapter_for(camera)) as link:
        described = (await link.wait_for(1))[0]
    assert isinstance(described, DeviceDescribed)
    offset = described.description.clock_offset_s
    assert offset is not None
    assert abs(offset - 60 * minutes) < 2


async def test_a_clock_that_is_set_while_connected_costs_nothing() -> None:
    camera = Camera(clock_shift=timedelta(minutes=10))
    async with serve(camera), running(adapter_for(camera)) as link:
        await camera.is_pulled.wait()
        camera.clock_shift = timedelta()
        camera.pending.put_nowait(notification("tns1:VideoSource/MotionAlarm", State="1"))
        camera.is_pulled.clear()
        await camera.is_pulled.wait()
        camera.pending.put_nowait(notification("tns1:VideoSource/MotionAlarm", State="0"))
        assert len(await link.wait_for(3)) == 3
    assert camera.calls.count("GetSystemDateAndTime") == 2


async def test_a_clock_that_moved_is_reported_anew() -> None:
    camera = Camera(services=())
    async with serve(camera), running(adapter_for(camera, poll_interval_s=0.2)) as link:
        await link.wait_for(1)
        camera.clock_shift = timedelta(minutes=10)
        again = (await link.wait_for(2))[1]
    assert isinstance(again, DeviceDescribed)
    assert again.description.serial == "SN-1"
    assert again.description.clock_offset_s == pytest.approx(600, abs=2)


async def test_another_service_path() -> None:
    camera = Camera(path="/soap/dev")
    async with (
        serve(camera),
        running(adapter_for(camera, address=camera.base + "/soap/dev")) as link,
    ):
        described = (await link.wait_for(1))[0]
    assert isinstance(described, DeviceDescribed)
    assert described.description.address == camera.base + "/soap/dev"


async def test_commands_move_to_registered_presets_only() -> None:
    async with serve(Camera()) as camera:
        adapter = adapter_for(camera)
        with pytest.raises(DeviceUnreachable):
            await adapter.command(DEVICE_KEY, "ptz.goto_preset", {"preset": "2"})
        async with running(adapter) as link:
            await link.wait_for(1)
            reply = await adapter.command(DEVICE_KEY, "ptz.goto_preset", {"preset": "2"})
            assert reply == {"preset": "2"}
            assert "PresetToken>2<" in camera.bodies[-1] or any(
                "PresetToken>2<" in body for body in camera.bodies
            )


@pytest.mark.threat("T33")
@pytest.mark.parametrize("preset", ["$(reboot)", "1; reboot", "3", "", 1, None, ["1"]])
async def test_a_preset_that_is_not_registered_never_reaches_the_camera(preset: object) -> None:
    async with serve(Camera()) as camera, running(adapter := adapter_for(camera)) as link:
        await link.wait_for(1)
        with pytest.raises(UnsupportedByDevice):
            await adapter.command(DEVICE_KEY, "ptz.goto_preset", {"preset": preset})
        assert "GotoPreset" not in camera.calls


async def test_a_busy_camera_says_so() -> None:
    camera = Camera()

    async def busy(request: web.Request, body: str) -> web.StreamResponse:
        return fault("OutofMemory", "too many subscriptions", 500)

    camera.answers["CreatePullPointSubscription"] = busy
    async with serve(camera):
        with pytest.raises(DeviceBusy):
            await adapter_for(camera).run(Recorder())
