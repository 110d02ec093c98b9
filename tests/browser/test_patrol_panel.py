"""The walk on the start page: one stop after another by keys, nothing judged unseen."""

import io
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from playwright.async_api import Page, expect

from hub.domain.access import Role
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, PatrolStop, Result, SecondLook
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.patrols.files import PictureFolder
from hub.runtime.files import write_whole
from hub.store import devices, rounds, stop_results
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.test_start_page import HOSTILE, shoot, sign_in
from tests.walked_rounds import HUB, Shown, begin_walk, show_stop
from tests.web.stage import Field, World, add_camera, add_person

CHECKLIST = ("门关好", "灯亮着")


def make_night(number: int) -> bytes:
    """A lane by night with a lamp, another at each place."""
    picture = np.full((720, 1280, 3), (38, 30, 26), np.uint8)
    cv2.rectangle(picture, (0, 430), (1280, 720), (58, 56, 54), -1)
    cv2.circle(picture, (200 + 190 * number, 250), 60, (190, 235, 250), -1)
    cv2.putText(picture, f"{number}", (40, 680), cv2.FONT_HERSHEY_SIMPLEX, 3, (180, 180, 180), 6)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def make_film() -> bytes:
    """Half a second of film as browsers play it."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(5):
            shade = np.full((180, 320, 3), 40 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="bgr24")))
        container.mux(stream.encode(None))
    return file.getvalue()


async def begin(
    database: Database, world: World, outside: Field, data_dir: Path, **changes: object
) -> int:
    """A round over four cameras: two doubtful ones, one that does not answer."""
    folder, now = PictureFolder(data_dir), outside.now
    async with database.transaction() as tx:
        names = ("安平村 村口", "安平村 仓库", "安平村 桥头")
        cameras = [world.east_camera]
        cameras += [(await add_camera(tx, world.east, name))[0] for name in names]
        await devices.edit_device(tx, HUB, world.east_camera, name=HOSTILE, area_id=world.east)
        number = await begin_walk(tx, world.town, cameras, now, lasts_s=3600, **changes)  # type: ignore[arg-type]  # the caller knows the fields
        shown: Sequence[Shown] = (
            Shown(jpeg=make_night(1), remarks=(HOSTILE,)),
            Shown(
                jpeg=make_night(2),
                doubt=82,
                remarks=(
                    "something moves where nothing moves at this hour: 4 % of the picture",
                    "the picture differs from what the camera usually shows",
                ),
            ),
            Shown(reason="camera cannot be reached"),
            Shown(jpeg=make_night(4), doubt=35, remarks=("a door was opened",), film=make_film()),
        )
        for position, one in enumerate(shown, start=1):
            await show_stop(tx, folder, (number, position), one, now - timedelta(seconds=20))
    return number


async def stops_of(database: Database, number: int) -> list[PatrolStop]:
    async with database.transaction() as tx:
        return [await stop_results.get_stop(tx, HUB, number, place) for place in range(1, 5)]


async def test_the_usual_view_and_the_film_are_a_key_away(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin(database, world, outside, tmp_path)
    stop = (await stops_of(database, number))[3]
    write_whole(EvidenceFolder(tmp_path).path(stop.device_id or 0, Kind.GOOD), make_night(3))
    async with database.transaction() as tx:
        await tx.execute("UPDATE patrol_stops SET result = 'normal' WHERE position < 4")
    await sign_in(page, address)
    await page.locator("#rounds").get_by_role("button", name="开始巡查").click()
    await look(page)
    picture = page.locator("#walk-picture")
    await page.keyboard.press("g")
    await expect(picture).to_contain_text("平时画面")
    await shoot(page, "walk-usual")
    await page.keyboard.press("n")  # goes back to tonight's picture and judges nothing
    await expect(picture).not_to_contain_text("平时画面")
    await look(page)
    assert (await stops_of(database, number))[3].result is Result.OPEN
    await page.keyboard.press("c")
    film = page.locator("#walk-picture video")
    await expect(film).to_be_visible()
    await expect(film).to_have_js_property("readyState", 4)
    await expect(picture.locator("img")).to_be_visible()  # again, when the film is over
    await look(page)
    await page.keyboard.press("z")
    await expect(picture).to_have_class("zoomed")
    await page.keyboard.press("n")
    await expect(page.locator("#walk-note")).to_have_text("这一轮巡查已经结束。")


async def test_a_picture_that_cannot_be_shown_is_not_judged(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin(database, world, outside, tmp_path)
    PictureFolder(tmp_path).picture_path(number, 1).write_bytes(make_night(3))
    await sign_in(page, address)
    await page.locator("#rounds").get_by_role("button", name="开始巡查").click()
    await expect(page.locator("#walk-picture")).to_contain_text("is not the one that was kept")
    await expect(page.locator("#walk-note")).to_contain_text("画面取不到")
    await expect(page.locator("#walk-do")).not_to_contain_text("正常")
    await look(page)
    await page.keyboard.press("n")
    await page.keyboard.press("a")
    await expect(page.locator("#walk-form")).to_be_hidden()
    await page.keyboard.press("s")
    await page.keyboard.type("画面文件损坏")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-camera")).to_have_text("安平村 村口")
    first = (await stops_of(database, number))[0]
    assert (first.result, first.note) == (Result.NOT_JUDGED, "画面文件损坏")


async def look(page: Page) -> None:
    """Wait until the picture was on the screen long enough to be judged."""
    await expect(page.locator("#walk-picture")).to_have_attribute("data-seen", "yes")


@pytest.mark.threat("T7")
async def test_a_round_is_walked_by_keys(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    details = PlanDetails(checklist=CHECKLIST)
    number = await begin(database, world, outside, tmp_path, details=details)
    await sign_in(page, address)
    line = page.locator(f"#rounds li[data-id='{number}']")
    await expect(line).to_contain_text("无人巡查")
    await expect(line).to_contain_text("人巡")
    await line.get_by_role("button", name="开始巡查").click()
    camera, image = page.locator("#walk-camera"), page.locator("#walk-picture img")
    await expect(camera).to_have_text(HOSTILE)
    await expect(page.locator("#walk-remarks")).to_have_text(HOSTILE)
    await expect(image).to_be_visible()
    assert await page.locator("#walk img").count() == 1

    await look(page)
    await page.keyboard.press("n")  # the checklist is not answered
    await expect(page.locator("#walk-note")).to_contain_text("逐项核对")
    await page.keyboard.press("0")
    await page.keyboard.press("n")
    await expect(camera).to_have_text("安平村 村口")
    await expect(page.locator("#walk-doubt")).to_contain_text("很可疑 82")
    await expect(image).to_be_visible()
    await shoot(page, "walk")

    await look(page)
    await page.keyboard.press("a")
    await expect(page.locator("#walk-form")).to_be_visible()
    await page.keyboard.press("4")  # something moves
    await page.keyboard.type("n: two carts")  # letters of a note are no keys
    await expect(page.locator("#walk-task")).to_be_checked()
    await shoot(page, "walk-abnormal")
    await page.keyboard.press("Enter")
    await expect(camera).to_have_text("安平村 仓库")
    await expect(page.locator("#walk-picture")).to_contain_text("camera cannot be reached")
    await expect(page.locator("#walk-note")).to_contain_text("已派单")

    stops = await stops_of(database, number)
    assert [(stop.result, stop.kind, stop.note) for stop in stops[:2]] == [
        (Result.NORMAL, "", ""),
        (Result.ABNORMAL, "something_moving", "n: two carts"),
    ]
    assert stops[1].dispatch_id is not None


async def test_a_stop_waits_a_walk_pauses_and_what_is_skipped_has_a_reason(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin(database, world, outside, tmp_path)
    async with database.transaction() as tx:
        await tx.execute("UPDATE patrol_stops SET result = 'normal' WHERE position <= 2")
    await sign_in(page, address)
    line = page.locator(f"#rounds li[data-id='{number}']")
    await line.get_by_role("button", name="开始巡查").click()
    camera = page.locator("#walk-camera")
    await expect(camera).to_have_text("安平村 仓库")
    await look(page)
    await page.keyboard.press(" ")
    await expect(camera).to_have_text("安平村 桥头")
    await look(page)
    await page.keyboard.press("p")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-note")).to_have_text("已暂停。按 P 继续。")
    await page.keyboard.press("n")
    await page.keyboard.press("p")
    await expect(page.locator("#walk-do")).to_contain_text("正常")
    await look(page)
    await page.keyboard.press("n")
    await expect(camera).to_have_text("安平村 仓库")
    await look(page)
    await page.keyboard.press("s")
    await page.keyboard.type("停电检修")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-note")).to_have_text("这一轮巡查已经结束。")
    await page.keyboard.press("Escape")
    await expect(page.locator("#walk")).to_be_hidden()
    await expect(line).to_contain_text("已完成")

    stops = await stops_of(database, number)
    assert [(stop.result, stop.note) for stop in stops[2:]] == [
        (Result.NOT_JUDGED, "停电检修"),
        (Result.NORMAL, ""),
    ]


async def test_two_people_on_one_round(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin(database, world, outside, tmp_path, mode=PatrolMode.MIXED)
    async with database.transaction() as tx:
        li = await add_person(tx, "li", Role.OPERATOR, world.town)
        await tx.execute(
            "UPDATE patrol_rounds SET walker_id = %(li)s, walker_name = '李伟'", {"li": li}
        )
    await sign_in(page, address)
    line = page.locator(f"#rounds li[data-id='{number}']")
    await expect(line).to_contain_text("李伟 正在巡查")
    await line.get_by_role("button", name="接手").click()
    await shoot(page, "rounds")
    await line.get_by_role("button", name="确定从 李伟 手中接过").click()
    camera = page.locator("#walk-camera")
    await expect(camera).to_have_text("安平村 村口")  # the most doubtful first
    await look(page)
    await page.keyboard.press("h")
    await page.locator("#walk-to").select_option(label="li")
    await page.locator("#walk-form-note").fill("桥头还没看")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-note")).to_have_text("li 已接手这一轮巡查。")
    await page.keyboard.press("n")
    await expect(page.locator("#walk-aside")).to_be_hidden()
    assert {stop.result for stop in await stops_of(database, number)} == {Result.OPEN}
    async with database.transaction() as tx:
        await rounds.get_round(tx, HUB, number)
        await tx.execute("UPDATE patrol_rounds SET walker_id = NULL, walker_name = ''")
        await notify(tx, HUB, "patrol-rounds", [number])
    await page.keyboard.press("Escape")
    await line.get_by_role("button", name="开始巡查").click()
    await expect(camera).to_have_text("安平村 村口")
    await page.locator("#walk").get_by_role("button", name="退出").click()
    await page.locator("#language").click()
    await expect(line).to_contain_text("you walk it")
    await line.get_by_role("button", name="Go on").click()
    await expect(page.locator("#walk-do")).to_contain_text("Abnormal")
    await expect(page.locator("#walk-note")).to_be_empty()
    await look(page)
    await shoot(page, "walk-english")


async def test_a_supervisor_looks_a_second_time(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin(database, world, outside, tmp_path)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE patrol_stops SET result = 'normal', judged_by = 'li', second_look = 'wanted'"
            " WHERE round_id = %(round)s AND position IN (2, 4)",
            {"round": number},
        )
    await sign_in(page, address)
    await page.get_by_role("button", name="待复核 2").click()
    camera = page.locator("#walk-camera")
    await expect(camera).to_have_text("安平村 村口")
    await expect(page.locator("#walk-doubt")).to_contain_text("li 判为 正常")
    await expect(page.locator("#walk-picture img")).to_be_visible()
    await look(page)
    await page.keyboard.press("d")
    await page.keyboard.type("有人")
    await shoot(page, "second-look")
    await page.keyboard.press("Enter")
    await expect(camera).to_have_text("安平村 桥头")
    await expect(page.locator("#walk-picture img")).to_be_visible()
    await look(page)
    await page.keyboard.press("y")
    await expect(page.locator("#walk-picture")).to_contain_text("没有待复核的了")
    stops = await stops_of(database, number)
    assert [stop.second_look for stop in stops[1::2]] == [SecondLook.DISAGREED, SecondLook.AGREED]
    assert stops[1].second_note == "有人"
