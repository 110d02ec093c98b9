"""Work that one process of all does while the others stand by: the adapters.

A short loss of the database does not end the work; another process that took over does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.runtime.ending import end_tasks
from hub.store.database import Database
from hub.store.leadership import Claim

log = logging.getLogger(__name__)

ASK_S = 2.0


async def lead(database: Database, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do ``work`` whenever this process holds the lock called ``name``, until cancelled."""
    claim = Claim(database, system_scope("hub.runtime"), name)
    task: asyncio.Task[None] | None = None
    try:
        while True:
            is_held = await _ask(claim)
            if is_held and task is None:
                log.info("this process takes the role %s", name)
                task = asyncio.create_task(_run(work), name=f"lead-{name}")
            elif is_held is False and task is not None:
                log.warning("another process has taken the role %s: standing by", name)
                await end_tasks([task])
                task = None
            await _pause(task)
    finally:
        if task is not None:
            await end_tasks([task])
        await claim.let_go()


async def _ask(claim: Claim) -> bool | None:
    """None: the database does not say."""
    try:
        return await claim.try_hold()
    except StoreUnavailable:
        return None


async def _pause(task: asyncio.Task[None] | None) -> None:
    """Wait a while; a defect in the work comes through at once."""
    if task is None:
        await asyncio.sleep(ASK_S)
    else:
        done, _ = await asyncio.wait({task}, timeout=ASK_S)
        for ended in done:
            ended.result()


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
