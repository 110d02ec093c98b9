"""The life of a pull point: renewed in time, re-created when forgotten, given back."""

import asyncio

import pytest
from aiohttp import web

from hub.domain.errors import AuthRejected
from hub.domain.events import DeviceDescribed, Occurrence
from tests.protocol.onvif_camera import Camera, fault, notification, serve, soap
from tests.protocol.onvif_run import Recorder, adapter_for, running


async def until(camera: Camera, operation: str, count: int) -> None:
    """Wait until the camera was asked for the operation so often."""
    async with asyncio.timeout(8):
        while camera.calls.count(operation) < count:
            await asyncio.sleep(0.02)


async def test_is_renewed_at_four_fifths_of_its_life() -> None:
    camera = Camera(life_s=2)
    async with serve(camera), running(adapter_for(camera)):
        started = asyncio.get_running_loop().time()
        await until(camera, "Renew", 2)
        taken = asyncio.get_running_loop().time() - started
    assert taken > 2.4
    assert camera.calls.count("CreatePullPointSubscription") == 1
    assert camera.subscriptions == 0


async def test_a_camera_without_renew_gets_a_new_subscription() -> None:
    camera = Camera(life_s=2)

    async def unknown(request: web.Request, body: str) -> web.Response:
        return fault("ActionNotSupported", "no Renew here", 500)

    camera.answers["Renew"] = unknown
    async with serve(camera), running(adapter_for(camera)):
        await until(camera, "CreatePullPointSubscription", 2)
        assert camera.subscriptions <= 1, "the old one was given back first"
    assert camera.subscriptions == 0


async def test_a_camera_that_misreads_relative_times_is_asked_with_its_own_clock() -> None:
    camera = Camera(life_s=2)
    async with serve(camera), running(adapter_for(camera)):
        await until(camera, "Renew", 1)
    renewal = next(body for body in camera.bodies if "Renew>" in body)
    assert "TerminationTime>20" in renewal, "an absolute time, not PT120S"


async def test_reference_parameters_come_back_as_headers() -> None:
    camera = Camera(
        reference_parameters='<dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event">'
        "42</dom0:SubscriptionId>"
    )
    async with serve(camera), running(adapter_for(camera)):
        await camera.is_pulled.wait()
    for operation in ("PullMessages", "Unsubscribe"):
        body = next(body for body in camera.bodies if f"{operation}" in body.partition("Body>")[2])
        assert "SubscriptionId" in body.partition("Body>")[0], operation


async def test_a_camera_without_pull_points_stays_connected() -> None:
    camera = Camera()

    async def unknown(request: web.Request, body: str) -> web.Response:
        return fault("ActionNotSupported", "no pull points", 500)

    camera.answers["CreatePullPointSubscription"] = unknown
    async with serve(camera), running(adapter_for(camera, poll_interval_s=0.2)):
        await until(camera, "GetSystemDateAndTime", 3)


async def test_a_camera_that_holds_requests_too_long_stays_connected() -> None:
    camera = Camera()

    async def hold(request: web.Request, body: str) -> web.Response:
        await asyncio.sleep(30)
        return soap("")

    camera.answers["PullMessages"] = hold
    async with serve(camera), running(adapter_for(camera, call_deadline_s=0.3)):
        await until(camera, "PullMessages", 2)


async def test_a_user_with_few_rights_gets_what_he_may_see() -> None:
    camera = Camera()

    async def forbidden(request: web.Request, body: str) -> web.Response:
        return fault("NotAuthorized", "Sender not Authorized")

    for operation in ("GetScopes", "GetPresets", "GetSnapshotUri", "CreatePullPointSubscription"):
        camera.answers[operation] = forbidden
    async with serve(camera), running(adapter_for(camera, poll_interval_s=0.2)) as link:
        described = (await link.wait_for(1))[0]
        before = camera.calls.count("GetSystemDateAndTime")
        await until(camera, "GetSystemDateAndTime", before + 2)
    assert isinstance(described, DeviceDescribed)
    (channel,) = described.description.channels
    assert len(channel.streams) == 2
    assert (channel.snapshot_address, channel.presets) == ("", ())
    assert described.description.name == "Gengfu T1"


