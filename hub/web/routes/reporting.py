"""What reporters use: residents without any account, officers by the link of their unit.

A report is known by a key that the reporter's own device made at random (``X-Report-Key``): with
it, and with nothing else, he adds photos and reads later what became of it.
"""

from http import HTTPStatus
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Header, Request

from hub.domain.access import Scope
from hub.domain.errors import NotFound, StoreUnavailable
from hub.domain.patrols import KNOWN_KINDS
from hub.domain.secrets import Secret
from hub.patrols.citizens.photos import keep_photo
from hub.patrols.citizens.receiving import (
    LONGEST_TEXT,
    MOST_PHOTOS,
    digest_key,
    follow_up,
    receive,
)
from hub.patrols.dispatch.photos import PhotoFolder
from hub.runtime.files import NotKept
from hub.store.citizen_reports import Reporter
from hub.store.phone_links import Purpose
from hub.web.phone_access import Holder, RequiresLink
from hub.web.report_throttle import ReportThrottle
from hub.web.schemas.citizen_reports import FollowUpOut, FormOut, ReportIn
from hub.web.schemas.phone import PhotosOut
from hub.web.services import Services, WebServices
from hub.web.source import find_source, group_source

router = APIRouter(tags=["citizen reports"])

PHOTO_PATHS: Final = ("/reporting/photos",)
# Alarms, faults of rooms and devices are for others to tell.
KINDS: Final = {
    kind: words
    for kind, words in KNOWN_KINDS.items()
    if kind not in {"camera_down", "picture_bad", "view_blocked", "something_moving", "duty_room"}
}

Key = Annotated[str, Header(alias="X-Report-Key", min_length=64, max_length=64)]
Officer = Annotated[Holder, Depends(RequiresLink(Purpose.REPORT))]


@router.get("/reporting")
async def get_form(services: Services) -> FormOut:
    """What can be reported here, and whether residents may."""
    return FormOut(
        is_open=services.settings.intake.is_open,
        kinds=KINDS,
        most_photos=MOST_PHOTOS,
        longest_text=LONGEST_TEXT,
    )


@router.post("/reporting/reports", status_code=HTTPStatus.CREATED)
async def report(request: Request, body: ReportIn, key: Key, services: Services) -> FollowUpOut:
    """Report something as a resident, where the site lets residents report."""
    source = find_source(request, services.settings)
    if services.settings.intake.is_open:
        _throttle(request).take(group_source(source), services.clock())
    by = Reporter(digest=digest_key(Secret(key)))
    return await _take_in(services, _hub(source), body, by)


@router.post("/phone/reports", status_code=HTTPStatus.CREATED)
async def report_as_officer(
    holder: Officer, body: ReportIn, key: Key, services: Services
) -> FollowUpOut:
    """Report something as a unit, in its name."""
    by = Reporter(
        digest=digest_key(Secret(key)),
        unit_id=holder.link.unit_id,
        unit_name=holder.link.unit_name,
    )
    return await _take_in(services, _hub(holder.source), body, by)


@router.get("/reporting/report")
async def read_report(request: Request, key: Key, services: Services) -> FollowUpOut:
    """What became of the report with this key."""
    source = find_source(request, services.settings)
    async with services.database.transaction() as tx:
        try:
            found = await follow_up(tx, _hub(source), Secret(key))
        except NotFound:
            # Nobody guesses 256 bits; those who try are slowed down with those who flood.
            _throttle(request).take(group_source(source), services.clock())
            raise
    return FollowUpOut.model_validate(found)


@router.post(
    "/reporting/photos",
    status_code=HTTPStatus.CREATED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def add_photo(request: Request, key: Key, services: Services) -> PhotosOut:
    """Add a photo to the report with this key; it is decoded and encoded anew."""
    scope = _hub(find_source(request, services.settings))
    async with services.database.transaction() as tx:
        found = await follow_up(tx, scope, Secret(key))
    if services.clean_photo is None:
        msg = "this process of the hub takes no photos: try again later"
        raise StoreUnavailable(msg)
    # Read after the key was looked at: a stranger's bytes are never taken in.
    photo = await services.clean_photo(await request.body())
    folder = PhotoFolder(services.settings.data_dir)
    try:
        async with services.database.transaction() as tx:
            count = await keep_photo(tx, scope, folder, found, photo, now=services.clock())
    except NotKept as error:
        msg = f"the hub cannot keep photos now: {error}"
        raise StoreUnavailable(msg) from error
    return PhotosOut(photos=count)


async def _take_in(
    services: WebServices, scope: Scope, body: ReportIn, by: Reporter
) -> FollowUpOut:
    async with services.database.transaction() as tx:
        found = await receive(
            tx, scope, services.settings.intake, body.report(), by, clock=services.clock
        )
    return FollowUpOut.model_validate(found)


def _hub(source: str) -> Scope:
    """Reports come in for the hub, which then knows where they belong."""
    return Scope(paths=None, actor="reporter", source=source)


def _throttle(request: Request) -> ReportThrottle:
    return cast("ReportThrottle", request.app.state.report_throttle)
