"""Looking at a camera in a test: a target, a look with a deadline, and what was found."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from adapters.onvif.inspection import inspect_camera, last_full_day
from hub.domain.addresses import AddressPolicy
from hub.domain.health import Inspection
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera import Camera as SimulatedCamera
from hub.simulators.camera_state import MemoryCard
from tests.protocol.onvif_camera import Camera
from tests.protocol.onvif_run import LOOPBACK, PASSWORD
from tests.protocol.simulated import LOGIN, utc_now

DAY_S = 86_400.0


def target_of(address: str, *, password: str = PASSWORD, **options: str | bool) -> CameraTarget:
    return CameraTarget(
        device_id=1,
        service_address=address,
        credentials=Credentials(username="admin", password=Secret(password)),
        options=options,
    )


async def look_at(
    camera: Camera | SimulatedCamera | CameraTarget,
    *,
    timeout_s: float = 5.0,
    policy: AddressPolicy = LOOPBACK,
    clock: Callable[[], datetime] = utc_now,
) -> Inspection:
    if isinstance(camera, Camera):
        camera = target_of(camera.base)
    elif isinstance(camera, SimulatedCamera):
        camera = replace(target_of(camera.state.service_address()), credentials=LOGIN)
    started = time.monotonic()
    try:
        return await inspect_camera(camera, timeout_s=timeout_s, policy=policy, clock=clock)
    finally:
        assert time.monotonic() - started < timeout_s + 1


def card_of(camera: SimulatedCamera) -> MemoryCard:
    assert camera.state.card is not None
    return camera.state.card


def yesterday() -> datetime:
    return last_full_day(utc_now(), UTC)[0]


def seconds_off(found: Inspection) -> float:
    assert found.clock_offset_s is not None
    return found.clock_offset_s
