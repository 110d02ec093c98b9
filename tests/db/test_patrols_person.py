"""What people do on a round: one walks, the first judgement stands, everything is evidence."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from hub.domain.access import Role, Scope
from hub.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from hub.domain.patrol_details import PlanDetails, Walker
from hub.domain.patrols import PatrolMode, Result, RoundState, SecondLook, Timing
from hub.patrols.files import PictureFolder
from hub.patrols.walking import person
from hub.patrols.walking.groups import JOB
from hub.patrols.walking.judging import Judgement, TaskWish
from hub.patrols.walking.person import Tools
from hub.patrols.walking.second_look import Opinion, second_look
from hub.patrols.walking.tasks import open_late
from hub.runtime.jobs import Jobs
from hub.store import (
    audit,
    dispatches,
    patrol_evidence,
    rounds,
    second_looks,
    stop_results,
)
from hub.store.database import Database, Transaction
from hub.store.stop_results import StopFilter, StopSort
from tests.walked_rounds import HUB, Shown, begin_walk, show_stop
from tests.web.stage import JPEG, World, add_camera, add_person, build_world

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
BLIND = Shown(reason="camera cannot be reached")


@dataclass(slots=True, kw_only=True)
class Night:
    """Five cameras in the eastern village, and two people who may walk them."""

    database: Database
    world: World
    jobs: Jobs
    folder: PictureFolder
    cameras: Sequence[int]
    li: Scope
    wang: Scope
    supervisor: Scope
    now: datetime = NOW

    def tools(self, after_s: float = 0, *, rng: random.Random | None = None) -> Tools:
        now = NOW + timedelta(seconds=after_s)
        return Tools(jobs=self.jobs, now=now, rng=rng or random.Random(1), stops_ahead=1)

    async def begin(self, *, most: int = 5, **changes: object) -> int:
        async with self.database.transaction() as tx:
            cameras = self.cameras[:most]
            return await begin_walk(tx, self.world.east, cameras, NOW, **changes)  # type: ignore[arg-type]  # the caller knows the fields

    async def show(self, round_id: int, shown: dict[int, Shown]) -> str:
        sha = ""
        async with self.database.transaction() as tx:
            for position, one in shown.items():
                sha = await show_stop(tx, self.folder, (round_id, position), one, NOW) or sha
        return sha

    async def groups_asked(self) -> list[str]:
        """The groups for which a job waits, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT args->>'group' FROM procrastinate_jobs WHERE task_name = %(name)s"
                " AND status = 'todo' ORDER BY id",
                {"name": JOB},
            )
        return [str(row[0]) for row in rows]

    async def lines(self, round_id: int) -> list[tuple[str, int | None, dict[str, object]]]:
        async with self.database.transaction() as tx:
            lines = await patrol_evidence.lines_of(tx, HUB, round_id)
        return [(line.what, line.position, json.loads(line.body)) for line in lines]


@pytest.fixture
async def night(database: Database, tmp_path: Path) -> Night:
    world = await build_world(database)
    async with database.transaction() as tx:
        cameras = [(await add_camera(tx, world.east, f"gate-{n}"))[0] for n in range(5)]
        people = [await add_person(tx, name, Role.OPERATOR, world.east) for name in ("li", "wang")]
        boss = await add_person(tx, "chen", Role.SUPERVISOR, world.east)
        await tx.execute("UPDATE users SET display_name = '李伟' WHERE name = 'li'")
    li, wang = (
        Scope(paths=("town.east",), actor=name, user_id=number)
        for name, number in zip(("li", "wang"), people, strict=True)
    )
    return Night(
        database=database,
        world=world,
        jobs=Jobs(database, lambda: NOW),
        folder=PictureFolder(tmp_path),
        cameras=cameras,
        li=li,
        wang=wang,
        supervisor=Scope(paths=("town.east",), actor="chen", user_id=boss),
    )


def normal(sha: str) -> Judgement:
    return Judgement(result=Result.NORMAL, picture_sha256=sha)


