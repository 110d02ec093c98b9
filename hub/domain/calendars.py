"""When something holds: hours by rule, the days the administrator declared, and their JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub.domain.devices import Json
from hub.domain.errors import Invalid

SHORTEST_SPELL_S = 60.0
LONGEST_SPELL_S = 366 * 86_400.0
LONGEST_RULE = 500  # characters
LONGEST_ZONE = 64


class Days(StrEnum):
    """Which days count. WORKING: Monday to Friday but holidays, and the days worked instead."""

    ANY = "any"
    WORKING = "working"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Spells of ``duration_s`` seconds that begin by an RFC 5545 rule, in a time zone.

    A night shift is FREQ=DAILY;BYHOUR=22;BYMINUTE=0 with 8 hours; the day it begins on decides
    whether it is a working day. INTERVAL counts from Monday, 3 January 2000.
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


Holidays = Mapping[date, Holiday]

NO_HOLIDAYS: Final[Holidays] = MappingProxyType({})


def build_calendar(calendar: Calendar) -> dict[str, Json]:
    """Turn a calendar into JSON; :func:`parse_calendar` reads it back."""
    return {
        "rrule": calendar.rrule,
        "duration_s": calendar.duration_s,
        "time_zone": calendar.time_zone,
        "days": calendar.days.value,
    }


def parse_calendar(raw: Mapping[str, Json]) -> Calendar:
    """Read a calendar from JSON, strictly in its form; whether its rule makes sense is not asked.

    Raises:
        Invalid: naming the field that is missing, unknown or out of its range.
    """
    unknown = raw.keys() - {"rrule", "duration_s", "time_zone", "days"}
    if unknown:
        name = min(unknown)[:64]
        msg = f"a calendar has no such field: {name!r}"
        raise Invalid(msg, field=name)
    days = raw.get("days", Days.ANY.value)
    if not isinstance(days, str) or days not in set(Days):
        msg = f"days is one of {', '.join(Days)}"
        raise Invalid(msg, field="days")
    return Calendar(
        rrule=_text(raw, "rrule", LONGEST_RULE),
        duration_s=_duration(raw.get("duration_s")),
        time_zone=_text(raw, "time_zone", LONGEST_ZONE),
        days=Days(days),
    )


def _text(raw: Mapping[str, Json], key: str, most: int) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        msg = f"{key} is a text of 1 to {most} characters"
        raise Invalid(msg, field=key)
    return value


def _duration(value: Json) -> float:
    # NaN lies in no range; True is 1 and too short.
    if isinstance(value, int | float) and SHORTEST_SPELL_S <= value <= LONGEST_SPELL_S:
        return float(value)
    msg = f"duration_s is a number of seconds from {SHORTEST_SPELL_S:g} to {LONGEST_SPELL_S:g}"
    raise Invalid(msg, field="duration_s")
