"""Dispatches: opened, advanced step by step, and read. What is allowed is decided in hub.patrols.

Lists are in :mod:`hub.store.dispatch_lists`, deadlines in :mod:`hub.store.dispatch_overdue`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.dispatches import (
    OVER,
    Dispatch,
    DispatchState,
    NewDispatch,
    next_deadline,
)
from hub.domain.errors import Conflict, NotFound
from hub.domain.events import Severity
from hub.store import audit, events, notices
from hub.store.database import Transaction
from hub.store.dispatch_events import CLOSED, build_event
from hub.store.dispatch_overdue import move_deadline
from hub.store.dispatch_rows import DispatchRow
from hub.store.dispatch_steps import NewStep, add_step
from hub.store.scoping import IN_SCOPE, scope_paths

TOPIC: Final = "dispatches"

# ``t`` is the task, ``a`` its area; a condition follows.
_SELECT: Final = (
    "SELECT t.id, t.area_id, a.path::text AS area_path, a.name AS area_name, t.title, t.text,"
    " t.kind, t.priority, t.state, t.source, t.alert_id, t.round_id, t.position, t.roll_call_id,"
    " t.report_id, t.place, t.longitude, t.latitude, t.device_id, t.device_name, t.checklist,"
    " t.checked, t.unit_id, t.unit_name, t.created_at, t.created_by, t.sent_at, t.accepted_at,"
    " t.on_site_at, t.done_at, t.closed_at, t.verified_by, t.verdict, t.accept_by, t.arrive_by,"
    " t.done_by, t.yellow_share, t.deadline_at, t.overdue_at, t.merged_into,"
    " (SELECT count(*) FROM dispatches m WHERE m.merged_into = t.id) AS merged,"
    " t.has_picture, t.version FROM dispatches t JOIN areas a ON a.id = t.area_id WHERE"
)
# What a state does to the times of a task and to the unit that has it.
_TIMES: Final = (
    " unit_id = CASE WHEN %(state)s = 'sent' THEN %(unit)s::bigint"
    "  WHEN %(state)s IN ('refused', 'returned') THEN NULL ELSE t.unit_id END,"
    " unit_name = CASE WHEN %(state)s = 'sent' THEN %(unit_name)s"
    "  WHEN %(state)s IN ('refused', 'returned') THEN '' ELSE t.unit_name END,"
    " sent_at = CASE WHEN %(state)s = 'sent' THEN %(now)s ELSE t.sent_at END,"
    " accepted_at = CASE WHEN %(state)s IN ('sent', 'refused', 'returned') THEN NULL"
    "  WHEN %(state)s = 'accepted' THEN %(now)s ELSE t.accepted_at END,"
    " on_site_at = CASE WHEN %(state)s IN ('sent', 'refused', 'returned') THEN NULL"
    "  WHEN %(state)s = 'on_site' THEN %(now)s ELSE t.on_site_at END,"
    " done_at = CASE WHEN %(state)s IN ('sent', 'refused', 'returned') THEN NULL"
    "  WHEN %(state)s = 'done' THEN %(now)s ELSE t.done_at END,"
    " closed_at = CASE WHEN %(is_over)s THEN %(now)s END,"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Until when a task is to be accepted, reached and done; None: no deadline."""

    accept_by: datetime | None = None
    arrive_by: datetime | None = None
    done_by: datetime | None = None
    yellow_share: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The unit a task is given to."""

    unit_id: int
    unit_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A step of a task to a state; ``what`` is the word of its line.

    ``given`` is the unit it is sent to. ``verdict`` says how it ended.
    """

    state: DispatchState
    what: str
    note: str = ""
    is_field: bool = False
    given: Given | None = None
    checked: tuple[bool, ...] = ()
    verdict: str = ""
    merged_into: int | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)


async def get_dispatch(tx: Transaction, scope: Scope, dispatch_id: int) -> Dispatch:
    """Return one task; raises NotFound outside the scope."""
    found = await get_dispatches(tx, scope, [dispatch_id])
    if not found:
        msg = "no such task"
        raise NotFound(msg)
    return found[0]


