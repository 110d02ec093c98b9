"""The devices desk in a browser: the table of all devices, and the page of one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub.domain.health import Status
from hub.store import asset_records, devices
from hub.store.database import Database
from hub.store.notices import notify
from hub.store.picture_feedback import FeedbackFilter, list_feedback
from tests.browser.console import expect_accessible, sign_in
from tests.statuses import Told, change_status
from tests.web.history import NOW, blur_picture
from tests.web.stage import SYSTEM, Field, World

HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}'
MANY = 400
WORDS = {
    "zh": {
        "anew": "1 行的位置可能已变",
        "columns": "列",
        "team": "维护单位",
        "close": "关闭",
        "views": "视图",
        "view": "视图名称",
        "save": "保存当前视图",
        "chosen": "已选 3 台",
        "offline": "离线",
        "network": "网络不通",
    },
    "en": {
        "anew": "1 row may have changed place",
        "columns": "Columns",
        "team": "Maintained by",
        "close": "Close",
        "views": "Views",
        "view": "Name of the view",
        "save": "Save this view",
        "chosen": "3 chosen",
        "offline": "offline",
        "network": "not reachable",
    },
}


async def fill_street(database: Database, world: World) -> None:
    """Many cameras in the east village, each named by its number."""
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO devices (connection_id, key, area_id, kind, name, registration, team)"
            " SELECT d.connection_id, 'street-' || n, d.area_id, 'camera',"
            " 'street ' || lpad(n::text, 3, '0'), 'approved', '甲队' FROM devices d,"
            " generate_series(1, %(many)s) n WHERE d.id = %(like)s",
            {"many": MANY, "like": world.east_camera},
        )
        await tx.execute(
            "INSERT INTO device_status (device_id, status) SELECT d.id, 'online' FROM devices d"
            " WHERE d.key LIKE 'street-%%'"
        )


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_any_place_of_the_table_at_once(
    page: Page, address: str, world: World, database: Database, language: str
) -> None:
    words = WORDS[language]
    await fill_street(database, world)
    # A link: the last of the street first.
    await sign_in(page, address, "/devices?sort=name&desc=true&q=street", language=language)
    grid = page.get_by_role("grid")
    await expect(grid).to_have_attribute("aria-rowcount", str(MANY + 1))
    rows = grid.locator("[role=row][aria-rowindex]")
    first = grid.locator("[aria-rowindex='2']")
    await expect(first).to_contain_text(f"street {MANY}")
    assert await rows.count() < 60  # of 400: what is seen, and a little more

    # By keyboard: to the end and back, a range of three.
    await grid.focus()
    await page.keyboard.press("End")
    await expect(grid.locator(f"[aria-rowindex='{MANY + 1}']")).to_contain_text("street 001")
    await page.keyboard.press("Home")
    await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Shift+ArrowDown")
    await expect(page.get_by_text(words["chosen"], exact=True)).to_be_visible()

    # Typing searches; what is typed lies in the address.
    search = page.get_by_role("searchbox")
    await search.fill("street 17")
    await expect(grid).to_have_attribute("aria-rowcount", "11")
    await expect(first).to_contain_text("street 179")
    assert "q=street+17" in page.url

    # A camera dies: its row says so in place, the order waits to be asked for.
    await page.goto(f"{address}/devices?sort=status")
    line = grid.locator("[role=row]", has_text="street 002")
    await expect(line).to_be_visible()
    async with database.transaction() as tx:
        row = await tx.tuples("SELECT id FROM devices WHERE key = 'street-2'")
        dead = int(str(row[0][0]))
        await change_status(
            tx, SYSTEM, Told(device_id=dead, status=Status.OFFLINE, since=datetime.now(UTC))
        )
        await notify(tx, SYSTEM, "statuses", [dead])
    await expect(line).to_contain_text(words["offline"])
    await expect(line).to_contain_text(words["network"])
    await expect(first).not_to_contain_text("street 002")
    await page.get_by_role("button", name=words["anew"]).click()
    await expect(first).to_contain_text("street 002")


@pytest.mark.threat("T7")
async def test_columns_and_views_of_ones_own(
    page: Page, address: str, world: World, database: Database
) -> None:
    words = WORDS["en"]
    async with database.transaction() as tx:
        await devices.edit_device(tx, SYSTEM, world.east_camera, name=HOSTILE, area_id=world.east)
    await sign_in(page, address, "/devices", language="en")
    grid = page.get_by_role("grid")
    await page.get_by_role("button", name=words["columns"], exact=True).click()
    await page.get_by_role("checkbox", name=words["team"]).check()
    await page.get_by_role("button", name=words["close"]).click()
    await expect(grid.get_by_role("columnheader", name=words["team"])).to_be_visible()
    await page.get_by_role("button", name=words["views"], exact=True).click()
    await page.get_by_label(words["view"]).fill(HOSTILE)
    await page.get_by_role("button", name=words["save"]).click()
    await expect(page.get_by_role("dialog").get_by_role("link", name=HOSTILE)).to_be_visible()
    await page.goto(f"{address}/devices?q=img")
    await expect(grid.get_by_role("columnheader", name=words["team"])).to_be_visible()
    await expect(grid.locator("[aria-rowindex='2']")).to_contain_text(HOSTILE)
    assert await page.locator("main img").count() == 0
    await expect_accessible(page)
    await grid.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(HOSTILE)


@pytest.mark.threat("T1")
async def test_what_lies_in_a_foreign_area_stays_invisible(
    page: Page, address: str, world: World
) -> None:
    await sign_in(page, address, "/devices", name="east-viewer")
    grid = page.get_by_role("grid")
    await expect(grid).to_have_attribute("aria-rowcount", "2")
    await expect(grid).to_contain_text("east-1")
    await page.goto(f"{address}/devices/{world.west_camera}")
    await expect(page.get_by_text("没有这台设备")).to_be_visible()
    assert "west" not in await page.locator("main").inner_text()
    await page.goto(f"{address}/devices/{world.east_camera}")
    # Who only looks is offered nothing else.
    await expect(page.locator("h1")).to_have_text("east-1")
    for name in ("停用", "维护 2 小时", "立即探测"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)


async def test_the_days_of_one_device(
    page: Page, address: str, world: World, database: Database, outside: Field
) -> None:
    camera, now = world.east_camera, outside.now
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET created_at = now() - interval '500 days' WHERE id = %(id)s",
            {"id": camera},
        )
        await tx.execute(
            "INSERT INTO outages (device_id, started_at, ended_at, layer, cause)"
            " VALUES (%(id)s, %(a)s, %(b)s, 'network', %(cause)s)",
            {
                "id": camera,
                "a": noon - timedelta(days=7),
                "b": noon - timedelta(days=7) + timedelta(hours=2),
                "cause": HOSTILE,
            },
        )
        told = Told(device_id=camera, status=Status.OFFLINE, since=now, detail="no answer")
        await change_status(tx, SYSTEM, told)
    await sign_in(page, address, f"/devices/{camera}")
    await expect(page.locator("header")).to_contain_text("网络不通")
    await expect(page.locator("header")).to_contain_text("未通知任何人")
    bar = page.get_by_role("listbox", name="最近 400 天")
    await expect(bar.get_by_role("option")).to_have_count(400)
    await bar.focus()
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("status").filter(has_text="离线 2 小时")).to_be_visible()
    await page.keyboard.press("Enter")
    day = (noon - timedelta(days=7)).date().isoformat()
    await expect(page.get_by_role("heading", name=f"涉及 {day} 的中断")).to_be_visible()
    assert f"day={day}" in page.url
    await expect(page.get_by_role("cell", name=HOSTILE)).to_be_visible()
    await expect_accessible(page)

    await page.get_by_role("button", name="维护 2 小时").click()
    await page.get_by_label("事由").fill("换电源")
    await page.get_by_role("button", name="开始").click()
    await expect(page.get_by_text("维护已开始。")).to_be_visible()


async def test_a_record_that_two_people_change(
    page: Page, address: str, world: World, database: Database
) -> None:
    camera = world.east_camera
    await sign_in(page, address, f"/devices/{camera}")
    await page.get_by_role("tab", name="档案").click()
    record = page.locator("section", has=page.get_by_role("heading", name="一机一档"))
    await record.get_by_role("button", name="编辑").click()
    await record.get_by_label("端口").fill("80000")
    await record.get_by_role("button", name="保存").click()
    await expect(record.get_by_text("应为 1 到 65535 的整数")).to_be_visible()
    # Somebody else writes meanwhile: nothing of either is lost.
    async with database.transaction() as tx:
        before = await asset_records.get_record(tx, SYSTEM, camera)
        await asset_records.put_record(tx, SYSTEM, camera, replace(before, owner="镇政府"))
    await record.get_by_label("端口").fill("554")
    await record.get_by_role("button", name="保存").click()
    await expect(record.get_by_text("您编辑期间有人改了此档案")).to_be_visible()
    await expect(record.get_by_label("产权单位")).to_have_value("镇政府")
    await record.get_by_role("button", name="保存").click()
    await expect(record.get_by_role("button", name="编辑")).to_be_visible()
    async with database.transaction() as tx:
        after = await asset_records.get_record(tx, SYSTEM, camera)
    assert (after.port, after.owner) == (554, "镇政府")
    await expect_accessible(page)


@pytest.mark.threat("T7")
async def test_the_good_and_the_bad_picture_stand_side_by_side(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    outside.now = NOW
    async with database.transaction() as tx:
        await blur_picture(tx, world.east, world.east_camera, HOSTILE, tmp_path)
    await sign_in(page, address, "/devices?picture=blur")
    await expect(page.get_by_role("grid")).to_contain_text("east-1")
    await page.goto(f"{address}/devices/{world.east_camera}?tab=picture")
    panel = page.get_by_role("tabpanel")
    await expect(panel).to_contain_text("画面异常。")
    await expect(panel.locator("img")).to_have_count(2)
    await expect(panel.locator("img").first).to_be_visible()
    blurred = panel.get_by_role("row", name="模糊")
    await expect(blurred).to_contain_text(f"{HOSTILE}-1 is out of focus")
    await expect(blurred).to_contain_text("80")
    await expect(blurred).to_contain_text("50")
    await expect_accessible(page)

    await panel.get_by_role("button", name="现在的画面就是正常画面").click()
    confirm = page.get_by_role("dialog").get_by_role("button", name="现在的画面就是正常画面")
    await confirm.click()
    said = panel.get_by_role("status")
    await expect(said).to_contain_text("已按现在的画面学习")
    await blurred.get_by_role("button", name="误报").click()
    await page.get_by_label("说明").fill("有雾")
    await page.get_by_role("button", name="提交").click()
    await expect(said).to_contain_text("阈值已调整为 85")
    async with database.transaction() as tx:
        kept = (await list_feedback(tx, SYSTEM, FeedbackFilter())).items[0]
    assert (kept.author, kept.is_fault, kept.has_picture) == ("root-admin", False, True)
    assert kept.note == "有雾"
    outside.is_camera_away = True
    await panel.get_by_role("button", name="现在的画面就是正常画面").click()
    await confirm.click()
    await expect(said).to_contain_text("no answer within 3 s")
