"""A process that keeps deadlines until it is killed: ``python -m tests.db.deadlines_victim``."""

import asyncio
import sys

from hub.patrols.dispatch.deadlines import DeadlineKeeper
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from tests.db.alerts_site import wall_clock


async def main(url: str) -> None:
    """Say "ready" and work."""
    database = await Database.open(url)
    live = LiveFeed(database)
    keeper = DeadlineKeeper(database, wall_clock, live=live)
    async with asyncio.TaskGroup() as group:
        group.create_task(live.run())
        group.create_task(keeper.run())
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
