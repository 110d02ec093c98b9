"""Lists of alerts: narrowed, sorted, counted by colour, in groups."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.handling.life import Action, Order
from hub.domain.alerts import Colour
from hub.domain.conditions import DeviceOffline
from hub.domain.events import Severity
from hub.store.alert_groups import GroupedBy, group_open
from hub.store.alert_storms import read_storm
from hub.store.alerts import AlertFilter, AlertOrder, count_standing, list_alerts
from hub.store.database import Database
from tests.db.alert_desk import NORTH, SOUTH, Desk
from tests.db.alerts_site import Clock, Site


@pytest.fixture
async def desk(database: Database) -> Desk:
    site = await Site(database, Clock()).build()
    await site.add_rule(DeviceOffline())
    return Desk(site)


async def test_lists_are_narrowed_sorted_and_counted_by_colour(desk: Desk) -> None:
    alerts = await desk.fail(5)
    wang = await desk.person("wang", "north")
    now = desk.site.clock()
    due: list[datetime | None] = [now + timedelta(seconds=s) for s in (-1, 60, 900, 50)]
    async with desk.site.database.transaction() as tx:
        for alert, at in zip(alerts, [*due, None], strict=True):
            await tx.execute(
                "UPDATE alerts SET fired_at = %(fired)s, acknowledge_by = %(due)s,"
                " severity = CASE WHEN id = %(worst)s THEN 'critical' ELSE 'info' END"
                " WHERE id = %(id)s",
                {
                    "id": alert.id,
                    "due": at,
                    "fired": now - timedelta(seconds=600),
                    "worst": alerts[1].id,
                },
            )
        await tx.execute(
            "UPDATE alerts SET folded_into = %(into)s WHERE id = %(id)s",
            {"into": alerts[0].id, "id": alerts[3].id},
        )
        parent = desk.cameras[0].id
        await tx.execute(
            "UPDATE devices SET parent_id = %(parent)s WHERE id = %(id)s",
            {"parent": parent, "id": desk.cameras[1].id},
        )
    await desk.do(alerts[4], Order(action=Action.ASSIGN, user_id=wang))
    await desk.do(alerts[2], desk.snooze(60))
    ids = [alert.id for alert in alerts]
    standing = AlertFilter(is_folded=False, is_drill=False)
    cases = {
        AlertFilter(colour=Colour.RED): [0],
        AlertFilter(colour=Colour.YELLOW): [3, 1],
        AlertFilter(colour=Colour.GREEN): [4, 2],
        AlertFilter(colour=Colour.YELLOW, is_folded=False): [1],
        AlertFilter(assigned_to=wang): [4],
        AlertFilter(assigned_to=wang + 1): [],
        AlertFilter(folded_into=alerts[0].id): [3],
        AlertFilter(is_quiet=True): [2],
        AlertFilter(is_quiet=False, is_open=True): [4, 3, 1, 0],
        AlertFilter(parent_id=parent): [1],
        AlertFilter(rule_id=alerts[0].rule_id + 1): [],
        AlertFilter(is_drill=True): [],
        standing: [4, 2, 1, 0],
        replace(standing, order=AlertOrder.DEADLINE): [0, 1, 2, 4],
        replace(standing, order=AlertOrder.SEVERITY): [1, 4, 2, 0],
    }
    async with desk.site.database.transaction() as tx:
        for wanted, expected in cases.items():
            found, cursor = [], None
            while True:
                page = await list_alerts(tx, NORTH, wanted, now=now, limit=1, cursor=cursor)
                found += [ids.index(alert.id) for alert in page.items]
                for alert in page.items:
                    assert wanted.colour in {None, alert.colour(now)}
                cursor = page.next
                if cursor is None:
                    break
            assert found == expected, wanted
        counts = await count_standing(tx, NORTH, now)
        assert counts.severities == {Severity.CRITICAL: 1, Severity.INFO: 3}
        assert counts.colours == {Colour.RED: 1, Colour.YELLOW: 1, Colour.GREEN: 2}
        assert (await count_standing(tx, SOUTH, now)).severities == {}
        groups = {by: await group_open(tx, NORTH, by) for by in GroupedBy}
        assert await group_open(tx, SOUTH, GroupedBy.RULE) == []
        storm = await read_storm(tx, NORTH, ids[0])
    lines = ([line.name for line in storm.areas], [minute.count for minute in storm.minutes])
    assert (storm.open, storm.firing_ids, *lines) == (1, [ids[3]], ["North"], [1])
    (by_rule,) = groups[GroupedBy.RULE]
    assert sorted(by_rule.ids) == sorted(ids[at] for at in (0, 1, 2, 4))
    assert sum(group.count for group in groups[GroupedBy.DEVICE]) == by_rule.count
    assert (by_rule.name, by_rule.count, by_rule.firing) == ("rule", 4, 3)
    assert (by_rule.severity, by_rule.names[0]) == (Severity.CRITICAL, "cam1")
    assert [group.name for group in groups[GroupedBy.AREA]] == ["North"]
    assert [(g.name, g.count) for g in groups[GroupedBy.PARENT]] == [("cam0", 1), ("", 3)]