Deed = Callable[[Transaction], Awaitable[object]]


async def refused(night: Night, error: type[Exception], deed: Deed, says: str = "") -> None:
    with pytest.raises(error, match=says or None):
        async with night.database.transaction() as tx:
            await deed(tx)


async def test_one_person_walks_and_another_takes_over_only_expressly(night: Night) -> None:
    walk = await night.begin()
    sha = await night.show(walk, {1: Shown(jpeg=JPEG)})
    tools = night.tools()

    await refused(
        night, Conflict, lambda tx: person.judge(tx, night.li, walk, 1, normal(sha), tools),
        "take it first",
    )  # fmt: skip
    async with night.database.transaction() as tx:
        taken = await person.take(tx, night.li, walk, tools)
        assert (taken.walker_id, taken.walker_name) == (night.li.user_id, "李伟")
        await person.take(tx, night.li, walk, tools)  # again: nothing changes
    for deed in (
        lambda tx: person.take(tx, night.wang, walk, tools),
        lambda tx: person.judge(tx, night.wang, walk, 1, normal(sha), tools),
        lambda tx: person.pause(tx, night.wang, walk, "", tools),
        lambda tx: person.look_again(tx, night.wang, walk, 1, tools),
        lambda tx: person.hand_over(tx, night.wang, walk, night.wang.user_id or 0, "", tools),
    ):
        await refused(night, Conflict, deed, "李伟 walks this round")
    async with night.database.transaction() as tx:
        assert (
            await person.take(tx, night.wang, walk, tools, take_over=True)
        ).walker_name == "wang"
        after = await person.hand_over(tx, night.wang, walk, night.li.user_id or 0, "gate 3", tools)
        assert after.walker_name == "李伟"
    await refused(
        night, Conflict, lambda tx: person.take(tx, night.wang, walk, tools), "take it over"
    )
    lines = [
        (what, body.get("from"), body.get("walker"))
        for what, _, body in (await night.lines(walk))[1:]
    ]
    li, wang = night.li.user_id, night.wang.user_id
    assert lines == [
        ("round_taken", None, li),
        ("round_taken_over", li, wang),
        ("round_handed_over", wang, li),
    ]
    async with night.database.transaction() as tx:
        log = [entry.action for entry in (await audit.list_entries(tx, HUB)).items]
    assert log[:3] == ["patrol_round.handed_over", "patrol_round.taken_over", "patrol_round.taken"]


async def test_whom_the_plan_asks_for_walks_and_nobody_else(night: Night) -> None:
    details = PlanDetails(walker=Walker(user_id=night.li.user_id))
    walk, tools = await night.begin(details=details), night.tools()
    await refused(
        night, NotPermitted, lambda tx: person.take(tx, night.wang, walk, tools), "somebody else"
    )
    async with night.database.transaction() as tx:
        await person.take(tx, night.li, walk, tools)
        viewer = await add_person(tx, "guest", Role.VIEWER, night.world.east)
        stranger = await add_person(tx, "far", Role.OPERATOR, night.world.west)
    await refused(
        night, NotPermitted,
        lambda tx: person.hand_over(tx, night.li, walk, night.wang.user_id or 0, "", tools),
    )  # fmt: skip

    async def give(tx: Transaction, to: int) -> None:
        await person.hand_over(tx, night.li, walk, to, "", tools)

    for nobody in (viewer, stranger, 999_999):
        await refused(night, NotFound, partial(give, to=nobody))


