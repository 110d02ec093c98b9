"""Latency and loss by the hour: what is added adds up, and stays inside its areas."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.store.database import Database
from hub.store.probe_hours import ProbeHour, add_hours, list_hours
from tests.db.conftest import SYSTEM, County

HOUR = datetime(2026, 11, 22, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def hour_of(device_id: int, **changes: float) -> ProbeHour:
    row = ProbeHour(
        hour=HOUR, device_id=device_id, probes=10, lost=1, latency_ms=90.0, slowest_ms=30.0
    )
    return replace(row, **changes)  # type: ignore[arg-type]  # numbers of either kind


async def read(database: Database, device_id: int) -> list[ProbeHour]:
    async with database.transaction() as tx:
        return await list_hours(tx, SYSTEM, device_id, since=HOUR - DAY, until=HOUR + DAY)


async def test_what_is_added_to_an_hour_adds_up(database: Database, county: County) -> None:
    camera = county.east_camera.id
    for slowest in (30.0, 55.0, 20.0):
        async with database.transaction() as tx:
            await add_hours(tx, SYSTEM, [hour_of(camera, slowest_ms=slowest)])

    (found,) = await read(database, camera)
    assert (found.probes, found.lost, found.latency_ms, found.slowest_ms) == (30, 3, 270.0, 55.0)
    assert found.lost_share == pytest.approx(0.1)
    assert found.mean_ms == pytest.approx(10.0)


async def test_rows_of_one_call_and_calls_of_one_transaction_add_up(
    database: Database, county: County
) -> None:
    camera = county.east_camera.id
    half_past = replace(hour_of(camera), hour=HOUR + timedelta(minutes=30))
    async with database.transaction() as tx:
        await add_hours(tx, SYSTEM, [hour_of(camera), half_past])
        await add_hours(tx, SYSTEM, [hour_of(camera)])

    (found,) = await read(database, camera)
    assert (found.hour, found.probes, found.lost) == (HOUR, 30, 3)


async def test_an_hour_without_an_answer_has_no_latency(database: Database, county: County) -> None:
    camera = county.east_camera.id
    async with database.transaction() as tx:
        silent = hour_of(camera, probes=4, lost=4, latency_ms=0.0, slowest_ms=0.0)
        await add_hours(tx, SYSTEM, [silent])

    (found,) = await read(database, camera)
    assert found.mean_ms is None
    assert found.lost_share == 1.0


async def test_hours_of_another_area_do_not_exist(database: Database, county: County) -> None:
    async with database.transaction() as tx:
        await add_hours(tx, SYSTEM, [hour_of(county.west_camera.id)])
        await add_hours(tx, county.east_scope, [hour_of(county.east_camera.id)])
        period = {"since": HOUR - DAY, "until": HOUR + DAY}
        assert await list_hours(tx, county.east_scope, county.west_camera.id, **period) == []
        assert await list_hours(tx, SYSTEM, county.east_camera.id, **period) == []
        assert len(await list_hours(tx, SYSTEM, county.west_camera.id, **period)) == 1


async def test_four_hundred_days_can_be_read(database: Database, county: County) -> None:
    camera = county.east_camera.id
    rows = [replace(hour_of(camera), hour=HOUR - timedelta(hours=back)) for back in range(400 * 24)]
    async with database.transaction() as tx:
        await add_hours(tx, SYSTEM, rows)
        found = await list_hours(
            tx, SYSTEM, camera, since=HOUR - 400 * DAY, until=HOUR + timedelta(hours=1)
        )
    assert len(found) == 400 * 24
    assert found[0].hour < found[-1].hour == HOUR


async def test_an_hour_of_a_whole_county_is_one_call(database: Database, county: County) -> None:
    rows = [hour_of(number) for number in range(1, 70_001)]
    async with database.transaction() as tx:
        await add_hours(tx, SYSTEM, rows)
        await add_hours(tx, SYSTEM, rows)
        total = await tx.tuples("SELECT count(*), sum(probes) FROM probe_hours")
    assert total == [(70_000, 70_000 * 20)]
