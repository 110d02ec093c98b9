"""The status prober: asks every device again and again whether it works.

Devices are dealt out to shards by number; a shard is a job under a lock, so that it runs on one
worker of all. Within a shard each device has its moments (:mod:`hub.maintenance.schedule`).
Nothing is written per probe: results stay in memory, for whoever asks why; what changes goes to
the pipeline, latency and loss to the database by the hour, and one mark a shard says that
somebody watches: a gap in the marks is an absence of the hub.
"""

import asyncio
import logging
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from prometheus_client import CollectorRegistry

from hub.domain.access import system_scope
from hub.domain.devices import Registration
from hub.domain.errors import StoreUnavailable
from hub.domain.health import Depth, DeviceStatusReport, ProbeResult
from hub.domain.ports import Clock, ProbeCamera
from hub.maintenance.blaming import Blamer
from hub.maintenance.intervals import Intervals
from hub.maintenance.looking import Looker, LookOptions, Pause, Report
from hub.maintenance.presence import longest_gap_s
from hub.maintenance.probe_counts import ProbeCounts
from hub.maintenance.probe_figures import ProbeFigures
from hub.maintenance.roster import Roster, ShardMembers
from hub.maintenance.schedule import Due, due_in
from hub.maintenance.watched import Watched
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.registry import Registry
from hub.store.database import Database
from hub.store.notices import Notice
from hub.store.outages import Watch, mark_watched
from hub.store.probe_hours import add_hours

log = logging.getLogger(__name__)

