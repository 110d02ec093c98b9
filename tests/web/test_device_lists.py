"""The device list, its roll-ups and area summaries over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from hub.domain.health import Status
from hub.store.database import Database
from hub.store.probe_hours import ProbeHour, add_hours
from hub.web.loaders import load_devices
from tests.statuses import Told, change_status
from tests.web.history import fill_west
from tests.web.stage import SYSTEM, Field, World, sign_in


async def test_one_call_tells_what_fails_since_when_where_and_behind_what(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    since = datetime(2026, 11, 22, tzinfo=UTC)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET parent_id = %(parent)s, class = 'gate' WHERE id = %(id)s",
            {"parent": world.west_camera, "id": world.east_camera},
        )
        for camera, status, behind in (
            (world.west_camera, Status.DEGRADED, None),
            (world.east_camera, Status.OFFLINE, world.west_camera),
        ):
            told = Told(
                device_id=camera, status=status, since=since, detail="no answer", behind=behind
            )
            await change_status(tx, SYSTEM, told)
    await sign_in(client, "root-admin")

    query = "status=offline&status=degraded&sort=status&count=true"
    page = (await client.get(f"/api/v1/devices?{query}")).json()

    assert page["total"] == 2
    assert [line["status"] for line in page["items"]] == ["offline", "degraded"]
    line = page["items"][0]
    assert line["layer"] == "network"
    assert line["faults"] == {"network": "no answer"}
    assert line["since"] == "2026-11-22T00:00:00Z"
    assert (line["behind_id"], line["behind_name"]) == (world.west_camera, "west-1")
    assert (line["class"], line["window_id"], line["is_flapping"]) == ("gate", None, False)
    device = (await client.get(f"/api/v1/devices/{world.east_camera}")).json()
    assert {key: device[key] for key in line} == line
    query = f"behind={world.west_camera}&class=gate&kind=camera&flapping=false"
    found = (await client.get(f"/api/v1/devices?{query}")).json()
    assert [line["name"] for line in found["items"]] == ["east-1"]
    assert found["total"] is None


@pytest.mark.threat("T11")
async def test_a_query_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    for query in (
        "stauts=offline", "sort=name;drop", "sort=d.name", "order=name", "status=broken",
        "layer=x", "kind=camera'", "behind=0", "behind=x", "cursor=x", "flapping=perhaps",
        "limit=0", "class=%00", "q=%00", "status=offline&statuses=offline",
    ):  # fmt: skip
        answer = await client.get(f"/api/v1/devices?{query}")
        assert answer.status_code == 422, query
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.threat("T8")
async def test_an_unknown_parameter_is_named_only_when_it_is_harmless(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    errors = (await client.get("/api/v1/devices?stauts=secret&%3Cimg%3E=1")).json()["errors"]
    assert [error["loc"] for error in errors] == [["query", "stauts"], ["query", "?"]]
    assert "secret" not in str(errors)


@pytest.mark.threat("T1")
async def test_a_parent_of_another_area_cannot_be_asked_for(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "east-viewer")
    for name in ("behind", "parent"):
        answer = await client.get("/api/v1/devices", params={name: world.west_camera})
        assert answer.status_code == 404
        answer = await client.get("/api/v1/devices", params={name: world.east_camera})
        assert answer.json()["items"] == []


async def test_latency_is_told_by_the_hour(
    client: httpx.AsyncClient, world: World, database: Database, outside: Field
) -> None:
    hour = outside.now.replace(minute=0) - timedelta(hours=2)
    async with database.transaction() as tx:
        rows = [
            ProbeHour(
                hour=hour - timedelta(days=back), device_id=world.east_camera, probes=10,
                lost=4, latency_ms=60.0, slowest_ms=25.0,
            )
            for back in (0, 1, 30)
        ]  # fmt: skip
        await add_hours(tx, SYSTEM, rows)
    await sign_in(client, "east-viewer")
    path = f"/api/v1/devices/{world.east_camera}/latency"

    week = (await client.get(path)).json()["items"]

    assert [line["hour"] for line in week] == ["2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"]
    assert {key: week[0][key] for key in week[0] if key != "hour"} == {
        "probes": 10, "lost_share": 0.4, "mean_ms": 10.0, "slowest_ms": 25.0,
    }  # fmt: skip
    since = (outside.now - timedelta(days=400)).isoformat()
    assert len((await client.get(path, params={"since": since})).json()["items"]) == 3


async def test_firmware_is_counted_by_model(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    lines = (await client.get("/api/v1/devices/firmware")).json()["items"]
    assert lines == [{"manufacturer": "", "model": "", "firmware": "", "count": 2}]


async def test_an_area_and_its_children_are_summed_up(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    await fill_west(database, world, tmp_path)
    await sign_in(client, "root-admin")

    found = (await client.get(f"/api/v1/areas/{world.town}/summary")).json()
    tops = (await client.get("/api/v1/areas/summary")).json()

    assert [child["area"]["name"] for child in found["children"]] == ["East", "West"]
    assert found["children"][0]["online_now"] == 0.0
    assert found["children"][0]["by_status"] == {"unknown": 1}
    assert found["area"]["by_status"] == {"unknown": 1, "offline": 1}
    assert found["area"]["first_faults"] == {"network": 1}
    assert found["area"]["open_alerts"] == 1
    assert found["area"]["longest_outage"]["device_name"] == "west-1"
    assert tops["area"] is None
    assert tops["children"] == [found["area"]]


async def test_the_live_stream_shows_the_lines_of_the_list(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "root-admin")
    listed = (await client.get("/api/v1/devices")).json()["items"]
    async with database.transaction() as tx:
        rows = await load_devices(tx, SYSTEM, [world.east_camera, world.west_camera])
    assert [path for path, _ in rows] == ["town.east", "town.west"]
    assert [json.loads(line.model_dump_json()) for _, line in rows] == listed
    assert "class" in listed[0]
