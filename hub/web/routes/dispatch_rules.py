"""Rules by which tasks are sent, and how long tasks may take."""

from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.dispatches import DispatchRule, TaskDeadlines
from hub.store import dispatch_rules, task_deadlines
from hub.web.access import Plan
from hub.web.schemas.dispatch_desk import (
    DispatchRuleIn,
    DispatchRuleOut,
    TaskDeadlinesIn,
    TaskDeadlinesOut,
)
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["dispatch"])


@router.get("/dispatch-rules")
async def list_rules(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[DispatchRuleOut]:
    """Rules by number. The nearest area's rules are asked first, then those of the one above."""
    async with services.database.transaction() as tx:
        page = await dispatch_rules.list_rules(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[DispatchRuleOut.of(rule) for rule in page.items], next=page.next)


@router.get("/dispatch-rules/{dispatch_rule_id}")
async def get_rule(scope: Plan, dispatch_rule_id: Id, services: Services) -> DispatchRuleOut:
    """One rule."""
    async with services.database.transaction() as tx:
        return DispatchRuleOut.of(await dispatch_rules.get_rule(tx, scope, dispatch_rule_id))


@router.post("/dispatch-rules", status_code=HTTPStatus.CREATED)
async def add_rule(scope: Plan, body: DispatchRuleIn, services: Services) -> DispatchRuleOut:
    """Add a rule, for tasks that are opened from now on."""
    async with services.database.transaction() as tx:
        return DispatchRuleOut.of(await dispatch_rules.add_rule(tx, scope, _rule(0, body)))


@router.put("/dispatch-rules/{dispatch_rule_id}")
async def change_rule(
    scope: Plan, dispatch_rule_id: Id, body: DispatchRuleIn, services: Services
) -> DispatchRuleOut:
    """Replace a rule; what it sent goes on."""
    new = _rule(dispatch_rule_id, body)
    async with services.database.transaction() as tx:
        return DispatchRuleOut.of(await dispatch_rules.change_rule(tx, scope, new))


@router.delete("/dispatch-rules/{dispatch_rule_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_rule(scope: Plan, dispatch_rule_id: Id, services: Services) -> None:
    """Remove a rule; what it sent goes on."""
    async with services.database.transaction() as tx:
        await dispatch_rules.remove_rule(tx, scope, dispatch_rule_id)


@router.get("/task-deadlines")
async def list_deadlines(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[TaskDeadlinesOut]:
    """Deadlines by number. Those of the nearest area up the tree count."""
    async with services.database.transaction() as tx:
        page = await task_deadlines.list_deadlines(
            tx, scope, area_id=area, limit=limit, cursor=cursor
        )
    return Listing(items=[TaskDeadlinesOut.of(row) for row in page.items], next=page.next)


@router.get("/task-deadlines/{task_deadlines_id}")
async def get_deadlines(scope: Plan, task_deadlines_id: Id, services: Services) -> TaskDeadlinesOut:
    """The deadlines of one priority in one area."""
    async with services.database.transaction() as tx:
        return TaskDeadlinesOut.of(await task_deadlines.get_deadlines(tx, scope, task_deadlines_id))


@router.post("/task-deadlines", status_code=HTTPStatus.CREATED)
async def add_deadlines(scope: Plan, body: TaskDeadlinesIn, services: Services) -> TaskDeadlinesOut:
    """Set the deadlines of a priority in an area and below it."""
    new = _deadlines(0, body)
    async with services.database.transaction() as tx:
        return TaskDeadlinesOut.of(await task_deadlines.add_deadlines(tx, scope, new))


@router.put("/task-deadlines/{task_deadlines_id}")
async def change_deadlines(
    scope: Plan, task_deadlines_id: Id, body: TaskDeadlinesIn, services: Services
) -> TaskDeadlinesOut:
    """Replace deadlines; tasks that are open keep theirs."""
    new = _deadlines(task_deadlines_id, body)
    async with services.database.transaction() as tx:
        return TaskDeadlinesOut.of(await task_deadlines.change_deadlines(tx, scope, new))


@router.delete("/task-deadlines/{task_deadlines_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_deadlines(scope: Plan, task_deadlines_id: Id, services: Services) -> None:
    """Remove deadlines; those of the area above hold."""
    async with services.database.transaction() as tx:
        await task_deadlines.remove_deadlines(tx, scope, task_deadlines_id)


def _rule(number: int, body: DispatchRuleIn) -> DispatchRule:
    return DispatchRule(
        id=number,
        name=body.name,
        area_id=body.area_id,
        kinds=body.kinds,
        priorities=body.priorities,
        sources=body.sources,
        unit_kinds=body.unit_kinds,
        most_km=body.most_km,
        is_automatic=body.is_automatic,
        is_enabled=body.is_enabled,
    )


def _deadlines(number: int, body: TaskDeadlinesIn) -> TaskDeadlines:
    return TaskDeadlines(
        id=number,
        area_id=body.area_id,
        priority=body.priority,
        accept_s=body.accept_s,
        arrive_s=body.arrive_s,
        done_s=body.done_s,
        yellow_share=body.yellow_share,
    )
