"""Rules and the alerts they conclude (design §2).

A *rule* watches an area and everything below it. What it concludes about one subject (a device,
a point, a channel, a place) is an *alert*: firing, acknowledged, assigned, resolved. Who is told
is in :mod:`hub.domain.notifications`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from hub.domain.calendars import Calendar
from hub.domain.conditions import Condition
from hub.domain.devices import Json
from hub.domain.events import Severity


class AlertStatus(StrEnum):
    """Where an alert stands."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"


class Step(StrEnum):
    """What was done to an alert.

    REPEATED: told again, because a silence or a snooze ended or somebody reopened it. ESCALATED:
    a policy told the next ones. FOLDED: it counts in an alert for many and is not told itself.
    """

    FIRED = "fired"
    FOLDED = "folded"
    SILENCED = "silenced"
    SNOOZED = "snoozed"
    REPEATED = "repeated"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Colour(StrEnum):
    """How an open alert stands to its deadline (field.md, section 1): in time, near, overdue."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Phase(StrEnum):
    """Where a rule stands about one subject.

    HELD: somebody resolved the alert by hand while its cause lasted; it fires again only after
    the cause was gone.
    """

    CLEAR = "clear"
    PENDING = "pending"
    FIRING = "firing"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to watch for, where and when, how bad it is and who is told (numbers of receivers).

    ``classes`` and ``tags`` narrow it to devices of one of the classes, with one of the tags;
    empty: all. Outside ``hours`` nothing fires. ``most_in_area`` open alerts about one area, and
    ``most`` in all, stand by themselves: the rest is folded into one alert for the area, or for
    the rule.
    """

    id: int = 0
    name: str
    area_id: int
    area_path: str = ""
    condition: Condition
    severity: Severity = Severity.WARNING
    receivers: tuple[int, ...] = ()
    is_enabled: bool = True
    classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    hours: Calendar | None = None
    most_in_area: int = 20
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What a rule remembers about one subject; CLEAR is not stored.

    ``since`` is when the cause began, ``due_at`` when time alone brings the next step. ``memory``
    is what a condition over several events must keep: bounded, JSON.
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
    memory: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a rule concluded, as the store returns it. Names are those of the moment it fired.

    ``folded_into`` is the alert for many in which this one counts; ``is_storm`` marks such an
    alert, ``folded`` says how many counted in it so far. ``drill_id``: an exercise. Until
    ``quiet_until`` nobody is told anew (``quiet_reason`` says why). ``acknowledge_by`` and
    ``resolve_by`` are its deadlines; it turns yellow when ``yellow_share`` of the time is left.
    """

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
    folded_into: int | None = None
    is_storm: bool = False
    folded: int = 0
    drill_id: int | None = None
    assigned_to: int | None = None
    assigned_name: str = ""
    assigned_at: datetime | None = None
    quiet_until: datetime | None = None
    quiet_reason: str = ""
    acknowledge_by: datetime | None = None
    resolve_by: datetime | None = None
    yellow_share: float = 0.25

    @property
    def deadline(self) -> datetime | None:
        """The one that counts now; None without one, and once it is resolved."""
        match self.status:
            case AlertStatus.FIRING:
                return self.acknowledge_by
            case AlertStatus.ACKNOWLEDGED | AlertStatus.ASSIGNED:
                return self.resolve_by
            case AlertStatus.RESOLVED:
                return None
            case _ as never:
                assert_never(never)

    def colour(self, now: datetime) -> Colour:
        """How it stands to its deadline; green without one."""
        return colour_of(self.deadline, self.fired_at, self.yellow_share, now)


def colour_of(
    due: datetime | None, fired_at: datetime, yellow_share: float, now: datetime
) -> Colour:
    """How something that began at ``fired_at`` stands to its deadline; green without one."""
    if due is None:
        return Colour.GREEN
    if now >= due:
        return Colour.RED
    return Colour.YELLOW if due - now <= yellow_share * (due - fired_at) else Colour.GREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStep:
    """One line of an alert's history."""

    id: int
    alert_id: int
    at: datetime
    actor: str
    step: Step
    note: str


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
