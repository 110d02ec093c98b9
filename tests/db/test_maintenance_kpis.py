"""Key figures, on both databases."""

from datetime import datetime, timedelta
from random import Random

import pytest

from hub.domain.access import Scope
from hub.maintenance.figures import Why
from hub.maintenance.kpis import (
    FIGURES,
    KpiOptions,
    KpiReport,
    Kpis,
    report_every_grouping,
    report_kpis,
)
from hub.maintenance.report_tables import figures_of
from hub.store.database import Database
from hub.store.ledger_rows import GroupBy, Period
from tests.db.ledger_truth import (
    HUB,
    STEPS,
    Device,
    Ledger,
    Outage,
    Span,
    at,
    camera,
    change,
    store,
    village,
)

SINCE, UNTIL = at(0), at(STEPS)
DAY = timedelta(days=1)


async def settle(database: Database, *devices: Device) -> list[int]:
    """Store some devices; returns their numbers."""
    await store(database, Ledger(devices=list(devices)))
    return [device.id for device in devices]


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


async def test_every_grouping_at_once_is_each_of_them(database: Database) -> None:
    ledger = Ledger.roll(Random(5), devices=20)
    await store(database, ledger)
    await change(
        database,
        "UPDATE devices SET model = 'M' || id %% 3, team = id %% 2 || '队', class = id %% 4",
    )
    await change(
        database,
        "INSERT INTO camera_days (day, device_id, clock_offset_s, recorded_s, planned_s)"
        " SELECT %(day)s, id, id * 10, id * 1000, 86400 FROM devices",
        day=SINCE + DAY,
    )
    period = Period(since=SINCE, until=UNTIL, kind="")
    async with database.transaction() as tx:
        together = await report_every_grouping(tx, HUB, period, now=UNTIL)
    assert [found.by for found in together] == list(GroupBy)
    for found in together:
        alone = await report(database, found.by, kind="")
        assert [(g.area_id, g.name, g.devices) for g in found.groups] == [
            (g.area_id, g.name, g.devices) for g in alone.groups
        ]
        for ours, theirs in zip(
            (found.total, *found.groups), (alone.total, *alone.groups), strict=True
        ):
            for one, other in zip(figures_of(ours), figures_of(theirs), strict=True):
                assert one.value == pytest.approx(other.value)
                assert one.coverage == pytest.approx(other.coverage)
                assert one.withheld == other.withheld


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
