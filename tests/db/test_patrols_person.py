"""What people do on a round: one walks, the first judgement stands, everything is evidence."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from hub.domain.access import Role, Scope
from hub.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from hub.domain.patrol_details import PlanDetails, Walker
from hub.domain.patrols import Result, RoundState, SecondLook, Timing
from hub.patrols.walking import person
from hub.patrols.walking.judging import Judgement, TaskWish
from hub.patrols.walking.second_look import Opinion, second_look
from hub.patrols.walking.tasks import open_late
from hub.store import (
    audit,
    dispatches,
    rounds,
    second_looks,
    stop_results,
)
from hub.store.database import Database, Transaction
from hub.store.stop_results import StopFilter
from tests.db.walked_night import BLIND, NOW, Night, judge, make_night, normal, refused
from tests.walked_rounds import HUB, Shown
from tests.web.stage import JPEG, add_person


@pytest.fixture
async def night(database: Database, tmp_path: Path) -> Night:
    return await make_night(database, tmp_path)


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
        for what, _, body in (await night.lines(walk))[2:]
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
    assert await night.fault(walk) is None
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
