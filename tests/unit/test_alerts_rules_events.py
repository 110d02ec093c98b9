"""What rules about events have in common: what is held back, replayed, or changed meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.rules.deciding import LOOK_AGAIN, Transition, advance, decide
from alerts.rules.observations import LastSeen, observe
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
