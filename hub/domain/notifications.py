"""Who is told of alerts, and how.

A *receiver* gets one *notification* for each step that concerns him. Notifications wait in the
database; what waits for one receiver leaves as *messages*, one at a time: a single notification,
or a digest of many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hub.domain.alerts import Alert, AlertStep, Step
from hub.domain.calendars import Calendar
from hub.domain.devices import Json
from hub.domain.matchers import Matcher
from hub.domain.notes import Note
from hub.domain.secrets import Secret


class ReceiverKind(StrEnum):
    """The ways out."""

    WEBHOOK = "webhook"
    SMTP = "smtp"
    MQTT = "mqtt"
    APPRISE = "apprise"


class DeliveryStatus(StrEnum):
    """How a notification or a message stands; REJECTED and FAILED are final."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody to tell, and how. ``options`` are the notifier's own, already validated.

    ``secret`` is the webhook's signing key, the mail server's password or the addresses of
    Apprise. ``template`` is the text of a message (Liquid), empty: the hub's own words. At most
    ``most_a_minute`` messages leave in a minute: what comes faster waits and becomes a digest.
    ``failing_since``: since then no message gets through.
    """

    id: int = 0
    name: str
    area_id: int
    kind: ReceiverKind
    options: Mapping[str, Json] = field(default_factory=dict)
    secret: Secret = field(default_factory=Secret)
    template: str = ""
    most_a_minute: int = 12
    is_enabled: bool = True
    failing_since: datetime | None = None
    is_template_failing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Alerts of an area that match are told to ``receivers``, beside those the rule names."""

    id: int = 0
    name: str
    area_id: int
    area_path: str = ""
    matcher: Matcher = field(default_factory=Matcher)
    hours: Calendar | None = None
    receivers: tuple[int, ...] = ()
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One step of an alert, for one receiver. ``why`` says what made him a receiver of it."""

    id: int
    alert: Alert
    step: AlertStep
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one receiver gets at once: one notification, or a digest of ``count``.

    ``message_id`` is the same on every attempt: delivery is at least once, and receivers can
    tell. A digest carries the first ``notifications`` only, in the order they were made;
    ``tally`` says how many there are of each step in all (empty: what it carries is all).
    ``text`` is what the receiver's template made of it, empty: the hub's own words.
    ``picture`` is a JPEG that shows the cause, empty without one. With a ``note`` it is about no
    alert and carries no notification.
    """

    id: int
    message_id: str
    receiver: Receiver
    notifications: Sequence[Notification]
    count: int
    created_at: datetime
    status: DeliveryStatus = DeliveryStatus.WAITING
    tally: Mapping[Step, int] = field(default_factory=dict)
    text: str = field(default="", repr=False)
    picture: bytes = field(default=b"", repr=False)
    note: Note | None = None
