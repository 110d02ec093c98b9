"""Which devices there are and how they are now, in memory: the pipeline asks it per event.

The database is the truth; the registry is read from it at start and again for every device that
another process changed. It is changed only after a commit.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
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
        self._own: Counter[int] = Counter()
        self.ready = asyncio.Event()

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

    def expect(self, device_ids: Iterable[int]) -> None:
        """A notice about these is on its way that says what this process has just learnt."""
        self._own.update(device_ids)

    async def load(self) -> None:
        """Read everything from the database."""
        self._own.clear()
        seen: set[int] = set()
        async with self._database.transaction() as tx:
            async for page in devices.page_devices(tx, SCOPE):
                ids = [device.id for device in page]
                rows = {row.device_id: row for row in await status.all_statuses(tx, SCOPE, ids)}
                for device in page:
                    self._renew(device, rows.get(device.id))
                seen.update(ids)
            points = await devices.all_points(tx, SCOPE)
        for device_id in self._by_id.keys() - seen:
            self.forget(device_id)
        for device_id, key, point_id in points:
            if device_id in self._by_id:
                self._by_id[device_id].points[key] = point_id

    async def run(self, feed: LiveFeed) -> None:
        """Read everything, then follow what other processes and the API change, until cancelled.

        Raises:
            StoreUnavailable: nothing was read yet.
        """
        with feed.subscribe() as notices:
            await self.load()
            self.ready.set()
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
        foreign = []
        for number in device_ids:
            if self._own[number] > 1:
                self._own[number] -= 1
            elif self._own.pop(number, 0) == 0:
                foreign.append(number)
        if not foreign:
            return
        async with self._database.transaction() as tx:
            rows = await status.all_statuses(tx, SCOPE, foreign)
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
            self._renew(found[device_id], rows.get(device_id))

    def _renew(self, device: Device, row: StatusRow | None) -> None:
        """Take over what the database holds of a device; what only memory knows stays."""
        known = self._by_id.get(device.id)
        fresh = Known(device=device)
        if known is not None:
            fresh.points, fresh.came_back_at = known.points, known.came_back_at
            fresh.status = known.status
        if row is not None:
            fresh.learn(row)
        self.keep(fresh)
