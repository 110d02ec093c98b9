"""A process that runs the alert engine until it is killed: ``python -m tests.db.alerts_victim``."""

import asyncio
import sys

from alerts.judging.engine import AlertEngine
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from tests.db.alerts_site import wall_clock


async def main(url: str) -> None:
    """Say "ready" and work."""
    database = await Database.open(url)
    live = LiveFeed(database)
    engine = AlertEngine(database, Jobs(database, wall_clock), live, wall_clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(live.run())
        group.create_task(engine.run())
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
