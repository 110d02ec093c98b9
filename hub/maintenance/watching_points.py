"""Watches the readings that this process stores, and tells when a point goes wrong or is well.

Readings come by :meth:`PointKeeper.offer` right after their commit; nothing waits there. Every
few seconds :meth:`PointKeeper.step` compares what was seen with what everybody knows: faults,
their events and what is stored change in one transaction, then the device's status is reported.

Only the process that stores a device's readings judges its points: one that stores none holds
none and changes nothing, and whoever takes over reads what is known and goes on from there.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hub.domain.access import system_scope
from hub.domain.errors import GengfuError
from hub.domain.events import StoredEvent
from hub.domain.health import DeviceStatusReport
from hub.domain.ports import Clock
from hub.maintenance.point_limits import Faults
from hub.maintenance.point_news import (
    begun_event,
    device_report,
    ended_event,
    fault_row,
    learnt_row,
    limits_of,
    opened_faults,
    readings_report,
    watch_of,
)
from hub.maintenance.points import DeviceWatch, PointWatch, take_readings
from hub.runtime.live import RESYNC, LiveFeed
from hub.store import events, notices, point_health
from hub.store.database import Database, Transaction
from hub.store.events import ReadingRow
from hub.store.notices import Notice
from hub.store.point_health import PointRecord

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.maintenance")
Report = Callable[[Sequence[DeviceStatusReport]], Awaitable[None]]

DEVICES_AT_ONCE = 2_000  # of a query, and looked at before others get a turn
POINTS_AT_ONCE = 5_000  # of a statement


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingOptions:
    """How often to look: a fault is told so much late.

    Every ``refresh_s`` what is stored is looked at; every ``save_s`` what was learnt is kept, and
    a crash loses that much of it.
    """

    step_s: float = 5.0
    refresh_s: float = 60.0
    save_s: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """A point and what is wrong with it now."""

    device: DeviceWatch
    point: PointWatch
    faults: Faults


class PointKeeper:
    """The points whose readings this process stores."""

    def __init__(
        self,
        *,
        database: Database,
        report: Report,
        clock: Clock,
        steady: Callable[[], float] = time.monotonic,
        options: KeepingOptions | None = None,
    ) -> None:
        self._database = database
        self._report = report
        self._clock = clock
        self._steady = steady
        self._options = options or KeepingOptions()
        self._watches: dict[int, PointWatch] = {}
        self._devices: dict[int, DeviceWatch] = {}
        self._unread: set[int] = set()
        self._reading: set[int] = set()
        self._not_approved: set[int] = set()
        self._untold: set[int] = set()
        self._saved_at = self._refreshed_at = steady()
        self._is_compared = False

    async def offer(self, rows: Sequence[ReadingRow]) -> None:
        """Take readings that were just committed; never waits."""
        unknown = take_readings(self._watches, rows, self._steady())
        if unknown:
            self._unread.update(set(unknown.values()) - self._not_approved)

    async def run(self, feed: LiveFeed) -> None:
        """Work until cancelled; survives the loss of the database."""
        listening = asyncio.create_task(self._listen(feed), name="points-listen")
        trouble = ""
        try:
            while True:
                await asyncio.sleep(self._options.step_s)
                try:
                    await self.step()
                except GengfuError as error:
                    if not trouble:
                        log.warning("the health of points cannot be told: %s", error)
                    trouble = str(error)
                    continue
                if trouble:
                    log.info("the health of points is told again")
                trouble = ""
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def step(self) -> None:
        """Deal with what came since the last step."""
        now = self._steady()
        await self._read(now)
        if now - self._refreshed_at >= self._options.refresh_s:
            await self._refresh()
            self._refreshed_at = now
        news = await self._sweep()
        self._untold = {one.device.device_id for one in news}
        for start in range(0, len(news), POINTS_AT_ONCE):
            await self._tell(news[start : start + POINTS_AT_ONCE], now)
        self._untold.clear()
        if self._devices and not self._is_compared:
            await self._compare()
        if now - self._saved_at >= self._options.save_s:
            await self.save()

    async def save(self) -> None:
        """Keep what was learnt of the points heard since the last time."""
        now, since = self._steady(), self._saved_at
        heard = [watch for watch in self._watches.values() if watch.heard_at >= since]
        for start in range(0, len(heard), POINTS_AT_ONCE):
            rows = [learnt_row(watch) for watch in heard[start : start + POINTS_AT_ONCE]]
            async with self._database.transaction() as tx:
                await point_health.put_learnt(tx, SCOPE, rows)
        self._saved_at = now
        self._is_compared = False

    def hear(self, notice: Notice) -> None:
        """Devices changed: their points are read again before the next look."""
        known = self._devices.keys() | self._reading
        if notice == RESYNC:
            self._unread.update(known)
            self._not_approved.clear()
        elif notice.topic == "devices":
            self._unread.update(known & set(notice.ids))
            self._not_approved.difference_update(notice.ids)

    async def _listen(self, feed: LiveFeed) -> None:
        with feed.subscribe() as changes:
            async for notice in changes:
                self.hear(notice)

    async def _read(self, now: float) -> None:
        """Read devices that are new here or were changed."""
        while self._unread:
            wanted = sorted(self._unread)[:DEVICES_AT_ONCE]
            # What changes while it is read is read once more.
            self._unread.difference_update(wanted)
            self._reading.update(wanted)
            try:
                async with self._database.transaction() as tx:
                    records = await point_health.load_points(tx, SCOPE, wanted)
                    faults = await point_health.load_faults(tx, SCOPE, wanted)
            except GengfuError:
                self._unread.update(wanted)
                raise
            finally:
                self._reading.clear()
            by_device: dict[int, list[PointRecord]] = {number: [] for number in wanted}
            for record in records:
                by_device[record.device_id].append(record)
            opened = opened_faults(faults)
            for number, points in by_device.items():
                self._keep(number, points, opened, now)

    def _keep(
        self,
        device_id: int,
        records: Sequence[PointRecord],
        opened: dict[int, Faults],
        now: float,
    ) -> None:
        before = self._devices.pop(device_id, None)
        known = {p.point_id: self._watches.pop(p.point_id) for p in before.points} if before else {}
        if not records:
            self._not_approved.add(device_id)
            return
        self._not_approved.discard(device_id)
        place = records[0]
        device = DeviceWatch(
            device_id=device_id,
            name=place.device_name,
            area_id=place.area_id,
            area_path=place.area_path,
            heard_at=None if before is None else before.heard_at,
        )
        for record in records:
            watch = known.get(record.point_id)
            if watch is None:
                watch = watch_of(record, opened.get(record.point_id, frozenset()), now)
            else:
                watch.set_limits(limits_of(record))
                watch.unit = record.unit
            device.points.append(watch)
            self._watches[record.point_id] = watch
        self._devices[device_id] = device

    async def _refresh(self) -> None:
        """Learn what is known to be wrong: another process may have judged meanwhile."""
        async with self._database.transaction() as tx:
            opened = opened_faults(await point_health.load_faults(tx, SCOPE))
        for number, watch in self._watches.items():
            if watch.opened or number in opened:
                watch.opened = opened.get(number, frozenset())

    async def _sweep(self) -> list[_News]:
        news: list[_News] = []
        for number, device in enumerate(list(self._devices.values()), 1):
            found = device.sweep()
            if device.device_id in self._untold:
                found = device.news()
            news += [_News(device=device, point=point, faults=point.judge()) for point in found]
            if not number % DEVICES_AT_ONCE:
                await asyncio.sleep(0)
        return news

    async def _tell(self, news: Sequence[_News], now: float) -> None:
        """Store what changed and say it."""
        at = self._clock()
        begun = [fault_row(n.point, f, at, now) for n in news for f in n.faults - n.point.opened]
        over = [(n.point.point_id, str(f)) for n in news for f in n.point.opened - n.faults]
        places = {n.point.point_id: (n.device, n.point) for n in news}
        async with self._database.transaction() as tx:
            new = await point_health.open_faults(tx, SCOPE, begun)
            gone = await point_health.close_faults(tx, SCOPE, over)
            said = [
                begun_event(places[row.point_id], row, at)
                for row in begun
                if (row.point_id, row.kind) in new
            ]
            said += [ended_event(places[row.point_id], row, at) for row in gone.values()]
            await _say(tx, said)
        ailing = {n.device.device_id for n in news if any(p.opened for p in n.device.points)}
        for one in news:
            one.point.opened = one.faults
        by_id = {n.device.device_id: n.device for n in news}
        await self._report(
            [
                device_report(device, at, was_ill=number in ailing)
                for number, device in by_id.items()
            ]
        )

    async def _compare(self) -> None:
        """Report again what a crash between storing and reporting may have left untold."""
        at = self._clock()
        async with self._database.transaction() as tx:
            await point_health.drop_unwatched(tx, SCOPE)
            differing = await point_health.differing_devices(tx, SCOPE)
        await self._report([readings_report(number, at, text) for number, text in differing])
        self._is_compared = True


async def _say(tx: Transaction, said: Sequence[StoredEvent]) -> None:
    if not said:
        return
    await events.add_events(tx, SCOPE, said)
    # Who shows the points of these devices reads them again.
    touched = [event.device_id for event in said if event.device_id is not None]
    await notices.notify(tx, SCOPE, "devices", touched)
