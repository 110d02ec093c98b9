"""What Prometheus is told: right, readable whatever names hold, and never waited for."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from hub.domain.health import Status
from hub.store import areas, figures
from hub.store.database import Database
from hub.store.figures import AreaCount, HubCounts, roll_up
from hub.web.health_figures import FRESH_S, HealthFigures
from tests.statuses import Told, change_status
from tests.web.history import NOW, raise_alert
from tests.web.stage import SYSTEM, World, open_client

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
HOSTILE = 'East"} 1\nevil_metric{x="\\'


@pytest.fixture
async def near(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client on the hub's own machine."""
    async with open_client(app, "127.0.0.1") as opened:
        yield opened


def read(text: str) -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scrape(client: httpx.AsyncClient) -> Series:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return read(answer.text)


def devices(series: Series, area: str) -> dict[str, float]:
    return {
        dict(labels)["status"]: value
        for (name, labels), value in series.items()
        if name == "gengfu_devices" and dict(labels)["area"] == area
    }


async def test_every_area_has_its_devices_by_status(
    near: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        told = Told(device_id=world.west_camera, status=Status.OFFLINE, since=NOW)
        await change_status(tx, SYSTEM, told)
        await raise_alert(tx, world.west, world.west_camera, "west")

    series = await scrape(near)

    nothing = dict.fromkeys(map(str, Status), 0.0)
    assert devices(series, "west") == {**nothing, "offline": 1.0}
    assert devices(series, "east") == {**nothing, "unknown": 1.0}
    assert devices(series, "town") == {}  # has none of its own
    assert series["gengfu_area_level", ()] == 0
    assert series["gengfu_outages_open", (("layer", "network"),)] == 1
    assert series["gengfu_outages_open", (("layer", "protocol"),)] == 0
    firing = (("severity", "critical"), ("status", "firing"))
    assert series["gengfu_alerts_open", firing] == 1
    assert series["gengfu_connections", (("state", "new"),)] == 2
    assert series["gengfu_database_up", ()] == 1
    assert series["process_resident_memory_bytes", ()] > 1e6


@pytest.mark.threat("T7")
@pytest.mark.threat("T10")
async def test_a_hostile_name_stays_one_label(
    near: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        await areas.rename_area(tx, SYSTEM, world.east, HOSTILE)

    series = await scrape(near)

    names = {dict(labels).get("area_name") for (name, labels) in series if name == "gengfu_devices"}
    assert names == {HOSTILE, "West"}
    assert not any(name.startswith("evil") for name, _ in series)


async def test_counts_are_kept_for_ten_seconds(world: World, database: Database) -> None:
    now = 100.0
    kept = HealthFigures(database, monotonic=lambda: now)
    await asyncio.gather(*(kept.refresh() for _ in range(5)))
    before = list(kept.collect())
    now += FRESH_S - 0.1
    await kept.refresh()
    assert list(kept.collect()) == before
    assert all(a is b for a, b in zip(kept.collect(), before, strict=True))
    now += 0.2
    await kept.refresh()
    assert not any(a is b for a, b in zip(kept.collect(), before, strict=True))


@pytest.mark.threat("K3")
async def test_without_the_database_old_counts_are_left_out(
    near: httpx.AsyncClient, world: World, app: FastAPI, database: Database
) -> None:
    now = 100.0
    app.state.health_figures = HealthFigures(database, monotonic=lambda: now)
    assert devices(await scrape(near), "east")
    await database.pool.close()
    now += FRESH_S + 1

    series = await scrape(near)

    assert series["gengfu_database_up", ()] == 0
    assert not any(name == "gengfu_devices" for name, _ in series)
    assert series["process_resident_memory_bytes", ()] > 0


async def test_more_areas_than_figures_are_summed_up_and_said(
    world: World, database: Database
) -> None:
    few = HealthFigures(database, most_areas=1)
    await few.refresh()
    samples = {s.name: s for family in few.collect() for s in family.samples}
    assert samples["gengfu_area_level"].value == 1
    async with database.transaction() as tx:
        counts = await figures.count_everything(tx, SYSTEM)
    rolled, level = roll_up(counts, 1)
    assert level == 1
    assert rolled.areas == (AreaCount(path="town", status="unknown", count=2),)
    assert roll_up(counts, 2) == (counts, 0)


def test_rolling_up_loses_no_device() -> None:
    rows = tuple(
        AreaCount(path=f"c.t{town}.v{village}", status=status, count=town + village)
        for town in range(5)
        for village in range(9)
        for status in ("online", "offline")
    )
    counts = HubCounts(
        areas=(*rows, AreaCount(path="c", status="online", count=3)),
        area_names={}, pending=0, flapping=0, outages={}, alerts={}, connections={},
        picture_faults={},
        jobs_due=0, jobs_running=0,
    )  # fmt: skip
    rolled, level = roll_up(counts, 6)
    assert level == 2
    assert len({row.path for row in rolled.areas}) == 6
    assert sum(row.count for row in rolled.areas) == sum(row.count for row in counts.areas)
