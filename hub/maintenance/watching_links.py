"""Gives up the devices behind a link that is down: how they are cannot be told any more.

A camera's link is the camera; a probe looks at it. A broker's link stands for all its sensors:
when it is lost for longer than a moment they are neither online nor offline but unknown, from
the loss on. Their adapter tells how each is as soon as it hears of it on a new link.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import system_scope
from hub.domain.errors import GengfuError
from hub.domain.health import DeviceStatusReport
from hub.domain.ports import Clock
from hub.runtime.supervisor import CONNECTED
from hub.store.database import Database
from hub.store.link_devices import devices_behind

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.maintenance")
Report = Callable[[Sequence[DeviceStatusReport]], Awaitable[None]]
DEVICES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """For how long a link may be down unnoticed, and for which protocols it matters."""

    after_s: float = 60.0
    step_s: float = 5.0
    protocols: tuple[str, ...] = ("mqtt",)


class LinkWatch:
    """The links of this process; ``states`` is the supervisor's."""

    def __init__(
        self,
        *,
        database: Database,
        states: Callable[[], Mapping[int, str]],
        report: Report,
        clock: Clock,
        steady: Callable[[], float] = time.monotonic,
        options: LinkOptions | None = None,
    ) -> None:
        self._database = database
        self._states = states
        self._report = report
        self._clock = clock
        self._steady = steady
        self._options = options or LinkOptions()
        self._down_since: dict[int, float] = {}
        self._given_up: set[int] = set()

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database."""
        while True:
            await asyncio.sleep(self._options.step_s)
            try:
                await self.step()
            except GengfuError as error:
                log.warning("devices behind a lost link are not given up yet: %s", error)

    async def step(self) -> None:
        """Look which links are down for too long."""
        now = self._steady()
        down = self._down()
        self._down_since = {link: self._down_since.get(link, now) for link in down}
        self._given_up &= down
        due = [
            link
            for link, since in self._down_since.items()
            if now - since >= self._options.after_s and link not in self._given_up
        ]
        if not due:
            return
        async with self._database.transaction() as tx:
            behind = await devices_behind(tx, SCOPE, due, self._options.protocols)
        for link, devices in behind.items():
            lost_at = self._clock() - timedelta(seconds=now - self._down_since[link])
            await self._give_up(link, devices, lost_at)
        self._given_up.update(self._down() & set(due))

    def _down(self) -> set[int]:
        return {link for link, state in self._states().items() if state != CONNECTED}

    async def _give_up(self, link: int, devices: Sequence[int], lost_at: datetime) -> None:
        reason = self._states().get(link, "")
        log.warning(
            "%s devices behind link %s can no longer be told: it is down", len(devices), link
        )
        for start in range(0, len(devices), DEVICES_AT_ONCE):
            if link not in self._down():
                return  # it came back: what its adapter says now counts
            await self._report(
                [
                    DeviceStatusReport(
                        device_id=device_id,
                        probed_at=lost_at,
                        detail=f"the link to the broker is down: {reason}",
                        is_unknown=True,
                    )
                    for device_id in devices[start : start + DEVICES_AT_ONCE]
                ]
            )
