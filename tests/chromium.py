"""The browser of the tests, the benchmarks and the screenshots: the system's own Chromium."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, async_playwright

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
# Root has no sandbox, and containers have a small /dev/shm.
ARGUMENTS: Final = ("--no-sandbox", "--disable-dev-shm-usage")


def find_chromium() -> str | None:
    """Where it is, None where it is not installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@asynccontextmanager
async def open_chromium(*arguments: str) -> AsyncIterator[Browser]:
    """Run a browser until the end of the block.

    Raises:
        FileNotFoundError: there is none.
    """
    program = find_chromium()
    if program is None:
        msg = "no Chromium: apt-get install chromium"
        raise FileNotFoundError(msg)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=[*ARGUMENTS, *arguments]
        )
        yield browser
        await browser.close()
