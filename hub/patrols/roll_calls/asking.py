"""Asks the duty rooms of a round whether somebody is there (点名).

Each room gets a question with a code of its own, on consoles and, where it has a receiver, on a
phone. Rooms are asked one after another over the plan's ``spread_s``; the question of a later
room exists from the begin, and is told when its time has come.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.duty_rooms import CallState
from hub.domain.patrols import PatrolRound
from hub.domain.ports import Clock
from hub.patrols.phone.links import defer_link
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database, Transaction
from hub.store.duty_rooms import get_room, rooms_below
from hub.store.notices import notify
from hub.store.patrol_evidence import Line, append
from hub.store.room_calls import TOPIC, Question, add_calls, calls_of, end_calls, waiting_of

ASK: Final = "patrols.ask_room"
SCOPE: Final = system_scope("hub.roll_calls")
CODE_DIGITS: Final = 4

DrawCode = Callable[[], str]


def draw_code() -> str:
    """Four digits that nobody can foresee."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


async def ask_rooms(
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    walk: PatrolRound,
    now: datetime,
    *,
    draw: DrawCode = draw_code,
) -> int:
    """Ask every room of the round's area and below, in the transaction that begins the round.

    Returns how many are asked: none when the plan has no roll call. Asking again asks nobody
    twice.
    """
    order = walk.details.roll_call
    if order is None:
        return 0
    rooms = await rooms_below(tx, scope, walk.area_path)
    step = timedelta(seconds=order.spread_s / len(rooms)) if rooms else timedelta()
    questions = [
        Question(
            room=room,
            code=draw(),
            asked_at=now + place * step,
            answer_by=now + place * step + timedelta(seconds=order.answer_s),
        )
        for place, room in enumerate(rooms)
    ]
    calls = await add_calls(tx, scope, walk.id, questions)
    with_receiver = {room.id for room in rooms if room.receiver_id is not None}
    for call in calls:
        if call.asked_at > now:
            await jobs.defer(tx, ASK, {"call": call.id}, at=call.asked_at)
        elif call.room_id in with_receiver:
            await defer_link(tx, jobs, call_id=call.id)
    await append(
        tx,
        scope,
        walk.id,
        [
            Line(
                what="duty_room.asked",
                at=call.asked_at,
                body={"call": call.id, "room": call.room_name, "area": call.area_name},
            )
            for call in calls
        ],
    )
    return len(calls)


async def cancel_calls(tx: Transaction, scope: Scope, round_id: int) -> int:
    """Ask no more: for a round that was cancelled. Returns how many questions were open."""
    waiting = await waiting_of(tx, scope, round_id)
    await end_calls(tx, scope, [call.id for call in waiting], CallState.CANCELLED)
    return len(waiting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Does the jobs of :data:`ASK`: tells a room of its question when its time has come."""

    database: Database
    jobs: Jobs
    clock: Clock

    def register(self) -> None:
        """Tell the queue who asks. Call before it runs."""
        self.jobs.handle(ASK, self.ask, retry_waits_s=(1, 2, 5, 10, 30))

    async def ask(self, job: Job) -> None:
        """Tell consoles and the room's phone; nothing where it was answered or cancelled."""
        call_id = int(str(job.args["call"]))
        async with self.database.transaction() as tx:
            calls = await calls_of(tx, SCOPE, [call_id])
            if not calls or calls[0].state is not CallState.ASKED or calls[0].room_id is None:
                return
            await notify(tx, SCOPE, TOPIC, [call_id])
            room = await get_room(tx, SCOPE, calls[0].room_id)
            if room.receiver_id is not None:
                await defer_link(tx, self.jobs, call_id=call_id)
