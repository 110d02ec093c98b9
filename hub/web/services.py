"""What the composition root hands to the web application."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Protocol, cast

from fastapi import Depends
from prometheus_client import CollectorRegistry
from starlette.requests import HTTPConnection

from hub.domain.addresses import IPNetwork
from hub.domain.devices import Device, Json
from hub.domain.discovery import AskAddress
from hub.domain.health import ProbeResult
from hub.domain.live_video import LiveLimits, LiveRelay, MediaServer
from hub.domain.looks import CleanPhotos
from hub.domain.notifications import ReceiverKind
from hub.domain.ports import Clock, ProbeCamera, TakeSnapshot
from hub.domain.steering import SteerCamera
from hub.domain.talking import OpenTalk
from hub.maintenance.pictures.sight import Sight
from hub.patrols.citizens.receiving import Intake
from hub.patrols.reporting.pdf import Printer
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.web.map_tiles import MapOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """What the application needs of the settings.

    ``public_origin`` ("https://hub.example") is what browsers see when a proxy is in front;
    ``trusted_proxies`` may say for whom they speak; nobody else may. Months begin at midnight of
    ``zone``. ``intake`` is how reports of residents are taken in. ``console_dir`` holds a built
    console in place of the one that came with the program. ``map`` is what maps are drawn on.
    """

    data_dir: Path
    public_origin: str = ""
    trusted_proxies: tuple[IPNetwork, ...] = ()
    has_secure_cookies: bool = False
    version: str = "0"
    zone: tzinfo = UTC
    intake: Intake = field(default_factory=Intake)
    console_dir: Path | None = None
    map: MapOptions = field(default_factory=MapOptions)


class RunCommand(Protocol):
    """Runs one command on a device, wherever its connection lives."""

    async def __call__(
        self, device: Device, do: str, args: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Return the device's reply; raises DeviceError."""


class ParseConnection(Protocol):
    """Validates the options of one protocol."""

    def __call__(self, raw: Mapping[str, Json]) -> Mapping[str, Json]:
        """Take ``protocol`` and the protocol's options, return the options to store.

        Raises:
            Invalid: names the field; unknown protocols and options are errors.
        """


ParseReceiver = Callable[[ReceiverKind, Mapping[str, Json]], Mapping[str, Json]]
"""Validates the options of one way out and returns them to store; raises Invalid."""

Readiness = Callable[[], Mapping[str, bool | str]]
"""Part → True, or False or a sentence that says why it is away. Never blocks."""


RecentProbes = Callable[[int], Sequence[ProbeResult]]
"""The last results of a device, newest first, as far as this process probes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """Everything the routes use."""

    database: Database
    live: LiveFeed
    jobs: Jobs
    clock: Clock
    settings: WebSettings
    metrics: CollectorRegistry
    readiness: Readiness
    parse_connection: ParseConnection
    parse_receiver: ParseReceiver
    probe_camera: ProbeCamera
    take_snapshot: TakeSnapshot
    run_command: RunCommand
    recent_probes: RecentProbes
    printer: Printer = field(default_factory=Printer)  # of PDF, one at a time
    sight: Sight | None = None  # None: this process looks at no pictures
    clean_photo: CleanPhotos | None = None  # None: this process takes no photos from outside
    relay: LiveRelay | None = None  # None: this process relays no live video
    media_server: MediaServer | None = None  # None: video goes through the hub alone
    live_limits: LiveLimits = field(default_factory=LiveLimits)
    ask_address: AskAddress | None = None  # None: this process asks no strangers
    device_networks: tuple[IPNetwork, ...] = ()  # where devices may be looked for
    steer: SteerCamera | None = None  # None: this process moves no cameras
    talk: OpenTalk | None = None  # None: this process opens no lines of sound


def get_services(connection: HTTPConnection) -> WebServices:
    """Return what the application was created with."""
    return cast("WebServices", connection.app.state.services)


Services = Annotated[WebServices, Depends(get_services)]
