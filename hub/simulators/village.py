"""A whole village of simulated devices in one process."""

import ipaddress
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from hub.domain.errors import ConfigError
from hub.domain.ports import Clock
from hub.domain.secrets import Credentials
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.control import Breakable, Control
from hub.simulators.discovery import PORT, DiscoveryResponder
from hub.simulators.station import Station, StationOptions

PLACES = (
    ("东门", "east gate"),
    ("西门", "west gate"),
    ("村口", "village entrance"),
    ("河堤", "river dike"),
    ("广场", "square"),
    ("学校", "school"),
    ("桥头", "bridge"),
    ("仓库", "warehouse"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageOptions:
    """How many devices there are and where they listen or report.

    Camera N has the address ``first_host`` + N - 1. ``area`` is the code of the village.
    """

    cameras: int = 6
    sensors: int = 8
    area: str = ""
    first_host: str = "127.0.1.1"
    http_port: int = 8000
    rtsp_port: int = 8554
    control_port: int = 0
    discovery_port: int = PORT
    sensor_interval_s: float = 10.0
    motion_interval_s: float | None = 45.0
    has_traffic: bool = True
    credentials: Credentials = field(default_factory=Credentials)
    broker_address: str = ""
    broker_credentials: Credentials = field(default_factory=Credentials)


class Village:
    """An async context manager: the village lives as long as it is open.

    ``cameras`` and ``stations`` are by name ("camera-1", "station-1"), the names the control
    takes.
    """

    def __init__(self, options: VillageOptions, *, clock: Clock, rng: random.Random) -> None:
        """Lay it out; nothing runs yet.

        Raises:
            ConfigError: the cameras have no login or no address, or the stations no broker.
        """
        if options.cameras and not (
            options.credentials.username and options.credentials.password.reveal()
        ):
            msg = "the simulated cameras need a user name and a password"
            raise ConfigError(msg)
        self._stack = AsyncExitStack()
        self.cameras = {
            f"camera-{n}": Camera(_camera(options, n), clock=clock, rng=_child(rng))
            for n in range(1, options.cameras + 1)
        }
        self.stations = {
            f"station-{n}": Station(_station(options, n), clock=clock, rng=_child(rng))
            for n in range(1, options.sensors + 1)
        }
        devices: dict[str, Breakable] = {**self.cameras, **self.stations}
        self._control = Control(devices, port=options.control_port)
        self._discovery = DiscoveryResponder(
            list(self.cameras.values()), rng=_child(rng), port=options.discovery_port
        )

    @property
    def control_url(self) -> str:
        """Where faults are ordered."""
        return self._control.url

    @property
    def discovery_port(self) -> int:
        """Where probes are heard; once open, never 0."""
        return self._discovery.port

    async def __aenter__(self) -> Self:
        """Switch everything on.

        Raises:
            ConfigError: an address is taken; it is named, and all is off again.
        """
        try:
            for camera in self.cameras.values():
                await self._stack.enter_async_context(camera)
            for station in self.stations.values():
                await self._stack.enter_async_context(station)
            await self._stack.enter_async_context(self._discovery)
            await self._stack.enter_async_context(self._control)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


def _camera(options: VillageOptions, number: int) -> CameraOptions:
    chinese, english = PLACES[(number - 1) % len(PLACES)]
    turn = (number - 1) // len(PLACES) + 1
    return CameraOptions(
        name=f"{chinese}{turn} {english} {turn}",
        serial=f"SIM{number:06d}",
        mac=f"02:47:46:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        area=options.area,
        host=_host(options.first_host, number),
        http_port=options.http_port,
        rtsp_port=options.rtsp_port,
        credentials=options.credentials,
        motion_interval_s=options.motion_interval_s,
        has_traffic=options.has_traffic,
        has_sound=number % 4 == 1,  # as in real villages, a few
    )


def _host(first: str, number: int) -> str:
    try:
        return str(ipaddress.IPv4Address(first) + (number - 1))
    except ValueError as error:
        msg = f"{first!r} is no IPv4 address, or none with {number - 1} more behind it"
        raise ConfigError(msg) from error


def _station(options: VillageOptions, number: int) -> StationOptions:
    chinese, english = PLACES[(number - 1) % len(PLACES)]
    return StationOptions(
        name=f"station-{number}",
        label=f"{chinese}传感站{number} {english} station {number}",
        area=options.area,
        interval_s=options.sensor_interval_s,
        broker_address=options.broker_address,
        credentials=options.broker_credentials,
    )


def _child(rng: random.Random) -> random.Random:
    return random.Random(rng.getrandbits(64))  # noqa: S311 - chance, not secrecy
