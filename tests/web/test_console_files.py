"""The console's page and files, as a hub serves them."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.web.console_files import DESKS, add_console

SCRIPT = b"export const watchman = 1;"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A hub with a console of two files, one of them compressed by its build."""
    (tmp_path / "index.html").write_text("<!doctype html><title>console</title>")
    (tmp_path / "secret.txt").write_text("not to be served")
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "index-1.js").write_bytes(SCRIPT)
    (assets / "index-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "plain-1.css").write_text("b{}")
    app = FastAPI(openapi_url=None)
    add_console(app, tmp_path)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://hub.test"
    ) as client:
        yield client


async def test_every_desk_is_the_one_page(client: httpx.AsyncClient) -> None:
    for path in ("/", *(f"/{desk}" for desk in DESKS), "/alerts/7", "/patrol/rounds/1/walk"):
        answer = await client.get(path)
        assert "<title>console" in answer.text, path
        assert "microphone=(self)" in answer.headers["permissions-policy"]
    assert (await client.get("/nowhere")).status_code == 404


async def test_what_was_compressed_is_sent_compressed_and_kept(client: httpx.AsyncClient) -> None:
    packed = await client.get("/assets/index-1.js")
    plain = await client.get("/assets/index-1.js", headers={"Accept-Encoding": "identity"})
    style = await client.get("/assets/plain-1.css")

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.content == SCRIPT
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["vary"] == "Accept-Encoding"
    assert style.headers["content-type"].startswith("text/css")


@pytest.mark.threat("T6")
@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/%2e%2e/app.py",
        "%2fetc%2fpasswd",
        "..%5c..%5capp.py",
        "index-1.js%00.css",
        "gone-2.js",
    ],
)
async def test_nothing_outside_the_folder_is_read(client: httpx.AsyncClient, name: str) -> None:
    request = client.build_request("GET", "/assets/x")
    request.url = request.url.copy_with(raw_path=b"/assets/" + name.encode())
    answer = await client.send(request)
    assert answer.status_code == 404
    assert b"not to be served" not in answer.content


async def test_a_checkout_that_was_not_built_says_how(tmp_path: Path) -> None:
    app = FastAPI(openapi_url=None)
    add_console(app, tmp_path / "nothing")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        assert "make console" in (await client.get("/alerts")).text
        assert (await client.get("/assets/index-1.js")).status_code == 404
