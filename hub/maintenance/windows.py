"""Keeps devices in the maintenance windows that hold them, and says when one begins and ends.

Every pass compares the present with the tables: after a restart or a jump of the clock it is
right again, and nothing is said twice. Devices in a window go on being watched; their outages
are recorded, and whoever judges reads which window a device is in.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import system_scope
from hub.domain.devices import Json
from hub.domain.events import StoredEvent
from hub.domain.ports import Clock
from hub.runtime.jobs import Jobs
from hub.store import events, maintenance_windows
from hub.store.database import Database
from hub.store.maintenance_windows import Moved, Turn
from hub.store.notices import notify

log = logging.getLogger(__name__)

SERIES = "maintenance.windows"
EVERY_S = 10.0

_HUB = system_scope("hub.maintenance")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowKeeper:
    """Looks every few seconds which windows are in force."""

    database: Database
    clock: Clock

    def register(self, jobs: Jobs) -> None:
        """Have :meth:`run_once` called by one worker of all. Call before the queue runs."""
        jobs.every(SERIES, EVERY_S, self.run_once)

    async def run_once(self) -> None:
        """Bring every device into its window, and say what began and ended."""
        now = self.clock()
        async with self.database.transaction() as tx:
            moved = await maintenance_windows.apply_windows(tx, _HUB, now)
            turns = await maintenance_windows.take_turns(tx, _HUB, now)
            news = [_tell(turn, moved, now) for turn in turns]
            if news:
                await events.add_events(tx, _HUB, news)
                await notify(
                    tx, _HUB, maintenance_windows.TOPIC, [turn.window.id for turn in turns]
                )
            await notify(tx, _HUB, "statuses", [one.device_id for one in moved])
        for turn in turns:
            word = "begins" if turn.has_begun else "ends"
            log.info("maintenance window %s %s: %s", turn.window.id, word, turn.window.reason)


def _tell(turn: Turn, moved: Sequence[Moved], now: datetime) -> StoredEvent:
    """One event a window, however many devices are in it."""
    window = turn.window
    sides = Counter(one.to_window if turn.has_begun else one.from_window for one in moved)
    data: dict[str, Json] = {
        "window": window.id,
        "starts_at": window.starts_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "reason": window.reason,
        "author": window.author,
        "devices": sides[window.id],
    }
    return StoredEvent(
        id=0,
        kind="device.maintenance_started" if turn.has_begun else "device.maintenance_ended",
        area_id=window.area_id,
        area_path=window.area_path,
        at=now,
        received_at=now,
        device_id=window.device_id,
        device_name=window.device_name,
        is_active=turn.has_begun,
        data=data,
    )
