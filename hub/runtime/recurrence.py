"""RFC 5545 rules in a time zone: when something comes round. Pure, and bounded for every rule.

A rule counts in wall-clock time from midnight of its first day. A wall time that a change of
clocks skips means the same moment it would have been without the change (RFC 5545, 3.3.5:
02:30 becomes 03:30); one that comes twice means the first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice, pairwise, takewhile
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr

from hub.domain.errors import Invalid

MAX_RULE_LENGTH = 500
MAX_COUNT = 1000
GAPS_LOOKED_AT = 200
BAD_UNTIL = "UNTIL reads like 20271231 or 20271231T235959Z"
FIRST_YEAR, LAST_YEAR = 2000, 2200
# The Gregorian calendar repeats every 400 years, weekdays and week numbers included. dateutil
# looks for the next time until the year 9999; moved so far ahead, a rule that never fires is
# found out in less than a second and no rule that fires within 200 years is missed.
AHEAD_YEARS = 7600
# No change of clocks is longer than this (Samoa left out a whole day in 2011).
LONGEST_SKIP = timedelta(hours=25)

_PART = re.compile(r"[A-Z]+=[A-Z0-9,+\-]+\Z")
_UNTIL = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?\Z")
_STEPS = {
    "MINUTELY": timedelta(minutes=1),
    "HOURLY": timedelta(hours=1),
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(weeks=1),
}
_FREQUENCIES = {*_STEPS, "MONTHLY", "YEARLY"}
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYHOUR", "BYMINUTE", "BYDAY", "BYMONTH"}
_DAY_PARTS = {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "WKST"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A checked rule: its text without UNTIL, and what bounds it. ``start`` is a wall clock's."""

    text: str
    frequency: str
    interval: int
    count: int | None
    until: datetime | None  # wall clock
    zone: ZoneInfo
    start: datetime


@lru_cache(maxsize=1024)
def parse_recurrence(text: str, time_zone: str, starts_on: date) -> Recurrence:
    """Read an RFC 5545 rule without DTSTART that counts from midnight of its first day.

    Raises:
        Invalid: the rule, the zone or the first day cannot be used (rrule, time_zone, starts_on).
    """
    zone = _zone(time_zone)
    if not FIRST_YEAR <= starts_on.year < LAST_YEAR:
        _refuse(f"the first day lies between {FIRST_YEAR} and {LAST_YEAR}", "starts_on")
    parts = _split(text)
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        known = ", ".join(sorted(_FREQUENCIES))
        _refuse(f"FREQ must be one of {known}", "rrule")
    allowed = _PARTS if frequency in {"MINUTELY", "HOURLY"} else _PARTS | _DAY_PARTS
    strange = sorted(set(parts) - allowed)
    if strange:
        _refuse(f"{strange[0]} cannot be used in a {frequency} rule", "rrule")
    rule = Recurrence(
        text=";".join(f"{key}={value}" for key, value in parts.items() if key != "UNTIL"),
        frequency=frequency,
        interval=_number(parts, "INTERVAL", 1, MAX_COUNT) or 1,
        count=_number(parts, "COUNT", None, MAX_COUNT),
        until=_until(parts["UNTIL"], zone) if "UNTIL" in parts else None,
        zone=zone,
        start=datetime.combine(starts_on, time()),
    )
    if rule.count is not None and rule.until is not None:
        _refuse("COUNT and UNTIL cannot both stand in a rule", "rrule")
    try:
        rrulestr(rule.text, dtstart=_move(rule.start, AHEAD_YEARS))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        _refuse("this is not a rule of RFC 5545, or it contradicts itself", "rrule")
    return rule


