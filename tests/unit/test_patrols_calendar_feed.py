"""The feed of coming rounds: read back by a calendar library, and inert whatever is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from hub.domain.patrol_details import PlanDetails, RollCall
from hub.domain.patrols import PatrolMode, PatrolPlan
from hub.patrols.planning.calendar_feed import MOST_EVENTS, build_feed
from hub.patrols.planning.plans import due_between
from hub.store.patrols import PlacedPlan

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PLAN = PatrolPlan(
    id=7,
    name="零点夜查",
    area_id=1,
    rrule="FREQ=DAILY;BYHOUR=23;BYMINUTE=30",
    time_zone="Europe/Berlin",
    starts_on=date(2026, 10, 1),
    lasts_s=9000,
)


def placed(plan: PatrolPlan = PLAN, area: str = "County") -> PlacedPlan:
    return PlacedPlan(plan=plan, area_name=area)


def read(*plans: PlacedPlan, days: int = 31) -> list[Event]:
    calendar = Calendar.from_ical(build_feed(plans, now=NOW, days=days))
    assert str(calendar["version"]) == "2.0"
    assert calendar["prodid"]
    events = [one for one in calendar.walk() if isinstance(one, Event)]
    assert len(events) == len(calendar.walk()) - 1
    return events


def test_every_coming_round_is_in_it_once_at_its_moment() -> None:
    events = read(placed())
    begins = [one.decoded("dtstart") for one in events]
    assert begins == due_between(PLAN, NOW, NOW + timedelta(days=31))
    assert {one.decoded("dtend") - one.decoded("dtstart") for one in events} == {
        timedelta(seconds=9000)
    }
    assert len({str(one["uid"]) for one in events}) == len(events) == 31
    assert str(events[0]["summary"]) == "零点夜查"
    assert str(events[0]["location"]) == "County"


def test_a_round_keeps_its_name_so_that_calendars_do_not_double_it() -> None:
    first = {str(one["uid"]) for one in read(placed(), days=5)}
    renamed = replace(PLAN, name="weekly")
    again = {str(one["uid"]) for one in read(placed(renamed), days=5)}
    assert first == again
    assert first.isdisjoint(str(one["uid"]) for one in read(placed(replace(PLAN, id=8)), days=5))


def test_days_left_out_are_not_in_it() -> None:
    without = replace(PLAN, exceptions=(date(2026, 11, 23),), ends_on=date(2026, 11, 24))
    days = [one.decoded("dtstart").day for one in read(placed(without))]
    assert days == [22, 24]


def test_plans_come_mixed_in_the_order_of_time_and_are_bounded() -> None:
    fast = replace(PLAN, id=8, rrule="FREQ=MINUTELY;INTERVAL=5", lasts_s=None)
    events = read(placed(), placed(fast), days=366)
    assert len(events) == MOST_EVENTS
    begins = [one.decoded("dtstart") for one in events]
    assert begins == sorted(begins)
    assert "dtend" not in events[0]


def test_a_plan_that_cannot_be_used_here_does_not_spoil_the_others() -> None:
    broken = replace(PLAN, id=9, time_zone="Mars/Olympus")
    assert len(read(placed(broken), placed(), days=3)) == 3


def test_it_says_how_it_is_walked() -> None:
    plan = replace(PLAN, mode=PatrolMode.MIXED, details=PlanDetails(roll_call=RollCall()))
    said = str(read(placed(plan), days=1)[0]["description"])
    assert "machine first" in said
    assert "点名" in said


KNOWN = {
    *("BEGIN", "END", "PRODID", "VERSION", "METHOD", "X-WR-CALNAME", "REFRESH-INTERVAL"),
    *("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "DESCRIPTION", ""),
}
HOSTILE = [
    "night\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:forged",
    "night\nATTACH:https://evil.test/x",
    "a;b,c\\n\\;d",
    "<img src=x onerror=alert(1)>{{7*7}}",
    "BEGIN:VALARM",
    "x" * 600 + "\r\n ATTENDEE:mailto:all@evil.test",
    "\u2028X-EVIL:1\u2029\u0085\x0b\x0c",
    '"quoted":^n^\'',
]


@pytest.mark.threat("T7")
@pytest.mark.threat("T10")
@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_one_text_of_one_event(name: str) -> None:
    feed = build_feed([placed(replace(PLAN, name=name), name)], now=NOW, days=1)
    lines = feed.replace(b"\r\n ", b"").decode().split("\r\n")  # unfolded
    assert [line for line in lines if line.startswith("BEGIN:")] == [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
    ]
    assert {line.partition(":")[0].partition(";")[0] for line in lines} == KNOWN
    assert not any("\n" in line or "\r" in line for line in lines)


@pytest.mark.threat("T7")
@settings(max_examples=50, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_any_name_is_read_back_as_one_line_of_text(name: str) -> None:
    (event,) = read(placed(replace(PLAN, name=name)), days=1)
    shown = str(event["summary"])
    assert _visible(shown) == _visible(name)
    assert not set(shown) & set("\r\n\x00")


def _visible(text: str) -> str:
    return "".join(one for one in text if one.isprintable() and not one.isspace())
