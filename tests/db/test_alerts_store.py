"""Rules, receivers and alerts as people reach them: areas, secrets, audit, pages."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from alerts.handling.life import Action, Order, act_on_one, resolve
from alerts.rules.defaults import DEFAULTS, ensure_default_rules
from hub.domain.access import Scope
from hub.domain.alerts import Alert, AlertStatus, Rule, Step
from hub.domain.conditions import DeviceOffline, EventOfKind, parse_condition
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.events import Severity
from hub.domain.health import Status
from hub.domain.notifications import Receiver, ReceiverKind
from hub.domain.secrets import Secret
from hub.store.alerts import (
    AlertFilter,
    count_open,
    get_alert,
    list_alerts,
    list_steps,
)
from hub.store.audit import list_entries
from hub.store.database import Database, Transaction
from hub.store.notifications import list_notifications
from hub.store.receivers import (
    add_receiver,
    change_receiver,
    get_receiver,
    list_receivers,
    remove_receiver,
)
from hub.store.rules import add_rule, change_rule, get_rule, list_rules, remove_rule
from tests.db.alerts_site import HUB, SECRET, Clock, Site

NORTH = Scope(paths=("county.north",), actor="wang")
SOUTH = Scope(paths=("county.south",), actor="li")
NOBODY = Scope(paths=(), actor="nobody")


@pytest.fixture
async def site(database: Database) -> Site:
    """One alert of a rule in the north."""
    made = await Site(database, Clock()).build()
    await made.add_rule(DeviceOffline(), area="north")
    await made.turn(await made.add_device(), Status.OFFLINE)
    await made.engine().step()
    return made


async def only_alert(site: Site) -> Alert:
    (alert,) = await site.alerts()
    return alert


async def acknowledge(
    tx: Transaction, scope: Scope, site: Site, alert_id: int, note: str = ""
) -> Alert:
    order = Order(action=Action.ACKNOWLEDGE, note=note)
    return await act_on_one(tx, scope, site.jobs, alert_id, order, site.clock())


async def comment(tx: Transaction, scope: Scope, site: Site, alert_id: int, note: str) -> Alert:
    order = Order(action=Action.COMMENT, note=note)
    return await act_on_one(tx, scope, site.jobs, alert_id, order, site.clock())


Call = Callable[[Transaction, Scope, Site, int], Awaitable[object]]
CALLS: dict[str, Call] = {
    "get_alert": lambda tx, scope, _s, n: get_alert(tx, scope, n),
    "list_steps": lambda tx, scope, _s, n: list_steps(tx, scope, n),
    "acknowledge": acknowledge,
    "comment": lambda tx, scope, s, n: comment(tx, scope, s, n, "x"),
    "resolve": lambda tx, scope, s, n: resolve(tx, scope, s.jobs, n, reason="x"),
    "list_notifications": lambda tx, scope, _s, n: list_notifications(tx, scope, n),
}


@pytest.mark.threat("T1")
@pytest.mark.parametrize("scope", [SOUTH, NOBODY], ids=["south", "nobody"])
@pytest.mark.parametrize("name", CALLS)
async def test_an_alert_of_another_area_does_not_exist(site: Site, name: str, scope: Scope) -> None:
    alert = await only_alert(site)
    async with site.database.transaction() as tx:
        with pytest.raises(NotFound):
            await CALLS[name](tx, scope, site, alert.id)
        assert (await list_alerts(tx, scope, AlertFilter())).items == []
        assert (await list_alerts(tx, scope, AlertFilter(area_id=alert.area_id))).items == []
        assert await count_open(tx, scope) == {}
    assert (await only_alert(site)).status is AlertStatus.FIRING
    async with site.database.transaction() as tx:
        await CALLS[name](tx, NORTH, site, alert.id)


@pytest.mark.threat("T1")
@pytest.mark.threat("T12")
async def test_rules_and_receivers_stay_inside_an_area(site: Site) -> None:
    north, south = site.areas["north"].id, site.areas["south"].id
    async with site.database.transaction() as tx:
        (rule,) = (await list_rules(tx, NORTH)).items
        own = await add_receiver(
            tx, NORTH, Receiver(name="r", area_id=north, kind=ReceiverKind.MQTT)
        )
        foreign = Rule(name="x", area_id=south, condition=DeviceOffline())
        for refused in (
            get_rule(tx, SOUTH, rule.id),
            change_rule(tx, SOUTH, rule),
            remove_rule(tx, SOUTH, rule.id),
            get_receiver(tx, SOUTH, own.id),
            change_receiver(tx, SOUTH, own),
            remove_receiver(tx, SOUTH, own.id),
            add_rule(tx, NORTH, foreign),
            add_rule(tx, SOUTH, replace(foreign, receivers=(own.id,))),
            change_rule(tx, NORTH, replace(rule, area_id=south)),
            change_receiver(tx, NORTH, replace(own, area_id=south)),
            add_receiver(tx, SOUTH, replace(own, area_id=north)),
        ):
            with pytest.raises(NotFound):
                await refused
        assert (await list_rules(tx, SOUTH)).items == []
        assert (await list_receivers(tx, SOUTH)).items == []
        # The county's receiver is out of the north's reach, but a rule that names it may stay.
        with pytest.raises(NotFound):
            await get_receiver(tx, NORTH, site.receiver.id)
        assert (await change_rule(tx, NORTH, replace(rule, name="y"))).receivers == (
            site.receiver.id,
        )


async def test_two_cannot_take_the_same_alert(site: Site) -> None:
    alert = await only_alert(site)
    async with site.database.transaction() as tx:
        taken = await acknowledge(tx, NORTH, site, alert.id, "on it")
        assert (taken.status, taken.acknowledged_by) == (AlertStatus.ACKNOWLEDGED, "wang")
        with pytest.raises(Conflict, match="by wang"):
            await acknowledge(tx, replace(NORTH, actor="zhao"), site, alert.id)
        await resolve(tx, NORTH, site.jobs, alert.id, reason="false alarm")
        with pytest.raises(Conflict):
            await resolve(tx, NORTH, site.jobs, alert.id, reason="again")
        with pytest.raises(Conflict):
            await acknowledge(tx, NORTH, site, alert.id)


async def test_what_people_do_is_in_the_history_and_in_the_audit_log(site: Site) -> None:
    alert = await only_alert(site)
    async with site.database.transaction() as tx:
        await acknowledge(tx, NORTH, site, alert.id, "on it")
        await comment(tx, NORTH, site, alert.id, " pole is down ")
        await resolve(tx, NORTH, site.jobs, alert.id, reason="new pole")
        steps = await list_steps(tx, NORTH, alert.id)
        entries = (await list_entries(tx, NORTH)).items
    assert [(s.step, s.actor, s.note) for s in steps][1:] == [
        (Step.ACKNOWLEDGED, "wang", "on it"),
        (Step.COMMENTED, "wang", "pole is down"),
        (Step.RESOLVED, "wang", "new pole"),
    ]
    found = [(e.action, e.actor) for e in entries if e.object_type == "alert"]
    assert found == [
        ("alert.resolved", "wang"),
        ("alert.commented", "wang"),
        ("alert.acknowledged", "wang"),
    ]


@pytest.mark.parametrize("note", ["", "   ", "x" * 2001, "a\x00b"])
async def test_a_resolution_needs_a_reason_in_words(site: Site, note: str) -> None:
    alert = await only_alert(site)
    async with site.database.transaction() as tx:
        with pytest.raises(Invalid):
            await resolve(tx, NORTH, site.jobs, alert.id, reason=note)


async def test_lists_are_narrowed_and_cut_into_pages(site: Site) -> None:
    for number in range(4):
        await site.turn(await site.add_device(f"cam{number}"), Status.OFFLINE)
    await site.engine().step()
    async with site.database.transaction() as tx:
        first = await list_alerts(tx, NORTH, AlertFilter(is_open=True), limit=3)
        second = await list_alerts(tx, NORTH, AlertFilter(), limit=3, cursor=first.next)
        names = [alert.device_name for alert in (*first.items, *second.items)]
        assert names == ["cam3", "cam2", "cam1", "cam0", "cam"]
        assert second.next is None

        async def found(wanted: AlertFilter) -> int:
            return len((await list_alerts(tx, NORTH, wanted)).items)

        assert await found(AlertFilter(text="AM3")) == 1
        assert await found(AlertFilter(status=AlertStatus.RESOLVED)) == 0
        assert await found(AlertFilter(is_open=False)) == 0
        assert await found(AlertFilter(severity=Severity.CRITICAL)) == 5
        assert await found(AlertFilter(area_id=site.areas["county"].id)) == 5
        assert await found(AlertFilter(area_id=site.areas["south"].id)) == 0
        assert await found(AlertFilter(device_id=first.items[0].device_id)) == 1
        assert await count_open(tx, NORTH) == {Severity.CRITICAL: 5}


@pytest.mark.threat("T11")
@pytest.mark.parametrize(
    "text", ["'", "%", "_", "\\", "'; DROP TABLE alerts; --", "$1", "%(scope)s"]
)
async def test_what_is_searched_for_is_only_text(site: Site, text: str) -> None:
    async with site.database.transaction() as tx:
        assert (await list_alerts(tx, NORTH, AlertFilter(text=text))).items == []
        with pytest.raises(Invalid):
            await list_alerts(tx, NORTH, AlertFilter(), cursor=text)
    assert len(await site.alerts()) == 1


@pytest.mark.threat("T31")
async def test_secrets_are_sealed_and_never_shown(site: Site) -> None:
    async with site.database.transaction() as tx:
        stored = await get_receiver(tx, HUB, site.receiver.id)
        rows = await tx.tuples("SELECT v.secret_sealed, v::text FROM receivers v")
        entries = (await list_entries(tx, HUB)).items
    assert stored.secret.reveal() == SECRET
    assert SECRET not in repr(stored)
    sealed = rows[0][0]
    assert isinstance(sealed, bytes)
    assert SECRET.encode() not in sealed
    assert SECRET not in str(rows)
    assert SECRET not in repr(entries)
    assert "hooks.example.org" not in repr(entries)


@pytest.mark.threat("T31")
async def test_a_stored_secret_does_not_follow_to_another_address(site: Site) -> None:
    moved = replace(
        site.receiver, options={"address": "https://evil.example.org/"}, secret=Secret()
    )
    async with site.database.transaction() as tx:
        with pytest.raises(Invalid, match="secret again"):
            await change_receiver(tx, HUB, moved)
        renamed = replace(site.receiver, name="night desk", secret=Secret())
        assert (await change_receiver(tx, HUB, renamed)).secret.reveal() == SECRET
        fresh = replace(moved, secret=Secret("new"))
        assert (await change_receiver(tx, HUB, fresh)).secret.reveal() == "new"
        with pytest.raises(Invalid, match="kind"):
            await change_receiver(tx, HUB, replace(fresh, kind=ReceiverKind.SMTP))


async def test_what_a_rule_watches_cannot_change(site: Site) -> None:
    async with site.database.transaction() as tx:
        (rule,) = (await list_rules(tx, HUB)).items
        with pytest.raises(Invalid, match="another rule"):
            await change_rule(tx, HUB, replace(rule, condition=EventOfKind(kind="door.opened")))
        longer = replace(rule, condition=DeviceOffline(for_s=5), severity=Severity.INFO)
        assert (await change_rule(tx, HUB, longer)).condition == DeviceOffline(for_s=5)
        await remove_rule(tx, HUB, rule.id)
        with pytest.raises(NotFound):
            await get_rule(tx, HUB, rule.id)
    assert (await only_alert(site)).rule_name == "rule"


async def test_default_rules_come_once_and_never_back(database: Database) -> None:
    site = await Site(database, Clock()).build()
    county = site.areas["county"].id
    async with database.transaction() as tx:
        assert await ensure_default_rules(tx, HUB, county) == len(DEFAULTS)
        assert await ensure_default_rules(tx, HUB, county) == 0
        rules = (await list_rules(tx, HUB)).items
        assert [rule.name for rule in rules] == [name for name, _, _ in DEFAULTS]
        for rule in rules:
            await remove_rule(tx, HUB, rule.id)
        assert await ensure_default_rules(tx, HUB, county) == 0
        # A newer program knows one more: an older installation gets that one alone.
        await tx.execute("DELETE FROM default_rules WHERE name = 'Task overdue 任务超时'")
        assert await ensure_default_rules(tx, HUB, county) == 1
        assert [rule.name for rule in (await list_rules(tx, HUB)).items] == [
            "Task overdue 任务超时"
        ]


async def test_a_condition_that_the_parser_refuses_is_not_stored(site: Site) -> None:
    with pytest.raises(Invalid):
        parse_condition({"type": "device_offline", "for_s": -5})
    bad = Rule(name="x", area_id=site.areas["north"].id, condition=DeviceOffline(for_s=-5))
    async with site.database.transaction() as tx:
        with pytest.raises(Invalid):
            await add_rule(tx, HUB, bad)
