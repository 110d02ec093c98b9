"""The dispatch desk: open a task, send it, take it back, merge, verify; its history and photos.

Lists are in :mod:`hub.web.routes.dispatch_desk`; what the field does is in the phone's routes.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from hub.domain import dispatches as domain
from hub.domain.access import Scope
from hub.domain.dispatches import Cause, DispatchState, NewDispatch, Position, Source
from hub.domain.errors import Invalid, NotFound
from hub.patrols.dispatch import desk
from hub.patrols.dispatch.editing import Correction, correct
from hub.patrols.dispatch.opening import OnDuplicate, open_dispatch
from hub.patrols.dispatch.photos import PhotoFolder
from hub.patrols.dispatch.states import allowed_steps
from hub.patrols.dispatch.talking import say
from hub.patrols.dispatch.verifying import find_standing
from hub.store import (
    devices,
    dispatch_messages,
    dispatch_positions,
    dispatch_steps,
    dispatches,
    photos,
)
from hub.store.database import Transaction
from hub.store.dispatch_duplicates import find_duplicates
from hub.store.dispatch_merges import list_merged
from hub.store.dispatch_messages import NewMessage
from hub.web.access import Dispatch, Operate, See
from hub.web.dispatch_pictures import has_picture, read_picture
from hub.web.routes.devices import JpegResponse
from hub.web.schemas.dispatches import (
    DeskNoteIn,
    DispatchChangeIn,
    DispatchDetailOut,
    DispatchIn,
    DispatchOut,
    Kind,
    Latitude,
    Longitude,
    MergeIn,
    MessageIn,
    RemarkIn,
    SendIn,
    flatten,
)
from hub.web.schemas.shapes import MAX_NUMBER, Id, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["dispatch"])

# What somebody took in the field is for those who may see it, in no cache on the way.
_PRIVATE = {"Cache-Control": "private, no-store"}


@router.post("/dispatches", status_code=HTTPStatus.CREATED)
async def open_task(scope: Operate, body: DispatchIn, services: Services) -> DispatchOut:
    """Open a task; it may be sent at once by a rule, or merged into an open one about the same."""
    new = NewDispatch(
        area_id=body.area_id,
        title=body.title,
        text=body.text,
        kind=body.kind,
        priority=body.priority,
        place=body.place,
        where=_position(body.longitude, body.latitude),
        device_id=body.device_id,
        checklist=tuple(body.checklist),
        cause=_cause(body),
    )
    how = OnDuplicate.OPEN if body.is_separate else OnDuplicate.MERGE
    now = services.clock()
    async with services.database.transaction() as tx:
        task = await open_dispatch(tx, scope, services.jobs, new, now=now, on_duplicate=how)
    return DispatchOut.of(task, now)


@router.get("/dispatches/duplicates")
async def list_duplicates(
    scope: See,
    services: Services,
    kind: Annotated[Kind, Query()] = "other",
    device_id: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    longitude: Annotated[Longitude | None, Query()] = None,
    latitude: Annotated[Latitude | None, Query()] = None,
) -> Listing[DispatchOut]:
    """Open tasks of a kind about a device or a place: to look at before another one is opened."""
    where = _position(longitude, latitude)
    new = NewDispatch(area_id=0, title="", kind=kind, device_id=device_id, where=where)
    async with services.database.transaction() as tx:
        if device_id is not None:
            await devices.get_device(tx, scope, device_id)
        found = await find_duplicates(tx, scope, new)
    return Listing(items=[DispatchOut.of(one, services.clock()) for one in found])


@router.get("/dispatches/{dispatch_id}")
async def get_task(scope: See, dispatch_id: Id, services: Services) -> DispatchDetailOut:
    """One task with its history, messages, photos, and the way of its unit."""
    async with services.database.transaction() as tx:
        task = await dispatches.get_dispatch(tx, scope, dispatch_id)
        return await _show(tx, scope, services, task)


@router.patch("/dispatches/{dispatch_id}")
async def correct_task(
    scope: Dispatch, dispatch_id: Id, body: DispatchChangeIn, services: Services
) -> DispatchDetailOut:
    """Put its words, its place or its priority right; deadlines go by the priority."""
    order = desk.Order(dispatch_id=dispatch_id, version=body.version, now=services.clock())
    wanted = Correction(
        title=body.title,
        text=body.text,
        kind=body.kind,
        place=body.place,
        where=_position(body.longitude, body.latitude),
        priority=body.priority,
    )
    async with services.database.transaction() as tx:
        task = await correct(tx, scope, order, wanted)
        return await _show(tx, scope, services, task)


@router.post("/dispatches/{dispatch_id}/send")
async def send_task(
    scope: Dispatch, dispatch_id: Id, body: SendIn, services: Services
) -> DispatchDetailOut:
    """Send it to a unit, or give it to another one; a link goes to the unit's phone."""
    order = _order(services, dispatch_id, body)
    async with services.database.transaction() as tx:
        task = await desk.send_to(tx, scope, services.jobs, order, body.unit_id)
        return await _show(tx, scope, services, task)


