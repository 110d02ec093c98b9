"""What rules conclude from many events, from none, and from several together."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.observations import LastSeen, ValueSeen, observe, subject_of
from alerts.rules import LOOK_AGAIN, Transition, advance, decide
from hub.domain.alerts import Phase, RuleState
from hub.domain.conditions import (
    Combination,
    Condition,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    Per,
)
from tests.unit.rule_streams import T0, Watch, at, event, replayed, rule

FIRE, RESOLVE, NONE = Transition.FIRE, Transition.RESOLVE, Transition.NONE
THRICE = EventCount(kind="motion.started", count=3, within_s=60)
BEAT = NothingSeen(kind="heartbeat", for_s=60)
SILENT = NothingSeen(point="temp", for_s=600)
DOOR, MOTION = EventPattern(kind="door.opened"), EventPattern(kind="motion.started")
BREAK_IN = Combination(events=(DOOR, MOTION), within_s=30, clear_s=120, clear_kind="disarmed")


def point() -> RuleState:
    return RuleState(rule_id=1, subject="device:1/point:7", area_id=3, device_id=1, point_id=7)


def remembered(watch: Watch) -> int:
    """How many moments are kept."""
    rows = watch.state().memory["moments"]
    assert isinstance(rows, list)
    return sum(len(row) for row in rows)


# --- counts


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


# --- absence


def test_the_wait_begins_with_the_first_and_anew_with_each() -> None:
    watch = Watch(rule(BEAT))
    watch.look(at(10_000))
    watch.see(event(1, "heartbeat", 0), event(2, "heartbeat", 50))
    watch.look(at(109))
    assert watch.kinds == []
    watch.look(at(110))
    (turn,) = watch.turns
    assert (turn.transition, turn.since, turn.reason) == (FIRE, at(50), "no heartbeat for 60 s")


def test_the_next_one_ends_it_and_begins_the_wait() -> None:
    watch = Watch(rule(BEAT))
    watch.see(event(1, "heartbeat", 0), event(2, "heartbeat", 300))
    assert watch.kinds == [FIRE, RESOLVE]
    assert watch.times == [at(60), at(300)]
    state = watch.state()
    assert (state.phase, state.due_at, state.alert_id) == (Phase.PENDING, at(360), None)
    watch.look(at(360))
    assert watch.kinds == [FIRE, RESOLVE, FIRE]


def test_a_replayed_sign_of_life_is_none_and_the_last_one_again_neither() -> None:
    watch = Watch(rule(BEAT))
    last = event(1, "heartbeat", 0)
    watch.see(last, replayed(event(2, "heartbeat", 30)))
    watch.look(at(60))
    assert watch.see(last, replayed(event(3, "heartbeat", 70))) == [NONE]
    assert watch.kinds == [FIRE]
    assert observe(rule(BEAT), replayed(event(3, "heartbeat", 70))) is None


def test_one_that_came_a_moment_late_does_not_shorten_the_wait() -> None:
    watch = Watch(rule(BEAT))
    watch.see(event(1, "heartbeat", 10), event(2, "heartbeat", 9))
    assert watch.state().due_at == at(70)


def test_what_is_expected_of_all_is_missed_of_those_that_never_sent_it() -> None:
    watched = rule(replace(BEAT, expects_all=True))
    blank = subject_of(watched, event(1, "heartbeat", 0))
    known = decide(watched, blank, LastSeen(last_at=T0), T0)
    assert (known.transition, known.state.due_at) == (Transition.WAIT, at(60))
    again = decide(watched, known.state, LastSeen(last_at=at(30)), at(30))
    assert (again.transition, again.state) == (NONE, known.state)
    watch = Watch(watched)
    watch.states[blank.subject] = known.state
    watch.look(at(60))
    watch.see(event(1, "heartbeat", 61))
    assert watch.kinds == [FIRE, RESOLVE]


def test_closed_by_hand_an_absence_is_told_again_only_after_it_was_there() -> None:
    watch = Watch(rule(BEAT))
    watch.see(event(1, "heartbeat", 0))
    watch.look(at(60))
    watch.close_by_hand()
    watch.look(at(1000))
    watch.see(event(2, "heartbeat", 1000))
    watch.look(at(1060))
    assert watch.kinds == [FIRE, FIRE]


def test_a_silent_point_is_missed_and_its_next_reading_ends_it() -> None:
    watched = rule(SILENT)
    fine = decide(watched, point(), LastSeen(last_at=T0), at(599))
    assert (fine.transition, fine.state.due_at) == (Transition.WAIT, at(600))
    fired = decide(watched, point(), LastSeen(last_at=T0), at(600))
    assert (fired.transition, fired.reason) == (FIRE, "no reading of temp for 600 s")
    assert fired.state.since == T0
    still = decide(watched, fired.state, LastSeen(last_at=T0), at(700))
    assert (still.transition, still.state) == (NONE, fired.state)
    for seen in (LastSeen(last_at=at(710)), ValueSeen(value=20.0)):
        over = decide(watched, fired.state, seen, at(711))
        assert (over.transition, over.state.phase) == (RESOLVE, Phase.CLEAR)
    # A sensor whose clock runs ahead is not silent for as much longer.
    ahead = decide(watched, point(), LastSeen(last_at=at(9999)), T0)
    assert ahead.state.due_at == at(600)


def test_times_that_were_made_longer_meanwhile_are_waited_for() -> None:
    beats, often = Watch(rule(BEAT)), Watch(rule(THRICE))
    beats.see(event(1, "heartbeat", 0))
    often.see(*(event(n, "motion.started", n) for n in range(3)))
    beats.rule, often.rule = rule(replace(BEAT, for_s=90)), rule(replace(THRICE, clear_s=90))
    for watch, kinds in ((beats, []), (often, [FIRE])):
        watch.look(at(62))
        assert watch.kinds == kinds
    for watch in (beats, often):
        watch.look(at(92))
    assert (beats.kinds, often.kinds) == ([FIRE], [FIRE, RESOLVE])


# --- combinations


def test_both_within_the_time_fire_in_any_order() -> None:
    for kinds in (("door.opened", "motion.started"), ("motion.started", "door.opened")):
        watch = Watch(rule(BREAK_IN))
        watch.see(event(1, kinds[0], 5), event(2, kinds[1], 35))
        (turn,) = watch.turns
        assert (turn.transition, turn.since) == (FIRE, at(5))
        assert turn.reason == "door.opened and motion.started within 30 s"


def test_too_far_apart_is_no_combination_but_the_later_one_still_counts() -> None:
    watch = Watch(rule(BREAK_IN))
    watch.see(event(1, "door.opened", 0), event(2, "motion.started", 30.5))
    assert watch.kinds == []
    watch.see(event(3, "door.opened", 60))
    assert watch.kinds == [FIRE]


def test_in_order_means_in_order_by_the_time_they_were_received() -> None:
    ordered = rule(replace(BREAK_IN, in_order=True))
    wrong = Watch(ordered)
    wrong.see(event(1, "motion.started", 0), event(2, "door.opened", 10))
    assert wrong.kinds == []
    wrong.see(event(3, "motion.started", 20))
    assert [turn.reason for turn in wrong.turns] == ["door.opened then motion.started within 30 s"]
    assert wrong.turns[0].since == at(10)
    # Stored in the wrong order, a second apart.
    late = Watch(ordered)
    late.see(event(1, "motion.started", 11), event(2, "door.opened", 10))
    assert late.kinds == [FIRE]


def test_three_in_order_use_the_latest_start() -> None:
    kinds = ("a", "b", "c")
    three = Combination(
        events=tuple(EventPattern(kind=kind) for kind in kinds), within_s=10, in_order=True
    )
    watch = Watch(rule(three))
    stream = [("a", 0), ("b", 1), ("a", 8), ("c", 11), ("b", 12), ("c", 13)]
    watch.see(*(event(n, kind, s) for n, (kind, s) in enumerate(stream, start=1)))
    (turn,) = watch.turns
    assert turn.since == at(8)


def test_whether_it_began_or_ended_can_be_asked() -> None:
    left = Combination(
        events=(EventPattern(kind="door.opened", is_active=False), MOTION), within_s=30
    )
    watch = Watch(rule(left))
    watch.see(event(1, "door.opened", 0, is_active=True), event(2, "motion.started", 1))
    watch.see(event(3, "motion.started", 2, is_active=False))
    assert watch.kinds == []
    watch.see(event(4, "door.opened", 3, is_active=False))
    assert watch.kinds == [FIRE]


def test_only_a_new_complete_one_lets_it_go_on() -> None:
    watch = Watch(rule(BREAK_IN))
    watch.see(event(1, "door.opened", 0), event(2, "motion.started", 1))
    watch.see(event(3, "motion.started", 100), event(4, "motion.started", 119))
    assert watch.state().due_at == at(121)
    watch.see(event(5, "door.opened", 120))
    assert watch.state().due_at == at(240)
    watch.look(at(240))
    assert watch.kinds == [FIRE, RESOLVE]


def test_the_kind_that_ends_it_ends_it_and_what_was_collected() -> None:
    watch = Watch(rule(BREAK_IN))
    watch.see(event(1, "door.opened", 0), event(2, "motion.started", 1), event(3, "disarmed", 2))
    assert watch.kinds == [FIRE, RESOLVE]
    watch.see(event(4, "door.opened", 10), event(5, "disarmed", 11))
    assert watch.states == {}
    watch.see(event(6, "motion.started", 12))
    assert watch.kinds == [FIRE, RESOLVE]
    # Also one that is told again after a restart of the adapter.
    watch.see(event(7, "door.opened", 13), replayed(event(8, "disarmed", 20)))
    assert watch.kinds == [FIRE, RESOLVE, FIRE, RESOLVE]


def test_a_combination_holds_on_one_device_or_within_one_area() -> None:
    stream = [event(1, "door.opened", 0, device=1), event(2, "motion.started", 1, device=2)]
    apart, together = Watch(rule(BREAK_IN)), Watch(rule(replace(BREAK_IN, per=Per.AREA)))
    apart.see(*stream)
    together.see(*stream)
    assert apart.kinds == []
    assert [turn.subject for turn in together.turns] == ["area:3"]


def test_a_flood_of_one_event_is_remembered_in_bounds() -> None:
    watch = Watch(rule(BREAK_IN))
    watch.see(*(event(n, "door.opened", n * 0.01) for n in range(1, 1000)))
    assert remembered(watch) <= 16
    watch.see(event(2000, "motion.started", 12))
    assert watch.kinds == [FIRE]


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        (THRICE, ["motion.started"] * 4),
        (BREAK_IN, ["door.opened", "motion.started"] * 2),
    ],
)
def test_replayed_events_never_fire(condition: Condition, kinds: list[str]) -> None:
    watch = Watch(rule(condition))
    watch.see(*(replayed(event(n, kind, n)) for n, kind in enumerate(kinds, start=1)))
    assert (watch.turns, watch.states) == ([], {})


# --- what is held back


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        (THRICE, ["motion.started"] * 3),
        (BREAK_IN, ["door.opened", "motion.started"]),
    ],
)
def test_what_was_complete_in_a_window_is_told_after_it_if_it_goes_on(
    condition: Condition, kinds: list[str]
) -> None:
    watch = Watch(rule(condition), hold="in a maintenance window")
    for number, kind in enumerate(kinds, start=1):
        watch.see(event(number, kind, number))
    last = watch.last
    assert last is not None
    assert (last.is_held_back, last.hold) == (True, "in a maintenance window")
    assert last.reason.endswith("; held back: in a maintenance window")
    assert watch.state().phase is Phase.PENDING
    assert watch.state().due_at == at(len(kinds)) + LOOK_AGAIN
    for number, kind in enumerate(kinds, start=10):
        watch.see(event(number, kind, 40 + number))
    assert watch.last is not None
    assert not watch.last.is_held_back, "it is said once"
    watch.hold = ""
    watch.look(at(100))
    (turn,) = watch.turns
    assert (turn.transition, turn.since) == (FIRE, at(1))


@pytest.mark.parametrize("condition", [THRICE, BREAK_IN])
def test_what_was_over_before_the_window_was_is_never_told(condition: Condition) -> None:
    watch = Watch(rule(condition), hold="in a maintenance window")
    watch.see(event(1, "door.opened", 1))
    watch.see(*(event(n, "motion.started", n) for n in range(2, 6)))
    watch.hold = ""
    watch.look(at(130))
    assert (watch.turns, watch.states) == ([], {})


def test_an_absence_in_a_window_is_told_after_it() -> None:
    watch = Watch(rule(BEAT), hold="in a maintenance window")
    watch.see(event(1, "heartbeat", 0), event(2, "heartbeat", 30))
    assert watch.state().due_at == at(90), "waiting goes on"
    watch.look(at(90))
    assert watch.last is not None
    assert watch.last.is_held_back
    watch.look(at(150))
    assert not watch.last.is_held_back
    watch.hold = ""
    watch.look(at(210))
    (turn,) = watch.turns
    assert turn.since == at(30)


def test_a_silent_point_in_a_window_is_left_to_the_present() -> None:
    decision = decide(rule(SILENT), point(), LastSeen(last_at=T0), at(900), hold="window")
    assert (decision.transition, decision.state) == (NONE, point())
    assert decision.is_held_back


def test_events_of_one_device_that_is_held_back_do_not_count_for_its_area() -> None:
    watch = Watch(rule(replace(THRICE, per=Per.AREA)))
    watch.see(event(1, "motion.started", 1), event(2, "motion.started", 2, device=2))
    watch.hold = "behind Uplink 7, which is down"
    watch.see(event(3, "motion.started", 3, device=3))
    assert watch.kinds == []
    watch.hold = ""
    watch.see(event(4, "motion.started", 4, device=4))
    assert watch.kinds == [FIRE]


def test_a_timer_that_rang_late_in_a_window_goes_on_to_the_end_of_its_time() -> None:
    """The hub was away while an event that was held back cleared itself."""
    lost = EventOfKind(kind="signal.lost", clear_kind="signal.restored", auto_clear_s=600)
    watch = Watch(rule(lost), hold="window")
    watch.see(event(1, "signal.lost", 0))
    again = event(2, "signal.lost", 3600)
    seen = observe(watch.rule, again)
    assert seen is not None
    decisions = [
        (d.transition, when)
        for d, when in advance(watch.rule, watch.state(), seen, at(3600), hold="window")
    ]
    assert decisions == [
        (NONE, at(0) + LOOK_AGAIN),
        (Transition.FORGET, at(3600)),
        (Transition.WAIT, at(3600)),
    ]


def test_missed_work_and_verdicts_about_pictures_are_events_like_others() -> None:
    missed = Watch(rule(EventOfKind(kind="patrol.round_missed", distinguish_by="plan")))
    for number, plan in enumerate((7, 8), start=1):
        missed.see(event(number, "patrol.round_missed", 1, device=None, plan=plan))
    assert [turn.subject for turn in missed.turns] == ["area:3/mark:7", "area:3/mark:8"]
    blurred = Watch(rule(EventCount(kind="picture.blurred", count=2, within_s=900)))
    blurred.see(event(1, "picture.blurred", 0), event(2, "picture.blurred", 600))
    assert blurred.kinds == [FIRE]
    rounds = Watch(rule(NothingSeen(kind="patrol.round_finished", for_s=86_400)))
    rounds.see(event(1, "patrol.round_finished", 0, device=None))
    rounds.look(T0 + timedelta(days=1))
    assert [turn.subject for turn in rounds.turns] == ["area:3"]
