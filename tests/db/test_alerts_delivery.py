"""Posting: messages and digests, attempts recorded and repeated, channels that die."""

import asyncio
from dataclasses import replace

import pytest

from alerts.telling.delivery import Delivery
from alerts.telling.desk import send_test, tell
from alerts.telling.posting import RETRY_WAITS_S
from hub.domain.alerts import Step
from hub.domain.errors import Rejected, TryAgain
from hub.domain.events import Severity
from hub.domain.notifications import DeliveryStatus, Message, ReceiverKind
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database
from hub.store.receivers import change_receiver, get_receiver, remove_receiver
from tests.db.alerts_site import HUB, Clock, Mailbox, running, wall_clock
from tests.db.posting_site import PostingSite


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(database: Database, clock: Clock) -> PostingSite:
    return await PostingSite(database, clock).build()


async def test_few_go_one_by_one_and_many_as_a_digest(site: PostingSite, clock: Clock) -> None:
    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    (alone,) = await site.fire(rule)
    (single,) = await site.post(receiver)
    assert [told.alert.id for told in single.notifications] == [alone]
    assert (single.count, single.notifications[0].why) == (1, "rule offline")
    clock.pass_s(30)
    three = await site.fire(rule, 3)
    singles = await site.post(receiver)
    assert [one.notifications[0].alert.id for one in singles] == three
    clock.pass_s(30)
    # Fired and over before it left: both are in the digest, in order.
    many = await site.fire(rule, 60)
    await site.tell(many[:2], Step.RESOLVED)
    clock.pass_s(2)
    (digest,) = await site.post(receiver)
    assert digest.count == 62
    assert digest.tally == {Step.FIRED: 60, Step.RESOLVED: 2}
    assert [told.alert.id for told in digest.notifications] == many[:20]
    assert await site.post(receiver) == []
    assert await site.books() == {"delivered": 66}
    assert {one.message_id for one in (single, *singles, digest)} == {
        line.message_id for line in await site.messages(receiver)
    }


async def test_what_is_not_urgent_gathers_and_a_minute_is_bounded(
    site: PostingSite, clock: Clock
) -> None:
    receiver = await site.add_receiver(most_a_minute=2)
    rule = await site.add_rule(receiver, severity=Severity.WARNING)
    await site.fire(rule)
    assert await site.post(receiver) == []
    clock.pass_s(2)
    assert len(await site.post(receiver)) == 1
    # One a second, and a job for each: what the minute leaves is one more message.
    counts = []
    for _ in range(50):
        await site.fire(rule)
        clock.pass_s(1)
        counts += [message.count for message in await site.post(receiver)]
    assert counts[0] >= 1
    assert len(counts) == 1
    clock.pass_s(30)
    (rest,) = await site.post(receiver)
    assert 1 + counts[0] + rest.count == 51
    assert await site.books() == {"delivered": 51}


async def test_a_failure_is_repeated_and_what_comes_meanwhile_waits(
    site: PostingSite, clock: Clock
) -> None:
    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    (first,) = await site.fire(rule)
    site.mailbox.trouble = [TryAgain("HTTP 503"), TryAgain("HTTP 429", after_s=40)]
    assert await site.post(receiver) == []
    (line,) = await site.lines(first)
    assert (line.status, len(line.attempts)) == (DeliveryStatus.WAITING, 1)
    await site.fire(rule, 9)
    assert await site.post(receiver) == []  # too early
    assert len((await site.lines(first))[0].attempts) == 1
    clock.pass_s(RETRY_WAITS_S[0])
    assert await site.post(receiver) == []
    clock.pass_s(39)
    assert await site.post(receiver) == []  # the receiver asked for 40 s
    clock.pass_s(1)
    repeated, digest = await site.post(receiver)
    (line,) = await site.lines(first)
    assert (line.message_id, line.status) == (repeated.message_id, DeliveryStatus.DELIVERED)
    assert [(a.outcome, a.detail) for a in line.attempts] == [
        ("try_again", "HTTP 503"),
        ("try_again", "HTTP 429"),
        ("delivered", "kept"),
    ]
    assert (repeated.count, digest.count) == (1, 9)


async def test_a_critical_alert_does_not_wait_for_an_hour_behind_a_message(
    site: PostingSite, clock: Clock
) -> None:
    receiver = await site.add_receiver()
    mild = await site.add_rule(receiver, severity=Severity.INFO)
    grave = await site.add_rule(receiver)
    await site.fire(mild)
    clock.pass_s(2)
    for wait_s in (0.0, *RETRY_WAITS_S[:7]):
        clock.pass_s(wait_s)
        site.mailbox.trouble = [TryAgain("HTTP 503")]
        assert await site.post(receiver) == []
    await site.fire(mild)
    clock.pass_s(61)
    assert await site.post(receiver) == []  # not for that
    await site.fire(grave)
    first, *rest = await site.post(receiver)
    assert first.notifications[0].alert.rule_id == mild.id
    assert [one.notifications[0].alert.rule_id for one in rest] == [mild.id, grave.id]