@router.post("/dispatches/{dispatch_id}/take-back")
async def take_back(
    scope: Dispatch, dispatch_id: Id, body: DeskNoteIn, services: Services
) -> DispatchDetailOut:
    """Take it from its unit: it waits for the desk again."""
    async with services.database.transaction() as tx:
        task = await desk.take_back(tx, scope, _order(services, dispatch_id, body))
        return await _show(tx, scope, services, task)


@router.post("/dispatches/{dispatch_id}/cancel")
async def cancel_task(
    scope: Dispatch, dispatch_id: Id, body: DeskNoteIn, services: Services
) -> DispatchDetailOut:
    """End it: nobody need go there."""
    async with services.database.transaction() as tx:
        task = await desk.cancel(tx, scope, _order(services, dispatch_id, body))
        return await _show(tx, scope, services, task)


@router.post("/dispatches/{dispatch_id}/merge")
async def merge_task(
    scope: Dispatch, dispatch_id: Id, body: MergeIn, services: Services
) -> DispatchDetailOut:
    """Let it count in another task about the same; returns the one that goes on."""
    order = _order(services, dispatch_id, body)
    async with services.database.transaction() as tx:
        await desk.merge(tx, scope, order, body.into_id)
        into = await dispatches.get_dispatch(tx, scope, body.into_id)
        return await _show(tx, scope, services, into)


@router.post("/dispatches/{dispatch_id}/verify")
async def verify_task(
    scope: Dispatch, dispatch_id: Id, body: DeskNoteIn, services: Services
) -> DispatchDetailOut:
    """End it as done: what raised it is clear, or the note says why it may end all the same."""
    async with services.database.transaction() as tx:
        task = await desk.verify(tx, scope, _order(services, dispatch_id, body))
        return await _show(tx, scope, services, task)


@router.post("/dispatches/{dispatch_id}/comment")
async def comment_task(
    scope: Operate, dispatch_id: Id, body: RemarkIn, services: Services
) -> DispatchDetailOut:
    """Add a remark for the desk; the field does not see it."""
    order = desk.Order(dispatch_id=dispatch_id, note=body.note, now=services.clock())
    async with services.database.transaction() as tx:
        task = await desk.comment(tx, scope, order)
        return await _show(tx, scope, services, task)


@router.post("/dispatches/{dispatch_id}/messages", status_code=HTTPStatus.CREATED)
async def write_message(
    scope: Operate, dispatch_id: Id, body: MessageIn, services: Services
) -> DispatchDetailOut:
    """Write to the field."""
    new = NewMessage(
        author=scope.actor,
        is_field=False,
        text=body.text,
        at=services.clock(),
        given_id=None if body.given_id is None else f"{scope.user_id}:{body.given_id}",
    )
    async with services.database.transaction() as tx:
        await say(tx, scope, dispatch_id, new)
        task = await dispatches.get_dispatch(tx, scope, dispatch_id)
        return await _show(tx, scope, services, task)


