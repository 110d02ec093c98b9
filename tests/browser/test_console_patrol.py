"""The patrol desk: a round is walked by keys, nothing is judged unseen, nothing typed is lost."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from hub.domain.access import Role
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, Result
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.patrols.files import PictureFolder
from hub.runtime.files import write_whole
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.console import expect_accessible, sign_in
from tests.browser.patrol_night import (
    BRIDGE,
    GATE,
    HOSTILE,
    STORE,
    begin_night,
    make_night,
    stops_of,
)
from tests.walked_rounds import HUB
from tests.web.stage import PASSWORD, Field, World, add_person

SHOTS = os.environ.get("GENGFU_SHOTS")
CHECKLIST = ("门关好", "灯亮着")
SAYS: Sequence[Mapping[str, str]] = (
    {
        "language": "zh", "walk": "开始巡查", "nobody": "无人巡查", "check": "逐项核对",
        "much": "很可疑 82", "sent": "已派单", "over": "这一轮巡查已经结束。", "state": "已完成",
    },
    {
        "language": "en", "walk": "Walk", "nobody": "nobody walks it",
        "check": "Answer the checklist first", "much": "very doubtful 82", "sent": "opened",
        "over": "This round is over.", "state": "finished",
    },
)  # fmt: skip


async def shoot(page: Page, name: str) -> None:
    """Keep a picture for human eyes when somebody asked for it."""
    if SHOTS:
        for theme in ("light", "dark"):
            await page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            await page.screenshot(path=f"{SHOTS}/patrol-{name}-{theme}.png")


def note(page: Page) -> Locator:
    return page.locator("[data-note]")


def picture(page: Page) -> Locator:
    """The stage, once what it shows was there long enough to be judged."""
    return page.locator("figure[data-seen=yes]").first


async def look(page: Page, camera: str) -> None:
    await expect(page.locator("h2.camera")).to_have_text(camera)
    await expect(picture(page)).to_be_visible()


def line(page: Page, number: int) -> Locator:
    return page.locator(f"[data-rounds] li[data-round='{number}']")


async def begin(page: Page, number: int, word: str) -> None:
    await line(page, number).get_by_role("button", name=word, exact=True).click()
    await expect(page.locator("h2.camera")).to_be_visible()


async def answer_the_checklist(page: Page, check: str) -> None:
    """Judge the first stop: not before the checklist is answered; a key held down works once."""
    await look(page, HOSTILE)
    await expect(page.locator(".remarks")).to_have_text(HOSTILE)
    assert await page.locator("main img").count() == 1
    await page.keyboard.press("n")
    await expect(note(page)).to_contain_text(check)
    await page.keyboard.press("0")
    await page.keyboard.down("n")
    await look(page, GATE)
    await page.keyboard.down("n")  # a repeat
    await page.keyboard.up("n")


async def find_abnormal(page: Page, says: Mapping[str, str]) -> None:
    """Judge the second stop abnormal and open a task; letters of a note are no keys."""
    await expect(page.locator(".doubt")).to_contain_text(says["much"])
    await expect(page.locator(".stage img")).to_be_visible()
    await expect_accessible(page)
    await shoot(page, f"walk-{says['language']}")
    await page.keyboard.press("1")
    await page.keyboard.press("a")
    await page.keyboard.press("4")  # something moves
    await page.keyboard.type("n: two carts")
    await expect(page.locator("form input[type=checkbox]")).to_be_checked()
    await expect_accessible(page)
    await shoot(page, f"walk-abnormal-{says['language']}")
    await page.keyboard.press("Enter")
    await look(page, STORE)
    await expect(picture(page)).to_contain_text("camera cannot be reached")
    await expect(note(page)).to_contain_text(says["sent"])


@pytest.mark.threat("T7")
@pytest.mark.parametrize("says", SAYS, ids=["zh", "en"])
async def test_a_round_is_walked_by_keys(  # noqa: PLR0913, PLR0917 - fixtures
    page: Page,
    address: str,
    world: World,
    database: Database,
    outside: Field,
    tmp_path: Path,
    says: Mapping[str, str],
) -> None:
    await page.set_viewport_size({"width": 1280, "height": 800})
    details = PlanDetails(checklist=CHECKLIST)
    number = await begin_night(database, world, outside, tmp_path, details=details)
    await sign_in(page, address, "/patrol", language=says["language"])
    await expect(line(page, number)).to_contain_text(says["nobody"])
    await expect_accessible(page)
    await shoot(page, f"tonight-{says['language']}")
    await begin(page, number, says["walk"])
    await answer_the_checklist(page, says["check"])
    await find_abnormal(page, says)

    await page.keyboard.press(" ")
    await look(page, BRIDGE)
    await page.keyboard.press("0")
    await page.keyboard.press("n")
    await look(page, STORE)
    await page.keyboard.press("s")
    await page.keyboard.type("停电检修")
    await page.keyboard.press("Enter")
    await expect(note(page)).to_have_text(says["over"])
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(f"{address}/patrol/rounds/{number}")
    await expect(page.locator("main")).to_contain_text(says["state"])

    stops = await stops_of(database, number)
    assert [(stop.result, stop.kind, stop.note) for stop in stops] == [
        (Result.NORMAL, "", ""),
        (Result.ABNORMAL, "something_moving", "n: two carts"),
        (Result.NOT_JUDGED, "", "停电检修"),
        (Result.NORMAL, "", ""),
    ]
    assert (tuple(stops[1].checked), stops[1].dispatch_id is not None) == ((True, False), True)


async def use_the_views(page: Page) -> None:
    """The usual picture and what is live stand beside it; a film is left before one judges."""
    await look(page, BRIDGE)
    await page.keyboard.press("g")
    await expect(page.locator("figcaption", has_text="平时画面")).to_be_visible()
    await shoot(page, "walk-usual")
    await page.keyboard.press("v")  # live, in its place; tonight's picture stays
    await expect(page.locator(".stage .live")).to_be_visible()
    await expect(page.locator("figcaption", has_text="平时画面")).to_have_count(0)
    await shoot(page, "walk-live")
    await page.keyboard.press("v")
    await page.keyboard.press("z")
    await expect(page.locator("figure.zoomed")).to_be_visible()
    await page.keyboard.press("c")
    film = page.locator("figure video")
    await expect(film).to_have_js_property("readyState", 4)
    await page.keyboard.press("n")  # goes back to the picture and judges nothing
    await expect(film).to_have_count(0)
    await look(page, BRIDGE)


async def test_what_is_shown_beside_a_picture_and_what_cannot_be_shown(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin_night(database, world, outside, tmp_path)
    stop = (await stops_of(database, number))[3]
    write_whole(EvidenceFolder(tmp_path).path(stop.device_id or 0, Kind.GOOD), make_night(3))
    PictureFolder(tmp_path).picture_path(number, 1).write_bytes(make_night(3))
    async with database.transaction() as tx:
        await tx.execute("UPDATE patrol_stops SET result = 'normal' WHERE position IN (2, 3)")
    await sign_in(page, address, "/patrol")
    await begin(page, number, "开始巡查")
    # The file of the first is not the one that was kept: nobody judges it.
    await look(page, HOSTILE)
    await expect(picture(page)).to_contain_text("is not the one that was kept")
    await expect(note(page)).to_contain_text("画面取不到")
    await expect(page.locator("[data-deeds]")).not_to_contain_text("正常")
    await page.keyboard.press("n")
    await page.keyboard.press("a")
    await expect(page.locator("form")).to_have_count(0)
    await page.keyboard.press("s")
    await page.keyboard.type("画面文件损坏")
    await page.keyboard.press("Enter")

    await use_the_views(page)
    first, last = [(await stops_of(database, number))[place] for place in (0, 3)]
    assert (first.result, first.note) == (Result.NOT_JUDGED, "画面文件损坏")
    assert last.result is Result.OPEN
    # A judgement that finds no line is not lost, and nobody is told that it arrived.
    await page.context.set_offline(True)
    await page.keyboard.press("n")
    await expect(page.get_by_role("alert")).to_contain_text("尚未送达")
    await shoot(page, "walk-lost")
    await page.context.set_offline(False)
    await expect(note(page)).to_contain_text("这一轮巡查已经结束。")


async def lose_the_session(page: Page, database: Database, number: int) -> None:
    """Type a note, lose the session while it is sent, sign in again: the note is still there."""
    await page.keyboard.press("a")
    await page.keyboard.press("4")
    await page.keyboard.type("two carts")
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM sessions")
    await page.keyboard.press("Enter")
    again = page.locator("dialog[open] form")
    await again.locator("input[name=password]").fill(PASSWORD)
    await again.get_by_role("button", name="Sign in").click()
    await expect(again).to_have_count(0)
    await expect(page.get_by_label("Note")).to_have_value("two carts")
    assert {stop.result for stop in await stops_of(database, number)} == {Result.OPEN}
    await page.reload()  # what was typed is kept through that, too
    await look(page, GATE)
    await page.keyboard.press("a")
    await expect(page.get_by_label("Note")).to_have_value("two carts")
    await page.keyboard.press("Escape")


async def test_two_people_a_pause_and_a_session_that_ends(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin_night(database, world, outside, tmp_path, mode=PatrolMode.MIXED)
    async with database.transaction() as tx:
        li = await add_person(tx, "li", Role.OPERATOR, world.town)
        await tx.execute(
            "UPDATE patrol_rounds SET walker_id = %(li)s, walker_name = '李伟'", {"li": li}
        )
    await sign_in(page, address, "/patrol", language="en")
    await expect(line(page, number)).to_contain_text("李伟 walks it")
    await line(page, number).get_by_role("button", name="Take over").click()
    await line(page, number).get_by_role("button", name="Really take it from 李伟?").click()
    await look(page, GATE)  # the most doubtful first

    await page.keyboard.press("p")
    await page.keyboard.press("Enter")
    await expect(note(page)).to_have_text("Paused. Press P to go on.")
    await page.keyboard.press("n")
    await page.keyboard.press("p")
    await expect(page.locator("[data-deeds]")).to_contain_text("Normal")

    await lose_the_session(page, database, number)

    await page.keyboard.press("h")
    await page.get_by_label("To whom").select_option(label="li")
    await page.get_by_label("What should the next one know?").fill("the bridge is left")
    await page.keyboard.press("Enter")
    await expect(note(page)).to_have_text("li walks this round now.")
    await page.keyboard.press("n")
    await expect(page.locator("[data-deeds]")).to_have_count(0)
    assert {stop.result for stop in await stops_of(database, number)} == {Result.OPEN}
    await page.get_by_role("link", name="To tonight's rounds").click()
    async with database.transaction() as tx:
        await tx.execute("UPDATE patrol_rounds SET walker_id = NULL, walker_name = ''")
        await notify(tx, HUB, "patrol-rounds", [number])
    await expect(line(page, number)).to_contain_text("nobody walks it")