@pytest.mark.threat("T1")
async def test_an_operator_of_another_area_finds_no_round(night: Night) -> None:
    walk, tools = await night.begin(), night.tools()
    sha = await night.show(walk, {1: Shown(jpeg=JPEG)})
    async with night.database.transaction() as tx:
        await person.take(tx, night.li, walk, tools)
    far = Scope(paths=("town.west",), actor="far", user_id=night.li.user_id)
    for deed in (
        lambda tx: person.take(tx, far, walk, tools, take_over=True),
        lambda tx: person.judge(tx, far, walk, 1, normal(sha), tools),
        lambda tx: person.skip(tx, far, walk, 1, "fog", tools),
        lambda tx: person.pause(tx, far, walk, "", tools),
        lambda tx: person.resume(tx, far, walk, tools),
        lambda tx: person.look_again(tx, far, walk, 1, tools),
        lambda tx: person.hand_over(tx, far, walk, night.wang.user_id or 0, "", tools),
        lambda tx: second_look(tx, far, walk, 1, Opinion(agrees=True), NOW),
        lambda tx: open_late(tx, far, night.jobs, (walk, 1), TaskWish(), NOW),
        lambda tx: stop_results.get_stop(tx, far, walk, 1),
    ):
        await refused(night, NotFound, deed)
    async with night.database.transaction() as tx:
        assert not await stop_results.waiting_stops(tx, far, walk, limit=10)
        assert not (await stop_results.list_stops(tx, far, walk, StopFilter())).items
        assert await stop_results.count_coming(tx, far, walk) == 0
        assert not await stop_results.has_open_before(tx, far, walk, 9)
        assert not (await second_looks.list_wanted(tx, far)).items


async def judge(
    night: Night, walk: int, position: int, said: Judgement, after_s: float
) -> tuple[Result, Timing]:
    async with night.database.transaction() as tx:
        stop = await person.judge(tx, night.li, walk, position, said, night.tools(after_s))
    return stop.result, stop.timing


async def test_a_walk_is_judged_to_its_end(night: Night) -> None:
    details = PlanDetails(tolerance_s=60, second_share=1.0)
    walk = await night.begin(details=details, lasts_s=3600)
    shown = Shown(jpeg=JPEG)
    sha = await night.show(walk, {1: shown, 2: shown, 3: BLIND, 5: shown})
    async with night.database.transaction() as tx:
        await person.take(tx, night.li, walk, night.tools())
        waiting = await stop_results.waiting_stops(tx, night.li, walk, limit=10)
        assert [stop.position for stop in waiting] == [1, 2, 3, 5]
        assert await stop_results.count_coming(tx, night.li, walk) == 1

    assert await judge(night, walk, 1, normal(sha), 5) == (Result.NORMAL, Timing.ON_TIME)
    water = Judgement(
        result=Result.ABNORMAL, kind="water", picture_sha256=sha, note="到膝盖", task=TaskWish()
    )
    assert await judge(night, walk, 5, water, 10) == (Result.ABNORMAL, Timing.OUT_OF_ORDER)
    async with night.database.transaction() as tx:
        await person.pause(tx, night.li, walk, "tea", night.tools(20))
    with pytest.raises(Conflict, match="paused"):
        await judge(night, walk, 2, normal(sha), 30)
    async with night.database.transaction() as tx:
        after = await person.resume(tx, night.li, walk, night.tools(620))
    assert (after.state, after.paused_s, after.paused_at) == (RoundState.RUNNING, 600.0, None)
    assert await judge(night, walk, 2, normal(sha), 670) == (Result.NORMAL, Timing.ON_TIME)
    down = Judgement(result=Result.ABNORMAL, kind="camera_down", note="the mast is gone")
    assert await judge(night, walk, 3, down, 681) == (Result.ABNORMAL, Timing.LATE)
    async with night.database.transaction() as tx:
        assert (await rounds.get_round(tx, HUB, walk)).state is RoundState.RUNNING
        # Nobody has looked at stop 4: it may be passed by, and then it is over.
        await person.skip(tx, night.li, walk, 4, "the camera was taken down", night.tools(681))

    async with night.database.transaction() as tx:
        ended = await rounds.get_round(tx, HUB, walk)
        stops = [await stop_results.get_stop(tx, HUB, walk, n) for n in (4, 5)]
        task = await dispatches.get_dispatch(tx, HUB, stops[1].dispatch_id or 0)
    assert (ended.state, ended.stops_open) == (RoundState.FINISHED, 0)
    assert (ended.stops_normal, ended.stops_abnormal, ended.stops_not_judged) == (2, 2, 1)
    assert [stop.second_look for stop in stops] == [SecondLook.NONE, SecondLook.WANTED]
    assert (task.kind, task.device_id, task.cause.position) == ("water", night.cameras[4], 5)
    assert (task.title, task.text) == ("East gate-4 · 积水险情 Water", "到膝盖")
    judged = {
        position: (body["result"], body["picture_sha256"], body["by"], body["user"])
        for what, position, body in await night.lines(walk)
        if what == "stop_judged"
    }
    mine = ("li", night.li.user_id)
    assert judged == {
        1: ("normal", sha, *mine),
        2: ("normal", sha, *mine),
        3: ("abnormal", "", *mine),
        4: ("not_judged", "", *mine),
        5: ("abnormal", sha, *mine),
    }


