"""What a rule concludes: pure functions, no clock, no database (design §2).

``decide`` looks at one observation and returns the next state *and why*; ``advance`` also lets
every timer ring that was due before the observation, so that the outcome does not depend on
when the engine got to see it. Replayed events never fire. Unknown is not offline.

A reason to hold back (a parent that is down, a maintenance window, flapping, other hours) keeps
an alert from being made, never from being ended (field.md, section 3).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from alerts.rules.decisions import Decision, Transition, cleared, nothing
from alerts.rules.events import decide_event, decide_last_seen, ring_event
from alerts.rules.observations import (
    STATUS_KINDS,
    EventSeen,
    LastSeen,
    Observation,
    StatusSeen,
    Tick,
    ValueSeen,
)
from alerts.rules.values import decide_status, decide_value, ring_value
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.conditions import (
    Combination,
    DeviceDegraded,
    DeviceOffline,
    EventCount,
    EventOfKind,
    NothingSeen,
    Per,
    PointBeyond,
)
from hub.runtime.calendars import is_active, next_start

__all__ = ["LOOK_AGAIN", "OUTSIDE_HOURS", "Decision", "Transition", "advance", "decide"]

# How often it is asked whether an event can still not be told of.
LOOK_AGAIN: Final = timedelta(seconds=60)
OUTSIDE_HOURS: Final = "outside its hours"
# Remembered of what is held back.
HELD_BACK: Final = "held"
# A late timer may set another that is late as well; more than a few never follow each other.
MOST_RINGS: Final = 8


def advance(
    rule: Rule,
    state: RuleState,
    seen: Observation,
    now: datetime,
    *,
    hold: str = "",
    holidays: Holidays = NO_HOLIDAYS,
) -> Iterator[tuple[Decision, datetime]]:
    """Let due timers ring first, then look at the observation; each decision with its time."""
    if not isinstance(seen, Tick):
        for _ in range(MOST_RINGS):
            if state.due_at is None or state.due_at > now:
                break
            rung_at = state.due_at
            rung = decide(rule, state, Tick(), rung_at, hold=hold, holidays=holidays)
            yield rung, rung_at
            state = rung.state
            if rung.hold and state.due_at is not None and state.due_at < now:
                state = replace(state, due_at=_last_look(rule, rung, rung_at, now, holidays))
    yield decide(rule, state, seen, now, hold=hold, holidays=holidays), now


def decide(
    rule: Rule,
    state: RuleState,
    seen: Observation,
    now: datetime,
    *,
    hold: str = "",
    holidays: Holidays = NO_HOLIDAYS,
) -> Decision:
    """Conclude one thing from one observation made at ``now``.

    ``hold`` says why no alert may be made now; outside the rule's hours none may, either. What
    fires goes on, what waits is forgotten: the present tells again once nothing speaks against
    it. An event is not told again: one that began something is kept until the hold is over.
    """
    if hold and _is_of_others(rule, seen):
        return nothing(state, f"it does not count for its area: {hold}")
    decision = _decide(rule, state, seen, now)
    if not _is_nearer(rule, state, decision):
        return decision
    why = hold or ("" if is_active(rule.hours, now, holidays) else OUTSIDE_HOURS)
    if not why:
        return decision
    held = replace(decision, reason=f"{decision.reason}; held back: {why}", hold=why)
    look_at = now + LOOK_AGAIN
    is_soon = why is OUTSIDE_HOURS and is_active(rule.hours, look_at, holidays)
    if is_soon and rule.hours is not None:  # no hours are shorter than the time until then
        look_at = min(look_at, next_start(rule.hours, now, holidays) or look_at)
    if HELD_BACK in state.memory and state.due_at is not None and state.due_at > now:
        look_at = min(look_at, state.due_at)
    return _hold_back(rule, state, held, seen, look_at)


def _last_look(
    rule: Rule, held: Decision, since: datetime, now: datetime, holidays: Holidays
) -> datetime:
    """When to look at what was held back, late: of many looks that say the same only the last."""
    if held.hold is not OUTSIDE_HOURS or rule.hours is None:
        return now
    return min(now, next_start(rule.hours, since, holidays) or now)


def _is_of_others(rule: Rule, seen: Observation) -> bool:
    """Tell whether an event is one of many that count together for an area.

    What speaks against one device says nothing of the others: its events are left out.
    """
    condition = rule.condition
    is_per_area = isinstance(condition, EventCount | Combination) and condition.per is Per.AREA
    return (
        is_per_area
        and isinstance(seen, EventSeen)
        and not (isinstance(condition, Combination) and seen.event.kind == condition.clear_kind)
    )


def _is_nearer(rule: Rule, before: RuleState, decision: Decision) -> bool:
    """Tell whether a decision makes an alert, or begins to wait for one.

    Counting, and waiting for what is to come, go on whatever speaks against an alert.
    """
    if isinstance(rule.condition, EventCount | Combination | NothingSeen):
        return decision.transition is Transition.FIRE
    is_on_the_way = decision.state.phase in {Phase.PENDING, Phase.FIRING}
    return is_on_the_way and before.phase is not Phase.FIRING


def _hold_back(
    rule: Rule, before: RuleState, decision: Decision, seen: Observation, look_at: datetime
) -> Decision:
    is_new = before.phase is Phase.CLEAR
    if not _is_kept(rule, before, seen):
        transition = Transition.NONE if is_new else Transition.FORGET
        state = before if is_new else cleared(before)
        return replace(decision, transition=transition, state=state, is_held_back=True)
    is_first = is_new
    memory = decision.state.memory
    if not isinstance(rule.condition, EventOfKind):
        is_first = HELD_BACK not in before.memory
        memory = {**memory, HELD_BACK: True}
    waiting = replace(
        decision.state,
        phase=Phase.PENDING,
        since=before.since or decision.state.since,
        due_at=look_at,
        memory=memory,
    )
    transition = Transition.WAIT if is_new else Transition.NONE
    return replace(decision, transition=transition, state=waiting, is_held_back=is_first)


def _is_kept(rule: Rule, before: RuleState, seen: Observation) -> bool:
    """Tell whether what is held back must be remembered, since nothing tells it again.

    A status is told again when a parent is no longer to blame: nothing is kept of thousands. So
    is a point that stays silent.
    """
    condition = rule.condition
    match condition:
        case DeviceOffline() | DeviceDegraded() | PointBeyond():
            return False
        case EventCount() | Combination():
            return True
        case NothingSeen(point=point):
            return point == ""
        case EventOfKind():
            return before.phase is not Phase.CLEAR or _is_lasting(condition, seen)
        case _ as never:
            assert_never(never)


def _is_lasting(condition: EventOfKind, seen: Observation) -> bool:
    """Tell whether an event began something that another ends."""
    if not isinstance(seen, EventSeen) or condition.kind in STATUS_KINDS:
        return False
    return seen.event.is_active is True or condition.clear_kind != ""


def _decide(rule: Rule, state: RuleState, seen: Observation, now: datetime) -> Decision:
    match seen:
        case Tick():
            return _ring(rule, state, now)
        case StatusSeen():
            return decide_status(rule, state, seen, now)
        case ValueSeen(value=value):
            return decide_value(rule, state, value, now)
        case LastSeen(last_at=last_at):
            return decide_last_seen(rule, state, last_at, now)
        case EventSeen(event=event):
            return decide_event(rule, state, event, now)
        case _ as never:
            assert_never(never)


def _ring(rule: Rule, state: RuleState, now: datetime) -> Decision:
    """A timer rings: a wait is over, or something that nobody ended is."""
    if state.due_at is None or state.due_at > now:
        return nothing(state, "not due yet")
    condition = rule.condition
    match condition:
        case DeviceOffline() | DeviceDegraded() | PointBeyond():
            return ring_value(condition, state, now)
        case EventOfKind() | EventCount() | NothingSeen() | Combination():
            return ring_event(condition, state, now)
        case _ as never:
            assert_never(never)
