"""The start page as an operator sees it."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Dialog, Page, Route, expect

from hub.domain.devices import Connection, DeviceDescription, DeviceKind, Registration
from hub.domain.health import Layer, Status
from hub.store import areas, connections, devices
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.cable import Cable
from tests.statuses import Told, change_status
from tests.web.history import fill_west, raise_alert
from tests.web.stage import PASSWORD, SYSTEM, Field, World

HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}'
SHOTS = os.environ.get("GENGFU_SCREENSHOTS")


async def shoot(page: Page, name: str) -> None:
    """Keep a picture for human eyes when somebody asked for it."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def sign_in(page: Page, address: str, name: str = "root-admin") -> None:
    await page.goto(f"{address}/old")
    await page.locator("#login input[name=name]").fill(name)
    await page.locator("#login input[name=password]").fill(PASSWORD)
    await page.locator("#login button").click()
    await expect(page.locator("#live")).to_have_text("实时")


async def add_silent_sensor(database: Database, world: World, name: str) -> None:
    """A device that reported by itself and waits for approval."""
    async with database.transaction() as tx:
        link = Connection(
            id=0, protocol="mqtt", name="broker", address="mqtt://broker.test/", area_id=world.east
        )
        number = await connections.add_connection(tx, SYSTEM, link)
        state = connections.LinkState(
            connection_id=number, state="AuthRejected", detail="the broker refuses the password"
        )
        await connections.set_states(tx, SYSTEM, [state])
        new = devices.NewDevice(
            connection_id=number,
            key="s1",
            area_id=world.east,
            description=DeviceDescription(kind=DeviceKind.SENSOR, name=name),
            registration=Registration.PENDING,
        )
        await devices.add_device(tx, SYSTEM, new)


async def test_a_wrong_password_is_said_and_the_right_one_opens(
    page: Page, address: str, world: World
) -> None:
    await page.goto(f"{address}/old")
    await expect(page.locator("#login")).to_be_visible()
    await expect(page.locator("#main")).to_be_hidden()
    await shoot(page, "login")
    await page.locator("#login input[name=name]").fill("east-viewer")
    await page.locator("#login input[name=password]").fill("wrong-password")
    await page.locator("#login button").click()
    await expect(page.locator("#login-error")).to_have_text("用户名或密码不对。")
    await sign_in(page, address, "east-viewer")
    await expect(page.locator("#devices tr")).to_have_count(1)
    await expect(page.locator("#devices")).to_contain_text("east-1")
    await page.reload()
    await expect(page.locator("#devices")).to_contain_text("east-1")
    await page.locator("#logout").click()
    await expect(page.locator("#login")).to_be_visible()


async def test_a_device_changes_before_the_operators_eyes(
    page: Page, address: str, world: World, database: Database, outside: Field
) -> None:
    await sign_in(page, address)
    row = page.locator(f"#devices tr[data-id='{world.east_camera}']")
    await expect(row).to_contain_text("未知")
    async with database.transaction() as tx:
        changed = Told(
            device_id=world.east_camera,
            status=Status.OFFLINE,
            since=outside.now,
            layer=Layer.NETWORK,
            detail="no answer within 3 s",
        )
        await change_status(tx, SYSTEM, changed)
        await notify(tx, SYSTEM, "statuses", [world.east_camera])
    await expect(row).to_contain_text("离线")
    await expect(row).to_contain_text("网络不通")
    await expect(row).to_contain_text("no answer within 3 s")
    await expect(page.locator(".tile.offline b")).to_have_text("1")
    await page.locator(".tile.offline").click()
    await expect(page.locator("#devices tr")).to_have_count(1)
    await page.locator("#language").click()
    await expect(row).to_contain_text("offline")


async def test_an_alert_arrives_is_acknowledged_and_resolved(
    page: Page, address: str, world: World, database: Database, tmp_path: Path
) -> None:
    await fill_west(database, world, tmp_path)
    await add_silent_sensor(database, world, "门磁 7")
    await sign_in(page, address)
    async with database.transaction() as tx:
        number, _ = await raise_alert(tx, world.east, world.east_camera, "east")
        await notify(tx, SYSTEM, "alerts", [number])
    alert = page.locator(f"#alerts li[data-id='{number}']")
    await expect(alert).to_contain_text("east-1")
    await expect(page.locator("#pending")).to_contain_text("门磁 7")
    await expect(page.locator("#connections")).to_contain_text("用户名或密码被拒")
    await expect(page.locator("#rounds a")).to_have_text("报告")
    await shoot(page, "main")
    await alert.get_by_role("button", name="确认").click()
    await expect(alert).to_contain_text("root-admin 已确认")
    await expect(alert.get_by_role("button", name="确认")).to_have_count(0)
    await alert.get_by_role("button", name="解除").click()
    await page.locator("#reason").fill("电源已恢复")
    await shoot(page, "resolve")
    await page.locator("#resolve button.main").click()
    await expect(alert).to_have_count(0)
    await page.locator("#pending button").click()
    await expect(page.locator("#pending-card")).to_be_hidden()
    await expect(page.locator("#devices")).to_contain_text("门磁 7")


