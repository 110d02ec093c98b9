"""The midnight video patrol (零点夜查): plans, rounds and stops."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class StopOrder(StrEnum):
    """In which order a round visits its cameras."""

    FIXED = "fixed"  # as the plan lists them, else by device number
    BY_AREA = "by_area"  # village by village
    SHUFFLED = "shuffled"  # another order each round


class RoundState(StrEnum):
    """DUE: planned and not begun. MISSED: it did not begin in its window."""

    DUE = "due"
    RUNNING = "running"
    FINISHED = "finished"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """SEEN: there is a picture of this night. NOT_SEEN: there is none, and the reason why."""

    PENDING = "pending"
    SEEN = "seen"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolPlan:
    """When and where the hub walks its cameras.

    ``rrule`` is an RFC 5545 rule without DTSTART; it counts from midnight of ``starts_on`` in
    ``time_zone``. ``device_ids`` None means every approved camera of the area and below, as it
    is at the start of each round. ``window_s`` is how late a round may begin.
    """

    id: int = 0
    name: str
    area_id: int
    rrule: str
    time_zone: str
    starts_on: date
    window_s: int = 900
    seconds_per_stop: float = 5.0
    order: StopOrder = StopOrder.BY_AREA
    device_ids: tuple[int, ...] | None = None
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolRound:
    """One walk of a plan. It keeps what it needs of the plan, which may change or go away.

    ``plan_id`` is None once the plan is gone; ``reason`` says why it was missed or cancelled.
    """

    id: int
    plan_id: int | None
    plan_name: str
    area_id: int
    area_path: str
    area_name: str
    time_zone: str
    window_s: int
    seconds_per_stop: float
    planned_at: datetime
    state: RoundState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str = ""
    has_report: bool = False
    stops_planned: int = 0
    stops_seen: int = 0
    stops_not_seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolStop:
    """One camera of a round. ``layer`` and ``detail`` are the probe's, empty when it was good."""

    round_id: int
    position: int
    device_id: int | None
    device_name: str
    area_name: str
    verdict: Verdict = Verdict.PENDING
    reason: str = ""
    layer: str = ""
    detail: str = ""
    has_picture: bool = False
    attempts: int = 0
    at: datetime | None = None
