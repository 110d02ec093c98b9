"""Deadlines of tasks: each is told once, at its moment, whoever looks and whoever was faster."""

import asyncio
import random
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from hub.domain.alerts import Colour
from hub.domain.dispatches import Dispatch
from hub.patrols.dispatch.deadlines import BATCH, SCOPE, DeadlineKeeper
from hub.patrols.dispatch.desk import take_back
from hub.patrols.dispatch.opening import OnDuplicate
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.store.dispatch_overdue import next_deadline_at
from hub.store.dispatches import lock_dispatch
from hub.store.vault import Vault
from tests.db.alerts_site import running, wall_clock
from tests.db.conftest import County
from tests.db.dispatch_world import DESK, HUB, START, DispatchWorld

ROOT = Path(__file__).parents[2]
MANY = 2 * BATCH + 100


@pytest.fixture
async def world(database: Database, county: County) -> DispatchWorld:
    return await DispatchWorld.build(database, county)


def keeper(world: DispatchWorld) -> DeadlineKeeper:
    """A new one, as after a restart."""
    return DeadlineKeeper(world.database, lambda: world.now)


def after(seconds: float) -> datetime:
    """A moment of the test."""
    return START + timedelta(seconds=seconds)


async def told(world: DispatchWorld) -> list[tuple[str, float, float]]:
    """The events of deadlines in their order: what, for when, and when they were stored."""
    rows = await world.rows(
        "SELECT kind, at, received_at FROM events WHERE kind IN ('dispatch.overdue',"
        " 'dispatch.on_time') ORDER BY id"
    )
    return [
        (str(kind).removeprefix("dispatch."), (at - START).total_seconds(), _seconds(stored))
        for kind, at, stored in rows
        if isinstance(at, datetime)
    ]


def _seconds(moment: object) -> float:
    return (moment - START).total_seconds() if isinstance(moment, datetime) else -1.0


async def test_a_task_is_overdue_from_the_second_of_its_deadline(world: DispatchWorld) -> None:
    task = await world.open()
    other = await world.open(world.new(title="another", area_id=world.county.west.id))
    world.pass_s(599.999)
    assert await keeper(world).step() == after(600)
    assert await told(world) == []
    world.pass_s(0.001)
    assert await keeper(world).step() is None
    assert await told(world) == [("overdue", 600, 600), ("overdue", 600, 600)]
    found = await world.read(task)
    assert (found.overdue_at, found.colour(world.now)) == (after(600), Colour.RED)
    # The desk sends it: it stays overdue until somebody accepts it.
    await world.send(task)
    world.pass_s(100)
    await keeper(world).step()
    assert len(await told(world)) == 2
    task = await world.say(await world.read(task), "accept")
    assert (await told(world))[2:] == [("on_time", 700, 700)]
    # What was overdue once stays red until it is over.
    assert task.colour(world.now) is Colour.RED
    assert await keeper(world).step() == after(1800)
    assert ("overdue", "hub.patrols", "") in await world.history(task)
    events = await world.rows(
        "SELECT data, device_id, area_id FROM events WHERE kind = 'dispatch.overdue'"
        " AND data @> jsonb_build_object('dispatch', %(id)s::bigint)",
        id=other.id,
    )
    ((data, device, area),) = events
    assert (device, area) == (None, world.county.west.id)
    assert isinstance(data, dict)
    assert data["detail"] == f"task {other.id}, another: nobody accepted it in time"


async def test_whoever_moves_a_task_first_tells_what_passed(world: DispatchWorld) -> None:
    """No keeper ran when its deadlines passed."""
    task = await world.send(await world.open())
    world.pass_s(700)
    task = await world.say(task, "accept")
    assert await told(world) == [("overdue", 600, 700), ("on_time", 700, 700)]
    world.pass_s(1200)
    task = await world.say(task, "on_site")
    world.pass_s(7000)
    task = await world.say(task, "done")
    expected = [("overdue", 1800, 1900), ("on_time", 1900, 1900)]
    expected += [("overdue", 7200, 8900), ("on_time", 8900, 8900)]
    assert (await told(world))[2:] == expected
    assert await keeper(world).step() is None
    assert task.overdue_at == after(600)


