"""The job that posts what waits for one receiver, and the record of each attempt.

At least once: a message is stored before its first attempt and an attempt recorded after it was
made, so a process that dies in between makes the next one send the same message, with the same
id, again. One job at a time works for a receiver (the queue's lock).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, assert_never

from alerts.desk import POST, defer_post
from alerts.messages import Wording
from alerts.notifier import Notifier
from alerts.posting import (
    FARTHEST,
    Make,
    MakeTest,
    Refuse,
    Send,
    Wait,
    count_attempt,
    news_of,
    next_deed,
    retry_wait,
)
from alerts.templates import render
from alerts.trial import write_test
from hub.domain.access import system_scope
from hub.domain.errors import GengfuError, Rejected, StoreUnavailable, TryAgain
from hub.domain.notifications import DeliveryStatus, Message, ReceiverKind
from hub.domain.ports import Clock
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database, Transaction
from hub.store.messages import (
    Ending,
    Outcome,
    due_receivers,
    get_posting,
    make_message,
    make_test,
    record_attempt,
    refuse_waiting,
)
from hub.store.notices import notify
from hub.store.notifications import Attempt
from hub.store.outgoing import Outgoing, get_outgoing
from hub.store.receiver_health import ReceiverNews, add_news, get_health, set_health

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.alerts")
WAKE: Final = "alerts.wake"
LOOK: Final = "alerts.posting"
LOOK_EVERY_S: Final = 10.0
# Messages a job makes before it queues up again: other receivers want a turn.
MOST_IN_TURN: Final = 20
# No notifier may take longer, whatever it promises: the job's place is wanted.
LONGEST_SEND_S: Final = 60.0
# A picture is worth less than the seconds it takes.
LONGEST_PICTURE_S: Final = 4.0
# What was sent and cannot be recorded is sent again: try hard before that.
RECORD_WAITS_S: Final = (0.2, 1.0, 3.0, 10.0)

# A defect in a notifier must not hold up a receiver for ever: it counts as a failed attempt.
DEFECTS: Final = (
    GengfuError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

Picture = Callable[[Message], Awaitable[bytes]]
"""A JPEG that shows what a message is about; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    outcome: Outcome
    detail: str
    after_s: float | None = None
    template_failure: str = ""


