"""Outside its hours a rule fires nothing, and forgets nothing that lasts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from alerts.rules.deciding import LOOK_AGAIN, OUTSIDE_HOURS, Transition, advance, decide
from alerts.rules.observations import LastSeen, Observation, StatusSeen, Tick, ValueSeen, observe
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.calendars import Calendar, Days, Holiday
from hub.domain.conditions import (
    Condition,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    NothingSeen,
    PointBeyond,
)
from hub.domain.health import Status
from tests.unit.rule_streams import T0, Watch, at, event, rule

# From 08:00 to 12:00 UTC; T0 is midnight, a Sunday.
MORNING = Calendar(rrule="FREQ=DAILY;BYHOUR=8", duration_s=4 * 3600, time_zone="UTC")
OPENS, CLOSES = at(8 * 3600), at(12 * 3600)
LOST = EventOfKind(kind="signal.lost", clear_kind="signal.restored")
HOT = PointBeyond(point="t", direction=Direction.ABOVE, threshold=30, clear=25)


def by_day(condition: Condition) -> Rule:
    return replace(rule(condition), hours=MORNING)


def clear() -> RuleState:
    return RuleState(rule_id=1, subject="device:1", area_id=1, device_id=1)


def offline(since: datetime) -> Observation:
    return StatusSeen(status=Status.OFFLINE, since=since)


def test_nothing_is_made_outside_and_the_reason_is_said() -> None:
    for condition, seen in (
        (DeviceOffline(), offline(T0)),
        (DeviceOffline(for_s=60), offline(T0)),
        (HOT, ValueSeen(value=40)),
        (NothingSeen(point="t", for_s=60), LastSeen(last_at=T0)),
    ):
        decision = decide(by_day(condition), clear(), seen, OPENS - timedelta(seconds=1))
        assert (decision.transition, decision.state) == (Transition.NONE, clear())
        assert (decision.is_held_back, decision.hold) == (True, OUTSIDE_HOURS)
        assert decision.reason.endswith("held back: outside its hours")
        within = decide(by_day(condition), clear(), seen, OPENS)
        assert within.transition is Transition.FIRE


def test_what_speaks_against_it_all_the_same_is_named_first() -> None:
    decision = decide(by_day(DeviceOffline()), clear(), offline(T0), T0, hold="in a window")
    assert decision.hold == "in a window"


def test_what_fires_goes_on_and_ends_outside() -> None:
    firing = decide(by_day(DeviceOffline()), clear(), offline(OPENS), OPENS).state
    on = decide(by_day(DeviceOffline()), firing, offline(OPENS), CLOSES)
    assert on.state.phase is Phase.FIRING
    back = StatusSeen(status=Status.ONLINE, since=CLOSES)
    over = decide(by_day(DeviceOffline()), firing, back, CLOSES + timedelta(hours=1))
    assert over.transition is Transition.RESOLVE


def test_what_began_outside_and_lasts_is_told_when_the_hours_begin() -> None:
    watch = Watch(by_day(LOST))
    watch.see(event(1, "signal.lost", 7 * 3600))
    assert watch.state().due_at == at(7 * 3600) + LOOK_AGAIN
    watch.look(OPENS - timedelta(seconds=30))
    assert watch.state().due_at == OPENS, "to the second"
    watch.look(OPENS)
    (turn,) = watch.turns
    assert turn.since == at(7 * 3600)


def test_it_is_told_as_of_its_hours_however_late_the_engine_looks() -> None:
    watch = Watch(by_day(LOST))
    watch.see(event(1, "signal.lost", 3600))
    # The hub was away from one o'clock until after the hours.
    watch.see(event(2, "signal.restored", 20 * 3600))
    assert watch.kinds == [Transition.FIRE, Transition.RESOLVE]
    assert watch.times == [OPENS, at(20 * 3600)]


def test_a_wait_that_ended_within_the_hours_is_told_although_looked_at_later() -> None:
    slow = by_day(DeviceOffline(for_s=60))
    began = CLOSES - timedelta(seconds=90)
    waiting = decide(slow, clear(), offline(began), began).state
    back = StatusSeen(status=Status.ONLINE, since=CLOSES + timedelta(hours=1))
    found = [
        (decision.transition, when)
        for decision, when in advance(slow, waiting, back, CLOSES + timedelta(hours=1))
    ]
    assert found == [
        (Transition.FIRE, CLOSES - timedelta(seconds=30)),
        (Transition.RESOLVE, CLOSES + timedelta(hours=1)),
    ]


def test_a_wait_that_would_end_outside_is_forgotten() -> None:
    slow = by_day(DeviceOffline(for_s=60))
    began = CLOSES - timedelta(seconds=30)
    waiting = decide(slow, clear(), offline(began), began).state
    rung = decide(slow, waiting, Tick(), CLOSES + timedelta(seconds=30))
    assert (rung.transition, rung.state.phase) == (Transition.FORGET, Phase.CLEAR)


def test_counting_goes_on_outside_and_is_told_inside_if_it_goes_on() -> None:
    watch = Watch(by_day(EventCount(kind="motion.started", count=3, within_s=600)))
    watch.see(*(event(n, "motion.started", 8 * 3600 - 500 + n * 100) for n in range(1, 5)))
    assert watch.kinds == []
    watch.look(OPENS)
    assert watch.kinds == [Transition.FIRE]


def test_an_absence_that_began_at_night_is_told_in_the_morning() -> None:
    watch = Watch(by_day(NothingSeen(kind="heartbeat", for_s=3600)))
    watch.see(event(1, "heartbeat", 0))
    for hour in range(2, 8):
        watch.look(at(hour * 3600))
    watch.look(OPENS - timedelta(seconds=1))
    assert watch.kinds == []
    watch.look(OPENS)
    (turn,) = watch.turns
    assert turn.since == T0


def test_holidays_count() -> None:
    monday = date(2026, 11, 23)
    closed = {monday: Holiday(day=monday, name="x")}
    office = replace(by_day(LOST), hours=replace(MORNING, days=Days.WORKING))
    lost = observe(office, event(1, "signal.lost", 33 * 3600))
    assert lost is not None
    nine = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert decide(office, clear(), lost, nine).transition is Transition.FIRE
    held = decide(office, clear(), lost, nine, holidays=closed)
    assert held.hold == OUTSIDE_HOURS
