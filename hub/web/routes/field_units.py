"""Units: people in the field, as the desk sees them and as planners keep them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends

from hub.domain.calendars import Holidays, parse_calendar
from hub.domain.dispatches import Unit, UnitKind
from hub.runtime.calendars import check_calendar, is_active
from hub.store import field_units
from hub.store.field_units import UnitFilter
from hub.store.holidays import all_holidays
from hub.web.access import Dispatch, Plan
from hub.web.schemas.dispatch_desk import UnitIn, UnitOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing, TextFilter
from hub.web.services import Services

router = APIRouter(tags=["dispatch"])


def read_filter(
    area: AreaFilter = None,
    kind: UnitKind | None = None,
    q: TextFilter = "",
    *,
    enabled: bool | None = None,
) -> UnitFilter:
    """What the list is narrowed to."""
    return UnitFilter(area_id=area, kind=kind, is_enabled=enabled, text=q)


@router.get("/field-units")
async def list_units(
    scope: Dispatch,
    services: Services,
    wanted: Annotated[UnitFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[UnitOut]:
    """Units by number: where they are, and how much they have to do."""
    now = services.clock()
    async with services.database.transaction() as tx:
        page = await field_units.list_units(tx, scope, wanted, limit=limit, cursor=cursor)
        holidays = await all_holidays(tx, scope)
    return Listing(items=[_show(unit, now, holidays) for unit in page.items], next=page.next)


@router.get("/field-units/{unit_id}")
async def get_unit(scope: Dispatch, unit_id: Id, services: Services) -> UnitOut:
    """One unit."""
    async with services.database.transaction() as tx:
        unit = await field_units.get_unit(tx, scope, unit_id)
        return _show(unit, services.clock(), await all_holidays(tx, scope))


@router.post("/field-units", status_code=HTTPStatus.CREATED)
async def add_unit(scope: Plan, body: UnitIn, services: Services) -> UnitOut:
    """Add a unit to an area."""
    now = services.clock()
    new = _unit(0, body, now)
    async with services.database.transaction() as tx:
        unit = await field_units.add_unit(tx, scope, new)
        return _show(unit, now, await all_holidays(tx, scope))


@router.put("/field-units/{unit_id}")
async def change_unit(scope: Plan, unit_id: Id, body: UnitIn, services: Services) -> UnitOut:
    """Replace a unit; its position and its tasks stay."""
    now = services.clock()
    new = _unit(unit_id, body, now)
    async with services.database.transaction() as tx:
        unit = await field_units.change_unit(tx, scope, new)
        return _show(unit, now, await all_holidays(tx, scope))


@router.delete("/field-units/{unit_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_unit(scope: Plan, unit_id: Id, services: Services) -> None:
    """Remove a unit that has no tasks under way; links to its phone are void."""
    async with services.database.transaction() as tx:
        await field_units.remove_unit(tx, scope, unit_id, services.clock())


def _show(unit: Unit, now: datetime, holidays: Holidays) -> UnitOut:
    return UnitOut.of(unit, is_on_duty=unit.is_enabled and is_active(unit.hours, now, holidays))


def _unit(number: int, body: UnitIn, now: datetime) -> Unit:
    hours = None
    if body.hours is not None:
        hours = parse_calendar(body.hours)
        check_calendar(hours, now)
    return Unit(
        id=number,
        area_id=body.area_id,
        name=body.name,
        kind=body.kind,
        phone=body.phone,
        receiver_id=body.receiver_id,
        hours=hours,
        most_open=body.most_open,
        is_enabled=body.is_enabled,
    )
