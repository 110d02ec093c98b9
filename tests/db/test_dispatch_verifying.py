"""A task ends only when what raised it is clear; what is late is told, what is cut off is not."""

from datetime import timedelta

import pytest

from hub.domain.dispatches import Cause, DispatchRule, DispatchState, Source
from hub.domain.errors import Conflict, NotFound, StoreUnavailable
from hub.domain.health import Status
from hub.patrols.dispatch import desk
from hub.patrols.dispatch.opening import open_dispatch
from hub.patrols.dispatch.verifying import HIDDEN, find_standing
from hub.store import alert_life, alerts, dispatch_rules
from hub.store.database import Database
from tests.db.conftest import County
from tests.db.dispatch_world import DESK, EAST, HUB, DispatchWorld
from tests.statuses import Told, change_status
from tests.web.history import raise_alert


@pytest.fixture
async def world(database: Database, county: County) -> DispatchWorld:
    return await DispatchWorld.build(database, county)


async def raise_one(world: DispatchWorld, where: str = "east") -> Cause:
    """An alert about the camera of a village."""
    camera = world.county.east_camera if where == "east" else world.county.west_camera
    async with world.database.transaction() as tx:
        number, _ = await raise_alert(tx, camera.area_id, camera.id, where)
    return Cause(source=Source.ALERT, alert_id=number)


async def resolve(world: DispatchWorld, cause: Cause) -> None:
    async with world.database.transaction() as tx:
        done = await alert_life.resolve(
            tx, HUB, [cause.alert_id or 0], reason="mended", now=world.now
        )
    assert done.steps


async def test_an_alert_and_what_was_merged(world: DispatchWorld) -> None:
    cause, other = await raise_one(world), await raise_one(world, "west")
    task = await world.open(world.new(cause=cause))
    assert task.device_id == world.county.east_camera.id, "the alert tells the device"
    async with world.database.transaction() as tx:
        (_, line) = await alerts.list_steps(tx, HUB, cause.alert_id or 0)
    assert (line.step, line.note) == ("commented", f"task {task.id}: {task.title}")
    words = await world.refused(world.open(world.new(cause=cause)), Conflict)
    assert words == f"task {task.id} ({task.title}) is open for this already"
    await world.refused(world.open(world.new(cause=other), EAST), NotFound)
    merged = await world.open(world.new(area_id=world.county.west.id, cause=other))
    async with world.database.transaction() as tx:
        await desk.merge(tx, DESK, world.order(merged), task.id)
    # The cause goes on in the task that took it in.
    assert f"task {task.id} " in await world.refused(
        world.open(world.new(cause=other, area_id=world.county.west.id)), Conflict
    )
    task = await world.finish(await world.read(task))
    standing = f"alert {cause.alert_id}, east-offline (东村), is not resolved"
    far = f"alert {other.alert_id}, west-offline (西村), is not resolved"
    assert await world.refused(world.verify(task), Conflict) == (
        f"not clear yet: {standing}; {far}. Say why it may end all the same"
    )
    async with world.database.transaction() as tx:
        # Of another village nobody learns what it is, only that something is.
        assert await find_standing(tx, EAST, task) == (standing, HIDDEN)
    await resolve(world, cause)
    await world.refused(world.verify(task), Conflict)
    ended = await world.verify(task, "西村 is a false alarm")
    assert (ended.state, ended.verdict) == (DispatchState.VERIFIED, "西村 is a false alarm")
    (detail,) = await world.rows(
        "SELECT detail -> 'standing' ->> 0 FROM dispatch_steps WHERE what = 'verified'"
    )
    assert detail == (far,)
    # Over is over: the same alert may call for another task.
    assert (await world.open(world.new(cause=cause))).state == DispatchState.NEW


async def find_camera_down(world: DispatchWorld) -> Cause:
    """A round of the county with a stop in the east at which the camera was down."""
    (number,) = await world.rows(
        "INSERT INTO patrol_rounds (plan_name, area_id, time_zone, window_s, seconds_per_stop,"
        " planned_at, state) VALUES ('night', %(area)s, 'UTC', 900, 5, %(now)s, 'finished')"
        " RETURNING id",
        area=world.county.county.id,
        now=world.now,
    )
    round_id = int(str(number[0]))
    await world.rows(
        "INSERT INTO patrol_stops (round_id, position, device_id, device_name, area_id, area_name,"
        " verdict, result, kind, at) VALUES (%(round)s, 1, %(device)s, '东村', %(area)s, '东村',"
        " 'not_seen', 'abnormal', 'camera_down', %(now)s) RETURNING 1",
        round=round_id,
        device=world.county.east_camera.id,
        area=world.county.east.id,
        now=world.now,
    )
    return Cause(source=Source.PATROL, round_id=round_id, position=1)


