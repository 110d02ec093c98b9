"""What the tests of the simulators have in common: one camera on loopback and its login."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions

USER, PASSWORD = "admin", "simulated-camera-1"
LOGIN = Credentials(username=USER, password=Secret(PASSWORD))


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def simulated_camera(*, serial: str = "SIM-1") -> AsyncIterator[Camera]:
    """A camera on free ports that reports nothing by itself."""
    options = CameraOptions(
        name="西门1 West gate 1",
        serial=serial,
        mac="02:00:00:00:00:01",
        area="330402001",
        http_port=0,
        rtsp_port=0,
        credentials=LOGIN,
        motion_interval_s=None,
    )
    async with Camera(options, clock=utc_now, rng=random.Random(7)) as camera:
        yield camera
