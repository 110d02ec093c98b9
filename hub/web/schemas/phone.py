"""Phone pages: a task as its unit sees it, a roll call as its room does, and what they say."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, FiniteFloat

from hub.domain.alerts import Colour
from hub.domain.dispatches import DispatchState, Priority
from hub.domain.duty_rooms import CallState, RoomCall
from hub.domain.patrols import MOST_CHECKLIST
from hub.patrols.dispatch.states import FieldStep
from hub.patrols.phone.tasks import TaskOnPhone
from hub.store.phone_links import PhoneLink
from hub.web.schemas.shapes import In, Out

GivenId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]


class MessageOut(Out):
    """One message about the task."""

    at: datetime
    author: str
    is_field: bool
    text: str


class TaskOut(Out):
    """A task on the phone; ``photos`` is how many the field sent, ``now`` the hub's clock."""

    id: int
    title: str
    text: str
    kind: str
    priority: Priority
    state: DispatchState
    area_name: str
    place: str
    device_name: str
    longitude: float | None
    latitude: float | None
    unit_name: str
    checklist: list[str]
    checked: list[bool]
    deadline_at: datetime | None
    colour: Colour
    has_picture: bool
    photos: int
    messages: list[MessageOut]
    expires_at: datetime
    now: datetime

    @classmethod
    def of(
        cls, shown: TaskOnPhone, link: PhoneLink, now: datetime, *, has_picture: bool
    ) -> "TaskOut":
        """What the phone gets."""
        task = shown.task
        return cls(
            id=task.id,
            title=task.title,
            text=task.text,
            kind=task.kind,
            priority=task.priority,
            state=task.state,
            area_name=task.area_name,
            place=task.place,
            device_name=task.device_name,
            longitude=None if task.where is None else task.where.longitude,
            latitude=None if task.where is None else task.where.latitude,
            unit_name=task.unit_name,
            checklist=list(task.checklist),
            checked=list(task.checked),
            deadline_at=task.deadline_at,
            colour=task.colour(now),
            has_picture=has_picture,
            photos=shown.photos,
            messages=[MessageOut.model_validate(one) for one in shown.messages],
            expires_at=link.expires_at,
            now=now,
        )


class StepIn(In):
    """A step; ``given_id`` is the phone's own number of it, the same however often it is sent."""

    given_id: GivenId
    step: FieldStep
    note: Words = ""
    checked: list[bool] = Field(default=[], max_length=MOST_CHECKLIST)


class SaidIn(In):
    """A message to the desk."""

    given_id: GivenId
    text: Words = Field(min_length=1)


class PositionIn(In):
    """Where the phone is, ``age_s`` seconds ago; degrees of WGS 84."""

    longitude: FiniteFloat = Field(ge=-180, le=180)
    latitude: FiniteFloat = Field(ge=-90, le=90)
    accuracy_m: FiniteFloat | None = Field(default=None, ge=0, le=100_000)
    age_s: FiniteFloat = Field(default=0, ge=0, le=86_400)


class PhotosOut(Out):
    """How many photos the field has sent for its task."""

    photos: int


class CallOut(Out):
    """A roll call on the phone of a duty room; ``code`` is to be typed back."""

    room_name: str
    area_name: str
    code: str
    asked_at: datetime
    answer_by: datetime
    state: CallState
    now: datetime

    @classmethod
    def of(cls, asked: RoomCall, now: datetime) -> "CallOut":
        """What the phone gets."""
        return cls(
            room_name=asked.room_name,
            area_name=asked.area_name,
            code=asked.code,
            asked_at=asked.asked_at,
            answer_by=asked.answer_by,
            state=asked.state,
            now=now,
        )


class CallAnswerIn(In):
    """Somebody is there: the code as it was shown, and who."""

    given_id: GivenId
    code: str = Field(pattern=r"^[0-9]{4}$")
    by: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")


class LinkOut(Out):
    """A link to a task for its unit's phone, and the same as a QR code; shown once."""

    link: str
    svg: str
    expires_at: datetime
