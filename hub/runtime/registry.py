"""Which devices there are and how they are now, in memory: the pipeline asks it per event.

The database is the truth; the registry is read from it at start and again for every device that
another process changed. It is changed only after a commit.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.access import system_scope
from hub.domain.devices import Device
from hub.domain.errors import StoreUnavailable
from hub.domain.health import NO_FAULTS, Faults, Status
from hub.runtime.live import RESYNC, LiveFeed
from hub.store import devices, status
from hub.store.database import Database
from hub.store.status import StatusRow

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.registry")


@dataclass(slots=True, kw_only=True)
class Known:
    """A registered device, its present status and the numbers of its points by key.

    ``came_back_at`` is when it was seen to leave OFFLINE last, None when it was not seen to here.
    """

    device: Device
    status: Status = Status.UNKNOWN
    since: datetime | None = None
    came_back_at: datetime | None = None
    faults: Faults = field(default_factory=lambda: NO_FAULTS)
    behind_id: int | None = None
    session: int | None = None
    points: dict[str, int] = field(default_factory=dict)

    def learn(self, row: StatusRow) -> None:
        """Take over what the database holds."""
        if self.status is Status.OFFLINE and row.status is Status.ONLINE:
            self.came_back_at = row.since
        self.status = row.status
        self.since = row.since
        self.faults = row.faults
        self.behind_id = row.behind_id
        self.session = row.session


class Registry:
    """All devices of this hub."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_key: dict[tuple[int, str], Known] = {}
        self._by_id: dict[int, Known] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, connection_id: int, key: str) -> Known | None:
        """Return the device a connection calls ``key``."""
        return self._by_key.get((connection_id, key))

    def get(self, device_id: int) -> Known | None:
        """Return a device by number."""
        return self._by_id.get(device_id)

    def keep(self, known: Known) -> None:
        """Add a device or replace what was known of it."""
        self._by_id[known.device.id] = known
        self._by_key[(known.device.connection_id, known.device.key)] = known

    def forget(self, device_id: int) -> None:
        """Remove a device that is no longer registered."""
        known = self._by_id.pop(device_id, None)
        if known is not None:
            self._by_key.pop((known.device.connection_id, known.device.key), None)

    async def load(self) -> None:
        """Read everything from the database."""
        async with self._database.transaction() as tx:
            found = await devices.all_devices(tx, SCOPE)
            statuses = {row.device_id: row for row in await status.all_statuses(tx, SCOPE)}
            points = await devices.all_points(tx, SCOPE)
        self._by_key.clear()
        self._by_id.clear()
        for device in found:
            self.keep(_known(device, statuses.get(device.id)))
        for device_id, key, point_id in points:
            self._by_id[device_id].points[key] = point_id

    async def run(self, feed: LiveFeed) -> None:
        """Follow what other processes and the API change, until cancelled."""
        with feed.subscribe() as notices:
            async for notice in notices:
                try:
                    if notice == RESYNC:
                        await self.load()
                    elif notice.topic == "devices":
                        await self._reload(notice.ids)
                    elif notice.topic == "statuses":
                        await self._relearn(notice.ids)
                except StoreUnavailable as error:
                    log.warning("the registry could not be refreshed: %s", error)

    async def _relearn(self, device_ids: Sequence[int]) -> None:
        async with self._database.transaction() as tx:
            rows = await status.all_statuses(tx, SCOPE, device_ids)
        for row in rows:
            known = self._by_id.get(row.device_id)
            if known is not None:
                known.learn(row)

    async def _reload(self, device_ids: Sequence[int]) -> None:
        async with self._database.transaction() as tx:
            found = {d.id: d for d in await devices.all_devices(tx, SCOPE, device_ids)}
            rows = {row.device_id: row for row in await status.all_statuses(tx, SCOPE, device_ids)}
        for device_id in device_ids:
            if device_id not in found:
                self.forget(device_id)
                continue
            fresh = _known(found[device_id], rows.get(device_id))
            known = self._by_id.get(device_id)
            if known is not None:
                fresh.points = known.points
                fresh.came_back_at = known.came_back_at
            self.keep(fresh)


def _known(device: Device, row: StatusRow | None) -> Known:
    if row is None:
        return Known(device=device)
    known = Known(device=device)
    known.learn(row)
    return known
