"""The phone pages as their holders see them: 360 x 740, a thumb, a line that breaks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Geolocation, Locator, Page, Request, Route, ViewportSize, expect

from hub.domain.dispatches import DispatchState
from hub.patrols.dispatch.desk import Order, take_back
from hub.patrols.dispatch.life import FieldWord, field_step
from hub.patrols.dispatch.states import FieldStep
from hub.patrols.dispatch.talking import say
from hub.runtime.live import LiveFeed
from hub.store.database import Database
from hub.store.dispatch_messages import NewMessage, list_messages
from hub.store.dispatch_positions import list_positions
from hub.store.dispatches import get_dispatch
from hub.store.photos import PhotoOf, list_photos
from hub.store.room_calls import get_call
from hub.web.app import create_app
from streams.photos import PhotoCleaner
from tests.browser.cable import Cable
from tests.browser.console import HOSTILE, SHOTS
from tests.conftest import DATABASES
from tests.web.phone_photos import make_photo
from tests.web.phone_scene import CODE, ITEMS, TITLE, Scene, lay_scene
from tests.web.stage import SYSTEM, Field, World, serve

# What a page does is the same on every database: once is enough.
pytestmark = pytest.mark.parametrize("databases", DATABASES[:1], indirect=True)
PHONE: Final = ViewportSize(width=360, height=740)
AT_PLACE: Final = Geolocation(longitude=118.05, latitude=36.8, accuracy=12.0)


@pytest.fixture
async def address(database: Database, outside: Field, tmp_path: Path) -> AsyncIterator[str]:
    cleaner = PhotoCleaner()
    feed = LiveFeed(database)
    listening = asyncio.create_task(feed.run())
    services = replace(outside.services(database, tmp_path, feed), clean_photo=cleaner)
    async with serve(create_app(services)) as address:
        yield address
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await cleaner.close()


@pytest.fixture
async def scene(database: Database, world: World, outside: Field) -> Scene:
    return await lay_scene(database, world, outside.now)


async def state_of(database: Database, scene: Scene) -> DispatchState:
    async with database.transaction() as tx:
        return (await get_dispatch(tx, SYSTEM, scene.task)).state


async def shoot(page: Page, name: str) -> None:
    """What the phone's screen shows, for human eyes."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png")


async def go_there(database: Database, outside: Field, scene: Scene) -> None:
    """The unit has accepted and arrived."""
    for what in (FieldStep.ACCEPT, FieldStep.ON_SITE):
        async with database.transaction() as tx:
            said = FieldWord(what=what, unit_id=scene.unit)
            await field_step(tx, SYSTEM, scene.task, said, now=outside.now)


async def take_photo(page: Page, folder: Path, data: bytes) -> None:
    """Give the page a photo, as the phone's camera does."""
    picture = folder / "photo.jpg"
    picture.write_bytes(data)
    await page.locator("#camera").set_input_files(picture)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def test_a_task_is_accepted_and_reached(
    page: Page, address: str, database: Database, scene: Scene
) -> None:
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    page.on("request", note)
    await page.set_viewport_size(PHONE)
    await page.context.grant_permissions(["geolocation"])
    await page.context.set_geolocation(AT_PLACE)
    await page.goto(f"{address}/phone/task#{scene.token.reveal()}")
    await expect(page.locator("#title")).to_have_text(TITLE)
    await expect(page.locator("#number")).to_contain_text("紧急")
    await expect(page.locator("#due")).to_contain_text("剩")
    await shoot(page, "phone-sent")
    await page.locator("#step").click()
    await expect(page.locator("#step")).to_have_text("我已出发")
    await page.locator("#step").click()
    await expect(page.locator("#step")).to_have_text("我已到达")
    await page.get_by_label("路上和现场").check()
    await expect(page.locator("#position-note")).to_contain_text("位置已发送")
    await page.locator("#step").click()
    await expect(page.locator("#step")).to_have_text("处理完毕")
    await expect(page.locator("#line")).to_be_hidden()
    assert await state_of(database, scene) is DispatchState.ON_SITE
    async with database.transaction() as tx:
        (told,) = await list_positions(tx, SYSTEM, scene.task)
    assert (told.longitude, told.accuracy_m) == (AT_PLACE["longitude"], 12)
    # The token stands in the fragment alone, which browsers keep to themselves.
    assert len(asked) > 10
    token = scene.token.reveal()
    said = [(one.url, await one.header_value("referer")) for one in asked]
    assert not [one for one in said if token in str(one)]


