"""The roll call on consoles: the room itself types its digits, the county writes who it rang."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub.domain.access import Role
from hub.domain.duty_rooms import AnsweredBy, CallState, DutyRoom, RoomCall
from hub.store import duty_rooms, room_calls
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.test_start_page import HOSTILE, shoot, sign_in
from tests.web.patrol_scene import walk_round
from tests.web.stage import SYSTEM, Field, World, add_person


async def ask(database: Database, world: World, outside: Field, data_dir: Path) -> list[int]:
    """Ask the western and the eastern room just now; the eastern one has a hostile name."""
    _, walk = await walk_round(database, world.town, "night", data_dir)
    async with database.transaction() as tx:
        await add_person(tx, "west-operator", Role.OPERATOR, world.west)
        questions = []
        for area, name, code in ((world.west, "西村值班室", "0417"), (world.east, HOSTILE, "9912")):
            room = await duty_rooms.add_room(
                tx, SYSTEM, DutyRoom(area_id=area, name=name, phone="0573 1234")
            )
            questions.append(
                room_calls.Question(
                    room=room,
                    code=code,
                    asked_at=outside.now - timedelta(seconds=5),
                    answer_by=outside.now + timedelta(minutes=5),
                )
            )
        calls = await room_calls.add_calls(tx, SYSTEM, walk, questions)
    return [call.id for call in calls]


async def find(database: Database, call_id: int) -> RoomCall:
    async with database.transaction() as tx:
        return await room_calls.get_call(tx, SYSTEM, call_id)


@pytest.mark.threat("T7")
async def test_rooms_answer_and_are_rung(
    page: Page, address: str, world: World, database: Database, outside: Field, tmp_path: Path
) -> None:
    west, east = await ask(database, world, outside, tmp_path)
    await sign_in(page, address, "west-operator")
    lines = page.locator("#calls li")
    await expect(lines).to_have_count(1)
    await expect(lines.locator(".code")).to_have_text("0417")
    await shoot(page, "roll-call-room")
    await page.get_by_label("您的姓名").fill("李四")
    # News of the call does not take away what somebody is typing.
    async with database.transaction() as tx:
        await tx.execute("UPDATE room_calls SET note = 'x' WHERE id = %(id)s", {"id": west})
        await notify(tx, SYSTEM, room_calls.TOPIC, [west])
    await page.get_by_label("输入旁边的数字").press_sequentially("0418", delay=100)
    await expect(page.get_by_label("您的姓名")).to_have_value("李四")
    await page.get_by_role("button", name="应答").click()
    await expect(page.locator("#banner")).to_contain_text("not the code")
    assert (await find(database, west)).wrong_codes == 1
    await page.get_by_label("输入旁边的数字").fill("0417")
    await page.get_by_role("button", name="应答").click()
    await expect(page.locator("#calls-card")).to_be_hidden()
    heard = await find(database, west)
    assert (heard.state, heard.answered_by) == (CallState.ANSWERED, "李四 (west-operator)")

    await page.locator("#logout").click()
    await sign_in(page, address)
    await expect(lines).to_have_count(1)
    await expect(lines).to_contain_text(HOSTILE)  # as text
    await expect(lines.locator(".code")).to_have_count(0)
    await expect(lines).to_contain_text("0573 1234")
    await shoot(page, "roll-call-county")
    await page.get_by_label("接电话的人").fill("王五")
    await page.get_by_role("button", name="已电话应答").click()
    await expect(page.locator("#calls-card")).to_be_hidden()
    heard = await find(database, east)
    assert (heard.answered_how, heard.answered_by) == (AnsweredBy.TELEPHONE, "王五")
