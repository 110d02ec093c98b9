"""Devices that die and come back before an open alert desk: the real alert engine concludes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alerts.judging.engine import AlertEngine
from alerts.telling.desk import CURSOR
from hub.domain.alerts import Alert, Rule
from hub.domain.conditions import DeviceOffline
from hub.domain.escalations import Deadlines
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import Layer, Status
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store import deadlines, devices, rules
from hub.store.alerts import AlertFilter, list_alerts
from hub.store.cursors import get_cursor
from hub.store.database import Database
from hub.store.events import add_events
from hub.store.notices import notify
from tests.statuses import Told, change_status
from tests.web.stage import SYSTEM


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertScene:
    """A database whose alerts are judged when the test says so."""

    database: Database

    @classmethod
    async def begin(cls, database: Database) -> "AlertScene":
        """Begin to judge what happens from now on."""
        async with database.transaction() as tx:
            await get_cursor(tx, SYSTEM, CURSOR)
        return cls(database=database)

    async def judge(self) -> None:
        """Let an engine that knows every rule look at all that is new."""
        jobs = Jobs(self.database, wall_clock)
        engine = AlertEngine(self.database, jobs, LiveFeed(self.database), wall_clock)
        await engine.step()
        await engine.step()

    async def watch(
        self,
        area_id: int,
        name: str,
        *,
        severity: Severity = Severity.CRITICAL,
        for_s: float = 30,
        most_in_area: int = 20,
    ) -> Rule:
        """Watch an area for devices that are offline."""
        rule = Rule(
            name=name,
            area_id=area_id,
            condition=DeviceOffline(for_s=for_s),
            severity=severity,
            most_in_area=most_in_area,
        )
        async with self.database.transaction() as tx:
            return await rules.add_rule(tx, SYSTEM, rule)

    async def limit(self, area_id: int, severity: Severity, *, acknowledge_s: int) -> None:
        """Set the time in which alerts of an area are to be taken."""
        new = Deadlines(
            area_id=area_id, severity=severity, acknowledge_s=acknowledge_s, resolve_s=3600
        )
        async with self.database.transaction() as tx:
            await deadlines.add_deadlines(tx, SYSTEM, new)

    async def turn(self, *device_ids: int, status: Status, ago_s: float = 60) -> list[Alert]:
        """Let devices have a status since so long ago; return the alerts there are then."""
        since = wall_clock() - timedelta(seconds=ago_s)
        layer = Layer.NETWORK if status is Status.OFFLINE else None
        async with self.database.transaction() as tx:
            for number in device_ids:
                device = await devices.get_device(tx, SYSTEM, number)
                row = Told(
                    device_id=number,
                    status=status,
                    since=since,
                    layer=layer,
                    detail="no answer within 3 s" if layer else "",
                )
                await change_status(tx, SYSTEM, row)
                event = StoredEvent(
                    id=0,
                    kind=f"device.{status.value}",
                    area_id=device.area_id,
                    area_path=device.area_path,
                    at=since,
                    received_at=since,
                    device_id=number,
                    data={"layer": layer.value if layer else ""},
                )
                await add_events(tx, SYSTEM, [event])
            await notify(tx, SYSTEM, "statuses", list(device_ids))
        await self.judge()
        async with self.database.transaction() as tx:
            page = await list_alerts(tx, SYSTEM, AlertFilter(), limit=500)
        return list(reversed(page.items))
