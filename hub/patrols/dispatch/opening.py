"""Tasks are opened: checked, told from duplicates, given deadlines, and sent where a rule says so.

Whoever opens a task (the desk, a stop of a round, a moderator of reports) calls
:func:`open_dispatch` inside his own transaction.
"""

import re
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from unicodedata import category

from hub.domain.access import Scope, system_scope
from hub.domain.dispatches import OVER, Dispatch, DispatchState, NewDispatch, Position
from hub.domain.errors import Conflict, Invalid
from hub.domain.events import Severity
from hub.domain.patrols import MOST_CHECKLIST
from hub.patrols.dispatch.assigning import propose
from hub.patrols.dispatch.dues import find_due
from hub.patrols.dispatch.merging import take_in
from hub.patrols.dispatch.sending import Sending, send
from hub.runtime.jobs import Jobs
from hub.store import (
    alert_life,
    asset_records,
    devices,
    dispatch_duplicates,
    dispatches,
    events,
    places,
)
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.dispatch_causes import hold_cause
from hub.store.dispatch_events import OPENED, build_event
from hub.store.dispatch_steps import NewStep, add_step
from hub.store.dispatches import Advance

LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 4000
LONGEST_PLACE: Final = 256
LONGEST_ITEM: Final = 200
_KIND: Final = re.compile(r"[a-z0-9_]{1,32}\Z")
_HIDDEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# These let a text show in another order than it has (Unicode's bidirectional overrides).
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What rules do is done by the hub, wherever the unit is that they name.
_HUB: Final = system_scope("hub.patrols")


class OnDuplicate(StrEnum):
    """What becomes of a task when an open one is about the same."""

    MERGE = "merge"  # it counts in the open one, which is not clear before both causes are
    OPEN = "open"  # it stands beside it, and its history says so


async def open_dispatch(
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    new: NewDispatch,
    *,
    now: datetime,
    on_duplicate: OnDuplicate = OnDuplicate.MERGE,
) -> Dispatch:
    """Open a task in an area of the scope and return it as it stands then.

    It may be sent already, or merged into an open one about the same (``merged_into``).

    Raises:
        NotFound: the area, the device or the cause lies outside the scope.
        Conflict: there is an open task for this very cause.
        Invalid: a part of it has a form that is refused, or its place lies outside the county.
    """
    check_new(new)
    await get_area(tx, scope, new.area_id)
    new = await _complete(tx, scope, new)
    await dispatch_duplicates.hold_openings(tx, scope)
    same = await dispatch_duplicates.find_same_cause(tx, scope, new.cause)
    if same is not None:
        msg = f"task {same.id} ({same.title}) is open for this already"
        raise Conflict(msg)
    duplicates = await _hold_duplicates(tx, scope, new)
    task = await _add(tx, scope, new, now)
    if new.cause.alert_id is not None:
        # Whoever looks at the alert sees that somebody is sent.
        note = f"task {task.id}: {task.title}"
        await alert_life.comment(tx, scope, [new.cause.alert_id], note=note, now=now)
    if duplicates and on_duplicate is OnDuplicate.MERGE:
        return await _merge(tx, scope, task, duplicates[0], now)
    for other in duplicates:
        line = NewStep(what="duplicate", at=now, note=f"task {other.id} is about the same")
        await add_step(tx, scope, task, replace(line, detail={"dispatch": other.id}))
    opened = build_event(task, OPENED, now=now, severity=Severity.INFO)
    await events.add_events(tx, scope, [opened])
    return await _assign(tx, scope, jobs, task, now)


async def _complete(tx: Transaction, scope: Scope, new: NewDispatch) -> NewDispatch:
    """Fill in what its cause and its device tell, and check its place."""
    cause = await hold_cause(tx, scope, new.cause)
    if cause is not None and new.device_id is None:
        new = replace(new, device_id=cause.device_id)
    if new.device_id is not None:
        await devices.get_device(tx, scope, new.device_id)
    if new.where is not None:
        await places.check_inside(tx, scope, new.where.longitude, new.where.latitude)
    elif new.device_id is not None:
        kept = await asset_records.get_record(tx, scope, new.device_id)
        if kept.longitude is not None and kept.latitude is not None:
            where = Position(longitude=kept.longitude, latitude=kept.latitude)
            new = replace(new, where=where)
    return new


async def _hold_duplicates(tx: Transaction, scope: Scope, new: NewDispatch) -> list[Dispatch]:
    """The open tasks about the same, held: nobody ends one of them before this one counts."""
    found = [one.id for one in await dispatch_duplicates.find_duplicates(tx, scope, new)]
    await dispatches.lock_dispatches(tx, scope, found)
    held = await dispatches.get_dispatches(tx, scope, found)
    return [one for one in held if one.state not in OVER]


async def _add(tx: Transaction, scope: Scope, new: NewDispatch, now: datetime) -> Dispatch:
    area = await get_area(tx, scope, new.area_id)
    due = await find_due(tx, scope, area.path, new.priority, now)
    return await dispatches.add_dispatch(tx, scope, new, due, now=now)


async def _merge(
    tx: Transaction, scope: Scope, task: Dispatch, into: Dispatch, now: datetime
) -> Dispatch:
    step = Advance(
        state=DispatchState.MERGED,
        what="merged",
        note=f"task {into.id} is about the same and goes on",
        merged_into=into.id,
        detail={"into": into.id},
    )
    merged = await dispatches.advance(tx, scope, task, step, now=now)
    await take_in(tx, scope, into, merged, now)
    return merged


async def _assign(
    tx: Transaction, scope: Scope, jobs: Jobs, task: Dispatch, now: datetime
) -> Dispatch:
    proposal = await propose(tx, scope, task, now)
    if proposal is None:
        return task
    if proposal.is_automatic:
        sending = Sending(unit=proposal.unit, note=proposal.reason, is_by_rule=True)
        return await send(tx, _HUB, jobs, task, sending, now=now)
    line = NewStep(
        what="proposed",
        at=now,
        note=proposal.reason,
        unit_name=proposal.unit.name,
        detail={"unit": proposal.unit.id},
    )
    await add_step(tx, _HUB, task, line)
    return task


def is_plain_line(text: str) -> bool:
    """Tell whether a text is one line that reads as it is written, in any script."""
    return not any(category(one) in _HIDDEN or one in _TURNING for one in text)


def check_new(new: NewDispatch) -> None:
    """Refuse a task that nobody could read or keep.

    Raises:
        Invalid: a part of it has a form that is refused.
    """
    title = new.title.strip()
    if not title or len(title) > LONGEST_TITLE or not is_plain_line(title):
        msg = f"a task has a title of one line, 1 to {LONGEST_TITLE} characters"
        raise Invalid(msg, field="title")
    if not _KIND.match(new.kind):
        msg = "the kind of a task is a word of a to z, 0 to 9 and _, at most 32"
        raise Invalid(msg, field="kind")
    for field, text, most in (
        ("text", new.text, LONGEST_TEXT),
        ("place", new.place, LONGEST_PLACE),
    ):
        if len(text) > most or "\x00" in text:
            msg = f"the {field} of a task has at most {most} characters"
            raise Invalid(msg, field=field)
    items = new.checklist
    is_good = all(0 < len(one.strip()) <= LONGEST_ITEM and is_plain_line(one) for one in items)
    if len(items) > MOST_CHECKLIST or not is_good:
        msg = (
            f"a checklist has at most {MOST_CHECKLIST} items of one line,"
            f" 1 to {LONGEST_ITEM} characters"
        )
        raise Invalid(msg, field="checklist")
