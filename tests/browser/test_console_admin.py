"""The administration in a browser: people, rules, silences, the log, the hub itself."""

from datetime import UTC, datetime

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from hub.store import processes
from hub.store.database import Database
from tests.browser.console import HOSTILE, expect_accessible, shoot, sign_in
from tests.web.stage import PASSWORD, SYSTEM, World

WORDS = {
    "zh": {
        "name": "用户名*",
        "full": "姓名",
        "area": "区域 *",
        "create": "新增",
        "done": "完成",
        "rights": "可以做什么",
        "operate": "确认和解除告警",
        "added": "新增人员",
        "search": "搜索",
        "forbidden": "您的角色不能打开此页。",
        "processes": "进程",
        "jobs": "设备与消息接入",
    },
    "en": {
        "name": "User name*",
        "full": "Full name",
        "area": "Area *",
        "create": "Add",
        "done": "Done",
        "rights": "What this allows",
        "operate": "take and resolve alerts",
        "added": "added a person",
        "search": "Search",
        "forbidden": "Your role does not open this page.",
        "processes": "Processes",
        "jobs": "devices and brokers",
    },
}


async def choose_area(form: Locator, label: str, name: str) -> None:
    """Pick an area by keyboard: type, Enter."""
    field = form.get_by_role("combobox", name=label)
    await field.click()
    await field.press_sequentially(name)
    await field.press("Enter")
    await expect(field).to_have_value(name)


@pytest.mark.threat("T7")
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_person_is_added_with_a_role_and_the_log_knows_it(
    page: Page, address: str, world: World, language: str
) -> None:
    said = WORDS[language]
    await sign_in(page, address, "/admin/people/new", language=language)
    form = page.locator("main form")
    await form.get_by_label(said["name"]).fill("li-si")
    await form.get_by_label(said["full"]).fill(HOSTILE)
    await choose_area(form, said["area"], "East")
    await form.get_by_role("button", name=said["create"], exact=True).press("Enter")
    password = await page.locator("main code").inner_text()
    assert len(password) >= 12
    await page.get_by_role("button", name=said["done"], exact=True).click()
    await expect(page.locator("main h1")).to_have_text("li-si")
    rights = page.locator("section", has=page.get_by_role("heading", name=said["rights"]))
    await expect(rights).to_contain_text(said["operate"])
    await expect(page.get_by_label(said["full"])).to_have_value(HOSTILE)
    await expect_accessible(page)
    await shoot(page, f"admin-person-{language}")
    await page.goto(f"{address}/admin/people?q=li-si")
    await expect(page.locator("main tbody")).to_contain_text(HOSTILE)  # text, nothing else
    await page.goto(f"{address}/admin/audit?action=user.created&q=li-si")
    await expect(page.locator("main tbody tr")).to_have_count(1)
    await expect(page.locator("main tbody tr")).to_contain_text(said["added"])
    await expect(page.get_by_label(said["search"])).to_have_value("li-si")
    await expect_accessible(page)
    async with httpx.AsyncClient(base_url=address) as theirs:
        login = {"name": "li-si", "password": password}
        answer = await theirs.post("/api/v1/session/login", json=login)
        assert answer.status_code == 200
        assert answer.json()["permissions"] == ["operate", "see"]


async def test_a_rule_is_tried_on_the_past_and_its_alerts_are_silenced(
    page: Page, address: str, world: World
) -> None:
    await sign_in(page, address, "/admin/rules/new")
    form = page.locator("main form")
    await form.get_by_label("名称").first.fill("村口摄像机离线")
    await choose_area(form, "区域 *", "East")
    await page.get_by_role("button", name="按历史试算").click()
    tried = page.locator("section", has=page.get_by_role("heading", name="若早已启用会怎样"))
    await expect(tried).to_contain_text("不会产生告警。")
    await expect(tried).to_contain_text("没有自带接收方")
    doubts = page.locator("section", has=page.get_by_role("heading", name="可疑之处"))
    await expect(doubts.locator("li")).not_to_have_count(0)  # it tells nobody
    await expect_accessible(page)
    await shoot(page, "admin-rule")
    await form.get_by_role("button", name="保存").click()
    await page.get_by_role("link", name="村口摄像机离线").click()
    # What the hub refuses stands at its field, and nothing typed is lost.
    await form.get_by_label("监视什么").select_option(label="传感器读数过高或过低")
    await form.get_by_label("测点").fill("temp")
    await form.get_by_role("spinbutton", name="阈值", exact=True).fill("40")
    await form.get_by_label("恢复值").fill("45")
    await form.get_by_role("button", name="保存").click()
    await expect(form.locator(".error")).to_contain_text("good side")
    await expect(form.get_by_label("测点")).to_have_value("temp")
    page.once("dialog", lambda dialog: dialog.accept())  # yes, leave what is not saved
    await page.get_by_role("link", name="静默", exact=True).click()
    await page.get_by_role("link", name="+ 新增静默").click()
    form = page.locator("main form")
    await expect(form.locator(".preview")).to_contain_text("请先选择区域")
    await choose_area(form, "区域 *", "East")
    await form.get_by_label("原因").fill("线路割接")
    await expect(form.locator(".preview")).to_contain_text("目前没有符合的告警")
    await form.get_by_role("button", name="保存").click()
    line = page.locator("main tbody tr", has_text="线路割接")
    await expect(line).to_contain_text("生效中")
    await line.get_by_role("link").click()
    await page.get_by_role("button", name="立即结束").click()
    await page.get_by_role("dialog").get_by_role("button", name="立即结束").click()
    await expect(line).to_contain_text("已结束")
    await page.goto(f"{address}/admin/audit?action=silence")
    await expect(page.locator("main tbody tr")).to_have_count(2)


