"""What becomes of alerts that nobody takes: deadlines, duties, policies."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter

from alerts.escalation.on_duty import Roster, find_on_duty
from hub.domain.calendars import Calendar, parse_calendar
from hub.domain.escalations import Deadlines, Duty, Policy, PolicyStep
from hub.runtime.calendars import check_calendar
from hub.store import deadlines, duties, policies
from hub.store.holidays import all_holidays
from hub.web.access import Plan
from hub.web.schemas.escalation import (
    CheckOut,
    DeadlinesIn,
    DeadlinesOut,
    DutyIn,
    DutyOut,
    PolicyIn,
    PolicyOut,
    StepIn,
    UncoveredOut,
)
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

# So many areas are named; the rest is a number.
MOST_NAMED = 100

router = APIRouter(tags=["escalation"])


@router.get("/deadlines")
async def list_deadlines(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[DeadlinesOut]:
    """Deadlines by number."""
    async with services.database.transaction() as tx:
        page = await deadlines.list_deadlines(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[DeadlinesOut.of(row) for row in page.items], next=page.next)


@router.get("/deadlines/{deadlines_id}")
async def get_deadlines(scope: Plan, deadlines_id: Id, services: Services) -> DeadlinesOut:
    """The deadlines of one severity in one area."""
    async with services.database.transaction() as tx:
        return DeadlinesOut.of(await deadlines.get_deadlines(tx, scope, deadlines_id))


@router.post("/deadlines", status_code=HTTPStatus.CREATED)
async def add_deadlines(scope: Plan, body: DeadlinesIn, services: Services) -> DeadlinesOut:
    """Set the deadlines of a severity in an area and below it."""
    async with services.database.transaction() as tx:
        return DeadlinesOut.of(await deadlines.add_deadlines(tx, scope, _deadlines(0, body)))


@router.put("/deadlines/{deadlines_id}")
async def change_deadlines(
    scope: Plan, deadlines_id: Id, body: DeadlinesIn, services: Services
) -> DeadlinesOut:
    """Replace deadlines; alerts that are open keep theirs."""
    async with services.database.transaction() as tx:
        wanted = _deadlines(deadlines_id, body)
        return DeadlinesOut.of(await deadlines.change_deadlines(tx, scope, wanted))


@router.delete("/deadlines/{deadlines_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_deadlines(scope: Plan, deadlines_id: Id, services: Services) -> None:
    """Remove deadlines; those of the area above hold."""
    async with services.database.transaction() as tx:
        await deadlines.remove_deadlines(tx, scope, deadlines_id)


@router.get("/duties")
async def list_duties(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[DutyOut]:
    """Duties by number."""
    async with services.database.transaction() as tx:
        page = await duties.list_duties(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[DutyOut.of(duty) for duty in page.items], next=page.next)


@router.get("/duties/{duty_id}")
async def get_duty(scope: Plan, duty_id: Id, services: Services) -> DutyOut:
    """One duty."""
    async with services.database.transaction() as tx:
        return DutyOut.of(await duties.get_duty(tx, scope, duty_id))


@router.post("/duties", status_code=HTTPStatus.CREATED)
async def add_duty(scope: Plan, body: DutyIn, services: Services) -> DutyOut:
    """Let a receiver answer for an area."""
    new = _duty(0, body, services.clock())
    async with services.database.transaction() as tx:
        return DutyOut.of(await duties.add_duty(tx, scope, new))


@router.put("/duties/{duty_id}")
async def change_duty(scope: Plan, duty_id: Id, body: DutyIn, services: Services) -> DutyOut:
    """Replace a duty."""
    new = _duty(duty_id, body, services.clock())
    async with services.database.transaction() as tx:
        return DutyOut.of(await duties.change_duty(tx, scope, new))


@router.delete("/duties/{duty_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_duty(scope: Plan, duty_id: Id, services: Services) -> None:
    """Remove a duty."""
    async with services.database.transaction() as tx:
        await duties.remove_duty(tx, scope, duty_id)


@router.get("/policies")
async def list_policies(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[PolicyOut]:
    """Policies by number."""
    async with services.database.transaction() as tx:
        page = await policies.list_policies(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[PolicyOut.of(policy) for policy in page.items], next=page.next)


@router.get("/policies/{policy_id}")
async def get_policy(scope: Plan, policy_id: Id, services: Services) -> PolicyOut:
    """One policy."""
    async with services.database.transaction() as tx:
        return PolicyOut.of(await policies.get_policy(tx, scope, policy_id))


@router.post("/policies", status_code=HTTPStatus.CREATED)
async def add_policy(scope: Plan, body: PolicyIn, services: Services) -> PolicyOut:
    """Add a policy, for alerts that fire from now on."""
    new = _policy(0, body, services.clock())
    async with services.database.transaction() as tx:
        return PolicyOut.of(await policies.add_policy(tx, scope, new))


@router.put("/policies/{policy_id}")
async def change_policy(
    scope: Plan, policy_id: Id, body: PolicyIn, services: Services
) -> PolicyOut:
    """Replace a policy; alerts that climb go on at the step they have come to."""
    new = _policy(policy_id, body, services.clock())
    async with services.database.transaction() as tx:
        return PolicyOut.of(await policies.change_policy(tx, scope, new))


@router.delete("/policies/{policy_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_policy(scope: Plan, policy_id: Id, services: Services) -> None:
    """Remove a policy; alerts climb by it no longer."""
    async with services.database.transaction() as tx:
        await policies.remove_policy(tx, scope, policy_id)


@router.get("/escalation/check")
async def check_escalation(scope: Plan, services: Services) -> CheckOut:
    """The areas in which critical alerts have a deadline, and nobody is on duty now up the tree."""
    now = services.clock()
    async with services.database.transaction() as tx:
        watched = await deadlines.watched_areas(tx, scope)
        book = await duties.open_duty_book(tx, scope, [one.path for one in watched], [])
        holidays = await all_holidays(tx, scope)
    roster = Roster(duties=book.duties, reachable=book.reachable, holidays=holidays)
    uncovered = [one for one in watched if find_on_duty(roster, one.path, now) is None]
    return CheckOut(
        at=now,
        areas=len(watched),
        uncovered=len(uncovered),
        items=[UncoveredOut.model_validate(one) for one in uncovered[:MOST_NAMED]],
    )


def _deadlines(number: int, body: DeadlinesIn) -> Deadlines:
    return Deadlines(
        id=number,
        area_id=body.area_id,
        severity=body.severity,
        acknowledge_s=body.acknowledge_s,
        resolve_s=body.resolve_s,
        yellow_share=body.yellow_share,
    )


def _duty(number: int, body: DutyIn, now: datetime) -> Duty:
    return Duty(
        id=number,
        area_id=body.area_id,
        receiver_id=body.receiver_id,
        hours=_hours(body.hours, now),
    )


def _policy(number: int, body: PolicyIn, now: datetime) -> Policy:
    return Policy(
        id=number,
        name=body.name,
        area_id=body.area_id,
        matcher=body.matcher.matcher(),
        steps=tuple(_step(step, now) for step in body.steps),
        until=body.until,
        is_enabled=body.is_enabled,
    )


def _step(body: StepIn, now: datetime) -> PolicyStep:
    return PolicyStep(
        wait_s=body.wait_s,
        climb=body.climb,
        receivers=tuple(dict.fromkeys(body.receivers)),
        repeats=body.repeats,
        every_s=body.every_s,
        hours=_hours(body.hours, now),
        waits_for_hours=body.waits_for_hours,
    )


def _hours(raw: Mapping[str, object] | None, now: datetime) -> Calendar | None:
    if raw is None:
        return None
    calendar = parse_calendar(raw)
    check_calendar(calendar, now)
    return calendar
