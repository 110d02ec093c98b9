"""Hours by rule: whether they hold at a moment, and when they begin. Pure.

A spell lasts its seconds of real time. The day it begins on, by its own time zone, decides
whether it counts as a working day or a day off. Stored hours that cannot be used here (a time
zone this machine does not know) hold always, which is said once: better told at the wrong time
than never.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final, assert_never

from hub.domain.calendars import NO_HOLIDAYS, Calendar, Days, Holidays
from hub.domain.errors import Invalid
from hub.runtime.recurrence import (
    Recurrence,
    next_time,
    parse_recurrence,
    shortest_gap,
    times_after,
    times_between,
)

log = logging.getLogger(__name__)

# A Monday: INTERVAL counts from its midnight.
FIRST_DAY: Final = date(2000, 1, 3)
DAY: Final = timedelta(days=1)
SHORTEST_GAP: Final = timedelta(minutes=5)
# So many spells are looked at for one whose day counts: a year and more of daily ones.
SPELLS_LOOKED_AT: Final = 500


def is_active(calendar: Calendar | None, at: datetime, holidays: Holidays = NO_HOLIDAYS) -> bool:
    """Tell whether a spell holds at a moment (aware); without a calendar it always does."""
    if calendar is None or (rule := _usable(calendar)) is None:
        return True
    at = at.astimezone(UTC)
    zone = rule.zone
    for begin in reversed(_begins(calendar, at.date())):
        if begin <= at and _is_counted(calendar.days, begin.astimezone(zone).date(), holidays):
            return at < begin + timedelta(seconds=calendar.duration_s)
    return False


def next_start(
    calendar: Calendar, at: datetime, holidays: Holidays = NO_HOLIDAYS
) -> datetime | None:
    """Return when the next spell later than ``at`` begins, in UTC; None when none is near."""
    rule = _usable(calendar)
    return None if rule is None else next(_starts(calendar, rule, at, holidays), None)


def check_calendar(calendar: Calendar, now: datetime) -> None:
    """Refuse a calendar that cannot be used.

    Raises:
        Invalid: the rule or the zone makes no sense, its spells overlap, or none ever comes again.
    """
    rule = _recurrence(calendar)
    if rule.count is not None:
        _refuse("COUNT needs a first day, which hours do not have: say UNTIL instead")
    gap = shortest_gap(rule)
    if gap is not None and gap < SHORTEST_GAP:
        _refuse("hours begin at least 5 minutes apart")
    if gap is not None and timedelta(seconds=calendar.duration_s) > gap:
        msg = "the hours overlap: each begins before the one before it is over"
        raise Invalid(msg, field="duration_s")
    # Weekdays that are off, and weekends that are worked, come by the list of holidays.
    if next_time(rule, now) is None and not is_active(replace(calendar, days=Days.ANY), now):
        _refuse("these hours never come, or never come again")


def _starts(
    calendar: Calendar, rule: Recurrence, at: datetime, holidays: Holidays
) -> Iterator[datetime]:
    for begin in islice(times_after(rule, at), SPELLS_LOOKED_AT):
        if _is_counted(calendar.days, begin.astimezone(rule.zone).date(), holidays):
            yield begin


def _recurrence(calendar: Calendar) -> Recurrence:
    return parse_recurrence(calendar.rrule, calendar.time_zone, FIRST_DAY)


@lru_cache(maxsize=1024)
def _usable(calendar: Calendar) -> Recurrence | None:
    try:
        return _recurrence(calendar)
    except Invalid as error:
        log.warning("hours %r cannot be used and hold always: %s", calendar.rrule, error)
        return None


@lru_cache(maxsize=1024)
def _begins(calendar: Calendar, day: date) -> tuple[datetime, ...]:
    """When those spells begin that may hold at some time of a day (UTC)."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    since = midnight - timedelta(seconds=calendar.duration_s)
    return tuple(times_between(_recurrence(calendar), since, midnight + DAY))


def _is_counted(days: Days, day: date, holidays: Holidays) -> bool:
    match days:
        case Days.ANY:
            return True
        case Days.WORKING:
            return _is_worked(day, holidays)
        case Days.OFF:
            return not _is_worked(day, holidays)
        case _ as never:
            assert_never(never)


def _is_worked(day: date, holidays: Holidays) -> bool:
    declared = holidays.get(day)
    return day.weekday() < 5 if declared is None else declared.is_working


def _refuse(message: str) -> None:
    raise Invalid(message, field="rrule")
