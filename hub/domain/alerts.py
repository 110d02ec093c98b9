"""Rules, the alerts they conclude, and who is told (design §2).

A *rule* watches an area and everything below it. What it concludes about one subject (a device,
a point, a channel, a place) is an *alert*: firing, acknowledged, resolved. A *receiver* gets one
*notification* for each step that concerns him.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from hub.domain.devices import DeviceKind, Json
from hub.domain.errors import Invalid
from hub.domain.events import Severity
from hub.domain.secrets import Secret

LONGEST_WAIT_S = 30 * 86_400.0
_NAME = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,126}[^\x00-\x20\x7f])?\Z")


class AlertStatus(StrEnum):
    """Where an alert stands."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Step(StrEnum):
    """What was done to an alert."""

    FIRED = "fired"
    ACKNOWLEDGED = "acknowledged"
    COMMENTED = "commented"
    RESOLVED = "resolved"


class Phase(StrEnum):
    """Where a rule stands about one subject.

    HELD: somebody resolved the alert by hand while its cause lasted; it fires again only after
    the cause was gone.
    """

    CLEAR = "clear"
    PENDING = "pending"
    FIRING = "firing"
    HELD = "held"


class Direction(StrEnum):
    """On which side of the threshold it is bad."""

    ABOVE = "above"
    BELOW = "below"


class ReceiverKind(StrEnum):
    """The ways out."""

    WEBHOOK = "webhook"
    SMTP = "smtp"
    MQTT = "mqtt"


class DeliveryStatus(StrEnum):
    """How one notification stands; REJECTED and FAILED are final."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOffline:
    """A device is offline for ``for_s`` seconds. Unknown is not offline."""

    type: ClassVar[str] = "device_offline"
    for_s: float = 0.0
    device_kinds: tuple[DeviceKind, ...] = ()  # empty: every kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PointBeyond:
    """A point reads beyond ``threshold`` for ``for_s`` seconds; over once it reaches ``clear``."""

    type: ClassVar[str] = "point_beyond"
    point: str
    direction: Direction
    threshold: float
    clear: float
    for_s: float = 0.0
    device_kinds: tuple[DeviceKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOfKind:
    """An event of a kind happened.

    It is over with an event of ``clear_kind``, with the same kind no longer active, or
    ``auto_clear_s`` after the last one. ``distinguish_by`` names a field of the event's data:
    each of its values is a subject of its own (one alert for each patrol plan, say).
    """

    type: ClassVar[str] = "event_of_kind"
    kind: str
    clear_kind: str = ""
    auto_clear_s: float | None = None
    distinguish_by: str = ""
    device_kinds: tuple[DeviceKind, ...] = ()


Condition = DeviceOffline | PointBeyond | EventOfKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to watch for, where, how bad it is and who is told (numbers of receivers)."""

    id: int = 0
    name: str
    area_id: int
    area_path: str = ""
    condition: Condition
    severity: Severity = Severity.WARNING
    receivers: tuple[int, ...] = ()
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What a rule remembers about one subject; CLEAR is not stored.

    ``since`` is when the cause began, ``due_at`` when time alone brings the next step.
    """

    rule_id: int
    subject: str
    area_id: int
    device_id: int | None = None
    point_id: int | None = None
    channel: str = ""
    phase: Phase = Phase.CLEAR
    since: datetime | None = None
    due_at: datetime | None = None
    value: float | None = None
    alert_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a rule concluded, as the store returns it. Names are those of the moment it fired."""

    id: int
    rule_id: int
    rule_name: str
    condition: str  # the condition's type
    severity: Severity
    status: AlertStatus
    area_id: int
    area_path: str
    area_name: str
    device_id: int | None
    device_name: str
    point: str
    unit: str
    channel: str
    event_id: int | None
    value: float | None
    reason: str
    started_at: datetime
    fired_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    resolved_at: datetime | None
    resolved_by: str
    resolution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStep:
    """One line of an alert's history."""

    id: int
    alert_id: int
    at: datetime
    actor: str
    step: Step
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody to tell, and how. ``options`` are the notifier's own, already validated.

    ``secret`` is the webhook's signing key or the mail server's password.
    """

    id: int = 0
    name: str
    area_id: int
    kind: ReceiverKind
    options: Mapping[str, Json] = field(default_factory=dict)
    secret: Secret = field(default_factory=Secret)
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message about one step of an alert to one receiver.

    ``message_id`` is the same on every attempt: delivery is at least once, and receivers can tell.
    """

    id: int
    message_id: str
    alert: Alert
    step: AlertStep
    receiver: Receiver
    status: DeliveryStatus


