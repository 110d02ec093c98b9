"""The slow look at every camera: clock, recordings, certificate, firmware, each few hours.

Cameras are dealt out to shards by number; a shard is a job under a lock. When a camera was looked
at is in the database, so that it does not matter who looks. A camera that was tried, with or
without success, is left alone for its interval: a refused password is not tried again soon.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, tzinfo
from functools import partial

from hub.domain.access import system_scope
from hub.domain.errors import DeviceError, StoreUnavailable
from hub.domain.health import DeviceStatusReport, Inspection, Status
from hub.domain.ports import Clock, InspectCamera
from hub.maintenance.inspection_verdicts import (
    EXPIRING,
    Limits,
    events_of,
    is_expiring,
    is_first_day,
    judge,
    suspects_own_clock,
)
from hub.maintenance.intervals import Intervals, IntervalTable
from hub.maintenance.spreading import Chance, Pause, Spread, Spreader
from hub.maintenance.watched import subnet_of
from hub.runtime.jobs import Jobs
from hub.store.camera_days import Finding, Learnt, certificates_announced, keep_findings
from hub.store.database import Database, Transaction
from hub.store.events import add_events
from hub.store.inspection_due import DueCamera, Wanted, due_for_inspection
from hub.store.notices import notify
from hub.store.probe_intervals import all_intervals

log = logging.getLogger(__name__)

SERIES = "maintenance.inspect-shard-"
SCOPE = system_scope("hub.maintenance")
BATCH = 50

Report = Callable[[Sequence[DeviceStatusReport]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectingOptions:
    """How often and how hard cameras are looked at.

    A run of a shard begins looks for ``spread_s`` and is over ``every_s`` after its start; what
    is still due then waits for the next. ``concurrency`` and ``per_subnet`` bound what is under
    way in one process. ``zone`` says when a day begins.
    """

    shards: int = 8
    every_s: float = 300.0
    spread_s: float = 240.0
    most_per_run: int = 500
    timeout_s: float = 20.0
    concurrency: int = 16
    per_subnet: int = 2
    intervals: Intervals = field(default_factory=Intervals)
    limits: Limits = field(default_factory=Limits)
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectingSenses:
    """How the inspector reaches out: to cameras, to the pipeline, to time and chance."""

    inspect: InspectCamera
    report: Report
    clock: Clock
    rng: random.Random = field(default_factory=random.Random)
    pause: Pause = asyncio.sleep


@dataclass(slots=True, kw_only=True)
class _Run:
    """What one run over a shard found that is not stored yet."""

    findings: list[Finding] = field(default_factory=list)
    reports: list[DeviceStatusReport] = field(default_factory=list)
    offsets_s: list[float] = field(default_factory=list)


class Inspector:
    """Looks at the cameras of the shards this process is given."""

    def __init__(
        self,
        database: Database,
        senses: InspectingSenses,
        options: InspectingOptions | None = None,
    ) -> None:
        self._database = database
        self._senses = senses
        self._options = options or InspectingOptions()
        spread = Spread(
            spread_s=self._options.spread_s,
            lasts_s=self._options.every_s,
            concurrency=self._options.concurrency,
            per_subnet=self._options.per_subnet,
        )
        self._spreader = Spreader(spread, Chance(rng=senses.rng, pause=senses.pause))

    def register(self, jobs: Jobs) -> None:
        """Make every shard a series of jobs. Call before the queue runs."""
        for shard in range(self._options.shards):
            work = partial(self.inspect_shard, shard)
            jobs.every(f"{SERIES}{shard}", self._options.every_s, work)

    async def inspect_shard(self, shard: int) -> None:
        """Look at the cameras of a shard that are due, and keep what is found.

        Raises:
            StoreUnavailable: they cannot be read, or what was found cannot be stored.
        """
        due = await self._find_due(shard)
        if not due:
            return
        run = _Run()

        async def keep_some() -> None:
            if len(run.findings) >= BATCH:
                await self._try_to_keep(run)

        defects = await self._spreader.visit(
            due,
            lambda camera: self._look(camera, run),
            subnet=lambda camera: subnet_of(camera.target.service_address),
            between=keep_some,
        )
        for camera, defect in defects:
            log.error("a slow look at a camera failed", exc_info=defect)
            self._note(camera, self._senses.clock(), None, run)
        if suspects_own_clock(run.offsets_s, self._options.limits):
            log.warning("nearly all cameras' clocks differ from ours alike: is ours wrong?")
        await self._keep(run)

    async def _find_due(self, shard: int) -> list[DueCamera]:
        options = self._options
        async with self._database.transaction() as tx:
            rows = await all_intervals(tx, SCOPE)
            table = IntervalTable(rows, options.intervals)
            set_s = [row.inspect_s for row in rows if row.inspect_s is not None]
            wanted = Wanted(
                shard=(shard, options.shards),
                shortest_s=min([options.intervals.inspect_s, *set_s]),
                interval_of=lambda number, path, kind: table.of(number, path, kind).inspect_s,
                limit=options.most_per_run,
            )
            return await due_for_inspection(tx, SCOPE, self._senses.clock(), wanted)

    async def _look(self, camera: DueCamera, run: _Run) -> None:
        tried_at = self._senses.clock()
        found: Inspection | None = None
        try:
            found = await self._senses.inspect(camera.target, timeout_s=self._options.timeout_s)
        except DeviceError as error:
            log.debug("camera %s tells nothing: %s", camera.target.device_id, error)
        self._note(camera, tried_at, found, run)

    def _note(
        self, camera: DueCamera, tried_at: datetime, found: Inspection | None, run: _Run
    ) -> None:
        options, number = self._options, camera.target.device_id
        if found is not None and is_first_day(found, camera.created_at):
            found = replace(found, recording=None, recording_day=None)
        today = datetime.combine(tried_at.astimezone(options.zone).date(), time(), options.zone)
        run.findings.append(
            Finding(
                device_id=number,
                tried_at=tried_at,
                day=today.astimezone(UTC),
                inspection=found,
            )
        )
        if found is not None and found.clock_offset_s is not None:
            run.offsets_s.append(found.clock_offset_s)
        # Whether an unknown camera is there, the probes say first.
        if found is not None and camera.status is not Status.UNKNOWN:
            run.reports += judge(number, found, options.limits, options.zone)

    async def _try_to_keep(self, run: _Run) -> None:
        try:
            await self._keep(run)
        except StoreUnavailable as error:
            log.warning("what cameras tell cannot be stored yet: %s", error)

    async def _keep(self, run: _Run) -> None:
        """Hand over the verdicts and store the findings; what fails stays for the next try."""
        reports = list(run.reports)
        if reports:
            await self._senses.report(reports)
            del run.reports[: len(reports)]
        findings = list(run.findings)
        if not findings:
            return
        async with self._database.transaction() as tx:
            learnt = await keep_findings(tx, SCOPE, findings)
            await self._announce(tx, learnt)
        del run.findings[: len(findings)]

    async def _announce(self, tx: Transaction, learnt: Sequence[Learnt]) -> None:
        """Say what is news about firmware and certificates."""
        now, limits = self._senses.clock(), self._options.limits
        ending = [
            (one.device_id, one.certificate)
            for one in learnt
            if one.certificate is not None and is_expiring(one.certificate, now, limits)
        ]
        announced: set[tuple[int, str]] = set()
        if ending:
            announced = await certificates_announced(
                tx,
                SCOPE,
                [device for device, _ in ending],
                kind=EXPIRING,
                since=min(ends for _, ends in ending) - limits.certificate,
            )
        events = events_of(learnt, announced, now, limits)
        if not events:
            return
        stored = await add_events(tx, SCOPE, events)
        changed = {event.device_id for event in stored if event.device_id is not None}
        await notify(tx, SCOPE, "devices", sorted(changed))
