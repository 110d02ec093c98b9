"""An alert that nobody takes: deadlines, who is on duty, and policies that climb."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.calendars import Calendar, build_calendar, parse_calendar
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.domain.events import Severity
from hub.domain.matchers import Matcher

OVERDUE: Final = -1
MOST_STEPS: Final = 20
LONGEST_WAIT_S: Final = 30 * 86_400.0
SHORTEST_EVERY_S: Final = 30.0
MOST_REPEATS: Final = 100
MOST_LEVELS: Final = 10


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


def build_steps(steps: Sequence[PolicyStep]) -> list[Json]:
    """Turn steps into JSON; :func:`parse_steps` reads them back."""
    return [
        {
            "wait_s": step.wait_s,
            "climb": step.climb,
            "receivers": list(step.receivers),
            "repeats": step.repeats,
            "every_s": step.every_s,
            "hours": None if step.hours is None else build_calendar(step.hours),
            "waits_for_hours": step.waits_for_hours,
        }
        for step in steps
    ]


def parse_steps(raw: Sequence[Mapping[str, Json]]) -> tuple[PolicyStep, ...]:
    """Read stored steps; what comes from outside goes through :func:`check_steps`, too."""
    return tuple(_parse_step(one) for one in raw)


def check_steps(steps: Sequence[PolicyStep]) -> None:
    """Refuse steps by which nobody can climb.

    Raises:
        Invalid: there are none or too many, or one tells nobody or has a value out of its range.
    """
    if not 1 <= len(steps) <= MOST_STEPS:
        msg = f"a policy has 1 to {MOST_STEPS} steps"
        raise Invalid(msg, field="steps")
    for number, step in enumerate(steps, start=1):
        fault = _fault(step)
        if fault:
            msg = f"step {number}: {fault}"
            raise Invalid(msg, field="steps")


def _fault(step: PolicyStep) -> str:
    faults = {
        f"it waits 0 to {LONGEST_WAIT_S:g} seconds": 0 <= step.wait_s <= LONGEST_WAIT_S,
        "it climbs, or names receivers": step.climb is not None or step.receivers,
        f"it climbs 0 to {MOST_LEVELS} levels": 0 <= (step.climb or 0) <= MOST_LEVELS,
        f"it repeats 0 to {MOST_REPEATS} times": 0 <= step.repeats <= MOST_REPEATS,
        f"repeats are {SHORTEST_EVERY_S:g} to {LONGEST_WAIT_S:g} seconds apart": (
            SHORTEST_EVERY_S <= step.every_s <= LONGEST_WAIT_S
        ),
        "only hours can be waited for": step.hours is not None or not step.waits_for_hours,
    }
    return next((fault for fault, is_good in faults.items() if not is_good), "")


def _parse_step(raw: Mapping[str, Json]) -> PolicyStep:
    climb, hours, receivers = raw.get("climb"), raw.get("hours"), raw.get("receivers")
    return PolicyStep(
        wait_s=float(str(raw["wait_s"])),
        climb=None if climb is None else int(str(climb)),
        receivers=tuple(int(str(one)) for one in receivers) if isinstance(receivers, list) else (),
        repeats=int(str(raw.get("repeats", 0))),
        every_s=float(str(raw.get("every_s", 300))),
        hours=parse_calendar(hours) if isinstance(hours, dict) else None,
        waits_for_hours=raw.get("waits_for_hours") is True,
    )
