"""Somebody's HTTP server that takes notifications and keeps every one of them, with its time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request as it came."""

    at: datetime
    path: str
    message_id: str
    body: bytes


@dataclass(slots=True, kw_only=True)
class HookStation:
    """Answers every POST with 204 after ``delay_s``; a path is a receiver."""

    delay_s: float = 0.0
    origin: str = ""
    arrivals: list[Arrival] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Keep what came; it counts from the moment it was read, answered or not."""
        body = await request.read()
        arrival = Arrival(
            at=datetime.now(UTC),
            path=request.path,
            message_id=request.headers.get("Webhook-Id", ""),
            body=body,
        )
        self.arrivals.append(arrival)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        return web.Response(status=204)

    def address(self, name: str) -> str:
        """Where a receiver of this name is."""
        return f"{self.origin}/{name}"

    def of(self, name: str) -> list[Arrival]:
        """What one receiver got, repeats included."""
        return [arrival for arrival in self.arrivals if arrival.path == f"/{name}"]

    def messages(self, name: str) -> list[Arrival]:
        """What one receiver got, each message once, at its first arrival."""
        first: dict[str, Arrival] = {}
        for arrival in self.of(name):
            first.setdefault(arrival.message_id, arrival)
        return list(first.values())


@asynccontextmanager
async def run_hook_station(*, delay_s: float = 0.0) -> AsyncIterator[HookStation]:
    """A station on a free port of loopback; it ends with the block."""
    station = HookStation(delay_s=delay_s)
    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_post("/{receiver:.*}", station.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    station.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield station
    finally:
        await runner.cleanup()


def most_within(arrivals: Sequence[Arrival], length: timedelta) -> int:
    """The largest number of arrivals in any spell of that length."""
    times = sorted(arrival.at for arrival in arrivals)
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= length:
            first += 1
        most = max(most, last - first + 1)
    return most
