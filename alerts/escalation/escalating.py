"""Alerts that nobody takes climb: policies carried out.

Where each alert stands is in the database. What is due is dealt with, in order, in a transaction
that holds the engine's cursor, the climb and its alert: two processes never tell the same, and
nobody is told of what somebody has just taken. After an absence it goes on where it stood.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Final

from alerts.escalation.climbing import Outcome, Standing, Told, carry_on, settle
from alerts.escalation.on_duty import Roster
from alerts.telling.desk import CURSOR, Calling, Telling, tell_receivers
from hub.domain.access import Scope, system_scope
from hub.domain.alerts import Step
from hub.domain.escalations import Climb, Policy
from hub.domain.matchers import AlertFacts, is_match
from hub.domain.ports import Clock
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.stepping import Stepper
from hub.store.climbs import (
    ClimbingAlert,
    EscalationStep,
    climbs_of,
    due_climbs,
    end_climbs,
    next_climb_at,
    note_escalations,
    put_climbs,
    start_climbs,
    unsettled_climbs,
)
from hub.store.cursors import get_cursor
from hub.store.database import Database, Transaction
from hub.store.duties import open_duty_book
from hub.store.holidays import all_holidays
from hub.store.notices import notify
from hub.store.policies import find_policies, policy_starts

log = logging.getLogger(__name__)

SCOPE: Final[Scope] = system_scope("hub.escalation")
# The engine waits for the transaction under way, and so does who acknowledges one of its alerts.
BATCH: Final = 200
Key = tuple[int, int]  # alert and policy
TOPICS: Final = frozenset({"alerts", "policies", "duties", "resync"})


async def begin(
    tx: Transaction, scope: Scope, facts: Sequence[AlertFacts], at: Mapping[int, datetime]
) -> None:
    """Start the climbs of alerts that fired, or were reopened, at ``at[alert_id]``.

    Two statements however many alerts. What is folded into another alert does not climb; an
    exercise does.
    """
    standing = [one for one in facts if not one.is_folded]
    if not standing:
        return
    climbs = [
        Climb(
            alert_id=one.alert_id,
            policy_id=policy.id,
            step=0,
            repeat=0,
            due_at=at[one.alert_id] + timedelta(seconds=policy.wait_s),
            since=at[one.alert_id],
        )
        for policy in await policy_starts(tx, scope)
        for one in standing
        if is_match(policy.matcher, policy.area_path, one)
    ]
    if climbs:
        await start_climbs(tx, scope, climbs)


async def put_off(tx: Transaction, scope: Scope, alert_ids: Sequence[int], now: datetime) -> None:
    """Let the waits of alerts that were quiet begin anew at the end of the quiet.

    Call it before the quiet is taken from the alerts; until then the :class:`Escalator` does it.
    """
    found = await climbs_of(tx, scope, alert_ids)
    if found:
        await _settle(tx, scope, found, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One step told of one alert."""

    alert_id: int
    told: Told


class _Desk:
    """Decides about a number of climbs; ``stand`` is where each stands then, None: it is over."""

    def __init__(self, policies: Mapping[int, Policy], roster: Roster) -> None:
        self._policies = policies
        self._roster = roster
        self.stand: dict[Key, Climb | None] = {}

    def decide(self, found: Sequence[ClimbingAlert], until: datetime, now: datetime) -> list[_Call]:
        """Take what is due until a moment, the earliest first, as far as one batch goes."""
        calls: list[_Call] = []
        due = [(one.climb.due_at, _key(one.climb), one.climb) for one in found]
        alerts = {_key(one.climb): one for one in found}
        heapify(due)
        while due and due[0][0] <= until and len(calls) < BATCH:
            _, key, climb = heappop(due)
            outcome = self._decide(alerts[key], climb, now)
            self.stand[key] = outcome.climb
            if outcome.told is not None:
                calls.append(_Call(alert_id=climb.alert_id, told=outcome.told))
            if outcome.climb is not None and outcome.climb.due_at <= now:
                heappush(due, (outcome.climb.due_at, key, outcome.climb))
        return calls

    def _decide(self, one: ClimbingAlert, climb: Climb, now: datetime) -> Outcome:
        policy = self._policies.get(climb.policy_id)
        if policy is None:
            return Outcome()
        return carry_on(policy, climb, _standing(one), self._roster, now)


