"""WebSockets in tests: a knock at a route, as the application sees it, and a viewer over TCP."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from fastapi import FastAPI
from starlette.types import Message
from websockets.asyncio.client import ClientConnection, connect

from hub.web.openapi import WEBSOCKET
from tests.web.stage import CLIENT

ACCEPTED = 101
PLAYS_H264 = 'video/mp4; codecs="avc1.640028"'
PLAYS_H265 = 'video/mp4; codecs="hvc1.1.6.L123.B0"'


async def call(
    app: FastAPI, client: httpx.AsyncClient, method: str, path: str, **given: Any
) -> httpx.Response:
    """Call a route, whether it is asked or opened; ``given`` is what httpx takes."""
    if method == WEBSOCKET:
        return await knock(app, client, path, given.get("headers", {}))
    return await client.request(method, path, **given)


async def knock(
    app: FastAPI, client: httpx.AsyncClient, path: str, headers: Mapping[str, str]
) -> httpx.Response:
    """Open a WebSocket with a client's cookies and more headers, and leave if one is let in.

    An accepted one is status 101, with what was said until then as its text.
    """
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    given = {"host": "hub.test", "origin": "http://hub.test"}
    given |= {name.lower(): value for name, value in client.headers.items()}
    if cookies:
        given["cookie"] = cookies
    given |= {name.lower(): value for name, value in headers.items()}
    heard: list[Message] = [{"type": "websocket.connect"}]
    said: list[Message] = []

    async def receive() -> Message:
        return heard.pop(0) if heard else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        said.append(message)

    path, _, query = path.partition("?")
    await app(
        {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "server": ("hub.test", 80),
            "client": CLIENT,
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in given.items()],
            "subprotocols": [],
            "state": {},
            "extensions": {"websocket.http.response": {}},
        },
        receive,
        send,
    )
    if said[0]["type"] == "websocket.accept":
        return httpx.Response(ACCEPTED, text="".join(one.get("text", "") for one in said))
    assert said[0]["type"] == "websocket.http.response.start", said
    return httpx.Response(
        said[0]["status"], headers=said[0]["headers"], content=said[1].get("body", b"")
    )


@dataclass(slots=True, kw_only=True)
class Watching:
    """One viewer: what was said to him, and what he was sent."""

    socket: ClientConnection
    said: list[dict[str, object]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    async def until(self, kind: str, **wanted: object) -> dict[str, object]:
        """Read on until something of this kind is said, with these fields."""
        async for message in self.socket:
            if isinstance(message, bytes):
                self.sent.append(message)
                continue
            said = json.loads(message)
            self.said.append(said)
            if said["type"] == kind and wanted.items() <= said.items():
                return dict(said)
        ended = f"closed with {self.socket.close_code} before {kind} {wanted}: {self.said[-3:]}"
        raise AssertionError(ended)

    async def film(self, messages: int = 1) -> bytes:
        """Read so many binary messages, and return them joined."""
        begin = len(self.sent)
        while len(self.sent) - begin < messages:
            message = await self.socket.recv()
            if isinstance(message, bytes):
                self.sent.append(message)
            else:
                self.said.append(json.loads(message))
        return b"".join(self.sent[begin:])

    async def say(self, **what: object) -> Self:
        """Say something to the hub."""
        await self.socket.send(json.dumps(what))
        return self


@asynccontextmanager
async def watch(
    client: httpx.AsyncClient, path: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Watching]:
    """Open a WebSocket at a server with a client's cookies."""
    base = str(client.base_url)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    given = {"Origin": base.rstrip("/"), "Cookie": cookies} if headers is None else headers
    address = base.replace("http", "ws", 1).rstrip("/") + path
    async with connect(
        address, additional_headers=given, compression=None, max_size=None, proxy=None
    ) as socket:
        yield Watching(socket=socket)
