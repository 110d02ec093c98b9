"""The ONVIF adapter against the simulated camera that the demo runs, fault by fault."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from adapters.onvif.adapter import DEVICE_KEY, OnvifAdapter
from adapters.onvif.options import OnvifOptions
from hub.domain.devices import Connection
from hub.domain.errors import (
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
)
from hub.domain.events import DeviceDescribed, Occurrence
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.discovery import build_match
from hub.simulators.faults import Fault
from hub.simulators.pull_points import Property
from tests.protocol.onvif_run import LOOPBACK, Recorder, running
from tests.protocol.test_onvif_discovery import discover


@asynccontextmanager
async def simulated() -> AsyncIterator[Camera]:
    options = CameraOptions(
        name="West gate",
        serial="SIM-1",
        mac="02:00:00:00:00:01",
        http_port=0,
        rtsp_port=0,
        motion_interval_s=None,
    )
    async with Camera(options, clock=lambda: datetime.now(UTC), rng=random.Random(7)) as camera:
        yield camera


def adapter_of(camera: Camera) -> OnvifAdapter:
    return OnvifAdapter(
        connection=Connection(
            id=1,
            protocol="onvif",
            name=camera.name,
            address=camera.state.service_address(),
            area_id=1,
            credentials=camera.state.options.credentials,
        ),
        options=OnvifOptions(call_deadline_s=1.0, pull_timeout_s=1.0),
        policy=LOOPBACK,
        clock=lambda: datetime.now(UTC),
    )


async def test_registers_and_reports_motion() -> None:
    async with simulated() as camera:
        async with running(adapter_of(camera)) as link:
            described = (await link.wait_for(1))[0]
            assert isinstance(described, DeviceDescribed)
            description = described.description
            assert description.serial == "SIM-1"
            (channel,) = description.channels
            assert [one.address for one in channel.streams] == [
                camera.state.stream_address("main"),
                camera.state.stream_address("sub"),
            ]
            assert channel.snapshot_address == camera.state.snapshot_address("main")
            assert [one.name for one in channel.presets] == ["Gate", "Road", "Courtyard", "Bridge"]
            while not any(isinstance(one, Occurrence) for one in link.events):
                await link.wait_for(len(link.events) + 1)
            assert all(one.replayed for one in link.events if isinstance(one, Occurrence))
            before = len(link.events)
            camera.set_property(Property.MOTION, is_active=True)
            news = (await link.wait_for(before + 1))[before]
        assert camera.subscriptions == 0
    assert isinstance(news, Occurrence)
    assert (news.kind, news.channel, news.replayed) == ("motion.started", channel.key, False)


async def test_is_found_by_discovery() -> None:
    async with simulated() as camera:
        found = await discover(lambda message: [build_match(camera, relates_to=message)])
        assert [(one.address, one.name) for one in found] == [
            (camera.state.service_address(), "West gate")
        ]


async def test_moves_to_a_preset() -> None:
    async with simulated() as camera:
        adapter = adapter_of(camera)
        async with running(adapter) as link:
            described = (await link.wait_for(1))[0]
            assert isinstance(described, DeviceDescribed)
            token = described.description.channels[0].presets[2].token
            await adapter.command(DEVICE_KEY, "ptz.goto_preset", {"preset": token})
            assert camera.state.preset == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.POWER_CUT, DeviceUnreachable),
        (Fault.CABLE_CUT, DeviceUnreachable),
        (Fault.WRONG_PASSWORD, AuthRejected),
        (Fault.SLOW_ANSWERS, DeviceUnreachable),
        (Fault.GARBAGE, ProtocolViolation),
    ],
)
@pytest.mark.parametrize("moment", ["before", "while connected"])
async def test_a_fault_ends_the_run_with_the_error_it_stands_for(
    fault: Fault, kind: type[DeviceError], moment: str
) -> None:
    async with simulated() as camera:
        link = Recorder()
        if moment == "before":
            await camera.set_fault(fault)
        task = asyncio.create_task(adapter_of(camera).run(link))
        if moment == "while connected":
            await link.wait_for(1)
            await camera.set_fault(fault)
        with pytest.raises(kind):
            async with asyncio.timeout(8):
                await task
        await camera.clear_fault()


async def test_a_clock_ten_minutes_off_is_measured_and_does_not_matter() -> None:
    async with simulated() as camera:
        await camera.set_fault(Fault.CLOCK_OFF)
        async with running(adapter_of(camera)) as link:
            described = (await link.wait_for(2))[0]
    assert isinstance(described, DeviceDescribed)
    assert described.description.clock_offset_s == pytest.approx(600, abs=2)
