"""The bad pictures on the start page: what an operator sees of them and says to them."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub.store import devices
from hub.store.database import Database
from hub.store.picture_feedback import FeedbackFilter, list_feedback
from tests.browser.test_start_page import HOSTILE, shoot, sign_in
from tests.web.history import NOW, blur_picture
from tests.web.stage import SYSTEM, Field, World


@pytest.mark.threat("T7")
async def test_the_good_and_the_bad_picture_stand_side_by_side(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    outside.now = NOW
    async with database.transaction() as tx:
        await blur_picture(tx, world.east, world.east_camera, "east", tmp_path)
        await devices.edit_device(tx, SYSTEM, world.east_camera, name=HOSTILE, area_id=world.east)
    await sign_in(page, address)
    card = page.locator("#pictures-card")
    await expect(page.locator("#pictures-coverage")).to_have_text("24 小时内已检查 1 / 2 路")
    await expect(page.locator("#pictures-coverage")).to_have_class("hint few")
    await expect(page.locator("#pictures-kinds button")).to_have_text("模糊 1")
    await expect(card.locator("#pictures li")).to_contain_text("east-1 is out of focus")
    await expect(card.locator("#pictures li")).to_contain_text(HOSTILE)
    assert await page.locator("main img").count() == 0

    await card.get_by_role("button", name="对比").click()
    shown = page.locator("#evidence img")
    await expect(shown).to_have_count(2)
    await expect(shown.first).to_be_visible()
    await expect(page.locator("#evidence-why")).to_contain_text("阈值 50")
    await shoot(page, "pictures")
    await page.locator("#evidence").get_by_role("button", name="现在的画面就是正常画面").click()
    await expect(page.locator("#evidence-note")).to_contain_text("已按现在的画面学习")
    await page.locator("#evidence").get_by_role("button", name="误报").click()
    await expect(page.locator("#evidence-note")).to_contain_text("阈值已调整为 85")
    async with database.transaction() as tx:
        said = (await list_feedback(tx, SYSTEM, FeedbackFilter())).items[0]
    assert (said.author, said.is_fault, said.has_picture) == ("root-admin", False, True)
    outside.is_camera_away = True
    await page.locator("#evidence").get_by_role("button", name="现在的画面就是正常画面").click()
    await expect(page.locator("#evidence-note")).to_contain_text("no answer within 3 s")

    await page.locator("#evidence").get_by_role("button", name="关闭").click()
    await page.locator("#language").click()
    await expect(page.locator("#pictures-kinds button")).to_have_text("blurred 1")
    await page.locator("#pictures-kinds button").click()
    await expect(page.locator("#pictures-kinds button")).to_have_class("quiet chosen")
