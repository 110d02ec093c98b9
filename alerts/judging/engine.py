"""Turns stored events, readings and time into alerts (design §2).

What a rule remembers is in the database; it is read and written in the transaction that also
moves the cursor, opens or closes the alert and defers the notifications. That transaction holds
the cursor's row, so engines of several processes take turns. Memory holds copies only: the
rules, and which readings are worth a second look. Nothing here delivers.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.judging.drills import end_due
from alerts.judging.judge import MOST_ALERTS, SCOPE, Judged, Sighting, judge, retire
from alerts.judging.readings import ReadingInbox
from alerts.judging.sightings import Watch, hold_back
from alerts.judging.sweeping import sightings_of_present
from alerts.judging.turns import MOST_FREED, release
from alerts.rules.observations import Tick, ValueSeen
from alerts.telling.desk import CURSOR
from hub.domain.alerts import Rule, RuleState
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.errors import GengfuError, StoreUnavailable
from hub.domain.ports import Clock
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.stepping import Stepper
from hub.store.cursors import get_cursor, next_window, set_cursor
from hub.store.database import Database, Transaction
from hub.store.drills import next_drill_end
from hub.store.events import ReadingRow
from hub.store.holidays import all_holidays
from hub.store.notices import Notice
from hub.store.present import point_places
from hub.store.rule_states import (
    due_states,
    next_due_at,
    point_states,
    put_states,
    restart_waits,
    unwatched_states,
)
from hub.store.rules import all_rules
from hub.store.sweeps import put_off_absences, restart_clears

log = logging.getLogger(__name__)

# Of most events nothing follows: many of them fit into one transaction.
BATCH_EVENTS = 5000
BATCH = 1000
# How often the present is compared with what is remembered. It catches readings that another
# process stored, and those that came while no engine ran.
SWEEP_S = 10.0
SWEEP_SLICE_S = 0.1
PUT_OFF = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """When the next timer rings, and when the next exercise ends by itself."""

    timer: datetime | None
    drill: datetime | None

    @property
    def soonest(self) -> datetime | None:
        return min((at for at in (self.timer, self.drill) if at is not None), default=None)


class AlertEngine:
    """One coroutine, :meth:`run`; as many processes as wanted may run it."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        live: LiveFeed,
        clock: Clock,
        *,
        most_events: int = BATCH_EVENTS,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._live = live
        self._clock = clock
        self._wake = asyncio.Event()
        self._watch = Watch()
        self._holidays: Holidays = NO_HOLIDAYS
        self._has_freed = False
        self._are_rules_old = True
        self._most_events = most_events
        self._batch = most_events
        self._swept_at: datetime | None = None
        self._inbox = ReadingInbox()

    async def offer_readings(self, rows: Sequence[ReadingRow]) -> None:
        """Take readings that were just committed; never waits."""
        if self._inbox.offer(rows, self._clock()):
            self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database."""
        listening = asyncio.create_task(self._listen(), name="alerts-listen")
        stepper = Stepper(
            step=self._step_or_read_again,
            clock=self._clock,
            log=log,
            lost="no alerts can be raised",
            found="alerts can be raised again",
            wake=self._wake,
        )
        try:
            await stepper.run()
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _step_or_read_again(self) -> datetime | None:
        try:
            return await self.step()
        except GengfuError:
            self._are_rules_old = True
            raise

    async def step(self) -> datetime | None:
        """Deal with all there is now; return when the next timer rings.

        Events come first: a timer never rings for what an event already ended.
        """
        self._wake.clear()
        if self._are_rules_old:
            await self._load_rules()
        while True:
            await self._read_all_events()
            await self._read_readings()
            ahead = await self._look_ahead()
            is_busy = _is_past(ahead.timer, self._clock())
            if is_busy:
                while await self._ring_timers():
                    pass
            if self._is_sweep_due():
                is_busy = True
                self._swept_at = self._clock()
                await self._sweep()
            if self._has_freed:
                is_busy = True
                await self._release()
            if _is_past(ahead.drill, self._clock()):
                await self._end_drills()
                continue  # with the events that say so
            return (await self._look_ahead() if is_busy else ahead).soonest

    async def _look_ahead(self) -> _Ahead:
        async with self._database.transaction() as tx:
            return _Ahead(timer=await next_due_at(tx, SCOPE), drill=await next_drill_end(tx, SCOPE))

    async def _end_drills(self) -> None:
        async with self._database.transaction() as tx:
            await end_due(tx, SCOPE, self._clock())

    def _is_sweep_due(self) -> bool:
        """Also when the clock was set back since the last one."""
        if self._swept_at is None:
            return True
        return not timedelta(0) <= self._clock() - self._swept_at < timedelta(seconds=SWEEP_S)

    async def _listen(self) -> None:
        with self._live.subscribe() as notices:
            async for notice in notices:
                self._hear(notice)

    def _hear(self, notice: Notice) -> None:
        if notice.topic in {"rules", "resync"}:
            self._are_rules_old = True
        if notice.topic in {"devices", "resync"}:
            self._inbox.forget_places(notice.ids)
        if notice.topic in {"events", "rules", "resync"}:
            self._wake.set()

    async def _load_rules(self) -> None:
        self._are_rules_old = False
        self._swept_at = None
        try:
            async with self._database.transaction() as tx:
                rules = await all_rules(tx, SCOPE)
                holidays = await all_holidays(tx, SCOPE)
                remembered = await point_states(tx, SCOPE)
        except GengfuError:
            self._are_rules_old = True
            raise
        self._watch, self._holidays = Watch(rules), holidays
        self._inbox.reset(rules, remembered, holidays)

    async def _read_all_events(self) -> None:
        while await self._read_events():
            pass

    async def _read_events(self) -> bool:
        """Deal with a batch of stored events; False when there are no more."""
        try:
            async with self._database.transaction() as tx:
                cursor = await get_cursor(tx, SCOPE, CURSOR)
                await put_off_absences(tx, SCOPE, self._clock())
                window = await next_window(
                    tx, SCOPE, cursor, kinds=self._watch.kinds, most=self._batch
                )
                if window.last is None:
                    self._batch = self._most_events
                    return False
                found = await self._watch.sightings_of(tx, window.events)
                judged = await self._conclude(tx, found)
                await set_cursor(tx, SCOPE, CURSOR, _last_judged(window.last, judged))
                if judged.left:  # read no more of what makes alerts than one transaction takes
                    self._batch = min(self._batch, MOST_ALERTS)
            if not window.is_full and not judged.left:
                self._batch = self._most_events
                return False
        except StoreUnavailable:
            raise
        except GengfuError as error:
            if self._batch == 1:
                await self._skip_event(error)
                return True
            self._batch = max(1, self._batch // 10)  # to find the one that cannot be dealt with
        return True

    async def _skip_event(self, error: GengfuError) -> None:
        """Leave out one event that the database refuses to judge: the others must go on."""
        async with self._database.transaction() as tx:
            cursor = await get_cursor(tx, SCOPE, CURSOR)
            window = await next_window(tx, SCOPE, cursor, kinds=self._watch.kinds, most=1)
            for event in window.events:
                log.error("event %s (%s) cannot be judged: %s", event.id, event.kind, error)
            await set_cursor(tx, SCOPE, CURSOR, window.last or cursor)
        self._batch = self._most_events

    async def _read_readings(self) -> None:
        if self._inbox.take_overflow():
            log.warning("more readings crossed thresholds than could be judged: sweeping instead")
            self._are_rules_old = True
            await self._load_rules()
        unknown = self._inbox.unknown_points()
        if unknown:
            async with self._database.transaction() as tx:
                places = await point_places(tx, SCOPE, unknown)
            self._inbox.place(places)
        while crossings := self._inbox.take(BATCH):
            found = [
                Sighting(rule=c.rule, state=c.state, seen=ValueSeen(value=c.value), at=c.at)
                for c in crossings
            ]
            await self._judge(found)

    async def _sweep(self) -> None:
        """Compare the present with what is remembered, a few rules at a time.

        Nothing waits for all of it: events are dealt with in between.
        """
        async with self._database.transaction() as tx:
            await get_cursor(tx, SCOPE, CURSOR)
            if await restart_waits(tx, SCOPE, self._clock()):
                log.warning("the clock was set back: waiting alerts wait again")
            await restart_clears(tx, SCOPE, self._clock())
        waiting = deque(self._watch.rules.values())
        while waiting:
            left = await self._sweep_some(waiting)
            await self._judge(left)
            await self._read_all_events()
        while await self._retire():
            pass
        self._has_freed = True

    async def _sweep_some(self, waiting: deque[Rule]) -> Sequence[Sighting]:
        """Sweep for the next rules until a slice of time is over; return what is left to judge."""
        found: list[Sighting] = []
        try:
            async with self._database.transaction() as tx:
                await get_cursor(tx, SCOPE, CURSOR)
                end = asyncio.get_running_loop().time() + SWEEP_SLICE_S
                while waiting and asyncio.get_running_loop().time() < end:
                    found += await sightings_of_present(
                        tx, waiting.popleft(), self._clock(), self._holidays
                    )
                judged = await self._conclude(tx, found)
        except StoreUnavailable:
            raise
        except GengfuError:
            return found  # one of them is refused: it is found when they are judged apart
        return judged.left

    async def _release(self) -> None:
        """Let alerts stand by themselves that nothing explains any more."""
        self._has_freed = False
        changed = MOST_FREED
        while changed >= MOST_FREED:
            async with self._database.transaction() as tx:
                await get_cursor(tx, SCOPE, CURSOR)
                changed = await release(tx, SCOPE, self._jobs, self._watch.rules, self._clock())

    async def _retire(self) -> bool:
        """Resolve what no rule watches any more; False when there was nothing."""
        async with self._database.transaction() as tx:
            await get_cursor(tx, SCOPE, CURSOR)
            states = await unwatched_states(tx, SCOPE, limit=BATCH)
            self._inbox.remember(await retire(tx, self._jobs, states, self._clock()))
        return bool(states)

    async def _ring_timers(self) -> bool:
        """Let due timers ring; False when there are no more, or none that are known here."""
        now, rules = self._clock(), self._watch.rules
        async with self._database.transaction() as tx:
            await put_off_absences(tx, SCOPE, now)
            due = await due_states(tx, SCOPE, now, limit=BATCH)
        found = [_tick(rules[s.rule_id], s, now) for s in due if s.rule_id in rules]
        await self._judge(found)
        self._are_rules_old = self._are_rules_old or len(found) < len(due)
        return len(due) == BATCH and len(found) == BATCH

    async def _judge(self, found: Sequence[Sighting]) -> None:
        """Judge all of them; one that the database refuses holds up no other."""
        left = found
        while left:
            try:
                async with self._database.transaction() as tx:
                    await get_cursor(tx, SCOPE, CURSOR)
                    judged = await self._conclude(tx, await hold_back(tx, left))
            except StoreUnavailable:
                raise
            except GengfuError as error:
                if len(left) == 1:
                    await self._put_off(left[0], error)
                    return
                middle = len(left) // 2
                await self._judge(left[:middle])
                left = left[middle:]
            else:
                left = judged.left

    async def _put_off(self, sighting: Sighting, error: GengfuError) -> None:
        """Leave out one that the database refuses; its timer rings again later."""
        state = sighting.state
        log.error("rule %s, %s cannot be judged: %s", state.rule_id, state.subject, error)
        if not isinstance(sighting.seen, Tick):
            return
        async with self._database.transaction() as tx:
            await get_cursor(tx, SCOPE, CURSOR)
            await put_states(tx, SCOPE, [replace(state, due_at=self._clock() + PUT_OFF)])

    async def _conclude(self, tx: Transaction, found: Sequence[Sighting]) -> Judged:
        """Judge, and take notice of it although the transaction may still fail.

        The copies in memory only say what is worth a look; the database has the last word.
        """
        judged = await judge(tx, self._jobs, found, self._clock(), self._holidays)
        self._inbox.remember(judged.states)
        self._has_freed = self._has_freed or judged.has_freed
        return judged


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _last_judged(last: int, judged: Judged) -> int:
    """The number of the last event that is dealt with, of those up to ``last``."""
    first_left = next((s.event_id for s in judged.left if s.event_id is not None), None)
    return last if first_left is None else first_left - 1


def _tick(rule: Rule, state: RuleState, now: datetime) -> Sighting:
    return Sighting(rule=rule, state=state, seen=Tick(), at=now)
