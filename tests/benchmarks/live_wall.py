"""The live wall in Debian's Chromium: how soon, how late, how dear, how honest.

Cameras, hub and browser on one machine, over loopback; the browser is headless. Prints figures,
judges nothing:

    python -m tests.benchmarks.live_wall [seconds of each measurement, 12]

* click to picture: from the press on a camera in the list to its first picture on the screen,
  for a stream that nobody watches (the hub has yet to reach the camera, and waits for a key
  picture: they come each second) and for one that is watched already;
* glass to glass: from when the camera sends a picture until the browser shows it, read from the
  picture itself (a camera's own capture and encoding come on top);
* what 1, 4, 16 and 25 tiles cost, and how many pictures were shown of those sent;
* how long after the camera has died or frozen the tile says so.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import psycopg
from playwright.async_api import Browser, Page

from tests.benchmarks.live_hub import USER, hub_of
from tests.benchmarks.rtsp_farm import FRAME_RATE
from tests.benchmarks.wall_farm import BARS, HEIGHT, PICTURES, WIDTH, WallFarm
from tests.chromium import open_chromium
from tests.web.stage import PASSWORD

CAMERAS = 40
TRIES = 12

# Reads which picture a video shows, whenever it shows another.
READ_BARS = """
async ({selector, seconds, bars, rate, pictures}) => {
  const video = document.querySelector(selector);
  const canvas = new OffscreenCanvas(bars, 1);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const delays = [];
  const end = performance.now() + seconds * 1000;
  await new Promise((done) => {
    const look = (_now, meta) => {
      context.drawImage(video, 0, 8, video.videoWidth, 40, 0, 0, bars, 1);
      const pixels = context.getImageData(0, 0, bars, 1).data;
      let number = 0;
      for (let bar = 0; bar < bars; bar++) if (pixels[bar * 4] > 128) number |= 1 << bar;
      const shown = performance.timeOrigin + meta.expectedDisplayTime;
      const newest = Math.floor(shown / 1000 * rate);
      const behind = (newest % pictures - number + pictures) % pictures;
      delays.push(shown - (newest - behind) / rate * 1000);
      if (performance.now() < end) video.requestVideoFrameCallback(look); else done();
    };
    video.requestVideoFrameCallback(look);
  });
  return delays;
}
"""
# Hangs a camera by a click on its line, and waits for its first picture.
CLICK = """
async (device) => {
  const line = [...document.querySelectorAll("[role=option]")]
    .find((one) => one.querySelector(".cut")?.textContent === `camera ${device}`);
  const begun = performance.now();
  line.click();
  for (;;) {
    const video = document.querySelector(`.tile[data-device="${device}"] video`);
    if (video) {
      const shown = await new Promise((done) =>
        video.requestVideoFrameCallback((_now, meta) => done(meta.expectedDisplayTime)));
      return shown - begun;
    }
    await new Promise((next) => requestAnimationFrame(next));
  }
}
"""
UNTIL_WORD = """
async ({selector, isGood}) => {
  const tile = document.querySelector(selector);
  for (;;) {
    if ((tile.dataset.word === "live") === isGood) return [Date.now(), tile.dataset.word];
    await new Promise((next) => setTimeout(next, 20));
  }
}
"""
COUNT = (
    "[...document.querySelectorAll('video')].map(v => v.getVideoPlaybackQuality())"
    ".map(q => [q.totalVideoFrames, q.droppedVideoFrames])"
)
LAGS = (
    "[...document.querySelectorAll('video')].map(v => v.buffered.length"
    " ? v.buffered.end(v.buffered.length - 1) - v.currentTime : -1)"
)


async def run(seconds: float) -> None:
    """All of it."""
    async with WallFarm() as farm:
        addresses = [farm.address(number) for number in range(1, CAMERAS + 1)]
        async with hub_of(addresses) as hub, open_chromium() as browser:
            list_devices(hub.database_url)
            page = await open_wall(browser, hub.address, "/wall?layout=1_")
            await clicks(page, browser, hub.address)
            for size in (1, 4, 16, 25):
                await cost(page, hub.pid, size, seconds)
            await deaths(page, farm)


def list_devices(url: str) -> None:
    """Give every camera a status, as a hub does that probes: lists show no others."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO device_status (device_id, status) SELECT id, 'online' FROM devices"
            " ON CONFLICT DO NOTHING"
        )


