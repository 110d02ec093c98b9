"""A small site for the tests of alerts: areas, devices, rules, and a clock that can be moved."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.judging.engine import BATCH_EVENTS, AlertEngine
from alerts.telling.desk import CURSOR
from hub.domain.access import system_scope
from hub.domain.alerts import Alert, Rule
from hub.domain.conditions import Condition
from hub.domain.devices import (
    Area,
    Connection,
    Device,
    DeviceDescription,
    DeviceKind,
    Json,
    Point,
    Registration,
)
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import Layer, Status
from hub.domain.notifications import Message, Receiver, ReceiverKind
from hub.domain.secrets import Secret
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store.alerts import AlertFilter, list_alerts
from hub.store.areas import create_area
from hub.store.connections import add_connection
from hub.store.cursors import get_cursor
from hub.store.database import Database
from hub.store.devices import NewDevice, add_device, add_point
from hub.store.events import ReadingRow, add_events, add_readings
from hub.store.receivers import add_receiver
from hub.store.rules import add_rule
from tests.statuses import DEFAULT_LAYERS, Told, change_status

HUB = system_scope("test")
SECRET = "hmac-key-Zq81"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class Mailbox:
    """A way out that keeps what it is given; ``trouble`` is raised first, one after the other."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[Message] = asyncio.Queue()
        self.trouble: list[BaseException] = []

    async def send(self, message: Message) -> str:
        if self.trouble:
            raise self.trouble.pop(0)
        await self.got.put(message)
        return "kept"

    async def next(self, timeout_s: float = 15) -> Message:
        return await asyncio.wait_for(self.got.get(), timeout_s)


