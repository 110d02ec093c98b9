"""Key figures and published months, on both databases."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.maintenance.figures import Why
from hub.maintenance.kpis import FIGURES, KpiOptions, KpiReport, Kpis, report_kpis
from hub.maintenance.months import MonthOrder, month_bounds, publish_month, zone_name
from hub.maintenance.report_tables import figures_of
from hub.store.audit import list_entries
from hub.store.database import Database
from hub.store.ledger_rows import GroupBy, Period
from hub.store.months import get_month, list_months
from tests.db.ledger_truth import HUB, STEPS, Device, Ledger, Outage, Span, at, store, village

SINCE, UNTIL = at(0), at(STEPS)
DAY = timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


async def settle(database: Database, *devices: Device) -> list[int]:
    """Store some devices; returns their numbers."""
    await store(database, Ledger(devices=list(devices)))
    return [device.id for device in devices]


def camera(vendor: str = "甲", path: str = "c.t.v", **more: object) -> Device:
    """A camera that is online since the beginning."""
    made = Device(kind="camera", path=path, vendor=vendor, created=0)
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def change(database: Database, statement: str, **values: object) -> None:
    """Change a row as nobody would in earnest."""
    async with database.transaction() as tx:
        await tx.connection.execute(statement.encode(), values)


async def report(
    database: Database,
    by: GroupBy = GroupBy.VENDOR,
    *,
    scope: Scope = HUB,
    kind: str = "camera",
    area: int | None = None,
    now: datetime = UNTIL,
) -> KpiReport:
    """The figures of the week."""
    period = Period(since=SINCE, until=UNTIL, kind=kind, area_id=area)
    async with database.transaction() as tx:
        return await report_kpis(tx, scope, period, by, now=now)


async def total(database: Database) -> Kpis:
    return (await report(database)).total


async def test_the_snapshot_is_online_by_managed_at_the_moment(database: Database) -> None:
    ids = await settle(
        database, camera(), camera(status="degraded"), camera(status="offline"), camera()
    )
    await change(
        database,
        "WITH w AS (INSERT INTO maintenance_windows (area_id, starts_at, ends_at, reason, author)"
        " SELECT area_id, now(), now(), 'x', 'x' FROM devices WHERE id = %(id)s RETURNING id)"
        " UPDATE device_status SET status = 'offline', window_id = w.id FROM w"
        " WHERE device_id = %(id)s",
        id=ids[3],
    )
    found = (await total(database)).online_rate_snapshot
    assert found.value == pytest.approx(2 / 3)
    assert (found.coverage, found.withheld) == (1, None)
    assert found.formula == "online-rate-snapshot/1"


async def test_unknown_devices_lower_the_coverage_until_it_is_withheld(database: Database) -> None:
    await settle(database, *[camera() for _ in range(9)], camera(status="unknown", since=STEPS - 1))
    found = (await total(database)).online_rate_snapshot
    assert (found.value, found.coverage) == (None, 0.9)
    assert found.withheld is not None
    assert found.withheld.code is Why.COLLECTING
    assert found.withheld.reason == "collecting: 90 % known, 95 % needed"


async def test_intact_is_known_of_cameras_with_a_picture_of_late(database: Database) -> None:
    good, blurred, _, unwatched = await settle(
        database, camera(), camera(status="degraded"), camera(status="offline"), camera()
    )
    judged = "UPDATE device_status SET picture_at = %(at)s WHERE device_id = ANY (%(ids)s)"
    await change(database, judged, at=UNTIL - DAY / 2, ids=[good, blurred])
    await change(database, judged, at=UNTIL - DAY * 2, ids=[unwatched])
    await change(
        database,
        'UPDATE device_status SET faults = \'{"picture": "blurred"}\' WHERE device_id = %(id)s',
        id=blurred,
    )
    found = (await total(database)).intact_rate
    assert (found.value, found.coverage) == (None, 0.75)
    await change(database, judged, at=UNTIL - DAY / 2, ids=[unwatched])
    found = (await total(database)).intact_rate
    assert (found.value, found.coverage) == (0.5, 1)


async def test_clocks_are_judged_by_the_latest_day_that_has_an_offset(database: Database) -> None:
    ids = await settle(database, camera(), camera(), camera(), camera(kind="nvr"))
    days = (
        "INSERT INTO camera_days (day, device_id, clock_offset_s) VALUES (%(day)s, %(id)s, %(s)s)"
    )
    for number, device, offset in (
        (1, ids[0], 3000.0), (2, ids[0], -59.0), (3, ids[0], None), (2, ids[1], -61.0),
        (2, ids[2], 60.0), (2, ids[3], 9000.0),
    ):  # fmt: skip
        await change(database, days, day=SINCE + DAY * number, id=device, s=offset)
    found = (await total(database)).clock_rate
    assert found.value == pytest.approx(2 / 3)
    assert found.coverage == 1
    async with database.transaction() as tx:
        period = Period(since=SINCE, until=UNTIL)
        strict = await report_kpis(
            tx, HUB, period, GroupBy.AREA, now=UNTIL, options=KpiOptions(clock_tolerance_s=59.5)
        )
    assert strict.total.clock_rate.value == pytest.approx(1 / 3)


async def test_recordings_are_judged_over_whole_days(database: Database) -> None:
    ids = await settle(database, camera(), camera("乙"))
    days = (
        "INSERT INTO camera_days (day, device_id, recorded_s, planned_s)"
        " VALUES (%(day)s, %(id)s, %(recorded)s, 86400)"
    )
    # The week has 6.94 days; the last cannot have been looked at yet.
    for number in range(7):
        recorded = 0.0 if number == 6 else 90_000.0 if number else 43_200.0
        await change(database, days, day=SINCE + DAY * number, id=ids[0], recorded=recorded)
    full = {group.name: group.recording_completeness for group in (await report(database)).groups}
    assert full["甲"].value == pytest.approx(5.5 / 6)
    assert full["甲"].coverage == 1
    assert (full["乙"].value, full["乙"].coverage) == (None, 0)


async def test_records_count_when_everything_required_is_filled_and_valid(
    database: Database,
) -> None:
    ids = await settle(database, camera(), camera(), camera(), camera())
    for place, device in enumerate(ids):
        code = "3304020000132000001" + str(place)
        await change(
            database,
            "UPDATE devices SET code = %(code)s, model = 'M', address = '10.0.0.1', team = '一队',"
            " place = '村口' WHERE id = %(id)s",
            code=code[: 19 if place == 1 else 20],
            id=device,
        )
        await change(
            database,
            "INSERT INTO asset_records (device_id, longitude, latitude)"
            " VALUES (%(id)s, %(x)s, %(x)s)",
            id=device,
            x=None if place == 2 else 30.75,
        )
    await change(database, "UPDATE devices SET team = '' WHERE id = %(id)s", id=ids[3])
    found = (await total(database)).labelling_rate
    assert (found.value, found.coverage, found.withheld) == (0.25, 1, None)


async def test_repairs_and_failures_have_a_mean(database: Database) -> None:
    hour = 6  # steps
    long = Outage(start=20, end=20 + 4 * hour)
    short = Outage(start=200, end=200 + 2 * hour)
    lasting = Outage(start=STEPS - hour, end=None)
    await settle(
        database,
        camera(outages=[long, short]),
        camera(outages=[lasting], status="offline", windows=[Span(start=0, end=100)]),
        camera("乙"),
    )
    found = await report(database)
    groups = {group.name: group for group in found.groups}
    failing, whole = groups["甲"], groups["乙"]
    assert failing.mttr_s.value == 3 * 3600
    assert failing.outages.value == 3
    assert failing.longest_outage_s.value == 4 * 3600
    up_s = (2 * STEPS - 100) * 600 - 7 * 3600
    assert failing.mtbf_s.value == pytest.approx(up_s / 3)
    assert whole.mttr_s.withheld is not None
    assert whole.mttr_s.withheld.code is Why.NO_OUTAGES
    assert whole.mtbf_s.withheld is not None
    assert (whole.longest_outage_s.value, whole.outages.value) == (0, 0)
    assert found.total.mttr_s.value == 3 * 3600


async def test_devices_are_put_together_in_five_ways(database: Database) -> None:
    ids = await settle(database, camera("乙", "c.u"), camera("甲"), camera("", "c"))
    await change(
        database,
        "UPDATE devices SET model = 'X1', team = '二队', class = '一类' WHERE id = ANY (%(ids)s)",
        ids=ids[:2],
    )
    names = {
        by: {(group.name, group.devices) for group in (await report(database, by)).groups}
        for by in GroupBy
    }
    assert names == {
        GroupBy.AREA: {("c", 1), ("v", 1), ("u", 1)},
        GroupBy.VENDOR: {("", 1), ("甲", 1), ("乙", 1)},
        GroupBy.MODEL: {("", 1), ("甲 X1", 1), ("乙 X1", 1)},
        GroupBy.TEAM: {("", 1), ("二队", 2)},
        GroupBy.CLASS: {("", 1), ("一类", 2)},
    }
    for by in GroupBy:
        found = await report(database, by)
        assert found.total.devices == 3
        assert all(figure.formula for group in found.groups for figure in figures_of(group))
        assert all((group.area_id > 0) == (by is GroupBy.AREA) for group in found.groups)


@pytest.mark.threat("T1")
async def test_a_scope_counts_its_own_devices_only(database: Database) -> None:
    await settle(database, camera("乙", "c.u", status="offline"), camera("甲"), camera("丙", "c"))
    for by in GroupBy:
        found = await report(database, by, scope=village("c.t"))
        assert found.total.devices == 1
        assert found.total.online_rate_snapshot.value == 1
        assert "乙" not in repr(found)
        nothing = await report(database, by, scope=Scope(paths=(), actor="nobody"))
        assert not nothing.groups
        assert [figure.value for figure in figures_of(nothing.total)] == [None] * len(FIGURES)


async def test_an_area_and_a_kind_narrow_the_figures(database: Database) -> None:
    ledger = Ledger(devices=[camera(), camera(kind="sensor"), camera("乙", "c.u")])
    await store(database, ledger)
    assert (await report(database)).total.devices == 2
    assert (await report(database, kind="")).total.devices == 3
    assert (await report(database, kind="sensor")).total.devices == 1
    assert (await report(database, kind="", area=ledger.areas["c.t"])).total.devices == 2
    sensors = (await report(database, kind="sensor")).total
    assert sensors.intact_rate.withheld is not None
    assert sensors.intact_rate.withheld.code is Why.NO_DEVICES


@pytest.mark.parametrize("registration", ["pending", "retired"])
async def test_only_approved_devices_count(database: Database, registration: str) -> None:
    ids = await settle(database, camera(), camera())
    await change(
        database,
        "UPDATE devices SET registration = %(state)s WHERE id = %(id)s",
        state=registration,
        id=ids[0],
    )
    found = (await total(database)).devices
    assert found == 1


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
    assert zone_name(SHANGHAI, SINCE) == "Asia/Shanghai"