async def test_a_password_changed_before_the_subscription_is_rejected() -> None:
    camera = Camera()

    async def change(request: web.Request, body: str) -> web.StreamResponse:
        camera.password = "another"
        return fault("NotAuthorized", "Sender not Authorized")

    camera.answers["CreatePullPointSubscription"] = change
    async with serve(camera):
        with pytest.raises(AuthRejected):
            async with asyncio.timeout(5):
                await adapter_for(camera).run(Recorder())


async def test_events_can_be_switched_off() -> None:
    async with serve(Camera()) as camera:
        adapter = adapter_for(camera, events=False, poll_interval_s=0.2)
        async with running(adapter):
            await until(camera, "GetSystemDateAndTime", 3)
    assert "CreatePullPointSubscription" not in camera.calls


async def test_one_time_stamp_of_zeros_does_not_cost_the_other_events() -> None:
    camera = Camera()
    broken = notification(
        "tns1:VideoSource/ImageTooBlurry/ImagingService", at="0000-00-00T00:00:00Z", State="true"
    )
    camera.pending.put_nowait(broken)
    camera.pending.put_nowait(notification("tns1:VideoSource/SignalLoss", State="1"))
    async with serve(camera), running(adapter_for(camera)) as link:
        _, blurry, lost = (await link.wait_for(3))[:3]
    assert isinstance(blurry, Occurrence)
    assert (blurry.kind, blurry.occurred_at) == ("picture_too_blurry.started", None)
    assert isinstance(lost, Occurrence)
    assert lost.kind == "signal.lost"


async def test_a_request_that_meets_a_closing_connection_is_sent_again() -> None:
    camera = Camera()

    async def every_other_time(request: web.Request, body: str) -> web.StreamResponse:
        if camera.calls.count("GetSystemDateAndTime") % 2 == 0 and request.transport is not None:
            request.transport.close()
        return await camera.reply_get_system_date_and_time()

    camera.answers["GetSystemDateAndTime"] = every_other_time
    async with serve(camera):
        adapter = adapter_for(camera, events=False, poll_interval_s=0.2)
        async with running(adapter):
            await until(camera, "GetSystemDateAndTime", 5)


async def test_old_cameras_without_get_services_register_by_capabilities() -> None:
    camera = Camera()

    async def unknown(request: web.Request, body: str) -> web.Response:
        return soap(
            "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason>"
            '<s:Text xml:lang="en">Optional Action Not Implemented</s:Text></s:Reason></s:Fault>',
            500,
        )

    camera.answers["GetServices"] = unknown
    async with serve(camera), running(adapter_for(camera)) as link:
        await camera.is_pulled.wait()
        described = (await link.wait_for(1))[0]
    assert isinstance(described, DeviceDescribed)
    assert described.description.capabilities["services"] == ["events", "media", "ptz"]


async def test_one_profile_is_a_main_stream_and_no_ptz_is_no_presets() -> None:
    camera = Camera(profiles=(("only", 0, 0),), services=("media", "events"))
    async with serve(camera), running(adapter_for(camera)) as link:
        described = (await link.wait_for(1))[0]
    assert isinstance(described, DeviceDescribed)
    (channel,) = described.description.channels
    assert [stream.role for stream in channel.streams] == ["main"]
    assert channel.presets == ()


async def test_a_subscription_granted_while_stopping_is_given_back() -> None:
    camera = Camera()
    asked = asyncio.Event()

    async def slow(request: web.Request, body: str) -> web.StreamResponse:
        asked.set()
        await asyncio.sleep(0.2)
        return await camera.reply_create_pull_point_subscription()

    camera.answers["CreatePullPointSubscription"] = slow
    async with serve(camera):
        task = asyncio.create_task(adapter_for(camera).run(Recorder()))
        await asked.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert camera.calls[-1] == "Unsubscribe"
        assert camera.subscriptions == 0
