"""Why nobody is called although a device fails: what is held back, and what never is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.judging.holds import FLAPPING, find_hold, look_again
from alerts.rules.deciding import LOOK_AGAIN, Transition, advance, decide
from alerts.rules.observations import (
    EventSeen,
    Observation,
    StatusSeen,
    Tick,
    ValueSeen,
    observe,
)
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    PointBeyond,
)
from hub.domain.devices import DeviceKind, Json
from hub.domain.events import StoredEvent
from hub.domain.health import Layer, Status
from hub.store.present import Presence

T0 = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
OFFLINE = DeviceOffline()
SLOWLY = DeviceOffline(for_s=60)
BLIND = DeviceDegraded(layers=(Layer.FRAMES, Layer.STREAM))
HOT = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25)
LOST = EventOfKind(kind="signal.lost", clear_kind="signal.restored", auto_clear_s=3600)
MOVED = EventOfKind(kind="motion.started", auto_clear_s=300)
GONE = EventOfKind(kind="device.offline", clear_kind="device.online")
HERE = Presence(device_id=1, kind=DeviceKind.CAMERA, status=Status.OFFLINE, since=T0)
BEHIND = "behind Uplink 7, which is down"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def rule(condition: Condition) -> Rule:
    return Rule(id=1, name="r", area_id=1, area_path="a", condition=condition)


def clear(phase: Phase = Phase.CLEAR) -> RuleState:
    return RuleState(rule_id=1, subject="device:1", area_id=1, device_id=1, phase=phase)


def event(
    kind: str, data: dict[str, Json] | None = None, *, is_active: bool | None = None
) -> StoredEvent:
    return StoredEvent(
        id=5,
        kind=kind,
        area_id=1,
        area_path="a",
        at=T0,
        received_at=T0,
        device_id=1,
        is_active=is_active,
        data=data or {},
    )


def offline(since: float = 0) -> StatusSeen:
    return StatusSeen(status=Status.OFFLINE, since=at(since))


def degraded(*layers: Layer) -> StatusSeen:
    return StatusSeen(status=Status.DEGRADED, since=T0, faults=frozenset(layers))


@pytest.mark.parametrize(
    ("present", "data", "hold"),
    [
        (HERE, {}, ""),
        (replace(HERE, behind="Uplink 7"), {}, BEHIND),
        (
            replace(HERE, behind="Uplink 7", is_parent_back=True),
            {},
            "behind Uplink 7, which was down",
        ),
        (HERE, {"behind": 17}, "behind device 17, which was down"),
        (replace(HERE, behind="Uplink 7"), {"behind": 17}, BEHIND),
        (replace(HERE, is_flapping=True), {}, FLAPPING),
        (HERE, {"flapping": True}, FLAPPING),
        (HERE, {"flapping": False}, ""),
        (
            replace(HERE, window="new pole", window_until=T0, behind="Uplink 7"),
            {},
            "in a maintenance window until 2026-11-22T00:00+00:00: new pole",
        ),
    ],
)
@pytest.mark.parametrize("condition", [OFFLINE, BLIND, EventOfKind(kind="device.offline")])
def test_why_nobody_is_called_about_a_status(
    condition: Condition, present: Presence, data: dict[str, Json], hold: str
) -> None:
    assert find_hold(rule(condition), present, event("device.offline", data)) == hold


@pytest.mark.parametrize("condition", [HOT, LOST])
def test_readings_and_events_are_held_back_by_a_window_only(condition: Condition) -> None:
    present = replace(HERE, behind="Uplink 7", is_flapping=True)
    assert find_hold(rule(condition), present) == ""
    assert find_hold(rule(condition), replace(present, window="new pole")).endswith("new pole")


OFTEN = EventCount(kind="device.offline", count=3, within_s=3600)
GONE_AND_OPEN = Combination(
    events=(EventPattern(kind="device.offline"), EventPattern(kind="door.opened")), within_s=60
)
MISSED = NothingSeen(kind="heartbeat", for_s=60)


@pytest.mark.parametrize("condition", [OFTEN, GONE_AND_OPEN, MISSED, replace(MISSED, point="t")])
def test_a_dead_parent_explains_counts_of_failures_and_silence(condition: Condition) -> None:
    assert find_hold(rule(condition), replace(HERE, behind="Uplink 7")) == BEHIND
    assert find_hold(rule(condition), replace(HERE, window="new pole")).endswith("new pole")
    # Who counts how often a device goes wants to hear of one that flaps.
    assert find_hold(rule(condition), replace(HERE, is_flapping=True)) == ""


def test_a_dead_parent_explains_no_count_of_other_events() -> None:
    often = EventCount(kind="motion.started", count=3, within_s=60)
    assert find_hold(rule(often), replace(HERE, behind="Uplink 7")) == ""


def test_the_reason_is_in_the_decision() -> None:
    decision = decide(rule(OFFLINE), clear(), offline(), at(0), hold=BEHIND)
    assert decision.transition is Transition.NONE
    assert decision.is_held_back
    assert decision.state == clear()
    assert decision.reason == "offline; held back: behind Uplink 7, which is down"


BAD: list[tuple[Condition, Observation]] = [
    (OFFLINE, offline()),
    (SLOWLY, offline()),
    (BLIND, degraded(Layer.FRAMES)),
    (HOT, ValueSeen(value=40)),
    (MOVED, EventSeen(event=event("motion.started"))),
    (GONE, EventSeen(event=event("device.offline"))),
]


@pytest.mark.parametrize(("condition", "bad"), BAD)
def test_nothing_is_made_nor_waited_for(condition: Condition, bad: Observation) -> None:
    assert not decide(rule(condition), clear(), bad, at(0)).is_held_back
    decision = decide(rule(condition), clear(), bad, at(0), hold=BEHIND)
    assert (decision.transition, decision.state) == (Transition.NONE, clear())


@pytest.mark.parametrize(("condition", "bad"), BAD)
def test_what_fires_goes_on(condition: Condition, bad: Observation) -> None:
    firing = replace(clear(Phase.FIRING), alert_id=7, since=T0)
    decision = decide(rule(condition), firing, bad, at(9), hold=BEHIND)
    assert (decision.state.phase, decision.state.alert_id) == (Phase.FIRING, 7)
    assert decision.transition in {Transition.NONE, Transition.RENEW}


@pytest.mark.parametrize(
    ("condition", "good"),
    [
        (OFFLINE, StatusSeen(status=Status.ONLINE, since=T0)),
        (BLIND, StatusSeen(status=Status.ONLINE, since=T0)),
        (HOT, ValueSeen(value=20)),
        (LOST, EventSeen(event=event("signal.restored"))),
    ],
)
def test_an_end_is_never_held_back(condition: Condition, good: Observation) -> None:
    firing = replace(clear(Phase.FIRING), alert_id=7)
    decision = decide(rule(condition), firing, good, at(9), hold=BEHIND)
    assert (decision.transition, decision.is_held_back) == (Transition.RESOLVE, False)


def test_a_wait_ends_with_the_first_reason_to_hold_back_and_starts_anew() -> None:
    waiting = decide(rule(SLOWLY), clear(), offline(), at(0)).state
    assert waiting.phase is Phase.PENDING
    held = decide(rule(SLOWLY), waiting, offline(), at(10), hold=BEHIND)
    assert (held.transition, held.state) == (Transition.FORGET, clear())
    # It was offline all the time: the wait is over when the reason is.
    fired = decide(rule(SLOWLY), held.state, offline(), at(600))
    assert (fired.transition, fired.state.since) == (Transition.FIRE, at(0))


def test_a_timer_does_not_ring_through_a_hold() -> None:
    waiting = decide(rule(SLOWLY), clear(), offline(), at(0)).state
    held = decide(rule(SLOWLY), waiting, Tick(), at(60), hold="in a maintenance window")
    assert (held.transition, held.state) == (Transition.FORGET, clear())


def test_one_closed_by_hand_stays_closed() -> None:
    closed = clear(Phase.HELD)
    assert decide(rule(OFFLINE), closed, offline(), at(1), hold=BEHIND).state == closed


@pytest.mark.parametrize("is_active", [True, None])
def test_what_began_in_a_window_and_lasts_is_told_after_it(*, is_active: bool | None) -> None:
    began = EventSeen(event=event("signal.lost", is_active=is_active))
    waiting = decide(rule(LOST), clear(), began, at(0), hold="window")
    assert (waiting.transition, waiting.is_held_back) == (Transition.WAIT, True)
    assert waiting.state.due_at == at(0) + LOOK_AGAIN
    again = decide(rule(LOST), waiting.state, Tick(), at(60), hold="window")
    assert (again.transition, again.state.phase) == (Transition.NONE, Phase.PENDING)
    assert again.state.due_at == at(60) + LOOK_AGAIN
    fired = decide(rule(LOST), again.state, Tick(), at(120))
    assert (fired.transition, fired.state.since) == (Transition.FIRE, T0)
    assert fired.state.due_at == at(3600)


@pytest.mark.parametrize("seconds", [60, 3600])
def test_what_ended_in_a_window_is_never_told(seconds: float) -> None:
    began = EventSeen(event=event("signal.lost", is_active=True))
    ended = EventSeen(event=event("signal.restored", is_active=False))
    waiting = decide(rule(LOST), clear(), began, at(0), hold="window").state
    seen: Observation = Tick() if seconds == 3600 else ended
    last = [d for d, _ in advance(rule(LOST), waiting, seen, at(seconds), hold="window")][-1]
    assert (last.transition, last.state.phase) == (Transition.FORGET, Phase.CLEAR)


def test_an_event_without_its_parent_is_as_old_as_the_outage() -> None:
    seen = observe(rule(OFFLINE), event("device.offline"))
    assert isinstance(seen, StatusSeen)
    earlier = replace(HERE, since=at(-300))
    found = look_again(rule(OFFLINE), seen, earlier)
    assert isinstance(found, StatusSeen)
    assert found.since == at(-300)


@pytest.mark.parametrize(
    "present",
    [
        replace(HERE, since=at(1)),
        replace(HERE, status=Status.ONLINE, since=at(-300)),
        replace(HERE, since=None),
    ],
)
def test_another_outage_says_nothing_of_this_one(present: Presence) -> None:
    seen = observe(rule(OFFLINE), event("device.offline"))
    assert isinstance(seen, StatusSeen)
    assert look_again(rule(OFFLINE), seen, present) == seen


def test_a_rule_sees_every_failing_layer_not_only_the_first() -> None:
    said = event("device.degraded", {"layer": "credentials", "detail": "401"})
    seen = observe(rule(BLIND), said)
    assert isinstance(seen, StatusSeen)
    assert seen.faults == {Layer.CREDENTIALS}
    present = replace(HERE, status=Status.DEGRADED, faults=frozenset({Layer.STREAM}))
    found = look_again(rule(BLIND), seen, present)
    assert decide(rule(BLIND), clear(), seen, at(0)).transition is Transition.NONE
    assert decide(rule(BLIND), clear(), found, at(0)).transition is Transition.FIRE


@pytest.mark.parametrize(
    ("seen", "transition"),
    [
        (degraded(Layer.FRAMES), Transition.FIRE),
        (degraded(Layer.CLOCK), Transition.NONE),
        (offline(), Transition.NONE),
        (StatusSeen(status=Status.UNKNOWN, since=T0), Transition.NONE),
        (StatusSeen(status=Status.ONLINE, since=T0), Transition.NONE),
    ],
)
def test_degraded_fires_at_its_layers_only(seen: StatusSeen, transition: Transition) -> None:
    assert decide(rule(BLIND), clear(), seen, at(0)).transition is transition


def test_degraded_without_layers_means_any() -> None:
    anything = rule(DeviceDegraded(for_s=30))
    waiting = decide(anything, clear(), degraded(Layer.CLOCK), at(0))
    assert waiting.transition is Transition.WAIT
    fired = decide(anything, waiting.state, Tick(), at(30))
    assert (fired.transition, fired.reason) == (Transition.FIRE, "degraded for 30 s")


@pytest.mark.parametrize(
    ("seen", "transition"),
    [
        (offline(), Transition.NONE),
        (StatusSeen(status=Status.UNKNOWN, since=T0), Transition.NONE),
        (degraded(Layer.CLOCK), Transition.RESOLVE),
        (StatusSeen(status=Status.ONLINE, since=T0), Transition.RESOLVE),
    ],
)
def test_a_device_that_is_not_reached_is_not_well_again(
    seen: StatusSeen, transition: Transition
) -> None:
    firing = replace(clear(Phase.FIRING), alert_id=7)
    assert decide(rule(BLIND), firing, seen, at(9)).transition is transition


@given(
    st.lists(
        st.tuples(
            st.floats(0, 30),
            st.sampled_from([Status.ONLINE, Status.OFFLINE, Status.UNKNOWN]),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_alerts_begin_only_while_nothing_holds_them_back(
    steps: list[tuple[float, Status, bool]],
) -> None:
    condition = DeviceOffline(for_s=20)
    state, seconds = clear(), 0.0
    for wait, status, is_held in steps:
        seconds += wait
        seen = StatusSeen(status=status, since=at(seconds))
        hold = BEHIND if is_held else ""
        for decision, _ in advance(rule(condition), state, seen, at(seconds), hold=hold):
            if is_held:
                assert decision.transition not in {Transition.FIRE, Transition.WAIT}
                assert decision.state.phase is not Phase.PENDING
            state = decision.state
        if status is Status.ONLINE:
            assert state == clear()
