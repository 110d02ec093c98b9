"""The patrol desk beside the walk: plans and their forecast, the calendar, duty rooms, reports."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from hub.domain.access import Role
from hub.domain.duty_rooms import AnsweredBy, CallState, DutyRoom, RoomCall
from hub.domain.patrols import PatrolPlan, SecondLook
from hub.store import duty_rooms, patrol_reports, patrols, room_calls
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.console import expect_accessible, sign_in
from tests.browser.patrol_night import BRIDGE, GATE, HOSTILE, begin_night, stops_of
from tests.browser.test_console_patrol import look, shoot
from tests.web.patrol_scene import report_round, walk_round
from tests.web.stage import SYSTEM, Field, World, add_person


async def type_a_plan(page: Page, area_name: str) -> Locator:
    """Type a plan that is too long; its forecast follows what is typed."""
    await page.get_by_label("Name").fill(HOSTILE)
    area = page.get_by_role("combobox", name="Area", exact=True)
    await area.fill(area_name)
    await area.press("Enter")
    forecast = page.locator("[data-forecast]")
    await expect(forecast).to_contain_text("It fits")
    await expect(forecast).to_contain_text("1 camera fits")
    await expect(forecast.locator("ol li")).to_have_count(5)
    await page.get_by_label("Who looks").select_option(
        label="A person every stop, the machine remarks"
    )
    await page.get_by_label("Seconds a stop").fill("300")
    await page.get_by_label("Must be done within: Unit").select_option("min")
    await page.get_by_label("Must be done within", exact=True).fill("2")
    await expect(forecast).to_contain_text("Too long by 3 min")
    await page.get_by_role("textbox", name="At", exact=True).fill("23:30")
    await expect(page.get_by_text("every night at 23:30")).to_be_visible()
    return forecast


async def test_a_plan_is_made_with_its_forecast(
    page: Page, address: str, world: World, database: Database
) -> None:
    await page.set_viewport_size({"width": 1280, "height": 800})
    await sign_in(page, address, "/patrol/plans/new", language="en")
    await type_a_plan(page, "West")
    # What is wrong is said beside its field; nothing that was typed goes.
    zone = page.get_by_label("Time zone")
    await zone.fill("Mars/Olympus")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".field", has=zone).get_by_role("alert")).to_be_visible()
    await zone.fill("Asia/Shanghai")
    await expect_accessible(page)
    await shoot(page, "plan-en")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()
    await expect(page).not_to_have_url(f"{address}/patrol/plans/new")
    async with database.transaction() as tx:
        (kept,) = (await patrols.list_plans(tx, SYSTEM)).items
        assert (kept.area_id, kept.rrule) == (world.west, "FREQ=DAILY;BYHOUR=23;BYMINUTE=30")
        assert (kept.seconds_per_stop, kept.lasts_s) == (300, 120)
        # Somebody else changes it meanwhile: what is typed here stays, and it is said.
        await tx.execute("UPDATE patrol_plans SET window_s = 60")
    await page.get_by_label("Seconds a stop").fill("30")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert").filter(has_text="Somebody else")).to_be_visible()
    await page.get_by_role("button", name="Save mine all the same").click()
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    async with database.transaction() as tx:
        assert (await patrols.get_plan(tx, SYSTEM, kept.id)).seconds_per_stop == 30


@pytest.mark.threat("T1")
async def test_plans_and_their_rounds_are_in_a_calendar_for_those_whom_they_concern(
    page: Page, address: str, world: World, database: Database, outside: Field
) -> None:
    plan = PatrolPlan(
        name=HOSTILE,
        area_id=world.west,
        rrule="FREQ=DAILY",
        time_zone="Asia/Shanghai",
        starts_on=date(2026, 1, 1),
        exceptions=(outside.now.date() + timedelta(days=8),),
        lasts_s=3600,
    )
    async with database.transaction() as tx:
        kept = await patrols.add_plan(tx, SYSTEM, plan, now=outside.now)
    await sign_in(page, address, "/patrol/plans")
    later = outside.now.date() + timedelta(days=7)  # today's round may have been
    for path, name in (
        ("plans", "plans"),
        (f"calendar?day={later}", "month"),
        (f"calendar?view=week&day={later}", "week"),
    ):
        await page.goto(f"{address}/patrol/{path}")
        await expect(page.locator("main")).to_contain_text(HOSTILE)
        await expect_accessible(page)
        await shoot(page, f"{name}-zh")
    await page.context.clear_cookies()

    await sign_in(page, address, "/patrol/plans", name="east-operator", language="en")
    await expect(page.locator("main")).to_contain_text("No plan yet.")
    await page.goto(f"{address}/patrol/plans/{kept.id}")
    await expect(page.get_by_role("alert")).to_contain_text("no such patrol plan")
    await page.goto(f"{address}/patrol/calendar?day={later}")
    await expect(page.locator("main")).to_contain_text("No rounds here.")
    await page.goto(f"{address}/patrol/plans/new")
    await expect(page.locator("main")).to_contain_text("Your role does not open this page.")


async def test_a_supervisor_looks_a_second_time_and_signs_the_report(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    number = await begin_night(database, world, outside, tmp_path)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE patrol_stops SET result = 'normal', judged_by = 'li', second_look = 'wanted'"
            " WHERE round_id = %(round)s AND position IN (2, 4)",
            {"round": number},
        )
    await sign_in(page, address, "/patrol/second-looks")
    await look(page, GATE)
    await expect(page.locator("aside")).to_contain_text("li 判为 正常")
    await expect_accessible(page)
    await page.keyboard.press("d")
    await page.keyboard.type("有人")
    await shoot(page, "second-look")
    await page.keyboard.press("Enter")
    await look(page, BRIDGE)
    await page.keyboard.press("y")
    await expect(page.locator(".stage")).to_contain_text("没有待复核的了")
    stops = await stops_of(database, number)
    assert [stop.second_look for stop in stops[1::2]] == [SecondLook.DISAGREED, SecondLook.AGREED]
    assert stops[1].second_note == "有人"

    await page.goto(f"{address}/patrol/rounds/{number}?stop=2")
    await expect(page.locator("[data-stop]")).to_contain_text("复核不同意")
    await expect(page.locator("[data-stop] img")).to_be_visible()
    await expect(page.locator("main")).to_contain_text(HOSTILE)
    await expect_accessible(page)
    await shoot(page, "round-zh")

    _, walk = await walk_round(database, world.east, "安平村夜查", tmp_path)
    report = await report_round(database, walk, tmp_path)
    await page.goto(f"{address}/patrol/reports?round={walk}")
    await expect(page).to_have_url(f"{address}/patrol/reports/{report}")
    await expect(page.locator("main")).to_contain_text("巡查完成率")
    await expect_accessible(page)
    await shoot(page, "report-zh")
    await page.get_by_role("button", name="签署").click()
    await page.get_by_label("意见").fill("属实")
    await page.locator("dialog[open]").get_by_role("button", name="签署").click()
    await expect(page.locator("main")).to_contain_text("root-admin 已签")
    async with database.transaction() as tx:
        assert (await patrol_reports.get_report(tx, SYSTEM, report)).sign_note == "属实"


async def ask_rooms(
    database: Database, world: World, outside: Field, data_dir: Path
) -> tuple[int, int]:
    """Ask the western and the eastern room just now; the eastern one has a hostile name."""
    _, walk = await walk_round(database, world.town, "night", data_dir)
    async with database.transaction() as tx:
        await add_person(tx, "west-operator", Role.OPERATOR, world.west)
        questions = []
        for area, name, code in ((world.west, "西村值班室", "0417"), (world.east, HOSTILE, "9912")):
            room = await duty_rooms.add_room(
                tx, SYSTEM, DutyRoom(area_id=area, name=name, phone="0573 1234")
            )
            question = room_calls.Question(
                room=room,
                code=code,
                asked_at=outside.now - timedelta(seconds=5),
                answer_by=outside.now + timedelta(minutes=5),
            )
            questions.append(question)
        west, east = await room_calls.add_calls(tx, SYSTEM, walk, questions)
    return west.id, east.id


async def find(database: Database, call_id: int) -> RoomCall:
    async with database.transaction() as tx:
        return await room_calls.get_call(tx, SYSTEM, call_id)


async def answer_as_the_room(page: Page, database: Database, call_id: int) -> None:
    """Type a wrong code, then the right one; news of the call takes nothing away."""
    lines = page.locator("[data-call]")
    await page.get_by_label("您的姓名").fill("李四")
    async with database.transaction() as tx:
        await tx.execute("UPDATE room_calls SET note = 'x' WHERE id = %(id)s", {"id": call_id})
        await notify(tx, SYSTEM, room_calls.TOPIC, [call_id])
    await page.get_by_label("输入旁边的数字").press_sequentially("0418", delay=100)
    await expect(page.get_by_label("您的姓名")).to_have_value("李四")
    await page.get_by_role("button", name="应答").click()
    await expect(lines.get_by_role("alert")).to_contain_text("not the code")
    assert (await find(database, call_id)).wrong_codes == 1
    await page.get_by_label("输入旁边的数字").fill("0417")
    await page.get_by_role("button", name="应答").click()
    await expect(lines).to_have_count(0)
    heard = await find(database, call_id)
    assert (heard.state, heard.answered_by) == (CallState.ANSWERED, "李四 (west-operator)")


async def leave_a_note(page: Page, address: str) -> None:
    """Write a hand-over; what is typed is kept through a reload."""
    await page.goto(f"{address}/patrol/handovers")
    text = page.get_by_label("需要交代给下一班的情况")
    await text.fill(HOSTILE)
    await page.reload()
    await expect(text).to_have_value(HOSTILE)
    await expect_accessible(page)
    await page.get_by_role("button", name="留言").click()
    await expect(page.locator("[data-handover]")).to_contain_text(HOSTILE)
    await shoot(page, "handovers-zh")


@pytest.mark.threat("T7")
async def test_rooms_answer_and_are_rung_and_a_note_is_left(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    west, east = await ask_rooms(database, world, outside, tmp_path)
    await sign_in(page, address, "/patrol", name="west-operator")
    lines = page.locator("[data-call]")
    await expect(lines).to_have_count(1)
    await expect(lines.locator(".code")).to_have_text("0417")
    await shoot(page, "roll-call-room")
    await answer_as_the_room(page, database, west)
    await leave_a_note(page, address)
    await page.context.clear_cookies()

    await sign_in(page, address, "/patrol")
    await expect(lines).to_have_count(1)
    await expect(lines).to_contain_text(HOSTILE)  # as text
    await expect(lines.locator(".code")).to_have_count(0)
    await expect(lines).to_contain_text("0573 1234")
    await expect_accessible(page)
    await shoot(page, "roll-call-county")
    await page.get_by_label("接电话的人").fill("王五")
    await page.get_by_role("button", name="已电话应答").click()
    await expect(lines).to_have_count(0)
    heard = await find(database, east)
    assert (heard.answered_how, heard.answered_by) == (AnsweredBy.TELEPHONE, "王五")
    await page.get_by_role("button", name="接班").click()
    await expect(page.locator("main")).to_contain_text("没有待接的留言。")
    for path, name in (("rooms", "值班室"), ("reports", "巡查报告")):
        await page.goto(f"{address}/patrol/{path}")
        await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        await expect_accessible(page)
        await shoot(page, f"{path}-zh")
