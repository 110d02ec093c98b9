"""What a rule can conclude, and the steps every condition shares. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from hub.domain.alerts import Phase, RuleState
from hub.domain.devices import Json

# Clocks of several machines differ by so much. What lies further ahead of ours was noted before
# our clock was set back, and counts as of now.
SKEW: Final = timedelta(seconds=5)


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
    """What follows, why, and what to remember. ``state.due_at`` is when to look again.

    ``hold`` is what spoke against an alert; ``is_held_back``: one would have been made, or
    waited for, and this is the first time that it is said of this cause.
    """

    transition: Transition
    reason: str
    state: RuleState
    is_held_back: bool = False
    hold: str = ""


def nothing(state: RuleState, why: str) -> Decision:
    """Nothing follows, whatever is remembered."""
    return Decision(transition=Transition.NONE, reason=why, state=state)


def good(state: RuleState, why: str) -> Decision:
    """The cause is gone."""
    match state.phase:
        case Phase.CLEAR:
            return nothing(state, "nothing was wrong")
        case Phase.FIRING:
            transition = Transition.RESOLVE
        case Phase.PENDING | Phase.HELD:
            transition = Transition.FORGET
        case _ as never:
            assert_never(never)
    return Decision(transition=transition, reason=why, state=cleared(state))


def waits(before: RuleState, after: RuleState, why: str) -> Decision:
    """The cause may come to be there: it is waited for."""
    is_new = before.phase is Phase.CLEAR
    transition = Transition.WAIT if is_new else Transition.NONE
    return Decision(transition=transition, reason=why, state=after)


def cleared(state: RuleState) -> RuleState:
    """Remember nothing."""
    return replace(state, phase=Phase.CLEAR, since=None, due_at=None, alert_id=None, memory={})


def later(now: datetime, seconds: float | None) -> datetime | None:
    """When so many seconds are over; None for never."""
    return None if seconds is None else now + timedelta(seconds=seconds)


def recall(memory: Mapping[str, Json], key: str, now: datetime) -> datetime | None:
    """A moment that was remembered, never one ahead of our clock; None without it."""
    found = memory.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return not_ahead(datetime.fromtimestamp(found, UTC), now)


def not_ahead(moment: datetime, now: datetime) -> datetime:
    """A moment by our clock; one that lies ahead of it is as of now."""
    return moment if moment <= now + SKEW else now
