"""The engine under kill -9, a lost database and a running clock."""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from alerts.judging.engine import BATCH_EVENTS, AlertEngine
from alerts.telling.delivery import Delivery
from hub.domain.alerts import Step
from hub.domain.conditions import DeviceOffline
from hub.domain.devices import Device
from hub.domain.health import Layer, Status
from hub.domain.notifications import ReceiverKind
from hub.runtime.jobs import Jobs
from hub.store.database import Database
from tests.db.alerts_site import Clock, Mailbox, Site, running, wall_clock

ROOT = Path(__file__).parents[2]
ROUNDS = 6
DEVICES = 30


class RealSite(Site):
    """A site whose clock runs."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Clock())
        self.jobs = Jobs(database, wall_clock)

    async def turn(
        self,
        device: Device,
        status: Status,
        *,
        layer: Layer | None = None,
        behind: Device | None = None,
        is_flapping: bool = False,
    ) -> None:
        self.clock.now = wall_clock()
        await super().turn(device, status, layer=layer, behind=behind, is_flapping=is_flapping)

    def engine(self, *, most_events: int = BATCH_EVENTS) -> AlertEngine:
        return AlertEngine(self.database, self.jobs, self.live, wall_clock, most_events=most_events)


@pytest.fixture
async def site(database: Database) -> RealSite:
    made = RealSite(database)
    await made.build()
    return made


async def until(site: Site, statuses: Sequence[str], seconds: float = 20) -> None:
    """Wait until the alerts stand so."""
    found: list[str] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await site.statuses()
        if found == list(statuses):
            return
        await asyncio.sleep(0.02)
    assert found == list(statuses)


async def test_an_alert_fires_within_a_second_of_its_time(site: RealSite) -> None:
    await site.add_rule(DeviceOffline(for_s=1.0))
    device = await site.add_device()
    async with running(site.live.run(), site.engine().run()):
        await site.turn(device, Status.OFFLINE)
        await until(site, ["firing"])
    (alert,) = await site.alerts()
    assert 1.0 <= (alert.fired_at - alert.started_at).total_seconds() < 2.0


@pytest.mark.threat("K3")
async def test_the_engine_comes_back_after_all_connections_were_cut(
    site: RealSite, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await site.add_rule(DeviceOffline())
    device = await site.add_device()
    mailbox = Mailbox()
    other = await Database.open(database_url, name="other")
    Delivery(site.database, wall_clock, {ReceiverKind.WEBHOOK: mailbox}).register(site.jobs)
    try:
        async with running(site.live.run(), site.jobs.run(), site.engine().run()):
            await site.turn(device, Status.OFFLINE)
            fired = await mailbox.next()
            async with other.transaction() as tx:
                await tx.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND backend_type = 'client backend'"
                    " AND application_name <> 'other'"
                )
            await asyncio.sleep(0.5)
            await site.turn(device, Status.ONLINE)
            got = await mailbox.next(60)
            while got.message_id == fired.message_id:  # at least once, and it can be told
                got = await mailbox.next(60)
            assert [one.step.step for one in got.notifications] == [Step.RESOLVED]
    finally:
        await other.close()


@pytest.mark.threat("K1")
async def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(
    site: RealSite, database_url: str
) -> None:
    await site.add_rule(DeviceOffline())
    await site.add_rule(DeviceOffline(for_s=0.3))
    devices = [await site.add_device(f"cam{n}") for n in range(DEVICES)]
    rng = random.Random(4)  # a repeatable test, no secret
    for number in range(ROUNDS):
        status = Status.ONLINE if number % 2 else Status.OFFLINE
        victim = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.db.alerts_victim",
            database_url,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert victim.stdout is not None
        assert await victim.stdout.readline() == b"ready\n"
        for device in devices:
            await site.turn(device, status)
        await asyncio.sleep(rng.uniform(0, 0.4))
        victim.kill()
        await victim.wait()
        await asyncio.sleep(0.3)
    if ROUNDS % 2:
        for device in devices:
            await site.turn(device, Status.ONLINE)
    await site.engine().step()
    outages = DEVICES * ((ROUNDS + 1) // 2)
    async with site.database.transaction() as tx:
        per_rule = await tx.tuples(
            "SELECT rule_id, count(*), count(*) FILTER (WHERE status = 'resolved'),"
            " count(DISTINCT event_id) FROM alerts GROUP BY rule_id ORDER BY rule_id"
        )
        steps = await tx.tuples(
            "SELECT alert_id FROM alert_steps GROUP BY alert_id"
            " HAVING array_agg(step ORDER BY id) <> '{fired,resolved}'"
        )
    assert [row[1:] for row in per_rule] == [(outages, outages, outages)] * 2
    assert steps == []
    assert await site.count("notifications") == outages * 4
    assert await site.count("jobs") == 1  # it posts whatever waits for the receiver
