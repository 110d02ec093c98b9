"""An alert that nobody takes: deadlines, who is on duty, and policies that climb."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.calendars import Calendar
from hub.domain.events import Severity
from hub.domain.matchers import Matcher

OVERDUE: Final = -1


class Until(StrEnum):
    """What ends the climbing."""

    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long an alert of a severity may wait in an area (the nearest one up the tree counts).

    Seconds from the moment it fired; None: no deadline. ``yellow_share`` of the time left turns
    it yellow.
    """

    id: int = 0
    area_id: int
    severity: Severity
    acknowledge_s: float | None
    resolve_s: float | None
    yellow_share: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A receiver answers for an area during ``hours`` (None: always)."""

    id: int = 0
    area_id: int
    receiver_id: int
    hours: Calendar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStep:
    """Wait, then tell ``receivers`` and whoever is on duty ``climb`` levels above the alert's area.

    ``wait_s`` counts from the planned moment of the step before (the first: from when it fired).
    ``climb`` 0 is the area itself, None tells the named receivers only; an area without anybody
    on duty is passed upward. Until the next step begins it is told up to ``repeats`` times more,
    ``every_s`` apart. Outside ``hours`` it waits for them (``waits_for_hours``) or is left out.
    """

    wait_s: float
    climb: int | None = None
    receivers: tuple[int, ...] = ()
    repeats: int = 0
    every_s: float = 300.0
    hours: Calendar | None = None
    waits_for_hours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How alerts of an area that match climb."""

    id: int = 0
    name: str
    area_id: int
    area_path: str = ""
    matcher: Matcher = field(default_factory=Matcher)
    steps: tuple[PolicyStep, ...]
    until: Until = Until.ACKNOWLEDGED
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """Where one alert stands in one policy: ``step`` is told at ``due_at`` (for the n-th time).

    ``since`` is what the wait for the step after counts from: when the step before was planned.
    Step :data:`OVERDUE` is told when the alert is not resolved in time.
    """

    alert_id: int
    policy_id: int
    step: int
    repeat: int
    due_at: datetime
    since: datetime
