"""Duty rooms and the questions to them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from hub.domain.duty_rooms import AnsweredBy, CallState, RoomCall
from hub.web.schemas.shapes import In, Name, Number, Out

Phone = Annotated[str, Field(max_length=32, pattern=r"^[0-9+ ()\-]*$")]
Line = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class DutyRoomIn(In):
    """The room of an area. Its question goes to ``receiver_id``; ``speaker_id`` is a device."""

    area_id: Number
    name: Name
    phone: Phone = ""
    receiver_id: Number | None = None
    speaker_id: Number | None = None
    is_enabled: bool = True


class DutyRoomOut(Out):
    """A duty room."""

    id: int
    area_id: int
    area_name: str
    name: str
    phone: str
    receiver_id: int | None
    speaker_id: int | None
    is_enabled: bool


class RoomCallOut(Out):
    """A question to a duty room. ``code`` is shown to the room itself, until it answers.

    What is answered after ``answer_by`` stays unanswered in time, with who came when.
    """

    id: int
    round_id: int | None
    room_id: int | None
    room_name: str
    phone: str
    area_id: int
    area_name: str
    asked_at: datetime
    answer_by: datetime
    state: CallState
    code: str
    answered_at: datetime | None
    answered_by: str
    answered_how: AnsweredBy | None
    note: str
    wrong_codes: int

    @classmethod
    def of(cls, call: RoomCall, *, is_own: bool) -> "RoomCallOut":
        """Show a call; ``is_own``: to the room that is asked."""
        shown = {name: getattr(call, name) for name in cls.model_fields}
        is_waiting = call.answered_at is None and call.state is not CallState.CANCELLED
        return cls.model_validate(shown | {"code": call.code if is_own and is_waiting else ""})


class AnswerIn(In):
    """An answer: from the room's console with its code, or written down by who rang.

    ``by`` is who is there: asked of the telephone, added to the account's name otherwise.
    """

    how: Literal[AnsweredBy.CONSOLE, AnsweredBy.TELEPHONE]
    code: Annotated[str, Field(max_length=4, pattern=r"^[0-9]*$")] = ""
    by: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    note: Line = ""


class AnnounceIn(In):
    """What a loudspeaker is to say."""

    text: Annotated[
        str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    ]
