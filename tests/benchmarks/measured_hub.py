"""The real application in a process of its own, on a database of its own, for benchmarks."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.web.app import create_app
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.benchmarks.other_process import DATABASE_URL, OtherProcess, last
from tests.fresh_databases import drop, recreate, with_database
from tests.web.stage import Field, serve


@asynccontextmanager
async def fresh_database(name: str) -> AsyncIterator[str]:
    """The address of an empty, migrated database in TimescaleDB, which is gone after the block."""
    given = os.environ.get("GENGFU_TEST_TIMESCALEDB", "")
    server_url: str = given or await asyncio.to_thread(start_timescaledb)
    await asyncio.to_thread(recreate, server_url, name)
    try:
        url = with_database(server_url, name)
        await migrate(url)
        yield url
    finally:
        await asyncio.to_thread(drop, server_url, name)


class MeasuredHub(OtherProcess):
    """Serves until the block ends; ``is_live``: by today's date, and it hears of changes."""

    def __init__(self, url: str, *, is_live: bool = False) -> None:
        options = ["--live"] if is_live else []
        super().__init__("tests.benchmarks.measured_hub", *options, database_url=url)

    @property
    def address(self) -> str:
        """Where it is reached."""
        return self.said


async def _serve(url: str, folder: Path, *, is_live: bool) -> None:
    database = await Database.open(url)
    feed = LiveFeed(database)
    listening = asyncio.create_task(feed.run()) if is_live else None
    field = Field(now=datetime.now(UTC)) if is_live else Field()
    async with serve(create_app(field.services(database, folder, feed))) as address:
        await last(address)
    if listening is not None:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", action="store_true")
    with tempfile.TemporaryDirectory() as data:
        is_live = parser.parse_args().live
        uvloop.run(_serve(os.environ[DATABASE_URL], Path(data), is_live=is_live))
