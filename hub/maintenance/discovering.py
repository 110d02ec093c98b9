"""Looks for devices in address ranges and by multicast, as due work of the hub.

Each host is asked once at each port, by a bounded number of workers. Nothing is registered: who
answered is kept for a person to choose from. A look that lost its process is not repeated, for
whoever was asked would be asked again: it is called broken off.
"""

import asyncio
import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from hub.domain.access import system_scope
from hub.domain.addresses import IPAddress, parse_address
from hub.domain.discovery import AskEndpoint, Find, HearMulticast, Survey
from hub.domain.errors import NotFound
from hub.domain.ports import Clock
from hub.runtime.ending import end_tasks
from hub.runtime.jobs import Job, Jobs
from hub.store import discoveries, discovery_finds
from hub.store.database import Database

log = logging.getLogger(__name__)

SCAN: Final = "discovery.scan"
SWEEP: Final = "discovery.sweep"
LOOKS_AT_ONCE: Final = 2
SWEEP_S: Final = 60.0
BEAT_S: Final = 1.0
MULTICAST_S: Final = 4.0
TLS_PORTS: Final = frozenset({443, 8443})
KEEP_CREDENTIALS: Final = timedelta(days=1)
KEEP: Final = timedelta(days=30)

_HUB = system_scope("hub.discovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveringSenses:
    """How strangers are asked."""

    ask_onvif: AskEndpoint
    ask_rtsp: AskEndpoint
    hear: HearMulticast
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveringOptions:
    """How much is asked at once: connections open at most, over all hosts."""

    concurrency: int = 400
    beat_s: float = BEAT_S
    multicast_s: float = MULTICAST_S


@dataclass(slots=True, kw_only=True)
class _Progress:
    """What one look has done and not told yet."""

    asked: int = 0
    finds: list[Find] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)

    def keep(self, find: Find) -> None:
        """Take a find in, unless its address is in already."""
        if find.address not in self.addresses:
            self.addresses.add(find.address)
            self.finds.append(find)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discoverer:
    """Does the looks that people order."""

    database: Database
    senses: DiscoveringSenses
    options: DiscoveringOptions = field(default_factory=DiscoveringOptions)

    def register(self, jobs: Jobs) -> None:
        """Say that this process looks. Call before the queue runs."""
        jobs.handle(SCAN, self.run)
        jobs.every(SWEEP, SWEEP_S, self.sweep)

    async def run(self, job: Job) -> None:
        """Do one look; a second run of the same is a sign that the first one lost its process."""
        number = int(str(job.args["discovery"]))
        try:
            async with self.database.transaction() as tx:
                survey = await discoveries.begin_discovery(
                    tx, _HUB, number, now=self.senses.clock()
                )
        except NotFound:  # its area was removed, and it with it
            return
        if survey is None:
            await self._end(number, "broken_off", discoveries.BROKEN_OFF)
            return
        progress = _Progress()
        is_wanted = await self._look(number, survey, progress)
        if is_wanted:
            await self._tell(number, progress)
            await self._end(number, "done")
            log.info("looked for devices (%s): %s answered", number, len(progress.addresses))

    async def sweep(self) -> None:
        """Call broken off what says nothing any more; forget credentials and old looks."""
        now = self.senses.clock()
        async with self.database.transaction() as tx:
            await discoveries.end_silent(tx, _HUB, now=now)
            await discoveries.forget_old(
                tx, _HUB, credentials_before=now - KEEP_CREDENTIALS, before=now - KEEP
            )

    async def _look(self, number: int, survey: Survey, progress: _Progress) -> bool:
        """Ask everybody; False when somebody cancelled it meanwhile."""
        asking = asyncio.create_task(self._ask_all(survey, progress), name="discovery")
        try:
            while True:
                done, _ = await asyncio.wait({asking}, timeout=self.options.beat_s)
                if done:
                    await asking
                    return True
                if not await self._tell(number, progress):
                    return False
        finally:
            await end_tasks([asking])

    async def _tell(self, number: int, progress: _Progress) -> bool:
        finds, progress.finds = progress.finds, []
        async with self.database.transaction() as tx:
            if finds:
                await discovery_finds.add_finds(tx, _HUB, number, finds)
            return await discoveries.beat(
                tx, _HUB, number, asked=progress.asked, now=self.senses.clock()
            )

    async def _end(self, number: int, state: str, detail: str = "") -> None:
        async with self.database.transaction() as tx:
            await discoveries.end_discovery(
                tx, _HUB, number, state, now=self.senses.clock(), detail=detail
            )

    async def _ask_all(self, survey: Survey, progress: _Progress) -> None:
        heard: set[tuple[str, int]] = set()
        if survey.is_multicast:
            answers = await self.senses.hear(timeout_s=self.options.multicast_s)
            heard = {(one.host, one.port) for one in answers}
            await asyncio.gather(*(self._ask_heard(one, survey, progress) for one in answers))
        hosts = _hosts(survey)

        async def work() -> None:
            for host in hosts:
                await self._ask_host(host, survey, heard, progress)
                progress.asked += 1

        ports = max(len(survey.onvif_ports) + len(survey.rtsp_ports), 1)
        async with asyncio.TaskGroup() as group:
            for _ in range(max(self.options.concurrency // ports, 1)):
                group.create_task(work())

    async def _ask_heard(self, heard: Find, survey: Survey, progress: _Progress) -> None:
        """Ask who answered by multicast what he is; what he said of himself is the rest."""
        if heard.trouble:
            progress.keep(heard)
            return
        find = await self.senses.ask_onvif(heard.address, survey.credentials) or heard
        progress.keep(replace(find, name=find.name or heard.name, model=find.model or heard.model))

    async def _ask_host(
        self, host: IPAddress, survey: Survey, heard: set[tuple[str, int]], progress: _Progress
    ) -> None:
        """Ask one host; what speaks ONVIF needs no second way in over RTSP."""
        shown = f"[{host}]" if host.version == 6 else str(host)
        asked = [
            self.senses.ask_onvif(_web_address(shown, port), survey.credentials)
            for port in survey.onvif_ports
            if (str(host), port) not in heard
        ]
        asked += [self.senses.ask_rtsp(f"rtsp://{shown}:{port}/", ()) for port in survey.rtsp_ports]
        finds = [one for one in await asyncio.gather(*asked) if one is not None]
        speaks_onvif = any(one.protocol == "onvif" for one in finds) or any(
            known == str(host) for known, _ in heard
        )
        serials: set[str] = set()
        for one in finds:
            if one.protocol != "onvif" and speaks_onvif:
                continue
            if one.serial and one.serial in serials:  # the same device at another port
                continue
            serials.add(one.serial)
            progress.keep(one)


def _web_address(host: str, port: int) -> str:
    scheme = "https" if port in TLS_PORTS else "http"
    return parse_address(f"{scheme}://{host}:{port}").text


def _hosts(survey: Survey) -> Iterator[IPAddress]:
    """Every host once, though ranges overlap; lazily, for there may be 65,536."""
    ranges: Sequence[Iterator[IPAddress]] = [network.hosts() for network in survey.ranges]
    seen: set[IPAddress] = set()
    for host in itertools.chain.from_iterable(ranges):
        if host not in seen:
            seen.add(host)
            yield host
