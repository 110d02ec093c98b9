"""Due work: it commits with its cause, runs once at a time, and outlives workers and servers."""

import asyncio
import contextlib
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.devices import Json
from hub.domain.errors import StoreUnavailable
from hub.runtime.ending import end_tasks
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database

ROOT = Path(__file__).parents[2]
WORK = "test.work"


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Diary:
    """What a handler was given, in order; it fails as often as it is told to."""

    jobs: list[Job] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def write(self, job: Job) -> None:
        async with self.came:
            self.jobs.append(job)
            self.came.notify_all()
        if self.failures:
            raise self.failures.pop(0)

    async def wait_for(self, count: int, *, s: float = 20) -> None:
        async with asyncio.timeout(s), self.came:
            await self.came.wait_for(lambda: len(self.jobs) >= count)


@asynccontextmanager
async def working(jobs: Jobs, *, concurrency: int = 4) -> AsyncIterator[None]:
    task = asyncio.create_task(jobs.run(concurrency=concurrency))
    try:
        yield
    finally:
        await end_tasks([task])


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def jobs(database: Database, diary: Diary) -> Jobs:
    made = Jobs(database, wall_clock)
    made.handle(WORK, diary.write)
    return made


async def waiting(database: Database) -> Sequence[tuple[object, ...]]:
    async with database.transaction() as tx:
        return await tx.tuples("SELECT status::text, args FROM procrastinate_jobs ORDER BY id")


async def ask(database: Database, jobs: Jobs, **args: Json) -> None:
    async with database.transaction() as tx:
        await jobs.defer(tx, WORK, args)


async def test_work_exists_only_when_its_cause_commits(
    database: Database, jobs: Jobs, diary: Diary
) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with database.transaction() as tx:
            await jobs.defer(tx, WORK, {"round": 1})
            raise ZeroDivisionError
    assert await waiting(database) == []
    async with database.transaction() as tx:
        await jobs.defer(tx, WORK, {"round": 2})
        assert await waiting(database) == []
    async with working(jobs):
        await diary.wait_for(1)
    assert [job.args for job in diary.jobs] == [{"round": 2}]


async def test_once_keeps_one_and_spoils_nothing(
    database: Database, jobs: Jobs, diary: Diary
) -> None:
    async with database.transaction() as tx:
        assert await jobs.defer(tx, WORK, {"n": 1}, once="report")
        assert not await jobs.defer(tx, WORK, {"n": 2}, once="report")
        assert await jobs.defer(tx, WORK, {"n": 3}, once="another")
    async with working(jobs):
        await diary.wait_for(2)
        # The mark is free again once the work has begun.
        async with database.transaction() as tx:
            assert await jobs.defer(tx, WORK, {"n": 4}, once="report")
        await diary.wait_for(3)
    assert sorted(str(job.args["n"]) for job in diary.jobs) == ["1", "3", "4"]


async def test_one_lock_never_works_twice_at_a_time(database: Database) -> None:
    running: set[str] = set()
    met = asyncio.Event()
    done: list[str] = []

    async def handler(job: Job) -> None:
        lock = str(job.args["lock"])
        assert lock not in running
        running.add(lock)
        if len(running) == 2:
            met.set()
        # Two locks do work side by side, or this waits for ever.
        async with asyncio.timeout(10):
            await met.wait()
        running.discard(lock)
        done.append(lock)

    jobs = Jobs(database, wall_clock)
    jobs.handle(WORK, handler)
    async with database.transaction() as tx:
        for lock in ("a", "a", "a", "b"):
            await jobs.defer(tx, WORK, {"lock": lock}, lock=lock)
    async with working(jobs):
        async with asyncio.timeout(20):
            while len(done) < 4:
                await asyncio.sleep(0.02)
    assert sorted(done) == ["a", "a", "a", "b"]


async def test_what_is_due_later_waits(database: Database, jobs: Jobs, diary: Diary) -> None:
    async with database.transaction() as tx:
        await jobs.defer(tx, WORK, {"when": "later"}, at=wall_clock() + timedelta(hours=1))
        await jobs.defer(tx, WORK, {"when": "soon"}, at=wall_clock() + timedelta(seconds=0.3))
        await jobs.defer(tx, WORK, {"when": "now"})
    async with working(jobs):
        await diary.wait_for(2)
    assert [job.args["when"] for job in diary.jobs] == ["now", "soon"]
    assert [args for _status, args in await waiting(database)] == [{"when": "later"}]


