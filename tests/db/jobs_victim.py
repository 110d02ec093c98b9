"""A worker that begins a job and never ends it: ``python -m tests.db.jobs_victim URL``."""

import asyncio
import sys
from datetime import UTC, datetime

from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database


async def main(url: str) -> None:
    """Say "begun" from within the job, then wait to be killed."""
    database = await Database.open(url)
    jobs = Jobs(database, lambda: datetime.now(UTC))

    async def begin(_job: Job) -> None:
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    jobs.handle("test.work", begin)
    await jobs.run(concurrency=1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
