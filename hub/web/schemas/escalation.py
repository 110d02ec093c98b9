"""Deadlines, duties and policies."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.calendars import build_calendar
from hub.domain.escalations import (
    LONGEST_WAIT_S,
    MOST_LEVELS,
    MOST_REPEATS,
    MOST_STEPS,
    SHORTEST_EVERY_S,
    Deadlines,
    Duty,
    Policy,
    PolicyStep,
    Until,
)
from hub.domain.events import Severity
from hub.web.schemas.matching import MatcherIn, MatcherOut
from hub.web.schemas.shapes import In, Name, Number, Out

YEAR_S = 365 * 86_400.0
Wait = Annotated[float, Field(ge=0, le=LONGEST_WAIT_S, allow_inf_nan=False)]
Period = Annotated[float, Field(ge=1, le=YEAR_S, allow_inf_nan=False)]


class DeadlinesIn(In):
    """How long alerts of a severity may wait in an area and below it; null: as long as it takes."""

    area_id: Number
    severity: Severity
    acknowledge_s: Period | None = None
    resolve_s: Period | None = None
    yellow_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.25


class DeadlinesOut(Out):
    """Deadlines of a severity in an area."""

    id: int
    area_id: int
    severity: Severity
    acknowledge_s: float | None
    resolve_s: float | None
    yellow_share: float

    @classmethod
    def of(cls, row: Deadlines) -> "DeadlinesOut":
        """Show a row."""
        return cls.model_validate(row)


class DutyIn(In):
    """A receiver answers for an area; ``hours`` is a calendar, null: always."""

    area_id: Number
    receiver_id: Number
    hours: Mapping[str, object] | None = None


class DutyOut(Out):
    """A duty."""

    id: int
    area_id: int
    receiver_id: int
    hours: Mapping[str, object] | None

    @classmethod
    def of(cls, duty: Duty) -> "DutyOut":
        """Show a duty."""
        return cls(
            id=duty.id,
            area_id=duty.area_id,
            receiver_id=duty.receiver_id,
            hours=None if duty.hours is None else build_calendar(duty.hours),
        )


class StepIn(In):
    """Wait, then tell the named receivers and whoever is on duty ``climb`` levels above."""

    wait_s: Wait
    climb: Annotated[int, Field(ge=0, le=MOST_LEVELS)] | None = None
    receivers: Annotated[tuple[Number, ...], Field(max_length=50)] = ()
    repeats: Annotated[int, Field(ge=0, le=MOST_REPEATS)] = 0
    every_s: Annotated[
        float, Field(ge=SHORTEST_EVERY_S, le=LONGEST_WAIT_S, allow_inf_nan=False)
    ] = 300.0
    hours: Mapping[str, object] | None = None
    waits_for_hours: bool = False


class StepOut(Out):
    """A step of a policy."""

    wait_s: float
    climb: int | None
    receivers: Sequence[int]
    repeats: int
    every_s: float
    hours: Mapping[str, object] | None
    waits_for_hours: bool

    @classmethod
    def of(cls, step: PolicyStep) -> "StepOut":
        """Show a step."""
        return cls(
            wait_s=step.wait_s,
            climb=step.climb,
            receivers=step.receivers,
            repeats=step.repeats,
            every_s=step.every_s,
            hours=None if step.hours is None else build_calendar(step.hours),
            waits_for_hours=step.waits_for_hours,
        )


class PolicyIn(In):
    """How alerts of an area that match climb."""

    name: Name
    area_id: Number
    matcher: MatcherIn = Field(default_factory=MatcherIn)
    steps: Annotated[tuple[StepIn, ...], Field(min_length=1, max_length=MOST_STEPS)]
    until: Until = Until.ACKNOWLEDGED
    is_enabled: bool = True


class PolicyOut(Out):
    """A policy."""

    id: int
    name: str
    area_id: int
    matcher: MatcherOut
    steps: Sequence[StepOut]
    until: Until
    is_enabled: bool

    @classmethod
    def of(cls, policy: Policy) -> "PolicyOut":
        """Show a policy."""
        return cls(
            id=policy.id,
            name=policy.name,
            area_id=policy.area_id,
            matcher=MatcherOut.model_validate(policy.matcher),
            steps=[StepOut.of(step) for step in policy.steps],
            until=policy.until,
            is_enabled=policy.is_enabled,
        )


class UncoveredOut(Out):
    """An area in which a critical alert has a deadline and nobody would be told of it."""

    area_id: int
    name: str
    open_alerts: int


class CheckOut(Out):
    """Whom nobody answers for at ``at``: how many areas of how many, the worst ones by name."""

    at: datetime
    areas: int
    uncovered: int
    items: Sequence[UncoveredOut]
