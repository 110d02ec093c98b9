"""Devices, their channels and their points."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import (
    Channel,
    Device,
    DeviceDescription,
    DeviceKind,
    Point,
    Preset,
    Registration,
    Stream,
)
from hub.domain.errors import NotFound
from hub.domain.health import Status
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

_DEVICE = (
    "d.id, d.connection_id, d.key, d.area_id, a.path::text AS area_path, d.kind, d.name,"
    " d.registration, d.manufacturer, d.model, d.firmware, d.serial, d.hardware_id, d.address,"
    " d.clock_offset_s, d.created_at "
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PointValue:
    """A point and its latest reading, if it ever had one."""

    id: int
    key: str
    unit: str
    quantity: str
    expected_interval_s: float | None
    at: datetime | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device that reported and is not in the database yet."""

    connection_id: int
    key: str
    area_id: int
    description: DeviceDescription = field(default_factory=DeviceDescription)
    registration: Registration = Registration.PENDING


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
    rows = await tx.fetch(
        DeviceLine,
        "SELECT d.id, d.connection_id, d.name, d.kind, d.area_id, a.name AS area_name, d.address,"
        " d.manufacturer, d.model, d.registration, s.status, s.since, s.layer, s.detail"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " WHERE" + IN_SCOPE + "AND d.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(any)s OR (d.name || ' ' || d.serial || ' ' || d.address) ILIKE %(text)s)"
        " AND (%(status)s::text IS NULL OR s.status = %(status)s)"
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
        "SELECT s.status, count(*) FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " WHERE d.registration = 'approved' AND" + IN_SCOPE + "GROUP BY s.status",
        {"scope": scope_paths(scope)},
    )
    return {str(status): int(str(number)) for status, number in rows}


async def get_device(tx: Transaction, scope: Scope, device_id: int) -> Device:
    """Return one device; raises NotFound outside the scope."""
    return _found(
        await tx.fetch_one(
            Device,
            "SELECT " + _DEVICE + "FROM devices d JOIN areas a ON a.id = d.area_id"
            " WHERE d.id = %(id)s AND" + IN_SCOPE,
            {"id": device_id, "scope": scope_paths(scope)},
        )
    )


async def all_devices(
    tx: Transaction, scope: Scope, device_ids: Sequence[int] | None = None
) -> list[Device]:
    """Every device of the scope, or those of ``device_ids``: what the registry knows."""
    rows = await tx.fetch(
        Device,
        "SELECT " + _DEVICE + "FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE (%(ids)s::bigint[] IS NULL OR d.id = ANY (%(ids)s)) AND"
        + IN_SCOPE
        + "ORDER BY d.id",
        {"scope": scope_paths(scope), "ids": None if device_ids is None else list(device_ids)},
    )
    return [_typed(row) for row in rows]


async def find_same_hardware(
    tx: Transaction, scope: Scope, hardware_id: str, *, not_connection: int
) -> Device | None:
    """Return a device with this identity behind another link, if there is one."""
    row = await tx.fetch_one(
        Device,
        "SELECT " + _DEVICE + "FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.hardware_id = %(hardware)s AND d.hardware_id <> ''"
        " AND d.connection_id <> %(connection)s AND" + IN_SCOPE + "ORDER BY d.id LIMIT 1",
        {"hardware": hardware_id, "connection": not_connection, "scope": scope_paths(scope)},
    )
    return None if row is None else _typed(row)


async def add_device(tx: Transaction, scope: Scope, new: NewDevice) -> Device:
    """Register a device in an area of the scope; one already there is returned as it is."""
    area = await get_area(tx, scope, new.area_id)
    said = new.description
    number = await tx.scalar(
        int,
        "INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
        " VALUES (%(connection)s, %(key)s, %(area)s, %(kind)s, %(name)s, %(registration)s)"
        " ON CONFLICT (connection_id, key) DO UPDATE SET key = excluded.key RETURNING id",
        {
            "connection": new.connection_id,
            "key": new.key,
            "area": area.id,
            "kind": said.kind,
            "name": said.name or new.key,
            "registration": new.registration,
        },
    )
    await tx.execute(
        "INSERT INTO device_status (device_id) VALUES (%(id)s) ON CONFLICT DO NOTHING",
        {"id": number},
    )
    return await get_device(tx, scope, number or 0)


async def describe_device(
    tx: Transaction, scope: Scope, device_id: int, said: DeviceDescription
) -> Device:
    """Bring a device's record up to date with what it says of itself.

    Empty fields overwrite nothing; channels and points are added or changed, never removed;
    an operator's name is kept once the device has one of its own.
    """
    device = await get_device(tx, scope, device_id)
    await tx.execute(
        "UPDATE devices SET described_at = now(),"
        " kind = CASE WHEN %(kind)s = 'other' THEN kind ELSE %(kind)s END,"
        " name = CASE WHEN name = key AND %(name)s <> '' THEN %(name)s ELSE name END,"
        " manufacturer = coalesce(nullif(%(manufacturer)s, ''), manufacturer),"
        " model = coalesce(nullif(%(model)s, ''), model),"
        " firmware = coalesce(nullif(%(firmware)s, ''), firmware),"
        " serial = coalesce(nullif(%(serial)s, ''), serial),"
        " hardware_id = coalesce(nullif(%(hardware_id)s, ''), hardware_id),"
        " address = coalesce(nullif(%(address)s, ''), address),"
        " clock_offset_s = coalesce(%(clock_offset_s)s, clock_offset_s),"
        " capabilities = capabilities || %(capabilities)s WHERE id = %(id)s",
        {
            "id": device.id,
            "kind": said.kind,
            "name": said.name,
            "manufacturer": said.manufacturer,
            "model": said.model,
            "firmware": said.firmware,
            "serial": said.serial,
            "hardware_id": said.hardware_id,
            "address": said.address,
            "clock_offset_s": said.clock_offset_s,
            "capabilities": Jsonb(dict(said.capabilities)),
        },
    )
    await _keep_channels(tx, device.id, said.channels)
    for point in said.points:
        await _keep_point(tx, device.id, point)
    return await get_device(tx, scope, device.id)


