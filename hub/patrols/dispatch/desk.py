"""What the dispatch desk does about tasks: send, take back, cancel, merge, verify, remark.

Every deed names the version of the task that its author looked at: of two people who act at once
the second one is told what the first one did.
"""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch
from hub.domain.errors import Conflict
from hub.patrols.dispatch.life import check_note
from hub.patrols.dispatch.merging import merge_into
from hub.patrols.dispatch.sending import Sending, send
from hub.patrols.dispatch.states import WORDS, DeskStep, check_step
from hub.patrols.dispatch.verifying import find_standing
from hub.runtime.jobs import Jobs
from hub.store.database import Transaction
from hub.store.dispatch_messages import NewMessage, add_message
from hub.store.dispatch_steps import NewStep, add_step, last_actor
from hub.store.dispatches import TOPIC, Advance, advance, lock_dispatch, lock_dispatches, record
from hub.store.field_units import get_unit
from hub.store.notices import notify


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants of a task. ``version`` is of the task as he saw it, None: whatever."""

    dispatch_id: int
    version: int | None = None
    note: str = ""
    now: datetime


async def send_to(
    tx: Transaction, scope: Scope, jobs: Jobs, order: Order, unit_id: int
) -> Dispatch:
    """Give a task to a unit of the scope, whoever had it; a link goes to the unit's phone.

    The note is for the unit: it is the first message there.

    Raises:
        NotFound: the task or the unit lies outside the scope.
        Conflict: somebody was faster, the task is over, or the unit has it or takes none.
    """
    unit = await get_unit(tx, scope, unit_id)
    task = await hold(tx, scope, order)
    note = check_note(order.note)
    sent = await send(tx, scope, jobs, task, Sending(unit=unit, note=note), now=order.now)
    if note:
        word = NewMessage(author=scope.actor, is_field=False, text=note, at=order.now)
        await add_message(tx, scope, task.id, word)
    return sent


async def take_back(tx: Transaction, scope: Scope, order: Order) -> Dispatch:
    """Take a task from its unit: it waits for the desk; what was done is not good enough, too.

    Raises:
        NotFound: the task lies outside the scope.
        Conflict: somebody was faster, or no unit has it.
        Invalid: without a reason.
    """
    note = check_note(order.note, needed="say why the task is taken back")
    task = await hold(tx, scope, order)
    state = check_step(task.state, DeskStep.TAKE_BACK)
    step = Advance(state=state, what=state.value, note=note)
    return await advance(tx, scope, task, step, now=order.now)


async def cancel(tx: Transaction, scope: Scope, order: Order) -> Dispatch:
    """End a task that nobody need go to.

    Raises:
        NotFound: the task lies outside the scope.
        Conflict: somebody was faster, or it is over.
        Invalid: without a reason.
    """
    note = check_note(order.note, needed="say why the task is cancelled")
    task = await hold(tx, scope, order)
    state = check_step(task.state, DeskStep.CANCEL)
    step = Advance(state=state, what=state.value, note=note, verdict=note)
    return await advance(tx, scope, task, step, now=order.now)


async def merge(tx: Transaction, scope: Scope, order: Order, into_id: int) -> Dispatch:
    """Let a task count in another one about the same; returns the one that is over.

    Raises:
        NotFound: one of them lies outside the scope.
        Conflict: somebody was faster, or one of them is over.
        Invalid: they are one.
    """
    note = check_note(order.note)
    await lock_dispatches(tx, scope, [order.dispatch_id, into_id])
    into = await lock_dispatch(tx, scope, into_id)
    task = await hold(tx, scope, order)
    return await merge_into(tx, scope, task, into, note=note, now=order.now)


async def verify(tx: Transaction, scope: Scope, order: Order) -> Dispatch:
    """End a task that is done, once what raised it is clear, or for the reason in the note.

    Raises:
        NotFound: the task lies outside the scope.
        Conflict: somebody was faster, it is not done, or it is not clear and nobody says why it
            may end all the same.
    """
    note = check_note(order.note)
    task = await hold(tx, scope, order)
    state = check_step(task.state, DeskStep.VERIFY)
    standing = await find_standing(tx, scope, task)
    if standing and not note:
        msg = f"not clear yet: {'; '.join(standing)}. Say why it may end all the same"
        raise Conflict(msg)
    step = Advance(
        state=state,
        what=state.value,
        note=note,
        verdict=note,
        detail={"standing": list(standing)},
    )
    return await advance(tx, scope, task, step, now=order.now)


async def comment(tx: Transaction, scope: Scope, order: Order) -> Dispatch:
    """Add a remark to the history of a task, at any time.

    Raises:
        NotFound: the task lies outside the scope.
        Invalid: without a text.
    """
    note = check_note(order.note, needed="a comment needs a text")
    task = await lock_dispatch(tx, scope, order.dispatch_id)
    await add_step(tx, scope, task, NewStep(what="commented", at=order.now, note=note))
    await record(tx, scope, "dispatch.commented", task, {"note": note})
    await notify(tx, scope, TOPIC, [task.id])
    return task


async def hold(tx: Transaction, scope: Scope, order: Order) -> Dispatch:
    """Return the task of an order, held until the commit.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: somebody changed it since the author of the order looked at it.
    """
    task = await lock_dispatch(tx, scope, order.dispatch_id)
    if order.version is not None and order.version != task.version:
        who = await last_actor(tx, scope, task.id)
        msg = f"{who} was faster: by now the task is {WORDS[task.state]}. Look at it again"
        raise Conflict(msg)
    return task
