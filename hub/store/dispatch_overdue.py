"""Deadlines of tasks that pass: told once as events, at the moment they were due.

``dispatch.overdue`` raises alerts, by which the task climbs; ``dispatch.on_time`` ends them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.dispatches import Priority
from hub.domain.events import Severity, StoredEvent
from hub.store.database import Transaction
from hub.store.events import add_events
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, scope_paths

OVERDUE: Final = "dispatch.overdue"
ON_TIME: Final = "dispatch.on_time"
TOPIC: Final = "dispatches"
KEEPERS_LOCK: Final = 0x6F766572647565  # "overdue"

_TASK: Final[LiteralString] = (
    "x.id, x.area_id, a.path::text AS area_path, x.title, x.kind, x.priority, x.state,"
    " x.unit_name, x.accept_by, x.arrive_by, x.done_by, x.deadline_at, x.is_overdue_told"
)
# Those that somebody holds are left to him: whoever moves a task tells what passed before.
_PASSED: Final[LiteralString] = (
    "SELECT " + _TASK + " FROM dispatches x JOIN areas a ON a.id = x.area_id"
    " WHERE x.deadline_at <= %(now)s AND NOT x.is_overdue_told AND"
    + IN_SCOPE
    + "ORDER BY x.deadline_at, x.id LIMIT %(limit)s FOR NO KEY UPDATE OF x SKIP LOCKED"
)
_HELD: Final[LiteralString] = (
    "SELECT " + _TASK + " FROM dispatches x JOIN areas a ON a.id = x.area_id"
    " WHERE x.id = %(id)s AND" + IN_SCOPE + "FOR NO KEY UPDATE OF x"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    id: int
    area_id: int
    area_path: str
    title: str
    kind: str
    priority: str
    state: str
    unit_name: str
    accept_by: datetime | None
    arrive_by: datetime | None
    done_by: datetime | None
    deadline_at: datetime | None
    is_overdue_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What is said of one task, of its deadline ``due_at``, at ``at``."""

    task: _Task
    kind: str
    at: datetime
    due_at: datetime | None
    detail: str


async def next_deadline_at(tx: Transaction, scope: Scope) -> datetime | None:
    """When the next deadline passes that was not told, None when none is ahead."""
    return await tx.scalar(
        datetime,
        "SELECT x.deadline_at FROM dispatches x JOIN areas a ON a.id = x.area_id"
        " WHERE x.deadline_at IS NOT NULL AND NOT x.is_overdue_told AND"
        + IN_SCOPE
        + "ORDER BY x.deadline_at LIMIT 1",
        {"scope": scope_paths(scope)},
    )


async def tell_overdue(tx: Transaction, scope: Scope, now: datetime, *, limit: int) -> int:
    """Tell of deadlines that passed, the earliest first; return of how many.

    Whoever tells takes turns, so that events are stored in the order of the deadlines.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": KEEPERS_LOCK})
    tasks = await tx.fetch(
        _Task, _PASSED, {"now": now, "limit": limit, "scope": scope_paths(scope)}
    )
    words = [_overdue(task, task.deadline_at, task.deadline_at or now) for task in tasks]
    if words:
        await tx.execute(
            "UPDATE dispatches SET is_overdue_told = true,"
            " overdue_at = coalesce(overdue_at, deadline_at) WHERE id = ANY (%(ids)s)",
            {"ids": [task.id for task in tasks]},
        )
        await _tell(tx, scope, words, now)
    return len(words)


async def move_deadline(
    tx: Transaction, scope: Scope, dispatch_id: int, deadline_at: datetime | None, now: datetime
) -> None:
    """Let another deadline count for a task of the scope, None: none; it holds the task.

    What passed before is told first. A task that is overdue by the new one as well stays overdue;
    else, if it was, it is on time again. Stores events: call it late in a transaction.
    """
    task = await tx.fetch_one(_Task, _HELD, {"id": dispatch_id, "scope": scope_paths(scope)})
    if task is None or task.deadline_at == deadline_at:
        return
    words: list[_Word] = []
    before = task.deadline_at
    if before is not None and before <= now and not task.is_overdue_told:
        words.append(_overdue(task, before, before))
    was_overdue = task.is_overdue_told or bool(words)
    is_overdue = deadline_at is not None and deadline_at <= now
    if is_overdue:
        words.append(_overdue(task, deadline_at, now))
    elif was_overdue:
        words.append(_Word(task=task, kind=ON_TIME, at=now, due_at=deadline_at, detail=""))
    await tx.execute(
        "UPDATE dispatches SET deadline_at = %(deadline)s, is_overdue_told = %(is_overdue)s,"
        " overdue_at = coalesce(overdue_at, %(passed)s) WHERE id = %(id)s",
        {
            "id": task.id,
            "deadline": deadline_at,
            "is_overdue": is_overdue,
            "passed": next((word.due_at for word in words if word.kind == OVERDUE), None),
        },
    )
    await _tell(tx, scope, words, now)


async def _tell(tx: Transaction, scope: Scope, words: Sequence[_Word], now: datetime) -> None:
    if not words:
        return
    late = [word for word in words if word.kind == OVERDUE]
    await tx.execute(
        "INSERT INTO dispatch_steps (dispatch_id, at, actor, what, note)"
        " SELECT n.id, n.at, 'hub.patrols', 'overdue', n.note FROM unnest(%(ids)s::bigint[],"
        " %(ats)s::timestamptz[], %(notes)s::text[]) WITH ORDINALITY AS n (id, at, note, position)"
        " ORDER BY n.position",
        {
            "ids": [word.task.id for word in late],
            "ats": [word.at for word in late],
            "notes": [word.detail for word in late],
        },
    )
    await notify(tx, scope, TOPIC, [word.task.id for word in words])
    await add_events(tx, scope, [_event(word, now) for word in words])


def _overdue(task: _Task, due_at: datetime | None, at: datetime) -> _Word:
    if due_at is not None and due_at == task.accept_by:
        detail = "nobody accepted it in time"
    elif due_at is not None and due_at == task.arrive_by:
        detail = "nobody is on site in time"
    else:
        detail = "it is not done in time"
    return _Word(task=task, kind=OVERDUE, at=at, due_at=due_at, detail=detail)


def _event(word: _Word, now: datetime) -> StoredEvent:
    task = word.task
    severity = Severity.INFO
    if word.kind == OVERDUE:
        is_urgent = task.priority == Priority.URGENT
        severity = Severity.CRITICAL if is_urgent else Severity.WARNING
    return StoredEvent(
        id=0,
        kind=word.kind,
        area_id=task.area_id,
        area_path=task.area_path,
        at=word.at,
        received_at=now,
        severity=severity,
        data={
            "dispatch": task.id,
            "title": task.title,
            "task_kind": task.kind,
            "priority": task.priority,
            "unit": task.unit_name,
            "deadline_at": None if word.due_at is None else word.due_at.isoformat(),
            "detail": f"task {task.id}, {task.title}: {word.detail}" if word.detail else "",
        },
    )
