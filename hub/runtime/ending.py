"""Ends tasks for certain."""

import asyncio
from collections.abc import Iterable

AGAIN_S = 0.2


async def end_tasks(tasks: Iterable[asyncio.Task[object]]) -> None:
    """Cancel tasks and wait until all have ended; what they raise is theirs.

    A cancellation may have to be repeated: before Python 3.12 ``asyncio.wait_for`` loses one that
    meets the end of what it waits for, and the database's pool waits by it.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
