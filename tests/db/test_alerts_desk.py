"""Who is told of a step, and why; who is not; and at what price."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import LiteralString, TypeVar

import pytest

from alerts.telling.desk import Calling, tell, tell_receivers
from alerts.telling.posting import RETRY_WAITS_S
from hub.domain.access import Scope
from hub.domain.alerts import Rule, Step
from hub.domain.conditions import EventOfKind
from hub.domain.errors import NotFound, TryAgain
from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.domain.notifications import Receiver, Route
from hub.domain.silences import Silence
from hub.store.audit import list_entries
from hub.store.database import NO_PARAMS, Database, Params, Transaction
from hub.store.events import EventFilter, list_events
from hub.store.notifications import list_notifications
from hub.store.receiver_health import ReceiverNews, add_news
from hub.store.receivers import add_receiver, change_receiver, remove_receiver
from hub.store.routes import add_route, change_route, get_route, list_routes, remove_route
from hub.store.rules import add_rule, change_rule
from hub.store.silences import add_silence
from tests.db.alerts_site import HUB, Clock, Site
from tests.db.posting_site import PostingSite

T = TypeVar("T")
NORTH = Scope(paths=("county.north",), actor="wang")
SOUTH = Scope(paths=("county.south",), actor="li")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(database: Database, clock: Clock) -> PostingSite:
    return await PostingSite(database, clock).build()


async def told(site: PostingSite, alert: int) -> list[tuple[str, str, str]]:
    """Step, receiver and why of each notification, in order."""
    return [(line.step.value, line.receiver_name, line.why) for line in await site.lines(alert)]


async def test_rules_and_routes_name_and_the_end_reaches_whoever_was_told(
    site: PostingSite, clock: Clock
) -> None:
    room, chief = await site.add_receiver("room"), await site.add_receiver("chief")
    village = await site.add_receiver("village", area="north")
    rule = await site.add_rule(room)
    north = await site.add_route("north", village, room, area="north")
    await site.add_route("south", chief, area="south")
    await site.add_route("mild", chief, matcher=Matcher(severities=(Severity.INFO,)))
    (alert,) = await site.fire(rule)
    fired = [("fired", "room", "rule offline; route north"), ("fired", "village", "route north")]
    assert await told(site, alert) == fired
    tellings = await site.note([alert], Step.FIRED)
    async with site.database.transaction() as tx:
        assert await tell(tx, HUB, site.jobs, tellings, clock()) == 2
        assert await tell(tx, HUB, site.jobs, tellings, clock()) == 0  # once for each step
    # An escalation names its own receivers; then everything changes.
    (climbed,) = await site.note([alert], Step.ESCALATED)
    async with site.database.transaction() as tx:
        calling = Calling(telling=climbed, receivers={chief.id: "policy night, step 2"})
        assert await tell_receivers(tx, HUB, site.jobs, [calling, calling], clock()) == 1
        await change_rule(tx, HUB, replace(rule, receivers=()))
        await remove_route(tx, HUB, north.id)
        await change_receiver(tx, HUB, replace(room, name="ops room"))
    assert await site.tell([alert], Step.RESOLVED) == 3
    ends = {(name, why) for step, name, why in await told(site, alert) if step == "resolved"}
    why = "was told that it fired"
    assert ends == {("ops room", why), ("chief", why), ("village", why)}
    # Nobody is told of the end of what nobody was told of.
    (later,) = await site.open_alerts(rule)
    assert await site.tell([later], Step.RESOLVED) == 0
    with pytest.raises(ValueError, match="rules and routes"):
        await site.tell([later], Step.ESCALATED)


async def test_what_is_quiet_or_folded_is_not_told_anew_but_its_end_is(
    site: PostingSite, clock: Clock
) -> None:
    room = await site.add_receiver("room")
    rule = await site.add_rule(room)
    (known,) = await site.fire(rule)
    silence = Silence(
        area_id=site.areas["north"].id,
        reason="new pole",
        starts_at=clock(),
        ends_at=clock() + timedelta(hours=1),
    )
    async with site.database.transaction() as tx:
        await add_silence(tx, HUB, silence, now=clock())
    (silenced,) = await site.fire(rule)
    (elsewhere,) = await site.fire(rule, area="south")
    (folded,) = await site.open_alerts(rule, area="south")
    async with site.database.transaction() as tx:
        await tx.execute(
            "UPDATE alerts SET folded_into = %(into)s WHERE id = %(id)s",
            {"into": elsewhere, "id": folded},
        )
    assert await site.tell([folded], Step.FIRED) == 0
    assert await site.tell([silenced], Step.REPEATED) == 0
    assert [step for step, _, _ in await told(site, elsewhere)] == ["fired"]
    assert await site.tell([known, silenced, folded], Step.RESOLVED) == 1
    assert [step for step, _, _ in await told(site, known)] == ["fired", "resolved"]
    # Over: whoever tells it again now is heard, with the reason.
    clock.pass_s(3601)
    (again,) = await site.note([silenced], Step.REPEATED)
    async with site.database.transaction() as tx:
        await tell(tx, HUB, site.jobs, [replace(again, because="the silence ended")], clock())
    assert await told(site, silenced) == [
        ("repeated", "room", "the silence ended; rule offline"),
    ]


class Counting(Transaction):
    """A transaction that counts its statements."""

    statements = 0

    async def fetch(
        self, row: type[T], query: LiteralString, params: Params = NO_PARAMS
    ) -> list[T]:
        self.statements += 1
        return await super().fetch(row, query, params)

    async def tuples(
        self, query: LiteralString, params: Params = NO_PARAMS
    ) -> list[tuple[object, ...]]:
        self.statements += 1
        return await super().tuples(query, params)

    async def execute(self, query: LiteralString, params: Params = NO_PARAMS) -> int:
        self.statements += 1
        return await super().execute(query, params)


async def test_a_thousand_steps_cost_as_many_statements_as_one(
    site: PostingSite, clock: Clock
) -> None:
    rooms = [await site.add_receiver(f"room {n}") for n in range(3)]
    rule = await site.add_rule(*rooms)
    await site.add_route("all", rooms[0])
    costs: list[int] = []
    for count in (1, 1000):
        alerts = await site.open_alerts(rule, count)
        tellings = [*await site.note(alerts, Step.FIRED), *await site.note(alerts, Step.RESOLVED)]
        async with site.database.transaction() as tx:
            counting = Counting(tx.connection, None)
            assert await tell(counting, HUB, site.jobs, tellings, clock()) == 6 * count
        costs.append(counting.statements)
    assert costs[0] == costs[1] <= 20


async def dead_channel_rule(site: PostingSite, *receivers: Receiver) -> Rule:
    condition = EventOfKind(
        kind="receiver.failing", clear_kind="receiver.working", distinguish_by="receiver"
    )
    rule = Rule(
        name="dead channel",
        area_id=site.areas["county"].id,
        condition=condition,
        severity=Severity.CRITICAL,
        receivers=tuple(one.id for one in receivers),
    )
    async with site.database.transaction() as tx:
        return await add_rule(tx, HUB, rule)


async def ring(site: PostingSite, rule: Rule, seen: int) -> int:
    """Do what the engine does with the events about channels stored after one."""
    async with site.database.transaction() as tx:
        page = await list_events(tx, HUB, EventFilter(kind="receiver.failing"), limit=100)
    events = sorted((one for one in page.items if one.id > seen), key=lambda one: one.id)
    for event in events:
        (alert,) = await site.open_alerts(rule, area="county")
        async with site.database.transaction() as tx:
            await tx.execute(
                "UPDATE alerts SET event_id = %(event)s WHERE id = %(id)s",
                {"event": event.id, "id": alert},
            )
        await site.tell([alert], Step.FIRED)
    return events[-1].id if events else seen


async def die(site: PostingSite, clock: Clock, receiver: Receiver) -> None:
    """Let attempts fail until it is known that nothing gets through."""
    for wait_s in (0.0, *RETRY_WAITS_S[:5]):
        clock.pass_s(wait_s)
        site.mailbox.trouble = [TryAgain("HTTP 503")]
        assert await site.post(receiver) == []
    site.mailbox.trouble = []


async def test_a_dead_channel_is_told_of_on_another_and_two_do_not_ring_for_ever(
    site: PostingSite, clock: Clock
) -> None:
    one, other = await site.add_receiver("one"), await site.add_receiver("other")
    third = await site.add_receiver("third", area="north")
    offline = await site.add_rule(one, other)
    channels = await dead_channel_rule(site, one)
    await site.fire(offline)
    await die(site, clock, one)
    seen = await ring(site, channels, 0)
    clock.pass_s(60)
    both = await site.post(other)
    assert [told.notifications[0].alert.rule_name for told in both] == ["offline", "dead channel"]
    assert both[1].notifications[0].why == "no other receiver could be reached"
    assert await site.post(third) == []  # an area below has nothing to do with it
    # Nor does an escalation lead to the dead one.
    (climbed,) = await site.note([both[1].notifications[0].alert.id], Step.ESCALATED)
    async with site.database.transaction() as tx:
        calling = Calling(telling=climbed, receivers={one.id: "x"})
        assert await tell_receivers(tx, HUB, site.jobs, [calling], clock()) == 1
    clock.pass_s(60)
    (told,) = await site.post(other)
    assert told.notifications[0].step.step is Step.ESCALATED
    # Now the other one dies as well: it is told of where it can wait, and that is the end of it.
    await site.fire(offline)
    await die(site, clock, other)
    last = await ring(site, channels, seen)
    assert last > seen
    for _ in range(5):
        await die(site, clock, one)
        await die(site, clock, other)
        assert await ring(site, channels, last) == last
    assert Counter(await site.news()) == {
        ("receiver.failing", one.id): 1,
        ("receiver.failing", other.id): 1,
    }
    clock.pass_s(7200)
    names = [told.alert.rule_name for back in await site.post(one) for told in back.notifications]
    assert names == ["offline", "offline", "dead channel"]


async def test_the_engine_makes_an_alert_of_a_dead_channel_and_ends_it(
    database: Database, clock: Clock
) -> None:
    site = await Site(database, clock).build()
    dead = site.receiver
    other = replace(dead, name="other")
    await site.add_rule(
        EventOfKind(
            kind="receiver.failing", clear_kind="receiver.working", distinguish_by="receiver"
        )
    )
    async with database.transaction() as tx:
        other = await add_receiver(tx, HUB, other)
    engine = site.engine()
    for kind in (ReceiverNews.FAILING, ReceiverNews.WORKING):
        async with database.transaction() as tx:
            await add_news(tx, HUB, dead.id, kind, at=clock(), detail="HTTP 503")
        await engine.step()
        clock.pass_s(60)
    (alert,) = await site.alerts()
    async with database.transaction() as tx:
        lines = await list_notifications(tx, HUB, alert.id)
    assert [(line.receiver_id, line.step) for line in lines] == [
        (other.id, Step.FIRED),
        (other.id, Step.RESOLVED),
    ]


@pytest.mark.threat("T1")
@pytest.mark.threat("T12")
async def test_routes_stay_inside_an_area(site: PostingSite) -> None:
    north, south = site.areas["north"].id, site.areas["south"].id
    county = await site.add_receiver("county")
    own = await site.add_receiver("own", area="north")
    route = await site.add_route("north", own, county, area="north")
    foreign = Route(name="x", area_id=south, receivers=(own.id,))
    async with site.database.transaction() as tx:
        for refused in (
            get_route(tx, SOUTH, route.id),
            change_route(tx, SOUTH, route),
            remove_route(tx, SOUTH, route.id),
            change_route(tx, NORTH, replace(route, area_id=south)),
            add_route(tx, NORTH, foreign),
            add_route(tx, SOUTH, foreign),
            add_route(tx, NORTH, replace(foreign, area_id=north, receivers=(county.id,))),
        ):
            with pytest.raises(NotFound):
                await refused
        assert (await list_routes(tx, SOUTH)).items == []
        assert (await list_routes(tx, NORTH, area_id=south)).items == []
        # What the county put into it stays when the village changes something else.
        changed = await change_route(tx, NORTH, replace(route, name="y"))
        assert changed.receivers == tuple(sorted((own.id, county.id)))
        (listed,) = (await list_routes(tx, NORTH)).items
        assert listed == changed
        await remove_receiver(tx, HUB, county.id)
        assert (await get_route(tx, NORTH, route.id)).receivers == (own.id,)
        await remove_route(tx, NORTH, route.id)
        assert (await list_routes(tx, NORTH)).items == []
        entries = (await list_entries(tx, NORTH)).items
    done = [(entry.action, entry.actor) for entry in entries if entry.object_type == "route"]
    assert done[:2] == [("route.removed", "wang"), ("route.changed", "wang")]
