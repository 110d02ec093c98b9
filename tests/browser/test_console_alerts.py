"""The alert desk: alerts come by themselves, hold still, and are dealt with by keys."""

import pytest
from playwright.async_api import Locator, Page, expect

from hub.domain.alerts import AlertStatus
from hub.domain.events import Severity
from hub.domain.health import Status
from hub.store import sessions
from hub.store.alerts import get_alert
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.alert_scene import AlertScene
from tests.browser.cable import Cable
from tests.browser.console import SIGN_IN, expect_accessible, sign_in
from tests.web.stage import PASSWORD, SYSTEM, World, add_camera

HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}'
SAYS = {
    "zh": {
        "lasting": "离线已持续 30 秒",
        "taken": "处理中",
        "resolved": "已解除",
        "alone": "没有未解除的告警",
        "untold": "无人被通知",
    },
    "en": {
        "lasting": "offline for 30 s",
        "taken": "assigned",
        "resolved": "resolved",
        "alone": "No open alert",
        "untold": "nobody is told",
    },
}


def row_of(page: Page, alert_id: int) -> Locator:
    """The line of an alert in the list."""
    return page.locator(f"[data-alert='{alert_id}']")


async def add_cameras(database: Database, area_id: int, *names: str) -> list[int]:
    async with database.transaction() as tx:
        return [(await add_camera(tx, area_id, name))[0] for name in names]


async def keep_view(page: Page, address: str, query: str) -> None:
    """Keep a filter that leaves three of four alerts under a name, and come back to it."""
    await page.goto(f"{address}/alerts?{query}")
    await expect(page.locator("[data-alert]")).to_have_count(3)
    await page.get_by_role("button", name="Views").click()
    await page.get_by_label("Name of this view").fill("mine by rule")
    await page.get_by_role("button", name="Keep", exact=True).click()
    await page.goto(f"{address}/alerts")
    await expect(page.locator("[data-alert]")).to_have_count(4)
    await page.get_by_role("button", name="Views").click()
    await page.get_by_role("button", name="mine by rule").click()
    await expect(page).to_have_url(f"{address}/alerts?{query}")
    await expect(page.locator("[data-alert]")).to_have_count(3)


async def walk_by_keys(page: Page, address: str, query: str) -> None:
    """Details that are open follow the keys; a link clicked before takes nothing back."""
    lines = page.locator("[data-alert]")
    shown = [await lines.nth(at).get_attribute("data-alert") for at in range(2)]
    await lines.first.get_by_role("link").click()
    await expect(page).to_have_url(f"{address}/alerts/{shown[0]}?{query}")
    for key in ("j", "Enter"):
        await page.keyboard.press(key)
        await expect(page).to_have_url(f"{address}/alerts/{shown[1]}?{query}")


@pytest.mark.threat("T7")
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_camera_dies_and_its_alert_is_dealt_with_by_keys(
    page: Page, address: str, world: World, database: Database, language: str
) -> None:
    says = SAYS[language]
    scene = await AlertScene.begin(database)
    await scene.limit(world.east, Severity.CRITICAL, acknowledge_s=600)
    await scene.watch(world.east, HOSTILE)
    (camera,) = await add_cameras(database, world.east, "east-2")
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET name = %(name)s WHERE id = %(id)s", {"name": HOSTILE, "id": camera}
        )
    await sign_in(page, address, "/alerts", name="east-operator", language=language)
    await expect(page.get_by_text(says["alone"])).to_be_visible()

    (alert,) = await scene.turn(camera, status=Status.OFFLINE)
    row = row_of(page, alert.id)
    await expect(row).to_contain_text(HOSTILE)
    await expect(row).to_contain_text(says["lasting"])
    await expect(page).to_have_title("(▲1 · 1) 更夫 Gengfu")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{address}/alerts/{alert.id}")
    details = page.get_by_role("article")
    await expect(details.get_by_role("heading", name=HOSTILE)).to_be_visible()
    await expect(details).to_contain_text(says["untold"])

    await page.keyboard.press("a")
    await expect(row).to_contain_text(says["taken"])
    await expect(row).to_contain_text("east-operator")
    await page.keyboard.press("c")
    await page.keyboard.type(f"a. on my way {HOSTILE}")
    await page.keyboard.press("Control+Enter")
    await expect(details).to_contain_text(f"a. on my way {HOSTILE}")
    await expect_accessible(page)
    await page.keyboard.press("r")
    await page.keyboard.type("power is back")
    await expect_accessible(page)
    await page.keyboard.press("Control+Enter")
    await expect(row).to_contain_text(says["resolved"])
    await expect(details).to_contain_text("power is back")
    assert await page.locator("img[src=x]").count() == 0
    async with database.transaction() as tx:
        kept = await get_alert(tx, SYSTEM, alert.id)
    assert (kept.status, kept.resolution) == (AlertStatus.RESOLVED, "power is back")


