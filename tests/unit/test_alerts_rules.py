"""What rules conclude."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules.deciding import Transition, advance, decide
from alerts.rules.observations import (
    EventSeen,
    Observation,
    StatusSeen,
    Tick,
    ValueSeen,
    is_watching,
    observe,
)
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import Condition, DeviceOffline, Direction, EventOfKind, PointBeyond
from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.domain.health import Status

T0 = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
OFFLINE = DeviceOffline(for_s=60)
HOT = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25, for_s=10)
MOTION = EventOfKind(kind="motion.started", clear_kind="motion.stopped", auto_clear_s=300)


def rule(condition: Condition) -> Rule:
    return Rule(id=1, name="r", area_id=1, area_path="a.b", condition=condition)


def clear() -> RuleState:
    return RuleState(rule_id=1, subject="device:1", area_id=1, device_id=1)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def event(kind: str, *, is_active: bool | None = None, replayed: bool = False) -> StoredEvent:
    return StoredEvent(
        id=5,
        kind=kind,
        area_id=1,
        area_path="a.b",
        at=T0,
        received_at=T0,
        device_id=1,
        is_active=is_active,
        replayed=replayed,
    )


def run(condition: Condition, seen: Sequence[tuple[float, Observation]]) -> list[Transition]:
    """Feed observations at seconds and return what they led to."""
    state = clear()
    found = []
    for seconds, observation in seen:
        for decision, _ in advance(rule(condition), state, observation, at(seconds)):
            assert decision.reason
            found.append(decision.transition)
            state = decision.state
    return found


def status(value: Status, since: float = 0) -> StatusSeen:
    return StatusSeen(status=value, since=at(since))


def test_offline_waits_then_fires_then_resolves() -> None:
    assert run(
        OFFLINE,
        [(0, status(Status.OFFLINE)), (60, Tick()), (90, status(Status.ONLINE))],
    ) == [Transition.WAIT, Transition.FIRE, Transition.RESOLVE]


def test_a_short_blip_raises_nothing() -> None:
    assert run(
        OFFLINE, [(0, status(Status.OFFLINE)), (59, status(Status.ONLINE)), (60, Tick())]
    ) == [Transition.WAIT, Transition.FORGET, Transition.NONE]


def test_the_wait_counts_from_when_the_device_went_not_from_when_we_looked() -> None:
    assert run(OFFLINE, [(100, status(Status.OFFLINE, since=0))]) == [Transition.FIRE]


def test_a_timer_that_nobody_heard_rings_before_the_next_observation() -> None:
    seen = [(0.0, status(Status.OFFLINE)), (200.0, status(Status.ONLINE))]
    assert run(OFFLINE, seen) == [Transition.WAIT, Transition.FIRE, Transition.RESOLVE]


def test_a_late_timer_fires_at_its_own_time() -> None:
    pending = decide(rule(OFFLINE), clear(), status(Status.OFFLINE), at(0)).state
    times = [when for _, when in advance(rule(OFFLINE), pending, status(Status.ONLINE), at(200))]
    assert times == [at(60), at(200)]


@pytest.mark.parametrize("value", [Status.UNKNOWN, Status.ONLINE, Status.DEGRADED])
def test_only_offline_is_offline(value: Status) -> None:
    assert run(OFFLINE, [(0, status(value)), (600, Tick())]) == [Transition.NONE, Transition.NONE]


def test_unknown_neither_fires_nor_resolves() -> None:
    assert run(
        OFFLINE,
        [
            (0, status(Status.OFFLINE)),
            (60, Tick()),
            (70, status(Status.UNKNOWN)),
            (80, status(Status.OFFLINE)),
            (90, status(Status.DEGRADED)),
        ],
    )[2:] == [Transition.NONE, Transition.NONE, Transition.RESOLVE]


def test_a_clock_ahead_of_ours_does_not_delay_an_alert() -> None:
    decision = decide(rule(DeviceOffline()), clear(), status(Status.OFFLINE, since=900), at(0))
    assert decision.transition is Transition.FIRE
    assert decision.state.since == at(0)


def test_hysteresis_between_threshold_and_clear_value() -> None:
    values = [(0, 31), (10, 32), (20, 29), (30, 26), (40, 31), (50, 25)]
    assert run(HOT, [(s, ValueSeen(value=v)) for s, v in values]) == [
        Transition.WAIT,
        Transition.FIRE,
        Transition.NONE,
        Transition.NONE,
        Transition.NONE,
        Transition.NONE,
        Transition.RESOLVE,
    ]


def test_below_is_the_mirror_of_above() -> None:
    low = PointBeyond(point="battery", direction=Direction.BELOW, threshold=20, clear=25)
    values = [(0, 20), (1, 19.9), (2, 24.9), (3, 25)]
    assert run(low, [(s, ValueSeen(value=v)) for s, v in values]) == [
        Transition.NONE,
        Transition.FIRE,
        Transition.NONE,
        Transition.RESOLVE,
    ]


def test_a_value_back_in_the_band_breaks_the_wait() -> None:
    values = [(0, 31), (5, 29), (9, 31), (12, 31)]
    assert run(HOT, [(s, ValueSeen(value=v)) for s, v in values]) == [
        Transition.WAIT,
        Transition.FORGET,
        Transition.WAIT,
        Transition.NONE,
    ]


def test_not_a_number_changes_nothing() -> None:
    seen: list[tuple[float, Observation]] = [(0, ValueSeen(value=31)), (10, Tick())]
    seen.append((11, ValueSeen(value=float("nan"))))
    assert run(HOT, seen)[-1] is Transition.NONE


def test_an_event_fires_once_and_its_clear_resolves() -> None:
    assert run(
        MOTION,
        [
            (0, EventSeen(event=event("motion.started", is_active=True))),
            (1, EventSeen(event=event("motion.started", is_active=True))),
            (2, EventSeen(event=event("motion.stopped", is_active=False))),
            (3, EventSeen(event=event("motion.stopped", is_active=False))),
        ],
    ) == [Transition.FIRE, Transition.RENEW, Transition.RESOLVE, Transition.NONE]


def test_the_same_kind_no_longer_active_is_a_clear() -> None:
    door = EventOfKind(kind="door.opened")
    seen = [(0, event("door.opened", is_active=True)), (1, event("door.opened", is_active=False))]
    found = run(door, [(s, EventSeen(event=e)) for s, e in seen])
    assert found == [Transition.FIRE, Transition.RESOLVE]


def test_a_kind_that_never_clears_is_cleared_by_time_after_its_last_event() -> None:
    started = EventSeen(event=event("motion.started", is_active=True))
    assert run(MOTION, [(0, started), (200, started), (300, Tick()), (500, Tick())]) == [
        Transition.FIRE,
        Transition.RENEW,
        Transition.NONE,
        Transition.RESOLVE,
    ]


def test_replayed_events_never_fire_but_may_end_an_alert() -> None:
    replayed = EventSeen(event=event("motion.started", is_active=True, replayed=True))
    assert run(MOTION, [(0, replayed)]) == [Transition.NONE]
    started = EventSeen(event=event("motion.started", is_active=True))
    over = EventSeen(event=event("motion.started", is_active=False, replayed=True))
    assert run(MOTION, [(0, started), (1, over)]) == [Transition.FIRE, Transition.RESOLVE]


def test_a_replayed_status_is_no_observation() -> None:
    assert observe(rule(OFFLINE), event("device.offline", replayed=True)) is None
    assert observe(rule(OFFLINE), event("device.offline")) is not None
    assert observe(rule(OFFLINE), event("motion.started")) is None
    assert observe(rule(MOTION), event("device.offline")) is None


@pytest.mark.parametrize("condition", [OFFLINE, HOT])
def test_closed_by_hand_it_fires_again_only_after_it_was_good(condition: Condition) -> None:
    bad: Observation = status(Status.OFFLINE)
    good: Observation = status(Status.ONLINE)
    if isinstance(condition, PointBeyond):
        bad, good = ValueSeen(value=40), ValueSeen(value=20)
    state = RuleState(rule_id=1, subject="device:1", area_id=1, device_id=1, phase=Phase.HELD)
    assert decide(rule(condition), state, bad, at(0)).transition is Transition.NONE
    gone = decide(rule(condition), state, good, at(1))
    assert gone.transition is Transition.FORGET
    assert decide(rule(condition), gone.state, bad, at(2)).state.phase is Phase.PENDING


def test_rules_watch_their_own_subtree_and_kinds_only() -> None:
    cameras = rule(DeviceOffline(device_kinds=(DeviceKind.CAMERA,)))
    assert is_watching(cameras, "a.b", DeviceKind.CAMERA)
    assert is_watching(cameras, "a.b.c", DeviceKind.CAMERA)
    assert not is_watching(cameras, "a.bc", DeviceKind.CAMERA)
    assert not is_watching(cameras, "a", DeviceKind.CAMERA)
    assert not is_watching(cameras, "a.b", DeviceKind.SENSOR)
    assert not is_watching(cameras, "a.b", None)
    assert is_watching(rule(MOTION), "a.b", None)


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from([Status.ONLINE, Status.OFFLINE])),
        max_size=20,
    )
)
def test_whenever_the_engine_looks_the_same_alerts_come(steps: list[tuple[float, Status]]) -> None:
    """Ticks in between change nothing: neither the number nor the order of transitions."""
    condition = DeviceOffline(for_s=20)
    seconds = 0.0
    lazy: list[tuple[float, Observation]] = []
    eager: list[tuple[float, Observation]] = []
    for wait, value in steps:
        eager += [(seconds + wait * part / 4, Tick()) for part in range(4)]
        seconds += wait
        lazy.append((seconds, status(value, since=seconds)))
        eager.append(lazy[-1])
    keep = {Transition.FIRE, Transition.RESOLVE}
    assert [t for t in run(condition, lazy) if t in keep] == [
        t for t in run(condition, eager) if t in keep
    ]
