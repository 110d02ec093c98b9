"""Time to clear: what is good again must stay good before an alert ends."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules.deciding import Transition, advance, decide
from alerts.rules.observations import Observation, StatusSeen, Tick, ValueSeen
from hub.domain.alerts import Phase, RuleState
from hub.domain.conditions import Condition, DeviceDegraded, DeviceOffline, Direction, PointBeyond
from hub.domain.health import Layer, Status
from tests.unit.rule_streams import at, rule

FIRE, RESOLVE, RENEW = Transition.FIRE, Transition.RESOLVE, Transition.RENEW
NONE, FORGET, WAIT = Transition.NONE, Transition.FORGET, Transition.WAIT
OFFLINE = DeviceOffline(clear_for_s=60)
BLIND = DeviceDegraded(layers=(Layer.FRAMES,), clear_for_s=60)
HOT = PointBeyond(point="t", direction=Direction.ABOVE, threshold=30, clear=25, clear_for_s=60)


def clear() -> RuleState:
    return RuleState(rule_id=1, subject="device:1", area_id=1, device_id=1)


def status(value: Status, since: float, *layers: Layer) -> StatusSeen:
    return StatusSeen(status=value, since=at(since), faults=frozenset(layers))


def run(
    condition: Condition, seen: Sequence[tuple[float, Observation]]
) -> list[tuple[Transition, float]]:
    """Feed observations at seconds; return what they led to, and when."""
    state, found = clear(), []
    for seconds, observation in seen:
        for decision, when in advance(rule(condition), state, observation, at(seconds)):
            found.append((decision.transition, (when - at(0)).total_seconds()))
            state = decision.state
    return found


def off(seconds: float) -> tuple[float, Observation]:
    return seconds, status(Status.OFFLINE, seconds)


def on(seconds: float) -> tuple[float, Observation]:
    return seconds, status(Status.ONLINE, seconds)


def test_it_ends_once_it_was_good_for_so_long() -> None:
    assert run(OFFLINE, [off(0), on(100), (159, Tick()), (160, Tick())]) == [
        (FIRE, 0), (RENEW, 100), (NONE, 159), (RESOLVE, 160),
    ]  # fmt: skip


def test_bad_again_in_between_it_goes_on_as_one_alert() -> None:
    assert run(OFFLINE, [off(0), on(100), off(150), on(200), (260, Tick())]) == [
        (FIRE, 0), (RENEW, 100), (RENEW, 150), (RENEW, 200), (RESOLVE, 260),
    ]  # fmt: skip


def test_a_timer_that_nobody_heard_ends_it_before_it_begins_again() -> None:
    assert run(OFFLINE, [off(0), on(100), off(500)]) == [
        (FIRE, 0), (RENEW, 100), (RESOLVE, 160), (FIRE, 500),
    ]  # fmt: skip


def test_the_same_good_news_again_changes_nothing() -> None:
    state = decide(rule(OFFLINE), clear(), status(Status.OFFLINE, 0), at(0)).state
    once = decide(rule(OFFLINE), state, status(Status.ONLINE, 10), at(10))
    twice = decide(rule(OFFLINE), once.state, status(Status.ONLINE, 10), at(20))
    assert (twice.transition, twice.state) == (NONE, once.state)


def test_a_device_that_was_back_while_nobody_looked_counts_from_then() -> None:
    assert run(OFFLINE, [off(0), (300, status(Status.ONLINE, 200))])[-1] == (RESOLVE, 300)
    assert run(OFFLINE, [off(0), (230, status(Status.ONLINE, 200))])[-1] == (RENEW, 230)


def test_unknown_is_not_good_and_the_wait_begins_anew() -> None:
    lost = (120.0, status(Status.UNKNOWN, 120))
    assert run(OFFLINE, [off(0), on(100), lost, (200, Tick()), on(210), (270, Tick())]) == [
        (FIRE, 0), (RENEW, 100), (RENEW, 120), (NONE, 200), (RENEW, 210), (RESOLVE, 270),
    ]  # fmt: skip


def test_a_layer_that_heals_counts_from_when_it_was_seen() -> None:
    blind = (0.0, status(Status.DEGRADED, 0, Layer.FRAMES))
    other = (100.0, status(Status.DEGRADED, 0, Layer.CLOCK))
    assert run(BLIND, [blind, other, (159, Tick()), (160, Tick())]) == [
        (FIRE, 0), (RENEW, 100), (NONE, 159), (RESOLVE, 160),
    ]  # fmt: skip


def test_a_verdict_about_the_picture_is_a_layer_like_others() -> None:
    picture = DeviceDegraded(layers=(Layer.PICTURE,), clear_for_s=60)
    dark = (0.0, status(Status.DEGRADED, 0, Layer.PICTURE))
    assert run(picture, [dark, on(10), (70, Tick())]) == [(FIRE, 0), (RENEW, 10), (RESOLVE, 70)]
    assert run(BLIND, [dark]) == [(NONE, 0)]


def test_a_value_must_stay_on_the_good_side_of_the_clear_value() -> None:
    values = [(0, 31.0), (10, 25.0), (40, 27.0), (50, 24.0), (90, 23.0), (110, 22.0)]
    assert run(HOT, [(s, ValueSeen(value=v)) for s, v in values]) == [
        (FIRE, 0), (RENEW, 10), (RENEW, 40), (RENEW, 50), (NONE, 90), (RESOLVE, 110), (NONE, 110),
    ]  # fmt: skip


def test_not_a_number_does_not_break_the_wait() -> None:
    nan = (30.0, ValueSeen(value=float("nan")))
    good = (10.0, ValueSeen(value=20))
    assert run(HOT, [(0, ValueSeen(value=31)), good, nan, (70, Tick())])[-1] == (RESOLVE, 70)


def test_closed_by_hand_it_is_forgotten_once_it_stayed_good() -> None:
    state = RuleState(rule_id=1, subject="device:1", area_id=1, device_id=1, phase=Phase.HELD)
    good = decide(rule(OFFLINE), state, status(Status.ONLINE, 0), at(0))
    assert (good.transition, good.state.phase) == (NONE, Phase.HELD)
    bad = decide(rule(OFFLINE), good.state, status(Status.OFFLINE, 30), at(30))
    assert (bad.transition, bad.state) == (NONE, state)
    gone = decide(rule(OFFLINE), good.state, Tick(), at(60))
    assert (gone.transition, gone.state) == (FORGET, clear())


@pytest.mark.threat("K10")
def test_a_clock_set_back_does_not_hold_an_alert_open() -> None:
    late = [off(7200), on(7210), (20.0, status(Status.ONLINE, 7210)), (80.0, Tick())]
    assert run(OFFLINE, late)[-1] == (RESOLVE, 80)


def test_a_time_that_was_made_longer_meanwhile_is_waited_for() -> None:
    waiting = decide(rule(DeviceOffline(for_s=60)), clear(), status(Status.OFFLINE, 0), at(0))
    longer = decide(rule(DeviceOffline(for_s=90)), waiting.state, Tick(), at(60))
    assert (longer.transition, longer.state.due_at) == (NONE, at(90))
    fired = decide(rule(OFFLINE), clear(), status(Status.OFFLINE, 0), at(0)).state
    good = decide(rule(OFFLINE), fired, status(Status.ONLINE, 10), at(10)).state
    slow = DeviceOffline(clear_for_s=120)
    longer = decide(rule(slow), good, Tick(), at(70))
    assert (longer.transition, longer.state.due_at) == (NONE, at(130))
    assert decide(rule(slow), longer.state, Tick(), at(130)).transition is RESOLVE


def test_a_wait_to_fire_is_broken_at_once() -> None:
    slow = DeviceOffline(for_s=30, clear_for_s=60)
    assert run(slow, [off(0), on(10), off(20), (50, Tick())]) == [
        (WAIT, 0), (FORGET, 10), (WAIT, 20), (FIRE, 50),
    ]  # fmt: skip


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from([Status.ONLINE, Status.OFFLINE, Status.UNKNOWN, Status.DEGRADED]),
        ),
        max_size=20,
    ),
    st.lists(st.integers(0, 900), max_size=10),
)
def test_whenever_timers_are_looked_at_the_same_alerts_come_and_go(
    steps: list[tuple[int, Status]], looks: list[int]
) -> None:
    condition = DeviceOffline(for_s=20, clear_for_s=30)
    seconds = 0.0
    lazy: list[tuple[float, Observation]] = []
    for wait, value in steps:
        seconds += wait
        lazy.append((seconds, status(value, seconds)))
    # A timer rings before what is seen at the same moment.
    ticks: list[tuple[float, Observation]] = [(float(look), Tick()) for look in looks]
    eager = sorted(ticks + lazy, key=lambda pair: (pair[0], not isinstance(pair[1], Tick)))
    end: list[tuple[float, Observation]] = [(2000.0, Tick()), (2000.0, Tick())]
    keep = {FIRE, RESOLVE}
    expected = [t for t, _ in run(condition, lazy + end) if t in keep]
    assert [t for t, _ in run(condition, eager + end) if t in keep] == expected
