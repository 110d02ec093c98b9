"""A small county in the database."""

from dataclasses import dataclass

import pytest

from hub.domain.access import Scope, system_scope
from hub.domain.devices import (
    Area,
    Channel,
    Connection,
    Device,
    DeviceDescription,
    DeviceKind,
    Point,
    Registration,
    Stream,
)
from hub.domain.secrets import Credentials, Secret
from hub.store import areas, connections, devices
from hub.store.database import Database, Transaction
from hub.store.devices import NewDevice

SYSTEM = system_scope("tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """Two villages of one county, each with a connection and a camera."""

    county: Area
    east: Area
    west: Area
    east_link: Connection
    west_link: Connection
    east_camera: Device
    west_camera: Device

    @classmethod
    async def build(cls, database: Database) -> "County":
        """Store the county."""
        async with database.transaction() as tx:
            root = await areas.create_area(tx, SYSTEM, code="330402", name="南湖区", parent_id=None)
            east, east_link, east_camera = await _village(tx, root, 1, "东村")
            west, west_link, west_camera = await _village(tx, root, 2, "西村")
        return cls(
            county=root,
            east=east,
            west=west,
            east_link=east_link,
            west_link=west_link,
            east_camera=east_camera,
            west_camera=west_camera,
        )

    @property
    def east_scope(self) -> Scope:
        """What somebody granted the east village may touch."""
        return Scope(paths=(self.east.path,), actor="eve")


@pytest.fixture
async def county(database: Database) -> County:
    """The county, stored."""
    return await County.build(database)


def camera(name: str, hardware_id: str = "") -> DeviceDescription:
    """What a camera says of itself."""
    return DeviceDescription(
        kind=DeviceKind.CAMERA,
        name=name,
        hardware_id=hardware_id,
        channels=(
            Channel(key="1", streams=(Stream(role="main", address="rtsp://192.168.1.1/1"),)),
        ),
        points=(Point(key="temp", unit="°C"),),
    )


async def _village(
    tx: Transaction, root: Area, number: int, name: str
) -> tuple[Area, Connection, Device]:
    village = await areas.create_area(
        tx, SYSTEM, code=f"33040200{number}", name=name, parent_id=root.id
    )
    link = Connection(
        id=0,
        protocol="onvif",
        name=name,
        address=f"http://192.168.1.{number}/onvif/device_service",
        area_id=village.id,
        credentials=Credentials(username="admin", password=Secret("camera-pw")),
    )
    link_id = await connections.add_connection(tx, SYSTEM, link)
    device = await devices.add_device(
        tx,
        SYSTEM,
        NewDevice(
            connection_id=link_id,
            key="device",
            area_id=village.id,
            registration=Registration.APPROVED,
        ),
    )
    device = await devices.describe_device(tx, SYSTEM, device.id, camera(name))
    return village, await connections.get_connection(tx, SYSTEM, link_id), device
