"""Health: status, the layer that fails first, and what one probe found."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """What is known of a device now. UNKNOWN is neither offline nor good."""

    ONLINE = "online"
    OFFLINE = "offline"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


class Layer(StrEnum):
    """The layers of a working camera, lowest first; a fault is named by the first that fails."""

    NETWORK = "network"
    PROTOCOL = "protocol"
    CREDENTIALS = "credentials"
    STREAM = "stream"
    FRAMES = "frames"
    PICTURE = "picture"
    RECORDING = "recording"
    CLOCK = "clock"


# A device whose first failing layer is one of these is offline; above them it is degraded.
OFFLINE_LAYERS = frozenset({Layer.NETWORK, Layer.PROTOCOL})


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
    """A confirmed verdict about one registered device, on its way to the pipeline."""

    device_id: int
    status: Status
    probed_at: datetime
    layer: Layer | None = None
    detail: str = ""
