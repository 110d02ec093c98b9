"""Patrol plans: when, where and how the hub walks its cameras."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from hub.domain.errors import Invalid
from hub.patrols import desk
from hub.patrols.planning import saving
from hub.patrols.planning.calendar_feed import MEDIA_TYPE, build_feed
from hub.patrols.planning.occurrences import occurrences
from hub.patrols.planning.plans import next_due
from hub.runtime.recurrence import FIRST_YEAR, LAST_YEAR
from hub.store import patrols, rounds
from hub.store.patrol_candidates import past_rounds
from hub.web.access import Operate, Plan, See
from hub.web.schemas.patrol_plans import (
    ForecastOut,
    OccurrenceOut,
    PastRoundOut,
    PlanForecastOut,
    PlanIn,
    PlanOut,
    SavedPlanOut,
)
from hub.web.schemas.patrols import RoundOut
from hub.web.schemas.shapes import Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["patrols"])

LONGEST_LOOK: Final = timedelta(days=62)


class CalendarResponse(Response):
    """An iCalendar file."""

    media_type = MEDIA_TYPE


@router.get("/patrol-plans")
async def list_plans(
    scope: See, services: Services, limit: Limit = None, cursor: Cursor = None
) -> Listing[PlanOut]:
    """Plans by number."""
    async with services.database.transaction() as tx:
        page = await patrols.list_plans(tx, scope, limit=limit, cursor=cursor)
    return Listing(items=[PlanOut.model_validate(plan) for plan in page.items], next=page.next)


@router.get("/patrol-plans/calendar.ics", response_class=CalendarResponse)
async def get_calendar(
    scope: See, services: Services, days: Annotated[int, Query(ge=1, le=366)] = 31
) -> Response:
    """The coming rounds for calendars (RFC 5545), which sign in by HTTP Basic with a token.

    A token may all that its owner may: give calendars that of somebody who may only look.
    """
    now = services.clock()
    async with services.database.transaction() as tx:
        plans = await patrols.plans_on(tx, scope)
    feed = await asyncio.to_thread(build_feed, plans, now=now, days=days)
    return CalendarResponse(feed)


@router.get("/patrol-plans/occurrences")
async def list_occurrences(
    scope: See,
    services: Services,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Listing[OccurrenceOut]:
    """What plans foresee in a time of at most 62 days, by default the coming 31; 2000 at most."""
    begin = since or services.clock()
    if not FIRST_YEAR <= begin.year < LAST_YEAR:
        msg = f"ask for years from {FIRST_YEAR} to {LAST_YEAR}"
        raise Invalid(msg, field="since")
    end = until or begin + timedelta(days=31)
    if not timedelta(0) < end - begin <= LONGEST_LOOK:
        msg = "ask for a time of at most 62 days"
        raise Invalid(msg, field="until")
    async with services.database.transaction() as tx:
        plans = await patrols.plans_on(tx, scope)
    found = await asyncio.to_thread(occurrences, plans, begin, end)
    return Listing(items=[OccurrenceOut.model_validate(one) for one in found])


@router.post("/patrol-plans/forecast")
async def foretell_plan(scope: Plan, body: PlanIn, services: Services) -> ForecastOut:
    """What the rounds of a plan would take, before it is saved."""
    async with services.database.transaction() as tx:
        thought = await saving.foretell(tx, scope, body.plan(), now=services.clock())
    return ForecastOut.model_validate(thought)


@router.get("/patrol-plans/{plan_id}")
async def get_plan(scope: See, plan_id: Id, services: Services) -> PlanOut:
    """One plan."""
    async with services.database.transaction() as tx:
        return PlanOut.model_validate(await patrols.get_plan(tx, scope, plan_id))


@router.get("/patrol-plans/{plan_id}/forecast")
async def get_forecast(scope: See, plan_id: Id, services: Services) -> PlanForecastOut:
    """What the next round takes, and by how much the last ones missed what was thought."""
    now = services.clock()
    async with services.database.transaction() as tx:
        thought = await saving.foretell_stored(tx, scope, plan_id, now=now)
        plan = await patrols.get_plan(tx, scope, plan_id)
        past = await past_rounds(tx, scope, plan_id)
    return PlanForecastOut(
        **dict(ForecastOut.model_validate(thought)),
        next_at=next_due(plan, now) if plan.is_enabled else None,
        past=[PastRoundOut.of(one) for one in past],
    )


@router.post("/patrol-plans", status_code=HTTPStatus.CREATED)
async def create_plan(scope: Plan, body: PlanIn, services: Services) -> SavedPlanOut:
    """Add a plan. One that never fires is refused; of one that does not fit, it is said."""
    async with services.database.transaction() as tx:
        saved = await saving.create_plan(tx, scope, body.plan(), now=services.clock())
    return SavedPlanOut.of(saved.plan, saved.forecast)


@router.put("/patrol-plans/{plan_id}")
async def change_plan(scope: Plan, plan_id: Id, body: PlanIn, services: Services) -> SavedPlanOut:
    """Replace a plan; rounds not due yet are planned anew."""
    async with services.database.transaction() as tx:
        saved = await saving.change_plan(tx, scope, body.plan(plan_id), now=services.clock())
    return SavedPlanOut.of(saved.plan, saved.forecast)


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
