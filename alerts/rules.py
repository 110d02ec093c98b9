"""What a rule concludes: pure functions, no clock, no database (design §2).

``decide`` looks at one observation and returns the next state *and why*; ``advance`` also lets
every timer ring that was due before the observation, so that the outcome does not depend on
when the engine got to see it. Replayed events never fire. Unknown is not offline.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import DeviceOffline, Direction, EventOfKind, PointBeyond
from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.domain.health import Status

STATUS_KINDS = {f"device.{status.value}": status for status in Status}


class Transition(StrEnum):
    """What a decision changes."""

    NONE = "none"
    WAIT = "wait"  # the cause is there, its time is not over
    FIRE = "fire"
    RENEW = "renew"  # it goes on: only the timer or the value moves
    RESOLVE = "resolve"
    FORGET = "forget"  # the cause went before an alert was made, or after a person closed it


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSeen:
    """A device's status; ``since`` is when it began, by our clock."""

    status: Status
    since: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSeen:
    """A point's value."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """A stored event that may start or end what the rule watches for."""

    event: StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time alone."""


Observation = StatusSeen | ValueSeen | EventSeen | Tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows, why, and what to remember. ``state.due_at`` is when to look again."""

    transition: Transition
    reason: str
    state: RuleState


def is_watching(rule: Rule, area_path: str, device_kind: DeviceKind | None) -> bool:
    """Tell whether a rule concerns a device (or a place, without a kind) of an area."""
    is_inside = area_path == rule.area_path or area_path.startswith(rule.area_path + ".")
    wanted = rule.condition.device_kinds
    return is_inside and (not wanted or device_kind in wanted)


def observe(rule: Rule, event: StoredEvent) -> Observation | None:
    """What an event means for a rule, None when it means nothing."""
    match rule.condition:
        case DeviceOffline():
            status = STATUS_KINDS.get(event.kind)
            if status is None or event.device_id is None or event.replayed:
                return None
            detail = str(event.data.get("detail", ""))
            return StatusSeen(status=status, since=event.received_at, detail=detail)
        case EventOfKind(kind=kind, clear_kind=clear_kind):
            is_ours = event.kind == kind or (clear_kind != "" and event.kind == clear_kind)
            return EventSeen(event=event) if is_ours else None
        case PointBeyond():
            return None
        case _ as never:
            assert_never(never)


def advance(
    rule: Rule, state: RuleState, seen: Observation, now: datetime
) -> Iterator[tuple[Decision, datetime]]:
    """Let due timers ring first, then look at the observation; each decision with its time."""
    if state.due_at is not None and state.due_at <= now and not isinstance(seen, Tick):
        rung = decide(rule, state, Tick(), state.due_at)
        yield rung, state.due_at
        state = rung.state
    yield decide(rule, state, seen, now), now


def decide(rule: Rule, state: RuleState, seen: Observation, now: datetime) -> Decision:
    """Conclude one thing from one observation made at ``now``."""
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
    if not isinstance(rule.condition, DeviceOffline):
        return _nothing(state, "this rule does not watch the status of devices")
    match seen.status:
        case Status.OFFLINE:
            why = f"offline: {seen.detail}" if seen.detail else "offline"
            since = min(seen.since, now)
            return _bad(state, since=since, now=now, for_s=rule.condition.for_s, why=why)
        case Status.UNKNOWN if state.phase in {Phase.FIRING, Phase.HELD}:
            return _nothing(state, "its status is unknown: neither offline nor good")
        case Status.UNKNOWN | Status.ONLINE | Status.DEGRADED | Status.MAINTENANCE:
            return _good(state, f"the device is {seen.status.value}")
        case _ as never:
            assert_never(never)


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
    firing = replace(renewed, phase=Phase.FIRING, since=event.received_at)
    return Decision(transition=Transition.FIRE, reason=event.kind, state=firing)


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
    clear = replace(state, phase=Phase.CLEAR, since=None, due_at=None, alert_id=None)
    match state.phase:
        case Phase.CLEAR:
            return _nothing(state, "nothing was wrong")
        case Phase.FIRING:
            return Decision(transition=Transition.RESOLVE, reason=why, state=clear)
        case Phase.PENDING | Phase.HELD:
            return Decision(transition=Transition.FORGET, reason=why, state=clear)
        case _ as never:
            assert_never(never)


def _ring(rule: Rule, state: RuleState, now: datetime) -> Decision:
    """A timer rings: the wait is over, or an event that nobody cleared is."""
    if state.due_at is None or state.due_at > now:
        return _nothing(state, "not due yet")
    if state.phase is Phase.PENDING:
        firing = replace(state, phase=Phase.FIRING, due_at=None)
        return Decision(transition=Transition.FIRE, reason=_lasting(rule, state), state=firing)
    if state.phase is Phase.FIRING:
        return _good(state, "no further event: cleared by time")
    return _nothing(replace(state, due_at=None), "nothing waits")


def _lasting(rule: Rule, state: RuleState) -> str:
    match rule.condition:
        case DeviceOffline(for_s=for_s):
            return f"offline for {for_s:g} s"
        case PointBeyond(direction=side, threshold=threshold, for_s=for_s):
            value = "the value" if state.value is None else f"{state.value:g}"
            return f"{value} is {side.value} {threshold:g} for {for_s:g} s"
        case EventOfKind(kind=kind):
            return kind
        case _ as never:
            assert_never(never)


def _nothing(state: RuleState, why: str) -> Decision:
    return Decision(transition=Transition.NONE, reason=why, state=state)


def _later(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
