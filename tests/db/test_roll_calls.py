"""The roll call of a night's duty rooms: asked, answered, and silent to the second."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.duty_rooms import MOST_WRONG_CODES, AnsweredBy, CallState, DutyRoom, RoomCall
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.notifications import Receiver, ReceiverKind
from hub.domain.patrol_details import PlanDetails, RollCall
from hub.domain.patrols import PatrolMode
from hub.patrols.files import PictureFolder
from hub.patrols.roll_calls.answering import Answer, Heard, SilenceKeeper, answer
from hub.patrols.roll_calls.asking import ASK, Asker, ask_rooms, draw_code
from hub.patrols.walking.ending import cancel_round
from hub.runtime.jobs import Job, Jobs
from hub.store import duty_rooms, patrol_evidence, receivers, room_calls, rounds
from hub.store.database import Database
from hub.store.room_calls import CallFilter
from tests.db.patrol_world import HUB, NOW, World, settle

VILLAGE = Scope(paths=("c.a",), actor="village", user_id=None)
CALL = RollCall(answer_s=300)
LINK = "patrols.send_link"


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """Rooms in both villages; that of village b has a phone, that of the county is off."""
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "data"),
    )
    await settle(made)
    async with database.transaction() as tx:
        phone = await receivers.add_receiver(
            tx,
            HUB,
            Receiver(
                name="b",
                area_id=made.areas["b"],
                kind=ReceiverKind.WEBHOOK,
                options={"address": "http://hook.test/b"},
            ),
        )
        for area, receiver in (("a", None), ("b", phone.id), ("county", None)):
            await duty_rooms.add_room(
                tx,
                HUB,
                DutyRoom(
                    area_id=made.areas[area],
                    name=f"room {area}",
                    receiver_id=receiver,
                    is_enabled=area != "county",
                ),
            )
    return made


async def begin(world: World, call: RollCall | None = CALL) -> int:
    """Begin a round of the county that waits for people, and asks its rooms."""
    details = PlanDetails(roll_call=call)
    plan = await world.create(mode=PatrolMode.WALK, details=details, lasts_s=10_800)
    round_id = await world.run_now(plan)
    await world.begin(round_id)
    return round_id


async def calls(world: World) -> list[RoomCall]:
    async with world.database.transaction() as tx:
        page = await room_calls.list_calls(tx, HUB, CallFilter())
    return list(reversed(page.items))


async def give(world: World, call: RoomCall, given: Answer, scope: Scope = HUB) -> Heard:
    async with world.database.transaction() as tx:
        return await answer(tx, scope, call.id, given, now=world.now)


async def evidence(world: World, round_id: int) -> list[str]:
    async with world.database.transaction() as tx:
        lines = await patrol_evidence.lines_of(tx, HUB, round_id)
    return [line.what for line in lines if line.what.startswith("duty_room.")]


async def told(world: World, kind: str) -> list[tuple[datetime, Mapping[str, Json]]]:
    return [(event.at, event.data) for event in await world.events(kind)]


async def jobs(world: World, name: str) -> list[tuple[object, ...]]:
    async with world.database.transaction() as tx:
        return await tx.tuples(
            "SELECT args ->> 'call', scheduled_at FROM procrastinate_jobs WHERE task_name = %(n)s"
            " AND status = 'todo' ORDER BY id",
            {"n": name},
        )


def console(code: str, by: str = "village") -> Answer:
    return Answer(how=AnsweredBy.CONSOLE, by=by, code=code)


def wrong(call: RoomCall) -> str:
    return f"{(int(call.code) + 1) % 10_000:04d}"


async def test_every_room_is_asked_once_and_its_answer_kept(world: World) -> None:
    round_id = await begin(world)
    a, b = await calls(world)
    assert [(call.room_name, call.state) for call in (a, b)] == [
        ("room a", CallState.ASKED),
        ("room b", CallState.ASKED),
    ]
    assert a.answer_by == NOW + timedelta(seconds=300)
    assert await jobs(world, LINK) == [(str(b.id), None)]
    async with world.database.transaction() as tx:
        walk = await rounds.get_round(tx, HUB, round_id)
        assert await ask_rooms(tx, HUB, world.jobs, walk, world.now) == 0

    world.now += timedelta(seconds=42)
    heard = await give(world, a, console(wrong(a)), VILLAGE)
    assert heard.fault
    assert heard.call.wrong_codes == 1
    heard = await give(world, a, console(a.code, "李四 (village)"), VILLAGE)
    assert not heard.fault
    kept = (await calls(world))[0]
    assert kept == heard.call
    assert (kept.state, kept.answered_at, kept.answered_by) == (
        CallState.ANSWERED, world.now, "李四 (village)",
    )  # fmt: skip
    with pytest.raises(Conflict, match="has answered already"):
        await give(world, a, console(a.code), VILLAGE)
    with pytest.raises(NotFound):
        await give(world, b, console(b.code), VILLAGE)
    ((at, data),) = await told(world, "roll_call.answered")
    assert at == world.now
    assert (data["call"], data["round"], data["late"]) == (a.id, round_id, False)
    # The round is the county's, the answer the village's: it is evidence all the same.
    assert await evidence(world, round_id) == [
        "duty_room.asked", "duty_room.asked", "duty_room.answered",
    ]  # fmt: skip
    assert not (await world.proof()).faults


@pytest.mark.threat("T28")
async def test_codes_cannot_be_tried_out_and_the_telephone_needs_none(world: World) -> None:
    await begin(world)
    a, _ = await calls(world)
    for number in range(MOST_WRONG_CODES):
        heard = await give(world, a, console(wrong(a)))
        assert heard.call.wrong_codes == number + 1
    with pytest.raises(Conflict, match="ring the room"):
        await give(world, a, console(a.code))
    with pytest.raises(Invalid, match="who answers"):
        await give(world, a, Answer(how=AnsweredBy.TELEPHONE, by=" "))
    await give(world, a, Answer(how=AnsweredBy.TELEPHONE, by="王五", note="rang twice"))
    kept = (await calls(world))[0]
    assert (kept.state, kept.answered_how, kept.note) == (
        CallState.ANSWERED, AnsweredBy.TELEPHONE, "rang twice",
    )  # fmt: skip


async def test_silence_is_said_to_the_second_once_and_a_late_answer_is_late(world: World) -> None:
    round_id = await begin(world)
    a, b = await calls(world)
    keeper = SilenceKeeper(database=world.database, clock=world.clock)
    assert await keeper.step() == a.answer_by
    await give(world, b, Answer(how=AnsweredBy.TELEPHONE, by="王五"))
    world.now = a.answer_by - timedelta(microseconds=1)
    assert await keeper.step() == a.answer_by
    assert not await told(world, "roll_call.unanswered")
    # Nobody was here for ten minutes; then two processes come at a time.
    world.now = a.answer_by + timedelta(minutes=10)
    other = SilenceKeeper(database=world.database, clock=world.clock)
    await asyncio.gather(keeper.step(), other.step())
    assert await keeper.step() is None
    ((at, data),) = await told(world, "roll_call.unanswered")
    assert at == a.answer_by
    assert (data["call"], data["room"], data["round"]) == (a.id, "room a", round_id)
    assert [call.state for call in await calls(world)] == [
        CallState.UNANSWERED, CallState.ANSWERED,
    ]  # fmt: skip
    # Somebody comes after all: it clears what was raised, and stays late.
    await give(world, a, console(a.code), VILLAGE)
    kept = (await calls(world))[0]
    assert (kept.state, kept.answered_at) == (CallState.UNANSWERED, world.now)
    assert (await told(world, "roll_call.answered"))[0][1]["late"] is True
    with pytest.raises(Conflict, match="has answered already"):
        await give(world, a, console(a.code), VILLAGE)
    assert (await evidence(world, round_id))[2:] == [
        "duty_room.answered", "duty_room.unanswered", "duty_room.answered",
    ]  # fmt: skip


async def test_what_comes_after_the_end_of_the_round_is_sealed_again(world: World) -> None:
    round_id = await begin(world, replace(CALL, spread_s=1200))
    a, b = await calls(world)
    async with world.database.transaction() as tx:
        # As if the round had ended without its questions being cancelled: they run on.
        await tx.execute(
            "UPDATE patrol_rounds SET state = 'finished', finished_at = %(now)s",
            {"now": world.now},
        )
        await patrol_evidence.seal(tx, HUB, round_id, world.now)
    keeper = SilenceKeeper(database=world.database, clock=world.clock)
    world.now = a.answer_by
    assert await keeper.step() == b.answer_by
    world.now = b.asked_at
    await give(world, b, console(b.code))
    async with world.database.transaction() as tx:
        seals = await patrol_evidence.seals_of(tx, HUB, round_id)
        lines = await patrol_evidence.lines_of(tx, HUB, round_id)
    assert len(seals) == 3
    assert seals[-1].lines == len(lines)
    assert not (await world.proof()).faults


async def test_rooms_are_asked_one_after_another_when_their_time_has_come(world: World) -> None:
    await begin(world, RollCall(answer_s=120, spread_s=600))
    a, b = await calls(world)
    assert [call.asked_at for call in (a, b)] == [NOW, NOW + timedelta(seconds=300)]
    assert b.answer_by == NOW + timedelta(seconds=420)
    with pytest.raises(Conflict, match="not been asked yet"):
        await give(world, b, console(b.code))
    assert await jobs(world, LINK) == []
    assert await jobs(world, ASK) == [(str(b.id), b.asked_at)]
    world.now = b.asked_at
    asker = Asker(database=world.database, jobs=world.jobs, clock=world.clock)
    job = Job(id=1, args={"call": b.id}, attempt=1)
    await asker.ask(job)
    await asker.ask(job)  # repeated after a crash
    assert [call for call, _ in await jobs(world, LINK)] == [str(b.id)]
    await give(world, b, console(b.code))


async def test_a_cancelled_round_asks_no_more_and_a_plan_without_a_roll_call_never(
    world: World,
) -> None:
    round_id = await begin(world)
    a, b = await calls(world)
    await give(world, a, console(a.code))
    async with world.database.transaction() as tx:
        await cancel_round(tx, HUB, round_id, now=world.now)
    assert [call.state for call in await calls(world)] == [
        CallState.ANSWERED, CallState.CANCELLED,
    ]  # fmt: skip
    with pytest.raises(Conflict, match="cancelled"):
        await give(world, b, console(b.code))
    world.now += timedelta(hours=1)
    assert await SilenceKeeper(database=world.database, clock=world.clock).step() is None
    assert not await told(world, "roll_call.unanswered")
    world.now += timedelta(hours=1)
    await begin(world, None)
    assert len(await calls(world)) == 2


def test_codes_are_four_digits_that_nobody_can_foresee() -> None:
    codes = [draw_code() for _ in range(2000)]
    assert {len(code) for code in codes} == {4}
    assert all(code.isdecimal() for code in codes)
    assert len(set(codes)) > 1600  # 1,813 are to be expected of 10,000
    for place in range(4):
        assert {code[place] for code in codes} == set("0123456789")
