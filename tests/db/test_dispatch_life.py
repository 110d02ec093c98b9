"""Tasks from the desk to the field and back: every step, who was faster, what is duplicate."""

import asyncio
from datetime import timedelta

import pytest

from hub.domain.dispatches import (
    Dispatch,
    DispatchRule,
    DispatchState,
    Position,
    Priority,
    TaskDeadlines,
)
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.patrols.dispatch import desk, editing
from hub.patrols.dispatch.editing import Correction
from hub.patrols.dispatch.opening import OnDuplicate
from hub.store import dispatch_rules, dispatches, task_deadlines
from hub.store.database import Database
from tests.db.conftest import County
from tests.db.dispatch_world import DESK, EAST, HUB, SQUARE, DispatchWorld


@pytest.fixture
async def world(database: Database, county: County) -> DispatchWorld:
    return await DispatchWorld.build(database, county)


async def test_from_new_to_verified_with_everything_written_down(world: DispatchWorld) -> None:
    task = await world.open(world.new(checklist=("拍照 photo", "围挡 fence"), where=SQUARE))
    assert (task.state, task.version, task.checked) == (DispatchState.NEW, 0, (False, False))
    assert task.deadline_at == task.accept_by == world.now + timedelta(seconds=600)
    task = await world.send(task)
    assert (task.state, task.unit_name, task.sent_at) == ("sent", "网格员 Wu", world.now)
    world.pass_s(60)
    task = await world.say(task, "accept")
    assert task.deadline_at == task.arrive_by
    # A phone that heard no answer says it again, even after the next step.
    assert await world.say(task, "accept") == task
    task = await world.say(task, "on_the_way")
    assert await world.say(task, "accept") == task
    world.pass_s(300)
    task = await world.say(task, "on_site")
    assert (task.on_site_at, task.deadline_at) == (world.now, task.done_by)
    words = await world.refused(world.say(task, "done"), Invalid)
    assert words == "not every item of the checklist is done: say why"
    await world.refused(world.say(task, "done", "", [True]), Invalid)
    task = await world.say(task, "done", "no fence at hand", [True, False])
    assert (task.state, task.checked, task.deadline_at) == ("done", (True, False), None)
    task = await world.verify(task)
    assert (task.state, task.verified_by, task.closed_at) == ("verified", "li", world.now)
    assert [line[:2] for line in await world.history(task)] == [
        ("opened", "li"), ("sent", "li"), ("accepted", "网格员 Wu"), ("on_the_way", "网格员 Wu"),
        ("on_site", "网格员 Wu"), ("done", "网格员 Wu"), ("verified", "li"),
    ]  # fmt: skip
    assert await world.events() == [("dispatch.opened", task.id), ("dispatch.closed", task.id)]
    audited = await world.rows(
        "SELECT action FROM audit WHERE object_type = 'dispatch' ORDER BY id"
    )
    assert [str(action) for (action,) in audited] == [
        f"dispatch.{what}"
        for what in ("opened", "sent", "accepted", "on_the_way", "on_site", "done", "verified")
    ]
    for late in (world.send(task), world.verify(task), world.say(task, "refuse", "no")):
        assert "verified and over" in await world.refused(late, Conflict)


async def test_refused_taken_back_given_to_another_and_sent_again(world: DispatchWorld) -> None:
    task = await world.send(await world.open())
    await world.refused(world.say(task, "refuse"), Invalid)
    first = task
    task = await world.say(task, "refuse", "发烧 ill")
    assert (task.state, task.unit_id, task.deadline_at) == ("refused", None, task.accept_by)
    assert "took this task back" in await world.refused(world.say(first, "accept"), Conflict)
    task = await world.send(task, world.zhao)
    task = await world.say(task, "accept")
    assert "has this task" in await world.refused(world.send(task, world.zhao), Conflict)
    task = await world.send(task, world.wu)
    assert (task.state, task.accepted_at, task.deadline_at) == ("sent", None, task.accept_by)
    async with world.database.transaction() as tx:
        task = await desk.take_back(tx, DESK, world.order(task, "阻塞 wrong place"))
    assert (task.state, task.unit_name) == ("returned", "")
    task = await world.finish(task)
    # What is not good enough goes out again, and the old link with it.
    task = await world.send(task, world.wu)
    assert (task.state, task.done_at, task.on_site_at) == ("sent", None, None)
    # The unit of a line is who refused or was taken it from: rules pass him over by it.
    assert [line[::2] for line in await world.history(task)][:6] == [
        ("opened", ""), ("sent", "网格员 Wu"), ("refused", "网格员 Wu"), ("sent", "网格员 Zhao"),
        ("accepted", "网格员 Zhao"), ("reassigned", "网格员 Wu"),
    ]  # fmt: skip
    links = await world.rows(
        "SELECT (args ->> 'unit')::int FROM procrastinate_jobs"
        " WHERE task_name = 'patrols.send_link' ORDER BY id"
    )
    assert {number for (number,) in links} == {world.wu.id, world.zhao.id}
    async with world.database.transaction() as tx:
        task = await desk.cancel(tx, DESK, world.order(task, "已修 mended by the owner"))
    assert (task.state, task.verdict) == ("cancelled", "已修 mended by the owner")


