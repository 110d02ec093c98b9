"""Duty rooms, the check that somebody is there (点名), shifts and what one tells the next."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.calendars import Calendar

MOST_WRONG_CODES: Final = 5


class CallState(StrEnum):
    """What became of a question to a duty room. UNANSWERED: nobody did in time."""

    ASKED = "asked"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    CANCELLED = "cancelled"


class AnsweredBy(StrEnum):
    """How a duty room answered."""

    CONSOLE = "console"  # signed in, with the code that its screen shows
    PHONE = "phone"  # by the link on a phone, with the code that it shows
    TELEPHONE = "telephone"  # an operator rang and wrote down who answered


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyRoom:
    """The room of an area in which somebody is on duty.

    ``receiver_id`` is where the question goes, None: to consoles only. ``speaker_id`` is a
    device of ours that can be spoken through.
    """

    id: int = 0
    area_id: int
    area_path: str = ""
    area_name: str = ""
    name: str
    phone: str = ""
    receiver_id: int | None = None
    speaker_id: int | None = None
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomCall:
    """One question of one round to one duty room. ``code`` is to be typed back: four digits."""

    id: int
    round_id: int | None
    room_id: int | None
    room_name: str
    phone: str
    area_id: int
    area_path: str
    area_name: str
    asked_at: datetime
    answer_by: datetime
    state: CallState
    code: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""
    answered_how: AnsweredBy | None = None
    note: str = ""
    wrong_codes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """People who are on duty in an area during ``hours``."""

    id: int = 0
    area_id: int
    area_path: str = ""
    name: str
    hours: Calendar
    user_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What one shift leaves to the next; ``taken_at``: somebody read it and took over."""

    id: int
    area_id: int
    area_path: str
    at: datetime
    from_name: str
    note: str
    to_user_id: int | None = None
    taken_at: datetime | None = None
    taken_by: str = ""
