"""Looks at the stops of a round, a group at a time: one job each, some cameras at once.

Every stop is a transaction of its own, so that whoever goes on after a crash begins with what has
no verdict. Groups that nobody waits for share a few lanes over all processes, so that a night of
rounds leaves the queue free for messages; a group that a person waits for has a way of its own.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hub.domain.access import Scope, system_scope
from hub.domain.errors import GengfuError
from hub.domain.patrols import PatrolRound, PatrolStop, Verdict
from hub.domain.ports import CameraTarget
from hub.patrols.files import PictureFolder
from hub.patrols.walking.ending import end_if_done
from hub.patrols.walking.orders import LookOrder, order_of
from hub.patrols.walking.ruling import rule
from hub.patrols.walking.visit import Eyes, visit
from hub.runtime.files import NotKept
from hub.runtime.jobs import Job, Jobs
from hub.store import rounds, stop_looks
from hub.store.cameras import list_targets
from hub.store.database import Database, Transaction
from hub.store.patrol_places import load_places
from hub.store.round_watch import queued_groups
from hub.store.stop_looks import Ruling
from hub.store.stops import StopResult

log = logging.getLogger(__name__)

JOB: Final = "patrols.look"
GROUP_SIZE: Final = 30
STOPS_AT_ONCE: Final = 8
GROUPS_AT_ONCE: Final = 4
REMOVED: Final = "巡查中摄像机已被删除 Camera was removed during the round"
RETRY_WAITS_S: Final = (1, 2, 5, 5, 15, 30, 60, 60, 60, 60)


async def defer_group(tx: Transaction, jobs: Jobs, round_id: int, group: int) -> None:
    """Have a group looked at for somebody who waits; a job too many finds nothing to do."""
    if group not in await queued_groups(tx, _HUB, round_id, JOB):
        args = {"round": round_id, "group": group}
        await jobs.defer(tx, JOB, args, lock=f"{JOB}:{round_id:d}:{group:d}")


async def defer_groups(
    tx: Transaction,
    jobs: Jobs,
    round_id: int,
    groups: Iterable[int],
    *,
    at_once: int = GROUPS_AT_ONCE,
) -> None:
    """Have groups looked at that nobody waits for, ``at_once`` of all rounds at a time."""
    # Not by a mark that waits once: a job that fails could then not be run again beside another.
    queued = await queued_groups(tx, _HUB, round_id, JOB)
    for group in groups:
        if group not in queued:
            lane = f"{JOB}:lane:{(round_id + group) % at_once:d}"
            await jobs.defer(tx, JOB, {"round": round_id, "group": group}, lock=lane)


async def look_again(
    tx: Transaction, scope: Scope, jobs: Jobs, round_id: int, position: int
) -> None:
    """Have the machine look at an open stop of the scope again, at once; its verdict is taken off.

    Raises:
        NotFound: the round lies outside the scope.
        Conflict: the stop is judged, or its round is over.
    """
    group = await stop_looks.reopen_look(tx, scope, round_id, position)
    name = f"{JOB}:{round_id:d}:{group:d}:{position:d}"
    args = {"round": round_id, "group": group, "position": position}
    await jobs.defer(tx, JOB, args, lock=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLooker:
    """Does the jobs of :data:`JOB`."""

    database: Database
    jobs: Jobs
    eyes: Eyes
    rng: random.Random
    stops_at_once: int = STOPS_AT_ONCE

    def register(self) -> None:
        """Tell the queue who looks. Call before it runs."""
        self.jobs.handle(JOB, self.look, retry_waits_s=RETRY_WAITS_S)

    async def look(self, job: Job) -> None:
        """Look at what has no verdict in a group; repeat it as often as you like.

        Raises:
            GengfuError: the database went away; what was settled is settled.
        """
        round_id, group = int(str(job.args["round"])), int(str(job.args["group"]))
        only = job.args.get("position")
        async with self.database.transaction() as tx:
            walk = await rounds.find_round(tx, _HUB, round_id)
            if walk is None:
                return
            stops = await stop_looks.pending_stops(tx, _HUB, round_id, group)
            if only is not None:
                stops = [stop for stop in stops if stop.position == int(str(only))]
            orders = await self._orders(tx, walk, stops)
        # A camera that takes its workers down with it does so alone, and blames no other.
        new = [stop.position for stop in stops if not stop.attempts]
        tried = [stop.position for stop in stops if stop.attempts]
        await self._look_at(walk, new, orders, at_once=self.stops_at_once)
        await self._look_at(walk, tried, orders, at_once=1)
        async with self.database.transaction() as tx:
            await end_if_done(tx, _HUB, self.jobs, round_id, self.eyes.clock())
            is_over = not await stop_looks.is_looking(tx, _HUB, round_id)
        if is_over:
            await self.eyes.folder.drop_aside(round_id)

    async def _orders(
        self, tx: Transaction, walk: PatrolRound, stops: Sequence[PatrolStop]
    ) -> dict[int, LookOrder]:
        """What the round asks of the look at each of these stops, by position."""
        cameras = {stop.position: stop.device_id for stop in stops if stop.device_id is not None}
        places = await load_places(
            tx,
            _scope(walk),
            list(cameras.values()),
            now=self.eyes.clock(),
            zone=ZoneInfo(walk.time_zone),
        )
        return {
            position: order_of(walk.details, camera, places.get(camera))
            for position, camera in cameras.items()
        }

    async def _look_at(
        self,
        walk: PatrolRound,
        positions: Sequence[int],
        orders: Mapping[int, LookOrder],
        *,
        at_once: int,
    ) -> None:
        places = asyncio.Semaphore(at_once)

        async def look(position: int) -> None:
            async with places:
                await self._settle(walk, position, orders.get(position))

        done = await asyncio.gather(*map(look, positions), return_exceptions=True)
        failed = [one for one in done if isinstance(one, BaseException)]
        # Ours first: they have the job run again.
        for error in sorted(failed, key=lambda one: not isinstance(one, GengfuError)):
            raise error

    async def _settle(self, walk: PatrolRound, position: int, order: LookOrder | None) -> None:
        """Look at one stop, and store what came of it."""
        async with self.database.transaction() as tx:
            stop = await stop_looks.claim_stop(tx, _HUB, walk.id, position, self.eyes.clock())
            if stop is None:
                return
            target = await _target(tx, _scope(walk), stop)
        aside = self.eyes.folder.aside(secrets.token_hex(4))
        try:
            if stop.device_id is None:
                found = _removed(stop, self.eyes.clock())
            else:
                found = await visit(stop, target, replace(self.eyes, folder=aside), order)
            ruling = rule(walk, stop, found, rng=self.rng)
            try:
                await self._keep(found, ruling, aside)
            except NotKept as trouble:
                log.warning("stop %s of round %s: picture not kept: %s", position, walk.id, trouble)
                await self._keep(_without_picture(found, trouble), ruling, aside)
        finally:
            await aside.drop(walk.id, position)

    async def _keep(self, found: StopResult, ruling: Ruling, aside: PictureFolder) -> None:
        """Store a verdict with its picture; whoever comes second changes neither.

        Raises:
            NotKept: the disk does not take the picture; nothing is stored.
        """
        async with self.database.transaction() as tx:
            if not await stop_looks.settle_stop(tx, _HUB, found, ruling):
                return
            # Before the commit, with the round held: no other can be about to do the same.
            if found.has_picture:
                await aside.put_picture(found.round_id, found.position, self.eyes.folder)
            if found.clip_sha256:
                await aside.put_clip(found.round_id, found.position, self.eyes.folder)
            await end_if_done(tx, _HUB, self.jobs, found.round_id, self.eyes.clock())


async def _target(tx: Transaction, scope: Scope, stop: PatrolStop) -> CameraTarget | None:
    if stop.device_id is None:
        return None
    targets = await list_targets(tx, scope, device_ids=[stop.device_id])
    return targets[0] if targets else None


def _scope(walk: PatrolRound) -> Scope:
    """A round reaches the cameras of its own area and no other."""
    return Scope(paths=(walk.area_path,), actor="hub.patrols")


def _removed(stop: PatrolStop, now: datetime) -> StopResult:
    return StopResult(
        round_id=stop.round_id,
        position=stop.position,
        verdict=Verdict.NOT_SEEN,
        reason=REMOVED,
        at=now,
    )


def _without_picture(found: StopResult, trouble: NotKept) -> StopResult:
    reason = "; ".join(filter(None, (found.reason, f"picture not kept: {trouble}")))
    return replace(found, has_picture=False, picture_sha256="", clip_sha256="", reason=reason)


_HUB: Final[Scope] = system_scope("hub.patrols")
