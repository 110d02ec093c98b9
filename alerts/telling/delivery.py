"""The job that posts what waits for one receiver, and the record of each attempt.

At least once: a message is stored before its first attempt and an attempt recorded after it was
made, so a process that dies in between makes the next one send the same message, with the same
id, again. One job at a time works for a receiver (the queue's lock).
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, assert_never

from alerts.telling.desk import POST, defer_post
from alerts.telling.messages import Wording
from alerts.telling.notifier import Notifier
from alerts.telling.posting import (
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
from alerts.telling.sending import Picture, Result, Sender
from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.domain.notifications import DeliveryStatus, ReceiverKind
from hub.domain.ports import Clock
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database, Transaction
from hub.store.messages import (
    MOST_IN_DIGEST,
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
from hub.store.receiver_health import (
    ReceiverHealth,
    ReceiverNews,
    add_news,
    get_health,
    set_health,
)

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.alerts")
WAKE: Final = "alerts.wake"
LOOK: Final = "alerts.posting"
LOOK_EVERY_S: Final = 10.0
# Messages a job makes before it queues up again: other receivers want a turn.
MOST_IN_TURN: Final = 20
# What was sent and cannot be recorded is sent again: try hard before that.
RECORD_WAITS_S: Final = (0.2, 1.0, 3.0, 10.0)


class Delivery:
    """Makes messages of what waits for a receiver and sends them, one after the other."""

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
        self._sender = Sender(notifiers, wording or Wording(zone=UTC), picture)
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
                result = await self._sender.send(outgoing)
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
                        most = MOST_IN_DIGEST if deed.is_digest else 1
                        await make_message(tx, SCOPE, receiver, now, now + FARTHEST, most=most)
                    case _ as never:
                        assert_never(never)

    async def _refuse(self, tx: Transaction, receiver: int, reason: str, now: datetime) -> None:
        messages = await refuse_waiting(tx, SCOPE, receiver, reason, now)
        log.warning("%s messages for receiver %s are given up: %s", len(messages), receiver, reason)

    async def _record(self, outgoing: Outgoing, result: Result) -> None:
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
        self, outgoing: Outgoing, result: Result, ending: Ending, now: datetime
    ) -> None:
        message = outgoing.message
        attempt = Attempt(message=message.id, at=now, outcome=result.outcome, detail=result.detail)
        async with self._database.transaction() as tx:
            # The receiver before its message: whoever changes a receiver locks them in this order.
            before = await get_health(tx, SCOPE, message.receiver.id)
            await record_attempt(tx, SCOPE, attempt, ending)
            await notify(tx, SCOPE, "alerts", [told.alert.id for told in message.notifications])
            if before is not None:
                after = _health_after(before, outgoing, result, now)
                await self._note_health(tx, message.receiver.id, (before, after), result, now)

    async def _note_health(
        self,
        tx: Transaction,
        receiver: int,
        change: tuple[ReceiverHealth, ReceiverHealth],
        result: Result,
        now: datetime,
    ) -> None:
        before, after = change
        if after == before:
            return
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


def _health_after(
    before: ReceiverHealth, outgoing: Outgoing, result: Result, now: datetime
) -> ReceiverHealth:
    after = replace(before, is_template_failing=bool(result.template_failure))
    # A test that fails says so to whoever asked for it; no alert waits for it.
    if outgoing.test_by and result.outcome is not Outcome.DELIVERED:
        return after
    return count_attempt(after, result.outcome, now)


def _ending(outgoing: Outgoing, result: Result, now: datetime) -> Ending:
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
