"""The Protocols by which the layers meet without importing each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from hub.domain.devices import Json, Stream
from hub.domain.events import Event
from hub.domain.health import Depth, Inspection, ProbeResult
from hub.domain.quality import CheckOrder, EncodedFrame, PictureCheck, Polygon
from hub.domain.secrets import Credentials

Clock = Callable[[], datetime]
"""Returns the time now, aware, UTC."""


class Link(Protocol):
    """An adapter's way into the hub."""

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        """Hand over what happened; waits while the hub is behind (this is the back-pressure).

        ``acknowledge`` is called in the event loop once all of ``events`` are committed.
        """


class Adapter(Protocol):
    """One connection, one coroutine: it connects, reports and raises. It never retries."""

    async def run(self, link: Link) -> None:
        """Report until cancelled; raise a DeviceError when the link dies.

        Cancellation ends it within a second, with subscriptions and sockets closed.
        """


@runtime_checkable
class Commandable(Protocol):
    """An adapter whose devices take commands."""

    async def command(self, device: str, do: str, args: Mapping[str, Json]) -> Mapping[str, Json]:
        """Run one command on a device and return its reply; raises DeviceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraTarget:
    """All a probe or a snapshot needs to know of one channel of one device.

    Addresses hold no credentials. ``sub_stream_address`` is the small stream, empty without one;
    ``service_address`` is the ONVIF service, empty without one;
    ``options`` are those of its connection (how its certificate is verified, …); ``masks`` are
    painted over in every picture that is taken to be shown or stored.
    """

    device_id: int
    channel: str = ""
    stream_address: str = ""
    sub_stream_address: str = ""
    snapshot_address: str = ""
    service_address: str = ""
    credentials: Credentials = field(default_factory=Credentials)
    options: Mapping[str, Json] = field(default_factory=dict)
    masks: tuple[Polygon, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One JPEG picture and where it came from: ``snapshot`` or ``stream``."""

    jpeg: bytes
    width: int
    height: int
    taken_at: datetime
    source: str


class ProbeCamera(Protocol):
    """Probe one camera; never raises for what the camera does, never changes the camera."""

    async def __call__(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        """Return what was found within ``timeout_s``, down to a depth."""


class InspectCamera(Protocol):
    """Take a slow look at a camera: clock, recordings, certificate, firmware."""

    async def __call__(self, target: CameraTarget, *, timeout_s: float) -> Inspection:
        """Return what the camera tells, or raise a DeviceError that says why it tells nothing."""


class TakeSnapshot(Protocol):
    """Fetch one picture."""

    async def __call__(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        """Return the picture or raise a DeviceError that says why there is none."""


class DescribeStream(Protocol):
    """Ask what flows under a camera's stream address, without starting it."""

    async def __call__(self, target: CameraTarget, *, timeout_s: float) -> Stream:
        """Return the stream, as role ``main``, or raise a DeviceError."""


class FetchFrames(Protocol):
    """Fetch encoded pictures of one visit, the cheapest the camera gives. Nothing is decoded."""

    async def __call__(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        """Return ``count`` frames, oldest first, or raise a DeviceError that says why not.

        Fewer, but one at the least, where the camera does not give so many in that time.
        """


class JudgePicture(Protocol):
    """Judge the frames of one visit."""

    async def __call__(self, order: CheckOrder) -> PictureCheck:
        """Return what is found; raises ProtocolViolation for what is no picture."""


class CallPreset(Protocol):
    """Send a camera to a stored position."""

    async def __call__(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        """Return once the camera took the order; raises a DeviceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """Where a camera looks. ``preset`` is the stored position it stands at, empty for none.

    None means that it does not tell: of its position, or whether it moves.
    """

    preset: str | None = None
    is_moving: bool | None = None


class FindBearing(Protocol):
    """Ask a camera where it looks, without moving it."""

    async def __call__(self, target: CameraTarget, *, timeout_s: float) -> Bearing:
        """Return what the camera tells; raises a DeviceError when it tells nothing at all."""
