"""Duty rooms: where somebody is on duty, and how they are reached."""

from hub.domain.access import Scope
from hub.domain.devices import DeviceKind
from hub.domain.duty_rooms import DutyRoom
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.receivers import check_receivers
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "duty-rooms"

_ROOM = (
    "SELECT m.id, m.area_id, a.path::text AS area_path, a.name AS area_name, m.name, m.phone,"
    " m.receiver_id, m.speaker_id, m.is_enabled FROM duty_rooms m"
    " JOIN areas a ON a.id = m.area_id WHERE"
)


async def list_rooms(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[DutyRoom]:
    """Rooms by number, those of an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        DutyRoom,
        _ROOM + IN_SCOPE + "AND m.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY m.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def rooms_below(tx: Transaction, scope: Scope, area_path: str) -> list[DutyRoom]:
    """Rooms of the scope in an area and below that are switched on, village by village."""
    return await tx.fetch(
        DutyRoom,
        _ROOM + " m.is_enabled AND a.path <@ %(path)s::ltree AND" + IN_SCOPE + "ORDER BY a.path,"
        " m.name, m.id",
        {"path": area_path, "scope": scope_paths(scope)},
    )


async def get_room(tx: Transaction, scope: Scope, room_id: int) -> DutyRoom:
    """Return one room; raises NotFound outside the scope."""
    room = await tx.fetch_one(
        DutyRoom,
        _ROOM + " m.id = %(id)s AND" + IN_SCOPE,
        {"id": room_id, "scope": scope_paths(scope)},
    )
    if room is None:
        msg = "no such duty room"
        raise NotFound(msg)
    return room


async def add_room(tx: Transaction, scope: Scope, room: DutyRoom) -> DutyRoom:
    """Add a room to an area of the scope (its ``id`` is ignored).

    Raises:
        NotFound: its area, receiver or speaker lies outside the scope.
        Invalid: the device is no speaker.
        Conflict: the area has a room of this name.
    """
    await get_area(tx, scope, room.area_id)
    await _check_reach(tx, scope, room, DutyRoom(area_id=room.area_id, name=room.name))
    number = await tx.scalar(
        int,
        "INSERT INTO duty_rooms (area_id, name, phone, receiver_id, speaker_id, is_enabled)"
        " VALUES (%(area)s, %(name)s, %(phone)s, %(receiver)s, %(speaker)s, %(is_enabled)s)"
        " ON CONFLICT (area_id, name) DO NOTHING RETURNING id",
        _values(room),
    )
    if number is None:
        raise _taken()
    return await _changed(tx, scope, "duty_room.added", number)


async def change_room(tx: Transaction, scope: Scope, room: DutyRoom) -> DutyRoom:
    """Replace a room of the scope; raises as :func:`add_room` does."""
    before = await get_room(tx, scope, room.id)
    await get_area(tx, scope, room.area_id)
    await _check_reach(tx, scope, room, before)
    changed = await tx.execute(
        "UPDATE duty_rooms SET area_id = %(area)s, name = %(name)s, phone = %(phone)s,"
        " receiver_id = %(receiver)s, speaker_id = %(speaker)s, is_enabled = %(is_enabled)s"
        " WHERE id = %(id)s AND NOT EXISTS (SELECT FROM duty_rooms o WHERE o.area_id = %(area)s"
        "  AND o.name = %(name)s AND o.id <> %(id)s)",
        _values(room),
    )
    if not changed:
        raise _taken()
    return await _changed(tx, scope, "duty_room.changed", room.id)


async def remove_room(tx: Transaction, scope: Scope, room_id: int) -> None:
    """Remove a room of the scope; what was asked of it stays."""
    room = await get_room(tx, scope, room_id)
    await tx.execute("DELETE FROM duty_rooms WHERE id = %(id)s", {"id": room.id})
    await notify(tx, scope, TOPIC, [room.id])
    await record(tx, scope, _deed("duty_room.removed", room), {"name": room.name})


async def _check_reach(tx: Transaction, scope: Scope, room: DutyRoom, before: DutyRoom) -> None:
    """What somebody else put there may stay; what is new lies within the scope."""
    if room.receiver_id is not None and room.receiver_id != before.receiver_id:
        await check_receivers(tx, scope, [room.receiver_id])
    if room.speaker_id is None or room.speaker_id == before.speaker_id:
        return
    kind = await tx.scalar(
        str,
        "SELECT d.kind FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = %(id)s AND d.registration = 'approved' AND" + IN_SCOPE,
        {"id": room.speaker_id, "scope": scope_paths(scope)},
    )
    if kind is None:
        msg = "no such device"
        raise NotFound(msg)
    if kind not in {DeviceKind.SPEAKER, DeviceKind.CAMERA, DeviceKind.GATEWAY}:
        msg = "one can speak through a speaker, a camera or a gateway"
        raise Invalid(msg, field="speaker_id")


async def _changed(tx: Transaction, scope: Scope, action: str, room_id: int) -> DutyRoom:
    room = await get_room(tx, scope, room_id)
    await notify(tx, scope, TOPIC, [room.id])
    await record(tx, scope, _deed(action, room), {"name": room.name, "enabled": room.is_enabled})
    return room


def _deed(action: str, room: DutyRoom) -> Deed:
    return Deed(
        action=action, object_type="duty_room", object_id=str(room.id), area_id=room.area_id
    )


def _values(room: DutyRoom) -> dict[str, object]:
    return {
        "id": room.id,
        "area": room.area_id,
        "name": room.name,
        "phone": room.phone,
        "receiver": room.receiver_id,
        "speaker": room.speaker_id,
        "is_enabled": room.is_enabled,
    }


def _taken() -> Conflict:
    return Conflict("the area has a duty room of this name already")
