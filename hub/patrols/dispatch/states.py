"""Which step of a task is allowed out of which state, by whom, and where it leads. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hub.domain.dispatches import Dispatch, DispatchState
from hub.domain.errors import Conflict


class FieldStep(StrEnum):
    """What a unit does about its task."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    ON_THE_WAY = "on_the_way"
    ON_SITE = "on_site"
    DONE = "done"


class DeskStep(StrEnum):
    """What the desk does about a task."""

    SEND = "send"
    TAKE_BACK = "take_back"
    CANCEL = "cancel"
    MERGE = "merge"
    VERIFY = "verify"


_S = DispatchState
# In the field of a unit: it may be taken back, or given to another one.
IN_FIELD: Final = frozenset({_S.SENT, _S.ACCEPTED, _S.ON_THE_WAY, _S.ON_SITE})
WAITING: Final = frozenset({_S.NEW, _S.REFUSED, _S.RETURNED})
_OPEN: Final = WAITING | IN_FIELD | {_S.DONE}

LEADS_TO: Final[Mapping[FieldStep | DeskStep, DispatchState]] = {
    FieldStep.ACCEPT: _S.ACCEPTED,
    FieldStep.REFUSE: _S.REFUSED,
    FieldStep.ON_THE_WAY: _S.ON_THE_WAY,
    FieldStep.ON_SITE: _S.ON_SITE,
    FieldStep.DONE: _S.DONE,
    DeskStep.SEND: _S.SENT,
    DeskStep.TAKE_BACK: _S.RETURNED,
    DeskStep.CANCEL: _S.CANCELLED,
    DeskStep.MERGE: _S.MERGED,
    DeskStep.VERIFY: _S.VERIFIED,
}
ALLOWED_IN: Final[Mapping[FieldStep | DeskStep, frozenset[DispatchState]]] = {
    FieldStep.ACCEPT: frozenset({_S.SENT}),
    FieldStep.REFUSE: frozenset({_S.SENT, _S.ACCEPTED}),
    FieldStep.ON_THE_WAY: frozenset({_S.ACCEPTED}),
    # Whoever is there already need not say that he was on the way.
    FieldStep.ON_SITE: frozenset({_S.ACCEPTED, _S.ON_THE_WAY}),
    FieldStep.DONE: frozenset({_S.ON_SITE}),
    # Out of the field: given to another unit. Out of DONE: it is not, the unit goes again.
    DeskStep.SEND: _OPEN,
    DeskStep.TAKE_BACK: IN_FIELD | {_S.DONE},
    DeskStep.CANCEL: _OPEN,
    DeskStep.MERGE: _OPEN,
    DeskStep.VERIFY: frozenset({_S.DONE}),
}

WORDS: Final[Mapping[DispatchState, str]] = {
    _S.NEW: "new, and waits for the desk",
    _S.SENT: "sent, and not accepted yet",
    _S.ACCEPTED: "accepted",
    _S.ON_THE_WAY: "on the way",
    _S.ON_SITE: "on site",
    _S.DONE: "done, and waits to be verified",
    _S.VERIFIED: "verified and over",
    _S.REFUSED: "refused, and waits for the desk",
    _S.RETURNED: "taken back, and waits for the desk",
    _S.CANCELLED: "cancelled and over",
    _S.MERGED: "merged into another one and over",
}
_DONE_TO_IT: Final[Mapping[FieldStep | DeskStep, str]] = {
    FieldStep.ACCEPT: "accepted",
    FieldStep.REFUSE: "refused",
    FieldStep.ON_THE_WAY: "set out for",
    FieldStep.ON_SITE: "arrived at",
    FieldStep.DONE: "done",
    DeskStep.SEND: "sent",
    DeskStep.TAKE_BACK: "taken back",
    DeskStep.CANCEL: "cancelled",
    DeskStep.MERGE: "merged",
    DeskStep.VERIFY: "verified",
}
_WAY: Final = (_S.ACCEPTED, _S.ON_THE_WAY, _S.ON_SITE, _S.DONE)


def check_step(state: DispatchState, step: FieldStep | DeskStep) -> DispatchState:
    """Return the state that a step leads to.

    Raises:
        Conflict: it is not allowed in this state.
    """
    if state not in ALLOWED_IN[step]:
        msg = f"this task is {WORDS[state]}: it cannot be {_DONE_TO_IT[step]} now"
        raise Conflict(msg)
    return LEADS_TO[step]


def allowed_steps(state: DispatchState) -> tuple[FieldStep | DeskStep, ...]:
    """Every step that is allowed in a state, those of the field first."""
    return tuple(step for step, states in ALLOWED_IN.items() if state in states)


def is_repeat(task: Dispatch, step: FieldStep) -> bool:
    """Tell whether a unit's step is one that its task has taken already.

    A phone that heard no answer sends its word again, even after the next one.
    """
    aim = LEADS_TO[step]
    return aim in _WAY and task.state in _WAY and _WAY.index(aim) <= _WAY.index(task.state)
