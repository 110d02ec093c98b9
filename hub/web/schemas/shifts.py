"""Shifts, who is on duty, and what one shift leaves to the next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.calendars import build_calendar
from hub.domain.duty_rooms import Shift
from hub.store.shifts import MOST_PEOPLE
from hub.web.schemas.shapes import In, Name, Number, Out

# Notes are read, not run: lines are welcome, other control characters are not.
Note = Annotated[
    str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*\S[^\x00]*$")
]


class ShiftIn(In):
    """People who are on duty in an area; ``hours`` is a calendar."""

    area_id: Number
    name: Name
    hours: Mapping[str, object]
    user_ids: Annotated[tuple[Number, ...], Field(max_length=MOST_PEOPLE)] = ()


class ShiftOut(Out):
    """A shift."""

    id: int
    area_id: int
    name: str
    hours: Mapping[str, object]
    user_ids: Sequence[int]

    @classmethod
    def of(cls, shift: Shift) -> "ShiftOut":
        """Show a shift."""
        return cls(
            id=shift.id,
            area_id=shift.area_id,
            name=shift.name,
            hours=build_calendar(shift.hours),
            user_ids=shift.user_ids,
        )


class PersonOut(Out):
    """Somebody on duty."""

    id: int
    name: str
    display_name: str


class OnDutyOut(Out):
    """Who is on duty for an area at ``at``; ``is_anybody`` false: whoever may operate there.

    People who hold nothing in the caller's areas are counted in ``others`` and not named.
    """

    area_id: int
    at: datetime
    is_anybody: bool
    items: Sequence[PersonOut]
    others: int


class HandoverIn(In):
    """What is left to the next shift, or to one person of it."""

    area_id: Number
    note: Note
    to_user_id: Number | None = None


class HandoverOut(Out):
    """A hand-over."""

    id: int
    area_id: int
    at: datetime
    from_name: str
    note: str
    to_user_id: int | None
    taken_at: datetime | None
    taken_by: str


class HandoverNewsOut(Out):
    """That something was left or taken over; its note is for those who may read it."""

    id: int
    area_id: int
    at: datetime
    taken_at: datetime | None
