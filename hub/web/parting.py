"""How a WebSocket ends: its client leaves, or the hub says why it is over and closes."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from hub.runtime.ending import end_tasks

LAST_WORDS_S: Final = 2.0
# The one who finds out hears the first; whoever else still sends or listens, the second.
LEFT: Final = (WebSocketDisconnect, WebSocketDisconnected)


async def part(socket: WebSocket, last_words: str, *, code: int, reason: str) -> None:
    """Say why it is over and close; a client that takes nothing is not waited for."""
    with suppress(*LEFT, RuntimeError, TimeoutError):
        async with asyncio.timeout(LAST_WORDS_S):
            await socket.send_text(last_words)
            await socket.close(code, reason)


async def drop(tasks: Iterable[asyncio.Task[object]]) -> None:
    """End tasks; that the client has gone is told by one of them, and need not be by all."""
    ending = list(tasks)
    await end_tasks(ending)
    for task in ending:
        if not task.cancelled():
            task.exception()
