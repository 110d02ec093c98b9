"""Hours in seconds: an event loop whose clock jumps to whatever is due next.

For code that gets its time from the loop and touches no socket: days of sleeping take as long as
the work between the sleeps.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")
START = datetime(2026, 11, 1, tzinfo=UTC)


class _Selector(selectors.SelectSelector):
    """Waits for nobody: tells how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                msg = "everybody waits and nothing is due"
                raise RuntimeError(msg)
            self.waited += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time is the sum of what it would have waited."""

    def __init__(self) -> None:
        self._waits = _Selector()
        super().__init__(self._waits)

    def time(self) -> float:
        """Seconds since the start."""
        return self._waits.waited


def run(work: Coroutine[None, None, T]) -> T:
    """Run some work to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def clock() -> datetime:
    """The time of the running virtual loop."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())
