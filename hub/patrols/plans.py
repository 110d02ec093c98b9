"""When a plan falls due: RFC 5545 rules in a time zone. Pure, and bounded for every rule.

A rule counts in wall-clock time from midnight of the plan's first day. A wall time that a change
of clocks skips means the same moment it would have been without the change (RFC 5545, 3.3.5:
02:30 becomes 03:30); one that comes twice means the first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr

from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolPlan

MAX_RULE_LENGTH = 500
MAX_COUNT = 1000
SHORTEST_GAP = timedelta(minutes=5)
# Rules with at most so many rounds altogether may follow each other faster, for a trial.
TRIAL_COUNT = 12
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
class _Rule:
    """A checked rule: its text without UNTIL, and what bounds it."""

    text: str
    frequency: str
    interval: int
    count: int | None
    until: datetime | None  # wall clock
    zone: ZoneInfo
    start: datetime  # wall clock


def check_plan(plan: PatrolPlan, *, now: datetime) -> datetime:
    """Return the plan's next due time.

    Raises:
        Invalid: the rule, the zone or a number cannot be used, or the rule never fires (again).
    """
    if not plan.name.strip() or len(plan.name) > 128:
        _refuse("a plan needs a name of 1 to 128 characters", "name")
    if not 10 <= plan.window_s <= 86_400:
        _refuse("a round may begin 10 to 86400 seconds late", "window_s")
    if not 0 <= plan.seconds_per_stop <= 600:
        _refuse("a stop takes 0 to 600 seconds", "seconds_per_stop")
    if plan.device_ids is not None and not plan.device_ids:
        _refuse("the list of cameras is empty: leave it out to walk them all", "device_ids")
    rule = _parse(plan)
    _check_pace(rule)
    due = next_due(plan, now)
    if due is None:
        ever = next_due(plan, datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
        if ever is None:
            _refuse("this rule never fires: no day fits all its parts", "rrule")
        _refuse("this rule never fires again: all its times are past", "rrule")
    return due


def next_due(plan: PatrolPlan, after: datetime) -> datetime | None:
    """Return the first due time later than ``after`` (aware), in UTC; None when there is none.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    rule = _parse(plan)
    best: tuple[datetime, datetime] | None = None  # the moment, and its wall time
    for wall in _wall_times(rule, _wall(after, rule.zone) - LONGEST_SKIP):
        if best is not None and wall > best[1] + LONGEST_SKIP:
            break
        moment = wall.replace(tzinfo=rule.zone).astimezone(UTC)
        if moment > after and (best is None or moment < best[0]):
            best = moment, wall
    return None if best is None else best[0]


def due_between(plan: PatrolPlan, after: datetime, until: datetime) -> list[datetime]:
    """Return the due times later than ``after`` and not later than ``until``, in order.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    rule = _parse(plan)
    last = _wall(until, rule.zone) + LONGEST_SKIP
    walls = takewhile(
        lambda wall: wall <= last, _wall_times(rule, _wall(after, rule.zone) - LONGEST_SKIP)
    )
    moments = {wall.replace(tzinfo=rule.zone).astimezone(UTC) for wall in walls}
    return sorted(moment for moment in moments if after < moment <= until)


def _wall_times(rule: _Rule, since: datetime) -> Iterator[datetime]:
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


def _parse(plan: PatrolPlan) -> _Rule:
    zone = _zone(plan.time_zone)
    if not FIRST_YEAR <= plan.starts_on.year < LAST_YEAR:
        _refuse(f"the first day lies between {FIRST_YEAR} and {LAST_YEAR}", "starts_on")
    parts = _split(plan.rrule)
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        known = ", ".join(sorted(_FREQUENCIES))
        _refuse(f"FREQ must be one of {known}", "rrule")
    allowed = _PARTS if frequency in {"MINUTELY", "HOURLY"} else _PARTS | _DAY_PARTS
    strange = sorted(set(parts) - allowed)
    if strange:
        _refuse(f"{strange[0]} cannot be used in a {frequency} rule of a plan", "rrule")
    rule = _Rule(
        text=";".join(f"{key}={value}" for key, value in parts.items() if key != "UNTIL"),
        frequency=frequency,
        interval=_number(parts, "INTERVAL", 1, MAX_COUNT) or 1,
        count=_number(parts, "COUNT", None, MAX_COUNT),
        until=_until(parts["UNTIL"], zone) if "UNTIL" in parts else None,
        zone=zone,
        start=datetime.combine(plan.starts_on, time()),
    )
    if rule.count is not None and rule.until is not None:
        _refuse("COUNT and UNTIL cannot both stand in a rule", "rrule")
    try:
        rrulestr(rule.text, dtstart=_move(rule.start, AHEAD_YEARS))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        _refuse("this is not a rule of RFC 5545, or it contradicts itself", "rrule")
    return rule


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


def _check_pace(rule: _Rule) -> None:
    """Refuse rounds that would follow each other too fast."""
    if rule.count is not None and rule.count <= TRIAL_COUNT:
        return
    times = list(islice(_wall_times(rule, rule.start), GAPS_LOOKED_AT))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if gaps and min(gaps) < SHORTEST_GAP:
        _refuse(
            f"rounds must be at least 5 minutes apart (or at most {TRIAL_COUNT}, by COUNT)", "rrule"
        )


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
