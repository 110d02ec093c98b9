"""Walks rounds: begins each in its window, stop by stop, and ends it with a report.

A round is a chain of jobs of some stops each. Every stop is a transaction of its own, so that
whoever goes on after a crash begins at the first stop without a verdict. Two workers never walk
one round at a time (the jobs share a lock), and should they, the first verdict stands.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.domain.access import Scope, system_scope
from hub.domain.patrols import PatrolRound, PatrolStop, RoundState
from hub.domain.ports import CameraTarget
from hub.patrols.reporting.round_report import build_report
from hub.patrols.walking.visit import Eyes, visit
from hub.runtime.files import NotKept
from hub.runtime.jobs import Job, Jobs
from hub.store import patrols, rounds, stops
from hub.store.cameras import list_targets
from hub.store.database import Database, Transaction

log = logging.getLogger(__name__)

JOB = "patrols.round"
STOPS_PER_JOB = 30
RETRY_WAITS_S = (1, 2, 5, 5, 15, 30, 60, 60, 60, 60)
NOT_BEGUN = "it did not begin in its window: no worker was running"
STILL_WALKING = "the round before it was still walking"

Pause = Callable[[float], Awaitable[None]]


class Beginning(StrEnum):
    """What became of the attempt to begin a round."""

    WALK = "walk"  # it runs: go on at its first pending stop
    BUSY = "busy"  # the round before it still runs: the planner asks again
    OVER = "over"  # nothing to do: gone, ended, missed or cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundWalker:
    """Does the jobs of :data:`JOB`."""

    database: Database
    jobs: Jobs
    eyes: Eyes
    pause: Pause = asyncio.sleep
    stops_per_job: int = STOPS_PER_JOB

    def register(self) -> None:
        """Tell the queue who walks rounds. Call before it runs."""
        self.jobs.handle(JOB, self.walk, retry_waits_s=RETRY_WAITS_S)

    async def walk(self, job: Job) -> None:
        """Begin or go on with a round; repeat it as often as you like."""
        round_id = int(str(job.args["round"]))
        match await self._begin(round_id):
            case Beginning.WALK:
                await self._go_on(round_id)
            case Beginning.BUSY:
                log.info("patrol round %s waits: %s", round_id, STILL_WALKING)
            case Beginning.OVER:
                log.debug("patrol round %s has nothing left to do", round_id)

    async def _begin(self, round_id: int) -> Beginning:
        hub = system_scope("hub.patrols")
        now = self.eyes.clock()
        async with self.database.transaction() as tx:
            walk = await rounds.lock_round(tx, hub, round_id)
            if walk is None or walk.state not in {RoundState.DUE, RoundState.RUNNING}:
                return Beginning.OVER
            if walk.state is RoundState.RUNNING:
                return Beginning.WALK
            if walk.plan_id is None:  # the plan is gone: nobody wants this round any more
                await rounds.cancel_round(tx, hub, round_id, now=now)
                return Beginning.OVER
            is_busy = await rounds.is_plan_walking(tx, hub, walk.plan_id)
            if now > walk.planned_at + timedelta(seconds=walk.window_s):
                reason = STILL_WALKING if is_busy else NOT_BEGUN
                await rounds.miss_round(tx, hub, walk, now=now, reason=reason, earlier=0)
                return Beginning.OVER
            if is_busy:
                return Beginning.BUSY
            plan = await patrols.get_plan(tx, hub, walk.plan_id)
            count = await stops.lay_out(tx, _scope(walk), walk, plan)
            await rounds.begin_round(tx, hub, walk, now)
        log.info("patrol round %s (%s) begins with %s stops", round_id, walk.plan_name, count)
        return Beginning.WALK

    async def _go_on(self, round_id: int) -> None:
        hub = system_scope("hub.patrols")
        async with self.database.transaction() as tx:
            walk = await rounds.get_round(tx, hub, round_id)
        for _ in range(self.stops_per_job):
            async with self.database.transaction() as tx:
                stop = await stops.claim_stop(tx, hub, round_id, self.eyes.clock())
                target = await _target(tx, _scope(walk), stop)
            if stop is None:
                await self._end(round_id)
                return
            is_last = stop.position >= walk.stops_planned
            await asyncio.gather(
                self._visit(stop, target), self.pause(0 if is_last else walk.seconds_per_stop)
            )
        async with self.database.transaction() as tx:
            await defer_round(tx, self.jobs, round_id)

    async def _visit(self, stop: PatrolStop, target: CameraTarget | None) -> None:
        found = await visit(stop, target, self.eyes)
        async with self.database.transaction() as tx:
            await stops.settle_stop(tx, system_scope("hub.patrols"), found)

    async def _end(self, round_id: int) -> None:
        """Write the report, then end the round; a crash in between writes it again."""
        hub = system_scope("hub.patrols")
        now = self.eyes.clock()
        async with self.database.transaction() as tx:
            walk = await rounds.get_round(tx, hub, round_id)
            if walk.state is not RoundState.RUNNING:
                return
            seen = await stops.all_stops(tx, hub, round_id)
        trouble = ""
        try:
            html = await build_report(walk, seen, self.eyes.folder, now=now)
            await self.eyes.folder.keep_report(round_id, html)
        except NotKept as error:
            trouble = f"report not kept: {error}"
            log.warning("patrol round %s: %s", round_id, trouble)
        async with self.database.transaction() as tx:
            await rounds.finish_round(tx, hub, round_id, now=now, report_trouble=trouble)
        log.info(
            "patrol round %s ends: %s of %s seen", round_id, walk.stops_seen, walk.stops_planned
        )


async def defer_round(
    tx: Transaction, jobs: Jobs, round_id: int, *, at: datetime | None = None
) -> None:
    """Have a round begun or gone on with; a job too many finds nothing to do."""
    await jobs.defer(tx, JOB, {"round": round_id}, at=at, lock=f"{JOB}:{round_id:d}")


async def _target(tx: Transaction, scope: Scope, stop: PatrolStop | None) -> CameraTarget | None:
    if stop is None or stop.device_id is None:
        return None
    targets = await list_targets(tx, scope, device_ids=[stop.device_id])
    return targets[0] if targets else None


def _scope(walk: PatrolRound) -> Scope:
    """A round reaches the cameras of its own area and no other."""
    return Scope(paths=(walk.area_path,), actor="hub.patrols")
