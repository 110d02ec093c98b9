"""What a rule concludes: pure functions, no clock, no database (design §2).

``decide`` looks at one observation and returns the next state *and why*; ``advance`` also lets
every timer ring that was due before the observation, so that the outcome does not depend on
when the engine got to see it. Replayed events never fire. Unknown is not offline.

A reason to hold back (a parent that is down, a maintenance window, flapping) keeps an alert from
being made, never from being ended (field.md, section 3).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from alerts.observations import (
    STATUS_KINDS,
    EventSeen,
    Observation,
    StatusSeen,
    Tick,
    ValueSeen,
)
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import (
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventOfKind,
    PointBeyond,
)
from hub.domain.events import StoredEvent
from hub.domain.health import Status

# How often it is asked whether an event can still not be told of.
LOOK_AGAIN = timedelta(seconds=60)
LONGEST_DETAIL = 500  # characters of what an event says


class Transition(StrEnum):
    """What a decision changes."""

    NONE = "none"
    WAIT = "wait"  # the cause is there, its time is not over
    FIRE = "fire"
    RENEW = "renew"  # it goes on: only the timer or the value moves
    RESOLVE = "resolve"
    FORGET = "forget"  # the cause went before an alert was made, or after a person closed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows, why, and what to remember. ``state.due_at`` is when to look again."""

    transition: Transition
    reason: str
    state: RuleState
    is_held_back: bool = False


def advance(
    rule: Rule, state: RuleState, seen: Observation, now: datetime, *, hold: str = ""
) -> Iterator[tuple[Decision, datetime]]:
    """Let due timers ring first, then look at the observation; each decision with its time."""
    if state.due_at is not None and state.due_at <= now and not isinstance(seen, Tick):
        rung = decide(rule, state, Tick(), state.due_at, hold=hold)
        yield rung, state.due_at
        state = rung.state
    yield decide(rule, state, seen, now, hold=hold), now


def decide(
    rule: Rule, state: RuleState, seen: Observation, now: datetime, *, hold: str = ""
) -> Decision:
    """Conclude one thing from one observation made at ``now``.

    ``hold`` says why no alert may be made now. What fires goes on, what waits is forgotten: the
    present tells again once nothing speaks against it. An event is not told again: one that began
    something is kept until the hold is over.
    """
    decision = _decide(rule, state, seen, now)
    is_nearer = decision.state.phase in {Phase.PENDING, Phase.FIRING}
    if not hold or not is_nearer or state.phase is Phase.FIRING:
        return decision
    is_new = state.phase is Phase.CLEAR
    reason = f"{decision.reason}; held back: {hold}"
    condition = rule.condition
    if isinstance(condition, EventOfKind) and (not is_new or _is_lasting(condition, seen)):
        waiting = replace(
            decision.state,
            phase=Phase.PENDING,
            since=state.since or decision.state.since,
            due_at=now + LOOK_AGAIN,
        )
        transition = Transition.WAIT if is_new else Transition.NONE
        return Decision(transition=transition, reason=reason, state=waiting, is_held_back=is_new)
    return Decision(
        transition=Transition.NONE if is_new else Transition.FORGET,
        reason=reason,
        state=state if is_new else _cleared(state),
        is_held_back=True,
    )


def _is_lasting(condition: EventOfKind, seen: Observation) -> bool:
    """Tell whether an event began something that another ends, and that nobody tells again.

    A status is told again when a parent is no longer to blame: nothing is kept of thousands.
    """
    if not isinstance(seen, EventSeen) or condition.kind in STATUS_KINDS:
        return False
    return seen.event.is_active is True or condition.clear_kind != ""


def _decide(rule: Rule, state: RuleState, seen: Observation, now: datetime) -> Decision:
    match seen:
        case Tick():
            return _ring(rule, state, now)
        case StatusSeen():
            return _decide_status(rule, state, seen, now)
        case ValueSeen(value=value):
            return _decide_value(rule, state, value, now)
        case EventSeen(event=event):
            return _decide_event(rule, state, event, now)
        case _ as never:
            assert_never(never)


def _decide_status(rule: Rule, state: RuleState, seen: StatusSeen, now: datetime) -> Decision:
    match rule.condition:
        case DeviceOffline(for_s=for_s):
            is_bad, is_open = seen.status is Status.OFFLINE, seen.status is Status.UNKNOWN
        case DeviceDegraded(for_s=for_s):
            is_bad = seen.status is Status.DEGRADED and _fails_at(rule.condition, seen)
            # The layers above a device that is not reached cannot be told.
            is_open = seen.status in {Status.UNKNOWN, Status.OFFLINE}
        case _:
            return _nothing(state, "this rule does not watch the status of devices")
    if is_bad:
        why = f"{seen.status.value}: {seen.detail}" if seen.detail else seen.status.value
        return _bad(state, since=min(seen.since, now), now=now, for_s=for_s, why=why)
    if is_open and state.phase in {Phase.FIRING, Phase.HELD}:
        return _nothing(state, f"its status is {seen.status.value}: neither bad nor good")
    return _good(state, f"the device is {seen.status.value}")


