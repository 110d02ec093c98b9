"""Inventory files over the API: whose rows are taken, what is refused, what comes out."""

import io
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from hub.maintenance.sheet_reader import read_sheet
from hub.runtime.sheets import SheetKind, write_sheet
from hub.store import areas, connections
from hub.store.database import Database
from hub.web.app import MAX_BODY_BYTES
from tests.web.stage import SYSTEM, World, sign_in

DEVICES, AREAS = "/api/v1/inventory/devices", "/api/v1/inventory/areas"
HEADER = ("name", "protocol", "address", "area", "username", "password", "direction")


def file_of(*rows: tuple[str, ...], kind: SheetKind = SheetKind.CSV) -> bytes:
    file = io.BytesIO()
    write_sheet(file, kind, HEADER, rows)
    return file.getvalue()


def camera(number: int, area: str, **cells: str) -> tuple[str, ...]:
    given = {
        "name": f"cam {number}", "protocol": "rtsp", "address": f"rtsp://10.1.0.{number}/",
        "area": area, "username": "admin", "password": "Camera-Secret-17", **cells,
    }  # fmt: skip
    return tuple(given.get(name, "") for name in HEADER)


async def send(
    client: httpx.AsyncClient,
    path: str,
    content: bytes,
    *,
    kind: SheetKind = SheetKind.CSV,
    query: Mapping[str, str] | None = None,
) -> httpx.Response:
    return await client.post(
        path, content=content, headers={"Content-Type": kind.media_type}, params=query
    )


def lines(answer: httpx.Response, kind: SheetKind = SheetKind.CSV) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(kind.media_type)
    assert answer.headers["content-disposition"].endswith(f'.{kind}"')
    first, *rest = list(read_sheet(io.BytesIO(answer.content), kind))
    return [dict(zip(first.cells, row.cells, strict=True)) for row in rest]


@pytest.mark.threat("T31")
@pytest.mark.parametrize("kind", list(SheetKind))
async def test_an_administrator_imports_and_exports(
    client: httpx.AsyncClient, world: World, database: Database, kind: SheetKind
) -> None:
    await sign_in(client, "root-admin")
    content = file_of(camera(1, "east", direction="北"), camera(2, "nowhere"), kind=kind)
    tried: Any = (await send(client, DEVICES, content, kind=kind, query={"dry_run": "true"})).json()
    assert (tried["new"], tried["dry_run"]) == (1, True)
    async with database.transaction() as tx:
        assert len(await connections.list_connections(tx, SYSTEM)) == 2
    answer = await send(client, DEVICES, content, kind=kind)
    assert answer.status_code == 200
    said: Any = answer.json()
    wanted = {"rows": 2, "new": 1, "changed": 0, "unchanged": 0, "refused_rows": 1}
    assert {name: said[name] for name in wanted} == wanted
    (bad,) = said["refused"]
    assert (bad["line"], bad["column"]) == (3, "area")
    assert "Camera-Secret-17" not in answer.text

    out = await client.get(DEVICES, params={"format": kind.value})
    found = {line["name"]: line for line in lines(out, kind)}
    assert sorted(found) == ["cam 1", "east-1", "west-1"]
    assert (found["cam 1"]["direction"], found["cam 1"]["status"]) == ("north", "unknown")
    assert b"Camera-Secret-17" not in out.content
    again: Any = (await send(client, DEVICES, out.content, kind=kind)).json()
    assert (again["unchanged"], again["refused"]) == (3, [])


@pytest.mark.threat("T1")
@pytest.mark.threat("T12")
async def test_nobody_imports_into_or_exports_from_another_area(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "east-admin")
    content = file_of(
        camera(1, "west"),
        camera(2, "east", protocol="onvif", address="http://west-1.test/onvif/device_service"),
        camera(3, "east"),
    )
    answer: Any = (await send(client, DEVICES, content)).json()
    assert answer["new"] == 1
    assert [(bad["line"], bad["column"]) for bad in answer["refused"]] == [
        (2, "area"), (3, "address"),
    ]  # fmt: skip
    assert "west" not in str(answer)
    exported = await client.get(DEVICES)
    assert "west" not in exported.text.lower()
    assert sorted(line["name"] for line in lines(exported)) == ["cam 3", "east-1"]
    assert [line["code"] for line in lines(await client.get(AREAS))] == ["east"]
    tree = b"code,name,parent\nhut,Hut,west\nshed,Shed,east\n"
    answer = (await send(client, AREAS, tree)).json()
    assert (answer["new"], [bad["line"] for bad in answer["refused"]]) == (1, [2])
    async with database.transaction() as tx:
        codes = {area.code for area in await areas.list_areas(tx, SYSTEM)}
    assert codes == {"town", "east", "west", "shed"}


