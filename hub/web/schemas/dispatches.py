"""Dispatches: tasks sent to people in the field, their history, messages, photos and way."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from hub.domain.alerts import Colour
from hub.domain.devices import Json
from hub.domain.dispatches import Dispatch, DispatchState, Priority, Source
from hub.domain.patrols import MOST_CHECKLIST
from hub.patrols.dispatch.life import LONGEST_NOTE
from hub.patrols.dispatch.opening import LONGEST_ITEM, LONGEST_PLACE, LONGEST_TEXT, LONGEST_TITLE
from hub.patrols.dispatch.talking import LONGEST_MESSAGE
from hub.web.schemas.shapes import In, Number, Out

_TEXT = r"^[^\x00]*$"
Note = Annotated[str, Field(max_length=LONGEST_NOTE, pattern=_TEXT)]
Title = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_TITLE,
        pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
    ),
]
Item = Annotated[str, Field(min_length=1, max_length=LONGEST_ITEM, pattern=r"^[^\x00-\x1f\x7f]+$")]
Kind = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Version = Annotated[int, Field(ge=0, le=2**31 - 1)]


class DispatchOut(Out):
    """A task. ``colour`` is how it stood to ``deadline_at`` when it was read.

    ``version`` counts its steps: whoever changes it says which version he looked at.
    """

    id: int
    area_id: int
    area_name: str
    title: str
    text: str
    kind: str
    priority: Priority
    state: DispatchState
    colour: Colour
    source: Source
    alert_id: int | None
    round_id: int | None
    position: int | None
    roll_call_id: int | None
    report_id: int | None
    place: str
    longitude: float | None
    latitude: float | None
    device_id: int | None
    device_name: str
    checklist: Sequence[str]
    checked: Sequence[bool]
    unit_id: int | None
    unit_name: str
    created_at: datetime
    created_by: str
    sent_at: datetime | None
    accepted_at: datetime | None
    on_site_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    verified_by: str
    verdict: str
    accept_by: datetime | None
    arrive_by: datetime | None
    done_by: datetime | None
    yellow_share: float
    deadline_at: datetime | None
    overdue_at: datetime | None
    merged_into: int | None
    merged: int
    has_picture: bool
    version: int

    @classmethod
    def of(cls, task: Dispatch, now: datetime) -> Self:
        """A task as it is at a moment."""
        return cls.model_validate(flatten(task, now))


def flatten(task: Dispatch, now: datetime) -> dict[str, object]:
    """The fields of a task as the API names them."""
    raw = asdict(task)
    where = task.where
    return {
        **raw,
        **raw["cause"],
        "longitude": None if where is None else where.longitude,
        "latitude": None if where is None else where.latitude,
        "colour": task.colour(now),
    }


class DispatchStepOut(Out):
    """One line of a task's history; ``what`` is the state it came to, or what was done."""

    at: datetime
    actor: str
    is_field: bool
    what: str
    note: str
    unit_name: str
    detail: Mapping[str, Json]


class MessageOut(Out):
    """What the desk or the field wrote."""

    id: int
    at: datetime
    author: str
    is_field: bool
    text: str


class PhotoOut(Out):
    """A photo; its picture is below ``/dispatches/{id}/photos/``."""

    id: int
    at: datetime
    author: str
    is_field: bool
    width: int
    height: int
    sha256: str


class PositionOut(Out):
    """Where the unit was."""

    at: datetime
    longitude: float
    latitude: float
    accuracy_m: float | None


class DispatchDetailOut(DispatchOut):
    """A task with all that belongs to it.

    ``steps`` can be done about it now, by the desk or in the field. ``standing`` says of a task
    that is done what speaks against verifying it. ``took_in`` are the tasks merged into it.
    """

    steps: Sequence[str]
    standing: Sequence[str]
    took_in: Sequence[int]
    history: Sequence[DispatchStepOut]
    messages: Sequence[MessageOut]
    photos: Sequence[PhotoOut]
    positions: Sequence[PositionOut]


class DispatchIn(In):
    """A new task of the desk: for an alert, for a duty room that did not answer, or for neither.

    ``is_separate``: it stands by itself, although an open task is about the same. Without, it is
    merged into that one.
    """

    area_id: Number
    title: Title
    text: Annotated[str, Field(max_length=LONGEST_TEXT, pattern=_TEXT)] = ""
    kind: Kind = "other"
    priority: Priority = Priority.NORMAL
    place: Annotated[str, Field(max_length=LONGEST_PLACE, pattern=_TEXT)] = ""
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    device_id: Number | None = None
    checklist: Annotated[Sequence[Item], Field(max_length=MOST_CHECKLIST)] = ()
    alert_id: Number | None = None
    roll_call_id: Number | None = None
    is_call: bool = False
    is_separate: bool = False


class DispatchChangeIn(In):
    """What a task says instead, as it was in ``version``; what is left out stays."""

    version: Version
    title: Title | None = None
    text: Annotated[str, Field(max_length=LONGEST_TEXT, pattern=_TEXT)] | None = None
    kind: Kind | None = None
    priority: Priority | None = None
    place: Annotated[str, Field(max_length=LONGEST_PLACE, pattern=_TEXT)] | None = None
    longitude: Longitude | None = None
    latitude: Latitude | None = None


class DeskNoteIn(In):
    """A deed of the desk about the task as it was in ``version``."""

    version: Version
    note: Note = ""


class SendIn(DeskNoteIn):
    """To whom a task goes; the unit reads the note."""

    unit_id: Number


class MergeIn(DeskNoteIn):
    """Which task goes on."""

    into_id: Number


class RemarkIn(In):
    """A remark of the desk."""

    note: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE, pattern=_TEXT)]


class MessageIn(In):
    """A message to the field; sent twice under one ``given_id`` it is written once."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_MESSAGE, pattern=_TEXT)]
    given_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")] | None = None
