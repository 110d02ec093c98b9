"""Areas, connections, devices and what they consist of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hub.domain.secrets import Credentials

# A value of parsed JSON: str, int, float, bool, None, list or dict of the same.
Json = object


class DeviceKind(StrEnum):
    """What a device is."""

    CAMERA = "camera"
    NVR = "nvr"
    SENSOR = "sensor"
    GATEWAY = "gateway"
    SPEAKER = "speaker"
    SWITCH = "switch"
    ONU = "onu"
    UPLINK = "uplink"
    OTHER = "other"


class Registration(StrEnum):
    """PENDING: it reported by itself and waits for approval; its data are kept meanwhile."""

    PENDING = "pending"
    APPROVED = "approved"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A node of the area tree. ``path`` joins the codes from the root down with dots (ltree)."""

    id: int
    parent_id: int | None
    code: str
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One configured link to a device, a broker or a listener.

    ``address`` holds no credentials; ``options`` are the adapter's own, already validated.
    """

    id: int
    protocol: str
    name: str
    address: str
    area_id: int
    credentials: Credentials = field(default_factory=Credentials)
    options: Mapping[str, Json] = field(default_factory=dict)
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One encoded flow of a channel. ``role`` is ``main`` or ``sub``; no credentials in address."""

    role: str
    address: str
    codec: str = ""
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A stored PTZ position, named by the device's token."""

    token: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One video source of a device; ``key`` is the device's own name for it."""

    key: str
    name: str = ""
    streams: tuple[Stream, ...] = ()
    snapshot_address: str = ""
    presets: tuple[Preset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measured quantity of a device; ``low`` to ``high`` is what it can plausibly read."""

    key: str
    unit: str = ""
    quantity: str = ""
    expected_interval_s: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDescription:
    """What a device says of itself; empty fields mean "not said" and overwrite nothing.

    ``clock_offset_s`` is the device's clock minus ours.
    """

    kind: DeviceKind = DeviceKind.OTHER
    name: str = ""
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    hardware_id: str = ""
    address: str = ""
    area_hint: str = ""
    clock_offset_s: float | None = None
    channels: tuple[Channel, ...] = ()
    points: tuple[Point, ...] = ()
    capabilities: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A registered device, as the store returns it.

    ``parent_id`` is the switch, ONU, NVR or uplink it is reached through. ``code`` is its number
    in the asset record (20 digits in GB/T 28181), ``device_class`` the site's own division,
    ``team`` who maintains it, ``described_mark`` stands for all it said of itself last.
    """

    id: int
    connection_id: int
    key: str
    area_id: int
    area_path: str
    kind: DeviceKind
    name: str
    registration: Registration
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    hardware_id: str = ""
    address: str = ""
    clock_offset_s: float | None = None
    created_at: datetime | None = None
    parent_id: int | None = None
    code: str = ""
    device_class: str = ""
    team: str = ""
    described_mark: int | None = None
