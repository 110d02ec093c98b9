"""How long the table of devices takes in a browser at 70,000 devices.

Headless Chromium on this machine, the real application in a process of its own, the console as it
was built last (``make console``, or GENGFU_CONSOLE_DIR). First useful paint is the first row with a
name after the page is opened anew; a jump is a scroll bar put somewhere until every row there has
its name; a keystroke is a letter typed into the search box until the list that it asks for is
shown. Prints figures, judges nothing:

    python -m tests.benchmarks.console_table [jumps, 60]
"""

import statistics
import sys
from collections.abc import Sequence
from random import Random

import uvloop
from playwright.async_api import Page

from hub.store.database import Database
from tests.benchmarks.console_county import COUNTY_USER, TOWN_USER, build_county
from tests.benchmarks.measured_hub import MeasuredHub, fresh_database
from tests.browser.console import sign_in
from tests.chromium import open_chromium

DATABASE = "bench_table"
OPENINGS = 10
PAUSE_MS = 400  # between two letters: each is shown before the next one comes
TEXTS = ("祠堂村", "路口12号", "Gate 1", "10.20.3.", "sn0000", "3304020000132000")

_ROW = "[role=grid] [role=row][aria-rowindex]"
_PAINT = """async () => {
  while (!document.querySelector("[role=grid] [role=gridcell] a[href^='/devices/']"))
    await new Promise(requestAnimationFrame);
  return performance.now();
}"""
_JUMP = """async share => {
  const grid = document.querySelector("[role=grid]");
  const began = performance.now();
  grid.scrollTop = share * (grid.scrollHeight - grid.clientHeight);
  await new Promise(requestAnimationFrame);
  const box = grid.getBoundingClientRect();
  for (;;) {
    const seen = [...grid.querySelectorAll("[role=row][aria-rowindex]")].filter(row => {
      const place = row.getBoundingClientRect();
      return place.bottom > box.top + 40 && place.top < box.bottom;
    });
    if (seen.length > 5 && seen.every(row => row.getAttribute("aria-rowindex") === "1"
        || row.querySelector("a[href^='/devices/']"))) return performance.now() - began;
    await new Promise(requestAnimationFrame);
  }
}"""
_LISTEN = """() => {
  window.bench = { began: 0, took: [] };
  const table = document.querySelector("[data-turn]");
  document.querySelector("input[type=search]").addEventListener("input", async () => {
    const began = performance.now();
    const before = table.dataset.turn;
    while (table.dataset.turn === before) {
      if (performance.now() - began > 5000) return;
      await new Promise(requestAnimationFrame);
    }
    await new Promise(requestAnimationFrame);
    window.bench.took.push(performance.now() - began);
  });
}"""


def show(name: str, times: Sequence[float]) -> None:
    """One line of the table."""
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    sys.stdout.write(
        f"{name:44} {len(ordered):4} {statistics.median(ordered):8.0f} {p95:8.0f}"
        f" {ordered[-1]:8.0f}\n"
    )


async def measure_paint(page: Page, address: str) -> list[float]:
    """Milliseconds from the opening of the page to its first row."""
    times = []
    for _ in range(OPENINGS):
        await page.goto(f"{address}/devices")
        times.append(float(await page.evaluate(_PAINT)))
    return times


async def measure_jumps(page: Page, jumps: int) -> list[float]:
    """Milliseconds from a jump of the scroll bar to the rows that are there."""
    rng = Random(22)
    times = []
    for _ in range(jumps):
        times.append(float(await page.evaluate(_JUMP, rng.random())))
        await page.wait_for_timeout(50)
    return times


async def measure_typing(page: Page) -> list[float]:
    """Milliseconds from a letter to the list it asks for."""
    await page.evaluate(_LISTEN)
    box = page.get_by_role("searchbox")
    for text in TEXTS:
        await box.fill("")
        await page.wait_for_timeout(PAUSE_MS)
        await box.press_sequentially(text, delay=PAUSE_MS)
        await page.wait_for_timeout(PAUSE_MS)
    times: list[float] = await page.evaluate("() => window.bench.took")
    return times


async def look(address: str, jumps: int) -> None:
    """Everything, for one who sees the county and for one who sees a township."""
    async with open_chromium() as browser:
        for user in (COUNTY_USER, TOWN_USER):
            context = await browser.new_context(viewport={"width": 1920, "height": 1080})
            page = await context.new_page()
            await sign_in(page, address, "/devices", name=user)
            await page.locator(_ROW).first.wait_for()
            total = int(await page.get_by_role("grid").get_attribute("aria-rowcount") or 1) - 1
            sys.stdout.write(f"\n{user}: {total:,} devices; number, p50, p95, longest in ms\n")
            show("first useful paint", await measure_paint(page, address))
            show("jump of the scroll bar to its rows", await measure_jumps(page, jumps))
            show("letter of a search to its rows", await measure_typing(page))
            kept = await page.locator(_ROW).count()
            sys.stdout.write(f"{'rows in the page at the end':44} {kept:4}\n")
            await context.close()


async def run(jumps: int) -> None:
    """Build the county, open the browser, print the table."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        await build_county(database)
        await database.close()
        async with MeasuredHub(url) as hub:
            await look(hub.address, jumps)


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
