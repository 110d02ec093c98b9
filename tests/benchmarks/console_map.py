"""The map of a county: 70,000 devices in one answer, drawn, dragged, changed live.

The real application in a process of its own, Chromium without a screen (WebGL in software). Prints
figures, judges nothing. Needs a built console (``make console``, or GENGFU_CONSOLE_DIR):

    python -m tests.benchmarks.console_map [requests of each kind, 60]
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import uvloop
from playwright.async_api import Page

from hub.store.database import Database
from hub.store.notices import notify
from hub.web.map_answers import KEPT_S
from tests.benchmarks.console_county import COUNTY_USER, SCOPE, TOWN_USER
from tests.benchmarks.console_lists import open_session
from tests.benchmarks.map_county import ADMIN, build_map_county
from tests.benchmarks.measured_hub import MeasuredHub, fresh_database
from tests.chromium import open_chromium
from tests.web.stage import PASSWORD

DATABASE = "bench_console_map"
DRAWN = ".box[data-drawn=yes]"
COLD = 12  # readings that find nothing kept
DRAG_S = 4.0
LIVE_S = 12
PER_SECOND = 200

# Where the map is dragged: the county in groups, and a dense township with every device by itself.
VIEWS = {
    "grouped, the county": "/map?at=120.8,30.68,10.6",
    "single, a dense township": "/map?at=120.8,30.72,13&flat=1&areas=0",
}
WATCH = """
window.drawnAt = 0; window.longest = 0; window.busy = 0; window.frames = 0;
const seen = new MutationObserver(() => {
  if (window.drawnAt) return;
  if (document.querySelector('.box[data-drawn=yes]')) window.drawnAt = performance.now();
});
seen.observe(document, {subtree: true, childList: true, attributes: true});
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) {
    window.busy += task.duration; window.longest = Math.max(window.longest, task.duration);
  }
}).observe({entryTypes: ['longtask']});
const tick = () => { window.frames++; requestAnimationFrame(tick); };
requestAnimationFrame(tick);
"""
FORGET = "window.frames = 0; window.busy = 0; window.longest = 0; performance.now()"
COUNTS = (
    "({frames: window.frames, busy: window.busy, longest: window.longest, at: performance.now()})"
)


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def ask(client: httpx.AsyncClient, path: str) -> tuple[float, int, int]:
    """Milliseconds, bytes on the wire, bytes unpacked."""
    began = time.perf_counter()
    async with client.stream("GET", path) as answer:
        answer.raise_for_status()
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    took = (time.perf_counter() - began) * 1000
    whole = httpx.Response(200, headers=answer.headers, content=raw).content
    return took, len(raw), len(whole)


def line(name: str, found: Sequence[tuple[float, int, int]]) -> str:
    """One line of the table."""
    times = sorted(one[0] for one in found)
    p95 = times[int(len(times) * 0.95)]
    return (
        f"{name:44} {statistics.median(times):7.1f} {p95:7.1f} {times[-1]:7.1f}"
        f" {found[-1][1]:>10,} {found[-1][2]:>10,}"
    )


async def measure_answers(address: str, requests: int) -> None:
    """What the map asks for, by somebody of the county and of a township."""
    say(f"{'':44} {'p50 ms':>7} {'p95':>7} {'longest':>7} {'bytes':>10} {'unpacked':>10}")
    for user in (COUNTY_USER, TOWN_USER):
        async with open_session(address, user) as client:
            cold = []
            for _ in range(COLD):
                await asyncio.sleep(KEPT_S + 0.1)
                cold.append(await ask(client, "/api/v1/map/points"))
            say(line(f"{user}: points, read anew", cold))
            for name, path in {
                "points, kept a moment": "points",
                "points, offline cameras": "points?status=offline&kind=camera",
                "list of what is in view: all": "devices",
                "list of what is in view: 2 km": (
                    "devices?west=120.78&east=120.8&south=30.68&north=30.70"
                ),
                "open alerts": "alerts",
                "rates of all areas": "rates",
                "outlines, simplified": "outlines",
            }.items():
                warm = [await ask(client, f"/api/v1/map/{path}") for _ in range(requests)]
                say(line(f"{user}: {name}", warm))


@asynccontextmanager
async def open_page(address: str) -> AsyncIterator[Page]:
    """A signed-in browser on a duty room's screen."""
    async with open_chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.add_init_script("localStorage.setItem('gengfu.language', 'en');" + WATCH)
        await page.goto(address + "/account")
        form = page.locator("form", has=page.locator("#sign-in-title"))
        await form.locator("input[name=name]").fill(ADMIN)
        await form.locator("input[name=password]").fill(PASSWORD)
        await form.get_by_role("button", name="Sign in", exact=True).click()
        await page.locator("main#content").wait_for()
        yield page