async def test_a_deadline_that_passed_long_ago_counts_from_when_it_counts(
    world: DispatchWorld,
) -> None:
    task = await world.send(await world.open())
    world.pass_s(60)
    task = await world.say(task, "accept")
    world.pass_s(1000)
    async with world.database.transaction() as tx:
        # Nobody has it again, and it should have been accepted by somebody long ago.
        task = await take_back(tx, DESK, world.order(task, "the car broke down"))
    assert await told(world) == [("overdue", 1060, 1060)]
    task = await world.send(task, world.zhao)
    world.pass_s(1000)
    # Accepted, and late to be there as well: it was overdue all the time.
    task = await world.say(task, "accept")
    assert (await told(world))[1:] == [("overdue", 2060, 2060)]
    world.pass_s(10)
    await keeper(world).step()
    await world.say(task, "on_site")
    assert (await told(world))[2:] == [("on_time", 2070, 2070)]


async def test_a_task_that_somebody_holds_is_left_to_him(world: DispatchWorld) -> None:
    held, free = await world.open(), await world.open(world.new(title="free"), how=OnDuplicate.OPEN)
    world.pass_s(600)
    async with world.database.transaction() as tx:
        await lock_dispatch(tx, HUB, held.id)
        assert await keeper(world).step() == after(600)
        assert await _told_of(world, [held, free]) == [free.id]
    assert await keeper(world).step() is None
    assert await _told_of(world, [held, free]) == [free.id, held.id]


async def _told_of(world: DispatchWorld, tasks: Sequence[Dispatch]) -> list[int]:
    numbers = {task.id for task in tasks}
    return [
        int(str(n)) for kind, n in await world.events() if kind.endswith("overdue") if n in numbers
    ]


async def _open_many(world: DispatchWorld, since: datetime) -> None:
    """Tasks whose deadlines pass within an hour, in no order."""
    async with world.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO dispatches (area_id, title, kind, priority, source, created_at,"
            " created_by, accept_by, deadline_at) SELECT %(area)s, 'task ' || i, 'other',"
            " 'normal', 'hand', %(at)s, 'li', d.due, d.due FROM generate_series(1, %(many)s) i"
            " CROSS JOIN LATERAL (SELECT %(at)s::timestamptz"
            "  + (i * 7919 %% 3600) * interval '1 s' AS due) d",
            {"area": world.county.east.id, "at": since, "many": MANY},
        )


@pytest.mark.threat("K1")
@pytest.mark.threat("K10")
async def test_many_that_passed_in_an_absence_are_told_once_and_in_order(
    world: DispatchWorld,
) -> None:
    await _open_many(world, START)
    world.pass_s(3 * 3600)
    await asyncio.gather(*[keeper(world).step() for _ in range(3)])
    words = await told(world)
    assert len(words) == MANY
    assert [at for _, at, _ in words] == sorted(at for _, at, _ in words)
    # A clock that is set back, and a restart, tell nothing anew.
    world.pass_s(-2 * 3600)
    assert await keeper(world).step() is None
    ((lines, tasks),) = await world.rows(
        "SELECT count(*), count(DISTINCT dispatch_id) FROM dispatch_steps WHERE what = 'overdue'"
    )
    assert (lines, tasks) == (MANY, MANY)


