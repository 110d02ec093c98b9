"""The application on a real database, a client for it, and two areas with people."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.web.app import create_app
from streams.photos import PhotoCleaner
from tests.web.phone_scene import Scene, lay_scene
from tests.web.stage import Field, World, build_world, open_client


@pytest.fixture
def outside() -> Field:
    return Field()


@pytest.fixture
async def world(database: Database) -> World:
    return await build_world(database)


@pytest.fixture
async def app(database: Database, outside: Field, tmp_path: Path) -> AsyncIterator[FastAPI]:
    cleaner = PhotoCleaner()  # its process starts with the first photo
    services = outside.services(database, tmp_path, LiveFeed(database))
    yield create_app(replace(services, clean_photo=cleaner))
    await cleaner.close()


@pytest.fixture
async def scene(database: Database, world: World, outside: Field) -> Scene:
    return await lay_scene(database, world, outside.now)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(app) as opened:
        yield opened