@router.get("/dispatches/{dispatch_id}/picture", response_class=JpegResponse)
async def get_picture(scope: See, dispatch_id: Id, services: Services) -> Response:
    """What raised the task, as a picture; who looked is in the audit log."""
    async with services.database.transaction() as tx:
        task = await dispatches.get_dispatch(tx, scope, dispatch_id)
        jpeg = await read_picture(tx, scope, services.settings.data_dir, task)
        if not jpeg:
            msg = "there is no picture of this task, or it was kept long enough"
            raise NotFound(msg)
        await dispatches.record(tx, scope, "dispatch.picture_looked_at", task)
    return JpegResponse(jpeg, headers=_PRIVATE)


@router.get("/dispatches/{dispatch_id}/photos/{photo_id}", response_class=JpegResponse)
async def get_photo(scope: See, dispatch_id: Id, photo_id: Id, services: Services) -> Response:
    """A photo of the task; who looked is in the audit log."""
    folder = PhotoFolder(services.settings.data_dir)
    async with services.database.transaction() as tx:
        task = await dispatches.get_dispatch(tx, scope, dispatch_id)
        photo = await photos.get_photo(tx, scope, photo_id)
        jpeg = await folder.read(photo.id) if photo.dispatch_id == task.id else b""
        if not jpeg:
            msg = "no such photo of this task"
            raise NotFound(msg)
        detail = {"photo": photo.id}
        await dispatches.record(tx, scope, "dispatch.photo_looked_at", task, detail)
    return JpegResponse(jpeg, headers=_PRIVATE)


async def _show(
    tx: Transaction, scope: Scope, services: WebServices, task: domain.Dispatch
) -> DispatchDetailOut:
    now: datetime = services.clock()
    standing = []
    if task.state is DispatchState.DONE:
        standing = list(await find_standing(tx, scope, task))
    raw = {
        **flatten(task, now),
        "has_picture": await has_picture(tx, scope, services.settings.data_dir, task),
        "steps": [step.value for step in allowed_steps(task.state)],
        "standing": standing,
        "took_in": await list_merged(tx, scope, task.id),
        "history": await dispatch_steps.list_steps(tx, scope, task.id),
        "messages": await dispatch_messages.list_messages(tx, scope, task.id),
        "photos": await photos.list_photos(tx, scope, photos.PhotoOf(dispatch_id=task.id)),
        "positions": await dispatch_positions.list_positions(tx, scope, task.id),
    }
    return DispatchDetailOut.model_validate(raw)


def _order(services: WebServices, dispatch_id: int, body: DeskNoteIn) -> desk.Order:
    return desk.Order(
        dispatch_id=dispatch_id, version=body.version, note=body.note, now=services.clock()
    )


def _position(longitude: float | None, latitude: float | None) -> Position | None:
    if (longitude is None) != (latitude is None):
        msg = "a position is both: longitude and latitude"
        raise Invalid(msg, field="longitude" if longitude is None else "latitude")
    if longitude is None or latitude is None:
        return None
    return Position(longitude=longitude, latitude=latitude)


def _cause(body: DispatchIn) -> Cause:
    if body.alert_id is not None and body.roll_call_id is not None:
        msg = "a task is opened for one thing: an alert or a roll call"
        raise Invalid(msg, field="roll_call_id")
    if body.alert_id is not None:
        return Cause(source=Source.ALERT, alert_id=body.alert_id)
    if body.roll_call_id is not None:
        return Cause(source=Source.ROLL_CALL, roll_call_id=body.roll_call_id)
    return Cause(source=Source.CALL if body.is_call else Source.HAND)
