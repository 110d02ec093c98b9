"""Rules, the alerts they conclude, and who is told (design §2).

A *rule* watches an area and everything below it. What it concludes about one subject (a device,
a point, a channel, a place) is an *alert*: firing, acknowledged, resolved. A *receiver* gets one
*notification* for each step that concerns him.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hub.domain.conditions import Condition
from hub.domain.devices import Json
from hub.domain.events import Severity
from hub.domain.secrets import Secret


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