async def test_refused_and_given_up_are_final_and_the_next_goes_on(
    site: PostingSite, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    await site.fire(rule, 2)
    site.mailbox.trouble = [Rejected("HTTP 400")]
    assert len(await site.post(receiver)) == 1
    assert await site.books() == {"rejected": 1, "delivered": 1}
    assert "given up: HTTP 400" in caplog.text
    clock.pass_s(60)
    await site.fire(rule, 5)
    site.mailbox.trouble = [TryAgain("HTTP 503")] * (len(RETRY_WAITS_S) + 1)
    for wait_s in (0.0, *RETRY_WAITS_S):
        clock.pass_s(wait_s)
        await site.post(receiver)
    assert await site.books() == {"rejected": 1, "delivered": 1, "failed": 5}
    clock.pass_s(60)
    await site.fire(rule)
    assert len(await site.post(receiver)) == 1


@pytest.mark.threat("K1")
async def test_killed_after_sending_the_same_id_is_sent_again(site: PostingSite) -> None:
    class Dying(Mailbox):
        """Dies between sending and saying so."""

        async def send(self, message: Message) -> str:
            await site.mailbox.send(message)
            raise asyncio.CancelledError

    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    await site.fire(rule, 7)
    victim = Delivery(site.database, site.clock, {ReceiverKind.WEBHOOK: Dying()})
    victim.register(Jobs(site.database, site.clock))
    with pytest.raises(asyncio.CancelledError):
        await victim.post(Job(id=1, args={"receiver": receiver.id}, attempt=1))
    await site.fire(rule)  # it is not in the message that was made
    first, again, rest = await site.post(receiver)
    assert (first.message_id, first.count) == (again.message_id, again.count)
    assert first.notifications == again.notifications
    assert rest.count == 1
    assert await site.post(receiver) == []


async def test_whoever_is_about_to_be_told_is_waited_for(site: PostingSite, clock: Clock) -> None:
    """A job that runs between the notifications and their commit must not miss them."""
    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    tellings = await site.note(await site.open_alerts(rule, 5), Step.FIRED)
    async with site.database.transaction() as tx:
        await tell(tx, HUB, site.jobs, tellings, clock())
        posting = asyncio.create_task(site.post(receiver))
        await asyncio.sleep(0.05)
        assert not posting.done()
    (digest,) = await posting
    assert digest.count == 5


async def test_a_receiver_switched_off_or_removed_gets_nothing_more(
    site: PostingSite, clock: Clock
) -> None:
    off, gone = await site.add_receiver("off"), await site.add_receiver("gone")
    rule = await site.add_rule(off, gone)
    (first,) = await site.fire(rule)
    site.mailbox.trouble = [TryAgain("HTTP 503")] * 2
    await site.post(off)
    await site.post(gone)
    (second,) = await site.fire(rule)
    async with site.database.transaction() as tx:
        await change_receiver(tx, HUB, replace(off, is_enabled=False))
        await remove_receiver(tx, HUB, gone.id)
    clock.pass_s(60)
    assert await site.post(off) == await site.post(gone) == []
    reasons = {
        line.receiver_name: line.attempts[-1].detail
        for alert in (first, second)
        for line in await site.lines(alert)
    }
    assert reasons == {
        "off": "the receiver is switched off",
        "gone": "the receiver was removed",
    }
    assert await site.books() == {"rejected": 4}
    assert await site.news() == []  # nothing of his own failed
    async with site.database.transaction() as tx:
        await change_receiver(tx, HUB, off)
    await site.tell([first], Step.RESOLVED)
    clock.pass_s(5)
    assert [one.count for one in await site.post(off)] == [1]


async def test_a_way_out_that_is_not_set_up_is_said_in_the_record(site: PostingSite) -> None:
    receiver = await site.add_receiver()
    (alert,) = await site.fire(await site.add_rule(receiver))
    site.delivery = Delivery(site.database, site.clock, {})
    site.delivery.register(Jobs(site.database, site.clock))
    await site.post(receiver)
    (line,) = await site.lines(alert)
    assert line.status is DeliveryStatus.REJECTED
    assert "webhook" in line.attempts[0].detail


async def test_a_defect_of_a_notifier_is_an_attempt_like_others(
    site: PostingSite, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = await site.add_receiver()
    (alert,) = await site.fire(await site.add_rule(receiver))
    site.mailbox.trouble = [ZeroDivisionError("1/0")]
    assert await site.post(receiver) == []
    clock.pass_s(1)
    assert len(await site.post(receiver)) == 1
    (line,) = await site.lines(alert)
    assert [a.outcome for a in line.attempts] == ["try_again", "delivered"]
    assert "has a defect" in caplog.text


async def test_a_dead_channel_is_news_once_and_so_is_its_return(
    site: PostingSite, clock: Clock
) -> None:
    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    await site.fire(rule)
    site.mailbox.trouble = [TryAgain("HTTP 503")] * 8
    seen = []
    for wait_s in (0.0, *RETRY_WAITS_S[:7]):
        clock.pass_s(wait_s)
        await site.post(receiver)
        seen.append(len(await site.news()))
    assert seen == [0, 0, 0, 0, 0, 1, 1, 1]  # 201 s after the first failure
    async with site.database.transaction() as tx:
        failing = await get_receiver(tx, HUB, receiver.id)
    assert failing.failing_since is not None
    clock.pass_s(RETRY_WAITS_S[7])
    assert len(await site.post(receiver)) == 1
    clock.pass_s(60)
    await site.fire(rule)
    await site.post(receiver)
    assert await site.news() == [
        ("receiver.failing", receiver.id),
        ("receiver.working", receiver.id),
    ]
    async with site.database.transaction() as tx:
        assert (await get_receiver(tx, HUB, receiver.id)).failing_since is None


@pytest.mark.threat("T9")
async def test_a_template_that_fails_is_told_once_and_a_plain_message_goes_out(
    site: PostingSite, clock: Clock
) -> None:
    receiver = await site.add_receiver(template="{{ nothing.of.this }}")
    rule = await site.add_rule(receiver)
    texts = []
    for template in (receiver.template, receiver.template, "{{ alert.reason }}!"):
        async with site.database.transaction() as tx:
            await change_receiver(tx, HUB, replace(receiver, template=template))
        await site.fire(rule)
        texts += [message.text for message in await site.post(receiver)]
        clock.pass_s(60)
    assert texts == ["", "", "offline for 30 s!"]
    assert await site.news() == [
        ("template.failed", receiver.id),
        ("template.mended", receiver.id),
    ]


async def test_a_test_message_takes_the_way_of_all_and_is_marked(
    site: PostingSite, clock: Clock
) -> None:
    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    async with site.database.transaction() as tx:
        await change_receiver(tx, HUB, replace(receiver, is_enabled=False))
        await send_test(tx, replace(HUB, actor="wang"), site.jobs, receiver.id)
    (test,) = await site.post(receiver)
    (told,) = test.notifications
    assert told.alert.drill_id is not None
    assert "wang" in told.step.note
    # One attempt is enough: whoever asked for it looks, and alerts do not wait behind it.
    async with site.database.transaction() as tx:
        await change_receiver(tx, HUB, receiver)
        await send_test(tx, replace(HUB, actor="wang"), site.jobs, receiver.id)
    clock.pass_s(60)
    await site.fire(rule)
    site.mailbox.trouble = [TryAgain("HTTP 503")]
    (alert,) = await site.post(receiver)
    assert alert.notifications[0].alert.drill_id is None
    lines = await site.messages(receiver)
    assert [(line.test_by, line.count, line.status.value) for line in lines] == [
        ("wang", 0, "delivered"),
        ("wang", 0, "failed"),
        ("", 1, "delivered"),
    ]
    assert await site.books() == {"delivered": 1}


async def test_the_queue_brings_a_storm_in_one_message_and_repeats_it(database: Database) -> None:
    """Real jobs in real time."""
    site = await PostingSite(database, wall_clock).build()
    receiver = await site.add_receiver()
    rule = await site.add_rule(receiver)
    site.mailbox.trouble = [TryAgain("HTTP 503")]
    async with running(site.jobs.run()):
        await site.fire(rule, 1000)
        digest = await site.mailbox.next()
        assert digest.count == 1000
        async with asyncio.timeout(15):
            while await site.books() != {"delivered": 1000}:
                await asyncio.sleep(0.02)
    assert [line.message_id for line in await site.messages(receiver)] == [digest.message_id]


async def jobs_of(site: PostingSite) -> list[int]:
    async with site.database.transaction() as tx:
        rows = await tx.tuples(
            "DELETE FROM procrastinate_jobs WHERE task_name = 'alerts.post'"
            " RETURNING args ->> 'receiver'"
        )
    return sorted(int(str(number)) for (number,) in rows)


@pytest.mark.threat("K1")
async def test_what_has_lost_its_job_gets_another(site: PostingSite, clock: Clock) -> None:
    busy, idle = await site.add_receiver("busy"), await site.add_receiver("idle")
    await site.add_rule(idle)
    grave = await site.add_rule(busy)
    mild = await site.add_rule(busy, severity=Severity.INFO)
    await site.fire(mild)
    assert await jobs_of(site) == [busy.id]  # and now it is gone
    await site.delivery.look()
    assert await jobs_of(site) == []  # not due yet
    await site.fire(grave)
    await jobs_of(site)
    await site.delivery.look()
    await site.delivery.look()
    assert await jobs_of(site) == [busy.id]
    site.mailbox.trouble = [TryAgain("HTTP 503")]
    await site.post(busy)
    await site.delivery.look()
    assert await jobs_of(site) == []  # put off
    clock.pass_s(1)
    await site.delivery.look()
    assert await jobs_of(site) == [busy.id]
    await site.post(busy)
    clock.pass_s(60)
    async with site.database.transaction() as tx:
        await send_test(tx, replace(HUB, actor="wang"), site.jobs, idle.id)
    await jobs_of(site)
    await site.delivery.look()
    assert await jobs_of(site) == [busy.id, idle.id]  # what was mild is due now, too
