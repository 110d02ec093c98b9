"""Shows streams of events to one rule, as the engine does, and keeps what follows."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from alerts.rules.deciding import Decision, Transition, advance
from alerts.rules.observations import Observation, Tick, observe, subject_of
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import Condition
from hub.domain.events import StoredEvent

T0 = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
AREA = "county.town.village"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def rule(condition: Condition) -> Rule:
    return Rule(id=1, name="r", area_id=1, area_path="county", condition=condition)


def event(
    number: int,
    kind: str,
    seconds: float,
    *,
    device: int | None = 1,
    is_active: bool | None = None,
    plan: str | int = "",
) -> StoredEvent:
    return StoredEvent(
        id=number,
        kind=kind,
        area_id=3,
        area_path=AREA,
        at=at(seconds),
        received_at=at(seconds),
        device_id=device,
        is_active=is_active,
        data={"plan": plan} if plan else {},
    )


def replayed(one: StoredEvent) -> StoredEvent:
    return replace(one, replayed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An alert that opened, or ended."""

    subject: str
    transition: Transition
    reason: str
    since: datetime | None


class Watch:
    """One rule, what it remembers, and what became of it."""

    def __init__(self, watched: Rule, *, hold: str = "") -> None:
        self.rule = watched
        self.hold = hold
        self.states: dict[str, RuleState] = {}
        self.turns: list[Turn] = []
        self.times: list[datetime] = []
        self.last: Decision | None = None

    def see(self, *events: StoredEvent) -> list[Transition]:
        """Show events; return what each led to."""
        found: list[Transition] = []
        for one in events:
            seen = observe(self.rule, one)
            if seen is not None:
                found += self._show(subject_of(self.rule, one), seen, one.received_at)
        return found

    def look(self, now: datetime) -> list[Transition]:
        """Let due timers ring, the longest overdue first."""
        found: list[Transition] = []
        due = [s for s in self.states.values() if s.due_at is not None and s.due_at <= now]
        for state in sorted(due, key=lambda s: s.due_at or now):
            found += self._show(state, Tick(), now)
        return found

    def restart(self) -> None:
        """Forget everything but what the database would hold."""
        self.states = {
            name: replace(state, memory=json.loads(json.dumps(dict(state.memory))))
            for name, state in self.states.items()
        }

    def close_by_hand(self) -> None:
        """Do what happens when somebody resolves an alert whose cause lasts."""
        for name, state in self.states.items():
            if state.phase is Phase.FIRING:
                held = replace(state, phase=Phase.HELD, due_at=None, alert_id=None)
                self.states[name] = held

    @property
    def kinds(self) -> list[Transition]:
        return [turn.transition for turn in self.turns]

    def state(self) -> RuleState:
        (only,) = self.states.values()
        return only

    def _show(self, blank: RuleState, seen: Observation, now: datetime) -> list[Transition]:
        state = self.states.get(blank.subject, blank)
        found = []
        for decision, when in advance(self.rule, state, seen, now, hold=self.hold):
            assert decision.reason
            before, state = state, decision.state
            found.append(decision.transition)
            self._note(before, decision, when)
        if state.phase is Phase.CLEAR:
            assert not state.memory
            assert state.due_at is None
            self.states.pop(blank.subject, None)
        else:
            self.states[blank.subject] = state
        return found

    def _note(self, before: RuleState, decision: Decision, when: datetime) -> None:
        self.last = decision
        state = decision.state
        if decision.transition is Transition.FIRE:
            assert before.phase is not Phase.FIRING
            assert state.phase is Phase.FIRING
        elif decision.transition is Transition.RESOLVE:
            assert before.phase is Phase.FIRING
            assert state.phase is not Phase.FIRING
        else:
            assert (before.phase is Phase.FIRING) is (state.phase is Phase.FIRING)
            return
        since = state.since if decision.transition is Transition.FIRE else None
        self.turns.append(
            Turn(
                subject=state.subject,
                transition=decision.transition,
                reason=decision.reason,
                since=since,
            )
        )
        self.times.append(when)


def play(
    watched: Rule,
    events: Sequence[StoredEvent],
    *,
    looks: Iterable[float] = (),
    restarts: Collection[int] = (),
    until: float = 1e6,
) -> list[Turn]:
    """Show a stream in order; look at the timers in between, restart before some events."""
    watch = Watch(watched)
    waiting = sorted(looks)
    for number, one in enumerate(events):
        while waiting and at(waiting[0]) <= one.received_at:
            watch.look(at(waiting.pop(0)))
        if number in restarts:
            watch.restart()
        watch.see(one)
    watch.look(at(until))
    # Two subjects that ring at one late look do so in the order they were due.
    return sorted(watch.turns, key=lambda turn: turn.subject)
