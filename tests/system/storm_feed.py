"""Hands a script over to the pipeline, moment by moment, in real time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hub.domain.devices import Registration
from hub.runtime.pipeline import Pipeline
from hub.runtime.registry import Registry
from hub.store.database import Database
from tests.system.storm_county import StormCounty
from tests.system.storm_script import Moment

Acknowledge = Callable[[int], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Feed:
    """What adapters and probes do, in this process. ``now`` is the script's time."""

    county: StormCounty
    database: Database
    pipeline: Pipeline
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def play(
        self, moments: Sequence[Moment], start: datetime, acknowledge: Acknowledge | None = None
    ) -> None:
        """Hand everything over, each at its moment after ``start``, and wait until it is stored."""
        link = self.pipeline.link(self.county.connection, Registration.APPROVED)
        for moment in moments:
            due = start + timedelta(seconds=moment.at_s)
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            self.now = due
            if moment.verdicts:
                await self.pipeline.report([verdict.report(start) for verdict in moment.verdicts])
            if moment.occurrences:
                await link.emit(moment.occurrences)
            if moment.acknowledge is not None and acknowledge is not None:
                await acknowledge(moment.acknowledge)
        stored = asyncio.Event()
        await link.emit([], acknowledge=stored.set)
        await stored.wait()


@asynccontextmanager
async def run_feed(database: Database, county: StormCounty) -> AsyncIterator[Feed]:
    """A pipeline at work; it ends with the block."""
    registry = Registry(database)
    await registry.load()
    feed: Feed | None = None

    def clock() -> datetime:
        return datetime.now(UTC) if feed is None else feed.now

    feed = Feed(county=county, database=database, pipeline=Pipeline(database, registry, clock))
    writing = asyncio.create_task(feed.pipeline.run(), name="storm-feed")
    try:
        yield feed
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
