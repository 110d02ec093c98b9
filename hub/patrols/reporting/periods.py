"""When nights, weeks and months of patrols begin and end; pure.

A night lasts from noon to noon in the site's time zone, so that what happens after midnight
belongs to the evening before. A week is the seven nights that begin on Monday to Sunday, a month
the nights that begin in it: each is the sum of its nights, none is cut.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from hub.domain.errors import Invalid
from hub.domain.patrol_reports import Period

NOON: Final = time(12)
DAYS_OF_WEEK: Final = 7
DECEMBER: Final = 12
_EARLIEST, _LATEST = date(1970, 1, 1), date(9000, 1, 1)


def bounds(period: Period, first: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """When the period begins (included) and ends that holds the night of ``first``; in UTC.

    Raises:
        Invalid: a round has no bounds of its own, or the date is absurd.
    """
    if not _EARLIEST <= first <= _LATEST:
        msg = "no such night"
        raise Invalid(msg, field="night")
    begin, end = _nights(period, first)
    return _noon(begin, zone), _noon(end, zone)


def night_of(at: datetime, zone: tzinfo) -> date:
    """The date on which the night began to which a moment belongs."""
    local = at.astimezone(zone)
    return local.date() if local.time() >= NOON else local.date() - timedelta(days=1)


def first_night_of(period: Period, night: date) -> date:
    """The first night of the period that holds a night."""
    return _nights(period, night)[0]


def last_night_of(period: Period, night: date) -> date:
    """The last night of the period that holds a night."""
    return _nights(period, night)[1] - timedelta(days=1)


def ready_at(night: date, zone: tzinfo, ready_by: timedelta) -> datetime:
    """When the report of a night shall lie on the desk: so long after its midnight, on the wall."""
    local = datetime.combine(night + timedelta(days=1), time(0)) + ready_by
    return local.replace(tzinfo=zone).astimezone(UTC)


def _nights(period: Period, first: date) -> tuple[date, date]:
    """The first night, and the one after the last."""
    match period:
        case Period.NIGHT:
            return first, first + timedelta(days=1)
        case Period.WEEK:
            monday = first - timedelta(days=first.weekday())
            return monday, monday + timedelta(days=DAYS_OF_WEEK)
        case Period.MONTH:
            begin = first.replace(day=1)
            year, month = (
                (begin.year + 1, 1) if begin.month == DECEMBER else (begin.year, begin.month + 1)
            )
            return begin, date(year, month, 1)
        case Period.ROUND:
            msg = "a round begins and ends when it was walked"
            raise Invalid(msg, field="period")


def _noon(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, NOON, tzinfo=zone).astimezone(UTC)