async def test_an_error_of_ours_is_tried_again_after_each_wait(database: Database) -> None:
    diary = Diary(failures=[StoreUnavailable("x")] * 9)
    jobs = Jobs(database, wall_clock)
    jobs.handle(WORK, diary.write, retry_waits_s=(0.1, 0.4))
    await ask(database, jobs)
    async with working(jobs):
        await diary.wait_for(3)
        async with asyncio.timeout(10):
            while [status for status, _ in await waiting(database)] != ["failed"]:
                await asyncio.sleep(0.05)
    assert [job.attempt for job in diary.jobs] == [1, 2, 3]


async def test_a_defect_is_not_tried_again(database: Database) -> None:
    diary = Diary(failures=[ZeroDivisionError()])
    jobs = Jobs(database, wall_clock)
    jobs.handle(WORK, diary.write, retry_waits_s=(0.1, 0.1))
    await ask(database, jobs, n=1)
    await ask(database, jobs, n=2)
    async with working(jobs, concurrency=1):
        await diary.wait_for(2)
        async with asyncio.timeout(10):
            while len(await waiting(database)) != 1:
                await asyncio.sleep(0.05)
    assert [job.args["n"] for job in diary.jobs] == [1, 2]


async def test_a_series_goes_on_over_failures_and_is_one_for_all_workers(
    database: Database,
) -> None:
    began: list[float] = []
    loop = asyncio.get_running_loop()

    async def work() -> None:
        began.append(loop.time())
        if len(began) == 2:
            msg = "away for once"
            raise StoreUnavailable(msg)

    two = [Jobs(database, wall_clock) for _ in range(2)]
    for jobs in two:
        jobs.every("test.series", 0.5, work)
    async with working(two[0]), working(two[1]):
        async with asyncio.timeout(20):
            while len(began) < 4:
                await asyncio.sleep(0.02)
    gaps = [later - earlier for earlier, later in itertools.pairwise(began)]
    # Two workers on one series: never sooner than asked for (but for the clocks' grain).
    assert min(gaps) > 0.4


@pytest.mark.threat("K2")
async def test_the_job_of_a_killed_worker_runs_again(
    database: Database, database_url: str, jobs: Jobs, diary: Diary
) -> None:
    await ask(database, jobs, n=7)
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.db.jobs_victim", database_url,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert victim.stdout is not None
    async with asyncio.timeout(30):
        assert await victim.stdout.readline() == b"begun\n"
    victim.kill()
    await victim.communicate()
    assert [status for status, _ in await waiting(database)] == ["doing"]
    async with database.transaction() as tx:
        # As if the limit of the heartbeat had passed.
        assert await tx.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"
        )
    async with working(jobs):
        await diary.wait_for(1)
        async with asyncio.timeout(10):
            while await waiting(database):
                await asyncio.sleep(0.05)
    assert [job.args for job in diary.jobs] == [{"n": 7}]


@pytest.mark.threat("K3")
async def test_all_connections_may_be_ended_by_the_server(
    database: Database, jobs: Jobs, diary: Diary
) -> None:
    async with working(jobs):
        await ask(database, jobs, n=1)
        await diary.wait_for(1)
        async with database.transaction() as tx:
            ended = await tx.tuples(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend'"
                " AND pid <> pg_backend_pid()"
            )
        assert ended
        async with asyncio.timeout(20):
            while True:
                try:
                    await ask(database, jobs, n=2)
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.1)
        await diary.wait_for(2)
    assert {job.args["n"] for job in diary.jobs} == {1, 2}


async def test_a_job_that_fails_while_the_next_of_its_mark_waits_is_over(
    database: Database, diary: Diary
) -> None:
    """Two of one mark cannot wait: it must not stay "doing", with its lock, for ever."""
    jobs = Jobs(database, wall_clock)
    is_asked = asyncio.Event()

    async def work(job: Job) -> None:
        if not diary.jobs:
            async with database.transaction() as tx:
                assert await jobs.defer(tx, WORK, {"n": 2}, lock="one", once="mark")
            is_asked.set()
            diary.failures.append(StoreUnavailable("away"))
        await diary.write(job)

    jobs.handle(WORK, work, retry_waits_s=(0.1, 0.1))
    async with database.transaction() as tx:
        await jobs.defer(tx, WORK, {"n": 1}, lock="one", once="mark")
    async with working(jobs):
        await diary.wait_for(2)
    assert is_asked.is_set()
    assert [job.args["n"] for job in diary.jobs] == [1, 2]
