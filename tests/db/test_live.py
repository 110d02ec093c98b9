"""Notices of changes: to every subscriber, bounded, and one RESYNC for every gap."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from hub.domain.access import system_scope
from hub.runtime.ending import end_tasks
from hub.runtime.live import QUEUE_LIMIT, RESYNC, LiveFeed, Subscription
from hub.store.database import Database
from hub.store.notices import Notice, notify
from tests.proxy import open_proxy

SCOPE = system_scope("test")


@asynccontextmanager
async def listening(feed: LiveFeed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    try:
        yield
    finally:
        await end_tasks([task])


async def following(subscription: Subscription, count: int) -> list[Notice]:
    got: list[Notice] = []
    async with asyncio.timeout(15):
        async for notice in subscription:
            got.append(notice)
            if len(got) == count:
                break
    return got


async def say(database: Database, *ids: int) -> None:
    async with database.transaction() as tx:
        await notify(tx, SCOPE, "devices", ids)


def notice(*ids: int) -> Notice:
    return Notice(topic="devices", ids=ids)


async def test_everybody_hears_what_was_committed(database: Database) -> None:
    feed = LiveFeed(database)
    with feed.subscribe() as one, feed.subscribe() as other:
        async with listening(feed):
            assert await following(one, 1) == [RESYNC]
            with contextlib.suppress(ZeroDivisionError):
                async with database.transaction() as tx:
                    await notify(tx, SCOPE, "devices", [1])
                    raise ZeroDivisionError
            await say(database, 3, 2)
            await say(database, *range(700))
            heard = await following(one, 4)
            assert await following(other, 5) == [RESYNC, *heard]
    assert heard[0] == notice(2, 3)
    # PostgreSQL's limit for one notice splits long ones, and loses none.
    assert [n for part in heard[1:] for n in part.ids] == list(range(700))


async def test_foreign_texts_on_the_channel_are_passed_over(database: Database) -> None:
    feed = LiveFeed(database)
    with feed.subscribe() as mine:
        async with listening(feed):
            assert await following(mine, 1) == [RESYNC]
            async with database.transaction() as tx:
                for text in ("nonsense", "{}", '{"topic": "x", "ids": 5}'):
                    await tx.execute("SELECT pg_notify('gengfu', %(text)s)", {"text": text})
            await say(database, 9)
            assert await following(mine, 1) == [notice(9)]


async def test_who_falls_behind_gets_one_resync(database: Database) -> None:
    slow = Subscription()
    for number in range(QUEUE_LIMIT + 3):
        slow.offer(notice(number))
    # 256 fit, the next one cleared them, two more came after it.
    got = await following(slow, 3)
    assert got == [RESYNC, notice(QUEUE_LIMIT + 1), notice(QUEUE_LIMIT + 2)]


async def test_a_subscription_ends_with_its_block(database: Database) -> None:
    feed = LiveFeed(database)
    with feed.subscribe() as gone:
        pass
    with feed.subscribe() as mine:
        async with listening(feed):
            assert await following(mine, 1) == [RESYNC]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(aiter(gone))


@pytest.mark.threat("K3")
async def test_a_lost_database_comes_back_with_a_resync(timescaledb_database_url: str) -> None:
    parts = urlsplit(timescaledb_database_url)
    assert parts.port is not None
    async with open_proxy(parts.port) as proxy:
        through = parts._replace(
            netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}"
        ).geturl()
        direct = await Database.open(timescaledb_database_url)
        database = await Database.open(through)
        feed = LiveFeed(database)
        with feed.subscribe() as mine:
            async with listening(feed):
                assert await following(mine, 1) == [RESYNC]
                await proxy.cut()
                await say(direct, 1)  # nobody hears this: that is what the RESYNC is for
                await proxy.mend()
                assert await following(mine, 1) == [RESYNC]
                await say(direct, 2)
                assert await following(mine, 1) == [notice(2)]
        await database.close()
        await direct.close()


@pytest.mark.threat("K3")
async def test_a_listener_ended_by_the_server_listens_again(database: Database) -> None:
    feed = LiveFeed(database)
    with feed.subscribe() as mine:
        async with listening(feed):
            assert await following(mine, 1) == [RESYNC]
            async with database.transaction() as tx:
                await tx.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            assert await following(mine, 1) == [RESYNC]
