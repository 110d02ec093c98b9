"""The application on a real database, a client for it, and two areas with people."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.web.app import create_app
from tests.web.stage import Field, World, build_world, open_client


@pytest.fixture
def outside() -> Field:
    return Field()


@pytest.fixture
async def world(database: Database) -> World:
    return await build_world(database)


@pytest.fixture
async def app(database: Database, outside: Field, tmp_path: Path) -> FastAPI:
    return create_app(outside.services(database, tmp_path, LiveFeed(database)))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(app) as opened:
        yield opened