SERIES = "maintenance.probe-shard-"
SCOPE = system_scope("hub.maintenance")
# How long a worker keeps a shard, and how often at the least it marks that it watches.
LEASE_S = 60.0
LONGEST_TURN_S = 5.0
# New devices are asked for more than an answer right after their first, so many a turn and shard.
FIRST_DEPTHS = 50
# Questions this close together are asked together, but never so many that others wait long.
SLOT_S = 0.05
AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbingOptions:
    """Into how many jobs the probes are divided, how often and how hard devices are asked."""

    shards: int = 8
    intervals: Intervals = field(default_factory=Intervals)
    look: LookOptions = field(default_factory=LookOptions)

    @property
    def turn_s(self) -> float:
        """How far ahead questions are planned, and how often it is marked that somebody watches."""
        return min(LONGEST_TURN_S, self.intervals.answer_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """How the prober reaches out: to devices, to the pipeline, to time and chance."""

    probe: ProbeCamera
    report: Report
    clock: Clock
    pause: Pause = asyncio.sleep
    rng: random.Random = field(default_factory=random.Random)


@dataclass(slots=True, kw_only=True)
class _Round:
    """How far a shard was asked (seconds since 1970), and what was counted of it."""

    covered: float | None = None
    counts: ProbeCounts = field(default_factory=ProbeCounts)
    first_depths: int = 0


class Prober:
    """Probes the shards this process is given, and remembers what it found."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        senses: Senses,
        options: ProbingOptions | None = None,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        self._database = database
        self._registry = registry
        self._options = options or ProbingOptions()
        self._clock, self._pause = senses.clock, senses.pause
        look = self._options.look
        self._figures = ProbeFigures(metrics or CollectorRegistry(), look.timeout_s)
        self._looker = Looker(
            probe=senses.probe,
            held_by=registry.get,
            report=senses.report,
            options=look,
            on_result=self._note,
            pause=senses.pause,
        )
        self._roster = Roster(
            database, shards=self._options.shards, defaults=self._options.intervals
        )
        self._blamer = Blamer(
            looker=self._looker,
            family=self._roster.family,
            known_by=registry.get,
            clock=senses.clock,
            rng=senses.rng,
        )
        self._rounds = [_Round() for _ in range(self._options.shards)]
        self._looks: set[asyncio.Task[ProbeResult]] = set()

    def register(self, jobs: Jobs) -> None:
        """Make every shard a series of jobs. Call before the queue runs."""
        for shard in range(self._options.shards):
            jobs.every(f"{SERIES}{shard}", LEASE_S, partial(self.watch_shard, shard))

    async def run(self, feed: LiveFeed) -> None:
        """Follow what is changed about devices and intervals, until cancelled."""
        with feed.subscribe() as notices:
            async for notice in notices:
                self.hear(notice)

    def hear(self, notice: Notice) -> None:
        """Take note of what was changed; it is read before the next turn."""
        self._roster.hear(notice)

    def results(self, device_id: int) -> list[ProbeResult]:
        """Every result kept of a device, newest first; none when it is not probed here."""
        watched = self._roster.find(device_id)
        return watched.history.newest_first() if watched else []

    async def watch_shard(self, shard: int, *, lease_s: float = LEASE_S) -> None:
        """Ask the devices of a shard for ``lease_s``, each at its moments.

        Raises:
            StoreUnavailable: the shard cannot be read; once it is, the database may go away.
        """
        end = self._clock() + timedelta(seconds=lease_s)
        try:
            while (now := self._clock()) < end:
                await self._prepare(shard, now)
                until = min(end, now + timedelta(seconds=self._options.turn_s))
                await self._ask_all(shard, self._clock().timestamp(), until.timestamp())
        except asyncio.CancelledError:
            await self._end_looks()
            raise

    async def settle(self) -> None:
        """Wait until every look that was begun is over."""
        while self._looks:
            await asyncio.wait(self._looks)

    async def close(self) -> None:
        """End every look and hand over what was counted since the last hour."""
        await self._end_looks()
        for mine in self._rounds:
            await self._hand_over(mine.counts)

    async def _prepare(self, shard: int, now: datetime) -> None:
        """Before a turn: say that somebody watches, and read what was changed."""
        members = self._roster.shard(shard)
        try:
            await self._mark(shard, members, now)
            for device_id in await self._roster.read(shard, now):
                await self._say_unknown(device_id)
            await self._hand_over(self._rounds[shard].counts, before=now)
        except StoreUnavailable as error:
            if members.read_at is None:
                raise
            log.warning("probing goes on with what is known: %s", error)

    async def _mark(self, shard: int, members: ShardMembers, now: datetime) -> None:
        watch = Watch(name="probes", shard=shard, shards=self._options.shards)
        gap_s = longest_gap_s(self._options.turn_s)
        async with self._database.transaction() as tx:
            was_away = await mark_watched(tx, SCOPE, watch, now, longest_gap_s=gap_s)
        if was_away:
            log.warning("nobody watched shard %s for a while: that time is unknown", shard)
            members.is_stale = True

    async def _say_unknown(self, device_id: int) -> None:
        """A device is probed no more: while it is in service, nothing is known of it."""
        known = self._registry.get(device_id)
        if known is None or known.device.registration is not Registration.APPROVED:
            return
        await self._looker.tell(
            DeviceStatusReport(
                device_id=device_id,
                probed_at=self._clock(),
                detail="not sampled: its link is switched off",
                is_unknown=True,
            )
        )

    async def _ask_all(self, shard: int, now: float, until: float) -> None:
        """Ask everything that falls due until then, each at its moment."""
        mine = self._rounds[shard]
        members = self._roster.shard(shard).members
        is_near = mine.covered is not None and now - self._options.turn_s <= mine.covered <= until
        since = mine.covered if is_near and mine.covered is not None else now
        mine.covered = until
        mine.first_depths = FIRST_DEPTHS
        asked = ((number, one.intervals) for number, one in members.items() if one.address)
        for count, due in enumerate(sorted(due_in(asked, since, until))):
            wait_s = due.at - self._clock().timestamp()
            if wait_s > SLOT_S or count % AT_ONCE == 0:
                await self._pause(max(0.0, wait_s))
            watched = members.get(due.device_id)
            if watched is not None and not watched.is_busy:
                self._figures.late.set(max(0.0, -wait_s))
                self._begin(watched, _depth(watched, due, mine))
        await self._pause(max(0.0, until - self._clock().timestamp()))

    def _begin(self, watched: Watched, depth: Depth) -> None:
        task = asyncio.create_task(self._looker.look(watched, depth, self._blamer))
        self._looks.add(task)
        task.add_done_callback(self._end_look)

    def _end_look(self, task: asyncio.Task[ProbeResult]) -> None:
        self._looks.discard(task)
        if not task.cancelled() and (defect := task.exception()) is not None:
            log.error("a look at a device failed", exc_info=defect)

    async def _end_looks(self) -> None:
        for task in self._looks:
            task.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)

    def _note(self, watched: Watched, result: ProbeResult) -> None:
        self._figures.count(result)
        if result.depth is watched.shallowest:
            number = watched.device_id
            self._rounds[number % self._options.shards].counts.add(number, result)

    async def _hand_over(self, counts: ProbeCounts, before: datetime | None = None) -> None:
        rows = counts.take(before)
        if not rows:
            return
        try:
            async with self._database.transaction() as tx:
                await add_hours(tx, SCOPE, rows)
        except StoreUnavailable:
            counts.put_back(rows)
            raise


def _depth(watched: Watched, due: Due, mine: _Round) -> Depth:
    """As deep as is due or owed; the first question after an answer asks for more."""
    if watched.is_link:
        return Depth.ANSWER
    if watched.owes_frames:
        return Depth.FRAMES
    if due.depth is not Depth.ANSWER:
        watched.wants_depth = False
        return due.depth
    if watched.wants_depth and watched.history.success is not None and mine.first_depths > 0:
        mine.first_depths -= 1
        watched.wants_depth = False
        return Depth.STREAM
    return Depth.ANSWER
