"""Until when a task is due: found when it is opened, and anew when it becomes more urgent."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch, Priority
from hub.store.database import Transaction
from hub.store.dispatch_changes import rewrite, terms_of
from hub.store.dispatches import Due
from hub.store.task_deadlines import find_deadlines

_ORDER: Final = tuple(Priority)


async def find_due(
    tx: Transaction, scope: Scope, area_path: str, priority: Priority, opened_at: datetime
) -> Due:
    """When a task of a priority in an area is due, by what is set there or above."""
    lasts = await find_deadlines(tx, scope, area_path, priority)
    if lasts is None:
        return Due()

    def by(seconds: float | None) -> datetime | None:
        return None if seconds is None else opened_at + timedelta(seconds=seconds)

    return Due(
        accept_by=by(lasts.accept_s),
        arrive_by=by(lasts.arrive_s),
        done_by=by(lasts.done_s),
        yellow_share=lasts.yellow_share,
    )


async def raise_priority(
    tx: Transaction, scope: Scope, task: Dispatch, least: Priority, *, now: datetime
) -> Dispatch:
    """Make a task, held by this transaction, as urgent as another one that counts in it."""
    if _ORDER.index(task.priority) >= _ORDER.index(least):
        return task
    due = await find_due(tx, scope, task.area_path, least, task.created_at)
    return await rewrite(tx, scope, task, replace(terms_of(task), priority=least), due, now=now)
