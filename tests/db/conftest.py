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
from hub.store.database import Database
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

    @property
    def east_scope(self) -> Scope:
        """What somebody granted the east village may touch."""
        return Scope(paths=(self.east.path,), actor="eve")


@pytest.fixture
async def county(database: Database) -> County:
    """The county, stored."""
    async with database.transaction() as tx:
        root = await areas.create_area(tx, SYSTEM, code="330402", name="南湖区", parent_id=None)
        villages: list[Area] = []
        links: list[Connection] = []
        cameras: list[Device] = []
        for code, name in (("330402001", "东村"), ("330402002", "西村")):
            village = await areas.create_area(tx, SYSTEM, code=code, name=name, parent_id=root.id)
            link = Connection(
                id=0,
                protocol="onvif",
                name=name,
                address=f"http://192.168.1.{len(villages) + 1}/onvif/device_service",
                area_id=village.id,
                credentials=Credentials(username="admin", password=Secret("camera-pw")),
            )
            number = await connections.add_connection(tx, SYSTEM, link)
            link = await connections.get_connection(tx, SYSTEM, number)
            device = await devices.add_device(
                tx,
                SYSTEM,
                NewDevice(
                    connection_id=number,
                    key="device",
                    area_id=village.id,
                    registration=Registration.APPROVED,
                ),
            )
            device = await devices.describe_device(tx, SYSTEM, device.id, camera(name))
            villages.append(village)
            links.append(link)
            cameras.append(device)
    return County(
        county=root,
        east=villages[0],
        west=villages[1],
        east_link=links[0],
        west_link=links[1],
        east_camera=cameras[0],
        west_camera=cameras[1],
    )


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
