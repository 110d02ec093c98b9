"""What a duty room answers, and saying so to the second when it does not (点名).

Whoever is there types the four digits that its screen or phone shows; an operator who rang writes
down who took the telephone. An answer after its time is kept beside the fact that it came late.
"""

import hmac
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.devices import Json
from hub.domain.duty_rooms import MOST_WRONG_CODES, AnsweredBy, CallState, RoomCall
from hub.domain.errors import Conflict, Invalid
from hub.domain.events import Severity, StoredEvent
from hub.domain.ports import Clock
from hub.runtime.stepping import Stepper
from hub.store import audit, rounds
from hub.store.database import Database, Transaction
from hub.store.events import add_events
from hub.store.patrol_evidence import Line, append, seal
from hub.store.room_calls import (
    end_calls,
    first_overdue,
    get_call,
    lock_call,
    next_answer_by,
    overdue_of,
    put_answer,
)

log = logging.getLogger(__name__)

SCOPE: Final = system_scope("hub.roll_calls")
UNANSWERED, ANSWERED = "roll_call.unanswered", "roll_call.answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody says. ``by`` is who; a ``code`` is asked of all but the telephone."""

    how: AnsweredBy
    by: str
    code: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How the call stands now; ``fault`` says why the answer did not count, empty: it did."""

    call: RoomCall
    fault: str = ""


async def answer(
    tx: Transaction, scope: Scope, call_id: int, given: Answer, *, now: datetime
) -> Heard:
    """Take an answer to a call of the scope.

    A wrong code is counted: commit the transaction, then tell the caller the ``fault``.

    Raises:
        NotFound: outside the scope.
        Conflict: it is answered or cancelled, not asked yet, or too many codes were wrong.
        Invalid: nobody is named.
    """
    whole = replace(scope, paths=None)
    round_id = (await get_call(tx, scope, call_id)).round_id
    walk = None if round_id is None else await rounds.lock_round(tx, whole, round_id)
    call = await lock_call(tx, scope, call_id)
    _check_open(call, given, now)
    if given.how is not AnsweredBy.TELEPHONE and not _is_right(given.code, call.code):
        wrong = replace(call, wrong_codes=call.wrong_codes + 1)
        await put_answer(tx, scope, wrong)
        return Heard(call=wrong, fault="this is not the code: read it again")
    is_late = call.state is CallState.UNANSWERED
    heard = replace(
        call,
        state=call.state if is_late else CallState.ANSWERED,
        answered_at=now,
        answered_by=given.by.strip(),
        answered_how=given.how,
        note=given.note,
    )
    await put_answer(tx, scope, heard)
    detail: dict[str, Json] = {
        "how": given.how,
        "by": heard.answered_by,
        "taken_by": scope.actor,
        "late": is_late,
    }
    await audit.record(tx, scope, _deed(heard), detail)
    await add_events(tx, scope, [_event(heard, ANSWERED, now, Severity.INFO, detail)])
    if walk is not None:
        line = Line(what="duty_room.answered", at=now, body={**_body(heard), **detail})
        await append(tx, whole, walk.id, [line])
        if walk.is_over:
            await seal(tx, whole, walk.id, now)
    return Heard(call=heard)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceKeeper:
    """Says that a duty room did not answer, at the very second; one coroutine, :meth:`run`.

    As many processes as wanted may run it; after an absence it says what it missed, in order,
    with the times at which it was true.
    """

    database: Database
    clock: Clock

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database."""
        await Stepper(
            step=self.step,
            clock=self.clock,
            log=log,
            lost="duty rooms that do not answer cannot be told",
            found="duty rooms that do not answer are told again",
        ).run()

    async def step(self) -> datetime | None:
        """Say all that is due; return when the next question runs out."""
        while await self._say_one_round():
            pass
        async with self.database.transaction() as tx:
            return await next_answer_by(tx, SCOPE)

    async def _say_one_round(self) -> bool:
        """Say it for the round whose question ran out first; False when none did."""
        now = self.clock()
        async with self.database.transaction() as tx:
            first = await first_overdue(tx, SCOPE, now)
            if first is None:
                return False
            # The round before its calls, as whoever answers does.
            walk = None
            if first.round_id is not None:
                walk = await rounds.lock_round(tx, SCOPE, first.round_id)
            silent = await overdue_of(tx, SCOPE, first.round_id, now)
            await end_calls(tx, SCOPE, [call.id for call in silent], CallState.UNANSWERED)
            events = [
                _event(call, UNANSWERED, call.answer_by, Severity.WARNING, _silence(call))
                for call in silent
            ]
            await add_events(tx, SCOPE, events)
            if walk is not None:
                lines = [
                    Line(what="duty_room.unanswered", at=call.answer_by, body=_body(call))
                    for call in silent
                ]
                await append(tx, SCOPE, walk.id, lines)
                if walk.is_over and lines:
                    await seal(tx, SCOPE, walk.id, now)
        for call in silent:
            log.warning("duty room %s of %s did not answer", call.room_name, call.area_name)
        return True


def _check_open(call: RoomCall, given: Answer, now: datetime) -> None:
    if not given.by.strip():
        msg = "say who answers"
        raise Invalid(msg, field="by")
    if call.answered_at is not None or call.state is CallState.ANSWERED:
        msg = f"{call.answered_by} has answered already"
        raise Conflict(msg)
    if call.state is CallState.CANCELLED:
        msg = "this roll call was cancelled"
        raise Conflict(msg)
    if now < call.asked_at:
        msg = "this room has not been asked yet"
        raise Conflict(msg)
    if given.how is not AnsweredBy.TELEPHONE and call.wrong_codes >= MOST_WRONG_CODES:
        msg = "too many wrong codes: somebody has to ring the room"
        raise Conflict(msg)


def _is_right(given: str, code: str) -> bool:
    return hmac.compare_digest(given.strip().encode(), code.encode())


def _event(
    call: RoomCall, kind: str, at: datetime, severity: Severity, detail: dict[str, Json]
) -> StoredEvent:
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=call.area_id,
        area_path=call.area_path,
        at=at,
        received_at=at,
        severity=severity,
        data={**_body(call), "round": call.round_id, "phone": call.phone, **detail},
    )


def _silence(call: RoomCall) -> dict[str, Json]:
    phone = f", 电话 telephone {call.phone}" if call.phone else ""
    return {"detail": f"{call.area_name} {call.room_name}: 无人应答 nobody answered{phone}"}


def _body(call: RoomCall) -> dict[str, Json]:
    return {"call": call.id, "room": call.room_name, "area": call.area_name}


def _deed(call: RoomCall) -> audit.Deed:
    return audit.Deed(
        action="roll_call.answered",
        object_type="room_call",
        object_id=str(call.id),
        area_id=call.area_id,
    )