@pytest.mark.threat("T24")
async def test_what_was_done_there_is_shown_and_sent(
    page: Page, address: str, database: Database, outside: Field, scene: Scene, tmp_path: Path
) -> None:
    await go_there(database, outside, scene)
    await page.set_viewport_size(PHONE)
    await page.goto(f"{address}/phone/task#{scene.token.reveal()}")
    await take_photo(page, tmp_path, make_photo(2400, 1800))
    await expect(page.locator("#photos figcaption")).to_have_text("已送达")
    await page.locator("#words").fill("已设警示标志\n缺口 2.1 米")
    await button(page, "发送").click()
    await expect(page.locator("#messages li")).to_contain_text("缺口 2.1 米")
    await expect(page.locator("#messages .waiting")).to_have_count(0)
    await page.get_by_label(ITEMS[0]).check()
    await shoot(page, "phone-on-site")

    await page.locator("#step").click()
    await expect(page.locator("#sure-missing li")).to_contain_text([ITEMS[1]])
    await shoot(page, "phone-sure")
    await page.locator("#sure-note").fill("没有带卷尺")
    await page.locator("#sure-ok").click()
    await expect(page.locator("#message-what")).to_contain_text("已完成")
    await shoot(page, "phone-done")
    await page.reload()
    await expect(page.locator("#message-what")).to_contain_text("已完成")
    assert await state_of(database, scene) is DispatchState.DONE
    async with database.transaction() as tx:
        task = await get_dispatch(tx, SYSTEM, scene.task)
        photos = await list_photos(tx, SYSTEM, PhotoOf(dispatch_id=scene.task))
        assert task.checked == (True, False)
    assert [max(photo.width, photo.height) for photo in photos] == [1600]


@pytest.mark.threat("K1")
async def test_without_a_line_it_goes_on_and_sends_everything_once_it_is_back(
    page: Page, cable: Cable, database: Database, scene: Scene, tmp_path: Path
) -> None:
    await page.set_viewport_size(PHONE)
    await page.goto(f"{cable.address}/phone/task#{scene.token.reveal()}")
    await expect(page.locator("#step")).to_have_text("接受任务")
    await cable.cut()
    for before, after in (
        ("接受任务", "我已出发"),
        ("我已出发", "我已到达"),
        ("我已到达", "处理完毕"),
    ):
        await expect(page.locator("#step")).to_have_text(before)
        await page.locator("#step").click()
        await expect(page.locator("#step")).to_have_text(after)
    await page.locator("#words").fill("这里没有信号")
    await button(page, "发送").click()
    await take_photo(page, tmp_path, make_photo(800, 600))
    await expect(page.locator("#line")).to_contain_text("没有网络")
    await expect(page.locator("#line")).to_contain_text("5 项待发送")
    await expect(page.locator("#photos figcaption")).to_have_text("待发送")
    await shoot(page, "phone-offline")
    assert await state_of(database, scene) is DispatchState.SENT
    # The browser ended the page meanwhile, as phones do when the camera wants memory.
    await cable.mend()
    await page.route("**/api/**", lambda route: route.abort())
    await page.reload()
    await expect(page.locator("#step")).to_have_text("处理完毕")
    await expect(page.locator("#photos figcaption")).to_have_text("待发送")
    await page.unroute("**/api/**")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.locator("#photos figcaption")).to_have_text("已送达")
    await expect(page.locator("#line")).to_be_hidden()
    await page.locator("#step").click()
    await page.locator("#sure-note").fill("先回")
    # The hub takes the last word, and its answer is lost on the way.
    lost: list[str] = []

    async def lose_first(route: Route) -> None:
        answer = await route.fetch()
        lost.append(str(answer.status))
        await (route.abort() if len(lost) == 1 else route.fulfill(response=answer))

    await page.route("**/task/steps", lose_first)
    await page.locator("#sure-ok").click()
    await expect(page.locator("#message-what")).to_contain_text("已完成")
    assert lost == ["200", "200"]
    async with database.transaction() as tx:
        assert (await get_dispatch(tx, SYSTEM, scene.task)).state is DispatchState.DONE
        assert len(await list_messages(tx, SYSTEM, scene.task)) == 1
        assert len(await list_photos(tx, SYSTEM, PhotoOf(dispatch_id=scene.task))) == 1