async def test_a_linked_alert_opens_with_its_account_and_is_taken(
    page: Page, address: str, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        number, _ = await raise_alert(tx, world.east, world.east_camera, "east")
    await sign_in(page, f"{address}/old")
    account = page.locator("#account")
    await expect(account).to_contain_text("触发")
    await expect(account).to_contain_text("无人被通知")
    await account.locator("#account-note").fill("<b>去看看</b>")
    await account.get_by_role("button", name="我来处理").click()
    await expect(account.locator("#account-lines")).to_contain_text("指派")
    await expect(account.locator("#account-lines")).to_contain_text("<b>去看看</b>")
    await account.get_by_role("button", name="暂缓 30 分钟").click()
    await expect(account.locator("#account-lines")).to_contain_text("暂缓")
    await shoot(page, "account")
    await account.get_by_role("button", name="关闭").click()
    alert = page.locator(f"#alerts li[data-id='{number}']")
    await expect(alert).to_contain_text("root-admin 处理中")
    await expect(alert).to_contain_text("静默至")
    assert page.url.rstrip("/") == address.rstrip("/")


async def test_nothing_is_said_to_be_well_before_it_was_read(
    page: Page, address: str, world: World, database: Database, tmp_path: Path
) -> None:
    await fill_west(database, world, tmp_path)
    refused = True

    async def answer(route: Route) -> None:
        if refused:
            await route.fulfill(status=503, json={"detail": "the database does not answer"})
        else:
            await route.continue_()

    await page.route("**/api/v1/alerts?*", answer)
    await page.goto(f"{address}/old")
    await page.locator("#login input[name=name]").fill("root-admin")
    await page.locator("#login input[name=password]").fill(PASSWORD)
    await page.locator("#login button").click()
    await expect(page.locator("#banner")).to_contain_text("the database does not answer")
    await expect(page.locator("#live")).to_have_text("正在连接…")
    await expect(page.locator("#alerts-empty")).to_be_hidden()
    refused = False
    await expect(page.locator("#live")).to_have_text("实时", timeout=15_000)
    await expect(page.locator("#alerts")).to_contain_text("west-1")
    await expect(page.locator("#banner")).to_be_hidden()


async def test_a_camera_can_be_looked_at(page: Page, address: str, world: World) -> None:
    await sign_in(page, address, "east-viewer")
    await page.locator("#devices button").click()
    await expect(page.locator("#picture-what")).to_have_text("east-1")
    await expect(page.locator("#picture-image")).to_be_visible()
    assert await page.locator("#picture-image").evaluate(
        "i => i.decode().then(() => i.naturalWidth)"
    )


@pytest.mark.threat("T7")
async def test_names_are_inert(page: Page, address: str, world: World, database: Database) -> None:
    opened: list[str] = []

    async def close(dialog: Dialog) -> None:
        opened.append(dialog.message)
        await dialog.dismiss()

    page.on("dialog", close)
    async with database.transaction() as tx:
        await devices.edit_device(tx, SYSTEM, world.east_camera, name=HOSTILE, area_id=world.east)
        await areas.rename_area(tx, SYSTEM, world.east, HOSTILE)
        number, _ = await raise_alert(tx, world.east, world.east_camera, "east")
        del number
    await add_silent_sensor(database, world, HOSTILE)
    await sign_in(page, address)
    for place in ("#devices", "#alerts", "#pending"):
        await expect(page.locator(place)).to_contain_text(HOSTILE)
    assert await page.locator("main img").count() == 0
    assert opened == []


async def test_a_lost_hub_is_said_and_everything_turns_grey(
    page: Page, cable: Cable, world: World, database: Database
) -> None:
    await sign_in(page, cable.address)
    await expect(page.locator("#devices tr")).to_have_count(2)
    await cable.cut()
    await expect(page.locator("#banner")).to_contain_text("连接中断")
    await expect(page.locator("#main")).to_have_class("stale")
    await expect(page.locator("#live")).to_be_hidden()
    await shoot(page, "lost")
    async with database.transaction() as tx:
        await devices.edit_device(tx, SYSTEM, world.east_camera, name="gate", area_id=world.east)
    await cable.mend()
    await expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
    await expect(page.locator("#live")).to_have_text("实时")
    await expect(page.locator("#devices")).to_contain_text("gate")
