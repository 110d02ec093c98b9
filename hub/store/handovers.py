"""What one shift leaves to the next: written once, taken over once, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.duty_rooms import Handover
from hub.domain.errors import Conflict, NotFound, NotPermitted
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.plan_names import check_people
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "handovers"

_HANDOVER = (
    "SELECT o.id, o.area_id, a.path::text AS area_path, o.at, o.from_name, o.note, o.to_user_id,"
    " o.taken_at, o.taken_by FROM handovers o JOIN areas a ON a.id = o.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHandover:
    """What is left to whom; ``to_user_id`` None: to whoever comes."""

    area_id: int
    note: str
    to_user_id: int | None = None


async def list_handovers(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    is_open: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Handover]:
    """Hand-overs, the newest first; ``is_open``: only those that nobody took over, or somebody."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        Handover,
        _HANDOVER + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR o.id < %(after)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(open)s::bool IS NULL OR (o.taken_at IS NULL) = %(open)s)"
        " ORDER BY o.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "open": is_open,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def get_handover(tx: Transaction, scope: Scope, handover_id: int) -> Handover:
    """Return one hand-over; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        Handover,
        _HANDOVER + " o.id = %(id)s AND" + IN_SCOPE,
        {"id": handover_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such hand-over"
        raise NotFound(msg)
    return row


async def handovers_of(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[Handover]:
    """Those of these hand-overs that lie in the scope, by number."""
    return await tx.fetch(
        Handover,
        _HANDOVER + " o.id = ANY (%(ids)s::bigint[]) AND" + IN_SCOPE + "ORDER BY o.id",
        {"ids": list(ids), "scope": scope_paths(scope)},
    )


async def add_handover(
    tx: Transaction, scope: Scope, left: NewHandover, *, now: datetime
) -> Handover:
    """Leave a note to the next shift of an area of the scope.

    Raises:
        NotFound: the area or the person lies outside the scope.
    """
    area = await get_area(tx, scope, left.area_id)
    if left.to_user_id is not None:
        await check_people(tx, scope, [left.to_user_id])
    number = await tx.scalar(
        int,
        "INSERT INTO handovers (area_id, at, from_id, from_name, note, to_user_id)"
        " VALUES (%(area)s, %(at)s, %(by)s, %(name)s, %(note)s, %(to)s) RETURNING id",
        {
            "area": area.id,
            "at": now,
            "by": scope.user_id,
            "name": scope.actor,
            "note": left.note,
            "to": left.to_user_id,
        },
    )
    return await _changed(tx, scope, "handover.left", number or 0)


async def take_over(tx: Transaction, scope: Scope, handover_id: int, *, now: datetime) -> Handover:
    """Take over what was left in an area of the scope, once.

    Raises:
        NotFound: outside the scope.
        NotPermitted: it was left to somebody else.
        Conflict: somebody took over already.
    """
    left = await get_handover(tx, scope, handover_id)
    if left.to_user_id is not None and left.to_user_id != scope.user_id:
        msg = "this was left to somebody else"
        raise NotPermitted(msg)
    changed = await tx.execute(
        "UPDATE handovers SET taken_at = %(now)s, taken_by = %(by)s"
        " WHERE id = %(id)s AND taken_at IS NULL",
        {"id": left.id, "now": now, "by": scope.actor},
    )
    if not changed:
        msg = "somebody took over already"
        raise Conflict(msg)
    return await _changed(tx, scope, "handover.taken", left.id)


async def _changed(tx: Transaction, scope: Scope, action: str, handover_id: int) -> Handover:
    left = await get_handover(tx, scope, handover_id)
    await notify(tx, scope, TOPIC, [left.id])
    deed = Deed(action=action, object_type="handover", object_id=str(left.id), area_id=left.area_id)
    await record(tx, scope, deed)
    return left