@pytest.mark.threat("T7")
async def test_names_are_inert_and_nothing_is_wider_than_the_screen(
    page: Page, address: str, database: Database, world: World, outside: Field
) -> None:
    long = HOSTILE + "很长的标题" * 8
    scene = await lay_scene(database, world, outside.now, title=long)
    async with database.transaction() as tx:
        said = NewMessage(author=HOSTILE, is_field=False, text=HOSTILE * 3, at=outside.now)
        await say(tx, SYSTEM, scene.task, said)
    await page.set_viewport_size(PHONE)
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{address}/phone/task#{scene.token.reveal()}")
    await expect(page.locator("#title")).to_have_text(long)
    await expect(page.locator("#messages")).to_contain_text(HOSTILE)
    assert await page.locator("main img:not(#picture)").count() == 0
    await page.locator("#language").click()
    await expect(page.locator("#step")).to_have_text("Accept the task")
    await shoot(page, "phone-dark-en")
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    small = await page.evaluate(
        "[...document.querySelectorAll('button, .button, .check')].filter((e) => e.offsetParent"
        " && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)"
    )
    assert small == []
    await button(page, "I cannot go").click()
    await button(page, "Tell the desk").click()
    await expect(page.locator("#sure")).to_be_visible()  # a reason is asked for
    await button(page, "Too far to be there in time").click()
    await shoot(page, "phone-refuse")
    await button(page, "Tell the desk").click()
    await expect(page.locator("#message-what")).to_have_text("The desk knows")
    assert await state_of(database, scene) is DispatchState.REFUSED


async def test_a_link_that_is_over_or_cut_says_so(
    page: Page, address: str, database: Database, outside: Field, scene: Scene
) -> None:
    await page.set_viewport_size(PHONE)
    await page.goto(f"{address}/phone/task")
    await expect(page.locator("#message-what")).to_have_text("链接不完整")
    await page.goto(f"{address}/phone/task#{scene.token.reveal()}")
    await expect(page.locator("#step")).to_have_text("接受任务")
    async with database.transaction() as tx:
        order = Order(dispatch_id=scene.task, note="换人", now=outside.now)
        await take_back(tx, SYSTEM, order)
    await page.locator("#step").click()
    await expect(page.locator("#message-what")).to_have_text("此链接已失效")
    await expect(page.locator("#next")).to_be_hidden()
    await shoot(page, "phone-over")


async def test_a_roll_call_is_answered_with_the_code_it_shows(
    page: Page, address: str, database: Database, scene: Scene
) -> None:
    await page.set_viewport_size(PHONE)
    await page.goto(f"{address}/phone/call#{scene.call_token.reveal()}")
    await expect(page.locator("#code")).to_have_text(CODE)
    await expect(page.locator("#room")).to_contain_text("东村值班室")
    await shoot(page, "phone-call")
    await page.locator("#typed").fill("1111")
    await page.locator("#by").fill("赵敏")
    await button(page, "在岗").click()
    await expect(page.locator("#note")).to_contain_text("数字不对")
    await page.locator("#typed").fill(CODE)
    await button(page, "在岗").click()
    await expect(page.locator("#message-what")).to_contain_text("已应答")
    async with database.transaction() as tx:
        assert (await get_call(tx, SYSTEM, scene.call)).answered_by == "赵敏"
    await page.reload()
    await expect(page.locator("#message-what")).to_have_text("此点名已结束")
