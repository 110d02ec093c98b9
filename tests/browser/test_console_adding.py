"""Adding devices in the console: looked for, imported, approved; many changed at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub.store import device_lists, device_tags
from hub.store.database import Database
from hub.store.device_lists import DeviceFilter
from tests.browser.adding_stage import HOSTILE_NAME, let_wait, looking
from tests.browser.console import expect_accessible, sign_in
from tests.protocol.simulated import LOGIN, simulated_camera
from tests.web.stage import SYSTEM, Field, World, add_camera

COMMA = "\uff0c"
PATIENCE_MS = 20_000  # a look, or 900 rows on a busy machine
WORDS = {
    "zh": {
        "start": "开始搜索", "ranges": "地址段", "ports": "端口", "password": "密码",
        "choose": "选择 西门1 West gate 1", "next": "下一步", "area": "区域",
        "add": "添加 1 台设备",
        "added": "已添加 1 台设备", "cannot": "不允许接入", "done": "已完成", "fits": "账号正确",
    },
    "en": {
        "start": "Start looking", "ranges": "Address ranges", "ports": "Ports",
        "password": "Password", "choose": "Choose 西门1 West gate 1", "next": "Next",
        "area": "Area",
        "add": "Add 1 device", "added": "1 device is added", "cannot": "not allowed",
        "done": "finished", "fits": "fits",
    },
}  # fmt: skip


@pytest.fixture
def outside() -> Field:
    """As everywhere, with devices on loopback."""
    return Field(now=datetime.now(UTC), networks=("127.0.0.0/8",))


@pytest.mark.threat("T4")
@pytest.mark.threat("T7")
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_camera_is_looked_for_and_added(
    page: Page, address: str, world: World, database: Database, language: str
) -> None:
    said = WORDS[language]
    async with looking(database), simulated_camera(serial="SIM-77") as camera:
        await sign_in(page, address, "/devices/add", language=language)
        await expect_accessible(page)
        await page.locator("a[href='/devices/add/scan']").click()
        await page.get_by_label(said["ranges"], exact=True).fill("127.0.0.1")
        await page.get_by_text(said["ports"], exact=True).click()
        await page.get_by_label("ONVIF").fill(str(camera.state.http_port))
        await page.get_by_label(said["password"], exact=True).fill(LOGIN.password.reveal())
        await expect_accessible(page)
        await page.get_by_role("button", name=said["start"]).click()
        over = page.get_by_text(said["done"], exact=False).first
        await expect(over).to_be_visible(timeout=PATIENCE_MS)
        rows = page.get_by_role("row")
        await expect(rows.filter(has_text="SIM-77").get_by_text(said["fits"])).to_be_visible()
        stranger = rows.filter(has_text="169.254.169.254")
        await expect(stranger).to_contain_text(HOSTILE_NAME)
        await expect(stranger).to_contain_text(said["cannot"])
        await expect(stranger.get_by_role("checkbox")).to_be_disabled()
        await expect_accessible(page)
        # Without a mouse: choose, go on, add.
        await page.get_by_role("checkbox", name=said["choose"]).focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name=said["next"]).press("Enter")
        area = page.get_by_role("combobox", name=said["area"], exact=True)
        await area.fill("East")
        await area.press("Enter")
        await expect_accessible(page)
        await page.get_by_role("button", name=said["add"]).press("Enter")
        await expect(page.get_by_text(said["added"])).to_be_visible()
    assert await page.title() != "broken-in"
    async with database.transaction() as tx:
        wanted = DeviceFilter(text="SIM-77", area_id=world.east)
        (line,) = (await device_lists.list_devices(tx, SYSTEM, wanted)).items
    assert line.name == "西门1 West gate 1"
    assert "step=result" in page.url


@pytest.mark.threat("T7")
async def test_a_file_is_corrected_where_its_faults_are_and_goes_in_whole(
    page: Page, address: str, world: World, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "cameras.csv"
    lines = [
        "名称,所属区划,接入协议,接入地址",
        "东门,east,rtsp,rtsp://10.1.0.1/main",
        f'"{HOSTILE_NAME.replace(chr(34), chr(34) * 2)}",nowhere,rtsp,rtsp://10.1.0.2/main',
        *(f"cam {n},east,rtsp,rtsp://10.2.{n // 250}.{n % 250 + 1}/main" for n in range(900)),
    ]
    file.write_bytes("\n".join(lines).encode("gb18030"))
    await sign_in(page, address, "/devices/add/import", name="east-admin")
    await page.locator("input[type=file]").set_input_files(file)
    await expect(page.get_by_text("1 行有错误")).to_be_visible(timeout=PATIENCE_MS)
    button = page.get_by_role("button", name="导入全部 902 行")
    await expect(button).to_be_disabled()
    cell = page.get_by_label(f"所属区划{COMMA}第 3 行")
    await expect(cell).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_text("没有这个区划代码")).to_be_visible()
    # Of 902 rows only those in sight are in the page.
    assert await page.get_by_role("row").count() < 60
    await expect_accessible(page)
    await page.get_by_role("button", name="下一处错误").press("Enter")
    await expect(cell).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("east")
    await expect(page.get_by_text("没有错误。")).to_be_visible(timeout=PATIENCE_MS)
    await button.click()
    await expect(page.get_by_text("导入完成。")).to_be_visible(timeout=PATIENCE_MS)
    async with database.transaction() as tx:
        count = await device_lists.count_devices(tx, SYSTEM, DeviceFilter(area_id=world.east))
        west = await device_lists.count_devices(tx, SYSTEM, DeviceFilter(area_id=world.west))
    assert (count, west) == (903, 1)
    assert await page.title() != "broken-in"


@pytest.mark.threat("T1")
async def test_what_waits_is_approved_into_an_area(
    page: Page, address: str, world: World, database: Database
) -> None:
    first, second = await let_wait(database, world, ("Water level", HOSTILE_NAME))
    await sign_in(page, address, "/devices/add/waiting", name="east-admin", language="en")
    await expect(page.get_by_text("2 devices wait")).to_be_visible()
    await expect(page.get_by_text("temp").first).to_be_visible()
    area = page.get_by_role("combobox", name="Put them into")
    await area.fill("West")
    await expect(page.get_by_text("No such area")).to_be_visible()
    await area.press("Escape")
    await page.get_by_role("checkbox", name="Choose Water level").check()
    await expect_accessible(page)
    await page.get_by_role("button", name="Approve 1").click()
    await expect(page.get_by_text("1 device waits")).to_be_visible()
    async with database.transaction() as tx:
        lines = await device_lists.list_lines(tx, SYSTEM, [first, second])
    assert [line.registration for line in lines] == ["approved", "pending"]


async def test_many_devices_change_after_it_was_shown_what_that_does(
    page: Page, address: str, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        ids = [(await add_camera(tx, world.east, f"east-{n}"))[0] for n in (2, 3)]
    await sign_in(page, address, "/devices", language="en")
    await expect(page.get_by_text("4 devices").first).to_be_visible()
    await page.keyboard.press("a")
    await page.get_by_role("button", name="Change them").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("checkbox", name="Add tags").check()
    await dialog.get_by_role("textbox", name="Add tags").fill("gate, 夜查")
    await expect(dialog.get_by_text("4 will change")).to_be_visible()
    await expect_accessible(page)
    await dialog.get_by_role("button", name="Change 4 devices").click()
    await expect(page.get_by_text("4 devices are changed.")).to_be_visible()
    async with database.transaction() as tx:
        assert await device_tags.get_tags(tx, SYSTEM, ids[0]) == ("gate", "夜查")
