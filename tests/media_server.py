"""A stand-in for MediaMTX: it speaks what its documentation says of the API, WHEP and HLS.

It is no MediaMTX: it moves no video. It holds what the hub asks of it to the documented form.
"""

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

USER, PASSWORD = "gengfu", 'mit {Klammern}: und "Zeichen"'
ANSWER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
# Which settings of a path there are (as far as they are used), and what each must be.
KNOWN = {
    "source": str,
    "sourceOnDemand": bool,
    "sourceOnDemandStartTimeout": str,
    "sourceOnDemandCloseAfter": str,
    "rtspTransport": str,
    "maxReaders": int,
    "record": bool,
}
_NAME = re.compile(r"[0-9a-zA-Z_\-/.~]+\Z")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True, kw_only=True)
class StandIn:
    """What it was asked, and how it stands."""

    address: str = ""
    paths: dict[str, dict[str, object]] = field(default_factory=dict)
    readers: dict[str, int] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_broken: bool = False

    async def add(self, request: web.Request) -> web.StreamResponse:
        """Add the settings of a path."""
        name, body = request.match_info["name"], await request.json()
        if name in self.paths or not _NAME.match(name):
            return web.json_response({"error": "path already exists"}, status=400)
        for key, value in body.items():
            if type(value) is not KNOWN.get(key):
                return web.json_response({"error": f"json: {key}"}, status=400)
        self.paths[name] = body
        return web.Response()

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """Remove them again; readers are cut off."""
        name = request.match_info["name"]
        if self.paths.pop(name, None) is None:
            return web.json_response({"error": "path not found"}, status=404)
        self.readers.pop(name, None)
        self.removed.append(name)
        return web.Response()

    async def get(self, request: web.Request) -> web.StreamResponse:
        """How a path stands."""
        name = request.match_info["name"]
        if name not in self.paths:
            return web.json_response({"error": "path not found"}, status=404)
        readers = [
            {"type": "webRTCSession", "id": str(n)} for n in range(self.readers.get(name, 0))
        ]
        return web.json_response({"name": name, "ready": bool(readers), "readers": readers})

    async def whep(self, request: web.Request) -> web.StreamResponse:
        """Take an offer."""
        name = request.match_info["name"]
        if name not in self.paths or request.content_type != "application/sdp":
            return web.Response(status=404)
        self.offers.append(await request.text())
        self.readers[name] = self.readers.get(name, 0) + 1
        return web.Response(
            status=201,
            body=ANSWER.encode(),
            headers={"Content-Type": "application/sdp", "Location": f"/{name}/whep/1"},
        )

    async def hls(self, request: web.Request) -> web.StreamResponse:
        """A file of LL-HLS."""
        name, file = request.match_info["name"], request.match_info["file"]
        self.asked.append(request.path_qs.replace(name, "NAME"))
        if name not in self.paths:
            return web.Response(status=404)
        if file == "elsewhere.m3u8":
            return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"})
        return web.Response(body=f"#EXTM3U {file}".encode(), content_type="text/html")

    async def guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let the one user in."""
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return web.Response(status=401)
        if self.is_broken:
            return web.Response(status=500, body=b"x" * 100_000)
        return await handler(request)


@asynccontextmanager
async def stand_in() -> AsyncIterator[StandIn]:
    """Run it on one port of 127.0.0.1 for all that it speaks."""
    it = StandIn()

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        return await it.guard(request, handler)

    app = web.Application(middlewares=[guard])
    app.router.add_post("/v3/config/paths/add/{name}", it.add)
    app.router.add_delete("/v3/config/paths/delete/{name}", it.remove)
    app.router.add_get("/v3/paths/get/{name}", it.get)
    app.router.add_post("/{name}/whep", it.whep)
    app.router.add_get("/{name}/{file}", it.hls)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    it.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield it
    finally:
        await runner.cleanup()
