"""One process of all works; another takes over when it is gone."""

import asyncio
from contextlib import suppress

import psycopg
import pytest

from hub.runtime.leading import lead
from hub.store.database import Database


class Work:
    """Counts how often it was begun and whether it goes on."""

    def __init__(self) -> None:
        self.begun = 0
        self.is_going_on = False

    async def __call__(self) -> None:
        self.begun += 1
        self.is_going_on = True
        try:
            await asyncio.Event().wait()
        finally:
            self.is_going_on = False


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition: object, *, within_s: float = 20.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


async def test_one_works_and_the_other_takes_over(database: Database) -> None:
    first, second = Work(), Work()
    one = asyncio.create_task(lead(database, "ingest", first))
    await until(lambda: first.is_going_on)
    other = asyncio.create_task(lead(database, "ingest", second))
    await asyncio.sleep(0.3)
    assert second.begun == 0
    await stop(one)
    assert not first.is_going_on
    await until(lambda: second.is_going_on)
    await stop(other)


@pytest.mark.threat("K3")
async def test_a_lost_connection_does_not_end_the_work(database: Database, server_url: str) -> None:
    work = Work()
    task = asyncio.create_task(lead(database, "ingest", work))
    await until(lambda: work.is_going_on)
    name = psycopg.conninfo.conninfo_to_dict(database.address)["dbname"]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend'",
            [name],
        )
    await asyncio.sleep(3)
    assert (work.begun, work.is_going_on) == (1, True)
    await stop(task)


async def test_a_defect_in_the_work_comes_through(database: Database) -> None:
    async def broken() -> None:
        msg = "a defect"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="a defect"):
        await asyncio.wait_for(lead(database, "ingest", broken), 10)
