"""Health: status, the layer that fails first, and what was found by whoever can know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol


class Status(StrEnum):
    """What is known of a device now. UNKNOWN is neither offline nor good."""

    ONLINE = "online"
    OFFLINE = "offline"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


class Layer(StrEnum):
    """The layers of a working device, lowest first; a fault is named by the first that fails.

    READINGS is a sensor's: what it measures is plausible.
    """

    NETWORK = "network"
    PROTOCOL = "protocol"
    CREDENTIALS = "credentials"
    STREAM = "stream"
    FRAMES = "frames"
    PICTURE = "picture"
    RECORDING = "recording"
    CLOCK = "clock"
    READINGS = "readings"


class Depth(StrEnum):
    """How deep a probe asks. Each also sees the layers of those before it."""

    ANSWER = "answer"
    STREAM = "stream"
    FRAMES = "frames"


# A device whose first failing layer is one of these is offline; above them it is degraded.
OFFLINE_LAYERS = frozenset({Layer.NETWORK, Layer.PROTOCOL})

_STREAM_LAYERS = OFFLINE_LAYERS | {Layer.CREDENTIALS, Layer.STREAM}
SEEN_BY: Final[Mapping[Depth, frozenset[Layer]]] = MappingProxyType(
    {
        Depth.ANSWER: OFFLINE_LAYERS,
        Depth.STREAM: _STREAM_LAYERS,
        Depth.FRAMES: _STREAM_LAYERS | {Layer.FRAMES},
    }
)

Faults = Mapping[Layer, str]
"""The layers of a device known to fail, each with its sentence."""

NO_FAULTS: Final[Faults] = MappingProxyType({})


_LOWEST_FIRST: Final = tuple(Layer)


def first_fault(faults: Faults) -> Layer | None:
    """The layer that names the fault, None when nothing fails."""
    if not faults:
        return None
    return next(layer for layer in _LOWEST_FIRST if layer in faults)


def status_of(faults: Faults) -> Status:
    """What faults make of a device of which something is known."""
    layer = first_fault(faults)
    if layer is None:
        return Status.ONLINE
    return Status.OFFLINE if layer in OFFLINE_LAYERS else Status.DEGRADED


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What one probe found. ``failed_layer`` is None when everything asked for was good.

    ``lines`` is the probe's own log, longer for failures, shown to whoever asks why.
    ``is_conclusive`` is False when the fault is ours (no file handles left): nothing was learnt.
    """

    probed_at: datetime
    latency_s: float
    failed_layer: Layer | None = None
    detail: str = ""
    lines: tuple[str, ...] = field(default=())
    is_conclusive: bool = True
    depth: Depth = Depth.STREAM

    @property
    def status(self) -> Status:
        """The status this result alone would give the device."""
        if not self.is_conclusive:
            return Status.UNKNOWN
        if self.failed_layer is None:
            return Status.ONLINE
        return Status.OFFLINE if self.failed_layer in OFFLINE_LAYERS else Status.DEGRADED


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatusReport:
    """A confirmed verdict about some layers of one registered device, on its way to the pipeline.

    Faults of layers that are not in ``seen`` stay as they are known. ``layer`` is the one that
    failed, with its ``detail``; None: all that were seen are good. ``behind`` is the parent
    device that is down and explains it. ``is_unknown``: it can no longer be told how the device
    is (``detail`` says why), and ``seen`` means nothing. ``session`` orders the reports of one
    device. ``confirms``: stored even when it says nothing new, for the hub had been away.
    """

    device_id: int
    probed_at: datetime
    layer: Layer | None = None
    detail: str = ""
    seen: frozenset[Layer] = OFFLINE_LAYERS
    behind: int | None = None
    is_unknown: bool = False
    session: int | None = None
    confirms: bool = False


def merge_faults(known: Faults, report: DeviceStatusReport) -> dict[Layer, str]:
    """What fails after a report, from what was known to fail before it."""
    faults = {layer: detail for layer, detail in known.items() if layer not in report.seen}
    if report.layer is not None:
        faults[report.layer] = report.detail
    return faults


class Held(Protocol):
    """What is held of a device at present."""

    @property
    def status(self) -> Status:
        """Its status."""

    @property
    def faults(self) -> Faults:
        """The layers that fail."""

    @property
    def behind_id(self) -> int | None:
        """The parent that is down and explains it."""


def says_news(report: DeviceStatusReport, held: Held) -> bool:
    """Tell whether a report differs from what is held: status, failing layers, parent to blame.

    Another sentence about the same fault is no news.
    """
    if report.is_unknown:
        return held.status is not Status.UNKNOWN
    faults = merge_faults(held.faults, report)
    if held.status is not status_of(faults) or faults.keys() != held.faults.keys():
        return True
    return first_fault(faults) is report.layer is not None and held.behind_id != report.behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a recorder holds of one day: seconds recorded of those planned, and the holes."""

    recorded_s: float
    planned_s: float
    holes: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a slow look at a camera found; None: the protocol does not tell.

    ``clock_offset_s`` is the camera's clock minus ours. ``recording`` is of the 24 hours that
    began at ``recording_day``. An inspection measures; whoever asked for it judges.
    """

    inspected_at: datetime
    clock_offset_s: float | None = None
    recording: Recording | None = None
    recording_day: datetime | None = None
    oldest_recording_at: datetime | None = None
    certificate_expires_at: datetime | None = None
    firmware: str = ""
    notes: tuple[str, ...] = ()