class Escalator:
    """One coroutine, :meth:`run`; as many processes as wanted may run it."""

    def __init__(
        self, database: Database, jobs: Jobs, clock: Clock, *, live: LiveFeed | None = None
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock
        self._live = live
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database."""
        stepper = Stepper(
            step=self.step,
            clock=self._clock,
            log=log,
            lost="nobody can be told of what nobody took",
            found="alerts climb again",
            wake=self._wake,
        )
        await stepper.run_woken(self._live, TOPICS)

    async def step(self) -> datetime | None:
        """Carry out all that is due now, in order; return when the next is due."""
        self._wake.clear()
        while await self._settle():
            pass
        while True:
            async with self._database.transaction() as tx:
                next_due = await next_climb_at(tx, SCOPE)
            if next_due is None or next_due > self._clock() or not await self._carry_out():
                return next_due

    async def _settle(self) -> bool:
        """End or put off what became of alerts asks for; False when none was left."""
        now = self._clock()
        async with self._database.transaction() as tx:
            found = await unsettled_climbs(tx, SCOPE, now, limit=BATCH)
            if found:
                await _settle(tx, SCOPE, found, now)
        return len(found) == BATCH

    async def _carry_out(self) -> bool:
        """Deal with some of what is due, in order; False when others hold all of it."""
        async with self._database.transaction() as tx:
            # Whoever tells of alerts takes turns: two would ask for the same jobs crosswise.
            await get_cursor(tx, SCOPE, CURSOR)
            now = self._clock()
            found = await due_climbs(tx, SCOPE, now, limit=BATCH)
            if not found:
                return False
            desk = await _open(tx, SCOPE, found)
            # What comes after the last one found may not be the next.
            until = found[-1].climb.due_at if len(found) == BATCH else now
            calls = desk.decide(found, until, now)
            await _put(tx, SCOPE, found, desk.stand)
            await self._tell(tx, calls, now)
        return True

    async def _tell(self, tx: Transaction, calls: Sequence[_Call], now: datetime) -> None:
        steps = [EscalationStep(alert_id=call.alert_id, note=call.told.note) for call in calls]
        numbers = await note_escalations(tx, SCOPE, steps, now)
        callings = [
            Calling(
                telling=Telling(alert_id=call.alert_id, step=Step.ESCALATED, step_id=step_id),
                receivers=call.told.receivers,
            )
            for call, step_id in zip(calls, numbers, strict=True)
        ]
        await tell_receivers(tx, SCOPE, self._jobs, callings, now)
        await notify(tx, SCOPE, "alerts", [call.alert_id for call in calls])


async def _open(tx: Transaction, scope: Scope, found: Sequence[ClimbingAlert]) -> _Desk:
    policies = await find_policies(tx, scope, sorted({one.climb.policy_id for one in found}))
    named = {
        receiver
        for policy in policies.values()
        for step in policy.steps
        for receiver in step.receivers
    }
    paths = sorted({one.area_path for one in found})
    book = await open_duty_book(tx, scope, paths, sorted(named))
    roster = Roster(
        duties=book.duties,
        names=book.names,
        reachable=book.reachable,
        holidays=await all_holidays(tx, scope),
    )
    return _Desk(policies, roster)


async def _settle(
    tx: Transaction, scope: Scope, found: Sequence[ClimbingAlert], now: datetime
) -> None:
    """Tells nobody; what has lost its policy is over."""
    policies = await find_policies(tx, scope, sorted({one.climb.policy_id for one in found}))
    stand: dict[Key, Climb | None] = {}
    for one in found:
        policy = policies.get(one.climb.policy_id)
        settled = None if policy is None else settle(policy, one.climb, _standing(one), now)
        stand[_key(one.climb)] = settled
    await _put(tx, scope, found, stand)


async def _put(
    tx: Transaction,
    scope: Scope,
    found: Sequence[ClimbingAlert],
    stand: Mapping[Key, Climb | None],
) -> None:
    await put_climbs(tx, scope, [climb for climb in stand.values() if climb is not None])
    over = {key for key, climb in stand.items() if climb is None}
    await end_climbs(tx, scope, [one.climb for one in found if _key(one.climb) in over])


def _key(climb: Climb) -> Key:
    return climb.alert_id, climb.policy_id


def _standing(one: ClimbingAlert) -> Standing:
    return Standing(
        alert_id=one.climb.alert_id,
        area_path=one.area_path,
        status=one.status,
        is_folded=one.is_folded,
        quiet_until=one.quiet_until,
        acknowledge_by=one.acknowledge_by,
        resolve_by=one.resolve_by,
    )
