"""Posting to real receivers on loopback: bad ones, killed senders, a database that goes away."""

import asyncio
import email
import email.policy
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import psycopg
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from alerts.notify.smtp import SmtpNotifier
from alerts.notify.webhook import WebhookNotifier
from alerts.telling.delivery import Delivery
from hub.domain.alerts import Step
from hub.domain.errors import StoreUnavailable
from hub.domain.events import Severity
from hub.domain.notifications import Receiver, ReceiverKind
from hub.domain.ports import Clock as AnyClock
from hub.runtime.jobs import Jobs
from hub.runtime.outbound import open_client
from hub.store.database import Database
from hub.store.receivers import add_receiver
from hub.store.vault import Vault
from tests.db.alerts_site import HUB, Clock, running, wall_clock
from tests.db.posting_site import PostingSite
from tests.db.posting_victim import LOOPBACK
from tests.protocol.notify_far_end import FarEnd, run_far_end
from tests.proxy import open_proxy

ROOT = Path(__file__).parents[2]
HASTY_S = 0.3
ROUNDS = 4


class Post:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 kept"


@asynccontextmanager
async def run_post() -> AsyncIterator[tuple[Post, int]]:
    post = Post()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(post, loop=loop), "127.0.0.1", 0)
    try:
        yield post, int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def real_ways_out(
    site: PostingSite, clock: AnyClock, *, timeout_s: float = HASTY_S
) -> AsyncIterator[None]:
    """Let the site post by HTTP and mail."""
    async with open_client(LOOPBACK) as client:
        site.delivery = Delivery(
            site.database,
            clock,
            {
                ReceiverKind.WEBHOOK: WebhookNotifier(client, clock, UTC, timeout_s=timeout_s),
                ReceiverKind.SMTP: SmtpNotifier(LOOPBACK, UTC),
            },
        )
        site.jobs = Jobs(site.database, clock)
        site.delivery.register(site.jobs)
        yield


async def add_mailbox(site: PostingSite, port: int) -> Receiver:
    receiver = Receiver(
        name="mail",
        area_id=site.areas["county"].id,
        kind=ReceiverKind.SMTP,
        options={
            "host": "127.0.0.1", "port": port, "tls": "none", "sender": "hub@example.org",
            "recipients": ["duty@example.org"],
        },
    )  # fmt: skip
    async with site.database.transaction() as tx:
        return await add_receiver(tx, HUB, receiver)


def tell_count(far_end: FarEnd) -> tuple[int, int]:
    """How many messages arrived whole, and how many notifications they hold."""
    held: dict[str, int] = {}
    for request in far_end.requests:
        body = json.loads(request.body)
        assert body["id"] == request.headers["webhook-id"]
        count = body.get("count", 1)
        assert held.setdefault(body["id"], count) == count  # a repeat is the same message
    return len(held), sum(held.values())


async def test_a_storm_at_a_receiver_that_hangs_fails_and_asks_to_wait(
    database: Database,
) -> None:
    clock = Clock()
    site = await PostingSite(database, clock).build()
    async with run_far_end() as far_end, run_post() as (post, port):
        address = f"http://127.0.0.1:{far_end.port}/hook"
        hook = await site.add_receiver("hook", address=address, most_a_minute=6)
        mail = await add_mailbox(site, port)
        rule = await site.add_rule(hook, mail, severity=Severity.WARNING)
        async with real_ways_out(site, clock):
            await site.fire(rule, 1000)
            clock.pass_s(2)
            # How the far end answers, how long until the next attempt, and an attempt too early.
            for mode, status, extra, wait_s in (
                ("hang", 200, "", 1.0),
                ("answer", 500, "", 5.0),
                ("answer", 429, "Retry-After: 120\r\n", 120.0),
                ("half", 200, "", 60.0),
            ):
                far_end.mode, far_end.status, far_end.extra = mode, status, extra
                await site.post(hook)
                tried = len(far_end.requests)
                await site.fire(rule, 10)
                clock.pass_s(wait_s - 0.5)
                await site.post(hook)
                assert len(far_end.requests) == tried
                clock.pass_s(0.5)
            assert len({request.headers["webhook-id"] for request in far_end.requests}) == 1
            far_end.mode, far_end.status, far_end.extra = "answer", 204, ""
            await site.post(hook)
            await site.post(mail)
    (first, rest) = await site.messages(hook)
    assert [a.detail for a in first.attempts][:3] == [
        "no answer within 0.3 s",
        "HTTP 500",
        "HTTP 429",
    ]
    assert [a.outcome for a in first.attempts] == ["try_again"] * 4 + ["delivered"]
    assert (first.count, rest.count) == (1000, 40)
    assert tell_count(far_end) == (2, 1040)
    assert len(post.envelopes) == len(await site.messages(mail)) == 1
    assert await site.books() == {"delivered": 2080}
    # Four failures and 126 s: long enough to be news, and over now.
    assert await site.news() == [("receiver.failing", hook.id), ("receiver.working", hook.id)]


