"""What a unit in the field says about its task: accepted, refused, on the way, on site, done.

Which step is allowed is in :mod:`hub.patrols.dispatch.states`; who holds a link to the task is
found out before.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch
from hub.domain.errors import Conflict, Invalid
from hub.patrols.dispatch.states import FieldStep, check_step, is_repeat
from hub.store.database import Transaction
from hub.store.dispatches import Advance, advance, lock_dispatch

LONGEST_NOTE: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWord:
    """What a unit says. ``checked``: which items of the checklist it did; empty: as before."""

    what: FieldStep
    unit_id: int
    note: str = ""
    checked: tuple[bool, ...] = ()


async def field_step(
    tx: Transaction, scope: Scope, dispatch_id: int, said: FieldWord, *, now: datetime
) -> Dispatch:
    """Take a task one step on, as its unit says; a word that is repeated changes nothing.

    Raises:
        NotFound: the task lies outside the scope.
        Conflict: the unit has it no more, or it does not stand so that this could follow.
        Invalid: a refusal without a reason, or done with items left open without one.
    """
    note = check_note(said.note)
    task = await lock_dispatch(tx, scope, dispatch_id)
    if task.unit_id != said.unit_id:
        msg = "the desk took this task back or gave it to somebody else: nothing is left to do"
        raise Conflict(msg)
    if is_repeat(task, said.what):
        return task
    state = check_step(task.state, said.what)
    _check_word(task, said, note)
    step = Advance(state=state, what=state.value, note=note, is_field=True, checked=said.checked)
    return await advance(tx, scope, task, step, now=now)


def check_note(note: str, *, needed: str = "", field: str = "note") -> str:
    """Return a note without the blanks around it.

    Raises:
        Invalid: it is too long, or there is none and ``needed`` says that there must be.
    """
    text = note.strip()
    if len(text) > LONGEST_NOTE or "\x00" in text:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise Invalid(msg, field=field)
    if needed and not text:
        raise Invalid(needed, field=field)
    return text


def _check_word(task: Dispatch, said: FieldWord, note: str) -> None:
    if said.checked and len(said.checked) != len(task.checklist):
        msg = f"the checklist of this task has {len(task.checklist)} items: say of each if it holds"
        raise Invalid(msg, field="checked")
    if said.what is FieldStep.REFUSE and not note:
        msg = "say why the task is refused"
        raise Invalid(msg, field="note")
    is_open = not all(said.checked or task.checked)
    if said.what is FieldStep.DONE and is_open and not note:
        msg = "not every item of the checklist is done: say why"
        raise Invalid(msg, field="note")
