"""Shifts: which people are on duty in an area, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.calendars import build_calendar, parse_calendar
from hub.domain.devices import Json
from hub.domain.duty_rooms import Shift
from hub.domain.errors import Invalid, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.plan_names import check_people, who_operates
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "shifts"
MOST_PEOPLE = 200

_SHIFT = (
    "SELECT h.id, h.area_id, a.path::text AS area_path, h.name, h.hours, h.user_ids"
    " FROM shifts h JOIN areas a ON a.id = h.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody by name."""

    id: int
    name: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    area_id: int
    area_path: str
    name: str
    hours: Mapping[str, Json]
    user_ids: Sequence[int]

    def shift(self) -> Shift:
        return Shift(
            id=self.id,
            area_id=self.area_id,
            area_path=self.area_path,
            name=self.name,
            hours=parse_calendar(self.hours),
            user_ids=tuple(self.user_ids),
        )


async def list_shifts(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Shift]:
    """Shifts by number, those of an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _SHIFT + IN_SCOPE + "AND h.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY h.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.shift() for row in rows[:count]], next=more)


async def shifts_above(tx: Transaction, scope: Scope, area_path: str) -> list[Shift]:
    """The shifts of an area and of all above it.

    Not narrowed to the scope: a village may be walked by the county's duty. For the hub's own
    decisions, not for the caller.
    """
    del scope
    rows = await tx.fetch(
        _Row,
        _SHIFT + " a.path @> %(path)s::ltree ORDER BY h.id",
        {"path": area_path},
    )
    return [row.shift() for row in rows]


async def people(tx: Transaction, scope: Scope, user_ids: Sequence[int]) -> list[Person]:
    """Those of these people who hold something within the scope, by name."""
    return await tx.fetch(
        Person,
        "SELECT u.id, u.name, u.display_name FROM users u WHERE u.id = ANY (%(ids)s::bigint[])"
        " AND EXISTS (SELECT FROM grants g JOIN areas a ON a.id = g.area_id"
        "  WHERE g.user_id = u.id AND" + IN_SCOPE + ") ORDER BY u.name",
        {"ids": list(user_ids), "scope": scope_paths(scope)},
    )


async def get_shift(tx: Transaction, scope: Scope, shift_id: int) -> Shift:
    """Return one shift; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _SHIFT + " h.id = %(id)s AND" + IN_SCOPE,
        {"id": shift_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such shift"
        raise NotFound(msg)
    return row.shift()


async def add_shift(tx: Transaction, scope: Scope, shift: Shift) -> Shift:
    """Add a shift to an area of the scope (its ``id`` is ignored); its hours are checked already.

    Raises:
        NotFound: the area or one of its people lies outside the scope.
        Invalid: one of them may not operate in the whole area.
    """
    await _check_people(tx, scope, shift, ())
    number = await tx.scalar(
        int,
        "INSERT INTO shifts (area_id, name, hours, user_ids)"
        " VALUES (%(area)s, %(name)s, %(hours)s, %(users)s) RETURNING id",
        _values(shift),
    )
    return await _changed(tx, scope, "shift.added", number or 0)


async def change_shift(tx: Transaction, scope: Scope, shift: Shift) -> Shift:
    """Replace a shift of the scope; raises as :func:`add_shift` does for who is new in it."""
    before = await get_shift(tx, scope, shift.id)
    kept = before.user_ids if before.area_id == shift.area_id else ()
    await _check_people(tx, scope, shift, kept)
    await tx.execute(
        "UPDATE shifts SET area_id = %(area)s, name = %(name)s, hours = %(hours)s,"
        " user_ids = %(users)s WHERE id = %(id)s",
        _values(shift),
    )
    return await _changed(tx, scope, "shift.changed", shift.id)


async def remove_shift(tx: Transaction, scope: Scope, shift_id: int) -> None:
    """Remove a shift of the scope."""
    shift = await get_shift(tx, scope, shift_id)
    await tx.execute("DELETE FROM shifts WHERE id = %(id)s", {"id": shift.id})
    await notify(tx, scope, TOPIC, [shift.id])
    await record(tx, scope, _deed("shift.removed", shift), {"name": shift.name})


async def _check_people(tx: Transaction, scope: Scope, shift: Shift, kept: Sequence[int]) -> None:
    path = (await get_area(tx, scope, shift.area_id)).path
    new = [user for user in shift.user_ids if user not in kept]
    await check_people(tx, scope, new)
    if set(new) - await who_operates(tx, scope, new, path):
        msg = "one of these people may not walk patrols in the whole of this area"
        raise Invalid(msg, field="user_ids")


async def _changed(tx: Transaction, scope: Scope, action: str, shift_id: int) -> Shift:
    shift = await get_shift(tx, scope, shift_id)
    await notify(tx, scope, TOPIC, [shift.id])
    detail: dict[str, Json] = {
        "name": shift.name,
        "hours": build_calendar(shift.hours),
        "people": list(shift.user_ids),
    }
    await record(tx, scope, _deed(action, shift), detail)
    return shift


def _deed(action: str, shift: Shift) -> Deed:
    return Deed(action=action, object_type="shift", object_id=str(shift.id), area_id=shift.area_id)


def _values(shift: Shift) -> dict[str, object]:
    return {
        "id": shift.id,
        "area": shift.area_id,
        "name": shift.name,
        "hours": Jsonb(build_calendar(shift.hours)),
        "users": list(dict.fromkeys(shift.user_ids)),
    }
