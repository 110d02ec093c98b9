"""The console in a browser: who signs in, in which language, and what every page must keep."""

import json
import os
from pathlib import Path
from typing import Final, cast

from playwright.async_api import Page, expect

from hub.web.app import BUILT_CONSOLE
from tests.conftest import missing
from tests.web.stage import PASSWORD

ROOT: Final = Path(__file__).parents[2]
AXE: Final = ROOT / "hub" / "web" / "console" / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE: Final = '<img src=x onerror="alert(1)">{{7*7}}'
SHOTS: Final = os.environ.get("GENGFU_SCREENSHOTS")
SIGN_IN: Final = {"zh": "登录", "en": "Sign in"}
WCAG: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


async def sign_in(
    page: Page, address: str, path: str = "/", *, name: str = "root-admin", language: str = "zh"
) -> None:
    """Open a page of the console as somebody, in a language."""
    if not (BUILT_CONSOLE / "index.html").is_file():
        missing("the console is not built: make console")
    await page.add_init_script(f"localStorage.setItem('gengfu.language', '{language}')")
    await page.goto(address + path)
    form = page.locator("form", has=page.locator("#sign-in-title"))
    await form.locator("input[name=name]").fill(name)
    await form.locator("input[name=password]").fill(PASSWORD)
    await form.get_by_role("button", name=SIGN_IN[language], exact=True).click()
    await expect(page.locator("main#content")).to_be_visible()


async def expect_accessible(page: Page) -> None:
    """No serious violation of WCAG 2.2 AA, as far as axe-core sees, on what is shown now."""
    # Through the protocol, not as a script of the page: its policy allows none from elsewhere.
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", list(WCAG)
    )
    serious = [
        {"rule": one["id"], "where": [node["target"] for node in one["nodes"]][:5]}
        for one in cast("list[dict[str, list[dict[str, object]]]]", found["violations"])
        if str(one["impact"]) in {"serious", "critical"}
    ]
    assert not serious, json.dumps(serious, indent=1, ensure_ascii=False)


async def shoot(page: Page, name: str) -> None:
    """Keep a picture for human eyes when somebody asked for it."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png")