class Site:
    """County with two villages; one receiver. Rules and devices are added by the tests."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.jobs = Jobs(database, clock)
        self.live = LiveFeed(database)
        self.areas: dict[str, Area] = {}
        self.receiver = Receiver(name="", area_id=0, kind=ReceiverKind.WEBHOOK)
        self.connection_id = 0

    async def build(self) -> "Site":
        async with self.database.transaction() as tx:
            county = await create_area(tx, HUB, code="county", name="County", parent_id=None)
            self.areas["county"] = county
            for code in ("north", "south"):
                self.areas[code] = await create_area(
                    tx, HUB, code=code, name=code.title(), parent_id=county.id
                )
            link = Connection(
                id=0, protocol="mqtt", name="b", address="mqtt://b", area_id=county.id
            )
            self.connection_id = await add_connection(tx, HUB, link)
            receiver = Receiver(
                name="duty room",
                area_id=county.id,
                kind=ReceiverKind.WEBHOOK,
                options={"address": "https://hooks.example.org/x"},
                secret=Secret(SECRET),
            )
            self.receiver = await add_receiver(tx, HUB, receiver)
            await get_cursor(tx, HUB, CURSOR)
        return self

    def engine(self, *, most_events: int = BATCH_EVENTS) -> AlertEngine:
        """A new one: it remembers nothing, as after a restart."""
        return AlertEngine(self.database, self.jobs, self.live, self.clock, most_events=most_events)

    async def add_rule(
        self,
        condition: Condition,
        *,
        area: str = "county",
        most_in_area: int = 10_000,
        most: int = 100_000,
    ) -> Rule:
        async with self.database.transaction() as tx:
            return await add_rule(
                tx,
                HUB,
                Rule(
                    name="rule",
                    area_id=self.areas[area].id,
                    condition=condition,
                    severity=Severity.CRITICAL,
                    receivers=(self.receiver.id,),
                    most_in_area=most_in_area,
                    most=most,
                ),
            )

    async def add_device(
        self,
        key: str = "cam",
        *,
        area: str = "north",
        kind: DeviceKind = DeviceKind.CAMERA,
        registration: Registration = Registration.APPROVED,
    ) -> Device:
        async with self.database.transaction() as tx:
            return await add_device(
                tx,
                HUB,
                NewDevice(
                    connection_id=self.connection_id,
                    key=key,
                    area_id=self.areas[area].id,
                    registration=registration,
                    description=DeviceDescription(kind=kind, name=key),
                ),
            )

    async def add_point(self, device: Device, key: str = "temp") -> int:
        async with self.database.transaction() as tx:
            return await add_point(tx, HUB, device.id, Point(key=key, unit="°C"))

    async def turn(
        self,
        device: Device,
        status: Status,
        *,
        layer: Layer | None = None,
        behind: Device | None = None,
        is_flapping: bool = False,
    ) -> None:
        """Do what the pipeline does when a device's status changes: all in one transaction."""
        layer = layer or DEFAULT_LAYERS.get(status)
        data: dict[str, Json] = {"layer": "" if layer is None else layer.value}
        if behind is not None:
            data["behind"] = behind.id
        if is_flapping:
            data["flapping"] = True
        event = replace(self.event(f"device.{status.value}", device), data=data)
        row = Told(
            device_id=device.id,
            status=status,
            since=self.clock(),
            layer=layer,
            behind=None if behind is None else behind.id,
        )
        async with self.database.transaction() as tx:
            await change_status(tx, HUB, row)
            await tx.execute(
                "UPDATE device_status SET is_flapping = %(is_flapping)s WHERE device_id = %(id)s",
                {"id": device.id, "is_flapping": is_flapping},
            )
            await add_events(tx, HUB, [event])

    async def hang(self, device: Device, parent: Device) -> None:
        """Say that a device is reached through another."""
        async with self.database.transaction() as tx:
            await tx.execute(
                "UPDATE devices SET parent_id = %(parent)s WHERE id = %(id)s",
                {"id": device.id, "parent": parent.id},
            )

    async def enter_window(self, device: Device, *, reason: str = "new pole") -> None:
        """Let a maintenance window of an hour begin at a device."""
        async with self.database.transaction() as tx:
            await tx.execute(
                "WITH w AS (INSERT INTO maintenance_windows (area_id, device_id, starts_at,"
                " ends_at, reason, author) VALUES (%(area)s, %(device)s, %(at)s,"
                " %(at)s + interval '1 h', %(reason)s, 'test') RETURNING id)"
                " UPDATE device_status SET window_id = w.id FROM w WHERE device_id = %(device)s",
                {
                    "area": device.area_id,
                    "device": device.id,
                    "at": self.clock(),
                    "reason": reason,
                },
            )

    async def leave_window(self, device: Device) -> None:
        """Let it end."""
        async with self.database.transaction() as tx:
            await tx.execute(
                "UPDATE device_status SET window_id = NULL WHERE device_id = %(id)s",
                {"id": device.id},
            )

    async def happen(self, event: StoredEvent) -> None:
        """Store an event and announce it."""
        async with self.database.transaction() as tx:
            await add_events(tx, HUB, [event])

    def event(
        self, kind: str, device: Device | None = None, *, is_active: bool | None = None
    ) -> StoredEvent:
        """An event of now, at a device or in the county."""
        area = self.areas["county"]
        return StoredEvent(
            id=0,
            kind=kind,
            area_id=area.id if device is None else device.area_id,
            area_path=area.path if device is None else device.area_path,
            at=self.clock(),
            received_at=self.clock(),
            device_id=None if device is None else device.id,
            is_active=is_active,
        )

    async def read(self, device: Device, point_id: int, value: float) -> list[ReadingRow]:
        """Store a reading; return what the pipeline would offer."""
        self.clock.pass_s(1)
        rows = [ReadingRow(device_id=device.id, point_id=point_id, at=self.clock(), value=value)]
        async with self.database.transaction() as tx:
            await add_readings(tx, HUB, rows)
        return rows

    async def alerts(self) -> list[Alert]:
        """All alerts, oldest first."""
        async with self.database.transaction() as tx:
            page = await list_alerts(tx, HUB, AlertFilter(), limit=500)
        return list(reversed(page.items))

    async def statuses(self) -> list[str]:
        return [alert.status.value for alert in await self.alerts()]

    async def count(self, table: str) -> int:
        """How many rows of a table there are, or jobs that post."""
        queries = {
            "notifications": "SELECT count(*) FROM notifications",
            "jobs": "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'alerts.post'",
            "states": "SELECT count(*) FROM rule_states",
            "events": "SELECT count(*) FROM events",
            "alerts": "SELECT count(*) FROM alerts",
        }
        async with self.database.transaction() as tx:
            ((number,),) = await tx.tuples(queries[table])
        return int(str(number))


@contextlib.asynccontextmanager
async def running(*works: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run coroutines beside the test; a crash of one fails the test."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
