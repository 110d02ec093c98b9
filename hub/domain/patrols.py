"""The midnight video patrol (零点夜查): plans, rounds and stops."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from hub.domain.patrol_details import PlanDetails

MOST_CHECKLIST: Final = 20
LONGEST_NOTE: Final = 2000


class StopOrder(StrEnum):
    """In which order a round visits its cameras."""

    FIXED = "fixed"  # as the plan lists them, else by device number
    BY_AREA = "by_area"  # village by village
    SHORTEST = "shortest"  # a short way over the map
    SHUFFLED = "shuffled"  # another order each round, drawn: nobody can predict it


class PatrolMode(StrEnum):
    """Who looks. The machine takes the picture of every stop in all of them."""

    MACHINE = "machine"  # nobody but the machine
    WALK = "walk"  # a person judges every stop, the machine remarks
    MIXED = "mixed"  # a person sees the doubtful stops and a random share of the others
    SAMPLED = "sampled"  # 抽帧: some cameras of each village, drawn fairly; looked at as in MIXED


class RoundState(StrEnum):
    """DUE: planned and not begun. MISSED: it did not begin in its window."""

    DUE = "due"
    RUNNING = "running"
    PAUSED = "paused"  # people pause, the machine finishes what it has begun
    FINISHED = "finished"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """Whether there is a picture of this night. NOT_SEEN: there is none, and the reason why."""

    PENDING = "pending"
    SEEN = "seen"
    NOT_SEEN = "not_seen"


class Result(StrEnum):
    """What a stop came to. OPEN: nobody has judged it yet."""

    OPEN = "open"
    NORMAL = "normal"
    ABNORMAL = "abnormal"
    NOT_JUDGED = "not_judged"


class Timing(StrEnum):
    """How a stop kept its time, as in guard tours; NONE while it is open."""

    NONE = ""
    ON_TIME = "on_time"
    EARLY = "early"
    LATE = "late"
    MISSED = "missed"  # the round's window ended before
    OUT_OF_ORDER = "out_of_order"  # a person judged it while one before it was open


class SecondLook(StrEnum):
    """Whether a supervisor looks at a stop again, and what became of it."""

    NONE = ""
    WANTED = "wanted"
    AGREED = "agreed"
    DISAGREED = "disagreed"


KNOWN_KINDS: Final[Mapping[str, str]] = {
    "camera_down": "摄像机不通 Camera down",
    "picture_bad": "画面质量差 Bad picture",
    "view_blocked": "视野被挡 View blocked",
    "something_moving": "有物移动 Something moving",
    "fire_smoke": "烟火 Fire or smoke",
    "water": "积水险情 Water",
    "road": "道路损坏 Road damage",
    "obstruction": "占道堵塞 Way obstructed",
    "waste": "垃圾堆放 Waste",
    "facility": "公共设施损坏 Damaged facility",
    "duty_room": "值班室无人 Duty room silent",
    "other": "其他 Other",
}
"""Kinds of findings, reports and dispatches; a site may use words of its own ([a-z0-9_], 32)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolPlan:
    """When and where the hub walks its cameras.

    ``rrule`` is an RFC 5545 rule without DTSTART; it counts from midnight of ``starts_on`` in
    ``time_zone``, to ``ends_on`` (that night included), without the nights of ``exceptions``
    (local dates on which a round would begin). ``device_ids`` None means every approved camera
    of the area that the selection leaves, as it is at the start of each round. ``window_s`` is
    how late a round may begin, ``lasts_s`` within which time of its planned begin it must be
    done (None: no end). ``seconds_per_stop`` is what a person is given for a stop.
    """

    id: int = 0
    name: str
    area_id: int
    rrule: str
    time_zone: str
    starts_on: date
    ends_on: date | None = None
    exceptions: tuple[date, ...] = ()
    window_s: int = 900
    lasts_s: int | None = None
    seconds_per_stop: float = 5.0
    mode: PatrolMode = PatrolMode.MACHINE
    order: StopOrder = StopOrder.BY_AREA
    device_ids: tuple[int, ...] | None = None
    details: PlanDetails = field(default_factory=PlanDetails)
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolRound:
    """One walk of a plan. It keeps what it needs of the plan, which may change or go away.

    ``plan_id`` is None once the plan is gone; ``reason`` says why it was missed or cancelled.
    ``ends_by`` is the end of its window. ``forecast_s`` is what was thought it takes when it
    began. ``walker_id`` is who walks it now. Of its stops ``stops_open`` wait for a person.
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
    mode: PatrolMode = PatrolMode.MACHINE
    order: StopOrder = StopOrder.BY_AREA
    details: PlanDetails = field(default_factory=PlanDetails)
    ends_by: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str = ""
    has_report: bool = False
    forecast_s: float | None = None
    walker_id: int | None = None
    walker_name: str = ""
    paused_at: datetime | None = None
    paused_s: float = 0.0
    stops_planned: int = 0
    stops_seen: int = 0
    stops_not_seen: int = 0
    stops_open: int = 0
    stops_normal: int = 0
    stops_abnormal: int = 0
    stops_not_judged: int = 0

    @property
    def is_over(self) -> bool:
        """Tell whether nothing of it changes any more."""
        return self.state in {RoundState.FINISHED, RoundState.MISSED, RoundState.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolStop:
    """One camera of a round.

    The machine: ``verdict``, ``reason``, ``layer`` and ``detail`` (the probe's, empty when it was
    good), ``remarks`` (what it noticed, in sentences, the worst first), ``doubt`` (0: nothing,
    100: certainly something), ``at``, ``picture_sha256`` of the picture it kept.
    The person: ``result``, ``kind`` (while open: what the machine would call it), ``note``,
    ``judged_by`` ("" while open; the hub's name when the machine judged), ``judged_at``,
    ``checked`` (which items of the checklist hold).
    ``due_at`` is when it is expected. ``is_for_person``: the machine leaves it to somebody;
    ``is_drawn``: a person sees it whatever the machine thinks. ``group_no``: the stops of a group
    are looked at by one job.
    """

    round_id: int
    position: int
    device_id: int | None
    device_name: str
    area_name: str
    area_id: int = 0
    verdict: Verdict = Verdict.PENDING
    reason: str = ""
    layer: str = ""
    detail: str = ""
    has_picture: bool = False
    attempts: int = 0
    at: datetime | None = None
    due_at: datetime | None = None
    remarks: tuple[str, ...] = ()
    doubt: float = 0.0
    is_for_person: bool = False
    picture_sha256: str = ""
    clip_sha256: str = ""
    result: Result = Result.OPEN
    kind: str = ""
    note: str = ""
    judged_by: str = ""
    judged_at: datetime | None = None
    checked: tuple[bool, ...] = ()
    timing: Timing = Timing.NONE
    second_look: SecondLook = SecondLook.NONE
    second_by: str = ""
    second_note: str = ""
    dispatch_id: int | None = None
    group_no: int = 0
    is_drawn: bool = False
