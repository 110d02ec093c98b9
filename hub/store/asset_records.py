"""The asset record of one device (一机一档)."""

from dataclasses import asdict, dataclass
from datetime import date

from hub.domain.access import Scope
from hub.domain.assets import (
    AssetRecord,
    Direction,
    Light,
    PositionType,
    PtzType,
    Purpose,
    Room,
)
from hub.store.database import Transaction
from hub.store.devices import get_device


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """As it is stored: words of lists are empty where nothing is recorded."""

    mac: str
    port: int | None
    longitude: float | None
    latitude: float | None
    ptz_type: str
    position_type: str
    room: str
    purpose: str
    light: str
    direction: str
    resolution: str
    mount_height_m: float | None
    installed_on: date | None
    warranty_until: date | None
    owner: str
    notes: str

    def record(self) -> AssetRecord:
        return AssetRecord(
            mac=self.mac,
            port=self.port,
            longitude=self.longitude,
            latitude=self.latitude,
            ptz_type=PtzType(self.ptz_type) if self.ptz_type else None,
            position_type=PositionType(self.position_type) if self.position_type else None,
            room=Room(self.room) if self.room else None,
            purpose=Purpose(self.purpose) if self.purpose else None,
            light=Light(self.light) if self.light else None,
            direction=Direction(self.direction) if self.direction else None,
            resolution=self.resolution,
            mount_height_m=self.mount_height_m,
            installed_on=self.installed_on,
            warranty_until=self.warranty_until,
            owner=self.owner,
            notes=self.notes,
        )


async def get_record(tx: Transaction, scope: Scope, device_id: int) -> AssetRecord:
    """The record of a device of the scope, empty when nothing is recorded; raises NotFound."""
    device = await get_device(tx, scope, device_id)
    row = await tx.fetch_one(
        _Row,
        "SELECT mac, port, longitude, latitude, ptz_type, position_type, room, purpose, light,"
        " direction, resolution, mount_height_m, installed_on, warranty_until, owner, notes"
        " FROM asset_records WHERE device_id = %(id)s",
        {"id": device.id},
    )
    return AssetRecord() if row is None else row.record()


async def put_record(tx: Transaction, scope: Scope, device_id: int, record: AssetRecord) -> None:
    """Replace the record of a device of the scope.

    Raises:
        NotFound: the device lies outside the scope.
        Invalid: a value outside its range.
    """
    device = await get_device(tx, scope, device_id)
    words = ("ptz_type", "position_type", "room", "purpose", "light", "direction")
    values = asdict(record) | {name: getattr(record, name) or "" for name in words}
    await tx.execute(
        "INSERT INTO asset_records AS r (device_id, mac, port, longitude, latitude, ptz_type,"
        " position_type, room, purpose, light, direction, resolution, mount_height_m,"
        " installed_on, warranty_until, owner, notes)"
        " VALUES (%(device_id)s, %(mac)s, %(port)s, %(longitude)s, %(latitude)s, %(ptz_type)s,"
        " %(position_type)s, %(room)s, %(purpose)s, %(light)s, %(direction)s, %(resolution)s,"
        " %(mount_height_m)s, %(installed_on)s, %(warranty_until)s, %(owner)s, %(notes)s)"
        " ON CONFLICT (device_id) DO UPDATE SET mac = excluded.mac, port = excluded.port,"
        " longitude = excluded.longitude, latitude = excluded.latitude,"
        " ptz_type = excluded.ptz_type, position_type = excluded.position_type,"
        " room = excluded.room, purpose = excluded.purpose, light = excluded.light,"
        " direction = excluded.direction, resolution = excluded.resolution,"
        " mount_height_m = excluded.mount_height_m, installed_on = excluded.installed_on,"
        " warranty_until = excluded.warranty_until, owner = excluded.owner,"
        " notes = excluded.notes",
        values | {"device_id": device.id},
    )