async def set_registration(
    tx: Transaction, scope: Scope, device_id: int, registration: Registration
) -> Device:
    """Approve or retire a device of the scope."""
    device = await get_device(tx, scope, device_id)
    await tx.execute(
        "UPDATE devices SET registration = %(to)s WHERE id = %(id)s",
        {"to": registration, "id": device.id},
    )
    return await get_device(tx, scope, device_id)


async def edit_device(
    tx: Transaction, scope: Scope, device_id: int, *, name: str, area_id: int
) -> Device:
    """Rename a device or move it; both areas must lie within the scope."""
    device = await get_device(tx, scope, device_id)
    area = await get_area(tx, scope, area_id)
    await tx.execute(
        "UPDATE devices SET name = %(name)s, area_id = %(area)s WHERE id = %(id)s",
        {"name": name, "area": area.id, "id": device.id},
    )
    return await get_device(tx, scope, device_id)


async def list_channels(tx: Transaction, scope: Scope, device_id: int) -> list[Channel]:
    """The video sources of a device of the scope."""
    device = await get_device(tx, scope, device_id)
    rows = await tx.fetch(
        _ChannelRow,
        "SELECT key, name, streams, snapshot_address, presets FROM channels"
        " WHERE device_id = %(id)s ORDER BY id",
        {"id": device.id},
    )
    return [row.channel() for row in rows]


async def list_points(tx: Transaction, scope: Scope, device_id: int) -> list[PointValue]:
    """The points of a device of the scope, each with its latest reading."""
    device = await get_device(tx, scope, device_id)
    return await tx.fetch(
        PointValue,
        "SELECT p.id, p.key, p.unit, p.quantity, p.expected_interval_s, v.at, v.value FROM points p"
        " LEFT JOIN point_status v ON v.point_id = p.id WHERE p.device_id = %(id)s ORDER BY p.key",
        {"id": device.id},
    )


async def all_points(tx: Transaction, scope: Scope) -> list[tuple[int, str, int]]:
    """(device, point key, point) of every point of the scope: the registry's start."""
    rows = await tx.tuples(
        "SELECT p.device_id, p.key, p.id FROM points p JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )
    return [(int(str(d)), str(key), int(str(p))) for d, key, p in rows]


async def add_point(tx: Transaction, scope: Scope, device_id: int, point: Point) -> int:
    """Register a point of a device of the scope and return its number."""
    device = await get_device(tx, scope, device_id)
    return await _keep_point(tx, device.id, point)


async def _keep_point(tx: Transaction, device_id: int, point: Point) -> int:
    number = await tx.scalar(
        int,
        "INSERT INTO points (device_id, key, unit, quantity, expected_interval_s)"
        " VALUES (%(device)s, %(key)s, %(unit)s, %(quantity)s, %(interval)s)"
        " ON CONFLICT (device_id, key) DO UPDATE SET"
        " unit = coalesce(nullif(excluded.unit, ''), points.unit),"
        " quantity = coalesce(nullif(excluded.quantity, ''), points.quantity),"
        " expected_interval_s = coalesce(excluded.expected_interval_s, points.expected_interval_s)"
        " RETURNING id",
        {
            "device": device_id,
            "key": point.key,
            "unit": point.unit,
            "quantity": point.quantity,
            "interval": point.expected_interval_s,
        },
    )
    return number or 0


async def _keep_channels(tx: Transaction, device_id: int, channels: Sequence[Channel]) -> None:
    for channel in channels:
        await tx.execute(
            "INSERT INTO channels (device_id, key, name, streams, snapshot_address, presets)"
            " VALUES (%(device)s, %(key)s, %(name)s, %(streams)s, %(snapshot)s, %(presets)s)"
            " ON CONFLICT (device_id, key) DO UPDATE SET name = excluded.name,"
            " streams = excluded.streams, snapshot_address = excluded.snapshot_address,"
            " presets = excluded.presets",
            {
                "device": device_id,
                "key": channel.key,
                "name": channel.name,
                "streams": Jsonb([asdict(stream) for stream in channel.streams]),
                "snapshot": channel.snapshot_address,
                "presets": Jsonb([asdict(preset) for preset in channel.presets]),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChannelRow:
    key: str
    name: str
    streams: list[dict[str, object]]
    snapshot_address: str
    presets: list[dict[str, str]]

    def channel(self) -> Channel:
        return Channel(
            key=self.key,
            name=self.name,
            streams=tuple(stream_from_json(s) for s in self.streams),
            snapshot_address=self.snapshot_address,
            presets=tuple(Preset(token=p["token"], name=p["name"]) for p in self.presets),
        )


def stream_from_json(raw: dict[str, object]) -> Stream:
    """Read back what ``asdict`` made of a Stream."""
    return Stream(
        role=str(raw["role"]),
        address=str(raw["address"]),
        codec=str(raw["codec"]),
        width=int(str(raw["width"])),
        height=int(str(raw["height"])),
        frame_rate=float(str(raw["frame_rate"])),
    )


def _found(device: Device | None) -> Device:
    if device is None:
        msg = "no such device"
        raise NotFound(msg)
    return _typed(device)


def _typed(row: Device) -> Device:
    return replace(row, kind=DeviceKind(row.kind), registration=Registration(row.registration))
