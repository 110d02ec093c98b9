"""Exercises: start one, look, end it."""

from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.silences import Drill
from hub.store import drills
from hub.web.access import Plan, See
from hub.web.schemas.drills import DrillIn, DrillOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["drills"])


@router.get("/drills")
async def list_drills(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[DrillOut]:
    """Exercises, newest first."""
    async with services.database.transaction() as tx:
        page = await drills.list_drills(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[DrillOut.model_validate(drill) for drill in page.items], next=page.next)


@router.get("/drills/{drill_id}")
async def get_drill(scope: See, drill_id: Id, services: Services) -> DrillOut:
    """One exercise."""
    async with services.database.transaction() as tx:
        return DrillOut.model_validate(await drills.get_drill(tx, scope, drill_id))


@router.post("/drills", status_code=HTTPStatus.CREATED)
async def start_drill(scope: Plan, body: DrillIn, services: Services) -> DrillOut:
    """Start an exercise: people are called as if the devices failed, and told that it is one."""
    now = services.clock()
    wanted = Drill(
        area_id=body.area_id,
        name=body.name,
        rule_id=body.rule_id,
        device_ids=tuple(body.device_ids),
        started_at=now,
        ends_at=now + timedelta(seconds=body.ends_in_s),
    )
    async with services.database.transaction() as tx:
        return DrillOut.model_validate(await drills.start_drill(tx, scope, wanted))


@router.post("/drills/{drill_id}/end")
async def end_drill(scope: Plan, drill_id: Id, services: Services) -> DrillOut:
    """End an exercise now; its alerts are resolved."""
    async with services.database.transaction() as tx:
        drill = await drills.end_drill(tx, scope, drill_id, now=services.clock())
    return DrillOut.model_validate(drill)
