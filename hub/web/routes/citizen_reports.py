"""Reports of residents and grid officers, as moderators handle them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from hub.domain.citizen_reports import ReportState
from hub.domain.errors import NotFound
from hub.patrols.citizens import moderating
from hub.patrols.dispatch.photos import PhotoFolder
from hub.patrols.phone import links
from hub.store import audit, citizen_reports, photos, report_points
from hub.store.citizen_reports import ReportFilter
from hub.store.field_units import get_unit
from hub.store.phone_links import Purpose
from hub.web.access import Dispatch, See
from hub.web.qr import draw_qr
from hub.web.routes.devices import JpegResponse
from hub.web.schemas.citizen_reports import (
    AnswerIn,
    CitizenReportOut,
    ContactOut,
    MoveIn,
    PhotoNumbersOut,
    PointsIn,
    StandingOut,
    StandingsOut,
    TaskIn,
)
from hub.web.schemas.phone import LinkOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing, TextFilter
from hub.web.services import Services

router = APIRouter(tags=["citizen reports"])


def read_filter(
    area: AreaFilter = None,
    status: ReportState | None = None,
    reporter: TextFilter = "",
) -> ReportFilter:
    """What the list is narrowed to."""
    return ReportFilter(area_id=area, state=status, reporter=reporter)


@router.get("/citizen-reports")
async def list_reports(
    scope: Dispatch,
    services: Services,
    wanted: Annotated[ReportFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[CitizenReportOut]:
    """Reports, newest first."""
    async with services.database.transaction() as tx:
        page = await citizen_reports.list_reports(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[CitizenReportOut.of(one) for one in page.items], next=page.next)


@router.get("/citizen-reports/standings")
async def list_standings(
    scope: See, services: Services, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> StandingsOut:
    """Who has the most points."""
    async with services.database.transaction() as tx:
        rows = await report_points.best_reporters(tx, scope, limit=limit)
    return StandingsOut(items=[StandingOut.model_validate(row) for row in rows])


@router.get("/citizen-reports/{report_id}")
async def get_report(scope: Dispatch, report_id: Id, services: Services) -> CitizenReportOut:
    """One report."""
    async with services.database.transaction() as tx:
        return CitizenReportOut.of(await citizen_reports.get_report(tx, scope, report_id))


@router.get("/citizen-reports/{report_id}/contact")
async def get_contact(scope: Dispatch, report_id: Id, services: Services) -> ContactOut:
    """How the reporter can be reached; who asked is in the audit log."""
    async with services.database.transaction() as tx:
        return ContactOut(contact=await citizen_reports.read_contact(tx, scope, report_id))


@router.get("/citizen-reports/{report_id}/photos")
async def list_photos(scope: Dispatch, report_id: Id, services: Services) -> PhotoNumbersOut:
    """The numbers of a report's photos."""
    async with services.database.transaction() as tx:
        report = await citizen_reports.get_report(tx, scope, report_id)
        found = await photos.list_photos(tx, scope, photos.PhotoOf(report_id=report.id))
    return PhotoNumbersOut(items=[one.id for one in found])


@router.get("/citizen-reports/{report_id}/photos/{report_photo_id}", response_class=JpegResponse)
async def get_photo(
    scope: Dispatch, report_id: Id, report_photo_id: Id, services: Services
) -> Response:
    """A photo of a report; who looked is in the audit log."""
    async with services.database.transaction() as tx:
        report = await citizen_reports.get_report(tx, scope, report_id)
        found = await photos.get_photo(tx, scope, report_photo_id)
        if found.report_id != report.id:
            msg = "no such photo"
            raise NotFound(msg)
        await citizen_reports.record_look(tx, scope, report)
    jpeg = await PhotoFolder(services.settings.data_dir).read(report_photo_id)
    if not jpeg:
        msg = "the photo is not in this hub's data folder any more"
        raise NotFound(msg)
    return JpegResponse(jpeg)


@router.post("/citizen-reports/{report_id}/dispatch")
async def make_task(
    scope: Dispatch, report_id: Id, body: TaskIn, services: Services
) -> CitizenReportOut:
    """Open a task about a report."""
    task = moderating.Task(
        title=body.title, text=body.text, kind=body.kind or "", priority=body.priority
    )
    async with services.database.transaction() as tx:
        await moderating.make_task(tx, scope, services.jobs, report_id, task, now=services.clock())
        return CitizenReportOut.of(await citizen_reports.get_report(tx, scope, report_id))


@router.post("/citizen-reports/{report_id}/answer")
async def answer(
    scope: Dispatch, report_id: Id, body: AnswerIn, services: Services
) -> CitizenReportOut:
    """Answer a report; the reporter reads it by his key."""
    async with services.database.transaction() as tx:
        found = await moderating.answer(tx, scope, report_id, body.text, now=services.clock())
    return CitizenReportOut.of(found)


@router.post("/citizen-reports/{report_id}/reject")
async def reject(
    scope: Dispatch, report_id: Id, body: AnswerIn, services: Services
) -> CitizenReportOut:
    """Put a report aside that is no matter of ours, and say why."""
    async with services.database.transaction() as tx:
        found = await moderating.reject(tx, scope, report_id, body.text, now=services.clock())
    return CitizenReportOut.of(found)


@router.post("/citizen-reports/{report_id}/move")
async def move(
    scope: Dispatch, report_id: Id, body: MoveIn, services: Services
) -> CitizenReportOut:
    """Give a report to another area."""
    async with services.database.transaction() as tx:
        return CitizenReportOut.of(await citizen_reports.move(tx, scope, report_id, body.area_id))


@router.post("/citizen-reports/{report_id}/points")
async def give_points(
    scope: Dispatch, report_id: Id, body: PointsIn, services: Services
) -> CitizenReportOut:
    """Give points for a report, or take them back; where the site has a ledger."""
    if not services.settings.intake.gives_points:
        msg = "this site gives no points (citizens.gives_points)"
        raise NotFound(msg)
    async with services.database.transaction() as tx:
        await report_points.give_points(
            tx, scope, report_id, body.points, body.reason, now=services.clock()
        )
        return CitizenReportOut.of(await citizen_reports.get_report(tx, scope, report_id))


@router.post("/field-units/{unit_id}/report-link", status_code=HTTPStatus.CREATED)
async def make_report_link(
    scope: Dispatch, unit_id: Id, request: Request, services: Services
) -> LinkOut:
    """Make a link by which a unit reports in its own name, also as a QR code."""
    now = services.clock()
    async with services.database.transaction() as tx:
        unit = await get_unit(tx, scope, unit_id)
        token = await links.issue(tx, scope, now=now, unit_id=unit.id)
        deed = audit.Deed(
            action="field_unit.report_link_made",
            object_type="field_unit",
            object_id=str(unit.id),
            area_id=unit.area_id,
        )
        await audit.record(tx, scope, deed)
    base = services.settings.public_origin or str(request.base_url)
    link = links.build_link(base, Purpose.REPORT, token)
    return LinkOut(link=link.reveal(), svg=draw_qr(link), expires_at=now + links.LASTS)