async def measure_browser(address: str, database: Database) -> None:
    """First paint, dragging at two zooms, live changes."""
    async with open_page(address) as page:
        for name, view in VIEWS.items():
            paints = []
            for _ in range(3):
                await page.goto(address + view)
                await page.locator(DRAWN).wait_for(timeout=60_000)
                paints.append(float(await page.evaluate("window.drawnAt")))
            in_view = await page.locator("[aria-labelledby=map-list] [role=status]").inner_text()
            times = ", ".join(f"{one / 1000:.2f}" for one in paints)
            say(f"\n{name} ({in_view})")
            say(f"  from the address to everything drawn: {times} s")
            await page.wait_for_timeout(1500)
            await measure_drag(page)
        await measure_live(page, address, database)


async def measure_drag(page: Page) -> None:
    """Drag to and fro as fast as the page takes it."""
    box = await page.locator(".box").bounding_box()
    if box is None:
        return
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    began = float(await page.evaluate(FORGET))
    until, step = time.perf_counter() + DRAG_S, 0
    while time.perf_counter() < until:
        step += 1
        # A triangle of 400 pixels and a slow drift downwards.
        await page.mouse.move(x + 200 - abs(step * 9 % 800 - 400), y + step % 120)
    found = await page.evaluate(COUNTS)
    await page.mouse.up()
    seconds = (float(found["at"]) - began) / 1000
    say(
        f"  dragged {seconds:.1f} s: {found['frames'] / seconds:.1f} frames/s,"
        f" longest task {found['longest']:.0f} ms"
    )


async def measure_live(page: Page, address: str, database: Database) -> None:
    """Devices that change while somebody looks at the county."""
    await page.goto(address + next(iter(VIEWS.values())))
    await page.locator(DRAWN).wait_for(timeout=60_000)
    await page.wait_for_timeout(1500)
    quiet = float(await page.evaluate(FORGET))
    await page.wait_for_timeout(3000)
    before = await page.evaluate(COUNTS)
    rate = before["frames"] / ((float(before["at"]) - quiet) / 1000)
    began = float(await page.evaluate(FORGET))
    offline = page.locator("[aria-labelledby=map-legend] li").nth(1)
    delays = []
    for second in range(LIVE_S):
        shown = await offline.inner_text()
        async with database.transaction() as tx:
            found = await tx.tuples(
                "UPDATE device_status SET status = 'offline' WHERE device_id IN"
                " (SELECT device_id FROM device_status WHERE status = 'online'"
                "  AND device_id %% 97 = %(part)s ORDER BY device_id LIMIT %(most)s)"
                " RETURNING device_id",
                {"part": second, "most": PER_SECOND},
            )
            await notify(tx, SCOPE, "statuses", [int(str(row[0])) for row in found])
        committed = time.perf_counter()
        while await offline.inner_text() == shown and time.perf_counter() - committed < 10:
            await asyncio.sleep(0.01)
        delays.append(time.perf_counter() - committed)
        await asyncio.sleep(max(0.0, 1 - delays[-1]))
    after = await page.evaluate(COUNTS)
    seconds = (float(after["at"]) - began) / 1000
    say(
        f"\n{PER_SECOND} devices changed a second, {LIVE_S} times: shown after"
        f" {statistics.median(delays):.2f} s (longest {max(delays):.2f}),"
        f" {after['frames'] / seconds:.1f} frames/s ({rate:.1f} without changes),"
        f" long tasks {after['busy'] / seconds:.0f} ms a second, longest {after['longest']:.0f} ms"
    )


async def run(requests: int) -> None:
    """Build the county, ask, look, print."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        await build_map_county(database)
        async with MeasuredHub(url, is_live=True) as hub:
            await measure_answers(hub.address, requests)
            await measure_browser(hub.address, database)
        await database.close()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
