"""Which profile judges by day and by night: rows by area, class and device.

The most particular row wins: the device's own, then the nearest area upward with a row for the
class, then the nearest area upward with a row for all. A device's row goes with it when it moves.
"""

from dataclasses import asdict, dataclass
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.picture_profiles import TOPIC
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

LONGEST_CLASS: Final = 64

_SELECT = (
    "SELECT i.id, a.id AS area_id, a.path::text AS area_path, i.class AS device_class,"
    " i.device_id, i.day_id, i.night_id FROM picture_assignments i"
    " LEFT JOIN devices d ON d.id = i.device_id"
    " JOIN areas a ON a.id = coalesce(d.area_id, i.area_id) WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The profiles of an area, of a class of devices in it, or of one device.

    ``device_class`` is empty for every class. A device's row names the area in which the device
    is now.
    """

    id: int = 0
    area_id: int = 0
    area_path: str = ""
    device_class: str = ""
    device_id: int | None = None
    day_id: int
    night_id: int


async def all_assignments(tx: Transaction, scope: Scope) -> list[Assignment]:
    """Everything assigned within the scope."""
    return await tx.fetch(
        Assignment, _SELECT + IN_SCOPE + "ORDER BY i.id", {"scope": scope_paths(scope)}
    )


async def list_assignments(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Assignment]:
    """What is assigned, by number; in an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        Assignment,
        _SELECT + IN_SCOPE + "AND i.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY i.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def get_assignment(tx: Transaction, scope: Scope, assignment_id: int) -> Assignment:
    """Return one row; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        Assignment,
        _SELECT + " i.id = %(id)s AND" + IN_SCOPE,
        {"id": assignment_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "nothing is assigned under this number"
        raise NotFound(msg)
    return row


async def put_assignment(tx: Transaction, scope: Scope, wanted: Assignment) -> Assignment:
    """Assign profiles to an area, a class in it or a device, in place of what was assigned.

    ``id`` and ``area_path`` of ``wanted`` are ignored, and ``area_id`` for a device.

    Raises:
        NotFound: the area, the device or a profile is not there for the caller.
        Invalid: a profile belongs to another part of the tree, or a device is named together
            with a class.
    """
    values = asdict(wanted)
    if len(wanted.device_class) > LONGEST_CLASS or not wanted.device_class.isprintable():
        msg = f"a class has at most {LONGEST_CLASS} printable characters"
        raise Invalid(msg, field="device_class")
    if wanted.device_id is not None:
        if wanted.device_class:
            msg = "a device's own profiles name no class"
            raise Invalid(msg, field="device_class")
        values["area_id"] = (await get_device(tx, scope, wanted.device_id)).area_id
        # Assigned while the device was in another area: it would stand beside the new row.
        await tx.execute(
            "DELETE FROM picture_assignments WHERE device_id = %(device_id)s"
            " AND area_id <> %(area_id)s",
            values,
        )
    else:
        await get_area(tx, scope, wanted.area_id)
    await _check_profiles(tx, scope, values)
    number = await tx.scalar(
        int,
        "INSERT INTO picture_assignments (area_id, class, device_id, day_id, night_id)"
        " VALUES (%(area_id)s, %(device_class)s, %(device_id)s, %(day_id)s, %(night_id)s)"
        " ON CONFLICT (area_id, class, device_id) DO UPDATE SET day_id = excluded.day_id,"
        " night_id = excluded.night_id RETURNING id",
        values,
    )
    row = await get_assignment(tx, scope, number or 0)
    await _tell(tx, scope, "picture_profile.assigned", row)
    return row


async def remove_assignment(tx: Transaction, scope: Scope, assignment_id: int) -> None:
    """Remove a row of the scope: its cameras inherit again."""
    row = await get_assignment(tx, scope, assignment_id)
    await tx.execute("DELETE FROM picture_assignments WHERE id = %(id)s", {"id": row.id})
    await _tell(tx, scope, "picture_profile.withdrawn", row)


async def _check_profiles(tx: Transaction, scope: Scope, values: dict[str, object]) -> None:
    """Refuse profiles that do not belong to the area or to one above it."""
    # Locked: a profile that is being assigned is not removed meanwhile.
    rows = await tx.tuples(
        "SELECT f.id, EXISTS (SELECT FROM areas b WHERE b.id = %(area_id)s AND b.path <@ a.path)"
        " FROM picture_profiles f JOIN areas a ON a.id = f.area_id"
        " WHERE f.id IN (%(day_id)s, %(night_id)s) AND (%(scope)s::ltree[] IS NULL"
        "  OR a.path <@ ANY (%(scope)s::ltree[]) OR a.path @> ANY (%(scope)s::ltree[]))"
        " FOR KEY SHARE OF f",
        {**values, "scope": scope_paths(scope)},
    )
    usable = {int(str(number)): is_usable is True for number, is_usable in rows}
    for name in ("day_id", "night_id"):
        number = values[name]
        if number not in usable:
            msg = "no such profile"
            raise NotFound(msg)
        if not usable[int(str(number))]:
            msg = "this profile belongs to another area: it is for cameras there and below it"
            raise Invalid(msg, field=name)


async def _tell(tx: Transaction, scope: Scope, action: str, row: Assignment) -> None:
    await notify(tx, scope, TOPIC, [row.day_id, row.night_id])
    deed = Deed(
        action=action,
        object_type="picture_assignment",
        object_id=str(row.id),
        area_id=row.area_id,
    )
    detail = {key: value for key, value in asdict(row).items() if key not in {"id", "area_path"}}
    await record(tx, scope, deed, detail)
