"""Climbs in the database: who begins one, who ends it, and that nobody is told twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.escalation.defaults import ensure_default_escalation
from alerts.escalation.escalating import BATCH, Escalator, begin, put_off
from alerts.handling.life import Action, Order, act_on_one
from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.escalations import Climb, Deadlines, Duty, Policy, PolicyStep
from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.domain.notifications import Receiver
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store.alert_facts import alert_facts
from hub.store.alerts import get_alert, list_steps
from hub.store.audit import list_entries
from hub.store.climbs import climbs_of
from hub.store.database import Database
from hub.store.deadlines import add_deadlines, change_deadlines, remove_deadlines, set_deadlines
from hub.store.duties import add_duty, change_duty, list_duties, remove_duty
from hub.store.policies import add_policy, change_policy, get_policy, list_policies, remove_policy
from hub.store.receivers import change_receiver
from tests.db.alerts_site import HUB, Clock, running, wall_clock
from tests.db.posting_site import PostingSite

NORTH = Scope(paths=("county.north",), actor="wang")
STEPS = (PolicyStep(wait_s=0, climb=0), PolicyStep(wait_s=300, climb=1))


class Watch(PostingSite):
    """A site with somebody on duty in the north and in the county, and one policy."""

    async def build(self) -> "Watch":
        await super().build()
        self.officer = await self.add_receiver("officer", area="north")
        self.room = await self.add_receiver("room")
        self.policy = await self.add_policy(*STEPS)
        await self.on_duty(self.officer, "north")
        await self.on_duty(self.room, "county")
        self.rule = await self.add_rule()
        return self

    async def add_policy(
        self, *steps: PolicyStep, area: str = "county", matcher: Matcher | None = None
    ) -> Policy:
        policy = Policy(
            name="climb", area_id=self.areas[area].id, steps=steps, matcher=matcher or Matcher()
        )
        async with self.database.transaction() as tx:
            return await add_policy(tx, HUB, policy)

    async def on_duty(self, receiver: Receiver, area: str) -> Duty:
        async with self.database.transaction() as tx:
            duty = Duty(area_id=self.areas[area].id, receiver_id=receiver.id)
            return await add_duty(tx, HUB, duty)

    async def set_deadline(self, area: str, acknowledge_s: float | None) -> Deadlines:
        wanted = Deadlines(
            area_id=self.areas[area].id,
            severity=Severity.CRITICAL,
            acknowledge_s=acknowledge_s,
            resolve_s=3600,
        )
        async with self.database.transaction() as tx:
            return await add_deadlines(tx, HUB, wanted)

    async def climb(self, count: int = 1, *, rule: Rule | None = None) -> list[int]:
        """Open alerts in the north and let them climb."""
        alerts = await self.open_alerts(rule or self.rule, count)
        await self.begin(alerts)
        return alerts

    async def begin(self, alerts: list[int]) -> None:
        async with self.database.transaction() as tx:
            await set_deadlines(tx, HUB, alerts)
            facts = await alert_facts(tx, HUB, alerts)
            at = dict.fromkeys(alerts, self.clock())
            await begin(tx, HUB, list(facts.values()), at)

    async def climbs(self, *alerts: int) -> list[Climb]:
        async with self.database.transaction() as tx:
            return [one.climb for one in await climbs_of(tx, HUB, alerts)]

    def escalator(self) -> Escalator:
        """A new one, as after a restart."""
        return Escalator(self.database, self.jobs, self.clock)

    async def take(self, alert: int, order: Order) -> None:
        async with self.database.transaction() as tx:
            await act_on_one(tx, HUB, self.jobs, alert, order, self.clock())

    async def told(self, alert: int) -> list[str]:
        return [line.receiver_name for line in await self.lines(alert)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def watch(database: Database, clock: Clock) -> Watch:
    return await Watch(database, clock).build()


async def test_an_alert_begins_to_climb_by_every_policy_that_matches(
    watch: Watch, clock: Clock
) -> None:
    near = await watch.add_policy(PolicyStep(wait_s=60, climb=0), area="north")
    await watch.add_policy(STEPS[0], area="south")
    await watch.add_policy(STEPS[0], matcher=Matcher(severities=(Severity.INFO,)))
    off = await watch.add_policy(STEPS[0])
    async with watch.database.transaction() as tx:
        await change_policy(tx, HUB, replace(off, is_enabled=False))
    alert, folded, drill = await watch.open_alerts(watch.rule, 3)
    async with watch.database.transaction() as tx:
        facts = await alert_facts(tx, HUB, [alert, folded, drill])
        told = [
            facts[alert],
            replace(facts[folded], is_folded=True),
            replace(facts[drill], drill_id=7),
        ]
        await begin(tx, HUB, told, dict.fromkeys(facts, clock()))
    climbs = await watch.climbs(alert, folded, drill)
    wanted = [(one, p.id) for one in (alert, drill) for p in (watch.policy, near)]
    assert [(one.alert_id, one.policy_id) for one in climbs] == wanted
    assert climbs[1].due_at == clock() + timedelta(seconds=60)
    # Reopened: it begins anew.
    clock.pass_s(400)
    await watch.escalator().step()
    assert await watch.told(alert) == ["officer", "officer", "room"]
    await watch.begin([alert])
    assert [one.due_at for one in await watch.climbs(alert)] == [
        clock(), clock() + timedelta(seconds=60),
    ]  # fmt: skip
    # A policy that is gone ends what climbs by it.
    async with watch.database.transaction() as tx:
        await remove_policy(tx, HUB, near.id)
    assert [one.policy_id for one in await watch.climbs(alert)] == [watch.policy.id]


async def test_the_nearest_deadline_counts_and_brings_steps_forward(
    watch: Watch, clock: Clock
) -> None:
    await watch.set_deadline("county", 900)
    near = await watch.set_deadline("north", 120)
    late = await watch.add_policy(PolicyStep(wait_s=600, climb=1))
    (alert,) = await watch.climb()
    async with watch.database.transaction() as tx:
        found = await get_alert(tx, HUB, alert)
    assert found.acknowledge_by == clock() + timedelta(seconds=120)
    assert found.resolve_by == clock() + timedelta(hours=1)
    clock.pass_s(119)
    assert await watch.escalator().step() == clock() + timedelta(seconds=1)
    assert await watch.told(alert) == ["officer"]
    clock.pass_s(1)
    await watch.escalator().step()
    assert await watch.told(alert) == ["officer", "room", "room"]
    async with watch.database.transaction() as tx:
        notes = [step.note for step in await list_steps(tx, HUB, alert)]
        await remove_deadlines(tx, HUB, near.id)
    assert f"policy {late.name}, step 1: overdue, nobody acknowledged within 2 min" in notes[-1]
    (other,) = await watch.climb()
    async with watch.database.transaction() as tx:
        found = await get_alert(tx, HUB, other)
    assert found.acknowledge_by == clock() + timedelta(seconds=900)


@pytest.mark.threat("K1")
async def test_two_processes_tell_everything_once(watch: Watch, clock: Clock) -> None:
    alerts = await watch.climb(BATCH + 10)
    clock.pass_s(301)
    await asyncio.gather(*[watch.escalator().step() for _ in range(3)])
    await watch.escalator().step()  # what was held by another at that moment
    for alert in alerts:
        assert await watch.told(alert) == ["officer", "room"]
    assert await watch.climbs(*alerts) == []
    assert await watch.escalator().step() is None


async def test_who_takes_it_at_the_same_moment_is_not_called(watch: Watch, clock: Clock) -> None:
    (alert,) = await watch.climb()
    clock.pass_s(301)
    async with watch.database.transaction() as tx:
        await act_on_one(tx, HUB, watch.jobs, alert, Order(action=Action.ACKNOWLEDGE), clock())
        due_at = await watch.escalator().step()  # leaves alone what another one holds
        assert due_at is not None
        assert due_at < clock()
    assert await watch.escalator().step() is None
    assert await watch.told(alert) == []


async def test_quiet_that_passed_while_the_hub_was_down_does_not_count(
    watch: Watch, clock: Clock
) -> None:
    (alert,) = await watch.climb()
    await watch.escalator().step()
    until = clock() + timedelta(seconds=1000)
    await watch.take(alert, Order(action=Action.SNOOZE, until=until, note="x"))
    clock.pass_s(1100)
    async with watch.database.transaction() as tx:  # as the end of quiet does, before it ends it
        await put_off(tx, HUB, [alert], clock())
        await tx.execute("UPDATE alerts SET quiet_until = NULL, snoozed_until = NULL")
    assert await watch.escalator().step() == until + timedelta(seconds=300)
    assert await watch.told(alert) == ["officer"]
    clock.pass_s(200)
    await watch.escalator().step()
    assert await watch.told(alert) == ["officer", "room"]


@pytest.mark.threat("K10")
async def test_a_clock_that_jumps(watch: Watch, clock: Clock) -> None:
    (alert,) = await watch.climb()
    await watch.escalator().step()
    clock.pass_s(-3 * 3600)
    assert await watch.escalator().step() == clock() + timedelta(seconds=300)
    clock.pass_s(300)
    await watch.escalator().step()
    assert await watch.told(alert) == ["officer", "room"]
    (other,) = await watch.climb()
    clock.pass_s(3 * 3600)
    await watch.escalator().step()
    assert await watch.told(other) == ["officer", "room"]


async def test_receivers_that_are_off_are_not_called(watch: Watch) -> None:
    async with watch.database.transaction() as tx:
        await change_receiver(tx, HUB, replace(watch.officer, is_enabled=False))
    (alert,) = await watch.climb()
    await watch.escalator().step()
    assert await watch.told(alert) == ["room"]


@pytest.mark.threat("K3")
async def test_it_survives_the_loss_of_its_connections(watch: Watch, database_url: str) -> None:
    other = await Database.open(database_url, name="other")
    live = LiveFeed(watch.database)
    jobs = Jobs(watch.database, wall_clock)
    escalator = Escalator(watch.database, jobs, wall_clock, live=live)
    try:
        async with running(live.run(), escalator.run()):
            await asyncio.wait_for(live.listening.wait(), 15)
            async with other.transaction() as tx:
                await tx.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name <> 'other'"
                )
            watch.database = other
            (alert,) = await watch.climb()
            async with asyncio.timeout(30):
                while await watch.told(alert) != ["officer"]:
                    await asyncio.sleep(0.05)
    finally:
        await other.close()


@pytest.mark.threat("T1")
async def test_nobody_plans_beyond_his_areas(watch: Watch) -> None:
    north, county = watch.areas["north"].id, watch.areas["county"].id
    deadlines = await watch.set_deadline("county", 60)
    named = (PolicyStep(wait_s=0, receivers=(watch.officer.id, watch.room.id)),)
    policy = Policy(name="x", area_id=north, steps=named)
    mine = (replace(named[0], receivers=(watch.officer.id,)),)
    async with watch.database.transaction() as tx:
        for wrong in (policy, replace(policy, area_id=county, steps=mine)):
            with pytest.raises(NotFound):
                await add_policy(tx, NORTH, wrong)
        with pytest.raises(NotFound):
            await change_policy(tx, NORTH, replace(watch.policy, name="mine"))
        with pytest.raises(Invalid):
            await add_policy(tx, NORTH, replace(policy, steps=()))
        for duty in (
            Duty(area_id=county, receiver_id=watch.officer.id),
            Duty(area_id=north, receiver_id=watch.room.id),
        ):
            with pytest.raises(NotFound):
                await add_duty(tx, NORTH, duty)
        with pytest.raises(NotFound):
            await change_deadlines(tx, NORTH, replace(deadlines, area_id=north))
        added = await add_policy(tx, NORTH, replace(policy, steps=mine))
        # What somebody above him named already may stay.
        await change_policy(tx, HUB, replace(added, steps=named))
        await change_policy(tx, NORTH, replace(added, name="y", steps=named))
        assert (await list_policies(tx, NORTH)).items == [await get_policy(tx, NORTH, added.id)]
        (duty,) = (await list_duties(tx, NORTH)).items
        with pytest.raises(NotFound):
            await change_duty(tx, NORTH, replace(duty, receiver_id=watch.room.id))
        await remove_duty(tx, NORTH, duty.id)
        done = [entry.action for entry in (await list_entries(tx, NORTH)).items]
    assert done[:4] == ["duty.removed", "policy.changed", "policy.changed", "policy.added"]
    with pytest.raises(Conflict):
        await watch.on_duty(watch.room, "county")


async def test_a_new_hub_has_deadlines_and_policies_once(database: Database, clock: Clock) -> None:
    site = await PostingSite(database, clock).build()
    async with database.transaction() as tx:
        made = [await ensure_default_escalation(tx, HUB, site.areas["county"].id) for _ in range(2)]
        policies = (await list_policies(tx, HUB)).items
    assert made == [4, 0]
    assert [[step.climb for step in policy.steps] for policy in policies] == [[0, 1, 2, 3], [1]]
