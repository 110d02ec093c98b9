"""When plans fall due by dateutil's reckoning: changes of clocks, month ends, days left out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz
from dateutil.rrule import rrule, rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolPlan
from hub.patrols.planning.plans import (
    MOST_EXCEPTIONS,
    check_plan,
    due_between,
    next_due,
    shortest_time_between,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def plan(rule: str, zone: str = "Asia/Shanghai", start: date = date(2026, 11, 1)) -> PatrolPlan:
    return PatrolPlan(name="夜查", area_id=1, rrule=rule, time_zone=zone, starts_on=start)


def by_dateutil(one: PatrolPlan, after: datetime, until: datetime) -> list[datetime]:
    """The same by another library, the plain way: every wall time, then its moment.

    dateutil moves a wall time that does not exist ahead and takes the first of two.
    """
    zone = tz.gettz(one.time_zone)
    assert zone is not None
    rule = rrulestr(one.rrule, dtstart=datetime.combine(one.starts_on, time()))
    assert isinstance(rule, rrule)
    last_wall = until.astimezone(zone).replace(tzinfo=None) + timedelta(days=2)
    found = set()
    for wall in takewhile(lambda wall: wall <= last_wall, rule):
        moment = tz.resolve_imaginary(wall.replace(tzinfo=zone)).astimezone(tz.UTC)
        day = moment.astimezone(zone).date()
        is_left_out = day in one.exceptions or (one.ends_on is not None and day > one.ends_on)
        if after < moment <= until and not is_left_out:
            found.add(moment)
    return sorted(found)


# Half an hour, a quarter of the day, at midnight, in the south, never: clocks change differently.
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # at midnight: whole rounds are skipped
    "Asia/Beirut",  # at midnight
    "Australia/Lord_Howe",  # by 30 minutes
    "Africa/Casablanca",  # around Ramadan
    "Asia/Shanghai",
]
HOURS = st.sampled_from(["", ";BYHOUR=0;BYMINUTE=0", ";BYHOUR=1,2,3;BYMINUTE=30", ";BYHOUR=23"])
DAYS = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=2",
        "FREQ=WEEKLY;BYDAY=SU",
        "FREQ=WEEKLY;BYDAY=SA,SU;WKST=SU",
        "FREQ=MONTHLY;BYDAY=-1SU",
        "FREQ=MONTHLY;BYDAY=2SU",
        "FREQ=HOURLY;INTERVAL=6",
    ]
)


@settings(max_examples=50, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    days=DAYS,
    hours=HOURS,
    start=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    ahead=st.integers(0, 400),
)
def test_changes_of_clocks_as_dateutil_reckons_them(
    zone: str, days: str, hours: str, start: date, ahead: int
) -> None:
    one = plan(days + ("" if "HOURLY" in days else hours), zone, start)
    after = datetime.combine(start, time(), UTC) + timedelta(days=ahead)
    until = after + timedelta(days=200)  # a change of clocks lies in it
    assert due_between(one, after, until) == by_dateutil(one, after, until)


MONTHS = st.sampled_from(
    [
        "FREQ=MONTHLY;BYMONTHDAY=31",  # seven months a year
        "FREQ=MONTHLY;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTHDAY=29,30,31",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=MONTHLY;BYMONTHDAY=-31,-1",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=5FR",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY",  # on the day of the month on which the plan starts
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=-1",
        "FREQ=YEARLY;BYYEARDAY=366",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
        "FREQ=YEARLY",
    ]
)


@settings(max_examples=50, deadline=None)
@given(
    rule=MONTHS,
    start=st.dates(date(2023, 1, 1), date(2028, 12, 31)),
    zone=st.sampled_from(ZONES),
)
def test_month_ends_leap_days_and_rules_that_skip_as_dateutil_reckons_them(
    rule: str, start: date, zone: str
) -> None:
    one = plan(f"{rule};BYHOUR=23;BYMINUTE=45", zone, start)
    after = datetime.combine(start, time(), UTC) - timedelta(days=2)
    until = after + timedelta(days=9 * 366)
    found = due_between(one, after, until)
    assert found == by_dateutil(one, after, until)
    assert next_due(one, after) == (found[0] if found else next_due(one, until))


@settings(max_examples=50, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    days=DAYS,
    start=st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    left_out=st.lists(st.integers(0, 120), max_size=30),
    lasts=st.one_of(st.none(), st.integers(0, 150)),
)
def test_days_left_out_and_the_last_day_as_dateutil_reckons_them(
    zone: str, days: str, start: date, left_out: Sequence[int], lasts: int | None
) -> None:
    one = replace(
        plan(days, zone, start),
        exceptions=tuple(start + timedelta(days=number) for number in left_out),
        ends_on=None if lasts is None else start + timedelta(days=lasts),
    )
    after = datetime.combine(start, time(), UTC) - timedelta(days=2)
    until = after + timedelta(days=200)
    assert due_between(one, after, until) == by_dateutil(one, after, until)


def test_a_round_across_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    """It begins at 23:30 and goes on until 02:00: what counts is the evening."""
    late = replace(
        plan("FREQ=DAILY;BYHOUR=23;BYMINUTE=30"), lasts_s=9000, exceptions=(date(2026, 11, 24),)
    )
    until = NOW + timedelta(days=5)
    days = [due.astimezone(SHANGHAI).date().day for due in due_between(late, NOW, until)]
    assert days == [22, 23, 25, 26]
    last = replace(late, exceptions=(), ends_on=date(2026, 11, 24))
    assert [due.astimezone(SHANGHAI).day for due in due_between(last, NOW, until)] == [22, 23, 24]


def test_the_day_is_that_of_the_plan_and_not_of_the_hub() -> None:
    """Half past midnight of the 24th in Shanghai is the 23rd in UTC."""
    early = plan("FREQ=DAILY;BYHOUR=0;BYMINUTE=30")
    without = replace(early, exceptions=(date(2026, 11, 24),))
    gone = set(due_between(early, NOW, NOW + timedelta(days=5))) - set(
        due_between(without, NOW, NOW + timedelta(days=5))
    )
    assert gone == {datetime(2026, 11, 23, 16, 30, tzinfo=UTC)}


def test_a_round_whose_midnight_the_clocks_skip_keeps_its_day() -> None:
    """In Santiago 6 September 2026 begins at 01:00: its round is walked then, or left out."""
    one = plan("FREQ=DAILY", "America/Santiago", date(2026, 9, 1))
    skipped = datetime(2026, 9, 6, 4, 0, tzinfo=UTC)  # 01:00 summer time
    span = datetime(2026, 9, 5, 12, tzinfo=UTC), datetime(2026, 9, 6, 12, tzinfo=UTC)
    assert due_between(one, *span) == [skipped]
    assert due_between(replace(one, exceptions=(date(2026, 9, 6),)), *span) == []


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"ends_on": date(2026, 10, 31)}, "ends_on", "before the first"),
        ({"ends_on": date(2026, 11, 20)}, "rrule", "never fires again"),
        (
            {"ends_on": date(2026, 11, 2), "exceptions": (date(2026, 11, 1), date(2026, 11, 2))},
            "rrule",
            "all are exceptions",
        ),
        (
            {"exceptions": tuple(date(2027, 1, 1) + timedelta(days=n) for n in range(400))},
            "exceptions",
            f"at most {MOST_EXCEPTIONS}",
        ),
        ({"lasts_s": 59}, "lasts_s", "60 to 86400"),
        ({"lasts_s": 86_401}, "lasts_s", "60 to 86400"),
    ],
)
def test_plans_without_a_round_or_without_an_end_are_refused(
    changes: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        check_plan(replace(plan("FREQ=DAILY"), **changes), now=NOW)  # type: ignore[arg-type]  # by name
    assert caught.value.field == field


def test_a_year_of_exceptions_leaves_the_day_after() -> None:
    one = replace(
        plan("FREQ=DAILY"),
        exceptions=tuple(date(2026, 11, 23) + timedelta(days=n) for n in range(MOST_EXCEPTIONS)),
    )
    due = check_plan(one, now=NOW)
    assert due.astimezone(SHANGHAI).date() == date(2026, 11, 23) + timedelta(days=MOST_EXCEPTIONS)


def test_the_time_between_rounds_is_the_shortest_of_the_next_ones() -> None:
    twice = plan("FREQ=DAILY;BYHOUR=0,3")
    assert shortest_time_between(twice, NOW) == timedelta(hours=3)
    assert shortest_time_between(plan("FREQ=DAILY;COUNT=23"), NOW) is None  # one is left
    clocks = plan("FREQ=DAILY;BYHOUR=1,4", "Europe/Berlin", date(2027, 3, 27))
    march = datetime(2027, 3, 27, tzinfo=UTC)
    assert shortest_time_between(clocks, march) == timedelta(hours=2)