async def turn(world: DispatchWorld, status: Status) -> None:
    async with world.database.transaction() as tx:
        told = Told(device_id=world.county.east_camera.id, status=status, since=world.now)
        await change_status(tx, HUB, told)


async def test_a_finding_of_a_round_and_a_silent_room(world: DispatchWorld) -> None:
    cause = await find_camera_down(world)
    await turn(world, Status.OFFLINE)
    # The village may send somebody although the round is the county's.
    task = await world.open(world.new(cause=cause, kind="camera_down"), EAST)
    assert "is open for this already" in await world.refused(
        world.open(world.new(cause=cause)), Conflict
    )
    task = await world.finish(task)
    assert "camera 东村 is offline" in await world.refused(world.verify(task), Conflict)
    await turn(world, Status.ONLINE)
    assert (await world.verify(task)).verdict == ""

    (room,) = await world.rows(
        "INSERT INTO duty_rooms (area_id, name) VALUES (%(area)s, '东村值班室') RETURNING id",
        area=world.county.east.id,
    )
    calls = [
        int(str(number))
        for (number,) in await world.rows(
            "INSERT INTO room_calls (room_id, room_name, area_id, asked_at, answer_by, state, code)"
            " SELECT %(room)s, '东村值班室', %(area)s, %(now)s + n * interval '1 hour',"
            " %(now)s, 'unanswered', '1234' FROM generate_series(0, 1) n RETURNING id",
            room=room[0],
            area=world.county.east.id,
            now=world.now,
        )
    ]
    asked = Cause(source=Source.ROLL_CALL, roll_call_id=calls[0])
    task = await world.finish(await world.open(world.new(cause=asked, kind="duty_room")))
    words = await world.refused(world.verify(task), Conflict)
    assert "the duty room 东村值班室 has not answered" in words
    await world.rows(
        "UPDATE room_calls SET state = 'answered', answered_at = asked_at WHERE id = %(id)s"
        " RETURNING 1",
        id=calls[1],
    )
    assert (await world.verify(task)).state == DispatchState.VERIFIED


async def test_overdue_is_told_once_and_cleared_by_the_step(world: DispatchWorld) -> None:
    task = await world.open()
    world.pass_s(700)
    # Nobody keeps the deadlines here: whoever moves the task says what passed before.
    task = await world.send(task)
    assert (task.overdue_at, task.colour(world.now)) == (None, "red")
    task = await world.say(task, "accept")
    assert task.overdue_at == task.accept_by
    assert task.deadline_at == task.created_at + timedelta(seconds=1800)
    assert [kind for kind, _ in await world.events()] == [
        "dispatch.opened", "dispatch.overdue", "dispatch.on_time",
    ]  # fmt: skip
    async with world.database.transaction() as tx:
        await desk.cancel(tx, DESK, world.order(task, "nothing there"))
    assert (await world.events())[-1] == ("dispatch.closed", task.id)


@pytest.mark.threat("K1")
async def test_what_is_cut_off_in_the_middle_never_was(world: DispatchWorld) -> None:
    rule = DispatchRule(name="night", area_id=world.county.county.id)
    async with world.database.transaction() as tx:
        await dispatch_rules.add_rule(tx, HUB, rule)

    async def lose() -> None:
        """The server loses us after everything was said and before it was committed."""
        async with world.database.transaction() as tx:
            opened = await open_dispatch(tx, DESK, world.jobs, world.new(), now=world.now)
            assert opened.state == DispatchState.SENT
            await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(StoreUnavailable):
        await lose()
    for table in (
        "SELECT 1 FROM dispatches", "SELECT 1 FROM dispatch_steps", "SELECT 1 FROM events",
        "SELECT 1 FROM procrastinate_jobs",
    ):  # fmt: skip
        assert await world.rows(table) == []
    again = await world.open()
    assert [line[0] for line in await world.history(again)] == ["opened", "sent"]
    assert len(await world.rows("SELECT 1 FROM procrastinate_jobs")) == 1