async def open_wall(browser: Browser, address: str, path: str) -> Page:
    """A signed-in page on a duty room's screen."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    await page.add_init_script("localStorage.setItem('gengfu.language', 'en')")
    await page.goto(address + path)
    await page.locator("input[name=name]").fill(USER)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("form button[type=submit]").click()
    await page.locator("[data-place='1']").wait_for()
    await page.locator("[role=option]").nth(CAMERAS - 1).wait_for()
    return page


async def show(page: Page, layout: str) -> None:
    """Hang other cameras, without loading the page anew, and wait until all are live."""
    await page.evaluate(
        "layout => { history.pushState(null, '', `/wall?layout=${layout}`);"
        " dispatchEvent(new PopStateEvent('popstate')); }",
        layout,
    )
    wanted = layout.split("_")[1].count(".") + 1
    await page.wait_for_function(
        "n => document.querySelectorAll(\".tile[data-word='live']\").length === n", arg=wanted,
        timeout=30_000,
    )  # fmt: skip


async def clicks(page: Page, browser: Browser, address: str) -> None:
    """From a click to a picture, cold and warm."""
    cold = [float(await page.evaluate(CLICK, device)) for device in range(1, TRIES + 1)]
    say("click to picture, nobody watches yet", cold)
    watched = ".".join(str(device) for device in range(21, 30))
    other = await open_wall(browser, address, "/wall?layout=9_")
    await show(other, f"9_{watched}")
    warm = [float(await page.evaluate(CLICK, device)) for device in range(21, 30)]
    say("click to picture, watched already", warm)
    await other.context.close()


async def cost(page: Page, hub: int, size: int, seconds: float) -> None:
    """What a wall of so many tiles takes, and how late its pictures are."""
    await show(page, f"{size}_" + ".".join(str(device) for device in range(1, size + 1)))
    await asyncio.sleep(4)
    before = cpu_seconds(os.getpid(), "chrom"), cpu_seconds(hub)
    counted = cast("list[list[int]]", await page.evaluate(COUNT))
    begun = time.monotonic()
    delays = cast(
        "list[float]",
        await page.evaluate(
            READ_BARS,
            {
                "selector": "[data-place='1'] video",
                "seconds": seconds,
                "bars": BARS,
                "rate": FRAME_RATE,
                "pictures": PICTURES,
            },
        ),
    )
    took = time.monotonic() - begun
    after = cpu_seconds(os.getpid(), "chrom"), cpu_seconds(hub)
    ends = cast("list[list[int]]", await page.evaluate(COUNT))
    lags = cast("list[float]", await page.evaluate(LAGS))
    shown = sum((b[0] - b[1]) - (a[0] - a[1]) for a, b in zip(counted, ends, strict=True))
    say(f"{size} tiles: glass to glass", delays)
    write(
        f"{size} tiles of {WIDTH}x{HEIGHT} at {FRAME_RATE}/s: browser "
        f"{(after[0] - before[0]) / took:.2f} cores, hub {(after[1] - before[1]) / took:.2f}; "
        f"{shown / took / size:.1f} pictures/s shown in each tile; "
        f"behind what is buffered {statistics.median(lags):.2f} s, at most {max(lags):.2f} s"
    )


async def deaths(page: Page, farm: WallFarm) -> None:
    """How soon a tile says that its camera is gone, and that it is back."""
    await show(page, "4_31.32.33.34")
    await asyncio.sleep(2)
    for place, (verb, back) in enumerate((("dead", "alive"), ("freeze", "resume")), start=1):
        selector = f"[data-place='{place}'] .tile"
        times = []
        for _ in range(3):
            begun = time.time() * 1000
            await farm.order(f"{verb} {30 + place}")
            at, word = cast(
                "tuple[float, str]",
                await page.evaluate(UNTIL_WORD, {"selector": selector, "isGood": False}),
            )
            times.append(at - begun)
            await farm.order(f"{back} {30 + place}")
            await page.evaluate(UNTIL_WORD, {"selector": selector, "isGood": True})
            await asyncio.sleep(2)
        say(f"camera {verb}: until the tile says {word}", times)


def cpu_seconds(root: int, name: str = "") -> float:
    """CPU taken until now by a process, or by all below it whose names begin so."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            head, _, rest = path.read_text().rpartition(") ")
            fields = rest.split()
            ticks = int(fields[11]) + int(fields[12])
            stats[int(path.parent.name)] = (head.partition("(")[2], int(fields[1]), ticks)
    wanted, grown = {root}, True
    while grown and name:
        below = {pid for pid, (_, parent, _) in stats.items() if parent in wanted}
        grown = not below <= wanted
        wanted |= below
    ticks = sum(stats[pid][2] for pid in wanted if pid in stats and stats[pid][0].startswith(name))
    return ticks / os.sysconf("SC_CLK_TCK")


def say(what: str, values: Sequence[float]) -> None:
    """Print the middle and the end of some times."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    write(f"{what}: p50 {statistics.median(ordered):.0f} ms, p95 {p95:.0f} ms ({len(ordered)})")


def write(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else 12.0))
