"""Who is on duty by shifts, and who may walk a round."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.domain.access import Grant, Principal, Role
from hub.domain.calendars import Calendar, Days, Holiday
from hub.domain.duty_rooms import Shift
from hub.domain.patrol_details import Walker
from hub.patrols.planning.roster import may_walk, people_on_duty, shifts_now

NIGHT = Calendar(rrule="FREQ=DAILY;BYHOUR=22", duration_s=28_800, time_zone="Asia/Shanghai")
DAY = Calendar(rrule="FREQ=DAILY;BYHOUR=6", duration_s=57_600, time_zone="Asia/Shanghai")
# Half past midnight and noon in Shanghai.
AT_NIGHT = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
AT_NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
VILLAGE = "county.town.village"


def shift(path: str, hours: Calendar, *people: int) -> Shift:
    return Shift(area_id=1, area_path=path, name=path, hours=hours, user_ids=people)


SHIFTS = [shift("county", NIGHT, 1, 2), shift("county", DAY, 3), shift("county.town", NIGHT, 4)]


def test_the_nearest_area_with_people_on_duty_counts() -> None:
    assert people_on_duty(SHIFTS, VILLAGE, AT_NIGHT) == frozenset({4})
    assert people_on_duty(SHIFTS, "county", AT_NIGHT) == frozenset({1, 2})
    assert people_on_duty(SHIFTS, VILLAGE, AT_NOON) == frozenset({3})  # the town has no day shift
    assert people_on_duty(SHIFTS, "elsewhere", AT_NIGHT) is None


def test_two_shifts_at_a_time_are_both_on_duty() -> None:
    both = [*SHIFTS, shift("county.town", NIGHT, 5)]
    assert people_on_duty(both, VILLAGE, AT_NIGHT) == frozenset({4, 5})


def test_a_shift_without_people_is_nobody() -> None:
    assert people_on_duty([shift(VILLAGE, NIGHT), *SHIFTS], VILLAGE, AT_NIGHT) == frozenset({4})
    assert people_on_duty([shift(VILLAGE, NIGHT)], VILLAGE, AT_NIGHT) is None


def test_a_shift_ends_to_the_second_and_the_next_begins() -> None:
    six = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)  # 06:00 of the 23rd
    assert people_on_duty(SHIFTS, "county", six) == frozenset({3})
    assert people_on_duty(
        SHIFTS, "county", six.replace(hour=21, minute=59, second=59)
    ) == frozenset({1, 2})


def test_holidays_count_by_the_day_on_which_a_shift_begins() -> None:
    working = replace(NIGHT, days=Days.WORKING)
    friday = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)  # past midnight: Friday's shift
    one = [shift("county", working, 1)]
    off = {date(2026, 11, 27): Holiday(day=date(2026, 11, 27), name="off")}
    assert people_on_duty(one, "county", friday) == frozenset({1})
    assert people_on_duty(one, "county", friday, off) is None


def test_hours_that_cannot_be_used_hold_always() -> None:
    broken = shift("county", replace(NIGHT, time_zone="Mars/Olympus"), 9)
    assert shifts_now([broken], AT_NOON) == [broken]


def person(role: Role, path: str, number: int = 1) -> Principal:
    return Principal(
        user_id=number, name="p", grants=(Grant(role=role, area_id=1, area_path=path),)
    )


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (person(Role.OPERATOR, "county"), True),
        (person(Role.SUPERVISOR, VILLAGE), True),
        (person(Role.VIEWER, "county"), False),
        (person(Role.MAINTAINER, "county"), False),
        (person(Role.OPERATOR, "county.town.village.hut"), False),  # a part of it only
        (person(Role.OPERATOR, "county.tow"), False),  # a name that begins alike
        (Principal(user_id=1, name="p", grants=()), False),
    ],
)
def test_whoever_may_operate_in_the_whole_area_walks_what_names_nobody(
    who: Principal, *, may: bool
) -> None:
    assert may_walk(Walker(), who, VILLAGE) is may


def test_a_named_person_a_role_and_the_roster_keep_others_out() -> None:
    operator = person(Role.OPERATOR, "county", 7)
    assert may_walk(Walker(user_id=7), operator, VILLAGE)
    assert not may_walk(Walker(user_id=8), operator, VILLAGE)
    assert may_walk(Walker(role=Role.OPERATOR), operator, VILLAGE)
    assert not may_walk(Walker(role=Role.DISPATCHER), operator, VILLAGE)
    assert may_walk(Walker(is_roster=True), operator, VILLAGE, frozenset({7, 9}))
    assert not may_walk(Walker(is_roster=True), operator, VILLAGE, frozenset({9}))


def test_while_nobody_is_on_duty_others_may_walk_but_never_without_the_area() -> None:
    roster = Walker(is_roster=True)
    assert may_walk(roster, person(Role.OPERATOR, "county"), VILLAGE, None)
    assert not may_walk(roster, person(Role.OPERATOR, "other"), VILLAGE, frozenset({1}))
    assert not may_walk(Walker(user_id=1), person(Role.VIEWER, "county"), VILLAGE)


def test_a_role_held_in_another_area_does_not_help() -> None:
    two = Principal(
        user_id=1,
        name="p",
        grants=(
            Grant(role=Role.OPERATOR, area_id=1, area_path="county"),
            Grant(role=Role.SUPERVISOR, area_id=2, area_path="other"),
        ),
    )
    assert not may_walk(Walker(role=Role.SUPERVISOR), two, VILLAGE)
