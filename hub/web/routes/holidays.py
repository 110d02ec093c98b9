"""Holidays: the days by which working hours count."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from hub.domain.calendars import Holiday
from hub.store import holidays
from hub.store.holidays import FIRST_YEAR, LAST_YEAR
from hub.web.access import Administer, See
from hub.web.schemas.rules import HolidayIn, HolidayOut, HolidayYearIn
from hub.web.schemas.shapes import Listing
from hub.web.services import Services

router = APIRouter(tags=["rules"])

Year = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


@router.get("/holidays")
async def list_holidays(scope: See, services: Services, year: Year = None) -> Listing[HolidayOut]:
    """The declared days, of a year or all of them, in order."""
    async with services.database.transaction() as tx:
        if year is None:
            found = list((await holidays.all_holidays(tx, scope)).values())
        else:
            found = await holidays.holidays_of(tx, scope, year)
    return Listing(items=[HolidayOut.model_validate(one) for one in found])


@router.put("/holidays")
async def set_year(
    scope: Administer, body: HolidayYearIn, services: Services
) -> Listing[HolidayOut]:
    """Replace the declared days of a year."""
    days = [Holiday(day=one.day, name=one.name, is_working=one.is_working) for one in body.days]
    async with services.database.transaction() as tx:
        await holidays.set_year(tx, scope, body.year, days)
        found = await holidays.holidays_of(tx, scope, body.year)
    return Listing(items=[HolidayOut.model_validate(one) for one in found])


@router.put("/holidays/{day}")
async def put_holiday(
    scope: Administer, day: date, body: HolidayIn, services: Services
) -> HolidayOut:
    """Declare one day, or declare it anew."""
    holiday = Holiday(day=day, name=body.name, is_working=body.is_working)
    async with services.database.transaction() as tx:
        await holidays.put_holiday(tx, scope, holiday)
    return HolidayOut.model_validate(holiday)


@router.delete("/holidays/{day}", status_code=HTTPStatus.NO_CONTENT)
async def remove_holiday(scope: Administer, day: date, services: Services) -> None:
    """Let a day be what its weekday says."""
    async with services.database.transaction() as tx:
        await holidays.remove_holiday(tx, scope, day)
