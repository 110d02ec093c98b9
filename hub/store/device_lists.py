"""Lists of devices with their present status: narrowed, counted, a page at a time."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.devices import Registration
from hub.domain.health import Status
from hub.store.database import Transaction
from hub.store.scoping import (
    IN_SCOPE,
    Page,
    decode_cursor,
    encode_cursor,
    page_limit,
    scope_paths,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """What a list of devices is narrowed to; empty fields narrow nothing.

    ``text`` matches any part of name, serial or address.
    """

    area_id: int | None = None
    text: str = ""
    status: Status | None = None
    registration: Registration | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One line of the device list: the device and its present status."""

    id: int
    connection_id: int
    name: str
    kind: str
    area_id: int
    area_name: str
    address: str
    manufacturer: str
    model: str
    registration: str
    status: str
    since: datetime
    layer: str
    detail: str


async def list_devices(
    tx: Transaction,
    scope: Scope,
    wanted: DeviceFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[DeviceLine]:
    """Devices by number, narrowed, a page at a time."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    text = "%" + wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await tx.search(
        DeviceLine,
        "SELECT d.id, d.connection_id, d.name, d.kind, d.area_id, a.name AS area_name, d.address,"
        " d.manufacturer, d.model, d.registration, s.shown AS status, s.since, s.layer, s.detail"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " WHERE" + IN_SCOPE + "AND d.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(any)s OR (d.name || ' ' || d.code || ' ' || d.serial || ' ' || d.address"
        "  || ' ' || d.place) ILIKE %(text)s)"
        " AND (%(status)s::text IS NULL OR s.shown = %(status)s)"
        " AND (%(registration)s::text IS NULL OR d.registration = %(registration)s)"
        " AND (%(kind)s = '' OR d.kind = %(kind)s)"
        " ORDER BY d.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": wanted.area_id,
            "any": not wanted.text,
            "text": text,
            "status": wanted.status,
            "registration": wanted.registration,
            "kind": wanted.kind,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def count_by_status(tx: Transaction, scope: Scope) -> dict[str, int]:
    """How many approved devices of the scope have each status."""
    rows = await tx.tuples(
        "SELECT s.shown, count(*) FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " WHERE d.registration = 'approved' AND" + IN_SCOPE + "GROUP BY s.shown",
        {"scope": scope_paths(scope)},
    )
    return {str(status): int(str(number)) for status, number in rows}
