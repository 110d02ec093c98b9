"""Many slow visits: spread over time, bounded in all and by subnet."""

import asyncio
import random
from collections import Counter

import pytest

from hub.maintenance.spreading import LONGEST_GAP_S, Chance, Spread, Spreader


class Run:
    """Visits to numbers; the tens digit is the subnet."""

    def __init__(self, **spread: float) -> None:
        self.visited: list[int] = []
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.pauses: list[float] = []
        self.turns = 0
        self.gate = asyncio.Event()
        named = {"spread_s": 10.0, "lasts_s": 60.0, "concurrency": 100, "per_subnet": 100}
        self.spreader = Spreader(
            Spread(**{**named, **spread}),  # type: ignore[arg-type]  # by name
            Chance(rng=random.Random(3), pause=self.pause),
        )

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def between(self) -> None:
        self.turns += 1

    async def visit(self, number: int) -> None:
        keys = ("all", f"{number // 10}")
        for key in keys:
            self.under_way[key] += 1
            self.most[key] = max(self.most[key], self.under_way[key])
        try:
            await self.gate.wait()
            if number < 0:
                msg = f"defect {number}"
                raise ValueError(msg)
            self.visited.append(number)
        finally:
            for key in keys:
                self.under_way[key] -= 1

    async def over(self, due: list[int]) -> list[tuple[int, Exception]]:
        return await self.spreader.visit(
            due, self.visit, subnet=lambda number: f"{number // 10}", between=self.between
        )


async def test_all_are_visited_in_a_random_order_a_pause_apart() -> None:
    run = Run()
    run.gate.set()
    due = list(range(20))
    assert await run.over(due) == []
    assert sorted(run.visited) == due == list(range(20)), "the list given stays as it is"
    assert run.visited != due
    assert run.pauses == [0.5] * 20
    assert run.turns == 20
    few = Run()
    few.gate.set()
    await few.over([1])
    assert few.pauses == [LONGEST_GAP_S]
    assert await few.over([]) == []


async def test_what_is_under_way_is_bounded_in_all_and_by_subnet() -> None:
    run = Run(concurrency=7, per_subnet=2)
    visits = asyncio.create_task(run.over(list(range(60))))
    while len(run.pauses) < 60:
        await asyncio.sleep(0)
    run.gate.set()
    await visits
    assert len(run.visited) == 60
    assert run.most["all"] == 7
    assert max(run.most[f"{subnet}"] for subnet in range(6)) == 2


async def test_a_defect_of_one_visit_stops_nobody_else() -> None:
    run = Run()
    run.gate.set()
    ((number, defect),) = await run.over([1, -5, 2])
    assert (number, str(defect)) == (-5, "defect -5")
    assert sorted(run.visited) == [1, 2]


async def test_what_was_not_begun_in_time_stays_due() -> None:
    run = Run(lasts_s=0.0)
    run.gate.set()
    assert await run.over([1, 2, 3]) == []
    assert run.visited == []


async def test_who_stops_a_run_stops_its_visits() -> None:
    run = Run()
    visits = asyncio.create_task(run.over([1, 2, 3]))
    while run.under_way["all"] < 3:
        await asyncio.sleep(0)
    visits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await visits
    assert run.under_way["all"] == 0
