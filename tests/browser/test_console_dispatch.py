"""The dispatch desk: a task from its opening to its end, with somebody at the phone."""

import re
import secrets
from typing import Final

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from hub.domain.access import Role
from hub.domain.citizen_reports import NewReport
from hub.store import citizen_reports, sessions, users
from hub.store.citizen_reports import Reporter
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.console import HOSTILE, expect_accessible, shoot, sign_in
from tests.web.phone_scene import TITLE, Scene, lay_scene
from tests.web.stage import SYSTEM, Field, World, add_person

PHONE: Final = ViewportSize(width=360, height=740)
WORDS: Final = {
    "zh": {
        "new": "新建任务",
        "title": "标题",
        "open": "立案",
        "send": "派出",
        "link": "手机链接",
        "sent": "已派出",
        "verify": "核验办结",
        "over": "已核验",
        "write": "发给现场的消息",
    },
    "en": {
        "new": "New task",
        "title": "Title",
        "open": "Open the task",
        "send": "Send",
        "link": "Link for the phone",
        "sent": "sent",
        "verify": "Verify: it is done",
        "over": "verified",
        "write": "Message to the unit",
    },
}
WHY: Final = {"zh": re.compile("仍要办结|说明"), "en": re.compile("Why may it end|Note")}
NAME: Final = "桥头积水 Water at the bridge"


@pytest.fixture
async def scene(database: Database, world: World, outside: Field) -> Scene:
    """A unit with a task in the eastern village, and another unit."""
    return await lay_scene(database, world, outside.now, title=TITLE)


def card(page: Page, text: str) -> Locator:
    return page.locator("a.card", has_text=text)


async def go_and_do(desk: Page, link: str) -> None:
    """Somebody in the field takes the task to its end; the desk writes to him on the way."""
    browser = desk.context.browser
    assert browser is not None
    phone = await browser.new_page(viewport=PHONE, locale="zh-CN")
    await phone.goto(link)
    for _ in range(3):  # accepted, on the way, on site
        before = await phone.locator("#step").inner_text()
        await phone.locator("#step").click()
        await expect(phone.locator("#step")).not_to_have_text(before)
    await desk.keyboard.press("c")
    await desk.keyboard.type("How deep is it?")
    await desk.keyboard.press("Enter")
    await expect(desk.locator("article.card ol").first).to_contain_text("How deep is it?")
    await phone.reload()
    await expect(phone.locator("#messages")).to_contain_text("How deep is it?")
    await phone.locator("#step").click()
    await phone.locator("#sure-ok").click()
    await expect(phone.locator("#message-what")).to_contain_text("已完成")
    await phone.close()


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_task_is_opened_sent_done_in_the_field_and_verified(
    page: Page, address: str, scene: Scene, language: str
) -> None:
    del scene
    words = WORDS[language]
    await page.context.grant_permissions(["clipboard-write"])
    await sign_in(page, address, "/dispatch", name="root-admin", language=language)
    await expect(card(page, TITLE)).to_be_visible()
    await page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name=words["new"])
    await dialog.get_by_label(words["title"], exact=True).fill(NAME)
    await dialog.get_by_role("combobox").first.fill("East")
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name=words["open"], exact=True).click()
    details = page.locator("article.card")
    await expect(details).to_contain_text(NAME)
    # By keyboard: the unit that is best comes chosen.
    await page.keyboard.press("s")
    await expect(details.get_by_role("radio").first).to_be_checked()
    await details.locator("form.ask").get_by_role("button").first.click()
    await expect(details.locator("header")).to_contain_text(words["sent"])
    await details.get_by_role("button", name=words["link"], exact=True).click()
    link = await details.locator("code").inner_text()
    await shoot(page, f"console-dispatch-{language}")
    await expect_accessible(page)

    await go_and_do(page, link)
    # The desk hears of it by itself.
    verify = details.get_by_role("button", name=words["verify"], exact=True)
    await verify.first.click()
    await details.get_by_label(WHY[language]).fill("seen on the camera")
    await details.locator("form.ask").get_by_role("button").first.click()
    await expect(details.locator("header")).to_contain_text(words["over"])
    await expect(card(page, NAME)).to_have_count(0)


@pytest.mark.threat("T1", "T7")
async def test_a_hostile_report_is_inert_and_becomes_a_task(
    page: Page, address: str, database: Database, scene: Scene, world: World, outside: Field
) -> None:
    del scene
    async with database.transaction() as tx:
        await add_person(tx, "west-dispatcher", Role.DISPATCHER, world.west)
        for area in (world.east, world.west):
            new = NewReport(text=f"{HOSTILE} {area}", place=HOSTILE)
            who = Reporter(digest=secrets.token_bytes(32))
            await citizen_reports.add_report(tx, SYSTEM, area, new, who, now=outside.now)
    await sign_in(page, address, "/dispatch/reports", name="west-dispatcher", language="en")
    report = page.get_by_role("link").filter(has_text=HOSTILE)
    await expect(report).to_have_count(1)
    await report.click()
    await page.get_by_role("button", name="Make a task", exact=True).first.click()
    form = page.locator("form.ask")
    await form.get_by_role("button").first.click()
    await page.get_by_role("link", name=re.compile(r"^Task \d+$")).click()
    details = page.locator("article.card")
    await expect(details).to_contain_text(HOSTILE)
    assert await page.locator("main img[src=x]").count() == 0
    # What lies in the other village is not on this board.
    await expect(card(page, TITLE)).to_have_count(0)
    await expect_accessible(page)


async def test_a_note_outlives_the_session_and_is_sent_after_it(
    page: Page, address: str, database: Database, scene: Scene
) -> None:
    await sign_in(page, address, f"/dispatch/{scene.task}", name="root-admin", language="en")
    details = page.locator("article.card")
    await details.get_by_role("button", name="Remark for the desk").click()
    note = details.get_by_label("Remark for the desk")
    await note.fill("the road is closed at the school")
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM sessions")
        people = [person.id for person in await users.list_users(tx, SYSTEM)]
        await notify(tx, SYSTEM, sessions.TOPIC, people)
    again = page.get_by_role("dialog")
    await expect(again).to_contain_text("what you typed is still here")
    await again.locator("input[name=password]").fill("Correct-Horse-9")
    await again.get_by_role("button", name="Sign in", exact=True).click()
    await expect(again).to_be_hidden()
    await expect(note).to_have_value("the road is closed at the school")
    await details.locator("form.ask").get_by_role("button").first.click()
    await expect(details.locator(".history")).to_contain_text("the road is closed at the school")
