"""Many slow visits in one run: spread over time, bounded in all and by subnet, kept in batches.

Neighbours by number are neighbours on the wall, behind one link: they are visited in a random
order, a pause apart, and few at once behind one subnet.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, TypeVar

LONGEST_GAP_S: Final = 2.0

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]
Visit = Callable[[T], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How hard a run visits: it begins visits for ``spread_s`` and is over after ``lasts_s``.

    ``concurrency`` and ``per_subnet`` bound what is under way in one process.
    """

    spread_s: float
    lasts_s: float
    concurrency: int
    per_subnet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """Time and chance, as they are handed in."""

    rng: random.Random = field(default_factory=random.Random)
    pause: Pause = asyncio.sleep


class Spreader:
    """Goes through the visits of the runs of one process."""

    def __init__(self, spread: Spread, chance: Chance) -> None:
        self._spread = spread
        self._chance = chance
        self._slots = asyncio.Semaphore(spread.concurrency)
        self._gates: dict[str, asyncio.Semaphore] = {}

    async def visit(
        self,
        due: Sequence[T],
        visit: Visit[T],
        *,
        subnet: Callable[[T], str],
        between: Callable[[], Awaitable[None]],
    ) -> list[tuple[T, Exception]]:
        """Visit all that is due; return whom a defect met, with the defect.

        What was not begun when the run is over is left out: it stays due. ``between`` is called
        now and then, to keep what was found so far. Cancellation ends all visits.
        """
        waiting = list(due)
        self._chance.rng.shuffle(waiting)
        gap_s = min(self._spread.spread_s / max(len(waiting), 1), LONGEST_GAP_S)
        ends = asyncio.get_running_loop().time() + self._spread.lasts_s
        visits: list[asyncio.Task[None]] = []

        async def within_limits(one: T) -> None:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._gate(subnet(one)))
                await stack.enter_async_context(self._slots)
                if asyncio.get_running_loop().time() < ends:
                    await visit(one)

        try:
            for one in waiting:
                visits.append(asyncio.create_task(within_limits(one)))
                await self._chance.pause(gap_s)
                await between()
            results = await asyncio.gather(*visits, return_exceptions=True)
        finally:
            for task in visits:
                task.cancel()
            await asyncio.gather(*visits, return_exceptions=True)
        return [
            (one, defect)
            for one, defect in zip(waiting, results, strict=True)
            if isinstance(defect, Exception)
        ]

    def _gate(self, subnet: str) -> asyncio.Semaphore:
        gate = self._gates.get(subnet)
        if gate is None:
            gate = self._gates[subnet] = asyncio.Semaphore(self._spread.per_subnet)
        return gate
