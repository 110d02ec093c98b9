"""Units: people in the field, where they are and how much they have to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.calendars import build_calendar, parse_calendar
from hub.domain.devices import Json
from hub.domain.dispatches import Position, Unit, UnitKind
from hub.domain.errors import Conflict, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.receivers import check_receivers
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "field-units"
# What a unit has to do: what was sent to it and is neither done nor given back.
_AT_WORK: Final[LiteralString] = " x.state IN ('sent', 'accepted', 'on_the_way', 'on_site') "
_UNIT: Final[LiteralString] = (
    "SELECT u.id, u.area_id, a.path::text AS area_path, u.name, u.kind, u.phone, u.receiver_id,"
    " u.hours, u.most_open, u.is_enabled, u.longitude, u.latitude, u.position_at, u.accuracy_m,"
    " (SELECT count(*) FROM dispatches x WHERE x.unit_id = u.id AND"
    + _AT_WORK
    + ") AS open_tasks FROM field_units u JOIN areas a ON a.id = u.area_id"
    " WHERE u.removed_at IS NULL AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFilter:
    """What a list of units is narrowed to; empty fields narrow nothing."""

    area_id: int | None = None
    kind: UnitKind | None = None
    is_enabled: bool | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    area_id: int
    area_path: str
    name: str
    kind: str
    phone: str
    receiver_id: int | None
    hours: Mapping[str, Json] | None
    most_open: int
    is_enabled: bool
    longitude: float | None
    latitude: float | None
    position_at: datetime | None
    accuracy_m: float | None
    open_tasks: int

    def unit(self) -> Unit:
        position = None
        if self.longitude is not None and self.latitude is not None:
            position = Position(
                longitude=self.longitude,
                latitude=self.latitude,
                at=self.position_at,
                accuracy_m=self.accuracy_m,
            )
        return Unit(
            id=self.id,
            area_id=self.area_id,
            area_path=self.area_path,
            name=self.name,
            kind=UnitKind(self.kind),
            phone=self.phone,
            receiver_id=self.receiver_id,
            hours=None if self.hours is None else parse_calendar(self.hours),
            most_open=self.most_open,
            is_enabled=self.is_enabled,
            position=position,
            open_tasks=self.open_tasks,
        )


async def units_for(tx: Transaction, scope: Scope, area_path: str) -> list[Unit]:
    """The units that answer for an area: its own and those of the areas above, nearest first.

    Not narrowed to the scope: a township's patrol car goes into its villages. For the hub's own
    choice, not for a list.
    """
    del scope
    rows = await tx.fetch(
        _Row,
        _UNIT + " a.path @> %(path)s::ltree ORDER BY nlevel(a.path) DESC, u.id",
        {"path": area_path},
    )
    return [row.unit() for row in rows]


async def units_before(tx: Transaction, scope: Scope, dispatch_id: int) -> list[int]:
    """The units that a task of the scope was sent to so far, by its history."""
    rows = await tx.tuples(
        "SELECT DISTINCT (s.detail ->> 'unit')::bigint FROM dispatch_steps s"
        " JOIN dispatches t ON t.id = s.dispatch_id JOIN areas a ON a.id = t.area_id"
        " WHERE s.dispatch_id = %(id)s AND s.what IN ('sent', 'reassigned')"
        " AND s.detail ? 'unit' AND" + IN_SCOPE,
        {"id": dispatch_id, "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def list_units(
    tx: Transaction,
    scope: Scope,
    wanted: UnitFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Unit]:
    """Units by number, narrowed, a page at a time."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    text = wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = await tx.search(
        _Row,
        _UNIT + IN_SCOPE + "AND u.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(kind)s::text IS NULL OR u.kind = %(kind)s)"
        " AND (%(is_enabled)s::boolean IS NULL OR u.is_enabled = %(is_enabled)s)"
        " AND (%(text)s::text IS NULL OR u.name ILIKE %(text)s OR a.name ILIKE %(text)s)"
        " ORDER BY u.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": wanted.area_id,
            "kind": wanted.kind,
            "is_enabled": wanted.is_enabled,
            "text": f"%{text}%" if text else None,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.unit() for row in rows[:count]], next=more)


async def get_unit(tx: Transaction, scope: Scope, unit_id: int) -> Unit:
    """Return one unit; raises NotFound outside the scope or when it was removed."""
    row = await tx.fetch_one(
        _Row, _UNIT + " u.id = %(id)s AND" + IN_SCOPE, {"id": unit_id, "scope": scope_paths(scope)}
    )
    if row is None:
        msg = "no such unit"
        raise NotFound(msg)
    return row.unit()


