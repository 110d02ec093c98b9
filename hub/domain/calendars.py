"""When something holds: hours by rule, and the days the administrator declared."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Days(StrEnum):
    """Which days count. WORKING: Monday to Friday but holidays, and the days worked instead."""

    ANY = "any"
    WORKING = "working"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Spells of ``duration_s`` seconds that begin by an RFC 5545 rule, in a time zone.

    A night shift is FREQ=DAILY;BYHOUR=22;BYMINUTE=0 with 8 hours; the day it begins on decides
    whether it is a working day.
    """

    rrule: str
    duration_s: float
    time_zone: str
    days: Days = Days.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day that is off although it is a weekday, or worked (``is_working``) although it is not."""

    day: date
    name: str
    is_working: bool = False
