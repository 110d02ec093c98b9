"""Units, the rules by which they get tasks, deadlines of tasks, and what the desk counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.alerts import Colour
from hub.domain.calendars import build_calendar
from hub.domain.dispatches import (
    DispatchRule,
    DispatchState,
    Priority,
    Source,
    TaskDeadlines,
    Unit,
    UnitKind,
)
from hub.patrols.dispatch.assigning import Proposal, Weighed
from hub.store.task_deadlines import LONGEST_S
from hub.web.schemas.shapes import In, Name, Number, Out

Phone = Annotated[str, Field(max_length=32, pattern=r"^[0-9+() -]*$")]
TaskKind = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
Period = Annotated[float, Field(ge=1, le=LONGEST_S, allow_inf_nan=False)]


class UnitIn(In):
    """Somebody in the field; ``hours`` is a calendar, null: always on duty.

    Links to tasks go to ``receiver_id``. No rule gives it more than ``most_open`` tasks at a time.
    """

    area_id: Number
    name: Name
    kind: UnitKind
    phone: Phone = ""
    receiver_id: Number | None = None
    hours: Mapping[str, object] | None = None
    most_open: Annotated[int, Field(ge=1, le=1000)] = 5
    is_enabled: bool = True


class PlaceOut(Out):
    """Where a unit is, and when it said so."""

    longitude: float
    latitude: float
    at: datetime | None
    accuracy_m: float | None


class UnitOut(Out):
    """A unit; ``open_tasks`` were sent to it and are not done."""

    id: int
    area_id: int
    name: str
    kind: UnitKind
    phone: str
    receiver_id: int | None
    hours: Mapping[str, object] | None
    most_open: int
    is_enabled: bool
    is_on_duty: bool
    open_tasks: int
    position: PlaceOut | None

    @classmethod
    def of(cls, unit: Unit, *, is_on_duty: bool) -> "UnitOut":
        """Show a unit."""
        position = unit.position
        return cls(
            id=unit.id,
            area_id=unit.area_id,
            name=unit.name,
            kind=unit.kind,
            phone=unit.phone,
            receiver_id=unit.receiver_id,
            hours=None if unit.hours is None else build_calendar(unit.hours),
            most_open=unit.most_open,
            is_enabled=unit.is_enabled,
            is_on_duty=is_on_duty,
            open_tasks=unit.open_tasks,
            position=None if position is None else PlaceOut.model_validate(position),
        )


class DispatchRuleIn(In):
    """Which units get the tasks of an area and below; what is empty asks nothing of a task.

    ``most_km``: no unit that is known to be farther away. Not automatic: proposed to the desk.
    """

    name: Name
    area_id: Number
    kinds: Annotated[tuple[TaskKind, ...], Field(max_length=50)] = ()
    priorities: Annotated[tuple[Priority, ...], Field(max_length=8)] = ()
    sources: Annotated[tuple[Source, ...], Field(max_length=8)] = ()
    unit_kinds: Annotated[tuple[UnitKind, ...], Field(max_length=8)] = ()
    most_km: Annotated[float, Field(gt=0, le=20_040, allow_inf_nan=False)] | None = None
    is_automatic: bool = True
    is_enabled: bool = True


class DispatchRuleOut(Out):
    """A rule by which tasks are sent."""

    id: int
    name: str
    area_id: int
    kinds: Sequence[str]
    priorities: Sequence[Priority]
    sources: Sequence[Source]
    unit_kinds: Sequence[UnitKind]
    most_km: float | None
    is_automatic: bool
    is_enabled: bool

    @classmethod
    def of(cls, rule: DispatchRule) -> "DispatchRuleOut":
        """Show a rule."""
        return cls.model_validate(rule)


class TaskDeadlinesIn(In):
    """Until when tasks of a priority are accepted, reached and done, in seconds from the opening.

    Null: no deadline. A task is yellow when ``yellow_share`` of its time is left.
    """

    area_id: Number
    priority: Priority
    accept_s: Period | None = None
    arrive_s: Period | None = None
    done_s: Period | None = None
    yellow_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.25


class TaskDeadlinesOut(Out):
    """Deadlines of the tasks of a priority in an area and below it."""

    id: int
    area_id: int
    priority: Priority
    accept_s: float | None
    arrive_s: float | None
    done_s: float | None
    yellow_share: float

    @classmethod
    def of(cls, row: TaskDeadlines) -> "TaskDeadlinesOut":
        """Show a row."""
        return cls.model_validate(row)


class DispatchCountsOut(Out):
    """How many tasks are open, by state, colour and priority; what is not named is 0."""

    total: int
    states: Mapping[DispatchState, int]
    colours: Mapping[Colour, int]
    priorities: Mapping[Priority, int]


class ProposedOut(Out):
    """The unit that a rule gives a task to, and why."""

    unit_id: int
    unit_name: str
    rule_id: int
    rule_name: str
    is_automatic: bool
    reason: str
    km: float | None

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposedOut":
        """Show a proposal."""
        return cls(
            unit_id=proposal.unit.id,
            unit_name=proposal.unit.name,
            rule_id=proposal.rule.id,
            rule_name=proposal.rule.name,
            is_automatic=proposal.is_automatic,
            reason=proposal.reason,
            km=proposal.km,
        )


class WeighedOut(Out):
    """A unit that answers for the task's area; ``hindrance``: why no rule sends it, if so."""

    unit_id: int
    unit_name: str
    kind: UnitKind
    area_id: int
    open_tasks: int
    most_open: int
    km: float | None
    hindrance: str

    @classmethod
    def of(cls, weighed: Weighed) -> "WeighedOut":
        """Show a unit beside a task."""
        unit = weighed.unit
        return cls(
            unit_id=unit.id,
            unit_name=unit.name,
            kind=unit.kind,
            area_id=unit.area_id,
            open_tasks=unit.open_tasks,
            most_open=unit.most_open,
            km=weighed.km,
            hindrance=weighed.hindrance,
        )


class ProposalOut(Out):
    """Who should go, null: ``reason`` says why no rule finds anybody. The best unit comes first."""

    proposal: ProposedOut | None
    reason: str
    units: Sequence[WeighedOut]
