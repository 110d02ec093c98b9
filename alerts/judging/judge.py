"""Shows to rules what was seen, in the caller's transaction, and carries out what they conclude.

What a rule remembers is read once, everything is decided, and the outcome is written at once
(:mod:`alerts.judging.turns`). A subject that comes again and again in one batch keeps its order.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from alerts.judging.drills import DrillSeen, decide_drill
from alerts.judging.folding import Key
from alerts.judging.turns import Turn, carry_out
from alerts.rules.deciding import Decision, Transition, advance
from alerts.rules.observations import Observation
from alerts.telling.messages import LONGEST_REASON, clean
from hub.domain.access import Scope, system_scope
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.runtime.jobs import Jobs
from hub.store.alert_holds import Hold, keep_holds
from hub.store.alert_openings import Opening
from hub.store.database import Transaction
from hub.store.rule_states import load_states, put_states

log = logging.getLogger(__name__)

SCOPE: Final[Scope] = system_scope("hub.alerts")
# Whoever resolves an alert by hand waits for the transaction under way: it ends within a second.
MOST_ALERTS = 1000
# One subject that fires and ends more often than this goes on in the next transaction: what is
# told keeps its order, and each time costs statements of its own.
MOST_TURNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One observation on its way to one rule.

    ``state`` names the subject; what the database remembers of it takes its place. ``hold``
    says why no alert may be made of it now.
    """

    rule: Rule
    state: RuleState
    seen: Observation | DrillSeen
    at: datetime
    event_id: int | None = None
    hold: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The states that changed, and the sightings that another transaction must deal with.

    ``has_freed``: an uplink's alert is over, see :func:`alerts.judging.turns.release`.
    """

    states: Sequence[RuleState] = ()
    left: Sequence[Sighting] = ()
    has_freed: bool = False


@dataclass(slots=True)
class _Conclusions:
    """What follows from sightings, before any of it is carried out."""

    states: dict[Key, RuleState]
    holidays: Holidays
    changed: dict[Key, RuleState] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    holds: dict[tuple[int, str, str], Hold] = field(default_factory=dict)
    news: Counter[str] = field(default_factory=Counter)  # what was held back for the first time
    turns_of: Counter[Key] = field(default_factory=Counter)
    is_full: bool = False

    def take(self, sighting: Sighting) -> None:
        """Decide on one."""
        key = (sighting.state.rule_id, sighting.state.subject)
        state = self.states.get(key) or sighting.state
        if key not in self.states and state.phase is not Phase.CLEAR:
            state = _blank(state)
        for decision, at in self._decisions(sighting, state):
            told = sighting if at == sighting.at else replace(sighting, at=at)
            after = self._follow(told, state, decision)
            if after != state:
                self.changed[key] = after
            state = after
        self.states[key] = state

    def _decisions(
        self, sighting: Sighting, state: RuleState
    ) -> Iterable[tuple[Decision, datetime]]:
        rule, seen, at = sighting.rule, sighting.seen, sighting.at
        if isinstance(seen, DrillSeen):
            return [(decide_drill(rule, state, seen, at), at)]
        return advance(rule, state, seen, at, hold=sighting.hold, holidays=self.holidays)

    def _follow(self, sighting: Sighting, before: RuleState, decision: Decision) -> RuleState:
        """Note what follows from a decision; return the state to remember."""
        log.debug(
            "rule %s, %s: %s (%s)",
            before.rule_id,
            before.subject,
            decision.transition.value,
            decision.reason,
        )
        if decision.hold:
            self._hold(sighting, decision)
        key = (before.rule_id, before.subject)
        if decision.transition is Transition.RESOLVE:
            self._turn(Turn(key=key, at=sighting.at, reason=decision.reason))
        if decision.transition is Transition.FIRE:
            drill = sighting.seen.drill if isinstance(sighting.seen, DrillSeen) else None
            opening = Opening(
                rule=sighting.rule,
                state=decision.state,
                at=sighting.at,
                reason=decision.reason,
                event_id=sighting.event_id,
                drill_id=drill.id if drill else None,
                drill=drill.name if drill else "",
            )
            self._turn(Turn(key=key, at=sighting.at, opening=opening))
            return decision.state
        alert_id = before.alert_id if decision.state.phase is Phase.FIRING else None
        if decision.state.alert_id == alert_id:
            return decision.state
        return replace(decision.state, alert_id=alert_id)

    def _turn(self, turn: Turn) -> None:
        self.turns.append(turn)
        self.turns_of[turn.key] += 1
        is_often = self.turns_of[turn.key] >= MOST_TURNS
        self.is_full = self.is_full or is_often or len(self.turns) >= MOST_ALERTS

    def _hold(self, sighting: Sighting, decision: Decision) -> None:
        state, at = sighting.state, sighting.at
        reason = clean(decision.hold, LONGEST_REASON)
        self.news[reason] += decision.is_held_back
        key = (state.rule_id, state.subject, reason)
        known = self.holds.get(key)
        if known is not None:
            self.holds[key] = replace(known, last_at=at, times=known.times + 1)
            return
        self.holds[key] = Hold(
            rule_id=state.rule_id,
            subject=state.subject,
            reason=reason,
            area_id=state.area_id,
            device_id=state.device_id,
            first_at=at,
            last_at=at,
        )


async def judge(
    tx: Transaction,
    jobs: Jobs,
    sightings: Sequence[Sighting],
    now: datetime,
    holidays: Holidays = NO_HOLIDAYS,
) -> Judged:
    """Decide on each in turn, until enough alerts changed for one transaction.

    The caller's transaction holds the engine's cursor. The sightings of one event stay together.
    """
    if not sightings:
        return Judged()
    keys = {(s.state.rule_id, s.state.subject) for s in sightings}
    concluded = _Conclusions(await load_states(tx, SCOPE, sorted(keys)), holidays)
    last: int | None = None
    count = 0
    for sighting in sightings:
        if concluded.is_full and (last is None or sighting.event_id != last):
            break
        count, last = count + 1, sighting.event_id
        concluded.take(sighting)
    done = await carry_out(tx, SCOPE, jobs, concluded.turns, now)
    states = [_numbered(state, done.opened) for state in concluded.changed.values()]
    await put_states(tx, SCOPE, states)
    await keep_holds(tx, SCOPE, list(concluded.holds.values()))
    for reason, number in (+concluded.news).items():
        log.info("alerts held back: %s, %s", number, reason)
    return Judged(states=states, left=sightings[count:], has_freed=done.has_freed)


async def retire(
    tx: Transaction, jobs: Jobs, states: Sequence[RuleState], now: datetime
) -> list[RuleState]:
    """Resolve what no rule watches any more; return the states as they are now."""
    turns = [
        Turn(key=(s.rule_id, s.subject), at=now, reason="no rule watches this any more")
        for s in states
        if s.alert_id is not None
    ]
    await carry_out(tx, SCOPE, jobs, turns, now)
    cleared = [_blank(state) for state in states]
    await put_states(tx, SCOPE, cleared)
    return cleared


def _numbered(state: RuleState, opened: Mapping[Key, int | None]) -> RuleState:
    """Give a state the number of the alert that was opened for it; without an area there is none.

    The rules know nothing of alerts.
    """
    key = (state.rule_id, state.subject)
    if state.phase is not Phase.FIRING or key not in opened:
        return state
    alert_id = opened[key]
    return _blank(state) if alert_id is None else replace(state, alert_id=alert_id)


def _blank(state: RuleState) -> RuleState:
    return replace(
        state, phase=Phase.CLEAR, since=None, due_at=None, value=None, alert_id=None, memory={}
    )