@pytest.mark.threat("T1")
async def test_a_viewer_sees_his_own_area_and_only_looks(
    page: Page, address: str, world: World, database: Database
) -> None:
    scene = await AlertScene.begin(database)
    await scene.watch(world.town, "offline")
    await sign_in(page, address, "/alerts", name="east-viewer", language="en")
    (foreign,) = await scene.turn(world.west_camera, status=Status.OFFLINE)
    mine = (await scene.turn(world.east_camera, status=Status.OFFLINE))[-1]
    await expect(row_of(page, mine.id)).to_be_visible()
    await expect(page.locator("[data-alert]")).to_have_count(1)
    await expect(page).to_have_title("(▲1 · 1) 更夫 Gengfu")
    await row_of(page, mine.id).get_by_role("link").click()
    details = page.get_by_role("article")
    await expect(details).to_contain_text("Your role may look, not act.")
    for key in ("a", "r", "x"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.goto(f"{address}/alerts/{foreign.id}")
    await expect(page.get_by_role("article")).to_contain_text("There is no such alert")
    await expect(page.locator("body")).not_to_contain_text("west-1")


async def test_what_is_typed_outlives_a_lost_line_and_an_ended_session(
    page: Page, cable: Cable, world: World, database: Database
) -> None:
    scene = await AlertScene.begin(database)
    await scene.watch(world.east, "offline")
    (alert,) = await scene.turn(world.east_camera, status=Status.OFFLINE)
    await sign_in(page, cable.address, f"/alerts/{alert.id}?severity=warning", language="zh")
    # The filter leaves it out; the link to it opens it all the same.
    await expect(page.get_by_role("article")).to_contain_text("east-1")
    await expect(row_of(page, alert.id)).to_have_count(0)

    await page.keyboard.press("r")
    reason = page.get_by_role("dialog").get_by_role("textbox")
    await reason.fill("线路已修复")
    await cable.cut()
    await expect(page.get_by_text("与平台的连接中断")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("操作没有执行")).to_be_visible()
    await expect(reason).to_have_value("线路已修复")
    await cable.mend()
    await expect(page.get_by_text("与平台的连接中断")).to_have_count(0, timeout=15_000)

    async with database.transaction() as tx:
        await tx.execute("DELETE FROM sessions")
        rows = await tx.tuples("SELECT id FROM users")
        await notify(tx, SYSTEM, sessions.TOPIC, [int(str(number)) for (number,) in rows])
    form = page.locator("form", has=page.locator("#sign-in-title"))
    await form.locator("input[name=password]").fill(PASSWORD)
    await form.get_by_role("button", name=SIGN_IN["zh"], exact=True).click()
    await expect(form).to_have_count(0)
    await expect(reason).to_have_value("线路已修复")
    await reason.press("Control+Enter")
    await expect(page.get_by_role("article")).to_contain_text("已解除")
    await expect(page.get_by_role("article")).to_contain_text("线路已修复")


async def test_the_list_holds_still_and_a_storm_is_one_card(
    page: Page, address: str, world: World, database: Database
) -> None:
    scene = await AlertScene.begin(database)
    await scene.watch(world.west, "many", most_in_area=3)
    names = [f"pole-{at:02}" for at in range(12)]
    cameras = await add_cameras(database, world.west, *names)
    first, second = (await scene.turn(*cameras[:2], status=Status.OFFLINE))[:2]
    await sign_in(page, address, "/alerts", language="en")
    await row_of(page, first.id).get_by_role("checkbox").check()
    # Somebody has chosen something: what is new waits, and says so.
    alerts = await scene.turn(*cameras[2:], status=Status.OFFLINE)
    (storm,) = [alert for alert in alerts if alert.is_storm]
    news = page.get_by_role("button", name="2 new, 2 critical: show")
    await expect(news).to_be_visible()
    await expect(page.locator("[data-alert]")).to_have_count(2)
    await page.keyboard.press("n")
    await expect(page.locator("[data-alert]")).to_have_count(4)
    await expect(row_of(page, storm.id)).to_contain_text("9 counted in it")
    await expect(row_of(page, first.id).get_by_role("checkbox")).to_be_checked()
    await row_of(page, second.id).get_by_role("checkbox").check()
    await page.get_by_role("toolbar", name="2 selected").get_by_role("button", name="Take").click()
    await expect(row_of(page, second.id)).to_contain_text("assigned")

    card = page.get_by_role("region", name="9 alerts count in this one")
    await expect(card).to_contain_text("9 still open, 9 untaken")
    await expect_accessible(page)
    await card.get_by_role("button", name="Take the whole group (10)").click()
    await expect(card).to_contain_text("9 still open, 0 untaken")
    await card.get_by_role("link", name="Show them all").click()
    await expect(page).to_have_url(f"{address}/alerts?into={storm.id}")
    await expect(page.locator("[data-alert]")).to_have_count(9)

    await keep_view(page, address, "who=me&group=rule")
    await walk_by_keys(page, address, "who=me&group=rule")