def _fails_at(condition: DeviceDegraded, seen: StatusSeen) -> bool:
    return not condition.layers or not seen.faults.isdisjoint(condition.layers)


def _decide_value(rule: Rule, state: RuleState, value: float, now: datetime) -> Decision:
    condition = rule.condition
    if not isinstance(condition, PointBeyond):
        return _nothing(state, "this rule does not watch readings")
    if math.isnan(value):
        return _nothing(state, "not a number: neither good nor bad")
    sign = 1.0 if condition.direction is Direction.ABOVE else -1.0
    if sign * value > sign * condition.threshold:
        why = f"{value:g} is {condition.direction.value} {condition.threshold:g}"
        decision = _bad(state, since=now, now=now, for_s=condition.for_s, why=why)
        return replace(decision, state=replace(decision.state, value=value))
    if sign * value <= sign * condition.clear or state.phase is Phase.PENDING:
        return _good(replace(state, value=value), f"{value:g} is good again")
    return _nothing(state, f"{value:g} lies between the threshold and the clear value")


def _decide_event(rule: Rule, state: RuleState, event: StoredEvent, now: datetime) -> Decision:
    condition = rule.condition
    if not isinstance(condition, EventOfKind):
        return _nothing(state, "this rule does not watch events")
    if event.kind != condition.kind or event.is_active is False:
        return _good(state, f"{event.kind} ended it")
    if event.replayed:
        return _nothing(state, "replayed: a fact, but no news")
    renewed = replace(state, due_at=_later(now, condition.auto_clear_s))
    if state.phase is Phase.FIRING:
        return Decision(transition=Transition.RENEW, reason="it happened again", state=renewed)
    firing = replace(renewed, phase=Phase.FIRING, since=state.since or event.received_at)
    return Decision(transition=Transition.FIRE, reason=_say_event(event), state=firing)


def _say_event(event: StoredEvent) -> str:
    """The kind, and the sentence where the event brings one."""
    detail = event.data.get("detail")
    if not isinstance(detail, str) or not detail:
        return event.kind
    return f"{event.kind}: {detail[:LONGEST_DETAIL]}"


def _bad(state: RuleState, *, since: datetime, now: datetime, for_s: float, why: str) -> Decision:
    """The cause is there."""
    if state.phase in {Phase.FIRING, Phase.HELD}:
        return _nothing(state, f"known already: {why}")
    began = state.since if state.phase is Phase.PENDING and state.since else since
    due_at = began + timedelta(seconds=for_s)
    if due_at > now:
        waiting = replace(state, phase=Phase.PENDING, since=began, due_at=due_at)
        is_new = state.phase is Phase.CLEAR
        transition = Transition.WAIT if is_new else Transition.NONE
        return Decision(transition=transition, reason=f"{why}; waiting", state=waiting)
    firing = replace(state, phase=Phase.FIRING, since=began, due_at=None)
    return Decision(transition=Transition.FIRE, reason=why, state=firing)


def _good(state: RuleState, why: str) -> Decision:
    """The cause is gone."""
    match state.phase:
        case Phase.CLEAR:
            return _nothing(state, "nothing was wrong")
        case Phase.FIRING:
            transition = Transition.RESOLVE
        case Phase.PENDING | Phase.HELD:
            transition = Transition.FORGET
        case _ as never:
            assert_never(never)
    return Decision(transition=transition, reason=why, state=_cleared(state))


def _ring(rule: Rule, state: RuleState, now: datetime) -> Decision:
    """A timer rings: the wait is over, or an event that nobody cleared is."""
    if state.due_at is None or state.due_at > now:
        return _nothing(state, "not due yet")
    if state.phase is Phase.PENDING:
        over_at = _over_at(rule, state)
        if over_at is not None and over_at <= now:
            return _good(state, "no further event: cleared by time")
        firing = replace(state, phase=Phase.FIRING, due_at=over_at)
        return Decision(transition=Transition.FIRE, reason=_lasting(rule, state), state=firing)
    if state.phase is Phase.FIRING:
        return _good(state, "no further event: cleared by time")
    return _nothing(replace(state, due_at=None), "nothing waits")


def _over_at(rule: Rule, state: RuleState) -> datetime | None:
    """When an event that was held back is cleared by time."""
    if not isinstance(rule.condition, EventOfKind) or state.since is None:
        return None
    return _later(state.since, rule.condition.auto_clear_s)


def _lasting(rule: Rule, state: RuleState) -> str:
    match rule.condition:
        case DeviceOffline(for_s=for_s):
            return f"offline for {for_s:g} s"
        case DeviceDegraded(for_s=for_s):
            return f"degraded for {for_s:g} s"
        case PointBeyond(direction=side, threshold=threshold, for_s=for_s):
            value = "the value" if state.value is None else f"{state.value:g}"
            return f"{value} is {side.value} {threshold:g} for {for_s:g} s"
        case EventOfKind(kind=kind):
            return kind
        case _ as never:
            assert_never(never)


def _cleared(state: RuleState) -> RuleState:
    return replace(state, phase=Phase.CLEAR, since=None, due_at=None, alert_id=None)


def _nothing(state: RuleState, why: str) -> Decision:
    return Decision(transition=Transition.NONE, reason=why, state=state)


def _later(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
