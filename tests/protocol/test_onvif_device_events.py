"""What a camera notices of itself arrives as an event, and is over when the camera says so."""

import pytest

from adapters.onvif.adapter import OnvifAdapter
from adapters.onvif.options import OnvifOptions
from hub.domain.devices import Connection
from hub.domain.events import Occurrence, Severity
from hub.simulators.camera import Camera
from hub.simulators.faults import Fault
from hub.simulators.pull_points import Property
from tests.protocol.onvif_run import LOOPBACK, Recorder, running
from tests.protocol.simulated import LOGIN, simulated_camera, utc_now


def adapter_of(camera: Camera) -> OnvifAdapter:
    return OnvifAdapter(
        connection=Connection(
            id=1,
            protocol="onvif",
            name=camera.name,
            address=camera.state.service_address(),
            area_id=1,
            credentials=LOGIN,
        ),
        options=OnvifOptions(call_deadline_s=2.0, pull_timeout_s=1.0),
        policy=LOOPBACK,
        clock=utc_now,
    )


async def news(link: Recorder) -> Occurrence:
    """Wait for the next event that is no repetition of the state at the beginning."""
    seen = len(link.events)
    while True:
        events = await link.wait_for(seen + 1)
        event = events[seen]
        seen += 1
        if not event.replayed and isinstance(event, Occurrence):
            return event


@pytest.mark.parametrize(
    ("fault", "begins", "ends", "severity"),
    [
        (Fault.FAN_FAILED, "fan_failure.started", "fan_failure.stopped", Severity.WARNING),
        (
            Fault.POWER_SUPPLY_FAILED,
            "power_supply_failure.started",
            "power_supply_failure.stopped",
            Severity.CRITICAL,
        ),
        (
            Fault.STORAGE_FAILED,
            "storage_failure.started",
            "storage_failure.stopped",
            Severity.CRITICAL,
        ),
        (
            Fault.TOO_HOT,
            "temperature_critical.started",
            "temperature_critical.stopped",
            Severity.CRITICAL,
        ),
        (
            Fault.BLURRED_PICTURE,
            "picture_too_blurry.started",
            "picture_too_blurry.stopped",
            Severity.WARNING,
        ),
        (
            Fault.BRIGHT_PICTURE,
            "picture_too_bright.started",
            "picture_too_bright.stopped",
            Severity.WARNING,
        ),
        (
            Fault.BLACK_PICTURE,
            "picture_too_dark.started",
            "picture_too_dark.stopped",
            Severity.WARNING,
        ),
        (
            Fault.SCENE_CHANGED,
            "scene_change.started",
            "scene_change.stopped",
            Severity.WARNING,
        ),
        (Fault.SIGNAL_LOST, "signal.lost", "signal.restored", Severity.CRITICAL),
    ],
)
async def test_a_fault_the_camera_notices_begins_and_ends(
    fault: Fault, begins: str, ends: str, severity: Severity
) -> None:
    async with simulated_camera() as camera, running(adapter_of(camera)) as link:
        await link.wait_for(1 + len(Property))
        await camera.set_fault(fault)
        bad = await news(link)
        assert (bad.kind, bad.is_active, bad.severity) == (begins, True, severity)
        await camera.clear_fault()
        good = await news(link)
        assert (good.kind, good.is_active, good.severity) == (ends, False, Severity.INFO)


async def test_a_clock_that_was_set_is_a_moment() -> None:
    async with simulated_camera() as camera, running(adapter_of(camera)) as link:
        await link.wait_for(1 + len(Property))
        camera.set_clock(30.0)
        camera.set_clock(0.0)
        event = await news(link)
    assert (event.kind, event.is_active) == ("clock.synchronised", None)


async def test_a_fault_that_was_there_before_the_link_is_replayed() -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.TOO_HOT)
        async with running(adapter_of(camera)) as link:
            await link.wait_for(1 + len(Property))
    (hot,) = [
        event
        for event in link.events
        if isinstance(event, Occurrence) and event.kind == "temperature_critical.started"
    ]
    assert (hot.is_active, hot.replayed) == (True, True)
