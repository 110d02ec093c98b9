"""Reports: how things stand now, and the online rate of a period."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hub.domain.devices import DeviceKind
from hub.maintenance.uptime import report_uptime
from hub.store import alerts, console, device_lists
from hub.store.uptime import Period
from hub.web.access import See
from hub.web.routes.history import Moment, read_period
from hub.web.schemas.places import StatusCountsOut
from hub.web.schemas.reports import UptimeOut
from hub.web.schemas.shapes import AreaFilter
from hub.web.services import Services

router = APIRouter(tags=["reports"])

DEFAULT_PERIOD = timedelta(days=30)


@router.get("/reports/status")
async def report_status(scope: See, services: Services) -> StatusCountsOut:
    """How many devices have each status now, and how many alerts are open."""
    async with services.database.transaction() as tx:
        approved = await device_lists.count_by_status(tx, scope)
        pending = await console.count_pending(tx, scope)
        open_alerts = await alerts.count_open(tx, scope)
    return StatusCountsOut(
        at=services.clock(), approved=approved, pending=pending, open_alerts=open_alerts
    )


def read_uptime_period(
    services: Services,
    area: AreaFilter = None,
    kind: DeviceKind = DeviceKind.CAMERA,
    since: Moment = None,
    until: Moment = None,
) -> Period:
    """Which time and which devices; by default cameras and the last 30 days."""
    begin, end = read_period(services.clock(), since, until, DEFAULT_PERIOD)
    return Period(since=begin, until=end, area_id=area, kind=kind)


@router.get("/reports/uptime")
async def report_online_rate(
    scope: See,
    services: Services,
    period: Annotated[Period, Depends(read_uptime_period)],
    *,
    with_devices: Annotated[bool, Query(alias="devices")] = False,
) -> UptimeOut:
    """The time-weighted online rate by area, and by device when asked for."""
    async with services.database.transaction() as tx:
        report = await report_uptime(
            tx, scope, period, now=services.clock(), with_devices=with_devices
        )
    return UptimeOut.model_validate(report)
