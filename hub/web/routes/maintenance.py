"""How often devices are asked, when they are maintained, and what they are reached through."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.store import (
    maintenance_windows,
    parent_decisions,
    parent_suggestions,
    parents,
    probe_intervals,
)
from hub.store.database import Transaction
from hub.store.maintenance_windows import NewWindow, WindowFilter, WindowState
from hub.store.parent_decisions import Choice
from hub.store.parent_suggestions import SuggestionState
from hub.store.probe_intervals import ProbeInterval
from hub.web.access import Maintain, See
from hub.web.schemas.maintenance import (
    AcceptIn,
    ChildrenOut,
    IntervalIn,
    IntervalOut,
    ParentIn,
    ParentsIn,
    ParentsOut,
    SuggestionOut,
    WindowIn,
    WindowOut,
)
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["maintenance"])


def read_filter(
    area: AreaFilter = None,
    device_id: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    state: WindowState | None = None,
) -> WindowFilter:
    """What the list of windows is narrowed to."""
    return WindowFilter(area_id=area, device_id=device_id, state=state)


Wanted = Annotated[WindowFilter, Depends(read_filter)]


@router.get("/probe-intervals")
async def list_intervals(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[IntervalOut]:
    """What is set, by number; whatever is set nowhere has its default."""
    async with services.database.transaction() as tx:
        page = await probe_intervals.list_intervals(
            tx, scope, area_id=area, limit=limit, cursor=cursor
        )
    return Listing(items=[IntervalOut.model_validate(one) for one in page.items], next=page.next)


@router.post("/probe-intervals", status_code=HTTPStatus.CREATED)
async def set_interval(scope: Maintain, body: IntervalIn, services: Services) -> IntervalOut:
    """Set intervals in place of what was set for the same area and class, or device."""
    if (body.area_id is None) == (body.device_id is None):
        msg = "name an area or a device"
        raise Invalid(msg, field="area_id")
    wanted = ProbeInterval(
        area_id=body.area_id or 0,
        device_class=body.device_class,
        device_id=body.device_id,
        answer_s=body.answer_s,
        stream_s=body.stream_s,
        frames_s=body.frames_s,
        inspect_s=body.inspect_s,
        picture_s=body.picture_s,
    )
    async with services.database.transaction() as tx:
        return IntervalOut.model_validate(await probe_intervals.put_interval(tx, scope, wanted))


@router.delete("/probe-intervals/{interval_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_interval(scope: Maintain, interval_id: Id, services: Services) -> None:
    """Remove what is set: the devices inherit again."""
    async with services.database.transaction() as tx:
        await probe_intervals.remove_interval(tx, scope, interval_id)


@router.get("/maintenance-windows")
async def list_windows(
    scope: See,
    services: Services,
    wanted: Wanted,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[WindowOut]:
    """Windows, the latest beginning first."""
    async with services.database.transaction() as tx:
        page = await maintenance_windows.list_windows(
            tx, scope, wanted, now=services.clock(), limit=limit, cursor=cursor
        )
    return Listing(items=[WindowOut.model_validate(one) for one in page.items], next=page.next)


@router.get("/maintenance-windows/{window_id}")
async def get_window(scope: See, window_id: Id, services: Services) -> WindowOut:
    """One window."""
    async with services.database.transaction() as tx:
        found = await maintenance_windows.get_window(tx, scope, window_id, now=services.clock())
    return WindowOut.model_validate(found)


@router.post("/maintenance-windows", status_code=HTTPStatus.CREATED)
async def plan_window(scope: Maintain, body: WindowIn, services: Services) -> WindowOut:
    """Plan maintenance: devices go on being watched, but nobody is alerted meanwhile."""
    now = services.clock()
    new = NewWindow(
        area_id=body.area_id,
        device_id=body.device_id,
        starts_at=body.starts_at or now,
        ends_at=body.ends_at,
        reason=body.reason,
    )
    async with services.database.transaction() as tx:
        return WindowOut.model_validate(
            await maintenance_windows.plan_window(tx, scope, new, now=now)
        )


@router.post("/maintenance-windows/{window_id}/end")
async def end_window(scope: Maintain, window_id: Id, services: Services) -> WindowOut:
    """End a window now; one that has not begun never will."""
    async with services.database.transaction() as tx:
        ended = await maintenance_windows.end_window(tx, scope, window_id, now=services.clock())
    return WindowOut.model_validate(ended)


@router.put("/devices/{device_id}/parent")
async def set_parent(
    scope: Maintain, device_id: Id, body: ParentIn, services: Services
) -> ParentsOut:
    """Say through what a device is reached."""
    async with services.database.transaction() as tx:
        changed = await parents.set_parent(tx, scope, [device_id], body.parent_id)
    return ParentsOut(changed=changed)


@router.get("/devices/{device_id}/children")
async def count_children(scope: See, device_id: Id, services: Services) -> ChildrenOut:
    """What is right below a device, and how it is."""
    async with services.database.transaction() as tx:
        return ChildrenOut.model_validate(await parents.count_children(tx, scope, device_id))


@router.post("/parents")
async def set_parents(scope: Maintain, body: ParentsIn, services: Services) -> ParentsOut:
    """Say through what many devices are reached."""
    async with services.database.transaction() as tx:
        device_ids = await _meant(tx, scope, body)
        changed = await parents.set_parent(tx, scope, device_ids, body.parent_id)
    return ParentsOut(changed=changed)


@router.get("/parent-suggestions")
async def list_suggestions(
    scope: See,
    services: Services,
    state: SuggestionState = SuggestionState.OPEN,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[SuggestionOut]:
    """Devices that seem to share a parent, the surest first."""
    async with services.database.transaction() as tx:
        page = await parent_suggestions.list_suggestions(
            tx, scope, state=state, limit=limit, cursor=cursor
        )
    return Listing(items=[SuggestionOut.model_validate(one) for one in page.items], next=page.next)


@router.post("/parent-suggestions/{suggestion_id}/accept")
async def accept_suggestion(
    scope: Maintain, suggestion_id: Id, body: AcceptIn, services: Services
) -> SuggestionOut:
    """Put the devices below a parent that exists, or below a new uplink without an address."""
    choice = Choice(parent_id=body.parent_id, area_id=body.area_id)
    async with services.database.transaction() as tx:
        return SuggestionOut.model_validate(
            await parent_decisions.accept_suggestion(
                tx, scope, suggestion_id, choice, now=services.clock()
            )
        )


@router.post("/parent-suggestions/{suggestion_id}/dismiss")
async def dismiss_suggestion(
    scope: Maintain, suggestion_id: Id, services: Services
) -> SuggestionOut:
    """Say that it is not so; it comes back only once the group has grown by half."""
    async with services.database.transaction() as tx:
        return SuggestionOut.model_validate(
            await parent_decisions.dismiss_suggestion(
                tx, scope, suggestion_id, now=services.clock()
            )
        )


async def _meant(tx: Transaction, scope: Scope, body: ParentsIn) -> Sequence[int]:
    """The devices that are named, or those of a subnet without what is above the parent."""
    if (body.device_ids is None) == (body.subnet is None):
        msg = "name devices or a subnet"
        raise Invalid(msg, field="device_ids")
    if body.subnet is None:
        return body.device_ids or ()
    found = await parents.find_in_subnet(tx, scope, body.subnet, with_parent=body.replace)
    if body.parent_id is None:
        return found
    above = {body.parent_id, *await parents.list_ancestors(tx, scope, body.parent_id)}
    return [number for number in found if number not in above]
