"""What the machine sees at one stop of a patrol round."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.domain.errors import GengfuError
from hub.domain.ports import CameraTarget
from hub.domain.quality import Finding, Region

LONGEST_CLIP_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What moved while somebody looked for some seconds; no person is recognised, only change.

    ``share`` of the picture that moved (0 to 1), ``regions`` where, the largest first; ``usual``
    is what moves there at this time of the day otherwise, None while that is not known.
    """

    share: float
    regions: tuple[Region, ...] = ()
    usual: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """One look at a camera's picture, judged. ``picture`` is a masked JPEG.

    ``change`` is how far it differs from what the camera usually shows (0 to 100), None while
    that is not known.
    """

    picture: bytes = field(repr=False)
    width: int
    height: int
    findings: tuple[Finding, ...] = ()
    movement: Movement | None = None
    change: float | None = None

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that reach their threshold."""
        return tuple(one for one in self.findings if one.is_fault)


class NotJudged(GengfuError):
    """There may be a picture, but the hub cannot judge it; the text is the reason."""


class Glance(Protocol):
    """Look at a camera for some seconds and judge what is seen; nothing is learnt or stored."""

    async def __call__(
        self, device_id: int, *, seconds: float, width: int, timeout_s: float
    ) -> Glimpse:
        """Return what was seen, the picture at most ``width`` wide.

        Raises:
            DeviceError: the camera gives no picture; it says why.
            NotJudged: the reason is not the camera's.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A short film with the camera's masks painted over. ``mime`` is what browsers play."""

    data: bytes = field(repr=False)
    mime: str
    seconds: float


class TakeClip(Protocol):
    """Record a camera for some seconds."""

    async def __call__(self, target: CameraTarget, *, seconds: float, timeout_s: float) -> Clip:
        """Return the film (at most LONGEST_CLIP_S); raises a DeviceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanPhoto:
    """A photo from outside, decoded and encoded anew: no metadata, nothing hidden is left."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int


class CleanPhotos(Protocol):
    """Make photos from strangers harmless, in a process of their own."""

    async def __call__(self, data: bytes) -> CleanPhoto:
        """Return the photo, upright and at most 2048 wide or high; raises Invalid (photo)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFacts:
    """What is known of a camera's place beside its picture, in sentences; the newest first."""

    open_alerts: Sequence[str] = ()
    last_events: Sequence[str] = ()
