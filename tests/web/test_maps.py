"""The map over the API: whose devices are on it, whose outlines are taken, what it is drawn on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.assets import AssetRecord
from hub.domain.health import Status
from hub.store import asset_records, audit
from hub.store.database import Database
from hub.web.map_tiles import MapOptions
from hub.web.services import WebServices
from tests.pmtiles_file import build_pmtiles
from tests.statuses import Told, change_status
from tests.unit.test_outline_files import SQUARE, feature, file_of
from tests.web.history import raise_alert
from tests.web.stage import SYSTEM, Field, World, sign_in

OUTLINES = "/api/v1/map/outlines"
GEOJSON = {"Content-Type": "application/geo+json"}


async def get(client: httpx.AsyncClient, path: str, **query: object) -> Any:
    answer = await client.get(f"/api/v1/map/{path}", params={k: str(v) for k, v in query.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def place_cameras(database: Database, world: World, outside: Field) -> None:
    """The eastern camera is offline with an alert, the western one online; both have a place."""
    async with database.transaction() as tx:
        for number, longitude in ((world.east_camera, 120.75), (world.west_camera, 120.25)):
            record = AssetRecord(longitude=longitude, latitude=30.5)
            await asset_records.put_record(tx, SYSTEM, number, record)
        for number, status in (
            (world.east_camera, Status.OFFLINE), (world.west_camera, Status.ONLINE),
        ):  # fmt: skip
            await change_status(
                tx, SYSTEM, Told(device_id=number, status=status, since=outside.now)
            )
        await raise_alert(tx, world.east, world.east_camera, "east")


@pytest.mark.threat("T1")
async def test_a_map_shows_the_devices_of_its_reader_alone(
    client: httpx.AsyncClient, world: World, database: Database, outside: Field
) -> None:
    await place_cameras(database, world, outside)
    await sign_in(client, "root-admin")
    every = await get(client, "points")
    assert sorted(every["ids"]) == [world.east_camera, world.west_camera]
    rows = dict(
        zip(every["ids"], zip(every["lon"], every["lat"], every["areas"], strict=True), strict=True)
    )
    assert rows[world.east_camera] == (120_750_000, 30_500_000, world.east)
    shown = {
        n: every["states"][state] for n, state in zip(every["ids"], every["state"], strict=True)
    }
    assert shown == {world.east_camera: "offline", world.west_camera: "online"}
    assert (await get(client, "points", status="offline"))["ids"] == [world.east_camera]
    assert (await get(client, "points", kind="sensor"))["ids"] == []
    assert (await get(client, "points", area=world.west))["ids"] == [world.west_camera]
    listed = await get(client, "devices")
    assert [one["id"] for one in listed["items"]] == [world.east_camera, world.west_camera]
    nearby = await get(client, "devices", west=120.2, south=30.4, east=120.3, north=30.6)
    assert [one["name"] for one in nearby["items"]] == ["west-1"]
    rates = {one["area_id"]: one for one in (await get(client, "rates"))["items"]}
    assert [rates[n]["online_now"] for n in (world.town, world.east, world.west)] == [0.5, 0, 1]

    # The very same questions a moment later by somebody who sees the east only.
    await sign_in(client, "east-viewer")
    assert (await get(client, "points"))["ids"] == [world.east_camera]
    assert (await get(client, "points", area=world.west))["ids"] == []
    assert (await get(client, "devices", west=120.2, east=120.3))["items"] == []
    assert [one["area_id"] for one in (await get(client, "rates"))["items"]] == [world.east]
    (alert,) = (await get(client, "alerts"))["items"]
    assert (alert["device_id"], alert["number"]) == (world.east_camera, 1)
    async with database.transaction() as tx:
        await asset_records.put_record(tx, SYSTEM, world.east_camera, AssetRecord())
    assert await get(client, "points", kind="camera") | {"at": ""} == {
        "at": "", "states": every["states"], "kinds": every["kinds"], "unplaced": 1,
        "ids": [], "lon": [], "lat": [], "state": [], "kind": [], "areas": [],
    }  # fmt: skip


@pytest.mark.threat("T12")
async def test_outlines_are_stored_whole_or_not_at_all(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "east-admin")

    async def put(*features: object, **query: str) -> httpx.Response:
        return await client.put(OUTLINES, content=file_of(*features), headers=GEOJSON, params=query)

    open_ring = {"type": "Polygon", "coordinates": [SQUARE[:-1]]}
    refused = await put(
        feature("east"), feature("west"), feature("<img src=x>"), feature("e", open_ring)
    )
    assert refused.status_code == 422
    assert [(one["loc"][-1], one["type"]) for one in refused.json()["errors"]] == [
        (1, "no-area"), (2, "no-area"), (3, "ring-open"),
    ]  # fmt: skip
    assert "img" not in refused.text
    assert "west" not in refused.text
    tried = await put(feature("east"), dry_run="true")
    assert tried.json() == {"areas": [world.east], "corners": 5, "dry_run": True}
    assert (await get(client, "outlines"))["items"] == []

    stored = await put(feature(None, adcode="east"), property="adcode")
    assert stored.status_code == 200, stored.text
    (east,) = (await get(client, "outlines"))["items"]
    assert (east["code"], east["box"], east["depth"]) == ("east", [120, 30, 121, 31], 2)
    assert east["coordinates"] == [[SQUARE]]
    await sign_in(client, "root-admin")
    assert (await put(feature("west"))).status_code == 200
    assert {one["code"] for one in (await get(client, "outlines"))["items"]} == {"east", "west"}
    only = await get(client, "outlines", area=world.west, detail="full")
    assert [one["name"] for one in only["items"]] == ["West"]

    await sign_in(client, "east-admin")
    assert [one["code"] for one in (await get(client, "outlines"))["items"]] == ["east"]
    assert (await client.delete(f"{OUTLINES}/{world.west}")).status_code == 404
    assert (await client.delete(f"{OUTLINES}/{world.east}")).status_code == 204
    async with database.transaction() as tx:
        deeds = (await audit.list_entries(tx, SYSTEM)).items
    assert [(deed.action, deed.object_id) for deed in deeds if "outline" in deed.action] == [
        ("area.outline_removed", str(world.east)),
        ("area.outline_changed", str(world.west)),
        ("area.outline_changed", str(world.east)),
    ]
    wrong_type = await client.put(OUTLINES, content=b"{}", headers={"Content-Type": "text/csv"})
    assert wrong_type.status_code == 415


@pytest.mark.threat("T6")
async def test_tiles_come_from_one_file_in_pieces(
    app: FastAPI, client: httpx.AsyncClient, world: World, tmp_path: Path
) -> None:
    tiles = "/api/v1/map/tiles.pmtiles"
    await sign_in(client, "east-viewer")
    assert await get(client, "options") == {"tiles": None, "attribution": "", "trouble": ""}
    assert (await client.get(tiles)).status_code == 404
    path = tmp_path / "county.pmtiles"
    services: WebServices = app.state.services
    options = MapOptions(tiles=path, attribution="© somebody")
    app.state.services = replace(services, settings=replace(services.settings, map=options))
    path.write_bytes(build_pmtiles()[:-3])
    assert (await get(client, "options"))["trouble"] == "county.pmtiles is cut short: copy it again"
    assert (await client.get(tiles, headers={"Range": "bytes=0-99"})).status_code == 404
    path.write_bytes(build_pmtiles())
    said = await get(client, "options")
    assert said["tiles"]["format"] == "png"
    piece = await client.get(tiles, headers={"Range": "bytes=0-6"})
    assert (piece.status_code, piece.content) == (206, b"PMTiles")
    assert piece.headers["content-range"] == f"bytes 0-6/{len(build_pmtiles())}"
    assert piece.headers["etag"] == said["tiles"]["etag"]
    many = ",".join(f"{n}-{n}" for n in range(2_000))
    assert (await client.get(tiles, headers={"Range": f"bytes={many}"})).status_code == 416
    assert json.loads((await client.get(tiles)).text)["status"] == 416
    assert world.town
