"""What a task says is put right by the desk: words, place, how urgent it is."""

from dataclasses import dataclass, replace

from hub.domain.access import Scope
from hub.domain.dispatches import OVER, Dispatch, NewDispatch, Position, Priority
from hub.domain.errors import Conflict
from hub.patrols.dispatch.desk import Order, hold
from hub.patrols.dispatch.dues import find_due
from hub.patrols.dispatch.opening import check_new
from hub.patrols.dispatch.states import WORDS
from hub.store.database import Transaction
from hub.store.dispatch_changes import due_of, rewrite, terms_of
from hub.store.places import check_inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is to be said instead; None: as before."""

    title: str | None = None
    text: str | None = None
    kind: str | None = None
    place: str | None = None
    where: Position | None = None
    priority: Priority | None = None


async def correct(tx: Transaction, scope: Scope, order: Order, wanted: Correction) -> Dispatch:
    """Put a task right. With another priority it is due as if it had been opened with that.

    Raises:
        NotFound: the task lies outside the scope.
        Conflict: somebody was faster, or it is over.
        Invalid: a part of it has a form that is refused, or its place lies outside the county.
    """
    task = await hold(tx, scope, order)
    if task.state in OVER:
        msg = f"this task is {WORDS[task.state]}: it stays as it was"
        raise Conflict(msg)
    before = terms_of(task)
    after = replace(
        before,
        title=before.title if wanted.title is None else wanted.title,
        text=before.text if wanted.text is None else wanted.text,
        kind=wanted.kind or before.kind,
        place=before.place if wanted.place is None else wanted.place,
        where=wanted.where or before.where,
        priority=wanted.priority or before.priority,
    )
    if after == before:
        return task
    check_new(
        NewDispatch(
            area_id=task.area_id,
            title=after.title,
            text=after.text,
            kind=after.kind,
            place=after.place,
        )
    )
    if wanted.where is not None:
        await check_inside(tx, scope, wanted.where.longitude, wanted.where.latitude)
    due = due_of(task)
    if after.priority is not before.priority:
        due = await find_due(tx, scope, task.area_path, after.priority, task.created_at)
    return await rewrite(tx, scope, task, after, due, now=order.now)
