"""The API of the phone pages, and the link to one that the desk shows as a QR code.

Whoever calls holds a link (``X-Phone-Token``): it names the one task or roll call this is about,
so no address here holds a number.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from hub.domain.dispatches import Position
from hub.domain.duty_rooms import AnsweredBy
from hub.domain.errors import Conflict, Invalid, NotFound, StoreUnavailable
from hub.patrols.phone import links, tasks
from hub.patrols.phone.positions import tell_position
from hub.patrols.roll_calls.answering import Answer, answer
from hub.runtime.files import NotKept
from hub.store.database import Transaction
from hub.store.dispatches import get_dispatch, record
from hub.store.phone_links import Purpose
from hub.store.room_calls import get_call
from hub.web.access import Dispatch
from hub.web.dispatch_pictures import has_picture, read_picture
from hub.web.phone_access import Holder, RequiresLink
from hub.web.qr import draw_qr
from hub.web.routes.devices import JpegResponse
from hub.web.schemas.phone import (
    CallAnswerIn,
    CallOut,
    LinkOut,
    PhotosOut,
    PositionIn,
    SaidIn,
    StepIn,
    TaskOut,
)
from hub.web.schemas.shapes import Id
from hub.web.services import Services, WebServices

router = APIRouter(tags=["phone"])

# Phones make photos smaller before they send them; this is for those that cannot.
MOST_PHOTO_BYTES: Final = 12 * 1024 * 1024
PHOTO_PATHS: Final = ("/phone/task/photos",)

TaskLink = Annotated[Holder, Depends(RequiresLink(Purpose.TASK))]
PastTaskLink = Annotated[Holder, Depends(RequiresLink(Purpose.TASK, is_past_good=True))]
CallLink = Annotated[Holder, Depends(RequiresLink(Purpose.ROLL_CALL))]
PastCallLink = Annotated[Holder, Depends(RequiresLink(Purpose.ROLL_CALL, is_past_good=True))]
GivenHeader = Annotated[str, Header(alias="X-Given-Id", pattern=r"^[A-Za-z0-9_-]{8,64}$")]


@router.get("/phone/task")
async def get_task(holder: TaskLink, services: Services) -> TaskOut:
    """The task of the link."""
    async with services.database.transaction() as tx:
        return await _task(tx, holder, services)


@router.get("/phone/task/picture", response_class=JpegResponse)
async def get_picture(holder: TaskLink, services: Services) -> Response:
    """What the task is about; who looked is in the audit log."""
    async with services.database.transaction() as tx:
        task = await get_dispatch(tx, holder.scope, holder.link.dispatch_id or 0)
        jpeg = await read_picture(tx, holder.scope, services.settings.data_dir, task)
        await record(tx, holder.scope, "dispatch.picture_looked_at", task)
    if not jpeg:
        msg = "this task has no picture, or it is not in this hub's data folder any more"
        raise NotFound(msg)
    return JpegResponse(jpeg)


@router.post("/phone/task/steps")
async def take_step(holder: PastTaskLink, body: StepIn, services: Services) -> TaskOut:
    """Accept, refuse, set out, arrive, be done; the last word of a link may be repeated."""
    said = tasks.Said(
        given_id=body.given_id, step=body.step, note=body.note, checked=tuple(body.checked)
    )
    async with services.database.transaction() as tx:
        await tasks.take_step(tx, holder.link, holder.scope, said, now=services.clock())
        return await _task(tx, holder, services)


@router.post("/phone/task/messages", status_code=HTTPStatus.NO_CONTENT)
async def write_message(holder: TaskLink, body: SaidIn, services: Services) -> None:
    """Write to the desk; the same number is kept once."""
    async with services.database.transaction() as tx:
        await tasks.write(
            tx,
            holder.link,
            holder.scope,
            body.text,
            given_id=body.given_id,
            now=services.clock(),
        )


@router.post("/phone/task/positions", status_code=HTTPStatus.NO_CONTENT)
async def tell_where(holder: TaskLink, body: PositionIn, services: Services) -> None:
    """Tell where the unit is; a place outside the county is refused."""
    now = services.clock()
    position = Position(
        longitude=body.longitude,
        latitude=body.latitude,
        accuracy_m=body.accuracy_m,
        at=now - timedelta(seconds=body.age_s),
    )
    async with services.database.transaction() as tx:
        await tell_position(tx, holder.link, holder.scope, position, now=now)


@router.post(
    "/phone/task/photos",
    status_code=HTTPStatus.CREATED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def add_photo(
    holder: TaskLink, request: Request, services: Services, given_id: GivenHeader
) -> PhotosOut:
    """Send a photo as it is, at most 12 MiB; it is decoded and encoded anew, the same kept once."""
    del given_id  # the picture itself tells whether it was sent before
    if services.clean_photo is None:
        msg = "this process of the hub takes no photos: try again later"
        raise StoreUnavailable(msg)
    # Read after the link was looked at: a stranger's bytes are never taken in.
    photo = await services.clean_photo(await request.body())
    try:
        async with services.database.transaction() as tx:
            count = await tasks.add_photo(
                tx,
                holder.link,
                holder.scope,
                photo,
                data_dir=services.settings.data_dir,
                now=services.clock(),
            )
    except NotKept as error:
        msg = f"the hub cannot keep photos now: {error}"
        raise StoreUnavailable(msg) from error
    return PhotosOut(photos=count)


@router.get("/phone/call")
async def get_roll_call(holder: CallLink, services: Services) -> CallOut:
    """The question to the duty room of the link, and the code that is to be typed."""
    async with services.database.transaction() as tx:
        asked = await get_call(tx, holder.scope, holder.link.call_id or 0)
    return CallOut.of(asked, services.clock())


@router.post("/phone/call/answer")
async def answer_roll_call(holder: PastCallLink, body: CallAnswerIn, services: Services) -> CallOut:
    """Say that somebody is there; an answer whose own answer got lost may be repeated."""
    now = services.clock()
    number = holder.link.call_id or 0
    given = Answer(how=AnsweredBy.PHONE, by=body.by, code=body.code)
    async with services.database.transaction() as tx:
        asked = await get_call(tx, holder.scope, number)
        said = (AnsweredBy.PHONE, body.by.strip(), body.code)
        if (asked.answered_how, asked.answered_by, asked.code) == said:
            return CallOut.of(asked, now)
        if not holder.link.is_open:
            raise NotFound(links.OVER)
        heard = await answer(tx, holder.scope, number, given, now=now)
    if heard.fault:
        raise Invalid(heard.fault, field="code")
    return CallOut.of(heard.call, now)


@router.post("/dispatches/{dispatch_id}/link", status_code=HTTPStatus.CREATED)
async def make_link(
    scope: Dispatch, dispatch_id: Id, request: Request, services: Services
) -> LinkOut:
    """Make a link to a task for the phone of the unit that has it, also as a QR code."""
    now = services.clock()
    async with services.database.transaction() as tx:
        task = await get_dispatch(tx, scope, dispatch_id)
        if task.unit_id is None:
            msg = "no unit has this task: send it to one first"
            raise Conflict(msg)
        try:
            token = await links.issue(tx, scope, now=now, dispatch_id=task.id, unit_id=task.unit_id)
        except NotFound as error:
            msg = "nobody in the field is waited for: a link would lead nowhere"
            raise Conflict(msg) from error
        await record(tx, scope, "dispatch.link_made", task, {"unit": task.unit_name})
    base = services.settings.public_origin or str(request.base_url)
    link = links.build_link(base, Purpose.TASK, token)
    return LinkOut(link=link.reveal(), svg=draw_qr(link), expires_at=now + links.LASTS)


async def _task(tx: Transaction, holder: Holder, services: WebServices) -> TaskOut:
    shown = await tasks.show_task(tx, holder.link, holder.scope)
    has_one = await has_picture(tx, holder.scope, services.settings.data_dir, shown.task)
    return TaskOut.of(shown, holder.link, services.clock(), has_picture=has_one)
