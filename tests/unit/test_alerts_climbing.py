"""How alerts climb that nobody takes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from hub.domain.alerts import AlertStatus
from hub.domain.calendars import Holiday
from hub.domain.errors import Invalid
from hub.domain.escalations import OVERDUE, PolicyStep, Until, check_steps
from tests.unit.climbing_story import (
    BOSS,
    CITY,
    CLIMB,
    COUNTY,
    DAY,
    FIRING,
    NIGHT,
    OFFICER,
    REPEATING,
    ROSTER,
    TOWN,
    VILLAGE,
    WORK,
    Story,
    at,
    duty,
    every_minute,
    policy,
    shown,
)


def test_it_climbs_the_tree_until_the_top_and_says_why() -> None:
    story = Story(policy(*CLIMB))
    assert story.watch(every_minute(30)) == [
        (0, 0, [OFFICER]), (5, 1, [TOWN]), (15, 2, [COUNTY]),
    ]  # fmt: skip
    assert story.climb is None
    assert [one.note for one in story.told] == [
        "policy Climb, step 1, on duty in 东村",
        "policy Climb, step 2: nobody acknowledged within 5 min, on duty in 南湖镇",
        "policy Climb, step 3: nobody acknowledged within 10 min, on duty in 南湖区",
    ]
    assert list(story.told[1].receivers.values()) == [story.told[1].note]


def test_what_passed_while_nobody_looked_is_told_in_order_and_said_to_be_late() -> None:
    story = Story(policy(*CLIMB))
    assert story.watch([40]) == [(0, 0, [OFFICER]), (5, 1, [TOWN]), (15, 2, [COUNTY])]
    assert [one.note.partition("; ")[2] for one in story.told] == [
        "told 40 min late", "told 35 min late", "told 25 min late",
    ]  # fmt: skip


@pytest.mark.parametrize("status", [AlertStatus.ACKNOWLEDGED, AlertStatus.ASSIGNED])
def test_who_takes_it_ends_the_climb(status: AlertStatus) -> None:
    story = Story(policy(*CLIMB))
    story.look(at(4))
    story.standing = replace(story.standing, status=status)
    assert story.look(at(60)) == []
    assert story.climb is None


def test_a_policy_until_resolved_goes_on_after_acknowledge() -> None:
    story = Story(policy(*CLIMB, until=Until.RESOLVED))
    story.look(at(1))
    story.standing = replace(story.standing, status=AlertStatus.ACKNOWLEDGED)
    (told,) = story.look(at(5))
    assert told.note == "policy Climb, step 2: not resolved within 5 min, on duty in 南湖镇"
    story.standing = replace(story.standing, status=AlertStatus.RESOLVED)
    assert story.look(at(60)) == []
    assert story.climb is None


def test_an_area_without_anybody_on_duty_is_passed_upward() -> None:
    roster = replace(
        ROSTER,
        duties={"city.county": (duty(COUNTY),), "city.county.town": (duty(TOWN, DAY),)},
    )
    story = Story(policy(*CLIMB, PolicyStep(wait_s=60, climb=3)), roster=roster)
    # In the night nobody is in the town; above the county there is nobody at all.
    assert story.watch(every_minute(30)) == [
        (0, 0, [COUNTY]), (5, 1, [COUNTY]), (15, 2, [COUNTY]), (16, 3, []),
    ]  # fmt: skip
    assert story.told[3].note.endswith("within 1 min, nobody is on duty in city or above")


def test_nobody_anywhere_is_noted_and_the_climb_goes_on() -> None:
    away = replace(ROSTER, reachable=frozenset({BOSS}))
    steps = (
        *CLIMB,
        PolicyStep(wait_s=60, receivers=(BOSS, 77)),
        PolicyStep(wait_s=0, receivers=(77,)),
    )
    story = Story(policy(*steps), roster=away)
    assert story.watch(every_minute(30))[1:] == [
        (5, 1, []), (15, 2, []), (16, 3, [BOSS]), (16, 4, []),
    ]  # fmt: skip
    assert "nobody is on duty in 东村 or above" in story.told[0].note
    assert story.told[3].receivers[BOSS].endswith("within 1 min, named by the policy")
    assert story.told[4].note.endswith("nobody whom the policy names is left")


def test_an_alert_of_a_high_area_climbs_to_the_root_and_no_further() -> None:
    standing = replace(FIRING, area_path="city.county")
    story = Story(policy(*CLIMB), standing)
    assert story.watch(every_minute(20)) == [
        (0, 0, [COUNTY]), (5, 1, [CITY]), (15, 2, [CITY]),
    ]  # fmt: skip


def test_repeats_last_until_the_next_step_begins() -> None:
    story = Story(policy(*REPEATING))
    assert story.watch(every_minute(60)) == [
        (1, 0, [OFFICER]), (3, 0, [OFFICER]), (5, 0, [OFFICER]), (7, 0, [OFFICER]),
        (8, 1, [TOWN]), (18, 1, [TOWN]), (28, 1, [TOWN]),
    ]  # fmt: skip
    assert story.told[2].note == (
        "policy Climb, step 1, repeat 2: nobody acknowledged within 4 min, on duty in 东村"
    )
    assert not any(one.missed for one in story.told)


def test_repeats_that_passed_are_told_once() -> None:
    story = Story(policy(*REPEATING))
    assert story.watch([1.5, 6, 25, 26, 40]) == [
        (1, 0, [OFFICER]), (3, 0, [OFFICER]), (7, 0, [OFFICER]), (8, 1, [TOWN]), (28, 1, [TOWN]),
    ]  # fmt: skip
    assert [one.missed for one in story.told] == [0, 1, 0, 1, 0]
    assert story.told[1].note.endswith("; told 3 min late; 1 repeat missed")


def test_outside_its_hours_a_step_is_left_out_or_waits() -> None:
    left_out = PolicyStep(wait_s=300, climb=1, hours=WORK, repeats=3)
    waits = PolicyStep(wait_s=300, climb=2, hours=WORK, waits_for_hours=True)
    after = PolicyStep(wait_s=600, climb=3)
    story = Story(policy(left_out, waits, after))
    # Monday 22:05; 22:10 becomes Tuesday 8:30, and the step after counts from then.
    morning = 10.5 * 60
    assert story.watch(range(0, 1440, 5)) == [
        (5, 0, []), (morning, 1, [COUNTY]), (morning + 10, 2, [CITY]),
    ]  # fmt: skip
    assert story.told[0].note == "policy Climb, step 1 left out: outside its hours"
    assert "nobody acknowledged within 10 h 25 min" in story.told[1].note
    holiday = {date(2026, 11, 24): Holiday(day=date(2026, 11, 24), name="调休")}
    story = Story(policy(waits), roster=replace(ROSTER, holidays=holiday))
    assert story.watch([5, 3000]) == [(morning + 1440, 0, [COUNTY])]


def test_repeats_outside_hours_are_left_out() -> None:
    step = PolicyStep(wait_s=6 * 3600, climb=0, repeats=4, every_s=3600, hours=NIGHT)
    story = Story(policy(step))
    # 4:00 and 5:00; at 6:00 the night is over.
    assert [minute / 60 for minute, _, _ in story.watch(range(0, 1200, 7))] == [6, 7]
    assert story.climb is None


def test_hours_that_never_come_again_or_cannot_be_used_are_no_reason_to_wait_for_ever() -> None:
    past = replace(WORK, rrule="FREQ=DAILY;UNTIL=20200101;BYHOUR=8")
    story = Story(policy(PolicyStep(wait_s=0, climb=0, hours=past, waits_for_hours=True), CLIMB[1]))
    assert story.watch([6]) == [(0, 0, []), (5, 1, [TOWN])]
    broken = replace(WORK, time_zone="Nowhere/Land")
    roster = replace(ROSTER, duties={VILLAGE: (duty(OFFICER, broken),)})
    story = Story(policy(PolicyStep(wait_s=0, climb=0, hours=broken)), roster=roster)
    assert story.watch([0]) == [(0, 0, [OFFICER])]


def test_what_comes_late_is_told_to_those_on_duty_now_as_well() -> None:
    shifts = replace(ROSTER, duties={VILLAGE: (duty(11, NIGHT), duty(12, DAY), duty(11))})
    story = Story(policy(CLIMB[0]), roster=shifts)
    (told,) = story.look(at(9 * 60))
    assert list(told.receivers) == [11, 12]
    assert told.late == {12}


def test_a_deadline_brings_the_next_step_forward() -> None:
    slow = (PolicyStep(wait_s=0, climb=0), PolicyStep(wait_s=3600, climb=1), CLIMB[2])
    standing = replace(FIRING, acknowledge_by=at(5))
    story = Story(policy(*slow), standing)
    assert story.watch(every_minute(20)) == [
        (0, 0, [OFFICER]), (5, 1, [TOWN]), (15, 2, [COUNTY]),
    ]  # fmt: skip
    assert "step 2: overdue, nobody acknowledged within 5 min" in story.told[1].note


def test_what_is_not_resolved_in_time_is_told_one_area_up() -> None:
    standing = replace(FIRING, resolve_by=at(240))
    story = Story(policy(*CLIMB), standing)
    story.look(at(2))
    story.standing = replace(standing, status=AlertStatus.ASSIGNED)
    assert story.watch([10, 239, 240, 300])[1:] == [(240, OVERDUE, [TOWN])]
    assert story.told[1].note == "policy Climb: not resolved in time, on duty in 南湖镇"
    assert story.climb is None
    # Nobody took it, and the policy came to its end before.
    story = Story(policy(*CLIMB), standing)
    assert story.watch(every_minute(300))[-1] == (240, OVERDUE, [TOWN])
    # Whoever was told after the deadline knows.
    late = replace(FIRING, resolve_by=at(10))
    assert Story(policy(*CLIMB), late).watch(every_minute(300))[-1] == (15, 2, [COUNTY])


def test_quiet_time_does_not_count() -> None:
    story = Story(policy(*CLIMB))
    story.look(at(1))
    story.standing = replace(FIRING, quiet_until=at(60))
    assert story.watch(every_minute(90))[1:] == [(65, 1, [TOWN]), (75, 2, [COUNTY])]
    # Also when nobody looked before it was over.
    story = Story(policy(*CLIMB), replace(FIRING, quiet_until=at(60)))
    assert story.watch([61, 90]) == [(60, 0, [OFFICER]), (65, 1, [TOWN]), (75, 2, [COUNTY])]
    # A quiet that ends before the step is due counts, too: people are told again at its end.
    story = Story(policy(*CLIMB))
    story.look(at(1))
    story.standing = replace(FIRING, quiet_until=at(3))
    assert story.watch([2, 7, 8])[1:] == [(8, 1, [TOWN])]
    # The deadline to resolve waits for its end.
    story = Story(policy(CLIMB[0]), replace(FIRING, resolve_by=at(100)))
    story.look(at(1))
    story.standing = replace(story.standing, quiet_until=at(120))
    assert story.watch([110, 119, 120])[1:] == [(120, OVERDUE, [TOWN])]


def test_quiet_that_somebody_ends_early_lets_the_wait_begin_at_once() -> None:
    story = Story(policy(*CLIMB))
    story.look(at(1))
    story.standing = replace(FIRING, quiet_until=at(60))
    story.look(at(2))
    story.standing = replace(FIRING, quiet_until=at(10))
    story.look(at(10))
    story.standing = FIRING
    assert story.watch([11, 14, 15])[1:] == [(15, 1, [TOWN])]


def test_repeats_go_on_after_quiet() -> None:
    story = Story(policy(*REPEATING))
    story.watch([1, 3])
    story.standing = replace(FIRING, quiet_until=at(60))
    assert story.watch(range(4, 71))[2:] == [
        (62, 0, [OFFICER]), (64, 0, [OFFICER]), (66, 0, [OFFICER]), (67, 1, [TOWN]),
    ]  # fmt: skip


@pytest.mark.threat("K10")
def test_a_clock_set_back_delays_nothing_by_more_than_the_wait_under_way() -> None:
    story = Story(policy(*CLIMB))
    assert story.watch([0]) == [(0, 0, [OFFICER])]
    # Three hours back: the wait of five minutes begins again, it does not last three hours.
    assert story.look(at(-180)) == []
    assert story.watch([-176, -175])[1:] == [(-175, 1, [TOWN])]
    # Clocks that differ a little change nothing.
    story = Story(policy(*CLIMB))
    story.look(at(0))
    story.look(at(0) - timedelta(seconds=4))
    assert story.watch([4.9, 5])[1:] == [(5, 1, [TOWN])]


@pytest.mark.threat("K10")
def test_a_clock_set_forward_is_like_an_absence() -> None:
    story = Story(policy(*REPEATING))
    story.look(at(1))
    assert [shown(one) for one in story.look(at(24 * 60))] == [(3, 0, [OFFICER]), (8, 1, [TOWN])]
    assert [one.missed for one in story.told] == [0, 2, 2]


def test_a_policy_that_changed_or_is_off_ends_cleanly() -> None:
    story = Story(policy(*CLIMB))
    story.look(at(6))
    story.policy = policy(CLIMB[0])
    assert story.look(at(60)) == []
    assert story.climb is None
    story = Story(policy(*CLIMB), replace(FIRING, resolve_by=at(10)))
    story.policy = replace(story.policy, is_enabled=False)
    assert story.look(at(60)) == []
    assert story.climb is None


def test_what_is_folded_into_another_alert_climbs_no_further() -> None:
    story = Story(policy(*CLIMB), replace(FIRING, resolve_by=at(10)))
    story.look(at(0))
    story.standing = replace(story.standing, is_folded=True)
    assert story.look(at(60)) == []
    assert story.climb is None


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ((), "1 to 20 steps"),
        ((CLIMB[0],) * 21, "1 to 20 steps"),
        ((CLIMB[0], PolicyStep(wait_s=60)), "step 2: it climbs, or names receivers"),
        ((PolicyStep(wait_s=-1, climb=0),), "it waits 0 to"),
        ((PolicyStep(wait_s=float("nan"), climb=0),), "it waits 0 to"),
        ((PolicyStep(wait_s=0, climb=11),), "it climbs 0 to 10"),
        ((PolicyStep(wait_s=0, climb=0, repeats=101),), "it repeats 0 to 100"),
        ((PolicyStep(wait_s=0, climb=0, every_s=5),), "repeats are 30 to"),
        ((PolicyStep(wait_s=0, climb=0, waits_for_hours=True),), "only hours can be waited for"),
    ],
)
def test_steps_by_which_nobody_can_climb_are_refused(
    steps: tuple[PolicyStep, ...], fault: str
) -> None:
    with pytest.raises(Invalid, match=fault):
        check_steps(steps)
