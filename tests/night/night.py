"""Lets a night pass: cameras, two processes of the hub that are killed now and then, people."""

import asyncio
import logging
import random
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.domain.patrols import PatrolRound, RoundState
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.pdf import Printer
from hub.runtime.jobs import Jobs
from hub.store import rounds
from hub.store.database import Database, Transaction
from hub.store.rounds import RoundFilter
from hub.store.vault import Vault
from tests.benchmarks.picture_farm import PictureFarm
from tests.night.accounts import Accounts, account
from tests.night.clock import FastClock
from tests.night.county import HUB, IDLE_EVERY, MIDNIGHT, County, fill, furnish
from tests.night.staff import Staff
from tests.night.worker import SHANGHAI, Place
from tests.system.role_process import RoleProcess

log = logging.getLogger(__name__)

WORKERS = 2
_STILL_WAITING = (
    "SELECT (SELECT count(*) FROM room_calls WHERE state = 'asked')"
    " + (SELECT count(*) FROM dispatches WHERE state NOT IN ('done', 'verified', 'merged')"
    "    AND NOT (id %% %(every)s = 0 AND is_overdue_told))"
    " + (SELECT count(*) FROM events WHERE kind = 'dispatch.overdue')"
    " - (SELECT count(*) FROM alerts x JOIN rules u ON u.id = x.rule_id"
    "    WHERE u.name = 'Task overdue 任务超时')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightOptions:
    """How long a night lasts by its own clock, how fast that runs, how often a process is killed.

    ``kills_within_s``: the kills fall into so many real seconds after the round began.
    """

    villages: int = 300
    cameras_a_village: int = 6
    factor: float = 30.0
    lasts_s: int = 5 * 3600
    kills: int = 5
    kills_within_s: float = 120.0
    seed: int = 20261121
    say: Callable[[str], None] = field(default=log.info)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What came of it; ``took_s`` are real seconds from the begin of the round to its end."""

    accounts: Accounts
    took_s: float
    kills: int
    judged: int


async def pass_night(database_url: str, folder: Path, options: NightOptions) -> Night:
    """Let a night pass on an empty database; files and logs go to ``folder``."""
    cameras = options.villages * options.cameras_a_village
    async with AsyncExitStack() as stack:
        farm = await stack.enter_async_context(
            PictureFarm(snapshots=cameras, streams=0, is_night=True)
        )
        await farm.spoil()
        vault = Vault.open(folder / "gengfu.key")
        await fill(database_url, farm.addresses, vault)
        clock = FastClock(
            started=MIDNIGHT - timedelta(seconds=4 * options.factor),
            real_s=time.time(),
            factor=options.factor,
        )
        place = Place(database_url=database_url, data_dir=folder, clock=clock)
        database = await place.open()
        stack.push_async_callback(database.close)
        county = await furnish(database, cameras, lasts_s=options.lasts_s)
        workers = [
            RoleProcess(
                module=("tests.night.worker",),
                settings=place.environment(),
                log=folder / f"worker-{number}.log",
            )
            for number in range(WORKERS)
        ]
        for worker in workers:
            await worker.spawn()
            stack.push_async_callback(_end, worker)
        for worker in workers:
            await worker.running()
        jobs = Jobs(database, lambda: datetime.now(UTC))
        staff = Staff(database, jobs, clock, county)
        async with asyncio.TaskGroup() as group:
            people = group.create_task(staff.work())
            killing = group.create_task(_kill(database, county, workers, options))
            took_s = await _wait_for_end(database, county, clock, options)
            await killing
            await _wait_for_morning(database, county, clock)
            people.cancel()
        await _report_again(database, county, place)
        found = await account(database, county, PictureFolder(folder))
    return Night(accounts=found, took_s=took_s, kills=options.kills, judged=staff.judged)


async def _kill(
    database: Database, county: County, workers: list[RoleProcess], options: NightOptions
) -> None:
    """Kill one of the processes now and then, as kill -9 does, and start it again."""
    while await _state(database, county) is RoundState.DUE:
        await asyncio.sleep(0.1)
    rng = random.Random(options.seed)
    moments = sorted(rng.uniform(1, options.kills_within_s) for _ in range(options.kills))
    begun = time.monotonic()
    for number, moment in enumerate(moments):
        await asyncio.sleep(max(0.0, begun + moment - time.monotonic()))
        victim = workers[number % len(workers)]
        await victim.end(signal.SIGKILL)
        options.say(f"killed process {number % len(workers)} after {moment:.0f} s")
        await victim.spawn()
        await victim.running()


async def _state(database: Database, county: County) -> RoundState:
    async with database.transaction() as tx:
        walk = await _walk(tx, county)
    return RoundState.DUE if walk is None else walk.state


async def _walk(tx: Transaction, county: County) -> PatrolRound | None:
    """The round of the night, once it is planned."""
    found = await rounds.list_rounds(tx, HUB, RoundFilter(plan_id=county.plan_id))
    return found.items[0] if found.items else None


async def _wait_for_end(
    database: Database, county: County, clock: FastClock, options: NightOptions
) -> float:
    while await _state(database, county) is RoundState.DUE:
        await asyncio.sleep(0.1)
    begun = time.monotonic()
    said = begun
    while (state := await _state(database, county)) in {RoundState.RUNNING, RoundState.PAUSED}:
        await asyncio.sleep(0.5)
        if time.monotonic() - said > 30:
            said = time.monotonic()
            async with database.transaction() as tx:
                walk = await _walk(tx, county)
                assert walk is not None
            options.say(
                f"{clock():%H:%M} UTC: {walk.stops_seen + walk.stops_not_seen} of"
                f" {walk.stops_planned} looked at, {walk.stops_open} open"
            )
    options.say(f"the round is {state.value}")
    return time.monotonic() - begun


async def _wait_for_morning(database: Database, county: County, clock: FastClock) -> None:
    """Until rooms, units and deadlines had their time, and the report is made."""
    async with asyncio.timeout(clock.wait_s(6 * 3600) + 120):
        while True:
            async with database.transaction() as tx:
                walk = await _walk(tx, county)
                assert walk is not None
                waiting = await tx.scalar(int, _STILL_WAITING, {"every": IDLE_EVERY})
            if walk.has_report and not waiting:
                return
            await asyncio.sleep(0.5)


async def _report_again(database: Database, county: County, place: Place) -> None:
    """Make the report of the round as it is in the morning: rooms answered after its end."""
    async with database.transaction() as tx:
        walk = await _walk(tx, county)
        assert walk is not None
    maker = Maker(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        papers=Papers.of(database, place.data_dir, Printer()),
        clock=place.clock,
        zone=SHANGHAI,
    )
    await maker.make_round(HUB, walk.id)


async def _end(worker: RoleProcess) -> None:
    await worker.end(signal.SIGKILL)