async def get_dispatches(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[Dispatch]:
    """Return those of these tasks that are in the scope, by number."""
    rows = await tx.fetch(
        DispatchRow,
        _SELECT + " t.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY t.id",
        {"ids": list(ids), "scope": scope_paths(scope)},
    )
    return [row.dispatch() for row in rows]


async def lock_dispatch(tx: Transaction, scope: Scope, dispatch_id: int) -> Dispatch:
    """Return one task, held until the commit; raises NotFound outside the scope."""
    await lock_dispatches(tx, scope, [dispatch_id])
    return await get_dispatch(tx, scope, dispatch_id)


async def lock_dispatches(tx: Transaction, scope: Scope, ids: Sequence[int]) -> None:
    """Hold several tasks of the scope until the commit, in one order everywhere."""
    await tx.tuples(
        "SELECT t.id FROM dispatches t JOIN areas a ON a.id = t.area_id"
        " WHERE t.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY t.id FOR NO KEY UPDATE OF t",
        {"ids": list(ids), "scope": scope_paths(scope)},
    )


async def hold_unit(tx: Transaction, scope: Scope, unit_id: int) -> bool:
    """Keep a unit from being removed until the commit; False when it was removed already.

    Not narrowed to the scope: whoever gives the unit a task has read it in his own.
    """
    del scope
    found = await tx.scalar(
        int,
        "SELECT u.id FROM field_units u WHERE u.id = %(id)s AND u.removed_at IS NULL"
        " FOR KEY SHARE OF u",
        {"id": unit_id},
    )
    return found is not None


async def add_dispatch(
    tx: Transaction, scope: Scope, new: NewDispatch, due: Due, *, now: datetime
) -> Dispatch:
    """Write down a new task and its first line; the caller checked what it names.

    Raises:
        NotFound: its area lies outside the scope.
    """
    deadline = next_deadline(
        DispatchState.NEW,
        accept_by=due.accept_by,
        arrive_by=due.arrive_by,
        done_by=due.done_by,
    )
    number = await tx.scalar(
        int,
        "INSERT INTO dispatches (area_id, title, text, kind, priority, place, longitude, latitude,"
        " device_id, device_name, checklist, checked, source, alert_id, round_id, position,"
        " roll_call_id, report_id, created_at, created_by, accept_by, arrive_by, done_by,"
        " yellow_share, deadline_at, has_picture)"
        " SELECT a.id, %(title)s, %(text)s, %(kind)s, %(priority)s, %(place)s,"
        " %(longitude)s::float8, %(latitude)s::float8, %(device)s::bigint,"
        " coalesce((SELECT d.name FROM devices d WHERE d.id = %(device)s), ''),"
        " %(checklist)s::text[], array_fill(false, ARRAY[%(items)s::int]), %(source)s,"
        " %(alert)s::bigint, %(round)s::bigint, %(position)s::int, %(call)s::bigint,"
        " %(report)s::bigint, %(now)s, %(actor)s, %(accept_by)s::timestamptz,"
        " %(arrive_by)s::timestamptz, %(done_by)s::timestamptz, %(yellow_share)s,"
        " %(deadline)s::timestamptz, EXISTS (SELECT FROM patrol_stops s"
        "  WHERE s.round_id = %(round)s AND s.position = %(position)s AND s.has_picture)"
        " FROM areas a WHERE a.id = %(area)s AND" + IN_SCOPE + "RETURNING id",
        {
            **_values(new),
            "now": now,
            "actor": scope.actor,
            "accept_by": due.accept_by,
            "arrive_by": due.arrive_by,
            "done_by": due.done_by,
            "yellow_share": due.yellow_share,
            "deadline": deadline,
            "scope": scope_paths(scope),
        },
    )
    if number is None:
        msg = "no such area"
        raise NotFound(msg)
    task = await get_dispatch(tx, scope, number)
    await add_step(tx, scope, task, NewStep(what="opened", at=now))
    await record(tx, scope, "dispatch.opened", task, {"title": task.title, "kind": task.kind})
    await notices.notify(tx, scope, TOPIC, [number])
    return task


async def advance(
    tx: Transaction, scope: Scope, task: Dispatch, step: Advance, *, now: datetime
) -> Dispatch:
    """Take a task of the scope one step on, as it was read; whether it may is decided before.

    Clears what was told of a deadline that this step meets, and says when the task is over.

    Raises:
        Conflict: somebody took a step since it was read.
        NotFound: it lies outside the scope.
    """
    deadline = next_deadline(
        step.state, accept_by=task.accept_by, arrive_by=task.arrive_by, done_by=task.done_by
    )
    moved = await tx.execute(
        "UPDATE dispatches t SET state = %(state)s, version = t.version + 1, "
        + _TIMES
        + " verdict = CASE WHEN %(is_over)s THEN %(verdict)s ELSE t.verdict END,"
        " verified_by = CASE WHEN %(state)s = 'verified' THEN %(actor)s ELSE t.verified_by END,"
        " merged_into = %(merged_into)s::bigint,"
        " checked = CASE WHEN %(checked)s::boolean[] = '{}' THEN t.checked ELSE %(checked)s END"
        " FROM areas a WHERE a.id = t.area_id AND t.id = %(id)s AND t.version = %(version)s AND"
        + IN_SCOPE,
        {
            "id": task.id,
            "version": task.version,
            "state": step.state,
            "is_over": step.state in OVER,
            "unit": None if step.given is None else step.given.unit_id,
            "unit_name": "" if step.given is None else step.given.unit_name,
            "verdict": step.verdict,
            "actor": scope.actor,
            "merged_into": step.merged_into,
            "checked": list(step.checked),
            "now": now,
            "scope": scope_paths(scope),
        },
    )
    if not moved:
        await get_dispatch(tx, scope, task.id)
        msg = "somebody else changed this task a moment ago: look at it again, then decide"
        raise Conflict(msg)
    after = await get_dispatch(tx, scope, task.id)
    await _write_down(tx, scope, after, step, now, task.unit_name)
    await move_deadline(tx, scope, task.id, deadline, now)
    if step.state in OVER:
        closed = build_event(after, CLOSED, now=now, severity=Severity.INFO)
        await events.add_events(tx, scope, [closed])
    return await get_dispatch(tx, scope, task.id)


async def record(
    tx: Transaction,
    scope: Scope,
    action: str,
    task: Dispatch,
    detail: Mapping[str, Json] | None = None,
) -> None:
    """Put on record what was done about a task."""
    deed = audit.Deed(
        action=action, object_type="dispatch", object_id=str(task.id), area_id=task.area_id
    )
    await audit.record(tx, scope, deed, detail)


async def _write_down(
    tx: Transaction, scope: Scope, after: Dispatch, step: Advance, now: datetime, before: str
) -> None:
    # A unit that refused or was taken the task from is named, too.
    unit = after.unit_name or before
    line = NewStep(
        what=step.what,
        at=now,
        note=step.note,
        is_field=step.is_field,
        unit_name=unit,
        detail=step.detail,
    )
    await add_step(tx, scope, after, line)
    detail = {**step.detail, "note": step.note, "unit": unit}
    await record(tx, scope, f"dispatch.{step.what}", after, detail)
    await notices.notify(tx, scope, TOPIC, [after.id])


def _values(new: NewDispatch) -> dict[str, object]:
    return {
        "area": new.area_id,
        "title": new.title,
        "text": new.text,
        "kind": new.kind,
        "priority": new.priority,
        "place": new.place,
        "longitude": None if new.where is None else new.where.longitude,
        "latitude": None if new.where is None else new.where.latitude,
        "device": new.device_id,
        "checklist": list(new.checklist),
        "items": len(new.checklist),
        "source": new.cause.source,
        "alert": new.cause.alert_id,
        "round": new.cause.round_id,
        "position": new.cause.position,
        "call": new.cause.roll_call_id,
        "report": new.cause.report_id,
    }
