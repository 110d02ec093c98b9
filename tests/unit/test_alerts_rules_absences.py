"""What rules conclude from what does not come."""

from dataclasses import replace

from alerts.rules.deciding import Transition, decide
from alerts.rules.observations import LastSeen, ValueSeen, observe, subject_of
from hub.domain.alerts import Phase, RuleState
from hub.domain.conditions import (
    NothingSeen,
)
from tests.unit.rule_streams import T0, Watch, at, event, replayed, rule

FIRE, RESOLVE, NONE = Transition.FIRE, Transition.RESOLVE, Transition.NONE
BEAT = NothingSeen(kind="heartbeat", for_s=60)
SILENT = NothingSeen(point="temp", for_s=600)


def point() -> RuleState:
    return RuleState(rule_id=1, subject="device:1/point:7", area_id=3, device_id=1, point_id=7)


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