@pytest.mark.threat("K1")
async def test_what_is_refused_or_cut_off_leaves_nothing_behind(night: Night) -> None:
    walk = await night.begin(group_size=2)
    sha = await night.show(walk, {1: Shown(jpeg=JPEG), 3: BLIND})
    async with night.database.transaction() as tx:
        await person.take(tx, night.li, walk, night.tools())
    before, asked = await night.lines(walk), await night.groups_asked()
    fog = Judgement(result=Result.NOT_JUDGED, note="fog")
    wrong: list[tuple[int, Judgement, type[Exception]]] = [
        (1, normal("ab" * 32), Conflict),  # another picture than the one that was kept
        (2, normal(sha), Conflict),  # the machine has not looked
        (3, Judgement(result=Result.NORMAL), Invalid),  # no picture
        (6, normal(sha), NotFound),
    ]
    for position, said, error in wrong:
        with pytest.raises(error):
            await judge(night, walk, position, said, 5)

    async def die(tx: Transaction) -> None:
        await person.judge(tx, night.li, walk, 3, fog, night.tools(5))
        raise ConnectionError

    await refused(night, ConnectionError, die, "")
    assert (await night.lines(walk), await night.groups_asked()) == (before, asked)

    async with night.database.transaction() as tx:
        assert (await rounds.get_round(tx, HUB, walk)).stops_open == 5
    done = await asyncio.gather(
        judge(night, walk, 1, normal(sha), 5), judge(night, walk, 1, fog, 5), return_exceptions=True
    )
    (late,) = [one for one in done if isinstance(one, BaseException)]
    assert isinstance(late, Conflict)
    assert "judged this stop already" in str(late)
    assert [what for what, _, _ in await night.lines(walk)].count("stop_judged") == 1


@pytest.mark.threat("K2")
async def test_the_next_groups_are_looked_at_ahead_and_lost_ones_again(night: Night) -> None:
    walk = await night.begin(group_size=1)
    async with night.database.transaction() as tx:
        await person.take(tx, night.li, walk, night.tools())
    assert await night.groups_asked() == ["0", "1"]
    sha = await night.show(walk, {1: Shown(jpeg=JPEG)})
    await judge(night, walk, 1, normal(sha), 5)
    assert await night.groups_asked() == ["0", "1"]
    await night.show(walk, {2: Shown(jpeg=JPEG)})
    await judge(night, walk, 2, normal(sha), 15)
    assert await night.groups_asked() == ["0", "1", "2"]
    async with night.database.transaction() as tx:
        await tx.execute("DELETE FROM procrastinate_jobs WHERE args->>'group' = '2'")
        await person.pause(tx, night.li, walk, "", night.tools(16))
        await person.take(tx, night.li, walk, night.tools(17))
    assert await night.groups_asked() == ["0", "1"]  # nothing is looked at while it is paused
    async with night.database.transaction() as tx:
        await person.resume(tx, night.li, walk, night.tools(18))
    assert await night.groups_asked() == ["0", "1", "2", "3"]


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
