"""Says when a device no longer flaps: it did not fail again for as long as flapping takes."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import system_scope
from hub.domain.devices import Device, Json
from hub.domain.events import StoredEvent
from hub.domain.ports import Clock
from hub.runtime.jobs import Jobs
from hub.store import devices, events, flapping
from hub.store.database import Database
from hub.store.flapping import Steady
from hub.store.notices import notify
from hub.store.status import FLAPPING_WITHIN

SERIES = "maintenance.flapping"
EVERY_S = 60.0

_HUB = system_scope("hub.maintenance")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlappingEnds:
    """Looks every minute which devices have become steady."""

    database: Database
    clock: Clock

    def register(self, jobs: Jobs) -> None:
        """Have :meth:`run_once` called by one worker of all. Call before the queue runs."""
        jobs.every(SERIES, EVERY_S, self.run_once)

    async def run_once(self) -> None:
        """End what is over; the mark and the event that says so commit together."""
        now = self.clock()
        async with self.database.transaction() as tx:
            steady = await flapping.end_flapping(tx, _HUB, now=now, quiet=FLAPPING_WITHIN)
            if not steady:
                return
            by_id = {one.device_id: one for one in steady}
            found = await devices.all_devices(tx, _HUB, sorted(by_id))
            news = [_tell(device, by_id[device.id], now) for device in found]
            await events.add_events(tx, _HUB, news)
            await notify(tx, _HUB, "statuses", sorted(by_id))


def _tell(device: Device, steady: Steady, now: datetime) -> StoredEvent:
    """A device may have become steady by staying offline: its status is said."""
    data: dict[str, Json] = {"status": str(steady.status), "quiet_s": steady.quiet_s}
    return StoredEvent(
        id=0,
        kind="device.steady",
        area_id=device.area_id,
        area_path=device.area_path,
        at=now,
        received_at=now,
        device_id=device.id,
        device_name=device.name,
        is_active=False,
        data=data,
    )
