"""What rules conclude from events: one of a kind, many, none, or several together. Pure.

What is remembered between events is bounded: as many moments as are counted, or a few for each
event of a combination. An event that was seen already (by its number) changes nothing, and one
that comes a moment late is put in its place.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, assert_never

from alerts.rules.decisions import (
    SKEW,
    Decision,
    Transition,
    cleared,
    good,
    later,
    not_ahead,
    nothing,
    recall,
    waits,
)
from alerts.rules.observations import matching_pattern
from alerts.rules.sequences import add_moment, find_sequence, read_moments
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import Combination, EventCount, EventOfKind, NothingSeen
from hub.domain.events import StoredEvent

OfEvents = EventOfKind | EventCount | NothingSeen | Combination

LONGEST_DETAIL: Final = 500  # characters of what an event says
# What is remembered: the number of the last event, when it was last complete, and what may
# become complete yet.
LAST, AT, MOMENTS = "last", "at", "moments"


def decide_event(rule: Rule, state: RuleState, event: StoredEvent, now: datetime) -> Decision:
    """Look at an event that the condition asks for."""
    condition = rule.condition
    match condition:
        case EventOfKind():
            return _see_event(condition, state, event, now)
        case EventCount() | Combination():
            return _gather(condition, state, event, now)
        case NothingSeen(kind=kind) if kind:
            return _see_sign(condition, state, event, now)
        case _:
            return nothing(state, "this rule does not watch events")


def decide_last_seen(rule: Rule, state: RuleState, last_at: datetime, now: datetime) -> Decision:
    """Look at when the last sign of life came, or began to be expected."""
    condition = rule.condition
    if not isinstance(condition, NothingSeen):
        return nothing(state, "this rule does not miss anything")
    if condition.kind and state.phase is not Phase.CLEAR:
        return nothing(state, "expected already")
    last_at = not_ahead(last_at, now)
    due_at = last_at + timedelta(seconds=condition.for_s)
    if due_at > now:
        if state.phase in {Phase.FIRING, Phase.HELD}:
            return good(state, "readings come again")
        waiting = replace(state, phase=Phase.PENDING, since=last_at, due_at=due_at)
        return waits(state, waiting, "expected from now on")
    if state.phase in {Phase.FIRING, Phase.HELD}:
        return nothing(state, "still missing")
    firing = replace(state, phase=Phase.FIRING, since=last_at, due_at=None)
    return Decision(transition=Transition.FIRE, reason=_missing(condition), state=firing)


def ring_event(condition: OfEvents, state: RuleState, now: datetime) -> Decision:
    """A wait is over: what is missed did not come, or nothing came that would go on."""
    match condition:
        case NothingSeen():
            return _ring_missing(condition, state, now)
        case EventOfKind():
            over_at = None if state.since is None else later(state.since, condition.auto_clear_s)
        case EventCount(quiet_s=lasts_s) | Combination(clear_s=lasts_s):
            complete_at = recall(state.memory, AT, now)
            if complete_at is None:
                return good(state, "the others did not come in time")
            # The clock was set back, and the timer with it: what was noted lies ahead of both.
            is_ahead = complete_at == now and state.since is not None and state.since > now
            over_at = now if is_ahead else later(complete_at, lasts_s)
        case _ as never:
            assert_never(never)
    is_over = over_at is None or over_at <= now
    if state.phase is not Phase.PENDING:
        if is_over or isinstance(condition, EventOfKind):
            return good(state, "no further event: cleared by time")
        return nothing(replace(state, due_at=over_at), "its time is longer by now")
    # It was held back.
    if is_over and over_at is not None:
        return good(state, "no further event: cleared by time")
    firing = replace(state, phase=Phase.FIRING, due_at=over_at)
    return Decision(transition=Transition.FIRE, reason=_say(condition), state=firing)


def _see_event(
    condition: EventOfKind, state: RuleState, event: StoredEvent, now: datetime
) -> Decision:
    if event.kind != condition.kind or event.is_active is False:
        return good(state, f"{event.kind} ended it")
    if event.replayed:
        return nothing(state, "replayed: a fact, but no news")
    renewed = replace(state, due_at=later(now, condition.auto_clear_s))
    if state.phase is Phase.FIRING:
        return Decision(transition=Transition.RENEW, reason="it happened again", state=renewed)
    firing = replace(renewed, phase=Phase.FIRING, since=state.since or event.received_at)
    return Decision(transition=Transition.FIRE, reason=_quote(event), state=firing)


def _see_sign(
    condition: NothingSeen, state: RuleState, event: StoredEvent, now: datetime
) -> Decision:
    """What is missed when it stays away has come: the wait begins anew."""
    if event.replayed:
        return nothing(state, "replayed: no sign of life")
    if _is_seen(state, event):
        return nothing(state, "seen already")
    since = now
    if state.phase is Phase.PENDING and state.since is not None:
        since = max(now, not_ahead(state.since, now))
    ended = good(state, f"{event.kind} came again")
    waiting = replace(
        ended.state,
        phase=Phase.PENDING,
        since=since,
        due_at=later(since, condition.for_s),
        memory={LAST: event.id},
    )
    if state.phase in {Phase.CLEAR, Phase.PENDING}:
        return waits(state, waiting, f"{event.kind} came")
    return replace(ended, state=waiting)


def _ring_missing(condition: NothingSeen, state: RuleState, now: datetime) -> Decision:
    if state.phase is not Phase.PENDING:
        return nothing(replace(state, due_at=None), "nothing waits")
    due_at = None if state.since is None else later(state.since, condition.for_s)
    if due_at is not None and due_at > now:
        return nothing(replace(state, due_at=due_at), "its time is longer by now")
    firing = replace(state, phase=Phase.FIRING, due_at=None)
    return Decision(transition=Transition.FIRE, reason=_missing(condition), state=firing)


def _gather(
    condition: EventCount | Combination, state: RuleState, event: StoredEvent, now: datetime
) -> Decision:
    """One more event of those that count, or come together."""
    if isinstance(condition, Combination) and event.kind == condition.clear_kind:
        return good(state, f"{event.kind} ended it")
    if event.replayed:
        return nothing(state, "replayed: a fact, but no news")
    if _is_seen(state, event):
        return nothing(state, "counted already")
    lasts_s = condition.quiet_s if isinstance(condition, EventCount) else condition.clear_s
    if state.phase is Phase.HELD and not _is_going_on(state, now, lasts_s):
        state = cleared(state)  # it was over when nobody looked
    moments = read_moments(state.memory.get(MOMENTS), now)
    since = _complete(condition, state, event, moments, now)
    if since is not None:
        return _completed(condition, state, event, since, now)
    memory = {**state.memory, LAST: event.id, MOMENTS: moments}
    if AT in state.memory or state.phase is Phase.FIRING:
        # It goes on as it is until it is complete again.
        return nothing(replace(state, memory=memory), "the others are not there again yet")
    times = [moment for row in moments for moment in row]
    waiting = replace(
        state,
        phase=Phase.PENDING,
        since=_moment(min(times)),
        due_at=later(_moment(max(times)), condition.within_s + SKEW.total_seconds()),
        memory=memory,
    )
    return waits(state, waiting, f"{event.kind}; the others are not there yet")


def _complete(
    condition: EventCount | Combination,
    state: RuleState,
    event: StoredEvent,
    moments: list[list[float]],
    now: datetime,
) -> datetime | None:
    """Put an event in its place; since when what is asked for is complete, None while it is not."""
    if isinstance(condition, EventCount):
        if AT in state.memory:
            return now  # one is enough for it to go on
        row = add_moment(moments, 0, now.timestamp(), most=condition.count)
        newest = row[-1]
        row[:] = [moment for moment in row if moment >= newest - condition.within_s]
        return _moment(row[0]) if len(row) >= condition.count else None
    number = matching_pattern(condition, event)
    if number is None:
        return None
    add_moment(moments, number, now.timestamp())
    while len(moments) < len(condition.events):
        moments.append([])
    first = find_sequence(moments, within_s=condition.within_s, in_order=condition.in_order)
    return None if first is None else _moment(first)


def _completed(
    condition: EventCount | Combination,
    state: RuleState,
    event: StoredEvent,
    since: datetime,
    now: datetime,
) -> Decision:
    lasts_s = condition.quiet_s if isinstance(condition, EventCount) else condition.clear_s
    last_at = recall(state.memory, AT, now)
    at = now if last_at is None else max(now, last_at)
    after = replace(
        state,
        due_at=later(at, lasts_s),
        memory={LAST: event.id, AT: at.timestamp()},
    )
    if state.phase is Phase.FIRING:
        return Decision(transition=Transition.RENEW, reason="it happened again", state=after)
    if state.phase is Phase.HELD:
        return nothing(after, "closed by hand, and it goes on")
    is_on = AT in state.memory and state.since is not None
    firing = replace(after, phase=Phase.FIRING, since=state.since if is_on else since)
    return Decision(transition=Transition.FIRE, reason=_say(condition), state=firing)


def _is_seen(state: RuleState, event: StoredEvent) -> bool:
    """Tell whether an event was dealt with before: numbers grow in the order of dealing."""
    last = state.memory.get(LAST)
    return isinstance(last, int) and event.id <= last


def _is_going_on(state: RuleState, now: datetime, lasts_s: float) -> bool:
    complete_at = recall(state.memory, AT, now)
    return complete_at is not None and now < complete_at + timedelta(seconds=lasts_s)


def _moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def _quote(event: StoredEvent) -> str:
    """The kind, and the sentence where the event brings one."""
    detail = event.data.get("detail")
    if not isinstance(detail, str) or not detail:
        return event.kind
    return f"{event.kind}: {detail[:LONGEST_DETAIL]}"


def _missing(condition: NothingSeen) -> str:
    what = condition.kind or f"reading of {condition.point}"
    return f"no {what} for {condition.for_s:g} s"


def _say(condition: EventOfKind | EventCount | Combination) -> str:
    match condition:
        case EventOfKind(kind=kind):
            return kind
        case EventCount(kind=kind, count=count, within_s=within_s):
            return f"{kind} {count} times within {within_s:g} s"
        case Combination(events=events, within_s=within_s, in_order=in_order):
            kinds = [one.kind for one in events]
            joined = " then ".join(kinds) if in_order else " and ".join(kinds)
            return f"{joined} within {within_s:g} s"
        case _ as never:
            assert_never(never)
