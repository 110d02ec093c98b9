"""Hours by rule: when they hold, when they begin, and which are refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules.defaults import known_holidays
from hub.domain.calendars import (
    LONGEST_SPELL_S,
    SHORTEST_SPELL_S,
    Calendar,
    Days,
    Holiday,
    build_calendar,
    parse_calendar,
)
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.runtime.calendars import check_calendar, is_active, next_start

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = Calendar(
    rrule="FREQ=DAILY;BYHOUR=22;BYMINUTE=0", duration_s=8 * 3600, time_zone="Asia/Shanghai"
)
OFFICE = Calendar(
    rrule="FREQ=DAILY;BYHOUR=8;BYMINUTE=30",
    duration_s=9 * 3600,
    time_zone="Asia/Shanghai",
    days=Days.WORKING,
)
HOLIDAYS = {one.day: one for one in known_holidays()}


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-11-22T21:59:59", False),
        ("2026-11-22T22:00:00", True),
        ("2026-11-23T00:00:00", True),
        ("2026-11-23T05:59:59", True),
        ("2026-11-23T06:00:00", False),
    ],
)
def test_a_night_shift_goes_over_midnight(moment: str, *, holds: bool) -> None:
    assert is_active(NIGHT, local(moment)) is holds


def test_without_a_calendar_it_is_always() -> None:
    assert is_active(None, NOW)


def test_the_start_is_later_than_the_moment_never_equal() -> None:
    first = next_start(NIGHT, local("2026-11-22T12:00"))
    assert first == local("2026-11-22T22:00")
    assert next_start(NIGHT, first) == local("2026-11-23T22:00")
    assert next_start(NIGHT, local("2026-11-22T23:00")) == local("2026-11-23T22:00")


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-20", True),  # Friday
        ("2026-11-21", False),  # Saturday
        ("2026-10-01", False),  # a Thursday, the National Day
        ("2026-10-10", True),  # a Saturday that is worked
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2026-02-24", True),
    ],
)
def test_working_days_count_by_the_list(day: str, *, works: bool) -> None:
    noon = local(f"{day}T12:00")
    assert is_active(OFFICE, noon, HOLIDAYS) is works
    assert is_active(replace(OFFICE, days=Days.OFF), noon, HOLIDAYS) is not works
    assert is_active(replace(OFFICE, days=Days.ANY), noon, HOLIDAYS)


def test_the_day_a_night_begins_on_decides() -> None:
    nights = replace(NIGHT, days=Days.WORKING)
    assert is_active(nights, local("2026-11-21T03:00")), "the night from Friday to Saturday"
    assert not is_active(nights, local("2026-11-22T03:00"))
    assert next_start(nights, local("2026-11-20T23:00")) == local("2026-11-23T22:00")
    golden = next_start(OFFICE, local("2026-09-30T12:00"), HOLIDAYS)
    assert golden == local("2026-10-08T08:30")


def test_a_day_declared_by_hand_counts_at_once() -> None:
    closed = {date(2026, 11, 23): Holiday(day=date(2026, 11, 23), name="typhoon")}
    assert is_active(OFFICE, local("2026-11-23T12:00"))
    assert not is_active(OFFICE, local("2026-11-23T12:00"), closed)


def test_the_notice_of_2026_is_known_whole() -> None:
    days = list(known_holidays())
    assert len({one.day for one in days}) == len(days)
    off = [one.day for one in days if not one.is_working]
    worked = [one.day for one in days if one.is_working]
    assert len(off) == 3 + 9 + 3 + 5 + 3 + 3 + 7
    assert all(day.weekday() >= 5 for day in worked)
    assert len(worked) == 6


def test_an_evening_in_another_zone_is_the_same_moment_everywhere() -> None:
    berlin = replace(NIGHT, time_zone="Europe/Berlin")
    assert is_active(berlin, datetime(2026, 11, 22, 21, 30, tzinfo=UTC))
    assert not is_active(berlin, datetime(2026, 11, 22, 20, 30, tzinfo=UTC))
    # Clocks go back an hour on 25 October 2026: the night begins at 22:00 all the same.
    assert next_start(berlin, datetime(2026, 10, 25, 12, tzinfo=UTC)) == local(
        "2026-10-25T22:00", ZoneInfo("Europe/Berlin")
    )


def test_stored_hours_that_cannot_be_used_hold_always_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lost = replace(NIGHT, time_zone="Mars/Olympus")
    assert is_active(lost, NOW)
    assert is_active(lost, NOW + timedelta(hours=12))
    assert next_start(lost, NOW) is None
    assert len([one for one in caplog.records if "hold always" in one.getMessage()]) == 1


def test_a_season_and_a_weekend_are_spells_too() -> None:
    heating = replace(NIGHT, rrule="FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=15", duration_s=120 * 86_400)
    weekend = replace(NIGHT, rrule="FREQ=WEEKLY;BYDAY=SA", duration_s=2 * 86_400)
    for calendar in (heating, weekend):
        check_calendar(calendar, NOW)
    assert is_active(heating, local("2027-03-14T12:00"))
    assert not is_active(heating, local("2027-03-16T12:00"))
    assert is_active(weekend, local("2026-11-22T23:59"))
    assert not is_active(weekend, local("2026-11-23T00:00"))


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"rrule": "FREQ=SECONDLY"}, "rrule", "FREQ must be"),
        ({"rrule": "FREQ=DAILY;COUNT=3"}, "rrule", "COUNT needs a first day"),
        ({"rrule": "FREQ=DAILY;BYMINUTE=0,1"}, "rrule", "5 minutes apart"),
        ({"rrule": "FREQ=HOURLY"}, "duration_s", "overlap"),
        ({"duration_s": 86_401.0}, "duration_s", "overlap"),
        ({"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "rrule", "never"),
        ({"rrule": "FREQ=DAILY;UNTIL=20261101"}, "rrule", "never"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "no such time zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "no such time zone"),
    ],
)
def test_hours_that_make_no_sense_are_refused(
    change: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        check_calendar(replace(NIGHT, **change), NOW)  # type: ignore[arg-type]  # by name
    assert caught.value.field == field


def test_saturdays_that_are_worked_and_mondays_that_are_off_make_sense() -> None:
    saturdays = replace(OFFICE, rrule="FREQ=WEEKLY;BYDAY=SA;BYHOUR=8")
    check_calendar(saturdays, NOW)
    assert next_start(saturdays, NOW, HOLIDAYS) is None, "until the next year is entered"
    assert is_active(saturdays, local("2026-10-10T09:00"), HOLIDAYS)
    mondays = replace(OFFICE, rrule="FREQ=WEEKLY;BYDAY=MO;BYHOUR=8", days=Days.OFF)
    check_calendar(mondays, NOW)
    assert is_active(mondays, local("2026-10-05T09:00"), HOLIDAYS)
    assert not is_active(mondays, local("2026-10-12T09:00"), HOLIDAYS)


def test_the_last_night_may_still_go_on() -> None:
    last = replace(NIGHT, rrule=NIGHT.rrule + ";UNTIL=20261121")
    check_calendar(last, local("2026-11-22T02:00"))
    with pytest.raises(Invalid, match="never come again"):
        check_calendar(last, local("2026-11-22T07:00"))


CALENDARS = st.builds(
    Calendar,
    rrule=st.sampled_from(
        ["FREQ=DAILY;BYHOUR=22", "FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=6", "FREQ=MONTHLY;BYMONTHDAY=1"]
    ),
    duration_s=st.floats(SHORTEST_SPELL_S, 86_400),
    time_zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
    days=st.sampled_from(Days),
)


@given(CALENDARS)
def test_what_is_built_can_be_read(calendar: Calendar) -> None:
    assert parse_calendar(build_calendar(calendar)) == calendar


@settings(max_examples=40, deadline=None)
@given(CALENDARS, st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001  # made aware below
def test_a_spell_holds_from_its_start_for_as_long_as_it_lasts(
    calendar: Calendar, moment: datetime
) -> None:
    begin = next_start(calendar, moment.replace(tzinfo=UTC), HOLIDAYS)
    if begin is None:
        assert (calendar.days, "MO,FR" in calendar.rrule) == (Days.OFF, True)
        return
    last = begin + timedelta(seconds=calendar.duration_s) - timedelta(microseconds=1)
    assert is_active(calendar, begin, HOLIDAYS)
    assert is_active(calendar, last, HOLIDAYS)
    if not is_active(calendar, moment.replace(tzinfo=UTC), HOLIDAYS):
        assert not is_active(calendar, begin - timedelta(microseconds=1), HOLIDAYS)


BUILT = build_calendar(NIGHT)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rrule": ""}, "rrule"),
        ({"rrule": None}, "rrule"),
        ({"rrule": "FREQ=DAILY\nRDATE:20270101"}, "rrule"),
        ({"rrule": "F" * 501}, "rrule"),
        ({"duration_s": 59}, "duration_s"),
        ({"duration_s": True}, "duration_s"),
        ({"duration_s": "3600"}, "duration_s"),
        ({"duration_s": float("nan")}, "duration_s"),
        ({"duration_s": LONGEST_SPELL_S + 1}, "duration_s"),
        ({"time_zone": 8}, "time_zone"),
        ({"days": "sometimes"}, "days"),
        ({"days": ["any"]}, "days"),
        ({"starts_on": "2026-01-01"}, "starts_on"),
    ],
)
def test_json_that_is_no_calendar_is_refused_by_name(change: dict[str, Json], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_calendar({**BUILT, **change})
    assert caught.value.field == field
