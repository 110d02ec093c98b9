"""Live video: the words in which whoever relays it and whoever shows it talk to each other.

A relay pulls each stream once, however many watch, and gives each viewer what he can take:
first a track, then its fragments. It never decodes, and never relays a camera with masks:
such a one is looked at picture by picture.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hub.domain.health import Layer
from hub.domain.ports import CameraTarget, Picture


class StreamRole(StrEnum):
    """Which encoded flow of a channel."""

    MAIN = "main"
    SUB = "sub"


class LiveState(StrEnum):
    """What a viewer may believe of what he sees."""

    CONNECTING = "connecting"
    LIVE = "live"
    FROZEN = "frozen"  # connected, and nothing comes
    OFFLINE = "offline"  # no connection; it is tried again while anybody watches


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatus:
    """How it stands with a stream, and since when. ``why`` holds no password.

    ``layer`` is the first that fails; FROZEN is since the last picture.
    """

    state: LiveState
    since: datetime
    why: str = ""
    layer: Layer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What the fragments after it are made of. ``mime`` is what a browser is asked about."""

    codec: str
    mime: str
    width: int
    height: int
    init: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One encoded picture as a fragment of an MP4 file; ``received_at`` is the loop's time."""

    data: bytes = field(repr=False)
    is_key: bool
    received_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """This viewer is too slow: so many pictures were left out for him."""

    skipped: int


LiveItem = LiveStatus | Track | Fragment | Behind | Picture


class LiveViewer(Protocol):
    """One who watches one stream."""

    async def next(self) -> Sequence[LiveItem]:
        """Wait for what comes, and return all of it, in order; the state comes first of all."""

    def retarget(self, target: CameraTarget) -> None:
        """Say how the camera is reached now; another address or password connects anew."""


class LiveRelay(Protocol):
    """Hands out live video, one pull for all who watch the same stream."""

    def watch(self, target: CameraTarget, role: StreamRole) -> AbstractContextManager[LiveViewer]:
        """Watch the stream at ``stream_address``; raises UnsupportedByDevice for a masked one."""

    def look(self, target: CameraTarget) -> AbstractContextManager[LiveViewer]:
        """Look at pictures instead, with the masks painted over; about one a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """A playlist of LL-HLS, or a part of the film."""

    content_type: str
    data: bytes = field(repr=False)


class MediaServer(Protocol):
    """A media server beside the hub: WebRTC, and many viewers. Browsers never ask it themselves.

    Every method raises a DeviceError when the server, or the camera behind it, does not answer.
    """

    async def open(self, target: CameraTarget) -> str:
        """Make the stream at ``stream_address`` readable under a name that nobody can guess.

        Raises:
            UnsupportedByDevice: the camera has masks.
        """

    async def offer(self, name: str, offer: str) -> str:
        """Send the stream by WebRTC; returns the answer to an offer (SDP)."""

    async def fetch(self, name: str, file: str, query: Mapping[str, str]) -> MediaFile:
        """Return a file of the stream's LL-HLS; raises NotFound for what there is not."""

    async def count_readers(self, name: str) -> int:
        """How many receive the stream now."""

    async def close(self, name: str) -> None:
        """Take the stream from everybody; never raises, for nothing can be done about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """How many may watch at a time: one user (a wall of 25 tiles on two screens), one process."""

    per_user: int = 64
    in_all: int = 400