@pytest.mark.threat("T2")
@pytest.mark.parametrize("name", ["east-viewer", "east-operator"])
async def test_who_does_not_administer_imports_nothing(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    await sign_in(client, name)
    for path, content in ((DEVICES, file_of(camera(1, "east"))), (AREAS, b"code,name\na,A\n")):
        assert (await send(client, path, content)).status_code == 403
    assert (await client.get(DEVICES)).status_code == 403
    assert (await client.get(AREAS)).status_code == 200


async def test_a_file_that_cannot_be_read_is_said_and_repeats_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    answer = await send(client, DEVICES, b"colour,size\nred,3\n")
    assert answer.status_code == 422
    problem: Any = answer.json()
    assert problem["detail"].startswith("the file lacks name, protocol, address, area")
    answer = await send(client, DEVICES, b"PK nonsense", kind=SheetKind.XLSX)
    assert answer.status_code == 422
    assert "no XLSX workbook" in answer.json()["detail"]
    for media_type in ("application/json", "multipart/form-data; boundary=x", ""):
        answer = await client.post(DEVICES, content=b"{}", headers={"Content-Type": media_type})
        assert answer.status_code == 415, media_type
    utf16 = file_of(camera(1, "east")).decode("utf-8-sig").encode("utf-16")
    answer = await send(client, DEVICES, utf16)
    assert "CSV UTF-8" in answer.json()["detail"]


@pytest.mark.threat("T30")
async def test_files_may_be_larger_than_other_bodies_and_only_there(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    rows = [camera(n % 250, "east", name="x" * 100, address="exec:x") for n in range(9000)]
    content = file_of(*rows)
    assert len(content) > MAX_BODY_BYTES
    answer = await send(client, DEVICES, content, query={"dry_run": "true"})
    assert answer.status_code == 200
    said: Any = answer.json()
    assert (said["refused_rows"], len(said["refused"])) == (9000, 9000)
    assert (await send(client, "/api/v1/areas", content)).status_code == 413
    huge = {"Content-Type": "text/csv", "Content-Length": str(1 << 40)}
    assert (await client.post(DEVICES, content=b"x", headers=huge)).status_code == 413


async def test_a_chinese_file_gets_chinese_answers(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    text = "名称,接入协议,接入地址,所属区划,方位\n东门,rtsp,rtsp://10.1.0.1/,east,上\n"
    answer: Any = (await send(client, DEVICES, text.encode("gb18030"))).json()
    assert answer["encoding"] == "gb18030"
    assert [(bad["line"], bad["column"]) for bad in answer["refused"]] == [(2, "方位")]
    out = await client.get(DEVICES, params={"chinese": "true"})
    assert {line["名称"] for line in lines(out)} == {"east-1", "west-1"}


async def test_a_record_is_shown_and_replaced(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    path = f"/api/v1/devices/{world.east_camera}/record"
    assert (await client.get(path)).json()["room"] is None
    body = {"room": "indoor", "longitude": 120.5, "latitude": 30.7, "installed_on": "2024-05-17"}
    answer = await client.put(path, json=body)
    assert answer.status_code == 200
    shown: Any = (await client.get(path)).json()
    assert shown == answer.json()
    assert {name: shown[name] for name in body} == body
    for wrong, field in (
        ({"longitude": 1}, "latitude"),
        ({"latitude": 91, "longitude": 1}, "latitude"),
        ({"room": "cellar"}, "room"),
        ({"mac": "nonsense"}, "mac"),
        ({"colour": "red"}, "colour"),
    ):
        answer = await client.put(path, json=wrong)
        assert answer.status_code == 422
        assert field in answer.text
    assert (await client.get(path)).json() == shown
