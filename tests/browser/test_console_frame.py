"""What holds on every page of the console: signing in, languages, age, sessions, foreign frames."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.console import expect_accessible, sign_in
from tests.web.stage import World

MENU = {"zh": ("总览", "设备"), "en": ("Overview", "Devices")}


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_somebody_signs_in_and_finds_the_pages(
    page: Page, address: str, world: World, language: str
) -> None:
    await sign_in(page, address, language=language)
    menu = page.get_by_role("navigation")
    for name in MENU[language]:
        await expect(menu.get_by_role("link", name=name, exact=True)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await expect_accessible(page)
