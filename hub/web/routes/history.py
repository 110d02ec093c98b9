"""What happened: events, readings, outages."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from hub.domain.errors import Invalid, NotFound
from hub.store import devices, events, outages
from hub.web.access import See
from hub.web.schemas.places import EventOut, OutageOut, ReadingOut
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["history"])

DEFAULT_PERIOD = timedelta(days=1)
DeviceFilter = Annotated[int | None, Query(ge=1, le=MAX_NUMBER)]
Moment = Annotated[AwareDatetime | None, Query()]


def read_event_filter(
    area: AreaFilter = None,
    device_id: DeviceFilter = None,
    kind: Annotated[str, Query(pattern=r"^[A-Za-z0-9_.\-/:]{0,128}$")] = "",
    since: Moment = None,
    until: Moment = None,
) -> events.EventFilter:
    """What the list is narrowed to."""
    return events.EventFilter(
        area_id=area, device_id=device_id, kind=kind, since=since, until=until
    )


@router.get("/events")
async def list_events(
    scope: See,
    services: Services,
    wanted: Annotated[events.EventFilter, Depends(read_event_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[EventOut]:
    """Events, newest first."""
    async with services.database.transaction() as tx:
        page = await events.list_events(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[EventOut.model_validate(i) for i in page.items], next=page.next)


@router.get("/events/{event_id}")
async def get_event(scope: See, event_id: Id, services: Services) -> EventOut:
    """One event."""
    async with services.database.transaction() as tx:
        found = await events.get_events(tx, scope, [event_id])
    if not found:
        msg = "no such event"
        raise NotFound(msg)
    return EventOut.model_validate(found[0])


@router.get("/readings")
async def list_readings(
    scope: See,
    services: Services,
    device_id: Annotated[int, Query(ge=1, le=MAX_NUMBER)],
    since: Moment = None,
    until: Moment = None,
) -> Listing[ReadingOut]:
    """The readings of one device, oldest first, at most 10,000; by default of the last day."""
    begin, end = read_period(services.clock(), since, until, DEFAULT_PERIOD)
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        found = await events.list_readings(tx, scope, device_id, since=begin, until=end)
    return Listing(items=[ReadingOut.model_validate(reading) for reading in found])


def read_outage_filter(
    services: Services,
    area: AreaFilter = None,
    device_id: DeviceFilter = None,
    since: Moment = None,
    until: Moment = None,
    *,
    is_open: Annotated[bool, Query(alias="open")] = False,
) -> outages.OutageFilter:
    """What the list is narrowed to; by default what touches the last day."""
    begin, end = read_period(services.clock(), since, until, DEFAULT_PERIOD)
    return outages.OutageFilter(
        since=begin, until=end, area_id=area, device_id=device_id, is_open=is_open
    )


@router.get("/outages")
async def list_outages(
    scope: See,
    services: Services,
    wanted: Annotated[outages.OutageFilter, Depends(read_outage_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[OutageOut]:
    """Outages that touch a period, newest first."""
    async with services.database.transaction() as tx:
        if wanted.device_id is not None:
            await devices.get_device(tx, scope, wanted.device_id)
        page = await outages.list_outages(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[OutageOut.model_validate(one) for one in page.items], next=page.next)


def read_period(
    now: datetime, since: datetime | None, until: datetime | None, default: timedelta
) -> tuple[datetime, datetime]:
    """Fill in what was not said: until now, and ``default`` long."""
    end = until or now
    try:
        begin = since or end - default
    except OverflowError:
        begin = end
    if begin >= end:
        msg = "the period ends before it begins"
        raise Invalid(msg, field="since")
    return begin, end
