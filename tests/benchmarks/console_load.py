"""What each page of the console loads: ``python -m tests.benchmarks.console_load``.

Opens every desk of the demonstration in a browser with nothing in its cache, signed in already:
kB of script and of everything as they come over the line (compressed), and the time until the
page's heading is painted, median of three.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, StorageState

from tests.chromium import open_chromium
from tests.screenshots import open_console, start_demo

DESKS: Final = (
    *("/", "/wall", "/alerts", "/patrol", "/dispatch", "/devices", "/reports", "/map"),
    *("/admin", "/account", "/devices/add"),
)
TRIES: Final = 3
SETTLE_MS: Final = 1500
SIZES: Final = "() => performance.getEntriesByType('resource').map(e => [e.name, e.transferSize])"
PAINTED: Final = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"


async def measure(
    browser: Browser, address: str, state: StorageState
) -> tuple[float, float, float]:
    """Load an address with an empty cache: kB of script, kB of all, ms to the first paint."""
    context = await browser.new_context(storage_state=state)
    page = await context.new_page()
    await page.goto(address)
    await page.locator("main#content").wait_for()
    await page.wait_for_timeout(SETTLE_MS)
    sizes = [(str(name), float(size)) for name, size in await page.evaluate(SIZES)]
    painted = float(await page.evaluate(PAINTED))
    await context.close()
    script = sum(size for name, size in sizes if name.endswith((".js", ".mjs")))
    return script / 1000, sum(size for _, size in sizes) / 1000, painted


async def main() -> None:
    """Print a line a desk."""
    with tempfile.TemporaryDirectory() as scratch:
        demo = start_demo(Path(scratch) / "var")
        try:
            async with open_chromium() as browser:
                page = await open_console(browser, demo, "zh", "light")
                state = await page.context.storage_state()
                print(f"{'page':16}{'script kB':>12}{'all kB':>10}{'first paint ms':>17}")  # noqa: T201
                for desk in DESKS:
                    runs = [
                        await measure(browser, demo.address + desk, state) for _ in range(TRIES)
                    ]
                    script, everything, painted = map(statistics.median, zip(*runs, strict=True))
                    print(f"{desk:16}{script:12.0f}{everything:10.0f}{painted:17.0f}")  # noqa: T201
        finally:
            await demo.client.aclose()
            demo.process.terminate()
            demo.process.wait(60)


if __name__ == "__main__":
    asyncio.run(main())
