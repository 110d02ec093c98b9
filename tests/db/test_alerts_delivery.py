"""The delivery job: attempts recorded, retried, given up; at least once with one id."""

import asyncio

import pytest

from alerts.delivery import RETRY_WAITS_S, Delivery
from alerts.life import resolve
from hub.domain.alerts import Step
from hub.domain.conditions import DeviceOffline
from hub.domain.errors import Rejected, TryAgain
from hub.domain.health import Status
from hub.domain.notifications import DeliveryStatus, Notification, ReceiverKind
from hub.runtime.jobs import Job
from hub.store.database import Database
from hub.store.notifications import NotificationLine, list_notifications
from hub.store.receivers import remove_receiver
from tests.db.alerts_site import HUB, Clock, Mailbox, Site, running


class Desk:
    """A firing alert whose notification waits, and the job that delivers it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.mailbox = Mailbox()
        self.delivery = Delivery(site.database, site.clock, {ReceiverKind.WEBHOOK: self.mailbox})

    async def line(self) -> NotificationLine:
        (alert,) = await self.site.alerts()
        async with self.site.database.transaction() as tx:
            return (await list_notifications(tx, HUB, alert.id))[0]

    async def deliver(self, attempt: int = 1) -> None:
        number = (await self.line()).id
        await self.delivery.deliver(Job(id=1, args={"notification": number}, attempt=attempt))


@pytest.fixture
async def desk(database: Database) -> Desk:
    site = await Site(database, Clock()).build()
    await site.add_rule(DeviceOffline())
    device = await site.add_device()
    await site.turn(device, Status.OFFLINE)
    await site.engine().step()
    return Desk(site)


def outcomes(line: NotificationLine) -> list[str]:
    return [attempt.outcome for attempt in line.attempts]


async def test_a_failure_is_recorded_and_raised_for_the_queue_to_repeat(desk: Desk) -> None:
    desk.mailbox.trouble = [TryAgain("HTTP 503")]
    with pytest.raises(TryAgain):
        await desk.deliver()
    line = await desk.line()
    assert line.status is DeliveryStatus.WAITING
    assert [(a.outcome, a.detail) for a in line.attempts] == [("try_again", "HTTP 503")]
    await desk.deliver(2)
    line = await desk.line()
    assert line.status is DeliveryStatus.DELIVERED
    assert outcomes(line) == ["try_again", "delivered"]


async def test_a_refusal_is_final(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.mailbox.trouble = [Rejected("HTTP 404")]
    await desk.deliver()
    assert (await desk.line()).status is DeliveryStatus.REJECTED
    assert "given up" in caplog.text
    await desk.deliver(2)
    assert desk.mailbox.got.empty()


async def test_the_last_attempt_gives_up(desk: Desk) -> None:
    desk.mailbox.trouble = [TryAgain("HTTP 503")]
    await desk.deliver(len(RETRY_WAITS_S) + 1)
    assert (await desk.line()).status is DeliveryStatus.FAILED


@pytest.mark.threat("K1")
async def test_killed_after_sending_the_same_id_is_sent_again(desk: Desk) -> None:
    class Dying(Mailbox):
        """Dies between sending and saying so."""

        async def send(self, notification: Notification) -> str:
            await desk.mailbox.send(notification)
            raise asyncio.CancelledError

    victim = Delivery(desk.site.database, desk.site.clock, {ReceiverKind.WEBHOOK: Dying()})
    number = (await desk.line()).id
    with pytest.raises(asyncio.CancelledError):
        await victim.deliver(Job(id=1, args={"notification": number}, attempt=1))
    await desk.deliver(1)
    first, second = await desk.mailbox.next(), await desk.mailbox.next()
    assert first.message_id == second.message_id
    await desk.deliver(2)
    assert desk.mailbox.got.empty()


async def test_a_receiver_removed_meanwhile_is_not_written_to(desk: Desk) -> None:
    async with desk.site.database.transaction() as tx:
        await remove_receiver(tx, HUB, desk.site.receiver.id)
    await desk.deliver()
    assert desk.mailbox.got.empty()
    assert (await desk.line()).status is DeliveryStatus.REJECTED


async def test_a_way_out_that_is_not_set_up_is_said_in_the_record(desk: Desk) -> None:
    desk.delivery = Delivery(desk.site.database, desk.site.clock, {})
    await desk.deliver()
    line = await desk.line()
    assert line.status is DeliveryStatus.REJECTED
    assert "webhook" in line.attempts[0].detail


async def test_resolved_never_overtakes_firing(desk: Desk) -> None:
    """The queue itself: the first attempt fails, "resolved" waits for the second."""
    site = desk.site
    desk.mailbox.trouble = [TryAgain("HTTP 503")]
    desk.delivery.register(site.jobs)
    (alert,) = await site.alerts()
    async with site.database.transaction() as tx:
        await resolve(tx, HUB, site.jobs, alert.id, reason="done")
    async with running(site.jobs.run()):
        steps = [(await desk.mailbox.next()).step.step for _ in range(2)]
    assert steps == [Step.FIRED, Step.RESOLVED]
    assert outcomes(await desk.line()) == ["try_again", "delivered"]
