"""Begins rounds in their window: the stops are laid out once, and their groups are looked at.

Who begins a round does so in one transaction; a second one finds nothing to do. What is looked at
then, and how a round ends, is for :mod:`groups` and :mod:`ending`.
"""

import logging
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.patrols import PatrolMode, PatrolRound, RoundState
from hub.patrols.evidence_stops import BEGUN
from hub.patrols.planning.laying import Laid, lay_out
from hub.patrols.roll_calls.asking import ask_rooms
from hub.patrols.walking.ending import NEXT_BEGAN, cancel_round, end_if_done, end_round
from hub.patrols.walking.groups import (
    GROUP_SIZE,
    GROUPS_AT_ONCE,
    STOPS_AT_ONCE,
    GroupLooker,
    defer_groups,
)
from hub.patrols.walking.prefetch import look_ahead
from hub.patrols.walking.visit import Eyes
from hub.runtime.jobs import Job, Jobs
from hub.store import patrols, round_attention, round_ends, rounds
from hub.store.database import Database, Transaction
from hub.store.patrol_evidence import Line, append
from hub.store.stops import NewStop, add_stops

log = logging.getLogger(__name__)

JOB: Final = "patrols.round"
RETRY_WAITS_S: Final = (1, 2, 5, 5, 15, 30, 60, 60, 60, 60)
NOT_BEGUN: Final = "it did not begin in its window: no worker was running"
STILL_WALKING: Final = "the round before it was still walking"
# A round without an end of its own in which nothing happened so long makes way for the next.
MAKES_WAY_AFTER: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkOptions:
    """How much is done at once.

    A group of ``group_size`` stops is one job; ``stops_at_once`` of it are looked at at a time.
    ``groups_at_once`` of all rounds and processes are, beside those that a person waits for: all
    processes need the same number.
    """

    group_size: int = GROUP_SIZE
    stops_at_once: int = STOPS_AT_ONCE
    groups_at_once: int = GROUPS_AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundWalker:
    """Does the jobs that begin rounds, and those that look at their groups."""

    database: Database
    jobs: Jobs
    eyes: Eyes
    options: WalkOptions = field(default_factory=WalkOptions)
    rng: random.Random = field(default_factory=random.SystemRandom)

    def register(self) -> None:
        """Tell the queue who walks rounds. Call before it runs."""
        self.jobs.handle(JOB, self.begin, retry_waits_s=RETRY_WAITS_S)
        self.looker().register()

    def looker(self) -> GroupLooker:
        """Who looks at the groups."""
        return GroupLooker(
            database=self.database,
            jobs=self.jobs,
            eyes=self.eyes,
            rng=self.rng,
            stops_at_once=self.options.stops_at_once,
        )

    async def begin(self, job: Job) -> None:
        """Begin a round, or miss it; repeat it as often as you like."""
        round_id = int(str(job.args["round"]))
        now = self.eyes.clock()
        await self._make_way(round_id, now)
        async with self.database.transaction() as tx:
            walk = await rounds.lock_round(tx, _HUB, round_id)
            if walk is None or walk.state is not RoundState.DUE:
                log.debug("patrol round %s has nothing to begin", round_id)
                return
            if walk.plan_id is None:  # the plan is gone: nobody wants this round any more
                await cancel_round(tx, _HUB, round_id, now=now)
                return
            is_busy = await rounds.is_plan_walking(tx, _HUB, walk.plan_id)
            if now > walk.planned_at + timedelta(seconds=walk.window_s):
                reason = STILL_WALKING if is_busy else NOT_BEGUN
                await round_ends.miss_round(tx, _HUB, walk, now=now, reason=reason, earlier=0)
                return
            if is_busy:  # the planner asks again
                log.info("patrol round %s waits: %s", round_id, STILL_WALKING)
                return
            laid = await self._lay_out(tx, walk, walk.plan_id, now)
        log.info("patrol round %s (%s) begins with %s stops", round_id, walk.plan_name, laid)

    async def _make_way(self, round_id: int, now: datetime) -> None:
        """End the rounds of the same plan that wait for people in vain and have no end."""
        since = now - MAKES_WAY_AFTER
        async with self.database.transaction() as tx:
            walk = await rounds.find_round(tx, _HUB, round_id)
            if walk is None or walk.state is not RoundState.DUE or walk.plan_id is None:
                return
            waiting = await round_attention.waiting_rounds(
                tx, _HUB, walk.plan_id, quiet_since=since
            )
        for number in waiting:
            async with self.database.transaction() as tx:
                await end_round(tx, self.jobs, number, now=now, reason=NEXT_BEGAN)

    async def _lay_out(
        self, tx: Transaction, walk: PatrolRound, plan_id: int, now: datetime
    ) -> int:
        plan = replace(
            await patrols.get_plan(tx, _HUB, plan_id),
            mode=walk.mode,
            order=walk.order,
            details=walk.details,
            seconds_per_stop=walk.seconds_per_stop,
        )
        scope = Scope(paths=(walk.area_path,), actor=_HUB.actor)
        laid = await lay_out(tx, scope, walk, plan, rng=self.rng)
        size = self.options.group_size
        count = await add_stops(tx, _HUB, walk.id, new_stops(laid, now), group_size=size)
        takes_s = laid[-1].wait_s if laid else 0.0
        await rounds.begin_round(tx, _HUB, walk, now, forecast_s=takes_s)
        begun = Line(
            what=BEGUN,
            at=now,
            body={
                "plan": walk.plan_name,
                "planned_at": walk.planned_at.isoformat(),
                "mode": walk.mode.value,
                "stops": count,
            },
        )
        await append(tx, _HUB, walk.id, [begun])
        await ask_rooms(tx, _HUB, self.jobs, walk, now)
        if walk.mode is PatrolMode.WALK:
            walk = await rounds.get_round(tx, _HUB, walk.id)
            await look_ahead(tx, self.jobs, walk, 1)
        else:
            at_once = self.options.groups_at_once
            groups = range(math.ceil(count / size))
            await defer_groups(tx, self.jobs, walk.id, groups, at_once=at_once)
        await end_if_done(tx, _HUB, self.jobs, walk.id, now)  # there may be no stop at all
        return count


async def defer_round(
    tx: Transaction, jobs: Jobs, round_id: int, *, at: datetime | None = None
) -> None:
    """Have a round begun; a job too many finds nothing to do."""
    await jobs.defer(tx, JOB, {"round": round_id}, at=at, lock=f"{JOB}:{round_id:d}")


def new_stops(laid: Sequence[Laid], now: datetime) -> list[NewStop]:
    """When a round that begins ``now`` comes to each of its stops."""
    return [
        NewStop(
            device_id=one.device_id,
            device_name=one.device_name,
            area_id=one.area_id,
            area_name=one.area_name,
            due_at=now + timedelta(seconds=one.wait_s),
            is_drawn=one.is_drawn,
        )
        for one in laid
    ]


_HUB: Final[Scope] = system_scope("hub.patrols")
