"""Carries decisions out: states, alerts, steps and notifications in the caller's transaction."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from alerts.desk import tell
from alerts.holds import find_hold, look_again
from alerts.messages import LONGEST_REASON, clean
from alerts.observations import Observation, is_watching, observe
from alerts.rules import Decision, Transition, advance
from hub.domain.access import Scope, system_scope
from hub.domain.alerts import Phase, Rule, RuleState, Step, subject_key
from hub.domain.conditions import EventOfKind
from hub.domain.events import StoredEvent
from hub.runtime.jobs import Jobs
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.present import Presence, device_presences
from hub.store.rule_states import Opening, close_alert, load_states, open_alert, put_states

log = logging.getLogger(__name__)

SCOPE: Final[Scope] = system_scope("hub.alerts")
LONGEST_MARK = 64
# Whoever resolves an alert by hand waits for the transaction under way: it ends within a second.
MOST_ALERTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One observation on its way to one rule.

    ``state`` names the subject; what the database remembers of it takes its place. ``hold``
    says why no alert may be made of it now.
    """

    rule: Rule
    state: RuleState
    seen: Observation
    at: datetime
    event_id: int | None = None
    hold: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The states that changed, and the sightings that another transaction must deal with."""

    states: Sequence[RuleState] = ()
    left: Sequence[Sighting] = ()


async def sightings_of(
    tx: Transaction, rules: Iterable[Rule], events: Sequence[StoredEvent]
) -> list[Sighting]:
    """What stored events mean for the rules that watch their devices and places."""
    kept = list(rules)
    pairs = [
        (event, rule, seen)
        for event in events
        for rule in kept
        if (seen := observe(rule, event)) is not None
    ]
    ids = {event.device_id for event, _, _ in pairs if event.device_id is not None}
    present = await device_presences(tx, SCOPE, sorted(ids)) if ids else {}
    return [
        _sighting(event, rule, seen, present.get(event.device_id or 0))
        for event, rule, seen in pairs
        if _is_watched(rule, event, present)
    ]


async def hold_back(tx: Transaction, sightings: Sequence[Sighting]) -> list[Sighting]:
    """Look up what speaks against an alert about the devices of these sightings."""
    ids = {s.state.device_id for s in sightings if s.state.device_id is not None}
    present = await device_presences(tx, SCOPE, sorted(ids)) if ids else {}
    return [
        replace(s, hold=find_hold(s.rule, present[s.state.device_id]))
        if s.state.device_id in present
        else s
        for s in sightings
    ]


async def judge(tx: Transaction, jobs: Jobs, sightings: Sequence[Sighting]) -> Judged:
    """Decide on each in turn, until enough alerts changed for one transaction.

    The caller's transaction holds the engine's cursor. The sightings of one event stay together.
    """
    if not sightings:
        return Judged()
    keys = {(s.state.rule_id, s.state.subject) for s in sightings}
    states = await load_states(tx, SCOPE, sorted(keys))
    changed: dict[tuple[int, str], RuleState] = {}
    touched: list[int] = []
    held_back: Counter[str] = Counter()
    last: int | None = None
    count = 0
    for sighting in sightings:
        if len(touched) >= MOST_ALERTS and (last is None or sighting.event_id != last):
            break
        count, last = count + 1, sighting.event_id
        key = (sighting.state.rule_id, sighting.state.subject)
        state = states.get(key) or sighting.state
        if key not in states and state.phase is not Phase.CLEAR:
            state = _blank(state)
        decisions = advance(sighting.rule, state, sighting.seen, sighting.at, hold=sighting.hold)
        for decision, at in decisions:
            held_back[sighting.hold] += decision.is_held_back
            told = sighting if at == sighting.at else replace(sighting, at=at)
            after, alert_id = await _carry_out(tx, jobs, told, state, decision)
            if alert_id is not None:
                touched.append(alert_id)
            if after != state:
                changed[key] = after
            state = after
        states[key] = state
    await put_states(tx, SCOPE, list(changed.values()))
    await notify(tx, SCOPE, "alerts", touched)
    for hold, number in (+held_back).items():
        log.info("alerts held back: %s, %s", number, clean(hold, LONGEST_REASON))
    return Judged(states=list(changed.values()), left=sightings[count:])


async def retire(
    tx: Transaction, jobs: Jobs, states: Sequence[RuleState], now: datetime
) -> list[RuleState]:
    """Resolve what no rule watches any more; return the states as they are now."""
    touched: list[int] = []
    for state in states:
        if state.alert_id is not None:
            reason = "no rule watches this any more"
            await _resolve(tx, jobs, state.alert_id, at=now, reason=reason)
            touched.append(state.alert_id)
    cleared = [_blank(state) for state in states]
    await put_states(tx, SCOPE, cleared)
    await notify(tx, SCOPE, "alerts", touched)
    return cleared


async def _carry_out(
    tx: Transaction, jobs: Jobs, sighting: Sighting, before: RuleState, decision: Decision
) -> tuple[RuleState, int | None]:
    """Return the state to remember and the alert that changed, if one did."""
    log.debug(
        "rule %s, %s: %s (%s)",
        before.rule_id,
        before.subject,
        decision.transition.value,
        decision.reason,
    )
    if decision.transition is Transition.RESOLVE and before.alert_id is not None:
        await _resolve(tx, jobs, before.alert_id, at=sighting.at, reason=decision.reason)
        return decision.state, before.alert_id
    if decision.transition is not Transition.FIRE:
        # The rules know nothing of alerts: one opened a moment ago is known here only.
        alert_id = before.alert_id if decision.state.phase is Phase.FIRING else None
        if decision.state.alert_id == alert_id:
            return decision.state, None
        return replace(decision.state, alert_id=alert_id), None
    opening = Opening(
        rule=sighting.rule,
        state=decision.state,
        at=sighting.at,
        reason=decision.reason,
        event_id=sighting.event_id,
    )
    opened = await open_alert(tx, SCOPE, opening)
    if opened is None:  # its area is gone
        return _blank(before), None
    if opened.is_new:
        await tell(
            tx, SCOPE, jobs, alert_id=opened.alert_id, step=Step.FIRED, step_id=opened.step_id
        )
    return replace(decision.state, alert_id=opened.alert_id), opened.alert_id


async def _resolve(
    tx: Transaction, jobs: Jobs, alert_id: int, *, at: datetime, reason: str
) -> None:
    step_id = await close_alert(tx, SCOPE, alert_id, at=at, reason=reason)
    if step_id is not None:
        await tell(tx, SCOPE, jobs, alert_id=alert_id, step=Step.RESOLVED, step_id=step_id)


def _sighting(
    event: StoredEvent, rule: Rule, seen: Observation, present: Presence | None
) -> Sighting:
    is_event = isinstance(rule.condition, EventOfKind)
    channel = event.channel if is_event else ""
    mark = ""
    if isinstance(rule.condition, EventOfKind) and rule.condition.distinguish_by:
        mark = str(event.data.get(rule.condition.distinguish_by, ""))[:LONGEST_MARK]
    subject = subject_key(
        area_id=event.area_id, device_id=event.device_id, channel=channel, mark=mark
    )
    state = RuleState(
        rule_id=rule.id,
        subject=subject,
        area_id=event.area_id,
        device_id=event.device_id,
        channel=channel,
    )
    return Sighting(
        rule=rule,
        state=state,
        seen=seen if present is None else look_again(rule, seen, present),
        at=event.received_at,
        event_id=event.id,
        hold="" if present is None else find_hold(rule, present, event),
    )


def _is_watched(rule: Rule, event: StoredEvent, known: Mapping[int, Presence]) -> bool:
    """Rules watch places and approved devices."""
    if event.device_id is None:
        return is_watching(rule, event.area_path, None)
    present = known.get(event.device_id)
    return present is not None and is_watching(rule, event.area_path, present.kind)


def _blank(state: RuleState) -> RuleState:
    return replace(state, phase=Phase.CLEAR, since=None, due_at=None, value=None, alert_id=None)
