"""Areas, connections, devices and what happened at them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import AliasChoices, ConfigDict, Field, SecretStr

from hub.domain.health import ProbeResult
from hub.web.schemas.shapes import In, Listing, Name, Number, Out


class AreaOut(Out):
    """A node of the area tree."""

    id: int
    parent_id: int | None
    code: str
    name: str
    path: str


class AreaIn(In):
    """A new area."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]
    name: Name
    parent_id: Number | None = None


class AreaChangeIn(In):
    """An area's new name."""

    name: Name


class ConnectionOut(Out):
    """A link and how it is. Its password never leaves the hub."""

    id: int = Field(validation_alias="connection_id")
    name: str
    protocol: str
    address: str
    area_id: int
    is_enabled: bool
    state: str
    state_detail: str
    state_since: datetime


class ConnectionIn(In):
    """A new link. Credentials inside the address are moved out of it."""

    protocol: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    name: Name
    address: Annotated[str, Field(max_length=2048)]
    area_id: Number
    username: Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    password: Annotated[SecretStr, Field(max_length=256)] = SecretStr("")
    options: Mapping[str, object] = Field(default_factory=dict)
    is_enabled: bool = True


class ConnectionChangeIn(In):
    """What of a link shall change; without a password the stored one stays."""

    name: Name | None = None
    address: Annotated[str | None, Field(max_length=2048)] = None
    area_id: Number | None = None
    username: Annotated[str | None, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")] = None
    password: Annotated[SecretStr, Field(max_length=256)] = SecretStr("")
    options: Mapping[str, object] | None = None
    is_enabled: bool | None = None


class DeviceLineOut(Out):
    """One line of the device list.

    ``status`` is what people see: maintenance inside a window (``window_id``). ``faults`` are all
    layers that fail, each with its sentence; ``layer`` is the first of them. ``behind_id`` is the
    parent that is down and explains it. A parent outside the caller's areas is not named.
    """

    # Lines of the live stream are written without FastAPI.
    model_config = ConfigDict(serialize_by_alias=True)

    id: int
    connection_id: int
    name: str
    code: str
    kind: str
    device_class: str = Field(
        validation_alias=AliasChoices("device_class", "class"), serialization_alias="class"
    )
    team: str
    area_id: int
    area_name: str
    place: str
    address: str
    manufacturer: str
    model: str
    firmware: str
    registration: str
    clock_offset_s: float | None
    parent_id: int | None
    parent_name: str
    status: str
    since: datetime
    layer: str
    detail: str
    faults: Mapping[str, str]
    behind_id: int | None
    behind_name: str
    is_flapping: bool
    window_id: int | None


class DeviceListing(Listing[DeviceLineOut]):
    """A page of devices; ``total`` is how many there are in all pages, when asked for."""

    total: int | None = None


class FirmwareOut(Out):
    """How many devices of a model run one firmware."""

    manufacturer: str
    model: str
    firmware: str
    count: int


class LatencyOut(Out):
    """The probes of one hour; without an answer there is no latency."""

    hour: datetime
    probes: int
    lost_share: float
    mean_ms: float | None
    slowest_ms: float | None


class StreamOut(Out):
    """One encoded flow of a channel."""

    role: str
    address: str
    codec: str
    width: int
    height: int
    frame_rate: float


class PresetOut(Out):
    """A stored PTZ position."""

    token: str
    name: str


class ChannelOut(Out):
    """One video source of a device."""

    key: str
    name: str
    streams: Sequence[StreamOut]
    snapshot_address: str
    presets: Sequence[PresetOut]


class PointOut(Out):
    """A point and its latest reading."""

    id: int
    key: str
    unit: str
    quantity: str
    expected_interval_s: float | None
    at: datetime | None
    value: float | None


class DeviceOut(DeviceLineOut):
    """One device with everything known of it."""

    key: str
    serial: str
    hardware_id: str
    created_at: datetime | None
    channels: Sequence[ChannelOut]
    points: Sequence[PointOut]


class DeviceChangeIn(In):
    """What of a device shall change."""

    name: Name | None = None
    area_id: Number | None = None


class CommandIn(In):
    """What a device shall do."""

    do: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    args: Mapping[str, object] = Field(default_factory=dict)


class CommandOut(Out):
    """What the device answered."""

    reply: Mapping[str, object]


class ProbeOut(Out):
    """What one probe found, asked down to a depth."""

    @classmethod
    def of(cls, result: ProbeResult) -> Self:
        """The form in which people see a result."""
        return cls(
            probed_at=result.probed_at,
            latency_s=result.latency_s,
            depth=result.depth,
            status=result.status,
            failed_layer=result.failed_layer,
            detail=result.detail,
            lines=result.lines,
        )

    probed_at: datetime
    depth: str
    latency_s: float
    status: str
    failed_layer: str | None
    detail: str
    lines: Sequence[str]


class EventOut(Out):
    """A fact that happened."""

    id: int
    kind: str
    area_id: int
    at: datetime
    received_at: datetime
    device_id: int | None
    device_name: str
    channel: str
    severity: str
    is_active: bool | None
    replayed: bool
    data: Mapping[str, object]


class ReadingOut(Out):
    """One reading."""

    at: datetime
    point_id: int
    value: float


class OutageOut(Out):
    """An interval in which a device was offline; open while ``ended_at`` is null.

    ``doubtful_from``: the hub was away from then on and has not looked again. ``maintenance_s``:
    so much of it lies in planned maintenance.
    """

    id: int
    device_id: int
    device_name: str
    started_at: datetime
    ended_at: datetime | None
    layer: str
    cause: str
    area_id: int
    area_name: str
    parent_id: int | None
    parent_name: str
    doubtful_from: datetime | None
    maintenance_s: float


class LongestOutageOut(Out):
    """The present outage that has lasted longest."""

    device_id: int
    device_name: str
    started_at: datetime


class AreaSummaryOut(Out):
    """How things stand now in an area and everything below it.

    ``online_now`` and ``intact_now`` are snapshots, 0 to 1 and null without devices: those that
    answer, and those of which nothing fails, ÷ managed. The time-weighted rate is another figure.
    ``first_faults`` counts the bad devices by the lowest layer that fails.
    """

    area: AreaOut
    managed: int
    by_status: Mapping[str, int]
    online_now: float | None
    intact_now: float | None
    first_faults: Mapping[str, int]
    behind_parents: int
    flapping: int
    open_alerts: int
    longest_outage: LongestOutageOut | None


class AreaSummariesOut(Out):
    """An area and each of its direct children; ``area`` is null over the caller's uppermost."""

    at: datetime
    area: AreaSummaryOut | None
    children: Sequence[AreaSummaryOut]


class StatusCountsOut(Out):
    """How many devices of the caller's areas have each status; open alerts by severity."""

    at: datetime
    approved: Mapping[str, int]
    pending: int
    open_alerts: Mapping[str, int]
