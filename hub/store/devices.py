"""Devices, their channels and their points."""

import hashlib
from collections.abc import AsyncIterator, Sequence
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
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

PAGE_DEVICES = 2_000
# Drift below this is the slow look's to follow, not a new description.
MARKED_OFFSET_S = 10.0

_DEVICE = (
    "d.id, d.connection_id, d.key, d.area_id, a.path::text AS area_path, d.kind, d.name,"
    " d.registration, d.manufacturer, d.model, d.firmware, d.serial, d.hardware_id, d.address,"
    " d.clock_offset_s, d.created_at, d.parent_id, d.code, d.class AS device_class, d.team,"
    " d.described_mark "
)


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
    found: list[Device] = []
    async for page in page_devices(tx, scope, device_ids):
        found += page
    return found


async def page_devices(
    tx: Transaction, scope: Scope, device_ids: Sequence[int] | None = None
) -> AsyncIterator[list[Device]]:
    """Like :func:`all_devices`, some at a time: tens of thousands at once hold up everything."""
    last = 0
    while True:
        rows = await tx.search(
            Device,
            "SELECT " + _DEVICE + "FROM devices d JOIN areas a ON a.id = d.area_id"
            " WHERE (%(ids)s::bigint[] IS NULL OR d.id = ANY (%(ids)s)) AND d.id > %(last)s AND"
            + IN_SCOPE
            + "ORDER BY d.id LIMIT %(limit)s",
            {
                "scope": scope_paths(scope),
                "ids": None if device_ids is None else list(device_ids),
                "last": last,
                "limit": PAGE_DEVICES,
            },
        )
        yield [_typed(row) for row in rows]
        if len(rows) < PAGE_DEVICES:
            return
        last = rows[-1].id


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
    """Register a device in an area of the scope; one already there is returned as it is.

    Raises:
        NotFound: the area lies outside the scope.
    """
    number = await tx.scalar(
        int,
        "WITH d AS (INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
        "  SELECT %(connection)s, %(key)s, a.id, %(kind)s, %(name)s, %(registration)s FROM areas a"
        "  WHERE a.id = %(area)s AND"
        + IN_SCOPE
        + "  ON CONFLICT (connection_id, key) DO UPDATE SET key = excluded.key RETURNING id),"
        " s AS (INSERT INTO device_status (device_id) SELECT id FROM d ON CONFLICT DO NOTHING)"
        " SELECT id FROM d",
        {
            "scope": scope_paths(scope),
            "connection": new.connection_id,
            "key": new.key,
            "area": new.area_id,
            "kind": new.description.kind,
            "name": new.description.name or new.key,
            "registration": new.registration,
        },
    )
    if number is None:
        msg = "no such area"
        raise NotFound(msg)
    return await get_device(tx, scope, number)


async def describe_device(
    tx: Transaction, scope: Scope, device_id: int, said: DeviceDescription
) -> Device:
    """Bring a device's record up to date with what it says of itself.

    Empty fields overwrite nothing; channels and points are added or changed, never removed;
    an operator's name is kept once the device has one of its own.
    """
    device = await get_device(tx, scope, device_id)
    await tx.execute(
        "UPDATE devices SET described_at = now(), described_mark = %(mark)s,"
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
            "mark": description_mark(said),
            "capabilities": Jsonb(dict(said.capabilities)),
        },
    )
    await _keep_channels(tx, device.id, said.channels)
    for point in said.points:
        await add_point(tx, scope, device.id, point)
    return await get_device(tx, scope, device.id)


def description_mark(said: DeviceDescription) -> int:
    """A number that stands for a description; a clock that wanders by seconds changes nothing."""
    offset = None if said.clock_offset_s is None else round(said.clock_offset_s / MARKED_OFFSET_S)
    text = repr(replace(said, clock_offset_s=offset))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


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
    """Register a point of a device of the scope and return its number.

    Raises:
        NotFound: the device lies outside the scope.
    """
    number = await tx.scalar(
        int,
        "INSERT INTO points"
        " (device_id, key, unit, quantity, expected_interval_s, said_low, said_high)"
        " SELECT d.id, %(key)s, %(unit)s, %(quantity)s, %(interval)s, %(low)s, %(high)s"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = %(device)s AND"
        + IN_SCOPE
        + "ON CONFLICT (device_id, key) DO UPDATE SET"
        " unit = coalesce(nullif(excluded.unit, ''), points.unit),"
        " quantity = coalesce(nullif(excluded.quantity, ''), points.quantity),"
        " expected_interval_s = coalesce(excluded.expected_interval_s, points.expected_interval_s),"
        " said_low = coalesce(excluded.said_low, points.said_low),"
        " said_high = coalesce(excluded.said_high, points.said_high) RETURNING id",
        {
            "scope": scope_paths(scope),
            "device": device_id,
            "key": point.key,
            "unit": point.unit,
            "quantity": point.quantity,
            "interval": point.expected_interval_s,
            "low": point.low,
            "high": point.high,
        },
    )
    if number is None:
        msg = "no such device"
        raise NotFound(msg)
    return number


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
