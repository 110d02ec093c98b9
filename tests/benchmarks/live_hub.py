"""The real application with its relay, in a process of its own, and viewers at its WebSockets."""

import asyncio
import base64
import json
import os
import socket
import struct
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, cast

import httpx
import uvicorn
import uvloop

from hub.domain.access import Role
from hub.domain.live_video import LiveLimits
from hub.main.surroundings import utc_now
from hub.main.web_sockets import MOST_SAID_BYTES, MOST_UNSENT_BYTES, WebSocketProtocol
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.store.vault import Vault
from hub.web.app import create_app, end_streams
from streams.live.relay import Relay
from tests.benchmarks.camera_farm import LOOPBACK, raise_file_limit
from tests.benchmarks.live_farm import MARK
from tests.benchmarks.measured_hub import fresh_database
from tests.benchmarks.other_process import DATABASE_URL, OtherProcess, last
from tests.web.stage import PASSWORD, Field, add_person

DATABASE = "bench_live"
USER = "watcher"
PLAY: Final = json.dumps({"play": ['video/mp4; codecs="avc1.640028"']}).encode()
_CAMERAS = """
INSERT INTO areas (code, name, path) VALUES ('live', 'Live', 'live');
INSERT INTO connections (protocol, name, address, area_id, state)
SELECT 'rtsp', 'camera ' || n, address, (SELECT id FROM areas), 'connected'
FROM unnest(%(addresses)s::text[]) WITH ORDINALITY AS c (address, n) ORDER BY n;
"""
_DEVICES = """
INSERT INTO devices (connection_id, key, area_id, kind, name, registration)
SELECT id, 'device', area_id, 'camera', name, 'approved' FROM connections ORDER BY id;
INSERT INTO channels (device_id, key, streams)
SELECT d.id, 'ch1', jsonb_build_array(jsonb_build_object(
  'role', 'main', 'address', c.address, 'codec', 'h264', 'width', 1280, 'height', 720,
  'frame_rate', 25))
FROM devices d JOIN connections c ON c.id = d.connection_id ORDER BY d.id;
"""


@asynccontextmanager
async def hub_of(addresses: list[str]) -> AsyncIterator["LiveHub"]:
    """The application with a camera at each address, and a session of somebody who may watch."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        async with database.transaction() as tx:
            area, cameras = _CAMERAS.split(";\n")[:2]
            await tx.connection.execute(area.encode())
            await tx.connection.execute(cameras.encode(), {"addresses": addresses})
            await tx.connection.execute(_DEVICES.encode())
            await add_person(tx, USER, Role.VIEWER, 1)
        await database.close()
        async with OtherProcess("tests.benchmarks.live_hub", database_url=url) as process:
            address = process.said
            async with httpx.AsyncClient(base_url=address, timeout=60) as client:
                body = {"name": USER, "password": PASSWORD}
                (await client.post("/api/v1/session/login", json=body)).raise_for_status()
                cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
            yield LiveHub(address=address, cookie=cookie, pid=process.pid, database_url=url)


OnFilm = Callable[[bytes], None]


@dataclass(slots=True, kw_only=True)
class Viewer(asyncio.Protocol):
    """The least a viewer can be: it counts what comes and answers pings."""

    hub: "LiveHub"
    device: int
    on_film: OnFilm | None = None
    began_at: float = field(default_factory=time.monotonic)
    first_at: float = 0.0
    films: int = 0
    said: list[dict[str, object]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    buffer: bytearray = field(default_factory=bytearray)
    is_open: bool = False
    has_init: bool = False
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        host = self.hub.address.removeprefix("http://")
        self.transport.write(
            f"GET /api/v1/devices/{self.device}/live HTTP/1.1\r\nHost: {host}\r\n"
            f"Origin: {self.hub.address}\r\nCookie: {self.hub.cookie}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer
        buffer += data
        if not self.is_open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            assert buffer.startswith(b"HTTP/1.1 101"), bytes(buffer[:40])
            del buffer[: end + 4]
            self.is_open = True
            self.write(1, PLAY)
        while (message := _take(buffer)) is not None:
            self._hear(*message)

    def _hear(self, opcode: int, data: bytes) -> None:
        if opcode == 1:
            said = json.loads(data)
            if said["type"] != "beat":
                self.said.append({**said, "heard_at": time.monotonic()})
                self.heard.set()
        elif opcode == 9:
            self.write(10, data)
        elif opcode == 2:
            if not self.has_init:
                self.has_init = True
                return
            self.films += data.count(MARK)  # pictures: several may come in one message
            if not self.first_at:
                self.first_at = time.monotonic()
                self.heard.set()
            if self.on_film is not None:
                self.on_film(data)

    def write(self, opcode: int, data: bytes) -> None:
        """Send a short message; the mask is all zeros."""
        assert self.transport is not None
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | len(data))
        self.transport.write(head + bytes(4) + data)

    async def until(self, state: str, *, after: float = 0.0) -> float:
        """Wait for a state, and return when it was heard."""
        async with asyncio.timeout(30):
            while True:
                for said in self.said:
                    at = cast("float", said["heard_at"])
                    if said.get("state") == state and at >= after:
                        return at
                self.heard.clear()
                await self.heard.wait()

    async def begun(self) -> float:
        """Wait for the first picture, and return how long it took."""
        async with asyncio.timeout(30):
            while not self.first_at:
                self.heard.clear()
                await self.heard.wait()
        return self.first_at - self.began_at

    def leave(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self.transport.abort()


def _take(buffer: bytearray) -> tuple[int, bytes] | None:
    """Take one message off the buffer."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1] & 0x7F, 2
    if size == 126:
        size, start = int.from_bytes(buffer[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(buffer[2:10], "big"), 10
    if len(buffer) < start + size:
        return None
    message = buffer[0] & 0x0F, bytes(buffer[start : start + size])
    del buffer[: start + size]
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveHub:
    """A hub that runs; camera ``n`` of the farm is device ``n + 1``."""

    address: str
    cookie: str
    pid: int
    database_url: str

    async def watch(self, camera: int, on_film: OnFilm | None = None) -> Viewer:
        """Begin to watch a camera."""
        host, port = self.address.removeprefix("http://").rsplit(":", 1)
        _, viewer = await asyncio.get_running_loop().create_connection(
            lambda: Viewer(hub=self, device=camera + 1, on_film=on_film), host, int(port)
        )
        return viewer


async def _serve(url: str, folder: Path) -> None:
    database = await Database.open(url, vault=Vault.open(folder / "key"))
    feed = LiveFeed(database)
    listening = asyncio.create_task(feed.run())
    outside = Field()
    relay = Relay(policy=LOOPBACK, clock=utc_now, take_snapshot=outside.snapshot)
    app = create_app(
        replace(
            outside.services(database, folder, feed),
            clock=utc_now,
            relay=relay,
            live_limits=LiveLimits(per_user=5_000, in_all=5_000),
        )
    )
    taken = socket.socket()
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT_BYTES)
    taken.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws=WebSocketProtocol,
        ws_max_size=MOST_SAID_BYTES,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=20,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    await last(f"http://127.0.0.1:{taken.getsockname()[1]}")
    end_streams(app)
    server.should_exit = True
    await serving
    await relay.close()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await database.close()


if __name__ == "__main__":
    raise_file_limit()
    with tempfile.TemporaryDirectory() as data:
        uvloop.run(_serve(os.environ[DATABASE_URL], Path(data)))
