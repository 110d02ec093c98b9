"""What every answer has, whatever was asked: headers, forms of errors, nothing echoed."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.addresses import parse_networks
from hub.domain.errors import StoreUnavailable
from hub.runtime.live import LiveFeed
from hub.store import audit
from hub.store.database import Database
from hub.web.app import create_app
from hub.web.services import WebSettings
from tests.web.history import fill_west
from tests.web.stage import JPEG, SYSTEM, Field, World, open_client, sign_in

MARK = "zzmarkzz"


@pytest.mark.threat("T8")
@pytest.mark.parametrize(
    "path",
    [
        f"/{MARK}<script>",
        f"/api/v1/{MARK}?q={MARK}",
        f"/api/v1/devices/{MARK}",
        f"/assets/{MARK}.js",
        f"/api/v1/devices?limit={MARK}&cursor={MARK}",
        f"/api/v1/devices?cursor={MARK}",
    ],
)
async def test_errors_are_json_and_do_not_echo(
    client: httpx.AsyncClient, world: World, path: str
) -> None:
    await sign_in(client, "east-viewer")
    answer = await client.get(path)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert MARK not in answer.text
    assert answer.json()["status"] == answer.status_code


@pytest.mark.threat("T31")
async def test_a_refused_body_is_not_repeated(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    body = {
        "protocol": "onvif", "name": MARK, "address": f"ftp://u:{MARK}@cam.test/",
        "area_id": world.east, "password": MARK, f"{MARK}<b>": 1,
    }  # fmt: skip
    answer = await client.post("/api/v1/connections", json=body)
    assert answer.status_code == 422
    assert MARK not in answer.text
    del body[f"{MARK}<b>"]
    answer = await client.post("/api/v1/connections", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "address"]
    assert MARK not in answer.text
    broken = await client.post(
        "/api/v1/connections", content=f'{{"{MARK}', headers={"Content-Type": "application/json"}
    )
    assert broken.status_code == 422
    assert MARK not in broken.text


@pytest.mark.threat("T13")
@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "exec:/bin/sh",
        "concat:a|b",
        "-i rtsp://cam.test/",
        "rtsp://cam.test/\n-f",
        "http://cam.test/ x",
        "rtsp://cam.test/",  # not ONVIF's
    ],
)
async def test_addresses_of_other_forms_are_refused(
    client: httpx.AsyncClient, world: World, address: str
) -> None:
    await sign_in(client, "root-admin")
    body = {"protocol": "onvif", "name": "x", "address": address, "area_id": world.east}
    answer = await client.post("/api/v1/connections", json=body)
    assert answer.status_code == 422
    path = f"/api/v1/connections/{world.west_connection}"
    assert (await client.patch(path, json={"address": address})).status_code == 422


@pytest.mark.threat("T20")
async def test_every_answer_forbids_frames_sniffing_and_foreign_code(
    client: httpx.AsyncClient, world: World
) -> None:
    for path in ("/", "/phone/static/task.js", "/healthz", "/api/v1/devices", "/nowhere"):
        headers = (await client.get(path, headers={"Origin": "http://evil.test"})).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    preflight = {"Origin": "http://evil.test", "Access-Control-Request-Method": "POST"}
    answer = await client.options("/api/v1/session/login", headers=preflight)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.threat("T20")
async def test_a_report_may_run_nothing(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    await sign_in(client, "root-admin")
    answer = await client.get(f"/api/v1/patrol-rounds/{history.walk}/report")
    assert answer.text.startswith("<!doctype html>")
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy


@pytest.mark.threat("T6")
@pytest.mark.parametrize("number", ["..", "%2e%2e", "1%2f..%2f2", "1%00", "-1", "0", "9" * 30])
async def test_files_are_named_by_numbers_only(
    client: httpx.AsyncClient, world: World, number: str
) -> None:
    await sign_in(client, "root-admin")
    for path in (f"/api/v1/patrol-rounds/{number}/report", f"/api/v1/devices/{number}/snapshot"):
        assert (await client.get(path)).status_code in {404, 422}


@pytest.mark.threat("T11")
@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "__", "\\", "a'b", '"; DROP TABLE devices'])
async def test_a_search_is_only_a_text(client: httpx.AsyncClient, world: World, text: str) -> None:
    await sign_in(client, "east-admin")
    path = f"/api/v1/devices/{world.east_camera}"
    assert (await client.get("/api/v1/devices", params={"q": text})).json()["items"] == []
    assert (await client.patch(path, json={"name": f"x {text} y"})).status_code == 200
    found = (await client.get("/api/v1/devices", params={"q": text})).json()["items"]
    assert [item["name"] for item in found] == [f"x {text} y"]


@pytest.mark.threat("T11")
@pytest.mark.parametrize(
    "query",
    [
        {"status": "online' OR '1'='1"},
        {"limit": "1; DELETE FROM devices"},
        {"area": "1 OR 1=1"},
        {"registration": "x"},
        {"limit": 0},
        {"limit": 501},
        {"q": "\x00"},
        {"cursor": "e30"},
        {"cursor": "WyJhIl0"},
    ],
)
async def test_filters_are_enums_and_numbers(
    client: httpx.AsyncClient, world: World, query: dict[str, str | int]
) -> None:
    await sign_in(client, "east-viewer")
    assert (await client.get("/api/v1/devices", params=query)).status_code == 422


@pytest.mark.threat("T26")
async def test_a_thousand_ranges_cost_nothing(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    await sign_in(client, "root-admin")
    ranges = {"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(3000))}
    for path, whole in (
        (f"/api/v1/patrol-rounds/{history.walk}/stops/1/picture", JPEG),
        (f"/api/v1/alerts/{history.alert}/picture", JPEG),
        ("/phone/static/task.js", None),
    ):
        spent = []
        for _ in range(3):
            began = time.process_time()
            answer = await client.get(path, headers=ranges)
            spent.append(time.process_time() - began)
        # The first answer also makes what is made once.
        assert min(spent) < 0.1
        assert answer.status_code < 500
        assert whole is None or answer.content == whole


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_has_a_size(
    client: httpx.AsyncClient, world: World, *, is_announced: bool
) -> None:
    body = b'{"name": "x", "password": "' + b"y" * (2 << 20) + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    answer = await client.post(
        "/api/v1/session/login",
        content=body if is_announced else chunks(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.threat("T8")
async def test_a_defect_says_nothing_of_itself(
    client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    outside.ready = None  # type: ignore[assignment]  # the defect: readiness that is no mapping
    answer = await client.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "NoneType" not in answer.text


async def test_readiness_names_what_is_away_and_says_no_more(
    client: httpx.AsyncClient, outside: Field
) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    outside.ready["broker"] = "mqtt://10.0.0.1 does not answer"
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"database": True, "broker": False}
    assert "10.0.0.1" not in answer.text


@pytest.mark.threat("T29")
async def test_figures_are_for_this_machine_or_a_wide_token(
    app: FastAPI, client: httpx.AsyncClient, world: World
) -> None:
    async with open_client(app, "127.0.0.1") as near:
        assert (await near.get("/metrics")).status_code == 200
        relayed = {"X-Forwarded-For": "127.0.0.1"}
        assert (await near.get("/metrics", headers=relayed)).status_code == 401
    await sign_in(client, "east-admin")
    assert (await client.get("/metrics")).status_code == 403
    await sign_in(client, "root-admin")
    assert (await client.get("/metrics")).status_code == 200


@pytest.fixture
async def behind_proxy(
    database: Database, outside: Field, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """The same application behind a TLS proxy at 127.0.0.1."""
    settings = WebSettings(
        data_dir=tmp_path,
        public_origin="https://hub.example",
        trusted_proxies=parse_networks(["127.0.0.1/32"]),
        has_secure_cookies=True,
    )
    services = outside.services(database, tmp_path, LiveFeed(database), settings)
    async with open_client(create_app(services), "127.0.0.1") as opened:
        opened.base_url = httpx.URL("https://hub.example")
        yield opened


@pytest.mark.threat("T29")
async def test_a_trusted_proxy_speaks_for_its_clients(
    behind_proxy: httpx.AsyncClient, world: World, database: Database
) -> None:
    behind_proxy.headers["X-Forwarded-For"] = "203.0.113.9, 198.51.100.4"
    behind_proxy.headers["Origin"] = "https://hub.example"
    await sign_in(behind_proxy, "east-viewer")
    cookie = next(iter(behind_proxy.cookies.jar))
    assert cookie.name == "__Host-gengfu"
    assert cookie.secure
    async with database.transaction() as tx:
        lines = (await audit.list_entries(tx, SYSTEM)).items
    begun = next(line for line in lines if line.action == "session.begun")
    assert begun.source == "198.51.100.4"  # the nearest hop the proxy itself saw


async def test_a_database_that_is_away_is_a_503(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "east-viewer")
    await database.pool.close()
    answer = await client.get("/api/v1/devices")
    assert answer.status_code == 503
    assert StoreUnavailable.__name__ not in answer.text
