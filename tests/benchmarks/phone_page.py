"""What the page of a task costs a phone: bytes and seconds on slow lines, and a photo on its way.

A real hub on loopback, Debian's Chromium at 360 x 740 with the line slowed through the DevTools
protocol. "Usable" is when the task and its next button stand there. Prints a table, judges
nothing:

    python -m tests.benchmarks.phone_page
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    ViewportSize,
)

from hub.domain.secrets import Secret
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.vault import Vault
from hub.web.app import create_app
from streams.photos import PhotoCleaner
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.chromium import open_chromium
from tests.fresh_databases import drop, recreate, with_database
from tests.web.phone_photos import make_photo
from tests.web.phone_scene import lay_scene
from tests.web.stage import Field, build_world, serve

PROMISED_KB: Final = 150
DATABASE: Final = "bench_phone"
PHOTO_SIZE: Final = (4032, 3024)  # twelve megapixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line to the phone; None: as fast as loopback is."""

    name: str
    kbit_s: float | None = None
    latency_ms: float = 0


LINES: Final = (
    Line(name="loopback"),
    Line(name="400 kbit/s, 400 ms", kbit_s=400, latency_ms=400),
    Line(name="100 kbit/s, 800 ms", kbit_s=100, latency_ms=800),
)


class Meter:
    """Counts what a page brings over the line."""

    def __init__(self) -> None:
        self.received = 0
        self.requests = 0

    def note(self, finished: dict[str, float]) -> None:
        """One answer is whole."""
        self.received += int(finished["encodedDataLength"])
        self.requests += 1


async def slow_down(context: BrowserContext, page: Page, line: Line) -> tuple[CDPSession, Meter]:
    """Make the line of a page as slow as that, and count on it."""
    session = await context.new_cdp_session(page)
    meter = Meter()
    session.on("Network.loadingFinished", meter.note)
    await session.send("Network.enable")
    if line.kbit_s is not None:
        rate = line.kbit_s * 1000 / 8
        await session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": line.latency_ms,
                "downloadThroughput": rate,
                "uploadThroughput": rate,
            },
        )
    return session, meter


async def load(context: BrowserContext, address: str, line: Line) -> tuple[Page, float, Meter]:
    """Open the link; return the page, the seconds until it was usable, and what came."""
    page = await context.new_page()
    _, meter = await slow_down(context, page, line)
    began = time.perf_counter()
    await page.goto(address, wait_until="commit")
    await page.locator("#step").wait_for(state="visible", timeout=120_000)
    took = time.perf_counter() - began
    await page.wait_for_load_state("networkidle")
    return page, took, meter


async def send_photo(page: Page, picture: Path) -> tuple[float, int]:
    """Choose a photo; return the seconds until the hub has it, and the bytes that went."""
    sent: list[int] = []

    async def count() -> None:
        async with page.expect_request("**/task/photos", timeout=300_000) as asked:
            pass
        headers = await (await asked.value).all_headers()
        sent.append(int(headers["content-length"]))

    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    began = time.perf_counter()
    await page.locator("#camera").set_input_files(picture)
    await page.locator("#photos figure:not(.waiting)").wait_for(timeout=300_000)
    took = time.perf_counter() - began
    await counting
    return took, sent[0]


async def measure(browser: Browser, address: str, line: Line, picture: Path) -> str:
    """One line of the table."""
    context = await browser.new_context(
        locale="zh-CN", viewport=ViewportSize(width=360, height=740)
    )
    page, first, meter = await load(context, address, line)
    went, sent = await send_photo(page, picture)
    await page.close()
    page, again, repeat = await load(context, address, line)
    await context.close()
    return (
        f"{line.name:<20} {meter.requests:>8} {meter.received / 1000:>8.1f} {first:>8.2f}"
        f" {repeat.received / 1000:>10.1f} {again:>8.2f} {sent / 1000:>10.0f} {went:>8.2f}\n"
    )


@asynccontextmanager
async def open_hub(server_url: str, folder: Path) -> AsyncIterator[tuple[str, Secret]]:
    """A hub with one task; its address and the token of the link."""
    recreate(server_url, DATABASE)
    url = with_database(server_url, DATABASE)
    await migrate(url)
    database = await Database.open(url, vault=Vault(bytes(32)))
    outside = Field(now=datetime.now(UTC))
    cleaner = PhotoCleaner()
    try:
        world = await build_world(database)
        scene = await lay_scene(database, world, outside.now)
        services = outside.services(database, folder, LiveFeed(database))
        async with serve(create_app(replace(services, clean_photo=cleaner))) as address:
            yield address, scene.token
    finally:
        await cleaner.close()
        await database.close()
        drop(server_url, DATABASE)


async def run() -> None:
    """Measure every line."""
    server_url = await asyncio.to_thread(start_timescaledb)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sys.stdout.write(
            f"first load promised: {PROMISED_KB} kB\n"
            f"{'line':<20} {'requests':>8} {'kB':>8} {'usable s':>8} {'again kB':>10}"
            f" {'s':>8} {'photo kB':>10} {'s':>8}\n"
        )
        async with open_hub(server_url, folder) as (address, token), open_chromium() as browser:
            link = f"{address}/phone/task#{token.reveal()}"
            for number, line in enumerate(LINES):
                picture = folder / f"{number}.jpg"
                data = await asyncio.to_thread(make_photo, *PHOTO_SIZE, seed=number)
                await asyncio.to_thread(picture.write_bytes, data)
                sys.stdout.write(await measure(browser, link, line, picture))
            sys.stdout.write(f"the photo as it was taken: {len(data) / 1000:.0f} kB\n")


if __name__ == "__main__":
    asyncio.run(run())
