"""Rules about readings on both databases, the clock moved by hand."""

from dataclasses import replace

import pytest

from hub.domain.conditions import Direction, PointBeyond
from hub.domain.devices import Point
from hub.store.database import Database
from hub.store.devices import add_point
from tests.db.alerts_site import HUB, Clock, Site

HOT = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25)


@pytest.fixture
async def site(database: Database) -> Site:
    return await Site(database, Clock()).build()


async def test_readings_fire_and_resolve_with_hysteresis(site: Site) -> None:
    await site.add_rule(HOT)
    device = await site.add_device()
    point = await site.add_point(device)
    engine = site.engine()
    await engine.step()
    seen = []
    for value in (29, 31, 35, 28, 26, 25, 31):
        await engine.offer_readings(await site.read(device, point, value))
        await engine.step()
        seen.append((await site.statuses())[-1:])
    assert seen == [[], *[["firing"]] * 4, ["resolved"], ["firing"]]
    first, second = await site.alerts()
    assert (first.value, first.point, first.unit) == (31, "temp", "°C")
    assert second.id > first.id
    assert await site.count("notifications") == 3


async def test_values_stored_while_no_engine_ran_count(site: Site) -> None:
    await site.add_rule(HOT)
    device = await site.add_device()
    point = await site.add_point(device)
    await site.read(device, point, 31)
    await site.engine().step()
    assert await site.statuses() == ["firing"]
    await site.read(device, point, 20)
    await site.engine().step()
    assert await site.statuses() == ["resolved"]


async def test_a_value_of_long_ago_says_nothing_of_now(site: Site) -> None:
    device = await site.add_device()
    point = await site.add_point(device)
    await site.read(device, point, 31)
    site.clock.pass_s(3600)
    await site.add_rule(HOT)
    await site.engine().step()
    assert await site.alerts() == []


async def test_readings_below_for_their_time(site: Site) -> None:
    await site.add_rule(replace(HOT, for_s=10))
    device = await site.add_device()
    point = await site.add_point(device)
    engine = site.engine()
    await engine.step()
    await engine.offer_readings(await site.read(device, point, 31))
    assert await engine.step() is not None
    site.clock.pass_s(10)
    await engine.step()
    assert await site.statuses() == ["firing"]
    await engine.offer_readings(await site.read(device, point, 20))
    await engine.step()
    assert await site.statuses() == ["resolved"]


async def test_a_rule_about_batteries_watches_them_whatever_their_key(site: Site) -> None:
    await site.add_rule(
        PointBeyond(point="battery", direction=Direction.BELOW, threshold=20, clear=25)
    )
    device = await site.add_device()
    async with site.database.transaction() as tx:
        told = Point(key="b1", unit="%", quantity="battery")
        battery = await add_point(tx, HUB, device.id, told)
        volts = await add_point(tx, HUB, device.id, Point(key="b2", unit="V", quantity="battery"))
    engine = site.engine()
    await engine.step()
    for point in (battery, volts):
        await engine.offer_readings(await site.read(device, point, 3.6))
    await engine.step()
    assert [alert.point for alert in await site.alerts()] == ["b1"]
    swept = site.engine()  # one that saw no reading finds the same in what is stored
    site.clock.pass_s(60)
    await swept.step()
    assert [alert.point for alert in await site.alerts()] == ["b1"]