class Delivery:
    """Makes messages of what waits and hands each to the notifier of its kind."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        notifiers: Mapping[ReceiverKind, Notifier],
        *,
        wording: Wording | None = None,
        picture: Picture | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._notifiers = dict(notifiers)
        self._wording = wording or Wording(zone=UTC)
        self._picture = picture
        self._jobs: Jobs | None = None

    def register(self, jobs: Jobs) -> None:
        """Take the jobs called ``alerts.post``, and look for what was forgotten."""
        self._jobs = jobs
        jobs.handle(POST, self.post)
        jobs.handle(WAKE, self.wake)
        jobs.every(LOOK, LOOK_EVERY_S, self.look)

    async def post(self, job: Job) -> None:
        """Send what is due to one receiver; what is due later gets a job of its own."""
        receiver = int(str(job.args["receiver"]))
        try:
            for _ in range(MOST_IN_TURN):
                outgoing = await self._prepare(receiver)
                if outgoing is None:
                    return
                result = await self._send(outgoing)
                await self._record(outgoing, result)
            async with self._database.transaction() as tx:
                await defer_post(tx, self._queue, receiver)
        except StoreUnavailable as error:
            # Raising would let the queue repeat it, beside the job that may wait by now.
            log.warning("receiver %s waits until the database is back: %s", receiver, error)

    async def wake(self, job: Job) -> None:
        """Post to a receiver, now that it is time."""
        async with self._database.transaction() as tx:
            await defer_post(tx, self._queue, int(str(job.args["receiver"])))

    async def look(self) -> None:
        """See to it that whatever is due has a job."""
        now = self._clock()
        async with self._database.transaction() as tx:
            for receiver in await due_receivers(tx, SCOPE, now, now + FARTHEST):
                await defer_post(tx, self._queue, receiver)

    async def _prepare(self, receiver: int) -> Outgoing | None:
        """Return the message to send now, stored; None when there is none."""
        while True:
            async with self._database.transaction() as tx:
                now = self._clock()
                posting = await get_posting(tx, SCOPE, receiver, now)
                deed = Wait() if posting is None else next_deed(posting, now)
                match deed:
                    case Wait():
                        if deed.until is not None:
                            await self._defer_wake(tx, receiver, deed.until)
                        return None
                    case Refuse():
                        await self._refuse(tx, receiver, deed.reason, now)
                    case Send():
                        outgoing = await get_outgoing(tx, SCOPE, deed.message)
                        if outgoing is not None:
                            return outgoing
                    case MakeTest():
                        await make_test(tx, SCOPE, receiver, now)
                    case Make():
                        if deed.is_digest:
                            await make_message(tx, SCOPE, receiver, now)
                        else:
                            await make_message(tx, SCOPE, receiver, now, most=1)
                    case _ as never:
                        assert_never(never)

    async def _refuse(self, tx: Transaction, receiver: int, reason: str, now: datetime) -> None:
        messages = await refuse_waiting(tx, SCOPE, receiver, reason, now)
        log.warning("%s messages for receiver %s are given up: %s", len(messages), receiver, reason)

    async def _send(self, outgoing: Outgoing) -> _Result:
        message = outgoing.message
        failure = ""
        if outgoing.test_by:
            message = write_test(message, outgoing.test_by)
        if message.receiver.template:
            rendered = render(message.receiver.template, message, self._wording)
            failure = rendered.failure
            message = replace(message, text=rendered.text)
        result = await self._attempt(await self._illustrate(message))
        return replace(result, template_failure=failure)

    async def _illustrate(self, message: Message) -> Message:
        if self._picture is None:
            return message
        try:
            async with asyncio.timeout(LONGEST_PICTURE_S):
                return replace(message, picture=await self._picture(message))
        except (TimeoutError, *DEFECTS) as error:
            log.info("message %s goes without a picture: %s", message.id, type(error).__name__)
            return message

    async def _attempt(self, message: Message) -> _Result:
        try:
            async with asyncio.timeout(LONGEST_SEND_S):
                detail = await self._notifier(message.receiver.kind).send(message)
        except TryAgain as error:
            return _Result(outcome=Outcome.TRY_AGAIN, detail=str(error), after_s=error.after_s)
        except Rejected as error:
            return _Result(outcome=Outcome.REJECTED, detail=str(error))
        except TimeoutError:
            detail = f"no end within {LONGEST_SEND_S:g} s"
            return _Result(outcome=Outcome.TRY_AGAIN, detail=detail)
        except DEFECTS as error:
            log.exception("message %s: the notifier has a defect", message.message_id)
            detail = f"a defect of the hub: {type(error).__name__}"
            return _Result(outcome=Outcome.TRY_AGAIN, detail=detail)
        return _Result(outcome=Outcome.DELIVERED, detail=detail)

    def _notifier(self, kind: ReceiverKind) -> Notifier:
        notifier = self._notifiers.get(kind)
        if notifier is None:
            msg = f"no way out of kind {kind.value} is set up"
            raise Rejected(msg)
        return notifier

    async def _record(self, outgoing: Outgoing, result: _Result) -> None:
        now = self._clock()
        ending = _ending(outgoing, result, now)
        if ending.status in {DeliveryStatus.REJECTED, DeliveryStatus.FAILED}:
            log.warning(
                "message %s for receiver %s (%s) is given up: %s",
                outgoing.message.id,
                outgoing.message.receiver.id,
                outgoing.message.receiver.kind.value,
                result.detail,
            )
        for wait_s in RECORD_WAITS_S:
            try:
                await self._write(outgoing, result, ending, now)
            except StoreUnavailable:
                await asyncio.sleep(wait_s)
            else:
                return
        await self._write(outgoing, result, ending, now)

    async def _write(
        self, outgoing: Outgoing, result: _Result, ending: Ending, now: datetime
    ) -> None:
        message = outgoing.message
        attempt = Attempt(message=message.id, at=now, outcome=result.outcome, detail=result.detail)
        async with self._database.transaction() as tx:
            await record_attempt(tx, SCOPE, attempt, ending)
            await notify(tx, SCOPE, "alerts", [told.alert.id for told in message.notifications])
            await self._count(tx, outgoing, result, now)

    async def _count(
        self, tx: Transaction, outgoing: Outgoing, result: _Result, now: datetime
    ) -> None:
        receiver = outgoing.message.receiver.id
        before = await get_health(tx, SCOPE, receiver)
        if before is None:
            return
        after = replace(before, is_template_failing=bool(result.template_failure))
        # A test that fails says so to whoever asked for it; no alert waits for it.
        if not outgoing.test_by or result.outcome is Outcome.DELIVERED:
            after = count_attempt(after, result.outcome, now)
        if after != before:
            await set_health(tx, SCOPE, receiver, after)
            for news in news_of(before, after):
                is_template = news in {ReceiverNews.TEMPLATE_FAILED, ReceiverNews.TEMPLATE_MENDED}
                detail = result.template_failure if is_template else result.detail
                log.warning("receiver %s: %s (%s)", receiver, news.value, detail)
                await add_news(tx, SCOPE, receiver, news, at=now, detail=detail)

    async def _defer_wake(self, tx: Transaction, receiver: int, at: datetime) -> None:
        """Each moment has a job of its own: an early one never waits behind a late one."""
        mark = f"receiver:{receiver}:{at.isoformat()}"
        await self._queue.defer(tx, WAKE, {"receiver": receiver}, at=at, once=mark)

    @property
    def _queue(self) -> Jobs:
        if self._jobs is None:
            msg = "register the jobs first"
            raise RuntimeError(msg)
        return self._jobs


def _ending(outgoing: Outgoing, result: _Result, now: datetime) -> Ending:
    number = outgoing.message.id
    match result.outcome:
        case Outcome.DELIVERED:
            return Ending(message=number, status=DeliveryStatus.DELIVERED)
        case Outcome.REJECTED:
            return Ending(message=number, status=DeliveryStatus.REJECTED)
        case Outcome.TRY_AGAIN:
            age = now - outgoing.message.created_at
            wait = retry_wait(outgoing.attempts + 1, age, result.after_s)
            if wait is None or outgoing.test_by:
                return Ending(message=number, status=DeliveryStatus.FAILED)
            return Ending(
                message=number,
                status=DeliveryStatus.WAITING,
                next_at=now + wait,
                is_asked=result.after_s is not None,
            )
        case _ as never:
            assert_never(never)