@pytest.mark.threat("T1")
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_hub_is_shown_to_those_who_run_it(
    page: Page, address: str, world: World, database: Database, language: str
) -> None:
    said = WORDS[language]
    async with database.transaction() as tx:
        mark = processes.ProcessMark(
            key="one",
            host="hub-1",
            pid=7,
            roles=["web", "alerts", "work"],
            version="1.2",
            started_at=datetime.now(UTC),
            facts={"parts": {"database": True, "storing": "the disk is full"}},
        )
        await processes.mark_process(tx, SYSTEM, mark)
    await sign_in(page, address, "/admin", language=language)
    grave = page.locator("main li.critical", has_text=said["jobs"])  # nobody listens to devices
    await expect(grave).to_be_visible()
    await expect_accessible(page)
    await shoot(page, f"admin-attention-{language}")
    await grave.get_by_role("link").click()
    health = page.locator("section", has=page.get_by_role("heading", name=said["processes"]))
    await expect(health).to_contain_text("hub-1")
    await expect(health).to_contain_text("the disk is full")
    await expect_accessible(page)
    await shoot(page, f"admin-system-{language}")


@pytest.mark.threat("T1")
@pytest.mark.threat("T2")
async def test_the_administration_is_not_offered_to_an_operator_nor_the_west_to_the_east(
    page: Page, address: str, world: World
) -> None:
    await sign_in(page, address, "/admin/people", name="east-operator")
    await expect(page.locator("main")).to_contain_text(WORDS["zh"]["forbidden"])
    await expect(page.get_by_role("link", name="系统管理")).to_have_count(0)
    await page.get_by_role("link", name="east-operator").click()
    await expect(page.get_by_role("heading", name="我的账户")).to_be_visible()
    await expect_accessible(page)
    await page.get_by_role("button", name="退出").click()
    await expect(page.locator("#sign-in-title")).to_be_visible()
    await sign_in(page, address, "/admin/areas", name="east-admin")
    tree = page.get_by_role("navigation", name="区域", exact=True)
    await expect(tree).to_contain_text("East")
    await expect(tree).not_to_contain_text("West")
    await page.get_by_role("link", name="接入", exact=True).click()
    await expect(page.locator("main tbody tr")).to_have_count(1)
    await expect(page.locator("main tbody")).not_to_contain_text("west")


async def test_what_somebody_else_changed_meanwhile_is_shown_and_nothing_typed_is_lost(
    page: Page, address: str, world: World
) -> None:
    async with httpx.AsyncClient(base_url=address) as other:
        login = {"name": "root-admin", "password": PASSWORD}
        csrf = (await other.post("/api/v1/session/login", json=login)).json()["csrf"]
        other.headers["X-CSRF-Token"] = csrf
        room = {"area_id": world.east, "name": "Gatehouse", "phone": "0573-1"}
        number = (await other.post("/api/v1/duty-rooms", json=room)).json()["id"]
        await sign_in(page, address, f"/admin/duty-rooms/{number}", language="en")
        form = page.locator("main form")
        await form.get_by_label("Name*").fill("East gatehouse")
        changed = {**room, "phone": "0573-2"}
        answer = await other.put(f"/api/v1/duty-rooms/{number}", json=changed)
        assert answer.status_code == 200
        await form.get_by_role("button", name="Save", exact=True).click()
        await expect(form.get_by_role("alert")).to_contain_text("0573-2")
        await expect(form.get_by_label("Name*")).to_have_value("East gatehouse")
        await form.get_by_role("button", name="Take theirs").click()
        await expect(form.get_by_label("Telephone")).to_have_value("0573-2")
        await form.get_by_label("Name*").fill("East gatehouse")
        await form.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator("main tbody")).to_contain_text("East gatehouse")
        stored = (await other.get(f"/api/v1/duty-rooms/{number}")).json()
        assert (stored["name"], stored["phone"]) == ("East gatehouse", "0573-2")
