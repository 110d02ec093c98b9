"""Events: facts that happened, as adapters report them.

``kind`` ("motion.started") is the same string in the database, in rules and in the API.
``device`` is the adapter's own name for the device, unique within its connection.
``occurred_at`` is the device's clock, None when it gave none; the hub adds ``received_at``.
``replayed`` marks initial ONVIF state and MQTT retained messages: facts, but no news.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from hub.domain.devices import DeviceDescription, Json
from hub.domain.health import Layer, Status


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has."""

    device: str
    occurred_at: datetime | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Event):
    """A number measured at a point. Booleans are 1.0 and 0.0."""

    kind: ClassVar[str] = "reading"
    point: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDescribed(Event):
    """The device said what it is: register it or bring its record up to date."""

    kind: ClassVar[str] = "device.described"
    description: DeviceDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReported(Event):
    """Somebody who can know (a probe, a Will, silence) says whether the device works.

    ``session`` orders reports of one device: one with a lower session is late and is ignored.
    """

    kind: ClassVar[str] = "device.status"
    status: Status
    layer: Layer | None = None
    detail: str = ""
    session: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence(Event):
    """Something happened at a device: motion, a door, a picture fault, a hardware failure.

    ``is_active`` is True and False for kinds that start and stop, None for a single moment.
    """

    kind: str
    channel: str = ""
    severity: Severity = Severity.INFO
    is_active: bool | None = None
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrecognisedEvent(Event):
    """Something arrived that nobody could read: stored with the reason, never dropped.

    ``payload`` holds at most the first 2,048 bytes, with secrets masked.
    """

    kind: ClassVar[str] = "unrecognised"
    topic: str
    reason: str
    payload: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as the database holds it. ``at`` is ``occurred_at`` or, without it, ``received_at``.

    ``device_id`` is None for what concerns a place, not a device (a missed patrol round).
    ``id`` grows with every event stored: the order in which rules see them.
    """

    id: int
    kind: str
    area_id: int
    area_path: str
    at: datetime
    received_at: datetime
    device_id: int | None = None
    device_name: str = ""
    channel: str = ""
    severity: Severity = Severity.INFO
    is_active: bool | None = None
    replayed: bool = False
    data: Mapping[str, Json] = field(default_factory=dict)