@pytest.mark.threat("K1")
async def test_keepers_and_people_at_the_same_moment_agree(world: DispatchWorld) -> None:
    """Whatever is done and whenever keepers look: an alert stands exactly while it is overdue."""
    rng = random.Random(7)
    steps: dict[str, Sequence[str]] = {
        "new": ["send"], "sent": ["accept", "refuse"], "refused": ["send"], "returned": ["send"],
        "accepted": ["on_site", "refuse", "back"], "on_site": ["done", "back"],
        "done": ["back", "verify"], "verified": [],
    }  # fmt: skip
    said = 0
    for number in range(3):
        task = await world.open(world.new(title=f"task {number}", kind=f"kind{number}"))
        for _ in range(12):
            if not steps[task.state]:
                break
            world.pass_s(rng.choice([0, 1, 60, 599, 601, 1800, 7000]))
            await asyncio.gather(
                *[keeper(world).step() for _ in range(rng.randrange(3))],
                _do(world, task, rng.choice(steps[task.state])),
            )
            await keeper(world).step()
            task = await world.read(task)
            words = await _words_of(world, task)
            kinds = [kind for kind, _ in words]
            due = task.deadline_at
            assert (kinds[-1:] == ["dispatch.overdue"]) == (due is not None and due <= world.now)
            assert kinds[:1] != ["dispatch.on_time"]
            assert ("dispatch.on_time",) * 2 not in pairwise(kinds)
            moments = [at for _, at in words]
            assert moments == sorted(moments)
            assert task.overdue_at == (moments[0] if moments else None)
            lines = [what for what, _, _ in await world.history(task)]
            assert lines.count("overdue") == kinds.count("dispatch.overdue")
        said += len(kinds)
    assert said > 10


async def _do(world: DispatchWorld, task: Dispatch, what: str) -> None:
    match what:
        case "send":
            await world.send(task)
        case "verify":
            await world.verify(task, "seen")
        case "back":
            async with world.database.transaction() as tx:
                await take_back(tx, DESK, world.order(task, "not so"))
        case _:
            await world.say(task, what, "no time")


async def _words_of(world: DispatchWorld, task: Dispatch) -> list[tuple[str, datetime]]:
    rows = await world.rows(
        "SELECT kind, at FROM events WHERE kind IN ('dispatch.overdue', 'dispatch.on_time')"
        " AND data @> jsonb_build_object('dispatch', %(id)s::bigint) ORDER BY id",
        id=task.id,
    )
    return [(str(kind), at) for kind, at in rows if isinstance(at, datetime)]


@pytest.mark.threat("K1")
async def test_a_killed_process_loses_and_doubles_nothing(
    timescaledb_database_url: str, vault: Vault
) -> None:
    database = await Database.open(timescaledb_database_url, vault=vault)
    world = await DispatchWorld.build(database, await County.build(database))
    victims = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.db.deadlines_victim", timescaledb_database_url,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        for victim in victims:
            assert victim.stdout is not None
            assert await victim.stdout.readline() == b"ready\n"
        # All of it is overdue at once: it takes both some batches.
        await _open_many(world, datetime.now(UTC) - timedelta(hours=2))
        async with asyncio.timeout(30):
            while not await told(world):
                await asyncio.sleep(0.01)
            victims[0].kill()
            while len(await told(world)) < MANY:
                await asyncio.sleep(0.05)
    finally:
        for victim in victims:
            with suppress(ProcessLookupError):
                victim.kill()
            await victim.wait()
    rows = await world.rows(
        "SELECT count(*), count(DISTINCT data -> 'dispatch'), bool_and(e.at = t.deadline_at)"
        " FROM events e JOIN dispatches t ON t.id = (e.data ->> 'dispatch')::bigint"
        " WHERE e.kind = 'dispatch.overdue'"
    )
    moments = [at for _, at, _ in await told(world)]
    await database.close()
    assert rows == [(MANY, MANY, True)]
    assert moments == sorted(moments)


async def test_a_keeper_that_runs_hears_of_new_deadlines(world: DispatchWorld) -> None:
    live = LiveFeed(world.database)
    work = DeadlineKeeper(world.database, wall_clock, live=live)
    world.now = datetime.now(UTC) - timedelta(seconds=599.5)
    async with running(live.run(), work.run()):
        await asyncio.wait_for(live.listening.wait(), 15)
        task = await world.open()
        async with asyncio.timeout(15):
            while (await world.read(task)).overdue_at is None:
                await asyncio.sleep(0.02)
    assert (await world.read(task)).overdue_at == world.now + timedelta(seconds=600)
    async with world.database.transaction() as tx:
        assert await next_deadline_at(tx, SCOPE) is None
