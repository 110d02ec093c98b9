"""The live stream over a real server: whose rows it shows, and when it ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hub.domain.access import Role
from hub.domain.health import Status
from hub.domain.secrets import Secret
from hub.runtime.live import LiveFeed
from hub.store import devices, status, users
from hub.store.database import Database
from hub.store.notices import notify
from hub.web.app import create_app
from tests.statuses import Told, change_status
from tests.web.stage import SYSTEM, Field, World, serve, sign_in

DEADLINE_S = 10.0


@pytest.fixture
async def address(database: Database, outside: Field, tmp_path: Path) -> AsyncIterator[str]:
    feed = LiveFeed(database)
    listening = asyncio.create_task(feed.run())
    async with serve(create_app(outside.services(database, tmp_path, feed))) as address:
        yield address
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


class Stream:
    """Reads server-sent events as a browser does."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self, *, but: tuple[str, ...] = ("beat", "resync")) -> tuple[str, object]:
        """The next event that is none of ``but``."""
        name = ""
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: ") and name not in but:
                    return name, json.loads(line[6:])
        return "closed", None


@asynccontextmanager
async def watch(client: httpx.AsyncClient) -> AsyncIterator[Stream]:
    async with client.stream("GET", "/api/v1/live") as response:
        assert response.status_code == 200
        stream = Stream(response)
        await stream.next(but=())
        yield stream


async def set_status(database: Database, device_id: int, to: Status) -> None:
    async with database.transaction() as tx:
        before = (await status.all_statuses(tx, SYSTEM))[0]
        row = Told(device_id=device_id, status=to, since=before.since)
        assert await change_status(tx, SYSTEM, row)
        await notify(tx, SYSTEM, "devices", [device_id])


@pytest.mark.threat("T1")
async def test_a_change_reaches_only_those_who_may_see_it(
    address: str, world: World, database: Database
) -> None:
    async with httpx.AsyncClient(timeout=30, base_url=address) as client:
        await sign_in(client, "east-viewer")
        async with watch(client) as stream:
            await set_status(database, world.west_camera, Status.OFFLINE)
            await set_status(database, world.east_camera, Status.ONLINE)
            name, data = await stream.next()
            assert name == "devices"
            assert isinstance(data, dict)
            assert [(i["id"], i["status"]) for i in data["items"]] == [
                (world.east_camera, "online")
            ]


@pytest.mark.threat("T17")
@pytest.mark.parametrize("deed", ["logout", "disable", "password", "grants"])
async def test_a_stream_ends_with_its_session(
    address: str, world: World, database: Database, deed: str
) -> None:
    async with httpx.AsyncClient(timeout=30, base_url=address) as client:
        await sign_in(client, "east-viewer")
        async with watch(client) as stream:
            if deed == "logout":
                assert (await client.post("/api/v1/session/logout")).status_code == 204
            else:
                await end_otherwise(database, world, deed)
            if deed == "grants":
                assert (await stream.next(but=("beat",)))[0] == "resync"
                await set_status(database, world.east_camera, Status.ONLINE)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await stream.next()
            else:
                assert (await stream.next())[0] == "ended"
                assert (await stream.next())[0] == "closed"


async def end_otherwise(database: Database, world: World, deed: str) -> None:
    async with database.transaction() as tx:
        user = await users.find_user(tx, SYSTEM, "east-viewer")
        if deed == "disable":
            await users.change_user(tx, SYSTEM, user.id, display_name="", is_disabled=True)
        elif deed == "password":
            await users.change_password(tx, SYSTEM, user.id, Secret("Another-Horse-8"))
        else:
            await users.remove_grant(tx, SYSTEM, user.id, role=Role.VIEWER, area_id=world.east)


async def test_a_moved_device_makes_consoles_read_again(
    address: str, world: World, database: Database
) -> None:
    async with (
        httpx.AsyncClient(timeout=30, base_url=address) as viewer,
        httpx.AsyncClient(timeout=30, base_url=address) as admin,
    ):
        await sign_in(viewer, "east-viewer")
        await sign_in(admin, "root-admin")
        async with watch(viewer) as stream:
            path = f"/api/v1/devices/{world.east_camera}"
            answer = await admin.patch(path, json={"area_id": world.west})
            assert answer.status_code == 200
            assert (await stream.next(but=("beat",)))[0] == "resync"
        assert (await viewer.get(path)).status_code == 404
    async with database.transaction() as tx:
        assert (await devices.get_device(tx, SYSTEM, world.east_camera)).area_id == world.west


async def test_streams_of_one_user_are_bounded(address: str, world: World) -> None:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=30, base_url=address, limits=limits) as client:
        await sign_in(client, "east-viewer")
        opened = []
        codes = []
        streams = []  # kept: a reader that is thrown away closes its stream
        for _ in range(22):
            request = client.build_request("GET", "/api/v1/live")
            response = await client.send(request, stream=True)
            opened.append(response)
            codes.append(response.status_code)
            if response.is_success:
                streams.append(Stream(response))
                await streams[-1].next(but=())
        assert codes == [200] * 20 + [429] * 2
        for response in opened:
            await response.aclose()
