"""Sees to it that every plan's next round waits, that none is missed unsaid, and that all end.

One pass every few seconds, repeatable at will: a round exists once per plan and due time, and
its job is deferred in the transaction that plans it.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import system_scope
from hub.domain.errors import Invalid
from hub.domain.patrols import RoundState
from hub.domain.ports import Clock
from hub.patrols.planning.plans import due_between, next_due
from hub.patrols.walking.ending import OUT_OF_TIME, end_round
from hub.patrols.walking.groups import GROUPS_AT_ONCE, defer_group, defer_groups
from hub.patrols.walking.rounds import NOT_BEGUN, STILL_WALKING, defer_round
from hub.patrols.walking.visit import VISIT_TIMEOUT_S
from hub.runtime.jobs import Jobs
from hub.store import patrols, round_attention, round_ends, round_watch, rounds
from hub.store.database import Database, Transaction

log = logging.getLogger(__name__)

SERIES = "patrols.plan"
EVERY_S = 10.0
# After an absence so many missed rounds of a plan get a row and an alert of their own; the first
# of them says how many came before it, as far back as is looked.
MISSED_SHOWN = 10
MISSED_LOOKED_BACK = timedelta(days=31)
# A round that waits for a person and in which nothing happens so long is said to be unattended.
UNATTENDED_AFTER = timedelta(minutes=10)
# A round with something to look at and without a sign of life so long has lost its jobs.
IDLE = timedelta(seconds=1.5 * VISIT_TIMEOUT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans rounds, records missed ones, and revives those that lost their job."""

    database: Database
    jobs: Jobs
    clock: Clock
    groups_at_once: int = GROUPS_AT_ONCE
    unattended_after: timedelta = UNATTENDED_AFTER

    def register(self) -> None:
        """Have :meth:`run_once` called every few seconds by one worker of all."""
        self.jobs.every(SERIES, EVERY_S, self.run_once)

    async def run_once(self) -> None:
        """One pass over all enabled plans."""
        now = self.clock()
        hub = system_scope("hub.patrols")
        earlier: dict[int, int] = {}
        async with self.database.transaction() as tx:
            for one in await patrols.enabled_plans(tx, hub):
                await self._plan(tx, one, now, earlier)
        async with self.database.transaction() as tx:
            overdue = await round_watch.overdue_rounds(tx, hub, now)
            outlasted = await round_watch.outlasted_rounds(tx, hub, now)
        for round_id in overdue:
            await self._miss(round_id, now, earlier.get(round_id, 0))
        for round_id in outlasted:
            async with self.database.transaction() as tx:
                await end_round(tx, self.jobs, round_id, now=now, reason=OUT_OF_TIME)
            log.warning("patrol round %s ends: %s", round_id, OUT_OF_TIME)
        await self._attend(now)
        async with self.database.transaction() as tx:
            await self._revive(tx, now)

    async def _attend(self, now: datetime) -> None:
        """Say which rounds wait for a person in vain, and take back what is so no longer."""
        hub, since = system_scope("hub.patrols"), now - self.unattended_after
        async with self.database.transaction() as tx:
            waiting = await round_attention.unattended_rounds(tx, hub, since)
            attended = await round_attention.attended_rounds(tx, hub, since)
        for round_id in (*waiting, *attended):
            async with self.database.transaction() as tx:
                walk = await rounds.lock_round(tx, hub, round_id)
                if walk is None or walk.is_over:
                    continue
                if round_id in attended:
                    await round_attention.say_attended(tx, hub, walk, now)
                elif await round_attention.say_unattended(tx, hub, walk, now):
                    log.warning("patrol round %s (%s): nobody looks", round_id, walk.plan_name)

    async def _revive(self, tx: Transaction, now: datetime) -> None:
        """Give rounds and groups that lost their job another one."""
        hub = system_scope("hub.patrols")
        for round_id in await round_watch.idle_due_rounds(tx, hub, now, IDLE):
            await defer_round(tx, self.jobs, round_id)
        for idle in await round_watch.idle_groups(tx, hub, now, IDLE):
            if idle.is_waited_for:
                await defer_group(tx, self.jobs, idle.round_id, idle.group)
            else:
                at_once = self.groups_at_once
                await defer_groups(tx, self.jobs, idle.round_id, [idle.group], at_once=at_once)

    async def _plan(
        self, tx: Transaction, one: patrols.Planned, now: datetime, earlier: dict[int, int]
    ) -> None:
        """Plan every round of a plan up to and including the next one."""
        if one.planned_through > now:
            return
        hub = system_scope("hub.patrols")
        since = max(one.planned_through, now - MISSED_LOOKED_BACK)
        try:
            past, coming = due_between(one.plan, since, now), next_due(one.plan, now)
        except Invalid as error:
            log.warning("patrol plan %s is switched off: %s", one.plan.id, error)
            await patrols.disable_plan(tx, hub, one.plan.id, str(error))
            return
        unsaid = max(0, len(past) - MISSED_SHOWN)
        for due in [*past[unsaid:], *([coming] if coming else [])]:
            round_id = await rounds.add_round(tx, hub, one.plan, due)
            if round_id is not None:
                if past and due == past[unsaid]:
                    earlier[round_id] = unsaid
                await defer_round(tx, self.jobs, round_id, at=due)
        await patrols.set_planned_through(tx, hub, one.plan.id, coming or now)

    async def _miss(self, round_id: int, now: datetime, earlier: int) -> None:
        hub = system_scope("hub.patrols")
        async with self.database.transaction() as tx:
            walk = await rounds.lock_round(tx, hub, round_id)
            if walk is None or walk.state is not RoundState.DUE:
                return
            is_busy = walk.plan_id is not None and await rounds.is_plan_walking(
                tx, hub, walk.plan_id
            )
            reason = STILL_WALKING if is_busy else NOT_BEGUN
            await round_ends.miss_round(tx, hub, walk, now=now, reason=reason, earlier=earlier)
        log.warning("patrol round %s (%s) was missed: %s", round_id, walk.plan_name, reason)
