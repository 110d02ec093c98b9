"""What is set for areas, classes and devices, on both databases."""

import pytest

from hub.domain.errors import Invalid, NotFound
from hub.store import audit, devices, probe_intervals
from hub.store.database import Database
from hub.store.probe_intervals import ProbeInterval
from tests.db.conftest import SYSTEM, County


async def put(database: Database, wanted: ProbeInterval) -> ProbeInterval:
    async with database.transaction() as tx:
        return await probe_intervals.put_interval(tx, SYSTEM, wanted)


async def held(database: Database) -> list[ProbeInterval]:
    async with database.transaction() as tx:
        return await probe_intervals.all_intervals(tx, SYSTEM)


async def test_what_is_set_anew_replaces_what_was_set(database: Database, county: County) -> None:
    area = county.east
    first = await put(database, ProbeInterval(area_id=area.id, answer_s=30))
    other = await put(database, ProbeInterval(area_id=area.id, device_class="gate", answer_s=5))
    again = await put(database, ProbeInterval(area_id=area.id, frames_s=300))
    assert again.id == first.id
    assert await held(database) == [
        ProbeInterval(id=first.id, area_id=area.id, area_path=area.path, frames_s=300),
        other,
    ]
    async with database.transaction() as tx:
        await probe_intervals.remove_interval(tx, SYSTEM, other.id)
        lines = (await audit.list_entries(tx, SYSTEM)).items
    assert [line.action for line in reversed(lines)] == [
        "probe_interval.set",
        "probe_interval.set",
        "probe_interval.set",
        "probe_interval.removed",
    ]


async def test_a_device_takes_its_own_row_along(database: Database, county: County) -> None:
    camera = county.east_camera
    row = await put(database, ProbeInterval(device_id=camera.id, answer_s=30))
    assert (row.area_id, row.area_path) == (county.east.id, county.east.path)
    async with database.transaction() as tx:
        await devices.edit_device(tx, SYSTEM, camera.id, name=camera.name, area_id=county.west.id)
        with pytest.raises(NotFound):
            await probe_intervals.get_interval(tx, county.east_scope, row.id)
    (moved,) = await held(database)
    assert (moved.area_id, moved.area_path) == (county.west.id, county.west.path)
    await put(database, ProbeInterval(device_id=camera.id, answer_s=60))
    (only,) = await held(database)
    assert only.answer_s == 60


async def test_what_makes_no_sense_is_refused(database: Database, county: County) -> None:
    area, device = county.east.id, county.east_camera.id
    for wanted in (
        ProbeInterval(area_id=area),
        ProbeInterval(device_id=device, device_class="gate", answer_s=30),
        ProbeInterval(area_id=area, answer_s=4),
        ProbeInterval(area_id=area, inspect_s=2_592_001),
    ):
        with pytest.raises(Invalid):
            await put(database, wanted)
    assert await held(database) == []


@pytest.mark.threat("T1")
async def test_what_is_set_for_another_area_does_not_exist(
    database: Database, county: County
) -> None:
    eve = county.east_scope
    foreign = await put(database, ProbeInterval(area_id=county.west.id, answer_s=30))
    async with database.transaction() as tx:
        assert await probe_intervals.all_intervals(tx, eve) == []
        assert (await probe_intervals.list_intervals(tx, eve)).items == []
        for wanted in (
            ProbeInterval(area_id=county.west.id, answer_s=60),
            ProbeInterval(device_id=county.west_camera.id, answer_s=60),
        ):
            with pytest.raises(NotFound):
                await probe_intervals.put_interval(tx, eve, wanted)
        with pytest.raises(NotFound):
            await probe_intervals.remove_interval(tx, eve, foreign.id)
    assert await held(database) == [foreign]
