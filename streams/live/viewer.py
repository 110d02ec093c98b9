"""What waits to be sent to one viewer, bounded: whoever is too slow is moved on to a key picture.

Nobody waits for a viewer: handing something to him costs the same whether he takes it or not.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from hub.domain.live_video import Behind, Fragment, LiveItem, LiveStatus, Track
from hub.domain.ports import CameraTarget, Picture

MOST_WAITING_S: Final = 1.5  # what waited longer is no longer live
MOST_WAITING_BYTES: Final = 8 * 1024 * 1024  # twice the largest group that a newcomer is given


class Viewer:
    """One viewer's side of a stream (:class:`hub.domain.live_video.LiveViewer`)."""

    def __init__(self, retarget: Callable[[CameraTarget], None]) -> None:
        self._retarget = retarget
        self._news: list[LiveStatus | Track | Picture] = []
        self._waiting: deque[tuple[Fragment, float]] = deque()
        self._bytes = 0
        self._skipped = 0
        self._needs_key = True
        self._has_begun = False
        self._waiter: asyncio.Future[None] | None = None

    async def next(self) -> Sequence[LiveItem]:
        """Wait for what comes, and return all of it, in order."""
        while not self._news and not self._waiting:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        found: list[LiveItem] = [*self._news]
        self._news.clear()
        if self._waiting:
            if self._skipped:
                found.append(Behind(skipped=self._skipped))
                self._skipped = 0
            found += [fragment for fragment, _ in self._waiting]
            self._waiting.clear()
            self._bytes = 0
        return found

    def retarget(self, target: CameraTarget) -> None:
        """Say how the camera is reached now."""
        self._retarget(target)

    def tell(self, news: LiveStatus | Track | Picture) -> None:
        """Hand over what is no fragment; of each kind only the last one counts.

        A track ends what came before it: what of that still waits is left out.
        """
        self._news = [one for one in self._news if type(one) is not type(news)]
        self._news.append(news)
        if isinstance(news, Track):
            self._drop(len(self._waiting))
            self._needs_key = True
        self._wake()

    def offer(self, fragment: Fragment, now: float) -> None:
        """Hand over a fragment, or leave it out while too much waits already."""
        if self._waiting and self._is_too_much(now, len(fragment.data)):
            self._move_on(now)
        if self._needs_key and not fragment.is_key:
            self._skipped += self._has_begun
            return
        self._needs_key, self._has_begun = False, True
        self._bytes += len(fragment.data)
        self._waiting.append((fragment, now))
        self._wake()

    def _is_too_much(self, now: float, more: int) -> bool:
        return now - self._waiting[0][1] > MOST_WAITING_S or self._bytes + more > MOST_WAITING_BYTES

    def _move_on(self, now: float) -> None:
        """Leave out what waits: up to the last key picture if that is recent, else all of it."""
        for index in range(len(self._waiting) - 1, 0, -1):
            fragment, since = self._waiting[index]
            if now - since > MOST_WAITING_S / 2:
                break
            if fragment.is_key:
                self._drop(index)
                return
        self._drop(len(self._waiting))
        self._needs_key = True

    def _drop(self, count: int) -> None:
        self._skipped += count
        for _ in range(count):
            fragment, _ = self._waiting.popleft()
            self._bytes -= len(fragment.data)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
