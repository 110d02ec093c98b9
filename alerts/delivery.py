"""The job that delivers one notification, and the record of each attempt.

At least once: an attempt is recorded after it was made, so a process that dies in between makes
the next one send the same message, with the same id, again.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from alerts.desk import DELIVER
from alerts.notifier import Notifier
from hub.domain.access import system_scope
from hub.domain.errors import NotFound, Rejected, StoreUnavailable, TryAgain
from hub.domain.notifications import DeliveryStatus, Notification, ReceiverKind
from hub.domain.ports import Clock
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database
from hub.store.notices import notify
from hub.store.notifications import Attempt, get_notification, record_attempt, set_status

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.alerts")
# About three hours in all: longer than most outages of a mail or chat server.
RETRY_WAITS_S: Final = (1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0, 3600.0)

# What was sent and cannot be recorded is sent again: try hard before that.
RECORD_WAITS_S: Final = (0.2, 1.0, 3.0, 10.0)


class Delivery:
    """Hands each notification to the notifier of its kind."""

    def __init__(
        self, database: Database, clock: Clock, notifiers: Mapping[ReceiverKind, Notifier]
    ) -> None:
        self._database = database
        self._clock = clock
        self._notifiers = dict(notifiers)

    def register(self, jobs: Jobs) -> None:
        """Take the jobs called ``alerts.deliver``."""
        jobs.handle(DELIVER, self.deliver, retry_waits_s=RETRY_WAITS_S)

    async def deliver(self, job: Job) -> None:
        """Deliver once; raises TryAgain for another attempt later."""
        number = int(str(job.args["notification"]))
        notification = await self._load(number)
        if notification is None or notification.status is not DeliveryStatus.WAITING:
            return
        is_last = job.attempt > len(RETRY_WAITS_S)
        try:
            detail = await self._notifier(notification.receiver.kind).send(notification)
        except TryAgain as error:
            status = DeliveryStatus.FAILED if is_last else DeliveryStatus.WAITING
            await self._record(notification, "try_again", str(error), status)
            if not is_last:
                raise
        except Rejected as error:
            await self._record(notification, "rejected", str(error), DeliveryStatus.REJECTED)
        else:
            await self._record(notification, "delivered", detail, DeliveryStatus.DELIVERED)

    def _notifier(self, kind: ReceiverKind) -> Notifier:
        notifier = self._notifiers.get(kind)
        if notifier is None:
            msg = f"no way out of kind {kind.value} is set up"
            raise Rejected(msg)
        return notifier

    async def _load(self, number: int) -> Notification | None:
        async with self._database.transaction() as tx:
            try:
                return await get_notification(tx, SCOPE, number)
            except NotFound:
                await set_status(tx, SCOPE, number, DeliveryStatus.REJECTED)
                return None

    async def _record(
        self, notification: Notification, outcome: str, detail: str, status: DeliveryStatus
    ) -> None:
        if status in {DeliveryStatus.REJECTED, DeliveryStatus.FAILED}:
            log.warning(
                "notification %s for receiver %s (%s) is given up: %s",
                notification.id,
                notification.receiver.id,
                notification.receiver.kind.value,
                detail,
            )
        attempt = Attempt(
            notification_id=notification.id, at=self._clock(), outcome=outcome, detail=detail
        )
        for wait_s in RECORD_WAITS_S:
            try:
                await self._write(attempt, status, notification.alert.id)
            except StoreUnavailable:
                await asyncio.sleep(wait_s)
            else:
                return
        await self._write(attempt, status, notification.alert.id)

    async def _write(self, attempt: Attempt, status: DeliveryStatus, alert_id: int) -> None:
        async with self._database.transaction() as tx:
            await record_attempt(tx, SCOPE, attempt, status)
            await notify(tx, SCOPE, "alerts", [alert_id])
