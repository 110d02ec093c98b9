"""Of two tasks about the same one goes on; it is not clear before the causes of both are."""

from datetime import datetime

from hub.domain.access import Scope
from hub.domain.dispatches import OVER, Dispatch
from hub.domain.errors import Conflict, Invalid
from hub.patrols.dispatch.dues import raise_priority
from hub.patrols.dispatch.states import WORDS, DeskStep, check_step
from hub.store import notices
from hub.store.database import Transaction
from hub.store.dispatch_merges import move_merged
from hub.store.dispatch_steps import NewStep, add_step
from hub.store.dispatches import TOPIC, Advance, advance


async def merge_into(
    tx: Transaction, scope: Scope, task: Dispatch, into: Dispatch, *, note: str, now: datetime
) -> Dispatch:
    """Let one task count in another; both are held by this transaction.

    What was merged into the first counts in the second from now on.

    Raises:
        Invalid: they are one.
        Conflict: one of them is over.
    """
    if task.id == into.id:
        msg = "a task cannot be merged into itself"
        raise Invalid(msg, field="into_id")
    if into.state in OVER:
        msg = f"task {into.id} is {WORDS[into.state]}: nothing can be merged into it"
        raise Conflict(msg)
    step = Advance(
        state=check_step(task.state, DeskStep.MERGE),
        what="merged",
        note=note,
        verdict=note,
        merged_into=into.id,
        detail={"into": into.id},
    )
    merged = await advance(tx, scope, task, step, now=now)
    await move_merged(tx, scope, task, into)
    await take_in(tx, scope, into, merged, now)
    return merged


async def take_in(
    tx: Transaction, scope: Scope, into: Dispatch, merged: Dispatch, now: datetime
) -> None:
    """Let the task that goes on, held by this transaction, know what it took in.

    It is as urgent as the most urgent of them from now on.
    """
    line = NewStep(
        what="took_in",
        at=now,
        note=f"task {merged.id}: {merged.title}",
        detail={"dispatch": merged.id},
    )
    await add_step(tx, scope, into, line)
    await notices.notify(tx, scope, TOPIC, [into.id])
    await raise_priority(tx, scope, into, merged.priority, now=now)