async def add_unit(tx: Transaction, scope: Scope, unit: Unit) -> Unit:
    """Add a unit to an area of the scope; its hours are checked already.

    Raises:
        NotFound: the area or the receiver lies outside the scope.
        Invalid: a value lies outside what the table allows.
    """
    await get_area(tx, scope, unit.area_id)
    await check_receivers(tx, scope, [] if unit.receiver_id is None else [unit.receiver_id])
    number = await tx.scalar(
        int,
        "INSERT INTO field_units (area_id, name, kind, phone, receiver_id, hours, most_open,"
        " is_enabled) VALUES (%(area)s, %(name)s, %(kind)s, %(phone)s, %(receiver)s, %(hours)s,"
        " %(most_open)s, %(is_enabled)s) RETURNING id",
        _values(unit),
    )
    return await _changed(tx, scope, "field_unit.added", number or 0)


async def change_unit(tx: Transaction, scope: Scope, unit: Unit) -> Unit:
    """Replace a unit of the scope; its position and its tasks stay.

    Raises:
        NotFound: the unit, its area or a receiver other than before lies outside the scope.
        Invalid: a value lies outside what the table allows.
    """
    before = await get_unit(tx, scope, unit.id)
    await get_area(tx, scope, unit.area_id)
    if unit.receiver_id is not None and unit.receiver_id != before.receiver_id:
        await check_receivers(tx, scope, [unit.receiver_id])
    await tx.execute(
        "UPDATE field_units SET area_id = %(area)s, name = %(name)s, kind = %(kind)s,"
        " phone = %(phone)s, receiver_id = %(receiver)s, hours = %(hours)s,"
        " most_open = %(most_open)s, is_enabled = %(is_enabled)s WHERE id = %(id)s",
        _values(unit),
    )
    return await _changed(tx, scope, "field_unit.changed", unit.id)


async def remove_unit(tx: Transaction, scope: Scope, unit_id: int, now: datetime) -> None:
    """Remove a unit of the scope; its name stays in the tasks it had.

    Raises:
        NotFound: there is no such unit in the scope.
        Conflict: it has tasks under way: give them to others first.
    """
    # Held against tasks that are being sent to it: their rows refer to this one.
    held = await tx.scalar(
        int,
        "SELECT u.id FROM field_units u JOIN areas a ON a.id = u.area_id"
        " WHERE u.id = %(id)s AND u.removed_at IS NULL AND" + IN_SCOPE + "FOR UPDATE OF u",
        {"id": unit_id, "scope": scope_paths(scope)},
    )
    unit = await get_unit(tx, scope, held or unit_id)
    if unit.open_tasks:
        msg = f"{unit.name} has tasks under way ({unit.open_tasks}): give them to others first"
        raise Conflict(msg)
    await tx.execute(
        "UPDATE field_units SET removed_at = %(now)s WHERE id = %(id)s",
        {"id": unit.id, "now": now},
    )
    await tx.execute("DELETE FROM phone_links WHERE unit_id = %(id)s", {"id": unit.id})
    await notify(tx, scope, TOPIC, [unit.id])
    await record(tx, scope, _deed("field_unit.removed", unit), {"name": unit.name})


async def place_unit(
    tx: Transaction, scope: Scope, unit_id: int, position: Position, now: datetime
) -> None:
    """Note where a unit of the scope is; what is older than what is known changes nothing."""
    await tx.execute(
        "UPDATE field_units u SET longitude = %(longitude)s, latitude = %(latitude)s,"
        " position_at = %(at)s, accuracy_m = %(accuracy)s FROM areas a"
        " WHERE a.id = u.area_id AND u.id = %(id)s AND u.removed_at IS NULL"
        " AND coalesce(u.position_at, '-infinity') <= %(at)s AND" + IN_SCOPE,
        {
            "id": unit_id,
            "longitude": position.longitude,
            "latitude": position.latitude,
            # The clock of a phone may run ahead: later positions must count.
            "at": min(position.at or now, now),
            "accuracy": position.accuracy_m,
            "scope": scope_paths(scope),
        },
    )
    await notify(tx, scope, TOPIC, [unit_id])


async def _changed(tx: Transaction, scope: Scope, action: str, unit_id: int) -> Unit:
    unit = await get_unit(tx, scope, unit_id)
    await notify(tx, scope, TOPIC, [unit.id])
    detail: dict[str, Json] = {
        "name": unit.name,
        "kind": unit.kind.value,
        "receiver": unit.receiver_id,
        "hours": None if unit.hours is None else build_calendar(unit.hours),
        "most_open": unit.most_open,
        "is_enabled": unit.is_enabled,
    }
    await record(tx, scope, _deed(action, unit), detail)
    return unit


def _deed(action: str, unit: Unit) -> Deed:
    return Deed(
        action=action, object_type="field_unit", object_id=str(unit.id), area_id=unit.area_id
    )


def _values(unit: Unit) -> dict[str, object]:
    return {
        "id": unit.id,
        "area": unit.area_id,
        "name": unit.name,
        "kind": unit.kind,
        "phone": unit.phone,
        "receiver": unit.receiver_id,
        "hours": None if unit.hours is None else Jsonb(build_calendar(unit.hours)),
        "most_open": unit.most_open,
        "is_enabled": unit.is_enabled,
    }
