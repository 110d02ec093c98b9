"""What a village's duty has: a room that was asked, a shift, a note to the next one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.calendars import Calendar
from hub.domain.duty_rooms import DutyRoom, Shift
from hub.store import duty_rooms, handovers, room_calls, shifts
from hub.store.database import Transaction
from tests.web.stage import SYSTEM, World

NIGHT = Calendar(rrule="FREQ=DAILY;BYHOUR=22", duration_s=28_800, time_zone="Asia/Shanghai")
CODE = "4711"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyScene:
    """Numbers of what is there."""

    room: int
    call: int
    shift: int
    handover: int


async def fill_duty(tx: Transaction, world: World, walk: int, now: datetime) -> DutyScene:
    """Put one of each into the western village; its room was just asked in a round."""
    room = await duty_rooms.add_room(
        tx,
        SYSTEM,
        DutyRoom(area_id=world.west, name="west-room", speaker_id=world.west_camera),
    )
    question = room_calls.Question(
        room=room, code=CODE, asked_at=now, answer_by=now + timedelta(hours=1)
    )
    (call,) = await room_calls.add_calls(tx, SYSTEM, walk, [question])
    shift = await shifts.add_shift(
        tx, SYSTEM, Shift(area_id=world.west, name="west-night", hours=NIGHT)
    )
    left = handovers.NewHandover(area_id=world.west, note="west gate stands open")
    handover = await handovers.add_handover(tx, SYSTEM, left, now=now)
    return DutyScene(room=room.id, call=call.id, shift=shift.id, handover=handover.id)
