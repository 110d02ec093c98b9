"""Days of areas: made once, the same as the report of that day, seen as far as a scope goes."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.domain.access import Scope
from hub.domain.health import Status
from hub.maintenance.area_days import MOST_A_RUN, AreaDays, report_days
from hub.maintenance.device_days import first_moment
from hub.maintenance.uptime import report_uptime
from hub.patrols.files import PictureFolder
from hub.runtime.jobs import Jobs
from hub.store import areas
from hub.store.area_days import DayFilter
from hub.store.database import Database
from hub.store.ledger_rows import Period
from tests.db.patrol_world import HUB, World, settle
from tests.statuses import Told, change_status

# Clocks went back on the night of the first of November: that day has 25 hours.
ZONE = ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 10, 31), date(2026, 11, 2)
NOW = datetime(2026, 11, 3, 6, 30, tzinfo=UTC)  # 01:30 there


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """Cameras that were registered long ago, online but for one outage over a midnight."""
    made = World(
        database=database,
        jobs=Jobs(database, lambda: NOW),
        folder=PictureFolder(tmp_path),
    )
    await settle(made)
    long_ago = NOW - timedelta(days=300)
    midnight = first_moment(date(2026, 11, 2), ZONE)
    told = [
        *((camera, Status.ONLINE, long_ago) for camera in made.cameras),
        (made.cameras[0], Status.OFFLINE, midnight - timedelta(hours=5)),
        (made.cameras[0], Status.ONLINE, midnight + timedelta(hours=6)),
    ]
    async with database.transaction() as tx:
        await tx.execute("UPDATE devices SET created_at = %(at)s", {"at": long_ago})
        for camera, status, since in told:
            await change_status(tx, HUB, Told(device_id=camera, status=status, since=since))
    return made


async def test_days_are_made_once_and_are_what_the_report_says(world: World) -> None:
    keeper = AreaDays(database=world.database, clock=lambda: NOW, zone=ZONE)
    await keeper.run_once()
    await keeper.run_once()

    async with world.database.transaction() as tx:
        made = await tx.scalar(int, "SELECT count(*) FROM made_days")
        top = (await areas.list_areas(tx, HUB))[0]
        table = await report_days(
            tx, HUB, DayFilter(first=FIRST, last=LAST, area_id=top.id, kind="camera")
        )
        reports = [
            await report_uptime(
                tx,
                HUB,
                Period(since=first_moment(day, ZONE), until=first_moment(day_after, ZONE)),
                now=NOW,
                with_devices=False,
            )
            for day, day_after in [(d, d + timedelta(days=1)) for d in table.days]
        ]
    assert made == 2 * MOST_A_RUN
    assert table.whole.days == [report.total for report in reports]
    second, third = table.whole.days[1:]
    assert second is not None
    assert third is not None
    assert (second.down_s, third.down_s) == (5 * 3600, 6 * 3600)
    share = 1 / len(world.cameras)
    assert second.online == pytest.approx(1 - share * 5 / 25)
    assert third.online == pytest.approx(1 - share * 6 / 24)
    assert sum(row.total.outages for row in table.rows) == table.whole.total.outages


async def test_nobody_sees_days_of_foreign_areas(world: World) -> None:
    keeper = AreaDays(database=world.database, clock=lambda: NOW, zone=ZONE)
    await keeper.run_once()
    async with world.database.transaction() as tx:
        everything = await report_days(tx, HUB, DayFilter(first=FIRST, last=LAST))
        one = everything.rows[0]
        path = next(area.path for area in await areas.list_areas(tx, HUB) if area.id == one.area_id)
        narrow = Scope(paths=(path,), actor="somebody")
        seen = await report_days(tx, narrow, DayFilter(first=FIRST, last=LAST))
        too_late = await report_days(tx, HUB, DayFilter(first=LAST, last=LAST + timedelta(days=2)))
    assert len(everything.rows) > 1
    assert [row.area_id for row in seen.rows] == [one.area_id]
    assert seen.whole.total == one.total
    assert [day is None for day in too_late.whole.days] == [False, True, True]
