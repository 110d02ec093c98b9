"""Patrol plans: when, where and how the hub walks its cameras."""

from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.patrols import PatrolPlan
from hub.patrols import desk
from hub.store import patrols, rounds
from hub.web.access import Operate, Plan, See
from hub.web.schemas.patrol_plans import PlanIn, PlanOut
from hub.web.schemas.patrols import RoundOut
from hub.web.schemas.shapes import Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["patrols"])


@router.get("/patrol-plans")
async def list_plans(
    scope: See, services: Services, limit: Limit = None, cursor: Cursor = None
) -> Listing[PlanOut]:
    """Plans by number."""
    async with services.database.transaction() as tx:
        page = await patrols.list_plans(tx, scope, limit=limit, cursor=cursor)
    return Listing(items=[PlanOut.model_validate(plan) for plan in page.items], next=page.next)


@router.get("/patrol-plans/{plan_id}")
async def get_plan(scope: See, plan_id: Id, services: Services) -> PlanOut:
    """One plan."""
    async with services.database.transaction() as tx:
        return PlanOut.model_validate(await patrols.get_plan(tx, scope, plan_id))


@router.post("/patrol-plans", status_code=HTTPStatus.CREATED)
async def create_plan(scope: Plan, body: PlanIn, services: Services) -> PlanOut:
    """Add a plan; a rule that never fires is refused."""
    async with services.database.transaction() as tx:
        plan = await desk.create_plan(tx, scope, _plan(0, body), now=services.clock())
    return PlanOut.model_validate(plan)


@router.put("/patrol-plans/{plan_id}")
async def change_plan(scope: Plan, plan_id: Id, body: PlanIn, services: Services) -> PlanOut:
    """Replace a plan; rounds not due yet are planned anew."""
    async with services.database.transaction() as tx:
        await desk.change_plan(tx, scope, _plan(plan_id, body), now=services.clock())
        return PlanOut.model_validate(await patrols.get_plan(tx, scope, plan_id))


@router.delete("/patrol-plans/{plan_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_plan(scope: Plan, plan_id: Id, services: Services) -> None:
    """Remove a plan; past rounds and their reports stay."""
    async with services.database.transaction() as tx:
        await patrols.remove_plan(tx, scope, plan_id, now=services.clock())


@router.post("/patrol-plans/{plan_id}/run", status_code=HTTPStatus.ACCEPTED)
async def run_plan(scope: Operate, plan_id: Id, services: Services) -> RoundOut:
    """Have a plan walked now, out of turn."""
    async with services.database.transaction() as tx:
        number = await desk.run_now(tx, scope, services.jobs, plan_id, now=services.clock())
        return RoundOut.model_validate(await rounds.get_round(tx, scope, number))


def _plan(number: int, body: PlanIn) -> PatrolPlan:
    return PatrolPlan(
        id=number,
        name=body.name,
        area_id=body.area_id,
        rrule=body.rrule,
        time_zone=body.time_zone,
        starts_on=body.starts_on,
        window_s=body.window_s,
        seconds_per_stop=body.seconds_per_stop,
        order=body.order,
        device_ids=None if body.device_ids is None else tuple(body.device_ids),
        is_enabled=body.is_enabled,
    )