async def test_of_two_desks_the_second_is_told_what_the_first_did(world: DispatchWorld) -> None:
    task = await world.open()
    answers = await asyncio.gather(
        world.send(task, world.wu), world.send(task, world.zhao), return_exceptions=True
    )
    lost = [one for one in answers if isinstance(one, Conflict)]
    assert len(lost) == 1
    assert str(lost[0]) == (
        "li was faster: by now the task is sent, and not accepted yet. Look at it again"
    )
    (sent,) = await world.rows("SELECT count(*) FROM dispatch_steps WHERE what = 'sent'")
    assert sent == (1,)
    # Without a version the store itself notices what came between reading and writing.
    async with world.database.transaction() as tx:
        step = dispatches.Advance(state=DispatchState.CANCELLED, what="cancelled")
        with pytest.raises(Conflict, match="a moment ago"):
            await dispatches.advance(tx, HUB, task, step, now=world.now)
    # Nobody waits for the other for ever, whichever way round they merge.
    other = await world.open(world.new(title="another"))
    task = await world.read(task)

    async def merge(one: int, into: int) -> None:
        async with world.database.transaction() as tx:
            await desk.merge(tx, DESK, desk.Order(dispatch_id=one, now=world.now), into)

    crossed = await asyncio.gather(
        merge(task.id, other.id), merge(other.id, task.id), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in crossed) == ["Conflict", "NoneType"]


@pytest.mark.threat("T1")
async def test_another_village_does_not_exist(world: DispatchWorld) -> None:
    west = world.county.west
    task = await world.open(world.new(area_id=west.id, device_id=world.county.west_camera.id))
    mine = await world.open()

    async def by_east(name: str) -> None:
        order = world.order(task, "why")
        async with world.database.transaction() as tx:
            match name:
                case "send":
                    await desk.send_to(tx, EAST, world.jobs, order, world.wu.id)
                case "merge_into":
                    await desk.merge(tx, EAST, world.order(mine), task.id)
                case "merge":
                    await desk.merge(tx, EAST, order, mine.id)
                case _:
                    await getattr(desk, name)(tx, EAST, order)

    for name in ("send", "take_back", "cancel", "verify", "comment", "merge", "merge_into"):
        assert await world.refused(by_east(name), NotFound) == "no such task"
    hidden = (
        world.new(area_id=west.id),
        world.new(device_id=world.county.west_camera.id),
    )
    for new in hidden:
        await world.refused(world.open(new, EAST), NotFound)
    assert [line[0] for line in await world.history(task)] == ["opened"]
    # A task of his own is not merged into one he does not see.
    kind = world.new(where=Position(longitude=120.8, latitude=30.75))
    assert (await world.open(kind, EAST)).merged_into is None


async def test_duplicates_are_merged_or_said(world: DispatchWorld) -> None:
    camera = world.county.east_camera
    first = await world.open(world.new(device_id=camera.id, kind="camera_down"))
    assert first.where == SQUARE, "a task about a device is where the device is"
    same_device = await world.open(world.new(device_id=camera.id, kind="camera_down"))
    assert (same_device.state, same_device.merged_into) == ("merged", first.id)
    near = Position(longitude=120.7004, latitude=30.7)  # 38 m to the east
    far = Position(longitude=120.7006, latitude=30.7)  # 57 m
    assert (await world.open(world.new(where=near, kind="camera_down"))).merged_into == first.id
    for apart in (
        world.new(where=far, kind="camera_down"),
        world.new(where=near, kind="waste"),
        world.new(kind="camera_down"),
    ):
        assert (await world.open(apart)).merged_into is None
    beside = await world.open(
        world.new(device_id=camera.id, kind="camera_down"), how=OnDuplicate.OPEN
    )
    assert beside.state == "new"
    assert [line[0] for line in await world.history(beside)][:2] == ["opened", "duplicate"]
    assert [line[0] for line in await world.history(first)] == ["opened", "took_in", "took_in"]
    # What was merged into a task goes with it.
    async with world.database.transaction() as tx:
        await desk.merge(tx, DESK, world.order(first, "one pole"), beside.id)
    assert (await world.read(same_device)).merged_into == beside.id
    assert (await world.read(beside)).merged == 3
    closed = [number for kind, number in await world.events() if kind == "dispatch.opened"]
    assert same_device.id not in closed, "nobody is called about a task that counts in another"
    # Two who open at one moment see each other.
    both = await asyncio.gather(
        *(world.open(world.new(device_id=camera.id, kind="fire_smoke")) for _ in range(2))
    )
    assert sorted(one.state for one in both) == ["merged", "new"]


