"""A real server, a real browser (Debian's Chromium), and a village to look at."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page

from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.web.app import create_app
from tests.browser.cable import Cable
from tests.chromium import find_chromium, open_chromium
from tests.conftest import missing
from tests.web.stage import Field, World, build_world, serve


@pytest.fixture
async def world(database: Database) -> World:
    return await build_world(database)


@pytest.fixture
def outside() -> Field:
    return Field(now=datetime.now(UTC))


@pytest.fixture
async def address(database: Database, outside: Field, tmp_path: Path) -> AsyncIterator[str]:
    feed = LiveFeed(database)
    listening = asyncio.create_task(feed.run())
    async with serve(create_app(outside.services(database, tmp_path, feed))) as address:
        yield address
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A Chinese-speaking browser on a duty room's screen; any script error fails the test."""
    if find_chromium() is None:
        missing("no Chromium: apt-get install chromium")
    async with open_chromium() as browser:
        context = await browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: errors.append(said.text) if "Content Security" in said.text else None,
        )
        yield page
    assert errors == []


@pytest.fixture
async def cable(address: str) -> AsyncIterator[Cable]:
    """The same server behind a cable that can be cut."""
    laid = await Cable.lay(address)
    yield laid
    await laid.cut()
