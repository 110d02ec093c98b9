"""What a task says is changed: its words, its place, how urgent it is and when it is due."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.dispatches import Dispatch, Position, Priority, next_deadline
from hub.domain.errors import Conflict
from hub.store import notices
from hub.store.database import Transaction
from hub.store.dispatch_overdue import move_deadline
from hub.store.dispatch_steps import NewStep, add_step
from hub.store.dispatches import TOPIC, Due, get_dispatch, record
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a task says."""

    title: str
    text: str
    kind: str
    place: str
    where: Position | None
    priority: Priority


def terms_of(task: Dispatch) -> Terms:
    """What a task says now."""
    return Terms(
        title=task.title,
        text=task.text,
        kind=task.kind,
        place=task.place,
        where=task.where,
        priority=task.priority,
    )


def due_of(task: Dispatch) -> Due:
    """When a task is due now."""
    return Due(
        accept_by=task.accept_by,
        arrive_by=task.arrive_by,
        done_by=task.done_by,
        yellow_share=task.yellow_share,
    )


async def rewrite(
    tx: Transaction, scope: Scope, task: Dispatch, terms: Terms, due: Due, *, now: datetime
) -> Dispatch:
    """Let a task of the scope say something else, as it was read; its history tells what it said.

    Raises:
        Conflict: somebody changed it since it was read.
        NotFound: it lies outside the scope.
    """
    moved = await tx.execute(
        "UPDATE dispatches t SET version = t.version + 1, title = %(title)s, text = %(text)s,"
        " kind = %(kind)s, place = %(place)s, longitude = %(longitude)s::float8,"
        " latitude = %(latitude)s::float8, priority = %(priority)s,"
        " accept_by = %(accept_by)s::timestamptz, arrive_by = %(arrive_by)s::timestamptz,"
        " done_by = %(done_by)s::timestamptz, yellow_share = %(yellow_share)s"
        " FROM areas a WHERE a.id = t.area_id AND t.id = %(id)s AND t.version = %(version)s AND"
        + IN_SCOPE,
        {
            "id": task.id,
            "version": task.version,
            "title": terms.title,
            "text": terms.text,
            "kind": terms.kind,
            "place": terms.place,
            "longitude": None if terms.where is None else terms.where.longitude,
            "latitude": None if terms.where is None else terms.where.latitude,
            "priority": terms.priority,
            "accept_by": due.accept_by,
            "arrive_by": due.arrive_by,
            "done_by": due.done_by,
            "yellow_share": due.yellow_share,
            "scope": scope_paths(scope),
        },
    )
    after = await get_dispatch(tx, scope, task.id)
    if not moved:
        msg = "somebody else changed this task a moment ago: look at it again, then decide"
        raise Conflict(msg)
    before = _said(task)
    changed: dict[str, Json] = {
        name: [before[name], value] for name, value in _said(after).items() if value != before[name]
    }
    line = NewStep(what="changed", at=now, unit_name=task.unit_name, detail=changed)
    await add_step(tx, scope, after, line)
    await record(tx, scope, "dispatch.changed", after, changed)
    await notices.notify(tx, scope, TOPIC, [task.id])
    deadline = next_deadline(
        task.state, accept_by=due.accept_by, arrive_by=due.arrive_by, done_by=due.done_by
    )
    await move_deadline(tx, scope, task.id, deadline, now)
    return await get_dispatch(tx, scope, task.id)


async def note_picture(tx: Transaction, scope: Scope, task: Dispatch) -> None:
    """Remember that a task, which the caller read within the scope, has a picture."""
    del scope
    await tx.execute(
        "UPDATE dispatches SET has_picture = true WHERE id = %(id)s AND NOT has_picture",
        {"id": task.id},
    )


def _said(task: Dispatch) -> dict[str, Json]:
    where = task.where
    return {
        "title": task.title,
        "text": task.text,
        "kind": task.kind,
        "place": task.place,
        "position": None if where is None else [where.longitude, where.latitude],
        "priority": task.priority.value,
    }
