"""Cameras that tell what they are told to, and the database the slow looks write to."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.domain.access import Scope, system_scope
from hub.domain.devices import Connection, DeviceDescription, DeviceKind, Registration
from hub.domain.errors import StoreUnavailable
from hub.domain.events import StoredEvent
from hub.domain.health import DeviceStatusReport, Inspection, Layer, Status
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.inspecting import InspectingOptions, InspectingSenses, Inspector
from hub.store.areas import create_area
from hub.store.camera_days import CameraDay, list_camera_days
from hub.store.connections import add_connection
from hub.store.database import Database
from hub.store.devices import (
    NewDevice,
    add_device,
    describe_device,
)
from hub.store.events import EventFilter, list_events
from hub.store.status import all_statuses, apply_reports
from tests.statuses import Told, change_status

HUB = system_scope("test")
START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)  # midnight in Shanghai
YESTERDAY = TODAY - timedelta(days=1)
DAY_S = 86_400.0
GOOD = Inspection(inspected_at=START, clock_offset_s=0.4, firmware="5.7.1")


class Site:
    """Two villages of cameras, a pipeline that writes what it is told, and a clock to turn."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = START
        self.cameras: list[int] = []
        self.areas: list[int] = []
        self.answers: dict[int, Inspection | Exception] = {}
        self.asked: list[CameraTarget] = []
        self.told: list[DeviceStatusReport] = []
        self.is_away = False
        self.paused_s = 0.0

    async def settle(self, cameras: int = 6) -> None:
        async with self.database.transaction() as tx:
            county = await create_area(tx, HUB, code="c", name="某县", parent_id=None)
            for code in "ab":
                village = await create_area(tx, HUB, code=code, name=code, parent_id=county.id)
                self.areas.append(village.id)
        for number in range(cameras):
            self.cameras.append(await self.add(number))

    async def add(self, number: int, *, protocol: str = "onvif", address: str = "") -> int:
        address = address or f"http://192.0.2.{number + 1}/onvif/device_service"
        area = self.areas[number % 2]
        async with self.database.transaction() as tx:
            link = await add_connection(
                tx,
                HUB,
                Connection(
                    id=0,
                    protocol=protocol,
                    name=f"camera {number}",
                    address=address,
                    area_id=area,
                    credentials=Credentials(username="admin", password=Secret(f"pw-{number}")),
                    options={"verify": "off", "reason": "old"} if number == 0 else {},
                ),
            )
            new = NewDevice(
                connection_id=link, key="device", area_id=area, registration=Registration.APPROVED
            )
            device = await add_device(tx, HUB, new)
            said = DeviceDescription(kind=DeviceKind.CAMERA, address=address)
            await describe_device(tx, HUB, device.id, said)
            await tx.execute(
                "UPDATE devices SET created_at = %(at)s WHERE id = %(id)s",
                {"at": START - timedelta(days=30), "id": device.id},
            )
            told = Told(device_id=device.id, status=Status.ONLINE, since=self.now)
            await change_status(tx, HUB, told)
        return device.id

    async def inspect(self, target: CameraTarget, *, timeout_s: float) -> Inspection:
        assert timeout_s == 20.0
        await asyncio.sleep(0)
        self.asked.append(target)
        answer = self.answers.get(target.device_id, GOOD)
        if isinstance(answer, Exception):
            raise answer
        return replace(answer, inspected_at=self.now)

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        if self.is_away:
            msg = "the database does not answer"
            raise StoreUnavailable(msg)
        self.told += reports
        for report in reports:
            async with self.database.transaction() as tx:
                await apply_reports(tx, HUB, [report])

    async def pause(self, seconds: float) -> None:
        self.paused_s += seconds
        await asyncio.sleep(0)

    def inspector(self, **options: object) -> Inspector:
        senses = InspectingSenses(
            inspect=self.inspect,
            report=self.report,
            clock=lambda: self.now,
            rng=random.Random(3),
            pause=self.pause,
        )
        chosen = InspectingOptions(**{"shards": 2, "zone": SHANGHAI, **options})  # type: ignore[arg-type]  # by name
        return Inspector(self.database, senses, chosen)

    async def look(self, inspector: Inspector | None = None) -> list[int]:
        """Run every shard once; return who was asked, in order of number."""
        self.asked.clear()
        inspector = inspector or self.inspector()
        for shard in range(2):
            await inspector.inspect_shard(shard)
        return sorted(target.device_id for target in self.asked)

    async def status(self, device_id: int) -> tuple[Status, dict[Layer, str]]:
        async with self.database.transaction() as tx:
            (row,) = await all_statuses(tx, HUB, [device_id])
        return row.status, dict(row.faults)

    async def days(self, device_id: int, scope: Scope = HUB) -> list[CameraDay]:
        since, until = self.now - timedelta(days=9), self.now + timedelta(days=9)
        async with self.database.transaction() as tx:
            return await list_camera_days(tx, scope, device_id, since=since, until=until)

    async def events(self, kind: str) -> list[StoredEvent]:
        async with self.database.transaction() as tx:
            return list((await list_events(tx, HUB, EventFilter(kind=kind))).items)

    async def column(self, device_id: int, name: str) -> object:
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT to_jsonb(d) -> %(name)s FROM (SELECT d.*, s.clock_at FROM devices d"
                " JOIN device_status s ON s.device_id = d.id WHERE d.id = %(id)s) d",
                {"id": device_id, "name": name},
            )
        return rows[0][0]