@pytest.mark.threat("T13")
async def test_a_redirect_to_an_inner_address_is_not_followed(database: Database) -> None:
    clock = Clock()
    site = await PostingSite(database, clock).build()
    async with run_far_end() as far_end, run_far_end() as inner:
        hook = await site.add_receiver("hook", address=f"http://127.0.0.1:{far_end.port}/")
        link_local = await site.add_receiver("meta", address="http://169.254.169.254/latest")
        await site.fire(await site.add_rule(hook, link_local))
        far_end.status, far_end.extra = 307, f"Location: http://127.0.0.1:{inner.port}/\r\n"
        async with real_ways_out(site, clock):
            await site.post(hook)
            await site.post(link_local)
        assert inner.requests == []
    assert await site.books() == {"rejected": 2}
    for receiver in (hook, link_local):
        (message,) = await site.messages(receiver)
        assert len(message.attempts) == 1


@pytest.mark.threat("T7")
async def test_names_of_devices_stay_inert_in_digests(database: Database) -> None:
    clock = Clock()
    site = await PostingSite(database, clock).build()
    nasty = "<img src=x onerror=alert(1)>\r\nBcc: all@example.org {{ 7 | times: 7 }}"
    async with run_far_end() as far_end, run_post() as (post, port):
        hook = await site.add_receiver("hook", address=f"http://127.0.0.1:{far_end.port}/")
        mail = await add_mailbox(site, port)
        rule = await site.add_rule(hook, mail)
        alerts = await site.open_alerts(rule, 5)
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE alerts SET device_id = 9, device_name = %(name)s", {"name": nasty}
            )
        await site.tell(alerts, Step.FIRED)
        async with real_ways_out(site, clock):
            await site.post(hook)
            await site.post(mail)
        (request,) = far_end.requests
    assert b"<" not in request.body
    told = json.loads(request.body)["notifications"]
    assert {one["alert"]["device"]["name"] for one in told} == {" ".join(nasty.split())}
    (envelope,) = post.envelopes
    assert envelope.rcpt_tos == ["duty@example.org"]
    content = envelope.content
    assert isinstance(content, bytes)
    mail_got = email.message_from_bytes(content, policy=email.policy.default)
    assert "Bcc" not in mail_got
    assert mail_got.get_content_type() == "text/plain"
    assert "{{ 7 | times: 7 }}" in mail_got.get_content()


@pytest.mark.threat("K1")
async def test_killed_at_any_moment_nothing_is_lost_and_a_repeat_keeps_its_id(
    timescaledb_database_url: str, vault: Vault, tmp_path: Path
) -> None:
    database = await Database.open(timescaledb_database_url, vault=vault)
    site = await PostingSite(database, wall_clock).build()
    rng = random.Random(6)  # a repeatable test, no secret
    async with run_far_end() as far_end:
        hook = await site.add_receiver("hook", address=f"http://127.0.0.1:{far_end.port}/")
        rule = await site.add_rule(hook)
        for _ in range(ROUNDS):
            victim = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.db.posting_victim", timescaledb_database_url,
                str(tmp_path / "gengfu.key"), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert victim.stdout is not None
            assert await victim.stdout.readline() == b"ready\n"
            for count in (1, 2, 30):
                await site.fire(rule, count)
                await asyncio.sleep(rng.uniform(0, 0.1))
            victim.kill()
            await victim.wait()
            await _forget_workers(database)
        async with real_ways_out(site, wall_clock, timeout_s=5), running(site.jobs.run()):
            async with asyncio.timeout(60):
                while (await site.books()).get("waiting"):
                    await asyncio.sleep(0.1)
    assert await site.books() == {"delivered": 33 * ROUNDS}
    messages = await site.messages(hook)
    got, held = tell_count(far_end)
    assert (got, held) == (len(messages), 33 * ROUNDS)
    await database.close()


async def _forget_workers(database: Database) -> None:
    """Let the time pass after which a worker without a heartbeat is dead."""
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 min'"
        )


class Patient(FarEnd):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()
        self.mode = "wait"

    async def wait(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold the answer back."""
        await self.release.wait()
        await self.answer(reader, writer)


@pytest.mark.threat("K3")
async def test_the_database_is_cut_while_a_message_is_on_its_way(
    timescaledb_database_url: str, vault: Vault
) -> None:
    url = timescaledb_database_url
    port = int(psycopg.conninfo.conninfo_to_dict(url)["port"] or 5432)
    far_end = Patient()
    await far_end.start()
    async with open_proxy(port) as proxy:
        through = psycopg.conninfo.make_conninfo(url, port=proxy.port)
        database = await Database.open(through, vault=vault)
        site = await PostingSite(database, wall_clock).build()
        hook = await site.add_receiver("hook", address=f"http://127.0.0.1:{far_end.port}/")
        await site.fire(await site.add_rule(hook), 9)
        async with real_ways_out(site, wall_clock, timeout_s=30):
            sending = asyncio.create_task(site.post(hook))
            await far_end.received(1)
            await proxy.cut()
            far_end.release.set()
            with pytest.raises(StoreUnavailable):
                await site.books()
            await proxy.mend()
            await sending
        # Sent, and written down once the database was back: nothing is sent again.
        assert await site.post(hook) == []
        assert await site.books() == {"delivered": 9}
        await database.close()
    assert len(far_end.requests) == 1
    await far_end.stop()
