"""Points: what is measured, what is plausible of it, which sensors need a look."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hub.store import audit, devices, point_health
from hub.store.notices import notify
from hub.store.point_health import PointFilter, PointLimits
from hub.web.access import Maintain, See
from hub.web.schemas.points import PointChangeIn, PointLineOut
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["points"])


def read_filter(
    area: AreaFilter = None,
    device_id: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    fault: Annotated[bool | None, Query()] = None,
) -> PointFilter:
    """What the list is narrowed to."""
    return PointFilter(device_id=device_id, area_id=area, has_fault=fault)


Wanted = Annotated[PointFilter, Depends(read_filter)]


@router.get("/points")
async def list_points(
    scope: See, services: Services, wanted: Wanted, limit: Limit = None, cursor: Cursor = None
) -> Listing[PointLineOut]:
    """Points by number; ``fault=true`` leaves those with which something is wrong now."""
    async with services.database.transaction() as tx:
        if wanted.device_id is not None:
            await devices.get_device(tx, scope, wanted.device_id)
        page = await point_health.list_points(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[PointLineOut.model_validate(i) for i in page.items], next=page.next)


@router.get("/points/{point_id}")
async def get_point(scope: See, point_id: Id, services: Services) -> PointLineOut:
    """One point."""
    async with services.database.transaction() as tx:
        return PointLineOut.model_validate(await point_health.get_point(tx, scope, point_id))


@router.patch("/points/{point_id}")
async def edit_point(
    scope: Maintain, point_id: Id, body: PointChangeIn, services: Services
) -> PointLineOut:
    """Set what is plausible of a point; fields that are not sent stay."""
    async with services.database.transaction() as tx:
        before = await point_health.get_point(tx, scope, point_id)
        held = PointLimits(
            low=before.low,
            high=before.high,
            spread=before.spread,
            stuck_after_s=before.stuck_after_s,
        )
        change = body.model_dump(include=body.model_fields_set)
        after = await point_health.set_limits(tx, scope, point_id, replace(held, **change))
        deed = audit.Deed(
            action="point.edited",
            object_type="point",
            object_id=str(point_id),
            area_id=before.area_id,
        )
        await audit.record(tx, scope, deed, {"point": before.key, **change})
        await notify(tx, scope, "devices", [before.device_id])
    return PointLineOut.model_validate(after)