def subject_key(
    *,
    area_id: int,
    device_id: int | None = None,
    point_id: int | None = None,
    channel: str = "",
    mark: str = "",
) -> str:
    """Name what an alert is about: with the rule it is the alert's fingerprint."""
    parts = [f"area:{area_id}" if device_id is None else f"device:{device_id}"]
    if point_id is not None:
        parts.append(f"point:{point_id}")
    if channel:
        parts.append(f"channel:{channel}")
    if mark:
        parts.append(f"mark:{mark}")
    return "/".join(parts)


def build_condition(condition: Condition) -> dict[str, Json]:
    """Turn a condition into JSON; :func:`parse_condition` reads it back."""
    match condition:
        case DeviceOffline():
            own: dict[str, Json] = {"for_s": condition.for_s}
        case PointBeyond():
            own = {
                "point": condition.point,
                "direction": condition.direction.value,
                "threshold": condition.threshold,
                "clear": condition.clear,
                "for_s": condition.for_s,
            }
        case EventOfKind():
            own = {
                "kind": condition.kind,
                "clear_kind": condition.clear_kind,
                "auto_clear_s": condition.auto_clear_s,
                "distinguish_by": condition.distinguish_by,
            }
    kinds = [kind.value for kind in condition.device_kinds]
    return {"type": condition.type, **own, "device_kinds": kinds}


def parse_condition(raw: Mapping[str, Json]) -> Condition:
    """Read a condition from JSON, strictly: the one place that says what is allowed.

    Raises:
        Invalid: naming the field that is missing, unknown or out of its range.
    """
    fields = dict(raw)
    kind = fields.pop("type", None)
    device_kinds = _device_kinds(fields.pop("device_kinds", []))
    condition: Condition
    if kind == DeviceOffline.type:
        condition = DeviceOffline(for_s=_seconds(fields, "for_s"), device_kinds=device_kinds)
    elif kind == PointBeyond.type:
        condition = _parse_point_beyond(fields, device_kinds)
    elif kind == EventOfKind.type:
        auto_clear = fields.pop("auto_clear_s", None)
        condition = EventOfKind(
            kind=_name(fields, "kind"),
            clear_kind=_name(fields, "clear_kind", default=""),
            auto_clear_s=None
            if auto_clear is None
            else _seconds({"auto_clear_s": auto_clear}, "auto_clear_s", least=1.0),
            distinguish_by=_name(fields, "distinguish_by", default=""),
            device_kinds=device_kinds,
        )
    else:
        msg = "a condition is one of device_offline, point_beyond, event_of_kind"
        raise Invalid(msg, field="type")
    if fields:
        name = min(fields)
        msg = f"a condition of this type has no such field: {name[:64]!r}"
        raise Invalid(msg, field=name[:64])
    return condition


def _parse_point_beyond(
    fields: dict[str, Json], device_kinds: tuple[DeviceKind, ...]
) -> PointBeyond:
    side = fields.pop("direction", None)
    if side not in set(Direction):
        msg = "direction is above or below"
        raise Invalid(msg, field="direction")
    direction = Direction(str(side))
    threshold = _number(fields, "threshold")
    clear = _number(fields, "clear", default=threshold)
    if (clear > threshold) if direction is Direction.ABOVE else (clear < threshold):
        msg = "clear must lie on the good side of the threshold"
        raise Invalid(msg, field="clear")
    return PointBeyond(
        point=_name(fields, "point"),
        direction=direction,
        threshold=threshold,
        clear=clear,
        for_s=_seconds(fields, "for_s"),
        device_kinds=device_kinds,
    )


def _name(fields: dict[str, Json], key: str, *, default: str | None = None) -> str:
    value = fields.pop(key, default)
    is_good = isinstance(value, str) and (value == default or _NAME.match(value) is not None)
    if not isinstance(value, str) or not is_good:
        msg = f"{key} is a text of 1 to 128 characters"
        raise Invalid(msg, field=key)
    return value


def _number(fields: dict[str, Json], key: str, *, default: float | None = None) -> float:
    value = fields.pop(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{key} is a number"
        raise Invalid(msg, field=key)
    return float(value)


def _seconds(fields: dict[str, Json], key: str, *, least: float = 0.0) -> float:
    value = _number(fields, key, default=0.0)
    if not least <= value <= LONGEST_WAIT_S:
        msg = f"{key} is a number of seconds from {least:g} to {LONGEST_WAIT_S:g}"
        raise Invalid(msg, field=key)
    return value


def _device_kinds(raw: Json) -> tuple[DeviceKind, ...]:
    known = set(DeviceKind)
    if not isinstance(raw, list | tuple) or any(item not in known for item in raw):
        msg = f"device_kinds is a list of {', '.join(DeviceKind)}"
        raise Invalid(msg, field="device_kinds")
    return tuple(dict.fromkeys(DeviceKind(item) for item in raw))
