"""Reports: how things stand now, the figures of a period, and published months."""

import asyncio
import io
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from hub.domain.devices import DeviceKind
from hub.domain.errors import Invalid
from hub.maintenance.area_days import MOST_DAYS_BACK, report_days
from hub.maintenance.kpis import report_kpis
from hub.maintenance.months import MonthOrder, publish_month
from hub.maintenance.report_tables import ReportTable, kpi_table, uptime_table
from hub.maintenance.uptime import FORMULA, report_uptime
from hub.runtime.sheets import SheetKind, write_sheet
from hub.store import alerts, areas, console, device_lists, months
from hub.store.area_days import DayFilter
from hub.store.ledger_rows import GroupBy, Period
from hub.web.access import Plan, See
from hub.web.routes.history import Moment, read_period
from hub.web.schemas.places import StatusCountsOut
from hub.web.schemas.reports import (
    DayRowOut,
    DayTableOut,
    KpiReportOut,
    MonthFiguresOut,
    MonthIn,
    MonthOut,
    UptimeOut,
)
from hub.web.schemas.shapes import AreaFilter, Created, Cursor, Id, Limit, Listing, Out
from hub.web.services import Services

router = APIRouter(tags=["reports"])

DEFAULT_PERIOD = timedelta(days=30)


class ReportFormat(StrEnum):
    """What a report comes as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class DayKind(StrEnum):
    """Of which devices days are made."""

    CAMERA = "camera"
    ALL = "all"

    @property
    def stored(self) -> str:
        """As it is stored."""
        return "" if self is DayKind.ALL else self.value


Format = Annotated[ReportFormat, Query(alias="format")]
MonthFilter = Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2})?$")]


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


def read_report_period(
    services: Services,
    area: AreaFilter = None,
    kind: DeviceKind | None = DeviceKind.CAMERA,
    since: Moment = None,
    until: Moment = None,
) -> Period:
    """Which time and which devices; by default cameras and the last 30 days."""
    begin, end = read_period(services.clock(), since, until, DEFAULT_PERIOD)
    return Period(since=begin, until=end, area_id=area, kind=kind or "")


ReportPeriod = Annotated[Period, Depends(read_report_period)]


@router.get("/reports/uptime", response_model=UptimeOut)
async def report_online_rate(
    scope: See,
    services: Services,
    period: ReportPeriod,
    form: Format = ReportFormat.JSON,
    *,
    with_devices: Annotated[bool, Query(alias="devices")] = False,
) -> Response:
    """The time-weighted online rate by area, and by device when asked for."""
    async with services.database.transaction() as tx:
        report = await report_uptime(
            tx, scope, period, now=services.clock(), with_devices=with_devices
        )
    if form is ReportFormat.JSON:
        return await _document(UptimeOut, report)
    return await _download(uptime_table(report), SheetKind(form), "uptime")


@router.get("/reports/kpis", response_model=KpiReportOut)
async def report_key_figures(
    scope: See,
    services: Services,
    period: ReportPeriod,
    by: GroupBy = GroupBy.AREA,
    form: Format = ReportFormat.JSON,
) -> Response:
    """Every figure of a period with its coverage and formula, by one grouping."""
    async with services.database.transaction() as tx:
        report = await report_kpis(tx, scope, period, by, now=services.clock())
    if form is ReportFormat.JSON:
        return await _document(KpiReportOut, report)
    return await _download(kpi_table(report), SheetKind(form), f"kpis-{by.value}")


@router.get("/reports/area-days")
async def report_by_day(
    scope: See,
    services: Services,
    first: date,
    last: date,
    area: AreaFilter = None,
    kind: DayKind = DayKind.CAMERA,
) -> DayTableOut:
    """The online rate by area and finished day: of each direct child of an area.

    Without an area: of each area, with what is directly in it.
    """
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS_BACK):
        msg = f"ask for 1 to {MOST_DAYS_BACK} days, the first before the last"
        raise Invalid(msg, field="first")
    wanted = DayFilter(first=first, last=last, area_id=area, kind=kind.stored)
    async with services.database.transaction() as tx:
        if area is not None:
            await areas.get_area(tx, scope, area)
        table = await report_days(tx, scope, wanted)
    return DayTableOut(
        formula=FORMULA,
        days=table.days,
        whole=DayRowOut.model_validate(table.whole),
        rows=[DayRowOut.model_validate(row) for row in table.rows],
    )


@router.post("/reports/months", status_code=201)
async def publish(scope: Plan, services: Services, body: MonthIn) -> Created:
    """Publish a month that is over: its figures are kept for ever. Again: another edition."""
    order = MonthOrder(month=body.month, area_id=body.area_id, kind=body.kind or "")
    async with services.database.transaction() as tx:
        number = await publish_month(
            tx, scope, order, now=services.clock(), zone=services.settings.zone
        )
    return Created(id=number)


@router.get("/reports/months")
async def list_published(
    scope: See,
    services: Services,
    month: MonthFilter = "",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[MonthOut]:
    """Published months, newest first, every edition."""
    async with services.database.transaction() as tx:
        page = await months.list_months(tx, scope, month=month, limit=limit, cursor=cursor)
    return Listing(items=[MonthOut.model_validate(m) for m in page.items], next=page.next)


@router.get("/reports/months/{month_id}")
async def get_published(scope: See, month_id: Id, services: Services) -> MonthFiguresOut:
    """A published month with its figures."""
    async with services.database.transaction() as tx:
        found = await months.get_month(tx, scope, month_id)
    return MonthFiguresOut.model_validate(found)


async def _document(shape: type[Out], report: object) -> Response:
    """JSON of many lines, built beside the loop that serves everybody else."""

    def build() -> str:
        return shape.model_validate(report).model_dump_json()

    return Response(await asyncio.to_thread(build), media_type="application/json")


async def _download(table: ReportTable, kind: SheetKind, name: str) -> Response:
    """A file to keep; ``name`` is ours, never foreign text."""
    return Response(
        await asyncio.to_thread(_write, table, kind),
        media_type=kind.media_type,
        headers={"Content-Disposition": f'attachment; filename="gengfu-{name}.{kind.value}"'},
    )


def _write(table: ReportTable, kind: SheetKind) -> bytes:
    stream = io.BytesIO()
    write_sheet(stream, kind, table.columns, table.rows, title=table.title)
    return stream.getvalue()
