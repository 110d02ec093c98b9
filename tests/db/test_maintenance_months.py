"""Published months, on both databases."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.maintenance.kpis import FIGURES
from hub.maintenance.months import MonthOrder, month_bounds, publish_month
from hub.runtime.zones import zone_name
from hub.store.audit import list_entries
from hub.store.database import Database
from hub.store.ledger_rows import GroupBy
from hub.store.months import get_month, list_months
from tests.db.ledger_truth import HUB, Ledger, at, camera, change, store, village

SHANGHAI = ZoneInfo("Asia/Shanghai")


async def publish(database: Database, area_id: int, scope: Scope = HUB) -> int:
    """Publish October as it was in Shanghai."""
    order = MonthOrder(month="2026-10", area_id=area_id)
    now = datetime(2026, 10, 31, 16, tzinfo=UTC)
    async with database.transaction() as tx:
        return await publish_month(tx, scope, order, now=now, zone=SHANGHAI)


async def test_a_month_is_kept_with_every_grouping_and_formula(database: Database) -> None:
    ledger = Ledger(devices=[camera(created=700), camera("乙", "c.u", created=700)])
    await store(database, ledger)
    number = await publish(database, ledger.areas["c"], Scope(paths=("c",), actor="supervisor"))
    async with database.transaction() as tx:
        kept = await get_month(tx, HUB, number)
        trail = await list_entries(tx, HUB)
    assert (kept.month, kept.edition, kept.author) == ("2026-10", 1, "supervisor")
    assert kept.since == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert kept.until == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert kept.time_zone == "Asia/Shanghai"
    assert kept.figures["min_coverage"] == 0.95
    for by in GroupBy:
        figures = kept.figures[by.value]
        assert isinstance(figures, dict)
        assert figures["total"]["devices"] == 2
        assert figures["total"]["online_rate"] == {
            "value": 1.0,
            "coverage": 1.0,
            "formula": "online-rate-time-weighted/2",
            "withheld": None,
        }
        assert {figures["total"][name]["formula"].split("/")[1] for name in FIGURES} <= {"1", "2"}
    assert [entry.action for entry in trail.items] == ["month.published"]


async def test_published_again_is_another_edition_and_the_first_stays(database: Database) -> None:
    ledger = Ledger(devices=[camera()])
    await store(database, ledger)
    first = await publish(database, ledger.areas["c"])
    await change(database, "UPDATE devices SET name = 'another', manufacturer = '丁'")
    second = await publish(database, ledger.areas["c"])
    elsewhere = await publish(database, ledger.areas["c.t"])
    async with database.transaction() as tx:
        page = await list_months(tx, HUB)
        kept = await get_month(tx, HUB, first)
    assert [(m.id, m.edition) for m in page.items] == [(elsewhere, 1), (second, 2), (first, 1)]
    assert "丁" not in repr(kept.figures)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE published_months SET author = 'me'",
        "DELETE FROM published_months",
        "TRUNCATE published_months",
    ],
)
async def test_nobody_changes_a_published_month(database: Database, statement: str) -> None:
    ledger = Ledger(devices=[camera()])
    await store(database, ledger)
    await publish(database, ledger.areas["c"])
    with pytest.raises(psycopg.errors.RaiseException, match="published"):
        await change(database, statement)


@pytest.mark.threat("T1")
async def test_months_of_other_areas_do_not_exist(database: Database) -> None:
    ledger = Ledger(devices=[camera()])
    await store(database, ledger)
    county = await publish(database, ledger.areas["c"])
    own = await publish(database, ledger.areas["c.t.v"])
    async with database.transaction() as tx:
        page = await list_months(tx, village("c.t"))
        assert [month.id for month in page.items] == [own]
        with pytest.raises(NotFound):
            await get_month(tx, village("c.t"), county)
    with pytest.raises(NotFound):
        await publish(database, ledger.areas["c"], village("c.t"))


async def test_the_list_of_months_goes_on(database: Database) -> None:
    ledger = Ledger(devices=[camera()])
    await store(database, ledger)
    numbers = [await publish(database, ledger.areas["c"]) for _ in range(3)]
    async with database.transaction() as tx:
        first = await list_months(tx, HUB, limit=2)
        rest = await list_months(tx, HUB, limit=2, cursor=first.next)
        assert not (await list_months(tx, HUB, month="2026-09")).items
    found = [month.id for month in (*first.items, *rest.items)]
    assert (found, rest.next) == (numbers[::-1], None)


async def test_a_month_can_be_published_once_it_is_over(database: Database) -> None:
    ledger = Ledger(devices=[camera()])
    await store(database, ledger)
    order = MonthOrder(month="2026-11", area_id=ledger.areas["c"])
    async with database.transaction() as tx:
        with pytest.raises(Invalid, match="is not over before 2026-12-01 00:00"):
            await publish_month(
                tx, HUB, order, now=datetime(2026, 11, 30, 15, 59, tzinfo=UTC), zone=SHANGHAI
            )
    assert month_bounds("2026-12", UTC)[1] == datetime(2027, 1, 1, tzinfo=UTC)
    assert zone_name(SHANGHAI, at(0)) == "Asia/Shanghai"
