"""When plans fall due, and which rules are refused."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolPlan
from hub.patrols.planning.plans import check_plan, due_between, next_due

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def plan(rule: str, zone: str = "Asia/Shanghai", start: date = date(2026, 11, 1)) -> PatrolPlan:
    return PatrolPlan(name="夜查", area_id=1, rrule=rule, time_zone=zone, starts_on=start)


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_a_daily_plan_falls_due_at_local_midnight() -> None:
    assert check_plan(plan("FREQ=DAILY"), now=NOW) == local("2026-11-23T00:00", "Asia/Shanghai")


def test_due_is_later_than_after_never_equal() -> None:
    first = local("2026-11-23T00:00", "Asia/Shanghai")
    assert next_due(plan("FREQ=DAILY"), first) == first + timedelta(days=1)


def test_a_prefix_and_small_letters_are_understood() -> None:
    assert next_due(plan("rrule:freq=weekly;byday=fr;byhour=23;byminute=30"), NOW) == local(
        "2026-11-27T23:30", "Asia/Shanghai"
    )


def test_an_interval_counts_from_the_first_day() -> None:
    found = due_between(plan("FREQ=DAILY;INTERVAL=3"), NOW, NOW + timedelta(days=9))
    assert [due.astimezone(ZoneInfo("Asia/Shanghai")).day for due in found] == [25, 28, 1]


# In Berlin clocks go from 02:00 to 03:00 on 2027-03-28 and from 03:00 to 02:00 on 2026-10-25.
def test_a_time_that_the_clocks_skip_is_walked_once_an_hour_later() -> None:
    rule = plan("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin")
    found = due_between(
        rule, datetime(2027, 3, 27, 0, tzinfo=UTC), datetime(2027, 3, 29, 12, tzinfo=UTC)
    )
    assert found == [
        datetime(2027, 3, 27, 1, 30, tzinfo=UTC),
        datetime(2027, 3, 28, 1, 30, tzinfo=UTC),  # 03:30 summer time
        datetime(2027, 3, 29, 0, 30, tzinfo=UTC),
    ]


def test_a_time_that_comes_twice_is_walked_once_at_the_first() -> None:
    rule = plan("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin", date(2026, 10, 1))
    found = due_between(
        rule, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    )
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_times_before_and_in_a_skipped_hour_keep_their_order() -> None:
    rule = plan("FREQ=HOURLY;BYMINUTE=30", "Europe/Berlin")
    start = datetime(2027, 3, 27, 22, 0, tzinfo=UTC)
    stepped, due = [], next_due(rule, start)
    while due is not None and due <= start + timedelta(hours=8):
        stepped.append(due)
        due = next_due(rule, due)
    assert stepped == due_between(rule, start, start + timedelta(hours=8))
    assert stepped == sorted(set(stepped))


def test_wall_times_that_change_places_in_a_skipped_hour_are_all_walked_in_order() -> None:
    """02:15 does not exist and means 03:15, later than the 03:00 that follows it in the rule."""
    rule = plan("FREQ=MINUTELY;INTERVAL=45", "Europe/Berlin", date(2027, 3, 28))
    stepped, due = [], next_due(rule, datetime(2027, 3, 28, 0, 0, tzinfo=UTC))
    while due is not None and due.hour < 2:
        stepped.append(due)
        due = next_due(rule, due)
    assert [f"{due:%H:%M}" for due in stepped] == ["00:30", "01:00", "01:15", "01:45"]


def test_a_day_that_a_country_left_out_holds_nobody_up() -> None:
    # Samoa had no 30 December 2011: its midnight is the same moment as the next day's.
    rule = plan("FREQ=DAILY", "Pacific/Apia", date(2011, 12, 1))
    found = due_between(rule, datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 2, tzinfo=UTC))
    assert all(later > earlier for earlier, later in pairwise(found))
    assert next_due(rule, found[-1]) is not None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",  # the first day is a Sunday
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=100",
        "FREQ=YEARLY;INTERVAL=100;BYMONTH=2;BYMONTHDAY=29",
    ],
)
def test_a_rule_that_never_fires_is_refused_in_time_and_says_so(rule: str) -> None:
    started = time.process_time()
    with pytest.raises(Invalid, match="never fires") as caught:
        check_plan(plan(rule), now=NOW)
    assert caught.value.field == "rrule"
    assert time.process_time() - started < 5


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20261110"])
def test_a_rule_whose_times_are_past_says_that(rule: str) -> None:
    with pytest.raises(Invalid, match="never fires again: all its times are past"):
        check_plan(plan(rule), now=NOW)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("FREQ=SECONDLY", "FREQ must be one of"),
        ("FREQ=MINUTELY", "5 minutes apart"),
        ("FREQ=MINUTELY;INTERVAL=4", "5 minutes apart"),
        ("FREQ=DAILY;BYMINUTE=0,1", "5 minutes apart"),
        ("FREQ=DAILY;BYSECOND=1", "BYSECOND cannot be used"),
        ("FREQ=DAILY;BYEASTER=0", "BYEASTER cannot be used"),
        ("FREQ=MINUTELY;INTERVAL=5;BYSETPOS=2", "BYSETPOS cannot be used"),
        ("FREQ=DAILY;BYHOUR=25", "not a rule of RFC 5545"),
        ("FREQ=WEEKLY;BYDAY=XX", "not a rule of RFC 5545"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a number"),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL is a number"),
        ("FREQ=DAILY;COUNT=-1", "COUNT is a number"),
        ("FREQ=DAILY;UNTIL=20261399", "UNTIL reads like"),
        ("FREQ=DAILY;COUNT=1;UNTIL=20271231", "cannot both"),
        ("FREQ=DAILY;FREQ=DAILY", "each part once"),
        ("FREQ=DAILY\nRDATE:20270101T000000", "reads like"),
        ("DTSTART:20270101T000000\nRRULE:FREQ=DAILY", "reads like"),
        ("", "reads like"),
        (";", "reads like"),
        ("BYHOUR=1", "FREQ must be one of"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(["1"] * 400), "at most 500"),
    ],
)
def test_what_is_no_usable_rule_is_refused(rule: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        check_plan(plan(rule), now=NOW)


@pytest.mark.threat("T6")
@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Asia"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="no such time zone") as caught:
        check_plan(plan("FREQ=DAILY", zone), now=NOW)
    assert caught.value.field == "time_zone"


def test_a_short_trial_may_run_every_minute() -> None:
    rule = plan("FREQ=MINUTELY;COUNT=12", "UTC", date(2026, 11, 23))
    found = due_between(rule, NOW, NOW + timedelta(days=3))
    assert len(found) == 12
    assert check_plan(rule, now=NOW) == found[0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"window_s": 5}, "window_s"),
        ({"seconds_per_stop": float("nan")}, "seconds_per_stop"),
        ({"device_ids": ()}, "device_ids"),
        ({"starts_on": date(1999, 1, 1)}, "starts_on"),
    ],
)
def test_the_other_fields_are_bounded(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_plan(replace(plan("FREQ=DAILY"), **change), now=NOW)  # type: ignore[arg-type]  # by name
    assert caught.value.field == field


def test_a_fast_plan_of_many_years_is_worked_out_at_once() -> None:
    rule = plan("FREQ=MINUTELY;INTERVAL=5", "UTC", date(2001, 1, 1))
    started = time.process_time()
    assert next_due(rule, NOW) == NOW + timedelta(minutes=5)
    assert time.process_time() - started < 1


RULES = st.builds(
    lambda frequency, interval, extra: f"FREQ={frequency};INTERVAL={interval}{extra}",
    st.sampled_from(["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 9),
    st.sampled_from(
        [
            "",
            ";BYHOUR=0,12;BYMINUTE=15",
            ";BYDAY=MO,FR",
            ";BYMONTH=1,6",
            ";COUNT=40",
            ";UNTIL=20280229",
            ";BYDAY=SU;BYHOUR=23",
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    rule=RULES,
    start=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001  # made aware below
)
def test_skipping_ahead_gives_what_walking_there_gives(
    rule: str, start: date, after: datetime
) -> None:
    """The oracle is dateutil itself, from the first day on, in a zone without changes."""
    begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
    moment = after.replace(tzinfo=UTC)
    text = rule.replace("UNTIL=20280229", "UNTIL=20280229T235959Z")
    try:
        oracle = rrulestr(text, dtstart=begin)
    except ValueError:  # every second hour from midnight is never 23:00
        with pytest.raises(Invalid):
            next_due(plan(rule, "UTC", start), moment)
        return
    expected = oracle.after(moment)
    if expected is not None and expected.year > 2200:
        expected = None
    assert next_due(plan(rule, "UTC", start), moment) == expected


ZONES = st.sampled_from(
    ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
)


@settings(max_examples=80, deadline=None)
@given(
    zone=ZONES,
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001  # made aware below
)
def test_a_daily_plan_comes_once_a_local_day(
    zone: str, hour: int, minute: int, after: datetime
) -> None:
    rule = plan(f"FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}", zone, date(2025, 1, 1))
    moment = after.replace(tzinfo=UTC)
    found = due_between(rule, moment, moment + timedelta(days=30))
    days = [due.astimezone(ZoneInfo(zone)).date() for due in found]
    assert len(days) == len(set(days))
    assert 29 <= len(days) <= 31
    assert next_due(rule, moment) == found[0]
