"""A device by days: what counts before what, midnights of the site, days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hub.maintenance.device_days import DeviceDay, divide_days
from hub.store.device_days import Span, SpanKind

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)


def span(kind: SpanKind, began: datetime, hours: float) -> Span:
    return Span(kind=kind, started_at=began, ended_at=began + hours * HOUR)


def hours(day: DeviceDay) -> tuple[float, ...]:
    return tuple(s / 3600 for s in (day.online_s, day.offline_s, day.unknown_s, day.planned_s))


def test_planned_counts_before_unknown_and_unknown_before_offline() -> None:
    midnight = datetime(2026, 11, 21, 16, tzinfo=UTC)  # in Shanghai, of the 22nd
    spans = [
        span(SpanKind.OFFLINE, midnight - 2 * HOUR, 12),
        span(SpanKind.UNKNOWN, midnight + 4 * HOUR, 3),
        span(SpanKind.PLANNED, midnight + 6 * HOUR, 3),
    ]
    until = midnight + 20 * HOUR
    days = divide_days(spans, since=midnight - 5 * HOUR, until=until, zone=SHANGHAI)
    assert [day.day for day in days] == [date(2026, 11, 21), date(2026, 11, 22)]
    # Of the first day 5 hours are managed: 3 online, then the outage begins.
    assert hours(days[0]) == (3, 2, 0, 0)
    assert hours(days[1]) == (10, 5, 2, 3)
    assert [day.outages for day in days] == [1, 1]


def test_days_on_which_clocks_are_changed_have_23_and_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for day, length in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        begin = datetime(day.year, day.month, day.day, tzinfo=berlin).astimezone(UTC)
        found = divide_days([], since=begin, until=begin + length * HOUR, zone=berlin)
        assert [(one.day, hours(one)) for one in found] == [(day, (length, 0, 0, 0))]


def test_every_second_of_the_period_is_in_one_day_and_one_share() -> None:
    rng = Random(22)
    since = datetime(2025, 10, 18, 3, 7, tzinfo=UTC)
    until = since + timedelta(days=400)
    spans = []
    for kind in SpanKind:
        at = since
        while (at := at + rng.random() * 90 * HOUR) < until - 3 * HOUR:
            spans.append(span(kind, at, rng.random() * 2))
            at = spans[-1].ended_at
    days = divide_days(spans, since=since, until=until, zone=SHANGHAI)
    assert len(days) == 401
    total = sum(sum(hours(day)) for day in days)
    assert abs(total - 400 * 24) < 1e-6
    planned = [one for one in spans if one.kind is SpanKind.PLANNED]
    expected = sum((one.ended_at - one.started_at).total_seconds() for one in planned)
    assert abs(sum(day.planned_s for day in days) - expected) < 1e-3
