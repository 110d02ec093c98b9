"""Reports of patrols: figures, pages, PDF, workbooks, and who signed them."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.responses import HTMLResponse

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.domain.patrol_reports import KeptReport, Period
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.papers import Papers
from hub.runtime.files import NotKept
from hub.runtime.sheets import XLSX_MEDIA_TYPE
from hub.store import audit, patrol_reports
from hub.web.access import Plan, See
from hub.web.routes.patrols import REPORT_POLICY
from hub.web.schemas.patrol_reports import (
    PatrolFiguresOut,
    PatrolReportIn,
    PatrolReportOut,
    SignatureIn,
)
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Limit, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["patrol reports"])

PDF_MEDIA_TYPE = "application/pdf"
ReportId = Annotated[int, Path(alias="patrol_report_id", ge=1, le=MAX_NUMBER)]


class PdfResponse(Response):
    """One report on paper."""

    media_type = PDF_MEDIA_TYPE


class WorkbookResponse(Response):
    """One workbook."""

    media_type = XLSX_MEDIA_TYPE


def read_filter(
    area: AreaFilter = None,
    period: Period | None = None,
    round_id: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    signed: bool | None = None,  # noqa: FBT001 - a parameter of the query
) -> patrol_reports.ReportFilter:
    """What the list is narrowed to."""
    return patrol_reports.ReportFilter(
        area_id=area, period=period, round_id=round_id, is_signed=signed
    )


@router.get("/patrol-reports")
async def list_reports(
    scope: See,
    services: Services,
    wanted: Annotated[patrol_reports.ReportFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[PatrolReportOut]:
    """Reports, newest first, without their figures."""
    async with services.database.transaction() as tx:
        page = await patrol_reports.list_reports(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(
        items=[PatrolReportOut.model_validate(one) for one in page.items], next=page.next
    )


@router.post("/patrol-reports", status_code=201)
async def make_report(scope: Plan, services: Services, body: PatrolReportIn) -> PatrolReportOut:
    """Make a report, or make it again with what happened since; a signed one stays."""
    maker = _maker(services)
    if body.round_id is not None:
        report = await maker.make_round(scope, body.round_id)
    elif body.period is not None and body.area_id is not None and body.night is not None:
        report = await maker.make_period(scope, body.period, body.area_id, body.night)
    else:
        msg = "name a round_id, or period, area_id and night"
        raise Invalid(msg)
    await _keep_page(maker, report)
    return PatrolReportOut.model_validate(report)


@router.get("/patrol-reports/{patrol_report_id}")
async def get_report(scope: See, report_id: ReportId, services: Services) -> PatrolFiguresOut:
    """A report with its figures."""
    async with services.database.transaction() as tx:
        report = await patrol_reports.get_report(tx, scope, report_id)
    return PatrolFiguresOut.model_validate(report)


@router.get("/patrol-reports/{patrol_report_id}/page", response_class=HTMLResponse)
async def get_page(scope: See, report_id: ReportId, services: Services) -> Response:
    """A report as one HTML file; who read it is in the audit log."""
    report = await _open(scope, report_id, services)
    page = await _papers(services).page(report)
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


@router.get("/patrol-reports/{patrol_report_id}/pdf", response_class=PdfResponse)
async def get_pdf(scope: See, report_id: ReportId, services: Services) -> Response:
    """A report on paper; made when it is first asked for, which takes some seconds."""
    report = await _open(scope, report_id, services)
    return PdfResponse(await _papers(services).pdf(report), headers=_download(report, "pdf"))


@router.get("/patrol-reports/{patrol_report_id}/workbook", response_class=WorkbookResponse)
async def get_workbook(scope: See, report_id: ReportId, services: Services) -> Response:
    """A report as XLSX: its figures and every stop of a round, or the findings of a period."""
    report = await _open(scope, report_id, services)
    made = await _papers(services).workbook(report)
    return WorkbookResponse(made, headers=_download(report, "xlsx"))


@router.post("/patrol-reports/{patrol_report_id}/sign")
async def sign_report(
    scope: Plan, report_id: ReportId, services: Services, body: SignatureIn
) -> PatrolReportOut:
    """Sign a report, once and for good; one that was made anew since it was read is refused."""
    maker = _maker(services)
    report = await maker.sign(scope, report_id, made_at=body.made_at, note=body.note)
    await _keep_page(maker, report)
    return PatrolReportOut.model_validate(report)


async def _open(scope: Scope, report_id: int, services: WebServices) -> KeptReport:
    """A report with its figures, whose reader is put on record."""
    async with services.database.transaction() as tx:
        report = await patrol_reports.get_report(tx, scope, report_id)
        deed = audit.Deed(
            action="patrol_report.read",
            object_type="patrol_report",
            object_id=str(report_id),
            area_id=report.area_id,
        )
        await audit.record(tx, scope, deed)
    return report


async def _keep_page(maker: Maker, report: KeptReport) -> None:
    """A disk that takes no page hinders nobody: the page is made when it is asked for."""
    with suppress(NotKept):
        await maker.keep_page(report)


def _maker(services: WebServices) -> Maker:
    return Maker(
        database=services.database,
        jobs=services.jobs,
        papers=_papers(services),
        clock=services.clock,
        zone=services.settings.zone,
    )


def _papers(services: WebServices) -> Papers:
    return Papers.of(services.database, services.settings.data_dir, services.printer)


def _download(report: KeptReport, kind: str) -> dict[str, str]:
    """A file to keep; its name is ours, never foreign text."""
    name = f"gengfu-patrol-{report.period.value}-{report.id:d}.{kind}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}
