"""Duty rooms and the roll call (点名): who was asked, who answered."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hub.domain.access import Permission, Scope
from hub.domain.duty_rooms import AnsweredBy, CallState, DutyRoom, RoomCall
from hub.domain.errors import Conflict, Invalid, NotPermitted
from hub.patrols.roll_calls.answering import Answer, answer
from hub.store import devices, duty_rooms, room_calls
from hub.store.audit import Deed, record
from hub.web.access import Operate, Plan, See, SignedIn
from hub.web.schemas.duty_rooms import (
    AnnounceIn,
    AnswerIn,
    DutyRoomIn,
    DutyRoomOut,
    RoomCallOut,
)
from hub.web.schemas.places import CommandOut
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["duty-rooms"])

# What a loudspeaker is told, as devices of our own MQTT convention know it.
SAY = "speaker.say"


def read_filter(
    area: AreaFilter = None,
    round_id: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    status: CallState | None = None,
) -> room_calls.CallFilter:
    """What the list is narrowed to."""
    return room_calls.CallFilter(area_id=area, round_id=round_id, state=status)


@router.get("/duty-rooms")
async def list_rooms(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[DutyRoomOut]:
    """Rooms by number."""
    async with services.database.transaction() as tx:
        page = await duty_rooms.list_rooms(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[DutyRoomOut.model_validate(room) for room in page.items], next=page.next)


@router.get("/duty-rooms/{room_id}")
async def get_room(scope: See, room_id: Id, services: Services) -> DutyRoomOut:
    """One room."""
    async with services.database.transaction() as tx:
        return DutyRoomOut.model_validate(await duty_rooms.get_room(tx, scope, room_id))


@router.post("/duty-rooms", status_code=HTTPStatus.CREATED)
async def add_room(scope: Plan, body: DutyRoomIn, services: Services) -> DutyRoomOut:
    """Add the room of an area."""
    async with services.database.transaction() as tx:
        return DutyRoomOut.model_validate(await duty_rooms.add_room(tx, scope, _room(0, body)))


@router.put("/duty-rooms/{room_id}")
async def change_room(
    scope: Plan, room_id: Id, body: DutyRoomIn, services: Services
) -> DutyRoomOut:
    """Replace a room."""
    async with services.database.transaction() as tx:
        changed = await duty_rooms.change_room(tx, scope, _room(room_id, body))
    return DutyRoomOut.model_validate(changed)


@router.delete("/duty-rooms/{room_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_room(scope: Plan, room_id: Id, services: Services) -> None:
    """Remove a room; what was asked of it stays."""
    async with services.database.transaction() as tx:
        await duty_rooms.remove_room(tx, scope, room_id)


@router.post("/duty-rooms/{room_id}/announce")
async def announce(scope: Operate, room_id: Id, body: AnnounceIn, services: Services) -> CommandOut:
    """Speak through the loudspeaker of a room; the audit log has it before the room hears it."""
    async with services.database.transaction() as tx:
        room = await duty_rooms.get_room(tx, scope, room_id)
        if room.speaker_id is None:
            msg = "this room has no loudspeaker"
            raise Conflict(msg)
        device = await devices.get_device(tx, scope, room.speaker_id)
        deed = Deed(
            action="duty_room.announced",
            object_type="duty_room",
            object_id=str(room.id),
            area_id=room.area_id,
        )
        await record(tx, scope, deed, {"device": device.id, "text": body.text})
    return CommandOut(reply=await services.run_command(device, SAY, {"text": body.text}))


@router.get("/room-calls")
async def list_calls(
    scope: See,
    visitor: SignedIn,
    services: Services,
    wanted: Annotated[room_calls.CallFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[RoomCallOut]:
    """Questions to duty rooms, the newest first."""
    rooms = visitor.principal.scope(Permission.OPERATE)
    async with services.database.transaction() as tx:
        page = await room_calls.list_calls(tx, scope, wanted, limit=limit, cursor=cursor)
    items = [RoomCallOut.of(call, is_own=_is_own(rooms, call)) for call in page.items]
    return Listing(items=items, next=page.next)


@router.get("/room-calls/{call_id}")
async def get_call(scope: See, visitor: SignedIn, call_id: Id, services: Services) -> RoomCallOut:
    """One question."""
    rooms = visitor.principal.scope(Permission.OPERATE)
    async with services.database.transaction() as tx:
        call = await room_calls.get_call(tx, scope, call_id)
    return RoomCallOut.of(call, is_own=_is_own(rooms, call))


@router.post("/room-calls/{call_id}/answer")
async def answer_call(
    scope: Operate, call_id: Id, body: AnswerIn, services: Services
) -> RoomCallOut:
    """Answer from the room's own console, or write down who took the telephone."""
    who = body.by.strip()
    if body.how is AnsweredBy.CONSOLE:
        who = f"{who} ({scope.actor})" if who else scope.actor
    given = Answer(how=body.how, by=who, code=body.code, note=body.note)
    async with services.database.transaction() as tx:
        call = await room_calls.get_call(tx, scope, call_id)
        if body.how is AnsweredBy.CONSOLE and not _is_own(scope, call):
            msg = "only the room itself answers by console: ring it and write down who is there"
            raise NotPermitted(msg)
        heard = await answer(tx, scope, call_id, given, now=services.clock())
    if heard.fault:  # after the commit: the wrong code counts
        raise Invalid(heard.fault, field="code")
    return RoomCallOut.of(heard.call, is_own=_is_own(scope, heard.call))


def _is_own(scope: Scope, call: RoomCall) -> bool:
    """Whether somebody was given the room's area itself, not one above from which they look in."""
    below = call.area_path + "."
    return any(path == call.area_path or path.startswith(below) for path in scope.paths or ())


def _room(number: int, body: DutyRoomIn) -> DutyRoom:
    return DutyRoom(
        id=number,
        area_id=body.area_id,
        name=body.name,
        phone=body.phone,
        receiver_id=body.receiver_id,
        speaker_id=body.speaker_id,
        is_enabled=body.is_enabled,
    )
