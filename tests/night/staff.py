"""The people of the night, each by the fast clock: operator, duty rooms, units in the field.

They know nothing of the script but what is theirs: which room is empty, who accepts no task.
The operator believes what the machine remarks, as a person would who sees the same.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from hub.domain.dispatches import Dispatch, DispatchState
from hub.domain.duty_rooms import AnsweredBy, CallState
from hub.domain.errors import Conflict, GengfuError
from hub.domain.patrols import PatrolStop, Result, RoundState, Verdict
from hub.patrols.dispatch.life import FieldWord, field_step
from hub.patrols.dispatch.states import FieldStep
from hub.patrols.roll_calls.answering import Answer, answer
from hub.patrols.walking import person
from hub.patrols.walking.judging import Judgement, TaskWish
from hub.patrols.walking.orders import DOUBTFUL
from hub.runtime.jobs import Jobs
from hub.store import dispatches, room_calls, rounds, stop_results
from hub.store.database import Database
from hub.store.rounds import RoundFilter
from tests.night.clock import FastClock
from tests.night.county import HUB, IDLE_EVERY, County, is_silent

log = logging.getLogger(__name__)

SECONDS_A_STOP = 8.0
# After a task was sent: when a unit says what.
WORDS = (
    (FieldStep.ACCEPT, timedelta(minutes=4)),
    (FieldStep.ON_THE_WAY, timedelta(minutes=6)),
    (FieldStep.ON_SITE, timedelta(minutes=15)),
    (FieldStep.DONE, timedelta(minutes=30)),
)
NEXT = {
    DispatchState.SENT: 0,
    DispatchState.ACCEPTED: 1,
    DispatchState.ON_THE_WAY: 2,
    DispatchState.ON_SITE: 3,
}


class Staff:
    """Everybody; :meth:`work` until cancelled."""

    def __init__(self, database: Database, jobs: Jobs, clock: FastClock, county: County) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock
        self._county = county
        self._rng = random.SystemRandom()
        self.judged = 0

    async def work(self) -> None:
        """Do what is to be done; a hub that is away for a moment is waited for."""
        async with asyncio.TaskGroup() as group:
            for deed, every_s in (
                (self._walk, SECONDS_A_STOP),
                (self._answer, 20.0),
                (self._go, 30.0),
            ):
                group.create_task(self._repeat(deed, every_s))

    async def _repeat(self, deed: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            try:
                await deed()
            except Conflict:
                pass  # the hub was faster: look again
            except GengfuError as error:
                log.warning("somebody waits: %s", error)
            await asyncio.sleep(self._clock.wait_s(every_s))

    async def _walk(self) -> None:
        """Judge the next stop that waits."""
        scope, county = self._county.operator, self._county
        async with self._database.transaction() as tx:
            wanted = RoundFilter(plan_id=county.plan_id, state=RoundState.RUNNING)
            found = (await rounds.list_rounds(tx, scope, wanted)).items
            if not found:
                return
            walk = found[0]
            tools = person.Tools(jobs=self._jobs, now=self._clock(), rng=self._rng)
            if walk.walker_id is None:
                await person.take(tx, scope, walk.id, tools)
            waiting = await stop_results.waiting_stops(tx, scope, walk.id, limit=1)
        if not waiting or waiting[0].verdict is Verdict.PENDING:
            return
        async with self._database.transaction() as tx:
            tools = person.Tools(jobs=self._jobs, now=self._clock(), rng=self._rng)
            stop = waiting[0]
            await person.judge(tx, scope, walk.id, stop.position, _opinion(stop), tools)
        self.judged += 1

    async def _answer(self) -> None:
        """Every duty room in which somebody is types its code, some by telephone."""
        async with self._database.transaction() as tx:
            wanted = room_calls.CallFilter(state=CallState.ASKED)
            asked = (await room_calls.list_calls(tx, HUB, wanted, limit=40)).items
        for call in asked:
            village = int(call.room_name.partition("号")[0])
            if is_silent(village):
                continue
            how = AnsweredBy.TELEPHONE if village % 3 else AnsweredBy.CONSOLE
            said = Answer(how=how, by=f"值班员 {village}", code=call.code)
            async with self._database.transaction() as tx:
                await answer(tx, self._county.operator, call.id, said, now=self._clock())

    async def _go(self) -> None:
        """Every unit says what it is time to say of its tasks."""
        now = self._clock()
        async with self._database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT id FROM dispatches WHERE state IN ('sent', 'accepted', 'on_the_way',"
                " 'on_site') ORDER BY id"
            )
        for row in rows:
            number = int(str(row[0]))
            async with self._database.transaction() as tx:
                task = await dispatches.get_dispatch(tx, HUB, number)
                word = _next_word(task)
                if number % IDLE_EVERY == 0 or word is None or task.unit_id is None:
                    continue
                if task.sent_at is not None and now >= task.sent_at + word[1]:
                    said = FieldWord(what=word[0], unit_id=task.unit_id)
                    await field_step(tx, HUB, number, said, now=now)


def _opinion(stop: PatrolStop) -> Judgement:
    """What somebody makes of a stop who believes what he reads and sees."""
    if stop.verdict is Verdict.SEEN and stop.doubt < DOUBTFUL:
        return Judgement(result=Result.NORMAL, picture_sha256=stop.picture_sha256)
    return Judgement(
        result=Result.ABNORMAL,
        kind=stop.kind or "other",
        note="; ".join(stop.remarks) or stop.reason,
        picture_sha256=stop.picture_sha256,
        task=TaskWish(),
    )


def _next_word(task: Dispatch) -> tuple[FieldStep, timedelta] | None:
    place = NEXT.get(task.state)
    return None if place is None else WORDS[place]
