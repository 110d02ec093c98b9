"""The list of devices as a console shows it: all in order, some lines of it, counts, a file."""

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from hub.domain.access import Scope
from hub.maintenance.device_days import MOST_DAYS, divide_days, first_moment
from hub.maintenance.device_list_exports import WantedList, export_list
from hub.maintenance.device_tallies import sum_records, sum_tallies, without_choices
from hub.runtime.sheets import SheetKind
from hub.store import (
    device_days,
    device_lists,
    device_order,
    device_work,
    devices,
    dispatches,
)
from hub.store.database import Transaction
from hub.store.device_lists import DeviceFilter
from hub.store.device_order import OrderKey
from hub.web.access import See
from hub.web.device_query import read_filter
from hub.web.file_answer import FILE_ANSWER, Chinese, Format, send_file
from hub.web.schemas.device_lines import (
    DeviceCountsOut,
    DeviceDayOut,
    DeviceDaysOut,
    DeviceOrderOut,
    DeviceStopOut,
    DeviceValuesOut,
    DeviceWorkOut,
)
from hub.web.schemas.dispatches import DispatchOut
from hub.web.schemas.places import DeviceLineOut
from hub.web.schemas.shapes import AreaFilter, Id, Listing, Number
from hub.web.services import Services

router = APIRouter(tags=["devices"])

MOST_LINES: Final = 200

Wanted = Annotated[DeviceFilter, Depends(read_filter)]
Numbers = Annotated[list[Number] | None, Query(alias="id", max_length=MOST_LINES)]
Descending = Annotated[bool, Query(alias="desc")]


def read_wanted(
    wanted: Wanted,
    sort: OrderKey = OrderKey.NUMBER,
    *,
    descending: Descending = False,
    chinese: Chinese = False,
) -> WantedList:
    """Which devices go into a file, in which order, under column names of which language."""
    return WantedList(filter=wanted, by=sort, is_descending=descending, is_chinese=chinese)


@router.get("/devices/order", response_model=DeviceOrderOut)
async def order_devices(
    scope: See,
    services: Services,
    wanted: Wanted,
    sort: OrderKey = OrderKey.NUMBER,
    first: Annotated[int, Query(alias="lines", ge=0, le=MOST_LINES)] = 0,
    *,
    descending: Descending = False,
) -> Response:
    """All devices of a list in order, as numbers, and as many lines as are seen first.

    Ask for the lines of the others when somebody comes to them.
    """
    at = services.clock()
    async with services.database.transaction() as tx:
        await _refuse_foreign(tx, scope, wanted)
        found = await device_order.order_devices(
            tx, scope, wanted, by=sort, is_descending=descending
        )
        lines = await device_lists.list_lines(tx, scope, found.first(first)) if first else []
    head = DeviceOrderOut(
        at=at,
        total=found.total,
        lines=[DeviceLineOut.model_validate(line) for line in lines],
        ids=(),
    )
    # 70,000 numbers come from the database as they go to the console.
    text = head.model_dump_json(by_alias=True).removesuffix("]}")
    return Response(f"{text}{found.ids}]}}", media_type="application/json")


@router.get("/devices/lines")
async def list_lines(scope: See, services: Services, ids: Numbers = None) -> Listing[DeviceLineOut]:
    """The devices with these numbers, in this order, without those the caller cannot see."""
    async with services.database.transaction() as tx:
        lines = await device_lists.list_lines(tx, scope, ids or ())
    return Listing(items=[DeviceLineOut.model_validate(line) for line in lines])


@router.get("/devices/counts")
async def count_devices(scope: See, services: Services, wanted: Wanted) -> DeviceCountsOut:
    """How many devices a filter leaves, by status, kind and failing layer."""
    async with services.database.transaction() as tx:
        await _refuse_foreign(tx, scope, wanted)
        tallies = await device_order.tally_devices(tx, scope, without_choices(wanted))
    counts = sum_tallies(tallies, wanted)
    return DeviceCountsOut(at=services.clock(), **asdict(counts))


@router.get("/devices/values")
async def list_values(scope: See, services: Services, area: AreaFilter = None) -> DeviceValuesOut:
    """What the asset records say: the choices of a filter bar."""
    async with services.database.transaction() as tx:
        tallies = await device_order.tally_records(tx, scope, DeviceFilter(area_id=area))
    return DeviceValuesOut.model_validate(sum_records(tallies))


@router.get("/devices/export", response_class=StreamingResponse, responses=FILE_ANSWER)
async def export_devices(
    scope: See,
    services: Services,
    wanted: Annotated[WantedList, Depends(read_wanted)],
    kind: Format = SheetKind.CSV,
) -> StreamingResponse:
    """The list as it is shown: what the filter leaves, in the order asked for."""
    async with services.database.transaction() as tx:
        await _refuse_foreign(tx, scope, wanted.filter)
    write = partial(export_list, services.database, scope, kind=kind, wanted=wanted)
    return await send_file(write, kind, "devices")


@router.get("/devices/{device_id}/availability")
async def list_days(
    scope: See,
    device_id: Id,
    services: Services,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = MOST_DAYS,
) -> DeviceDaysOut:
    """How much of each day a device was online, offline, unknown or in planned maintenance."""
    now, zone = services.clock(), services.settings.zone
    first = first_moment(now.astimezone(zone).date() - timedelta(days=days - 1), zone)
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        since = max(first, device.created_at or first)
        spans = await device_days.list_spans(tx, scope, device_id, since=since, until=now)
    divided = divide_days(spans, since=since, until=now, zone=zone)
    return DeviceDaysOut(
        at=now, zone=str(zone), days=[DeviceDayOut.model_validate(day) for day in divided]
    )


@router.get("/devices/{device_id}/work")
async def list_work(scope: See, device_id: Id, services: Services) -> DeviceWorkOut:
    """Tasks about a device and stops of patrols at it, the newest of each."""
    now = services.clock()
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        numbers = await device_work.list_task_ids(tx, scope, device_id)
        tasks = await dispatches.get_dispatches(tx, scope, numbers)
        stops = await device_work.list_stops(tx, scope, device_id)
    return DeviceWorkOut(
        tasks=[DispatchOut.of(task, now) for task in reversed(tasks)],
        stops=[DeviceStopOut.model_validate(stop) for stop in stops],
    )


async def _refuse_foreign(tx: Transaction, scope: Scope, wanted: DeviceFilter) -> None:
    """A filter names no device that the caller cannot see."""
    for named in (wanted.behind_id, wanted.parent_id):
        if named is not None:
            await devices.get_device(tx, scope, named)
