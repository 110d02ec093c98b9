"""Shifts, who is on duty, hand-overs."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from hub.domain.calendars import Calendar, parse_calendar
from hub.domain.duty_rooms import Shift
from hub.patrols.planning.on_duty import find_people
from hub.runtime.calendars import check_calendar
from hub.store import handovers, plan_names, shifts
from hub.store.areas import get_area
from hub.web.access import Operate, Plan, See
from hub.web.schemas.patrols import ColleagueOut
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing
from hub.web.schemas.shifts import (
    HandoverIn,
    HandoverOut,
    OnDutyOut,
    PersonOut,
    ShiftIn,
    ShiftOut,
)
from hub.web.services import Services

router = APIRouter(tags=["shifts"])


@router.get("/shifts")
async def list_shifts(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[ShiftOut]:
    """Shifts by number."""
    async with services.database.transaction() as tx:
        page = await shifts.list_shifts(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[ShiftOut.of(shift) for shift in page.items], next=page.next)


@router.get("/areas/{area_id}/on-duty")
async def find_on_duty(scope: See, area_id: Id, services: Services) -> OnDutyOut:
    """Who is on duty for an area now, by its own shifts or those of the nearest area above."""
    now = services.clock()
    async with services.database.transaction() as tx:
        area = await get_area(tx, scope, area_id)
        people = await find_people(tx, scope, area.path, now)
        named = await shifts.people(tx, scope, sorted(people or ()))
    return OnDutyOut(
        area_id=area.id,
        at=now,
        is_anybody=people is not None,
        items=[PersonOut.model_validate(one) for one in named],
        others=len(people or ()) - len(named),
    )


@router.get("/areas/{area_id}/operators")
async def list_operators(scope: Operate, area_id: Id, services: Services) -> Listing[ColleagueOut]:
    """Who may operate in the whole of an area: for shifts, for plans, to hand over to."""
    async with services.database.transaction() as tx:
        area = await get_area(tx, scope, area_id)
        found = await plan_names.list_operators(tx, scope, area.path)
    return Listing(items=[ColleagueOut.model_validate(one) for one in found])


@router.get("/shifts/{shift_id}")
async def get_shift(scope: See, shift_id: Id, services: Services) -> ShiftOut:
    """One shift."""
    async with services.database.transaction() as tx:
        return ShiftOut.of(await shifts.get_shift(tx, scope, shift_id))


@router.post("/shifts", status_code=HTTPStatus.CREATED)
async def add_shift(scope: Plan, body: ShiftIn, services: Services) -> ShiftOut:
    """Put people on duty in an area."""
    new = _shift(0, body, services.clock())
    async with services.database.transaction() as tx:
        return ShiftOut.of(await shifts.add_shift(tx, scope, new))


@router.put("/shifts/{shift_id}")
async def change_shift(scope: Plan, shift_id: Id, body: ShiftIn, services: Services) -> ShiftOut:
    """Replace a shift."""
    new = _shift(shift_id, body, services.clock())
    async with services.database.transaction() as tx:
        return ShiftOut.of(await shifts.change_shift(tx, scope, new))


@router.delete("/shifts/{shift_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_shift(scope: Plan, shift_id: Id, services: Services) -> None:
    """Remove a shift."""
    async with services.database.transaction() as tx:
        await shifts.remove_shift(tx, scope, shift_id)


@router.get("/handovers")
async def list_handovers(
    scope: Operate,
    services: Services,
    area: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[HandoverOut]:
    """Hand-overs, the newest first; ``open`` ones were not taken over yet."""
    async with services.database.transaction() as tx:
        page = await handovers.list_handovers(
            tx, scope, area_id=area, is_open=is_open, limit=limit, cursor=cursor
        )
    return Listing(items=[HandoverOut.model_validate(one) for one in page.items], next=page.next)


@router.get("/handovers/{handover_id}")
async def get_handover(scope: Operate, handover_id: Id, services: Services) -> HandoverOut:
    """One hand-over."""
    async with services.database.transaction() as tx:
        return HandoverOut.model_validate(await handovers.get_handover(tx, scope, handover_id))


@router.post("/handovers", status_code=HTTPStatus.CREATED)
async def add_handover(scope: Operate, body: HandoverIn, services: Services) -> HandoverOut:
    """Leave a note to the next shift."""
    left = handovers.NewHandover(area_id=body.area_id, note=body.note, to_user_id=body.to_user_id)
    async with services.database.transaction() as tx:
        made = await handovers.add_handover(tx, scope, left, now=services.clock())
    return HandoverOut.model_validate(made)


@router.post("/handovers/{handover_id}/take")
async def take_over(scope: Operate, handover_id: Id, services: Services) -> HandoverOut:
    """Say that it was read and the shift taken over; once."""
    async with services.database.transaction() as tx:
        taken = await handovers.take_over(tx, scope, handover_id, now=services.clock())
    return HandoverOut.model_validate(taken)


def _shift(number: int, body: ShiftIn, now: datetime) -> Shift:
    return Shift(
        id=number,
        area_id=body.area_id,
        name=body.name,
        hours=_hours(body.hours, now),
        user_ids=tuple(dict.fromkeys(body.user_ids)),
    )


def _hours(raw: Mapping[str, object], now: datetime) -> Calendar:
    calendar = parse_calendar(raw)
    check_calendar(calendar, now)
    return calendar
