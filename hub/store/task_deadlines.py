"""How long tasks may take, by area and priority: the nearest row up the tree counts."""

from dataclasses import replace
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.dispatches import Priority, TaskDeadlines
from hub.domain.errors import Invalid, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "task-deadlines"
LONGEST_S: Final = 365 * 86_400.0
_MINUTE_S: Final = 60.0
# Until a unit accepts, is on site, is done: what a new installation starts with, in minutes.
_DEFAULTS: Final = {
    Priority.URGENT: (5, 15, 60),
    Priority.HIGH: (10, 30, 120),
    Priority.NORMAL: (30, 120, 1440),
    Priority.LOW: (240, 1440, 4320),
}
_ROW: Final[LiteralString] = (
    "SELECT t.id, t.area_id, t.priority, t.accept_s, t.arrive_s, t.done_s, t.yellow_share"
    " FROM task_deadlines t JOIN areas a ON a.id = t.area_id WHERE"
)


async def find_deadlines(
    tx: Transaction, scope: Scope, area_path: str, priority: Priority
) -> TaskDeadlines | None:
    """What holds for a task of a priority in an area, None when nothing is set up to the root.

    Not narrowed to the scope: what the county sets holds in the village, too.
    """
    del scope
    row = await tx.fetch_one(
        TaskDeadlines,
        _ROW + " a.path @> %(path)s::ltree AND t.priority = %(priority)s"
        " ORDER BY nlevel(a.path) DESC LIMIT 1",
        {"path": area_path, "priority": priority},
    )
    return None if row is None else _typed(row)


async def list_deadlines(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[TaskDeadlines]:
    """What is set, by number; in an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        TaskDeadlines,
        _ROW + IN_SCOPE + "AND t.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY t.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def get_deadlines(tx: Transaction, scope: Scope, deadlines_id: int) -> TaskDeadlines:
    """Return one row; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        TaskDeadlines,
        _ROW + " t.id = %(id)s AND" + IN_SCOPE,
        {"id": deadlines_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such deadlines of tasks"
        raise NotFound(msg)
    return _typed(row)


async def add_deadlines(tx: Transaction, scope: Scope, wanted: TaskDeadlines) -> TaskDeadlines:
    """Set the deadlines of a priority in an area of the scope, for tasks opened from now on.

    Raises:
        NotFound: the area lies outside the scope.
        Conflict: they are set already.
        Invalid: a time is out of its range, or a later step is due before an earlier one.
    """
    await get_area(tx, scope, wanted.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO task_deadlines (area_id, priority, accept_s, arrive_s, done_s, yellow_share)"
        " VALUES (%(area)s, %(priority)s, %(accept)s, %(arrive)s, %(done)s, %(share)s)"
        " RETURNING id",
        _values(wanted),
    )
    return await _changed(tx, scope, "task_deadlines.added", number or 0)


async def change_deadlines(tx: Transaction, scope: Scope, wanted: TaskDeadlines) -> TaskDeadlines:
    """Replace a row of the scope; tasks that are open keep the deadlines they have.

    Raises:
        NotFound: the row or its area lies outside the scope.
        Conflict: the area has deadlines of that priority already.
        Invalid: as for :func:`add_deadlines`.
    """
    await get_deadlines(tx, scope, wanted.id)
    await get_area(tx, scope, wanted.area_id)
    await tx.execute(
        "UPDATE task_deadlines SET area_id = %(area)s, priority = %(priority)s,"
        " accept_s = %(accept)s, arrive_s = %(arrive)s, done_s = %(done)s,"
        " yellow_share = %(share)s WHERE id = %(id)s",
        _values(wanted),
    )
    return await _changed(tx, scope, "task_deadlines.changed", wanted.id)


async def remove_deadlines(tx: Transaction, scope: Scope, deadlines_id: int) -> None:
    """Remove a row of the scope: its area has the deadlines of the one above again."""
    row = await get_deadlines(tx, scope, deadlines_id)
    await tx.execute("DELETE FROM task_deadlines WHERE id = %(id)s", {"id": row.id})
    await _tell(tx, scope, "task_deadlines.removed", row)


async def ensure_default_deadlines(tx: Transaction, scope: Scope, root_area_id: int) -> int:
    """Give a hub without any deadlines of tasks those of a new one; return how many were set."""
    has_some = await tx.scalar(
        bool,
        "SELECT EXISTS (SELECT FROM task_deadlines t JOIN areas a ON a.id = t.area_id WHERE"
        + IN_SCOPE
        + ")",
        {"scope": scope_paths(scope)},
    )
    if has_some:
        return 0
    for priority, minutes in _DEFAULTS.items():
        accept, arrive, done = (_MINUTE_S * one for one in minutes)
        wanted = TaskDeadlines(
            area_id=root_area_id,
            priority=priority,
            accept_s=accept,
            arrive_s=arrive,
            done_s=done,
        )
        await add_deadlines(tx, scope, wanted)
    return len(_DEFAULTS)


async def _changed(tx: Transaction, scope: Scope, action: str, deadlines_id: int) -> TaskDeadlines:
    row = await get_deadlines(tx, scope, deadlines_id)
    await _tell(tx, scope, action, row)
    return row


async def _tell(tx: Transaction, scope: Scope, action: str, row: TaskDeadlines) -> None:
    await notify(tx, scope, TOPIC, [row.id])
    deed = Deed(
        action=action, object_type="task_deadlines", object_id=str(row.id), area_id=row.area_id
    )
    detail: dict[str, Json] = {
        "priority": row.priority.value,
        "accept_s": row.accept_s,
        "arrive_s": row.arrive_s,
        "done_s": row.done_s,
        "yellow_share": row.yellow_share,
    }
    await record(tx, scope, deed, detail)


def _check(wanted: TaskDeadlines) -> None:
    times = (
        ("accept_s", wanted.accept_s),
        ("arrive_s", wanted.arrive_s),
        ("done_s", wanted.done_s),
    )
    latest = 1.0
    for field, seconds in times:
        if seconds is None:
            continue
        if not latest <= seconds <= LONGEST_S:
            msg = (
                f"{field} is a number of seconds from 1 to {LONGEST_S:g}, and no step is due"
                " before an earlier one: accept, arrive, done"
            )
            raise Invalid(msg, field=field)
        latest = seconds
    if not 0 <= wanted.yellow_share <= 1:
        msg = "yellow_share is a number from 0 to 1"
        raise Invalid(msg, field="yellow_share")


def _typed(row: TaskDeadlines) -> TaskDeadlines:
    return replace(row, priority=Priority(row.priority))


def _values(wanted: TaskDeadlines) -> dict[str, object]:
    _check(wanted)
    return {
        "id": wanted.id,
        "area": wanted.area_id,
        "priority": wanted.priority,
        "accept": wanted.accept_s,
        "arrive": wanted.arrive_s,
        "done": wanted.done_s,
        "share": wanted.yellow_share,
    }
