"""Patrol rounds and stops, and what people do on them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasPath, Field

from hub.domain.dispatches import Priority
from hub.domain.patrols import (
    LONGEST_NOTE,
    MOST_CHECKLIST,
    PatrolMode,
    Result,
    RoundState,
    SecondLook,
    StopOrder,
    Timing,
    Verdict,
)
from hub.web.schemas.shapes import In, Listing, Number, Out

Note = Annotated[str, Field(max_length=LONGEST_NOTE, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Field(max_length=LONGEST_NOTE, pattern=r"^[^\x00]*\S[^\x00]*$")]
Kind = Annotated[str, Field(pattern=r"^[a-z0-9_]{0,32}$")]
Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class RoundOut(Out):
    """One walk of a plan. ``stops_open`` wait for a person, or for the machine before him."""

    id: int
    plan_id: int | None
    plan_name: str
    area_id: int
    area_name: str
    time_zone: str
    planned_at: datetime
    state: RoundState
    started_at: datetime | None
    finished_at: datetime | None
    reason: str
    has_report: bool
    stops_planned: int
    stops_seen: int
    stops_not_seen: int
    mode: PatrolMode
    order: StopOrder
    ends_by: datetime | None
    forecast_s: float | None
    walker_id: int | None
    walker_name: str
    paused_at: datetime | None
    paused_s: float
    seconds_per_stop: float
    checklist: Annotated[Sequence[str], Field(validation_alias=AliasPath("details", "checklist"))]
    stops_open: int
    stops_normal: int
    stops_abnormal: int
    stops_not_judged: int


class StopOut(Out):
    """One camera of a round: what the machine saw, and what came of it."""

    position: int
    device_id: int | None
    device_name: str
    area_name: str
    verdict: Verdict
    reason: str
    layer: str
    detail: str
    has_picture: bool
    attempts: int
    at: datetime | None
    area_id: int
    due_at: datetime | None
    remarks: Sequence[str]
    doubt: float
    is_for_person: bool
    picture_sha256: str
    clip_sha256: str
    result: Result
    kind: str
    note: str
    judged_by: str
    judged_at: datetime | None
    checked: Sequence[bool]
    timing: Timing
    second_look: SecondLook
    second_by: str
    second_note: str
    dispatch_id: int | None


class QueueOut(Listing[StopOut]):
    """What waits for whoever walks a round, the next first; ``coming``: not looked at yet."""

    coming: int


class DeedOut(Out):
    """A line of evidence about a round as a whole; ``body`` says by whom, to whom, why."""

    seq: int
    what: str
    at: datetime
    body: Mapping[str, object]


class EvidenceOut(Out):
    """The evidence of a round: ``sealed`` of its ``lines`` are in the chain of all rounds.

    ``seal`` and ``seal_hash`` name the last seal: noted elsewhere, they prove that nothing was
    cut off since. ``deeds`` are the first 200.
    """

    lines: int
    sealed: int
    sealed_at: datetime | None
    seal: int | None
    seal_hash: str
    deeds: Sequence[DeedOut]


class ColleagueOut(Out):
    """Somebody who may operate there: a round or a shift can be handed over to him."""

    id: int
    name: str


class SecondLookOut(Out):
    """A stop that waits for a second look."""

    round_id: int
    plan_name: str
    planned_at: datetime
    checklist: Sequence[str]
    stop: StopOut


class TakeIn(In):
    """``take_over``: also from whoever walks it now, which is recorded."""

    take_over: bool = False


class HandOverIn(In):
    """To whom a round is given, and what he should know."""

    to_user_id: Number
    note: Note = ""


class PauseIn(In):
    """Why a round is paused."""

    reason: Note = ""


class SkipIn(In):
    """Why a stop is passed by."""

    reason: Reason


class TaskIn(In):
    """A task that is opened from a stop; without a title it is called by place and kind."""

    title: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    text: Note = ""
    priority: Priority = Priority.NORMAL


class JudgeIn(In):
    """What a person makes of a stop.

    ``kind`` says what is abnormal. ``checked`` answers the round's checklist, item by item.
    ``picture_sha256`` names the picture that was seen, empty where there is none. ``task`` is
    opened with what is abnormal.
    """

    result: Literal["normal", "abnormal"]
    kind: Kind = ""
    note: Note = ""
    checked: Annotated[Sequence[bool], Field(max_length=MOST_CHECKLIST)] = ()
    picture_sha256: Sha256 = ""
    task: TaskIn | None = None


class SecondLookIn(In):
    """Whether a supervisor agrees; if not, the note says why."""

    agrees: bool
    note: Note = ""
    picture_sha256: Sha256 = ""
