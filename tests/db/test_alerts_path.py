"""From a stored event to a delivered notification, on both databases."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from alerts.delivery import Delivery
from alerts.engine import AlertEngine
from hub.domain.access import system_scope
from hub.domain.alerts import (
    AlertStatus,
    DeliveryStatus,
    DeviceOffline,
    Notification,
    Receiver,
    ReceiverKind,
    Rule,
    Step,
)
from hub.domain.devices import Connection, DeviceDescription, DeviceKind, Registration
from hub.domain.events import StoredEvent
from hub.domain.health import Status
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store.alerts import AlertFilter, list_alerts, list_steps
from hub.store.areas import create_area
from hub.store.connections import add_connection
from hub.store.cursors import get_cursor
from hub.store.database import Database
from hub.store.devices import NewDevice, add_device
from hub.store.events import add_events
from hub.store.notices import notify
from hub.store.notifications import list_notifications
from hub.store.receivers import add_receiver
from hub.store.rules import add_rule
from hub.store.status import StatusRow, change_status

HUB = system_scope("test")


def clock() -> datetime:
    return datetime.now(UTC)


class Mailbox:
    """A way out that keeps what it is given."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[Notification] = asyncio.Queue()

    async def send(self, notification: Notification) -> str:
        await self.got.put(notification)
        return "kept"


@contextlib.asynccontextmanager
async def running(*works: object) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]  # coroutines
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def turn(database: Database, device_id: int, area_id: int, status: Status) -> None:
    """Do what the pipeline does when a device's status changes."""
    now = clock()
    async with database.transaction() as tx:
        await change_status(tx, HUB, StatusRow(device_id=device_id, status=status, since=now))
        stored = await add_events(
            tx,
            HUB,
            [
                StoredEvent(
                    id=0,
                    kind=f"device.{status.value}",
                    area_id=area_id,
                    area_path="county",
                    at=now,
                    received_at=now,
                    device_id=device_id,
                    data={"detail": "no answer"},
                )
            ],
        )
        await notify(tx, HUB, "events", [event.id for event in stored])


async def test_offline_fires_is_delivered_and_resolves(database: Database) -> None:
    mailbox = Mailbox()
    jobs = Jobs(database, clock)
    live = LiveFeed(database)
    engine = AlertEngine(database, jobs, live, clock)
    Delivery(database, clock, {ReceiverKind.WEBHOOK: mailbox}).register(jobs)
    async with database.transaction() as tx:
        area = await create_area(tx, HUB, code="county", name="County", parent_id=None)
        link = await add_connection(
            tx,
            HUB,
            Connection(id=0, protocol="onvif", name="c", address="http://x/", area_id=area.id),
        )
        device = await add_device(
            tx,
            HUB,
            NewDevice(
                connection_id=link,
                key="cam",
                area_id=area.id,
                registration=Registration.APPROVED,
                description=DeviceDescription(kind=DeviceKind.CAMERA, name="Gate"),
            ),
        )
        receiver = await add_receiver(
            tx, HUB, Receiver(name="duty room", area_id=area.id, kind=ReceiverKind.WEBHOOK)
        )
        await add_rule(
            tx,
            HUB,
            Rule(
                name="Camera offline",
                area_id=area.id,
                condition=DeviceOffline(),
                receivers=(receiver.id,),
            ),
        )
        await get_cursor(tx, HUB, "alerts")
    async with running(live.run(), jobs.run(), engine.run()):
        await turn(database, device.id, area.id, Status.OFFLINE)
        fired = await asyncio.wait_for(mailbox.got.get(), 15)
        assert fired.alert.device_name == "Gate"
        assert fired.alert.event_id is not None
        await turn(database, device.id, area.id, Status.ONLINE)
        resolved = await asyncio.wait_for(mailbox.got.get(), 15)
        assert (fired.step.step, resolved.step.step) == (Step.FIRED, Step.RESOLVED)
        assert fired.message_id != resolved.message_id
        await asyncio.sleep(0.3)
    async with database.transaction() as tx:
        alerts = (await list_alerts(tx, HUB, AlertFilter())).items
        assert [alert.status for alert in alerts] == [AlertStatus.RESOLVED]
        steps = await list_steps(tx, HUB, alerts[0].id)
        assert [step.step for step in steps] == [Step.FIRED, Step.RESOLVED]
        lines = await list_notifications(tx, HUB, alerts[0].id)
    assert [line.status for line in lines] == [DeliveryStatus.DELIVERED] * 2
    assert all(len(line.attempts) == 1 for line in lines)
