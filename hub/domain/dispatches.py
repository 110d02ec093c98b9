"""Dispatches: tasks sent to people in the field, from any cause, followed until they are verified.

new → sent → accepted → on the way → on site → done → verified; a unit may refuse, a desk takes
back (returned) or gives to another unit (reassigned: sent again). CANCELLED and MERGED are ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.alerts import Colour
from hub.domain.calendars import Calendar
from hub.domain.devices import Json

LINK_HOURS: Final = 24.0


class DispatchState(StrEnum):
    """Where a dispatch stands. REFUSED and RETURNED wait for the desk like NEW."""

    NEW = "new"
    SENT = "sent"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    ON_SITE = "on_site"
    DONE = "done"
    VERIFIED = "verified"
    REFUSED = "refused"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    MERGED = "merged"


OVER: Final = frozenset({DispatchState.VERIFIED, DispatchState.CANCELLED, DispatchState.MERGED})
"""The states out of which nothing leads."""


class Priority(StrEnum):
    """How urgent it is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Source(StrEnum):
    """What raised it."""

    HAND = "hand"  # somebody at the desk
    CALL = "call"  # a telephone call
    ALERT = "alert"
    PATROL = "patrol"  # a stop of a round
    ROLL_CALL = "roll_call"
    REPORT = "report"  # a resident's or grid officer's


class UnitKind(StrEnum):
    """Who goes."""

    GRID_OFFICER = "grid_officer"
    PATROL_UNIT = "patrol_unit"
    REPAIR_TEAM = "repair_team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on the earth, degrees; ``at`` when it was told, ``accuracy_m`` how well."""

    longitude: float
    latitude: float
    at: datetime | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Somebody in the field, of an area. ``receiver_id`` is how he is told (a link goes there).

    ``hours`` None: always on duty. ``most_open``: no rule sends him more tasks at a time.
    ``open_tasks`` is what he has now.
    """

    id: int = 0
    area_id: int
    area_path: str = ""
    name: str
    kind: UnitKind
    phone: str = ""
    receiver_id: int | None = None
    hours: Calendar | None = None
    most_open: int = 5
    is_enabled: bool = True
    position: Position | None = None
    open_tasks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRule:
    """Which units get the tasks of an area and below; an empty field asks nothing of the task.

    Among the units on duty that are allowed the best is the one in the nearest area upward,
    then the nearest within ``most_km`` (without a position: the area decides), then the one with
    the fewest open tasks. ``is_automatic``: sent at once, else only proposed.
    """

    id: int = 0
    name: str
    area_id: int
    area_path: str = ""
    kinds: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    sources: tuple[Source, ...] = ()
    unit_kinds: tuple[UnitKind, ...] = ()
    most_km: float | None = None
    is_automatic: bool = True
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDeadlines:
    """How long a task of a priority may take in an area (the nearest one up the tree counts).

    Seconds since it was opened: until a unit accepted, is on site, is done; None: no deadline.
    """

    id: int = 0
    area_id: int
    priority: Priority
    accept_s: float | None
    arrive_s: float | None
    done_s: float | None
    yellow_share: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What raised a dispatch, as far as it is one of ours."""

    source: Source = Source.HAND
    alert_id: int | None = None
    round_id: int | None = None
    position: int | None = None
    roll_call_id: int | None = None
    report_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDispatch:
    """What is asked for when a task is opened."""

    area_id: int
    title: str
    text: str = ""
    kind: str = "other"
    priority: Priority = Priority.NORMAL
    place: str = ""
    where: Position | None = None
    device_id: int | None = None
    checklist: tuple[str, ...] = ()
    cause: Cause = field(default_factory=Cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A task as the store returns it.

    ``deadline_at`` is the one that counts in its state (None: none), ``overdue_at`` the first
    that passed. ``checked`` says which items of the checklist the field ticked.
    ``merged_into`` is the task that goes on for it. ``verdict`` is why it was verified although
    its cause stands, or how it ended otherwise. ``version`` counts its steps.
    """

    id: int
    area_id: int
    area_path: str
    area_name: str
    title: str
    text: str
    kind: str
    priority: Priority
    state: DispatchState
    cause: Cause
    place: str = ""
    where: Position | None = None
    device_id: int | None = None
    device_name: str = ""
    checklist: tuple[str, ...] = ()
    checked: tuple[bool, ...] = ()
    unit_id: int | None = None
    unit_name: str = ""
    created_at: datetime
    created_by: str
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    on_site_at: datetime | None = None
    done_at: datetime | None = None
    closed_at: datetime | None = None
    verified_by: str = ""
    verdict: str = ""
    accept_by: datetime | None = None
    arrive_by: datetime | None = None
    done_by: datetime | None = None
    yellow_share: float = 0.25
    deadline_at: datetime | None = None
    overdue_at: datetime | None = None
    merged_into: int | None = None
    merged: int = 0
    has_picture: bool = False
    version: int = 0

    def colour(self, now: datetime) -> Colour:
        """How it stands to its deadline; red also once a deadline passed, until it is over."""
        due = self.deadline_at
        if self.state in OVER:
            return Colour.GREEN if self.overdue_at is None else Colour.RED
        if self.overdue_at is not None or (due is not None and now >= due):
            return Colour.RED
        if due is None:
            return Colour.GREEN
        is_near = due - now <= self.yellow_share * (due - self.created_at)
        return Colour.YELLOW if is_near else Colour.GREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchStep:
    """One line of a dispatch's history; ``what`` is the state it came to, or what was done."""

    id: int
    dispatch_id: int
    at: datetime
    actor: str
    is_field: bool
    what: str
    note: str = ""
    unit_name: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


def next_deadline(
    state: DispatchState,
    *,
    accept_by: datetime | None,
    arrive_by: datetime | None,
    done_by: datetime | None,
) -> datetime | None:
    """The deadline that counts in a state: the first of those whose step is still to come."""
    match state:
        case (
            DispatchState.NEW | DispatchState.SENT | DispatchState.REFUSED | DispatchState.RETURNED
        ):
            to_come = (accept_by, arrive_by, done_by)
        case DispatchState.ACCEPTED | DispatchState.ON_THE_WAY:
            to_come = (arrive_by, done_by, None)
        case DispatchState.ON_SITE:
            to_come = (done_by, None, None)
        case _:
            return None
    return min((one for one in to_come if one is not None), default=None)
