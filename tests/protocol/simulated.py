"""What the tests of the simulators have in common: a camera, a village, their login."""

import asyncio
import ipaddress
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.village import Village, VillageOptions

USER, PASSWORD = "admin", "simulated-camera-1"
NOBODY = "mqtt://127.0.0.1:1"  # a broker's address where nothing listens
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


def build_village(
    *, cameras: int = 3, sensors: int = 0, broker: str = NOBODY, control_port: int = 0
) -> Village:
    """A village on a loopback network of its own, other ports free ones."""
    # Runs side by side must not meet: another network for each.
    first = ipaddress.IPv4Address(f"127.{random.randrange(130, 250)}.{random.randrange(250)}.1")
    options = VillageOptions(
        cameras=cameras,
        sensors=sensors,
        first_host=str(first),
        control_port=control_port,
        discovery_port=0,
        sensor_interval_s=0.2,
        motion_interval_s=None,
        credentials=LOGIN,
        broker_address=broker,
    )
    return Village(options, clock=utc_now, rng=random.Random(1))


async def until(check: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(8):
        while not check():
            await asyncio.sleep(0.02)
