"""Points over the API: what a list shows, who may set limits, what the audit log then says."""

from datetime import UTC, datetime

import httpx
import pytest

from hub.domain.devices import Point, Registration
from hub.store import audit, devices, events, point_health
from hub.store.database import Database
from hub.store.events import ReadingRow
from hub.store.point_health import FaultRow, LearntRow
from tests.web.stage import SYSTEM, World, sign_in

AT = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


async def add_points(database: Database, device_id: int, *keys: str) -> list[int]:
    async with database.transaction() as tx:
        points = [Point(key=key, unit="°C") for key in keys]
        return [await devices.add_point(tx, SYSTEM, device_id, point) for point in points]


async def break_point(database: Database, *points: int) -> None:
    rows = [
        FaultRow(point_id=point, kind="stuck", since=AT, sentence="a without a change for 2 h")
        for point in points
    ]
    async with database.transaction() as tx:
        await point_health.open_faults(tx, SYSTEM, rows)


async def test_a_point_is_shown_whole(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    (number,) = await add_points(database, world.east_camera, "a")
    learnt = LearntRow(
        point_id=number, observed_s=90_000, changes=40, longest_s=600, today_s=700, still_s=1,
        anchor=2.5, is_binary=False,
    )  # fmt: skip
    reading = ReadingRow(device_id=world.east_camera, point_id=number, at=AT, value=2.5)
    async with database.transaction() as tx:
        await point_health.put_learnt(tx, SYSTEM, [learnt])
        await events.add_readings(tx, SYSTEM, [reading])
    await break_point(database, number)
    await sign_in(client, "east-viewer")
    shown = (await client.get(f"/api/v1/points/{number}")).json()
    assert shown == {
        "id": number, "device_id": world.east_camera, "device_name": "east-1",
        "area_id": world.east, "area_name": "East", "key": "a", "unit": "°C", "quantity": "",
        "role": "", "expected_interval_s": None, "low": None, "high": None, "said_low": None,
        "said_high": None, "spread": None, "stuck_after_s": None, "at": "2026-11-22T00:30:00Z",
        "value": 2.5, "observed_s": 90_000, "changes": 40, "longest_still_s": 700,
        "faults": [{
            "kind": "stuck", "since": "2026-11-22T00:30:00Z",
            "sentence": "a without a change for 2 h",
        }],
    }  # fmt: skip
    query = {"device_id": world.east_camera}
    listed = (await client.get("/api/v1/points", params=query)).json()["items"]
    assert [line["key"] for line in listed] == ["temp", "a"]
    assert listed[1] == shown


async def test_the_list_for_maintenance_holds_what_is_wrong_in_an_area(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    east = await add_points(database, world.east_camera, "a", "b")
    west = await add_points(database, world.west_camera, "a", "b")
    await break_point(database, east[0], west[1])
    await sign_in(client, "root-admin")

    async def ask(**query: str) -> list[int]:
        answer = await client.get("/api/v1/points", params={"fault": "true", **query})
        return [line["id"] for line in answer.json()["items"]]

    assert await ask() == [east[0], west[1]]
    assert await ask(area=str(world.west)) == [west[1]]
    assert await ask(area=str(world.town)) == [east[0], west[1]]
    first = (await client.get("/api/v1/points", params={"fault": "true", "limit": 1})).json()
    assert await ask(cursor=first["next"]) == [west[1]]
    well = await client.get("/api/v1/points", params={"fault": "false"})
    assert {east[1], west[0]} <= {line["id"] for line in well.json()["items"]}
    async with database.transaction() as tx:
        await devices.set_registration(tx, SYSTEM, world.west_camera, Registration.RETIRED)
    assert await ask() == [east[0]]


async def test_limits_are_set_one_by_one_and_taken_back(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    (number,) = await add_points(database, world.east_camera, "a")
    await sign_in(client, "east-admin")
    path = f"/api/v1/points/{number}"
    assert (await client.patch(path, json={"low": -40, "high": 60})).json()["high"] == 60
    body = {"spread": 0.5, "stuck_after_s": 7200, "high": None}
    changed = (await client.patch(path, json=body)).json()
    names = ("low", "high", "spread", "stuck_after_s")
    assert [changed[name] for name in names] == [-40, None, 0.5, 7200]
    async with database.transaction() as tx:
        last = (await audit.list_entries(tx, SYSTEM)).items[0]
    assert (last.action, last.object_id) == ("point.edited", str(number))
    assert last.detail == {"point": "a", **body}


async def test_limits_of_the_device_count_where_nothing_is_set(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        said = Point(key="a", low=0, high=50)
        number = await devices.add_point(tx, SYSTEM, world.east_camera, said)
        await devices.add_point(tx, SYSTEM, world.east_camera, Point(key="a"))
    await sign_in(client, "east-admin")
    path = f"/api/v1/points/{number}"
    refused = await client.patch(path, json={"low": 50})
    assert refused.status_code == 422
    assert "upper limit 50" in refused.text
    shown = (await client.patch(path, json={"low": 10})).json()
    assert (shown["low"], shown["high"]) == (10, None)
    assert (shown["said_low"], shown["said_high"]) == (0, 50)
    async with database.transaction() as tx:
        await devices.add_point(tx, SYSTEM, world.east_camera, said)
        (record,) = [
            point
            for point in await point_health.load_points(tx, SYSTEM, [world.east_camera])
            if point.point_id == number
        ]
    assert (record.low, record.high) == (10, 50)


@pytest.mark.parametrize(
    "body",
    [
        {"low": 5, "high": 5},
        {"low": 6, "high": 5},
        {"spread": -1},
        {"stuck_after_s": -1},
        {"stuck_after_s": 1e9},
        {"low": "a"},
        {"low": 1e999},
        {"middle": 1},
    ],
)
async def test_limits_that_make_no_sense_are_refused(
    client: httpx.AsyncClient, world: World, database: Database, body: dict[str, object]
) -> None:
    (number,) = await add_points(database, world.east_camera, "a")
    await sign_in(client, "east-admin")
    raw = str(body).replace("'", '"').replace("inf", "1e999")
    headers = {"Content-Type": "application/json"}
    answer = await client.patch(f"/api/v1/points/{number}", content=raw, headers=headers)
    assert answer.status_code == 422
    shown = (await client.get(f"/api/v1/points/{number}")).json()
    assert (shown["low"], shown["spread"]) == (None, None)


@pytest.mark.threat("T1")
async def test_points_of_another_area_do_not_exist(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    (number,) = await add_points(database, world.west_camera, "a")
    await break_point(database, number)
    await sign_in(client, "east-admin")
    path = f"/api/v1/points/{number}"
    assert (await client.get(path)).status_code == 404
    assert (await client.patch(path, json={"low": 1})).status_code == 404
    query = {"device_id": world.west_camera}
    assert (await client.get("/api/v1/points", params=query)).status_code == 404
    for narrowed in ({}, {"fault": "true"}, {"area": str(world.west)}):
        listed = (await client.get("/api/v1/points", params=narrowed)).json()["items"]
        assert world.west_camera not in {line["device_id"] for line in listed}


async def test_who_only_looks_sets_no_limits(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    (number,) = await add_points(database, world.east_camera, "a")
    await sign_in(client, "east-viewer")
    answer = await client.patch(f"/api/v1/points/{number}", json={"low": 1})
    assert answer.status_code == 403
