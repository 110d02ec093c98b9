"""What rules conclude from events that come together."""

from dataclasses import replace

from alerts.rules.deciding import Transition
from hub.domain.conditions import (
    Combination,
    EventPattern,
    Per,
)
from tests.unit.rule_streams import Watch, at, event, replayed, rule

FIRE, RESOLVE, NONE = Transition.FIRE, Transition.RESOLVE, Transition.NONE
DOOR, MOTION = EventPattern(kind="door.opened"), EventPattern(kind="motion.started")
BREAK_IN = Combination(events=(DOOR, MOTION), within_s=30, clear_s=120, clear_kind="disarmed")


def remembered(watch: Watch) -> int:
    """How many moments are kept."""
    rows = watch.state().memory["moments"]
    assert isinstance(rows, list)
    return sum(len(row) for row in rows)


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