async def test_what_nobody_could_find_is_refused(world: DispatchWorld) -> None:
    assert "outside of the county" in await world.refused(
        world.open(world.new(where=Position(longitude=121.5, latitude=31.2))), Invalid
    )
    inside = Position(longitude=120.95, latitude=30.75)  # 14 km from the western camera
    assert (await world.open(world.new(where=inside))).where == inside
    # For the east alone, the same place is 24 km away; 60 km are too far.
    beyond = Position(longitude=121.1, latitude=30.75)
    assert (await world.open(world.new(where=beyond))).where == beyond
    await world.refused(world.open(world.new(where=beyond), EAST), Invalid)
    await world.refused(world.open(world.new(title="a\nb")), Invalid)
    async with world.database.transaction() as tx:
        await tx.execute("UPDATE asset_records SET longitude = NULL, latitude = NULL")
    anywhere = Position(longitude=-70.0, latitude=10.0)
    assert (await world.open(world.new(where=anywhere))).where == anywhere


async def test_a_rule_sends_at_once_or_proposes(world: DispatchWorld) -> None:
    rule = DispatchRule(name="night", area_id=world.county.county.id, kinds=("water",))
    async with world.database.transaction() as tx:
        await dispatch_rules.add_rule(tx, HUB, rule)
        asked = DispatchRule(
            name="ask", area_id=world.county.county.id, kinds=("waste",), is_automatic=False
        )
        await dispatch_rules.add_rule(tx, HUB, asked)
    # The unit is one of the county's east; whoever opens need not be of the desk.
    sent = await world.open(world.new(kind="water"), EAST)
    assert (sent.state, sent.unit_id, sent.version) == ("sent", world.wu.id, 1)
    (line,) = [one for one in await world.history(sent) if one[0] == "sent"]
    assert line == ("sent", "hub.patrols", "网格员 Wu")
    (job,) = await world.rows("SELECT args FROM procrastinate_jobs")
    assert job == ({"dispatch": sent.id, "unit": world.wu.id},)
    proposed = await world.open(world.new(kind="waste"))
    assert (proposed.state, proposed.unit_id) == ("new", None)
    assert (await world.history(proposed))[-1] == ("proposed", "hub.patrols", "网格员 Zhao")


async def test_a_task_is_put_right_and_is_as_urgent_as_what_it_takes_in(
    world: DispatchWorld,
) -> None:
    urgent = TaskDeadlines(
        area_id=world.county.county.id,
        priority=Priority.URGENT,
        accept_s=120,
        arrive_s=None,
        done_s=3600,
    )
    async with world.database.transaction() as tx:
        await task_deadlines.add_deadlines(tx, HUB, urgent)
    task = await world.open(world.new(kind="water", where=SQUARE))
    world.pass_s(300)

    async def correct(wanted: Correction, task: Dispatch) -> Dispatch:
        async with world.database.transaction() as tx:
            return await editing.correct(tx, DESK, world.order(task), wanted)

    after = await correct(Correction(title="积水 water", place="东门"), task)
    assert (after.title, after.place, after.where) == ("积水 water", "东门", SQUARE)
    assert (after.version, after.deadline_at) == (1, task.deadline_at)
    assert "li was faster" in await world.refused(correct(Correction(text="x"), task), Conflict)
    assert await correct(Correction(kind="water"), after) == after
    far = Position(longitude=0.0, latitude=0.0)
    for wrong in (Correction(title="\n"), Correction(where=far), Correction(kind="W")):
        await world.refused(correct(wrong, after), Invalid)
    # What comes in is more urgent: what goes on is due by that, from when it was opened.
    await world.open(world.new(kind="water", where=SQUARE, priority=Priority.URGENT))
    raised = await world.read(after)
    assert raised.priority is Priority.URGENT
    assert raised.accept_by == task.created_at + timedelta(seconds=120)
    assert (raised.arrive_by, raised.deadline_at) == (None, raised.accept_by)
    assert (await world.events())[-1] == ("dispatch.overdue", task.id)
    await world.open(world.new(kind="water", where=SQUARE, priority=Priority.LOW))
    assert (await world.read(after)).priority is Priority.URGENT
    (changed,) = await world.rows(
        "SELECT detail FROM dispatch_steps WHERE what = 'changed' ORDER BY id LIMIT 1"
    )
    assert changed == ({"title": [task.title, "积水 water"], "place": ["", "东门"]},)
    async with world.database.transaction() as tx:
        over = await desk.cancel(tx, DESK, world.order(await world.read(after), "dry"))
    assert "stays as it was" in await world.refused(correct(Correction(text="x"), over), Conflict)
