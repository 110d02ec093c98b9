"""Gives up the devices behind a link that is down: how they are cannot be told any more.

A camera's link is the camera; a probe looks at it. A broker's link stands for all its sensors:
when it is lost for longer than a moment they are neither online nor offline but unknown, from
the loss on. Their adapter tells how each is as soon as it hears of it on a new link. The loss
itself is one event, and so is its end.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import system_scope
from hub.domain.devices import Json
from hub.domain.errors import GengfuError
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import DeviceStatusReport
from hub.domain.ports import Clock
from hub.runtime.supervisor import CONNECTED
from hub.store import events
from hub.store.database import Database, Transaction
from hub.store.link_devices import (
    LOST,
    RESTORED,
    LinkPlace,
    devices_behind,
    list_links,
    list_lost,
)

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.maintenance")
Report = Callable[[Sequence[DeviceStatusReport]], Awaitable[None]]
DEVICES_AT_ONCE = 2_000
# A link that was lost longer ago than this is not said to be back.
LOOKED_BACK = timedelta(days=30)


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
        self._welcomed: set[int] = set()

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database."""
        is_away = False
        while True:
            await asyncio.sleep(self._options.step_s)
            try:
                await self.step()
            except GengfuError as error:
                if not is_away:
                    log.warning("devices behind a lost link are not given up yet: %s", error)
                is_away = True
            else:
                is_away = False

    async def step(self) -> None:
        """Look which links are down for too long, and which came back."""
        now = self._steady()
        down = self._down()
        self._down_since = {link: self._down_since.get(link, now) for link in down}
        self._given_up &= down
        await self._welcome(set(self._states()) - down)
        due = [
            link
            for link, since in self._down_since.items()
            if now - since >= self._options.after_s and link not in self._given_up
        ]
        if not due:
            return
        at = self._clock()
        lost_at = {n: at - timedelta(seconds=now - self._down_since[n]) for n in due}
        async with self._database.transaction() as tx:
            behind = await devices_behind(tx, SCOPE, due, self._options.protocols)
            links = await list_links(tx, SCOPE, due, self._options.protocols)
            reasons = self._states()
            lost = [
                _loss(
                    link,
                    at,
                    lost_at[link.id],
                    reasons.get(link.id, ""),
                    len(behind.get(link.id, ())),
                )
                for link in links
            ]
            await _say(tx, lost)
        for number, devices in behind.items():
            await self._give_up(number, devices, lost_at[number])
        self._given_up.update(self._down() & set(due))

    async def _welcome(self, up: set[int]) -> None:
        """Say of links that are up again that they are, once; also after a restart of the hub."""
        new = up - self._welcomed
        self._welcomed &= up
        if not new:
            return
        at = self._clock()
        async with self._database.transaction() as tx:
            links = await list_lost(
                tx, SCOPE, sorted(new), self._options.protocols, since=at - LOOKED_BACK
            )
            await _say(tx, [_return(link, at) for link in links])
        self._welcomed |= new

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


def _loss(
    link: LinkPlace, at: datetime, lost_at: datetime, reason: str, devices: int
) -> StoredEvent:
    data: dict[str, Json] = {
        "since": lost_at.isoformat(),
        "devices": devices,
        "detail": f"{link.name}: {reason}; {devices} devices are unknown",
    }
    return _event(link, at, kind=LOST, is_active=True, data=data)


def _return(link: LinkPlace, at: datetime) -> StoredEvent:
    return _event(link, at, kind=RESTORED, is_active=False, data={})


def _event(
    link: LinkPlace, at: datetime, *, kind: str, is_active: bool, data: Mapping[str, Json]
) -> StoredEvent:
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=link.area_id,
        area_path=link.area_path,
        at=at,
        received_at=at,
        severity=Severity.WARNING if is_active else Severity.INFO,
        is_active=is_active,
        data={"connection": link.id, "link": link.name, **data},
    )


async def _say(tx: Transaction, said: Sequence[StoredEvent]) -> None:
    if said:
        await events.add_events(tx, SCOPE, said)
