"""Every camera's picture is judged at least once an hour, by jobs; verdicts become facts.

Cameras are dealt out to shards by number; a shard is a job under a lock. When a camera is due is
in the database, so that it does not matter who looks. State, scores and events are committed
together, and only for cameras nobody else checked meanwhile: killed anywhere, a look takes place
again and counts once.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.domain.health import DeviceStatusReport
from hub.domain.ports import Clock, FetchFrames, JudgePicture
from hub.maintenance.intervals import Intervals, IntervalTable
from hub.maintenance.pictures.evidence import EvidenceFolder
from hub.maintenance.pictures.figures import PictureFigures
from hub.maintenance.pictures.keeping import keep_outcomes
from hub.maintenance.pictures.learning import DEFAULT, Learning
from hub.maintenance.pictures.profiles import ProfileTable
from hub.maintenance.pictures.sight import AsksToMove, Sight, SightOptions, SightSenses
from hub.maintenance.pictures.transitions import Confirming
from hub.maintenance.pictures.visits import Outcome, Rules, Visitor
from hub.maintenance.spreading import Chance, Pause, Spread, Spreader
from hub.maintenance.watched import subnet_of
from hub.runtime.jobs import Jobs
from hub.store.cursors import get_cursor, set_cursor
from hub.store.database import Database
from hub.store.picture_assignments import all_assignments
from hub.store.picture_claims import bring_forward, known_cameras
from hub.store.picture_due import (
    OPINION_CURSOR,
    DuePicture,
    due_for_picture,
    ensure_states,
    look_again,
    note_opinions,
)
from hub.store.picture_profiles import all_profiles
from hub.store.picture_states import drop_retired_pictures
from hub.store.probe_intervals import all_intervals

log = logging.getLogger(__name__)

SERIES: Final = "maintenance.picture-shard-"
OPINIONS: Final = "maintenance.picture-opinions"
NEWCOMERS: Final = "maintenance.picture-newcomers"
TIDYING: Final = "maintenance.picture-tidying"
SCOPE: Final = system_scope("hub.maintenance")

Report = Callable[[Sequence[DeviceStatusReport]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions:
    """How often and how hard cameras are looked at.

    A run of a shard begins looks for ``spread_s`` and begins none ``every_s`` after its start;
    what is still due then waits for the next. All shards together load ``most_per_run`` cameras
    at once (up to 100 KiB each). ``concurrency`` and ``per_subnet`` bound the looks under way in
    one process; ``batch`` results are stored together. ``zone`` is the site's.
    """

    shards: int = 8
    every_s: float = 60.0
    spread_s: float = 40.0
    most_per_run: int = 2_000
    timeout_s: float = 10.0
    concurrency: int = 32
    per_subnet: int = 4
    batch: int = 100
    evidence_width: int = 640
    opinions_s: float = 10.0
    tidying_s: float = 6 * 3_600.0
    intervals: Intervals = field(default_factory=Intervals)
    confirming: Confirming = field(default_factory=Confirming)
    learning: Learning = DEFAULT
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSenses:
    """How the rounds reach out: to cameras, judges, the pipeline, to time and chance.

    Without ``obeying`` no camera is ever moved.
    """

    fetch: FetchFrames
    judge: JudgePicture
    report: Report
    clock: Clock
    obeying: AsksToMove | None = None
    rng: random.Random = field(default_factory=random.Random)
    pause: Pause = asyncio.sleep


@dataclass(slots=True, kw_only=True)
class _Run:
    """What one run over a shard found that is not stored or reported yet."""

    profiles: ProfileTable
    intervals: IntervalTable
    outcomes: list[Outcome] = field(default_factory=list)
    reports: list[DeviceStatusReport] = field(default_factory=list)

    def rules_of(self, camera: DuePicture) -> Rules:
        """What applies to a camera."""
        place = (camera.target.device_id, camera.area_path, camera.device_class)
        return Rules(
            chosen=self.profiles.of(*place), interval_s=self.intervals.of(*place).picture_s
        )


class PictureRounds:
    """Judges the pictures of the shards this process is given."""

    def __init__(
        self,
        database: Database,
        senses: PictureSenses,
        options: PictureOptions | None = None,
        *,
        files: EvidenceFolder,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        self._database = database
        self._senses = senses
        self._options = options = options or PictureOptions()
        self._files = files
        self._figures = PictureFigures(metrics or CollectorRegistry())
        self._figures.watch(files)
        spread = Spread(
            spread_s=options.spread_s,
            lasts_s=options.every_s,
            concurrency=options.concurrency,
            per_subnet=options.per_subnet,
        )
        self._spreader = Spreader(spread, Chance(rng=senses.rng, pause=senses.pause))
        sight = Sight(
            SightSenses(fetch=senses.fetch, judge=senses.judge, obeying=senses.obeying),
            SightOptions(
                timeout_s=options.timeout_s,
                evidence_width=options.evidence_width,
                learning=options.learning,
                zone=options.zone,
            ),
            self._figures,
        )
        self._visitor = Visitor(
            sight=sight,
            clock=senses.clock,
            renew_after=files.limits.renewed_after,
            rng=senses.rng,
            confirming=options.confirming,
            learning=options.learning,
            figures=self._figures,
        )

    def register(self, jobs: Jobs) -> None:
        """Make every shard a series of jobs. Call before the queue runs."""
        options = self._options
        for shard in range(options.shards):
            work = partial(self.judge_shard, shard)
            jobs.every(f"{SERIES}{shard}", options.every_s, work)
        jobs.every(OPINIONS, options.opinions_s, self.hear_opinions)
        jobs.every(NEWCOMERS, options.every_s, self.welcome)
        jobs.every(TIDYING, options.tidying_s, self.tidy)

    async def judge_shard(self, shard: int) -> None:
        """Judge the pictures of the cameras of a shard that are due, and keep what is found.

        Raises:
            StoreUnavailable: they cannot be read, or what was found cannot be stored.
        """
        run, due = await self._find_due(shard)
        if not due:
            return

        async def keep_some() -> None:
            if len(run.outcomes) >= self._options.batch:
                await self._try_to_keep(run)

        async def visit(camera: DuePicture) -> None:
            run.outcomes.append(await self._visitor.visit(camera, run.rules_of(camera)))

        defects = await self._spreader.visit(due, visit, subnet=_subnet, between=keep_some)
        for camera, defect in defects:
            log.error("the check of a picture failed", exc_info=defect)
            run.outcomes.append(self._visitor.give_up(camera, run.rules_of(camera)))
        await self._keep(run)

    async def hear_opinions(self) -> None:
        """Take note of what cameras say of their own pictures: those are looked at soon."""
        async with self._database.transaction() as tx:
            heard = await get_cursor(tx, SCOPE, OPINION_CURSOR)
            while True:
                last = await note_opinions(tx, SCOPE, heard, now=self._senses.clock())
                if last == heard:
                    return
                await set_cursor(tx, SCOPE, OPINION_CURSOR, last)
                heard = last

    async def welcome(self) -> None:
        """Make cameras due that are new, spread over an interval, and those of a later clock."""
        now = self._senses.clock()
        async with self._database.transaction() as tx:
            await ensure_states(tx, SCOPE, now, spread_s=self._options.intervals.picture_s)
            stranded = await bring_forward(tx, SCOPE, now)
        if stranded:
            log.warning("%s cameras were due in a future of another clock: they are now", stranded)

    async def tidy(self) -> None:
        """Forget retired cameras, and remove pictures that are too old or too many."""
        async with self._database.transaction() as tx:
            await drop_retired_pictures(tx, SCOPE)
            known = await known_cameras(tx, SCOPE)
        gone = await self._files.tidy(self._senses.clock(), known)
        if gone:
            log.info("%s pictures kept as evidence were removed", gone)

    async def check_now(self, device_ids: Sequence[int]) -> int:
        """Have cameras looked at in the next run; returns how many of them there are."""
        async with self._database.transaction() as tx:
            return await look_again(tx, SCOPE, device_ids, self._senses.clock())

    async def _find_due(self, shard: int) -> tuple[_Run, list[DuePicture]]:
        options, now = self._options, self._senses.clock()
        async with self._database.transaction() as tx:
            due = await due_for_picture(
                tx,
                SCOPE,
                now,
                shard=(shard, options.shards),
                limit=max(1, options.most_per_run // options.shards),
            )
            self._figures.note_late(shard, now, _late_s(due, now))
            if not due:
                return _Run(profiles=ProfileTable(), intervals=IntervalTable()), []
            run = _Run(
                profiles=ProfileTable(
                    await all_assignments(tx, SCOPE), await all_profiles(tx, SCOPE)
                ),
                intervals=IntervalTable(await all_intervals(tx, SCOPE), options.intervals),
            )
        return run, due

    async def _try_to_keep(self, run: _Run) -> None:
        try:
            await self._keep(run)
        except StoreUnavailable as error:
            log.warning("what was found of pictures cannot be stored yet: %s", error)

    async def _keep(self, run: _Run) -> None:
        """Store what was found and report it; what fails stays for the next try."""
        while run.outcomes:
            batch = run.outcomes[: self._options.batch]
            async with self._database.transaction() as tx:
                reports = await keep_outcomes(tx, SCOPE, batch, self._files)
            del run.outcomes[: len(batch)]
            run.reports += reports
        if run.reports:
            reports = list(run.reports)
            await self._senses.report(reports)
            del run.reports[: len(reports)]


def _subnet(camera: DuePicture) -> str:
    """The subnet the picture comes from."""
    target = camera.target
    return subnet_of(
        target.snapshot_address
        or target.sub_stream_address
        or target.stream_address
        or target.service_address
    )


def _late_s(due: Sequence[DuePicture], now: datetime) -> float:
    waits = [now - one.state.next_at for one in due if one.state.next_at is not None]
    return max(waits, default=timedelta(0)).total_seconds()
