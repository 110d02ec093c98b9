"""What people do about alerts: transitions, who may, bulk, reopening, and what follows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.handling.life import MOST_AT_ONCE, Action, Order, act, resolve
from hub.domain.access import Role
from hub.domain.alerts import AlertStatus, Colour, Phase, Step
from hub.domain.conditions import DeviceOffline, EventOfKind
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.health import Status
from hub.store.alert_history import alert_history
from hub.store.alert_life import list_assignees
from hub.store.alerts import AlertFilter, get_alert, list_alerts
from hub.store.audit import list_entries
from hub.store.database import Database
from hub.store.rule_states import load_states
from tests.db.alert_desk import CLOSE, NORTH, OPEN_AGAIN, REMARK, SOUTH, TAKE, Desk
from tests.db.alerts_site import HUB, Clock, Site


@pytest.fixture
async def desk(database: Database) -> Desk:
    site = await Site(database, Clock()).build()
    await site.add_rule(DeviceOffline())
    return Desk(site)


async def test_every_step_from_firing_to_resolved_with_who_when_and_why(desk: Desk) -> None:
    (alert,) = await desk.fail()
    wang, chen = await desk.person("wang", "north"), await desk.person("chen", "county")
    desk.site.clock.pass_s(60)
    taken = await desk.do(alert, replace(TAKE, note=" on it "))
    assert taken.status is AlertStatus.ACKNOWLEDGED
    assert (taken.acknowledged_by, taken.acknowledged_at) == ("wang", desk.site.clock())
    assert isinstance(await desk.refused(alert, TAKE), Conflict)
    given = await desk.do(alert, Order(action=Action.ASSIGN, user_id=chen, note="your pole"))
    assert (given.status, given.assigned_to) == (AlertStatus.ASSIGNED, chen)
    assert (given.assigned_name, given.acknowledged_by) == ("chen", "wang")
    twice = await desk.refused(alert, Order(action=Action.ASSIGN, user_id=chen))
    assert "assigned to chen already" in str(twice)
    await desk.do(alert, Order(action=Action.ASSIGN, user_id=wang))
    await desk.do(alert, REMARK)
    desk.site.clock.pass_s(60)
    over = await desk.do(alert, CLOSE)
    assert (over.status, over.resolved_by) == (AlertStatus.RESOLVED, "wang")
    assert (over.resolved_at, over.deadline) == (desk.site.clock(), None)
    for order in (TAKE, CLOSE, desk.snooze(60), Order(action=Action.ASSIGN, user_id=chen)):
        assert "resolved already, by wang" in str(await desk.refused(alert, order))
    await desk.do(alert, REMARK)
    assert (await desk.steps(alert))[1:] == [
        ("acknowledged", "wang", "on it"),
        ("assigned", "wang", "to chen: your pole"),
        ("assigned", "wang", "to wang"),
        ("commented", "wang", "seen"),
        ("resolved", "wang", "false alarm"),
        ("commented", "wang", "seen"),
    ]
    async with desk.site.database.transaction() as tx:
        entries = (await list_entries(tx, NORTH)).items
    assert [entry.action for entry in entries if entry.object_type == "alert"] == [
        *("alert.commented", "alert.resolved", "alert.commented", "alert.assigned"),
        *("alert.assigned", "alert.acknowledged"),
    ]
    assert await desk.told() == ["fired", "resolved"]


@pytest.mark.threat("T1")
async def test_only_who_may_see_the_area_is_given_an_alert(desk: Desk) -> None:
    (alert,) = await desk.fail()
    inside = [await desk.person("wang", "north", Role.VIEWER), await desk.person("chen", "county")]
    outside = await desk.person("li", "south", Role.ADMIN)
    gone = await desk.person("zhao", "north")
    async with desk.site.database.transaction() as tx:
        await tx.execute("UPDATE users SET is_disabled = true WHERE id = %(id)s", {"id": gone})
        names = [one.name for one in await list_assignees(tx, NORTH, alert.id)]
        assert names == ["chen", "wang"]
        with pytest.raises(NotFound):
            await list_assignees(tx, SOUTH, alert.id)
    for user_id in (outside, gone, 999_999):
        refusal = await desk.refused(alert, Order(action=Action.ASSIGN, user_id=user_id))
        assert isinstance(refusal, Invalid)
    assert isinstance(await desk.refused(alert, Order(action=Action.ASSIGN)), Invalid)
    everything = [
        *(TAKE, CLOSE, OPEN_AGAIN, REMARK, desk.snooze(60)),
        Order(action=Action.ASSIGN, user_id=inside[0]),
    ]
    for order in everything:
        assert isinstance(await desk.refused(alert, order, SOUTH), NotFound)
        assert isinstance(await desk.refused(999_999, order), NotFound)
    assert await desk.site.statuses() == ["firing"]
    for user_id in inside:
        given = await desk.do(alert, Order(action=Action.ASSIGN, user_id=user_id))
        assert given.assigned_to == user_id


@pytest.mark.parametrize(
    "order",
    [
        Order(action=Action.COMMENT, note="  "),
        Order(action=Action.RESOLVE),
        Order(action=Action.ACKNOWLEDGE, note="x" * 2001),
        Order(action=Action.COMMENT, note="a\x00b"),
        Order(action=Action.SNOOZE),
    ],
    ids=["no comment", "no reason", "too long", "a NUL", "no end"],
)
async def test_a_deed_without_its_words_is_refused(desk: Desk, order: Order) -> None:
    (alert,) = await desk.fail()
    assert isinstance(await desk.refused(alert, order), Invalid)
    for seconds in (0, -60, 7 * 86_400 + 1):
        assert isinstance(await desk.refused(alert, desk.snooze(seconds)), Invalid)
    assert await desk.steps(alert) == [("fired", "hub.alerts", "offline")]


async def test_many_at_once_each_is_done_or_says_why_not(desk: Desk) -> None:
    await desk.fail(2, area="south")
    alerts = await desk.fail(3)
    south, north = [one.id for one in alerts[:2]], [one.id for one in alerts[2:]]
    await desk.do(north[0], TAKE)
    asked = [*south, *north, north[1], 999_999]
    async with desk.site.database.transaction() as tx:
        done = await act(tx, NORTH, desk.site.jobs, asked, TAKE, desk.site.clock())
    assert sorted(done.steps) == north[1:]
    reasons = {number: str(why) for number, why in done.refused.items()}
    assert reasons == {
        **dict.fromkeys([*south, 999_999], "no such alert"),
        north[0]: "the alert is acknowledged already, by wang",
    }
    before = await desk.site.count("notifications")
    async with desk.site.database.transaction() as tx:
        done = await act(tx, NORTH, desk.site.jobs, asked, CLOSE, desk.site.clock())
        assert sorted(done.steps) == north
        with pytest.raises(Invalid):
            await act(tx, NORTH, desk.site.jobs, range(1, 502), TAKE, desk.site.clock())
    assert MOST_AT_ONCE == 500
    assert await desk.site.count("notifications") == before + 3
    statuses = await desk.site.statuses()
    assert statuses == ["firing", "firing", "resolved", "resolved", "resolved"]
    async with desk.site.database.transaction() as tx:
        entries = (await list_entries(tx, NORTH)).items
    assert [e.object_id for e in entries if e.action == "alert.resolved"] == [
        str(number) for number in reversed(north)
    ]


async def test_what_is_opened_again_fires_is_told_and_ends_by_its_rule(desk: Desk) -> None:
    (alert,) = await desk.fail()
    assert "is open" in str(await desk.refused(alert, OPEN_AGAIN))
    await desk.do(alert, TAKE)
    await desk.do(alert, CLOSE)
    desk.site.clock.pass_s(3600)
    await desk.site.engine().step()
    assert await desk.site.statuses() == ["resolved"], "held: it does not fire by itself"
    again = await desk.do(alert, replace(OPEN_AGAIN, note="not yet"))
    assert (again.status, again.fired_at) == (AlertStatus.FIRING, desk.site.clock())
    assert (again.acknowledged_by, again.resolved_by, again.resolution) == ("", "", "")
    assert [what for what, _, _ in await desk.steps(alert)][-2:] == ["reopened", "repeated"]
    async with desk.site.database.transaction() as tx:
        (state,) = (
            await load_states(tx, HUB, [(alert.rule_id, f"device:{alert.device_id}")])
        ).values()
    assert (state.phase, state.alert_id) == (Phase.FIRING, alert.id)
    await desk.site.turn(desk.cameras[0], Status.ONLINE)
    await desk.site.engine().step()
    assert await desk.site.statuses() == ["resolved"]
    assert await desk.told() == ["fired", "resolved", "repeated", "resolved"]
    refusal = await desk.refused(alert, OPEN_AGAIN)
    assert "resolved by hand" in str(refusal), "the rule ended it"


async def test_what_cannot_be_opened_again(desk: Desk) -> None:
    alerts = await desk.fail(3)
    late, overtaken, healed = alerts
    for alert in alerts:
        await desk.do(alert, CLOSE)
    # One came back and failed anew: another alert is open about it.
    for status in (Status.ONLINE, Status.OFFLINE):
        await desk.site.turn(desk.cameras[1], status)
        await desk.site.engine().step()
    assert isinstance(await desk.refused(overtaken, OPEN_AGAIN), Conflict)
    # One came back: it is opened again, and its rule ends it at once.
    await desk.site.turn(desk.cameras[2], Status.ONLINE)
    await desk.site.engine().step()
    await desk.do(healed, OPEN_AGAIN)
    await desk.site.engine().step()
    desk.site.clock.pass_s(7 * 86_400)
    assert isinstance(await desk.refused(late, OPEN_AGAIN), Conflict)
    by_id = {alert.id: alert for alert in await desk.site.alerts()}
    assert by_id[healed.id].resolved_by == "hub.alerts"
    assert by_id[late.id].status is AlertStatus.RESOLVED


async def test_an_event_opened_again_is_cleared_by_time(database: Database) -> None:
    site = await Site(database, Clock()).build()
    await site.add_rule(EventOfKind(kind="door.opened", auto_clear_s=300))
    door = await site.add_device("door")
    await site.happen(site.event("door.opened", door))
    await site.engine().step()
    (alert,) = await site.alerts()
    desk = Desk(site)
    await desk.do(alert, CLOSE)
    assert await site.count("states") == 0
    site.clock.pass_s(60)
    await desk.do(alert, OPEN_AGAIN)
    await site.engine().step()
    assert await site.statuses() == ["firing"]
    site.clock.pass_s(301)
    await site.engine().step()
    assert await site.statuses() == ["resolved"]


async def test_a_storm_closed_by_hand_closes_what_counts_in_it(database: Database) -> None:
    site = await Site(database, Clock()).build()
    await site.add_rule(DeviceOffline(), most_in_area=1)
    alerts = await Desk(site).fail(4)
    (storm,) = [alert for alert in alerts if alert.is_storm]
    async with database.transaction() as tx:
        await resolve(tx, NORTH, site.jobs, storm.id, reason="the whole street is dark")
        open_ones = (await list_alerts(tx, HUB, AlertFilter(is_open=True))).items
        folded = (await list_alerts(tx, HUB, AlertFilter(folded_into=storm.id))).items
        assert (await get_alert(tx, HUB, storm.id)).resolution == "the whole street is dark"
    assert [alert.is_storm or alert.folded_into for alert in open_ones] == [None]
    assert [alert.resolved_by for alert in folded] == ["wang"] * 3
    assert isinstance(await Desk(site).refused(storm, OPEN_AGAIN), Conflict)
    for alert in folded:
        again = await Desk(site).do(alert, OPEN_AGAIN)
        assert (again.status, again.folded_into) == (AlertStatus.FIRING, None)
    assert Step.REPEATED.value in await Desk(site).told()


async def test_the_account_says_who_was_told_why_and_what_comes_next(desk: Desk) -> None:
    async with desk.site.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO policies (name, area_id, steps) SELECT 'Night', id,"
            ' \'[{"wait_s": 300, "climb": 0}, {"wait_s": 600, "climb": 1}]\' FROM areas'
            " WHERE code = 'county'"
        )
        await tx.execute(
            "INSERT INTO deadlines (area_id, severity, acknowledge_s, resolve_s)"
            " SELECT id, 'critical', 900, 3600 FROM areas WHERE code = 'county'"
        )
    began = desk.site.clock()
    (alert,) = await desk.fail()
    assert alert.deadline == began + timedelta(seconds=900)
    async with desk.site.database.transaction() as tx:
        await tx.execute(
            "WITH m AS (INSERT INTO messages (receiver_id) VALUES (%(id)s) RETURNING id),"
            " n AS (UPDATE notifications SET message = m.id FROM m)"
            " INSERT INTO message_attempts (message, at, outcome, detail)"
            " SELECT m.id, %(at)s, 'try_again', 'HTTP 503' FROM m",
            {"id": desk.site.receiver.id, "at": began + timedelta(seconds=5)},
        )

    async def account() -> list[tuple[str, str, str]]:
        async with desk.site.database.transaction() as tx:
            lines = await alert_history(tx, NORTH, alert.id, desk.site.clock())
            with pytest.raises(NotFound):
                await alert_history(tx, SOUTH, alert.id, desk.site.clock())
        return [(line.kind.value, line.what, line.who) for line in lines]

    assert await account() == [
        ("step", "fired", "hub.alerts"),
        ("told", "waiting", "duty room"),
        ("attempt", "try_again", "duty room"),
        ("planned", "escalated", "Night"),
    ]
    desk.site.clock.pass_s(60)
    await desk.do(alert, desk.snooze(120))
    assert (await account())[-2:] == [
        ("planned", "repeated", ""),
        ("planned", "escalated", "Night"),
    ]
    await desk.do(alert, CLOSE)
    desk.site.clock.pass_s(1800)
    opened_at = desk.site.clock()
    again = await desk.do(alert, OPEN_AGAIN)
    assert again.deadline == opened_at + timedelta(seconds=900), "its time begins anew"
    assert again.colour(opened_at) is Colour.GREEN
    async with desk.site.database.transaction() as tx:
        ((step, due_at),) = await tx.tuples("SELECT step, due_at FROM climbs")
    assert (step, due_at) == (0, opened_at + timedelta(seconds=300)), "so does the climb"
    assert ("told", "waiting", "duty room") in (await account())[-3:]
