"""What rules conclude from the present: statuses of devices, values of points. Pure."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from alerts.rules.decisions import Decision, Transition, good, nothing, recall, waits
from alerts.rules.observations import StatusSeen
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import DeviceDegraded, DeviceOffline, Direction, NothingSeen, PointBeyond
from hub.domain.health import Status

OfPresent = DeviceOffline | DeviceDegraded | PointBeyond

GOOD_SINCE = "good_since"


def decide_status(rule: Rule, state: RuleState, seen: StatusSeen, now: datetime) -> Decision:
    """Look at a device's status."""
    condition = rule.condition
    # The time for which others than the watched layers fail says nothing of those.
    good_since = now
    match condition:
        case DeviceOffline():
            is_bad, is_open = seen.status is Status.OFFLINE, seen.status is Status.UNKNOWN
            good_since = seen.since
        case DeviceDegraded():
            is_bad = seen.status is Status.DEGRADED and _fails_at(condition, seen)
            # The layers above a device that is not reached cannot be told.
            is_open = seen.status in {Status.UNKNOWN, Status.OFFLINE}
        case _:
            return nothing(state, "this rule does not watch the status of devices")
    if is_bad:
        why = f"{seen.status.value}: {seen.detail}" if seen.detail else seen.status.value
        since = min(seen.since, now)
        return _bad(state, since=since, now=now, for_s=condition.for_s, why=why)
    if is_open and state.phase in {Phase.FIRING, Phase.HELD}:
        return _go_on(state, f"its status is {seen.status.value}: neither bad nor good")
    return _recover(condition, state, f"the device is {seen.status.value}", good_since, now)


def decide_value(rule: Rule, state: RuleState, value: float, now: datetime) -> Decision:
    """Look at a value that was just read."""
    condition = rule.condition
    if isinstance(condition, NothingSeen) and condition.point:
        return good(state, "readings come again")
    if not isinstance(condition, PointBeyond):
        return nothing(state, "this rule does not watch readings")
    if math.isnan(value):
        return nothing(state, "not a number: neither good nor bad")
    if is_beyond(condition, value):
        why = f"{value:g} is {condition.direction.value} {condition.threshold:g}"
        decision = _bad(state, since=now, now=now, for_s=condition.for_s, why=why)
        return replace(decision, state=replace(decision.state, value=value))
    is_above = condition.direction is Direction.ABOVE
    is_clear = value <= condition.clear if is_above else value >= condition.clear
    if is_clear or state.phase is Phase.PENDING:
        return _recover(condition, state, f"{value:g} is good again", now, now, value=value)
    return _go_on(state, f"{value:g} lies between the threshold and the clear value")


def is_beyond(condition: PointBeyond, value: float) -> bool:
    """Tell whether a value is bad; what is not a number is not."""
    if condition.direction is Direction.ABOVE:
        return value > condition.threshold
    return value < condition.threshold


def ring_value(condition: OfPresent, state: RuleState, now: datetime) -> Decision:
    """A wait is over: the cause lasted, or it stayed away. Waits may be longer by now."""
    since, wait_s = state.since, condition.for_s
    if state.phase is not Phase.PENDING:
        since, wait_s = recall(state.memory, GOOD_SINCE, now), condition.clear_for_s
    over_at = None if since is None else since + timedelta(seconds=wait_s)
    if over_at is not None and over_at > now:
        return nothing(replace(state, due_at=over_at), "its time is longer by now")
    match state.phase:
        case Phase.PENDING:
            firing = replace(state, phase=Phase.FIRING, due_at=None)
            reason = _lasting(condition, state)
            return Decision(transition=Transition.FIRE, reason=reason, state=firing)
        case Phase.FIRING | Phase.HELD if GOOD_SINCE in state.memory:
            return good(state, f"good for {condition.clear_for_s:g} s")
        case _:
            return nothing(replace(state, due_at=None), "nothing waits")


def _fails_at(condition: DeviceDegraded, seen: StatusSeen) -> bool:
    return not condition.layers or not seen.faults.isdisjoint(condition.layers)


def _bad(state: RuleState, *, since: datetime, now: datetime, for_s: float, why: str) -> Decision:
    """The cause is there."""
    if state.phase in {Phase.FIRING, Phase.HELD}:
        return _go_on(state, f"known already: {why}")
    began = state.since if state.phase is Phase.PENDING and state.since else since
    due_at = began + timedelta(seconds=for_s)
    if due_at > now:
        waiting = replace(state, phase=Phase.PENDING, since=began, due_at=due_at)
        return waits(state, waiting, f"{why}; waiting")
    firing = replace(state, phase=Phase.FIRING, since=began, due_at=None)
    return Decision(transition=Transition.FIRE, reason=why, state=firing)


def _go_on(state: RuleState, why: str) -> Decision:
    """It is not good (any more): whoever waited for it to stay good waits anew."""
    if GOOD_SINCE not in state.memory:
        return nothing(state, why)
    transition = Transition.RENEW if state.phase is Phase.FIRING else Transition.NONE
    return Decision(transition=transition, reason=why, state=replace(state, due_at=None, memory={}))


def _recover(
    condition: OfPresent,
    state: RuleState,
    why: str,
    since: datetime,
    now: datetime,
    *,
    value: float | None = None,
) -> Decision:
    """The cause is gone, for good once it stayed away long enough."""
    after = state if value is None else replace(state, value=value)
    if not condition.clear_for_s or state.phase not in {Phase.FIRING, Phase.HELD}:
        return good(after, why)
    # It was bad when it began: a status that began before is an older one.
    earliest = now if state.since is None else max(since, state.since)
    began = recall(state.memory, GOOD_SINCE, now) or min(earliest, now)
    due_at = began + timedelta(seconds=condition.clear_for_s)
    if due_at <= now:
        return good(after, f"{why} for {condition.clear_for_s:g} s")
    if state.due_at == due_at:
        return nothing(state, f"{why}; waiting for it to stay so")
    transition = Transition.RENEW if state.phase is Phase.FIRING else Transition.NONE
    memory = {**state.memory, GOOD_SINCE: began.timestamp()}
    return Decision(
        transition=transition,
        reason=f"{why}; waiting for it to stay so",
        state=replace(after, due_at=due_at, memory=memory),
    )


def _lasting(condition: OfPresent, state: RuleState) -> str:
    match condition:
        case DeviceOffline(for_s=for_s):
            return f"offline for {for_s:g} s"
        case DeviceDegraded(for_s=for_s):
            return f"degraded for {for_s:g} s"
        case PointBeyond(direction=side, threshold=threshold, for_s=for_s):
            value = "the value" if state.value is None else f"{state.value:g}"
            return f"{value} is {side.value} {threshold:g} for {for_s:g} s"
        case _ as never:
            assert_never(never)
