"""The live wall against simulated cameras: what a tile says, layouts, steering, foreign cameras."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from hub.simulators.faults import Fault
from hub.store.database import Database
from tests.browser.console import expect_accessible, sign_in
from tests.browser.wall_stage import WallSite, open_wall
from tests.chromium import find_chromium, open_chromium
from tests.conftest import missing
from tests.protocol.simulated import until, utc_now
from tests.web.stage import World

HOSTILE = "<img src=x onerror=alert(1)> {{7*7}}"
NAMES = ("青龙村东门 East gate", HOSTILE)
# How many pictures of each film were decoded.
DECODED = (
    "[...document.querySelectorAll('video')].map(v => v.getVideoPlaybackQuality().totalVideoFrames)"
)
# Answers an offer with a film of its own, as a media server would.
SEND_FILM = """
async (offer) => {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let n = 0;
  globalThis.drawing = setInterval(() => context.fillRect(n++ % 300, 0, 9, 150), 40);
  const connection = new RTCPeerConnection();
  const [track] = canvas.captureStream(25).getTracks();
  connection.addTrack(track);
  await connection.setRemoteDescription({type: "offer", sdp: offer});
  await connection.setLocalDescription(await connection.createAnswer());
  while (connection.iceGatheringState !== "complete") await new Promise((r) => setTimeout(r, 20));
  return connection.localDescription.sdp;
}
"""
WORDS = {
    "zh": {"frozen": "画面停滞", "offline": "离线"},
    "en": {"frozen": "FROZEN", "offline": "OFFLINE"},
}


@pytest.fixture
async def site(database: Database, world: World, tmp_path: Path) -> AsyncIterator[WallSite]:
    async with open_wall(database, world, tmp_path, NAMES) as opened:
        yield opened


def tile(page: Page, place: int) -> str:
    return f"[data-place='{place}'] .tile"


@pytest.mark.threat("T7")
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_tile_lives_and_says_when_it_does_not(
    page: Page, site: WallSite, language: str
) -> None:
    words = WORDS[language]
    first, second = site.cameras
    path = f"/wall?layout=4_{first.device}.{second.device}"
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await sign_in(page, site.address, path, name="east-operator", language=language)
    one, other = page.locator(tile(page, 1)), page.locator(tile(page, 2))
    await expect(one).to_have_attribute("data-word", "live", timeout=20_000)
    await expect(other).to_have_attribute("data-word", "live", timeout=20_000)
    await expect(other).to_contain_text(HOSTILE)
    before = await page.evaluate(DECODED)
    await page.wait_for_function(
        f"before => ({DECODED}).every((n, i) => n > before[i])", arg=before
    )
    await expect_accessible(page)
    await first.camera.set_fault(Fault.CABLE_CUT)
    await second.camera.set_fault(Fault.POWER_CUT)
    await expect(one).to_have_attribute("data-word", "frozen", timeout=20_000)
    await expect(one.locator(".band")).to_contain_text(words["frozen"])
    await expect(other.locator(".band")).to_contain_text(words["offline"], timeout=20_000)
    await expect_accessible(page)
    await first.camera.clear_fault()
    await second.camera.clear_fault()
    for each in (one, other):
        await expect(each).to_have_attribute("data-word", "live", timeout=40_000)
        await expect(each.locator(".band")).to_have_count(0)
    before = await page.evaluate(DECODED)
    await page.wait_for_function(
        f"before => ({DECODED}).every((n, i) => n > before[i])", arg=before
    )
    # The same two go on: nothing broke in between.
    assert sum("/live" in one for one in sockets) == 2


@pytest.mark.threat("T1")
async def test_cameras_are_hung_by_keys_and_layouts_kept(
    page: Page, site: WallSite, world: World, database: Database
) -> None:
    first, second = site.cameras
    path = f"/wall?layout=4_{first.device}.{world.west_camera}"
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await sign_in(page, site.address, path, name="east-operator")
    # Whose link it is does not count: what one may not see does not exist.
    await expect(page.locator(tile(page, 2))).to_contain_text("没有这台摄像机")
    assert "west" not in await page.locator(tile(page, 2)).inner_text()
    await page.locator("body").press("ArrowRight")
    await page.locator("body").press("Delete")
    await page.locator("body").press("/")
    await page.get_by_role("combobox", name="查找摄像机").fill("{{7*7}}")
    found = page.get_by_role("listbox", name="摄像机").get_by_role("option")
    await expect(found).to_have_count(1)
    await page.get_by_role("combobox", name="查找摄像机").press("Enter")
    await expect(page.locator(tile(page, 2))).to_have_attribute("data-device", str(second.device))
    # What is hung beside it disturbs no film.
    assert sum(f"/devices/{first.device}/live" in one for one in sockets) == 1
    hung = f"4_{first.device}.{second.device}"
    assert f"layout={hung}" in page.url
    await page.get_by_role("button", name="保存…").click()
    await page.get_by_role("dialog").get_by_label("名称").fill("夜班")
    await page.get_by_role("dialog").get_by_role("button", name="保存").click()
    await expect(page.get_by_role("combobox", name="打开布局")).to_have_value("夜班")
    await page.get_by_role("button", name="25 画面").click()
    await expect(page.locator("[data-place]")).to_have_count(25)
    await page.get_by_role("button", name="清空", exact=True).click()
    await expect(page.locator(".tile")).to_have_count(0)
    await page.reload()
    await page.get_by_role("combobox", name="打开布局").select_option("夜班")
    await expect(page.locator(".tile")).to_have_count(2)
    async with database.transaction() as tx:
        kept = await tx.scalar(str, "SELECT value ->> 'layout' FROM person_settings")
    assert kept == hung


async def test_a_camera_is_steered_by_keys_and_by_mouse_and_enlarged(
    page: Page, site: WallSite
) -> None:
    first = site.cameras[0]
    motor = first.camera.state.motor
    await sign_in(page, site.address, f"/wall?layout=4_{first.device}", name="east-operator")
    await expect(page.locator(tile(page, 1))).to_have_attribute("data-word", "live", timeout=20_000)
    await page.locator("body").press("p")
    presets = page.get_by_role("button", name="Bridge", exact=True)
    await expect(presets).to_be_visible()
    await page.keyboard.down("ArrowRight")
    await until(lambda: motor.place(utc_now()).away[0] > 0.05)
    await page.keyboard.up("ArrowRight")
    await until(lambda: not motor.is_moving(utc_now()))
    await page.get_by_role("button", name="变倍放大").hover()
    await page.mouse.down()
    await until(lambda: motor.place(utc_now()).away[2] > 0.05)
    await page.mouse.up()
    await until(lambda: not motor.is_moving(utc_now()))
    await presets.click()
    await until(lambda: first.camera.state.preset == 3)
    await page.locator(tile(page, 1)).click()
    await page.locator("body").press("Enter")
    large = page.locator("[data-place='1'] .tile").nth(1)
    await expect(large).to_have_attribute("data-word", "live", timeout=20_000)
    assert "open=1" in page.url
    await page.locator("body").press("Escape")
    await page.locator("body").press("Escape")
    await expect(large).to_have_count(0)


@asynccontextmanager
async def page_of_its_own(*flags: str) -> AsyncIterator[Page]:
    """A browser that is started with more than the others."""
    if find_chromium() is None:
        missing("no Chromium: apt-get install chromium")
    async with open_chromium(*flags) as browser:
        yield await (await browser.new_context(locale="zh-CN")).new_page()


async def test_an_operator_speaks_through_a_camera(site: WallSite) -> None:
    first = site.cameras[0]
    # A microphone that beeps, and nobody who must be asked for it.
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with page_of_its_own(*flags) as page:
        path = f"/wall?layout=1_{first.device}"
        await sign_in(page, site.address, path, name="east-operator")
        await page.get_by_role("button", name="监听与对讲").click()
        hold = page.get_by_role("button", name="按住说话")
        await hold.hover()
        assert not first.camera.state.told
        await page.mouse.down()
        await until(lambda: len(first.camera.state.told) > 4000)
        await page.mouse.up()
        await page.get_by_role("button", name="挂断").click()
        await expect(hold).to_have_count(0)


async def test_webrtc_is_taken_where_it_is_offered_and_left_when_it_freezes(
    site: WallSite,
) -> None:
    first = site.cameras[0]
    async with page_of_its_own("--disable-features=WebRtcHideLocalIpsWithMdns") as page:
        sender = await page.context.new_page()
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))

        async def tell_site(route: Route) -> None:
            answer = await route.fetch()
            await route.fulfill(response=answer, json={**await answer.json(), "webrtc": True})

        async def answer_offer(route: Route) -> None:
            asked = route.request.post_data_json or {}
            answer = await sender.evaluate(SEND_FILM, asked["offer"])
            said = {"viewing": 1, "stream": asked["stream"], "answer": answer}
            await route.fulfill(status=201, json=said)

        await page.route("**/api/v1/site", tell_site)
        await page.route("**/live/whep", answer_offer)
        await sign_in(page, site.address, f"/wall?layout=1_{first.device}", name="east-operator")
        shown = page.locator(tile(page, 1))
        await expect(shown).to_have_attribute("data-word", "live", timeout=20_000)
        assert not any("/live" in one for one in sockets)
        await sender.evaluate("clearInterval(globalThis.drawing)")
        # The hub's own socket takes over, with the camera's film.
        async with page.expect_event("websocket", timeout=20_000):
            pass
        await expect(shown).to_have_attribute("data-word", "live", timeout=20_000)
        assert await page.evaluate("document.querySelector('video').srcObject === null")
