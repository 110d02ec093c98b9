"""What rules conclude from so many events within a time."""

from dataclasses import replace

import pytest

from alerts.rules.deciding import Transition
from hub.domain.alerts import Phase
from hub.domain.conditions import (
    EventCount,
    Per,
)
from tests.unit.rule_streams import Watch, at, event, replayed, rule

FIRE, RESOLVE, NONE = Transition.FIRE, Transition.RESOLVE, Transition.NONE
THRICE = EventCount(kind="motion.started", count=3, within_s=60)


def remembered(watch: Watch) -> int:
    """How many moments are kept."""
    rows = watch.state().memory["moments"]
    assert isinstance(rows, list)
    return sum(len(row) for row in rows)


def test_so_many_within_the_time_fire_and_quiet_ends_it() -> None:
    watch = Watch(rule(THRICE))
    watch.see(*(event(n, "motion.started", n * 20) for n in (1, 2)))
    assert watch.kinds == []
    watch.see(event(3, "motion.started", 60))
    (turn,) = watch.turns
    assert (turn.transition, turn.since) == (FIRE, at(20))
    assert turn.reason == "motion.started 3 times within 60 s"
    assert watch.state().due_at == at(120)
    # One more renews it, and it is over when none came for as long.
    watch.see(event(4, "motion.started", 119))
    watch.look(at(178))
    assert watch.kinds == [FIRE]
    watch.look(at(179))
    assert watch.kinds == [FIRE, RESOLVE]
    assert watch.states == {}


@pytest.mark.parametrize(("third", "fires"), [(60.0, True), (60.001, False)])
def test_the_window_is_as_long_as_it_says(third: float, *, fires: bool) -> None:
    watch = Watch(rule(THRICE))
    watch.see(event(1, "motion.started", 0), event(2, "motion.started", 30))
    watch.see(event(3, "motion.started", third))
    assert watch.kinds == ([FIRE] if fires else [])
    # What left the window was forgotten: two of the three still count.
    watch.see(event(4, "motion.started", 70))
    assert watch.kinds == [FIRE]


def test_a_count_has_a_time_to_clear_of_its_own() -> None:
    watch = Watch(rule(replace(THRICE, clear_s=600)))
    watch.see(*(event(n, "motion.started", n) for n in range(3)))
    watch.look(at(601))
    assert watch.kinds == [FIRE]
    watch.look(at(602))
    assert watch.kinds == [FIRE, RESOLVE]


def test_what_ended_and_what_is_replayed_does_not_count() -> None:
    watch = Watch(rule(THRICE))
    watch.see(event(1, "motion.started", 1), event(2, "motion.started", 2))
    watch.see(event(3, "motion.started", 3, is_active=False))
    watch.see(replayed(event(4, "motion.started", 4)))
    watch.see(event(5, "motion.stopped", 5))
    assert watch.kinds == []


def test_an_event_seen_twice_counts_once_and_a_late_one_in_its_place() -> None:
    watch = Watch(rule(THRICE))
    twice = event(1, "motion.started", 10)
    watch.see(twice, twice, event(2, "motion.started", 40), twice)
    assert watch.kinds == []
    # It was received a second before the one that was stored before it.
    watch.see(event(3, "motion.started", 39))
    (turn,) = watch.turns
    assert turn.since == at(10)
    assert watch.see(event(3, "motion.started", 39)) == [NONE]


def test_devices_areas_and_marks_are_counted_apart() -> None:
    per_device = Watch(rule(THRICE))
    per_area = Watch(rule(replace(THRICE, per=Per.AREA)))
    per_plan = Watch(rule(replace(THRICE, distinguish_by="plan")))
    for number, device in enumerate((1, 2, 3), start=1):
        one = event(number, "motion.started", number, device=device, plan="a")
        for watch in (per_device, per_area, per_plan):
            watch.see(one)
    assert per_device.kinds == []
    assert [turn.subject for turn in per_area.turns] == ["area:3"]
    assert per_area.state().device_id is None
    assert per_plan.kinds == []
    for number in (4, 5):
        per_plan.see(event(number, "motion.started", number, plan="a"))
    assert [turn.subject for turn in per_plan.turns] == ["device:1/mark:a"]


def test_what_is_counted_is_bounded_and_forgotten() -> None:
    watch = Watch(rule(replace(THRICE, count=100, within_s=3600)))
    watch.see(*(event(n, "motion.started", n * 40.0) for n in range(1, 500)))
    assert remembered(watch) <= 100
    watch.look(at(499 * 40 + 3600 + 5))
    assert (watch.states, watch.turns) == ({}, [])


def test_closed_by_hand_a_count_stays_closed_until_it_was_quiet() -> None:
    watch = Watch(rule(THRICE))
    watch.see(*(event(n, "motion.started", n) for n in range(3)))
    watch.close_by_hand()
    assert watch.see(event(4, "motion.started", 30), event(5, "motion.started", 80)) == [NONE, NONE]
    assert watch.state().phase is Phase.HELD
    watch.look(at(140))
    assert watch.states == {}
    watch.see(*(event(n, "motion.started", 150 + n) for n in range(6, 9)))
    assert watch.kinds == [FIRE, FIRE]


def test_closed_by_hand_and_quiet_while_nobody_looked_it_counts_from_the_start() -> None:
    watch = Watch(rule(THRICE))
    watch.see(*(event(n, "motion.started", n) for n in range(3)))
    watch.close_by_hand()
    watch.see(*(event(n, "motion.started", 1000 + n) for n in range(4, 6)))
    assert watch.state().phase is Phase.PENDING
    watch.see(event(6, "motion.started", 1006))
    assert watch.kinds == [FIRE, FIRE]


def test_a_clock_set_back_does_not_silence_a_count() -> None:
    watch = Watch(rule(THRICE))
    watch.see(event(1, "motion.started", 7200), event(2, "motion.started", 7201))
    watch.see(event(3, "motion.started", 10))
    assert watch.kinds == [FIRE]
    assert watch.state().due_at == at(70)
