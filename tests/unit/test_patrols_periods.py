"""Nights from noon to noon, and what is made of them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.domain.patrol_reports import Period
from hub.patrols.reporting.periods import (
    bounds,
    first_night_of,
    last_night_of,
    night_of,
    ready_at,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [SHANGHAI, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia"), UTC]


def test_a_night_lasts_from_noon_to_noon() -> None:
    since, until = bounds(Period.NIGHT, date(2026, 11, 21), SHANGHAI)
    assert since == datetime(2026, 11, 21, 4, tzinfo=UTC)
    assert until == datetime(2026, 11, 22, 4, tzinfo=UTC)
    assert night_of(since, SHANGHAI) == date(2026, 11, 21)
    assert night_of(since - timedelta(microseconds=1), SHANGHAI) == date(2026, 11, 20)


def test_a_night_of_changing_clocks_is_longer_or_shorter() -> None:
    longer = bounds(Period.NIGHT, date(2026, 10, 24), BERLIN)
    shorter = bounds(Period.NIGHT, date(2026, 3, 28), BERLIN)
    assert longer[1] - longer[0] == timedelta(hours=25)
    assert shorter[1] - shorter[0] == timedelta(hours=23)


def test_a_week_begins_on_monday_and_a_month_with_its_first_night() -> None:
    assert first_night_of(Period.WEEK, date(2026, 11, 22)) == date(2026, 11, 16)
    assert last_night_of(Period.WEEK, date(2026, 11, 22)) == date(2026, 11, 22)
    assert last_night_of(Period.MONTH, date(2028, 2, 1)) == date(2028, 2, 29)
    since, until = bounds(Period.MONTH, date(2026, 12, 31), SHANGHAI)
    assert since == datetime(2026, 12, 1, 4, tzinfo=UTC)
    assert until == datetime(2027, 1, 1, 4, tzinfo=UTC)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([Period.NIGHT, Period.WEEK, Period.MONTH]),
    st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)),  # noqa: DTZ001 - a zone comes on
    st.sampled_from(ZONES),
)
def test_every_moment_belongs_to_one_period_made_of_whole_nights(
    period: Period, moment: datetime, zone: ZoneInfo
) -> None:
    at = moment.replace(tzinfo=UTC)
    night = night_of(at, zone)
    since, until = bounds(period, night, zone)
    assert since <= at < until
    first, last = first_night_of(period, night), last_night_of(period, night)
    assert bounds(Period.NIGHT, first, zone)[0] == since
    assert bounds(Period.NIGHT, last, zone)[1] == until
    assert bounds(period, last + timedelta(days=1), zone)[0] == until


def test_the_report_is_there_in_the_morning_of_the_wall_clock() -> None:
    half_past_six = timedelta(hours=6, minutes=30)
    assert ready_at(date(2026, 11, 21), SHANGHAI, half_past_six) == datetime(
        2026, 11, 21, 22, 30, tzinfo=UTC
    )
    # Clocks went back at three: it is half past six all the same.
    assert ready_at(date(2026, 10, 24), BERLIN, half_past_six) == datetime(
        2026, 10, 25, 5, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("night", [date.min, date.max])
def test_an_absurd_night_is_refused(night: date) -> None:
    with pytest.raises(Invalid):
        bounds(Period.MONTH, night, SHANGHAI)


def test_a_round_has_no_bounds_of_its_own() -> None:
    with pytest.raises(Invalid):
        bounds(Period.ROUND, date(2026, 11, 21), SHANGHAI)
