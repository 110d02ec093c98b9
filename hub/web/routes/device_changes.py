"""Many devices at once, and those that wait for approval."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends

from hub.domain.access import Scope
from hub.domain.devices import Registration
from hub.domain.errors import Conflict, Invalid
from hub.maintenance.bulk_changes import MOST_AT_ONCE, BulkChange, change_devices
from hub.store import device_order, pending_devices
from hub.store.database import Transaction
from hub.store.device_ledgers import ProfilePair, WindowPlan
from hub.store.device_lists import DeviceFilter
from hub.web.access import Maintain
from hub.web.device_query import read_filter
from hub.web.schemas.device_changes import (
    DeviceBulkIn,
    DeviceBulkOut,
    DeviceChangesIn,
    RefusedDeviceOut,
)
from hub.web.schemas.discovery import PendingListing, PendingOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Limit, TextFilter
from hub.web.services import Services, WebServices

router = APIRouter(tags=["devices"])

# More than this nobody reads; how many there are is counted all the same.
MOST_REFUSED: Final = 200
_NOTHING: Final = DeviceFilter()


@router.post("/devices/bulk")
async def change_many(
    scope: Maintain,
    services: Services,
    wanted: Annotated[DeviceFilter, Depends(read_filter)],
    body: DeviceBulkIn,
) -> DeviceBulkOut:
    """Change many devices alike, or say what that would do; those that cannot are named."""
    change = _change(body.change, services)
    async with services.database.transaction() as tx:
        ids = await _meant(tx, scope, wanted, body)
        outcome = await change_devices(
            tx, scope, ids, change, now=services.clock(), is_dry_run=body.dry_run
        )
    return DeviceBulkOut(
        matched=outcome.matched,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        refused_count=len(outcome.refused),
        refused=[RefusedDeviceOut.model_validate(one) for one in outcome.refused[:MOST_REFUSED]],
        dry_run=body.dry_run,
    )


@router.get("/pending-devices")
async def list_pending(
    scope: Maintain,
    services: Services,
    area: AreaFilter = None,
    q: TextFilter = "",
    limit: Limit = None,
    cursor: Cursor = None,
) -> PendingListing:
    """Devices that reported by themselves and wait, each with what it reports."""
    wanted = DeviceFilter(area_id=area, text=q, registration=Registration.PENDING)
    async with services.database.transaction() as tx:
        page, total = await pending_devices.list_pending(
            tx, scope, wanted, limit=limit, cursor=cursor
        )
    items = [PendingOut.model_validate(one) for one in page.items]
    return PendingListing(items=items, next=page.next, total=total)


async def _meant(
    tx: Transaction, scope: Scope, wanted: DeviceFilter, body: DeviceBulkIn
) -> list[int]:
    """The devices that are named, or all that a filter leaves if they are as many as were seen."""
    if (body.ids is None) == (body.total is None):
        msg = "name devices by ids, or by a filter with the total you saw"
        raise Invalid(msg, field="ids")
    if body.ids is not None:
        if wanted != _NOTHING:
            msg = "name devices by ids or by a filter, not by both"
            raise Invalid(msg, field="ids")
        return list(body.ids)
    found = await device_order.order_devices(tx, scope, wanted)
    if found.total != body.total:
        msg = f"the list holds {found.total:,} devices by now, not {body.total:,}: look again"
        raise Conflict(msg)
    if found.total > MOST_AT_ONCE:
        msg = f"at most {MOST_AT_ONCE:,} devices at once: narrow the list"
        raise Invalid(msg, field="total")
    return found.numbers()


def _change(body: DeviceChangesIn, services: WebServices) -> BulkChange:
    if not body.model_fields_set:
        msg = "say what shall change"
        raise Invalid(msg, field="change")
    window = None
    if body.window is not None:
        window = WindowPlan(
            starts_at=body.window.starts_at or services.clock(),
            ends_at=body.window.ends_at,
            reason=body.window.reason,
        )
    profiles = None
    if body.profiles is not None:
        profiles = ProfilePair(day_id=body.profiles.day_id, night_id=body.profiles.night_id)
    return BulkChange(
        area_id=body.area_id,
        registration=None if body.registration is None else Registration(body.registration),
        device_class=body.device_class,
        team=body.team,
        add_tags=tuple(body.add_tags),
        remove_tags=tuple(body.remove_tags),
        sets_parent="parent_id" in body.model_fields_set,
        parent_id=body.parent_id,
        window=window,
        intervals={} if body.intervals is None else body.intervals.model_dump(exclude_none=True),
        drops_intervals="intervals" in body.model_fields_set and body.intervals is None,
        profiles=profiles,
    )
