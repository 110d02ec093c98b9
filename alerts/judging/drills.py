"""Exercises: a rule fires about devices because somebody wants to see what follows.

Pure but for :func:`end_due`. What speaks against an alert does not count here; what the rule
remembers of the devices' real troubles is another subject and stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.rules.deciding import Decision, Transition
from hub.domain.access import Scope
from hub.domain.alerts import Phase, Rule, RuleState, subject_key
from hub.domain.errors import Conflict
from hub.domain.events import StoredEvent
from hub.domain.silences import Drill
from hub.store.database import Transaction
from hub.store.drills import CAUSE, OVER, due_drills, end_drill

KINDS = frozenset({CAUSE, OVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillSeen:
    """An exercise begins or ends about one device."""

    drill: Drill
    is_over: bool


def drill_of(event: StoredEvent) -> int:
    """The number of the exercise an event belongs to; 0 for none."""
    number = event.data.get("drill") if event.kind in KINDS else None
    return number if isinstance(number, int) and not isinstance(number, bool) else 0


def see_drill(event: StoredEvent, drills: Mapping[int, Drill]) -> DrillSeen | None:
    """What an event says of an exercise; None when it is no part of it.

    Only the hub starts exercises: what the exercise does not name, or comes after its end, is
    somebody else's invention.
    """
    drill = drills.get(drill_of(event))
    if drill is None or event.device_id not in drill.device_ids:
        return None
    is_over = event.kind == OVER
    if not is_over and drill.ended_at is not None and event.received_at > drill.ended_at:
        return None
    return DrillSeen(drill=drill, is_over=is_over)


def drill_subject(rule: Rule, event: StoredEvent, drill: Drill) -> RuleState:
    """The subject of a device in an exercise, with nothing remembered of it."""
    return RuleState(
        rule_id=rule.id,
        subject=subject_key(
            area_id=event.area_id, device_id=event.device_id, mark=f"drill:{drill.id}"
        ),
        area_id=event.area_id,
        device_id=event.device_id,
    )


def decide_drill(rule: Rule, state: RuleState, seen: DrillSeen, now: datetime) -> Decision:
    """Fire when it begins, resolve when it is over."""
    if not seen.is_over:
        if state.phase is not Phase.CLEAR:
            return Decision(transition=Transition.NONE, reason="it began already", state=state)
        firing = replace(state, phase=Phase.FIRING, since=now)
        reason = f"{seen.drill.name}: exercise of {rule.name}"
        return Decision(transition=Transition.FIRE, reason=reason, state=firing)
    transition = {Phase.FIRING: Transition.RESOLVE, Phase.CLEAR: Transition.NONE}
    return Decision(
        transition=transition.get(state.phase, Transition.FORGET),
        reason="the exercise is over",
        state=replace(state, phase=Phase.CLEAR, since=None, due_at=None, alert_id=None),
    )


async def end_due(tx: Transaction, scope: Scope, now: datetime) -> int:
    """End the exercises whose time is over; return how many."""
    due = await due_drills(tx, scope, now)
    for number in due:
        try:
            await end_drill(tx, scope, number, now=now)
        except Conflict:
            continue  # somebody ended it at this very moment
    return len(due)
