"""What is shown first, what is looked at again, and by whom a second time."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.errors import Conflict, Invalid
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, Result, SecondLook, Timing
from hub.patrols.walking import person
from hub.patrols.walking.judging import TaskWish
from hub.patrols.walking.second_look import Opinion, second_look
from hub.patrols.walking.tasks import open_late
from hub.store import (
    patrol_evidence,
    second_looks,
    stop_results,
)
from hub.store.database import Database
from hub.store.stop_results import StopFilter, StopSort
from tests.db.walked_night import NOW, Night, judge, make_night, normal, refused
from tests.walked_rounds import HUB, Shown
from tests.web.stage import JPEG


@pytest.fixture
async def night(database: Database, tmp_path: Path) -> Night:
    return await make_night(database, tmp_path)


async def test_the_machine_sorts_by_doubt_and_another_picture_is_another_stop(night: Night) -> None:
    walk = await night.begin(mode=PatrolMode.MIXED)
    doubts = {1: 5.0, 2: 70.0, 3: 70.0, 4: 0.0}
    sha = await night.show(walk, {n: Shown(jpeg=JPEG, doubt=d) for n, d in doubts.items()})
    by_doubt = StopFilter(sort=StopSort.DOUBT, result=Result.OPEN)
    async with night.database.transaction() as tx:
        await person.take(tx, night.li, walk, night.tools())
        waiting = await stop_results.waiting_stops(tx, night.li, walk, limit=10)
        assert [stop.position for stop in waiting] == [2, 3, 1, 4]
        pages: list[list[int]] = []
        cursor = None
        while cursor is not None or not pages:
            page = await stop_results.list_stops(
                tx, night.li, walk, by_doubt, limit=2, cursor=cursor
            )
            pages.append([stop.position for stop in page.items])
            cursor = page.next
        assert pages == [[2, 3], [1, 4], [5]]
        looked = await person.look_again(tx, night.li, walk, 3, night.tools(1))
        assert looked.result is Result.OPEN
        await person.look_again(tx, night.li, walk, 3, night.tools(2))  # it is being looked at
    with pytest.raises(Conflict, match="not looked"):
        await judge(night, walk, 3, normal(sha), 3)
    new = await night.show(walk, {3: Shown(jpeg=JPEG + b" ", doubt=10)})
    with pytest.raises(Conflict, match="another one than you saw"):
        await judge(night, walk, 3, normal(sha), 4)
    assert await judge(night, walk, 3, normal(new), 4) == (Result.NORMAL, Timing.ON_TIME)
    async with night.database.transaction() as tx:
        await tx.execute("DELETE FROM devices WHERE id = %(id)s", {"id": night.cameras[1]})
    assert await judge(night, walk, 2, normal(sha), 5) == (Result.NORMAL, Timing.ON_TIME)
    what = [what for what, position, _ in await night.lines(walk) if position == 3]
    assert what == ["stop_looked", "stop_looked_again", "stop_looked", "stop_judged"]


async def test_somebody_else_looks_a_second_time_and_the_seal_covers_it(night: Night) -> None:
    walk = await night.begin(most=2, details=PlanDetails(second_share=1.0))
    sha = await night.show(walk, {1: Shown(jpeg=JPEG), 2: Shown(jpeg=JPEG)})
    boss = night.supervisor
    own = replace(boss, user_id=night.li.user_id)
    async with night.database.transaction() as tx:
        await person.take(tx, night.li, walk, night.tools())
    await judge(night, walk, 1, normal(sha), 5)
    await judge(night, walk, 2, normal(sha), 15)
    agree, unseen = Opinion(agrees=True, picture_sha256=sha), Opinion(agrees=True)
    await refused(night, Conflict, lambda tx: second_look(tx, own, walk, 1, agree, NOW), "you")
    await refused(night, Conflict, lambda tx: second_look(tx, boss, walk, 1, unseen, NOW), "not")
    disagree = replace(agree, agrees=False)
    await refused(night, Invalid, lambda tx: second_look(tx, boss, walk, 2, disagree, NOW), "why")
    async with night.database.transaction() as tx:
        page = await second_looks.list_wanted(tx, boss, limit=1)
        rest = await second_looks.list_wanted(tx, boss, limit=1, cursor=page.next)
        assert [one.stop.position for one in (*page.items, *rest.items)] == [1, 2]
        assert (rest.next, page.items[0].plan_name) == (None, "零点夜查")
        first = await second_look(tx, boss, walk, 1, agree, NOW)
        gate = replace(disagree, note="the gate is open")
        second = await second_look(tx, boss, walk, 2, gate, NOW)
        late = await open_late(tx, boss, night.jobs, (walk, 2), TaskWish(title="close it"), NOW)
    assert (first.second_look, first.second_by) == (SecondLook.AGREED, "chen")
    assert (second.second_look, second.result) == (SecondLook.DISAGREED, Result.NORMAL)
    await refused(night, Conflict, lambda tx: second_look(tx, boss, walk, 1, agree, NOW), "chen")
    again = TaskWish()
    await refused(
        night, Conflict, lambda tx: open_late(tx, boss, night.jobs, (walk, 2), again, NOW),
        f"task {late.id} was opened",
    )  # fmt: skip
    async with night.database.transaction() as tx:
        lines = await patrol_evidence.lines_of(tx, HUB, walk)
        seals = await patrol_evidence.seals_of(tx, HUB, walk)
    assert [line.what for line in lines[-3:]] == ["second_look", "second_look", "stop_dispatched"]
    assert (seals[-1].lines, seals[-1].head) == (len(lines), lines[-1].hash)
    assert await night.fault(walk) is None
    async with night.database.transaction() as tx:
        await tx.execute("UPDATE patrol_stops SET second_look = 'agreed' WHERE position = 2")
    assert "look is not what line" in (await night.fault(walk) or "")