def times_after(rule: Recurrence, after: datetime) -> Iterator[datetime]:
    """Yield the times later than ``after`` (aware), in UTC and in order; most rules never end."""
    # A change of clocks can turn the order of two wall times round: they wait for each other.
    waiting: list[tuple[datetime, datetime]] = []  # the moment, and its wall time
    last = after
    for wall in _wall_times(rule, _wall(after, rule.zone) - LONGEST_SKIP):
        while waiting and waiting[0][1] + LONGEST_SKIP < wall:
            moment, _ = heappop(waiting)
            if moment > last:
                yield moment
                last = moment
        heappush(waiting, (wall.replace(tzinfo=rule.zone).astimezone(UTC), wall))
    while waiting:
        moment, _ = heappop(waiting)
        if moment > last:
            yield moment
            last = moment


def next_time(rule: Recurrence, after: datetime) -> datetime | None:
    """Return the first time later than ``after``, in UTC; None when there is none."""
    return next(times_after(rule, after), None)


def times_between(rule: Recurrence, after: datetime, until: datetime) -> list[datetime]:
    """Return the times later than ``after`` and not later than ``until``, in order."""
    return list(takewhile(lambda moment: moment <= until, times_after(rule, after)))


def shortest_gap(rule: Recurrence) -> timedelta | None:
    """Return the shortest time between two of the first ones, by the wall; None without two."""
    times = islice(_wall_times(rule, rule.start), GAPS_LOOKED_AT)
    return min((later - earlier for earlier, later in pairwise(times)), default=None)


def _wall_times(rule: Recurrence, since: datetime) -> Iterator[datetime]:
    """Yield the rule's wall-clock times from ``since`` on, without end for most rules."""
    start = rule.start
    step = _STEPS.get(rule.frequency)
    if step is not None and rule.count is None and since > start:
        # Whole intervals may be skipped unseen: the rule is the same from there on.
        start += (since - start) // (step * rule.interval) * (step * rule.interval)
    made = rrulestr(rule.text, dtstart=_move(start, AHEAD_YEARS))
    if not isinstance(made, rrule):
        _refuse("the rule must be one single rule", "rrule")
    for ahead in made:
        wall = _move(ahead, -AHEAD_YEARS)
        if rule.until is not None and wall > rule.until:
            return
        if wall >= since:
            yield wall


def _split(text: str) -> dict[str, str]:
    text = text.strip().upper().removeprefix("RRULE:")
    if len(text) > MAX_RULE_LENGTH:
        _refuse(f"a rule has at most {MAX_RULE_LENGTH} characters", "rrule")
    parts: dict[str, str] = {}
    for part in text.rstrip(";").split(";"):
        key, _, value = part.partition("=")
        if not _PART.match(part) or key in parts:
            _refuse("a rule reads like FREQ=DAILY;BYHOUR=0;BYMINUTE=0, each part once", "rrule")
        parts[key] = value
    return parts


def _number(parts: dict[str, str], key: str, default: int | None, most: int) -> int | None:
    text = parts.get(key)
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        _refuse(f"{key} is a number from 1 to {most}", "rrule")
    return int(text)


def _until(text: str, zone: ZoneInfo) -> datetime:
    """The last wall-clock moment; a date alone means its whole day."""
    match = _UNTIL.match(text)
    if match is None:
        _refuse(BAD_UNTIL, "rrule")
    try:
        year, month, day = (int(n) for n in match.groups()[:3])
        if match[4] is None:
            return datetime.combine(datetime(year, month, day), time(23, 59, 59))  # noqa: DTZ001  # wall clock
        found = datetime(year, month, day, int(match[4]), int(match[5]), int(match[6]))  # noqa: DTZ001  # wall clock
    except ValueError:
        _refuse(BAD_UNTIL, "rrule")
    return _wall(found.replace(tzinfo=UTC), zone) if match[7] else found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _refuse("no such time zone; names read like Asia/Shanghai", "time_zone")


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _move(wall: datetime, years: int) -> datetime:
    return wall.replace(year=wall.year + years)


def _refuse(message: str, field: str) -> NoReturn:
    raise Invalid(message, field=field) from None
