"""Rules."""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.alerts import Rule
from hub.domain.calendars import parse_calendar
from hub.domain.conditions import parse_condition
from hub.runtime.calendars import check_calendar
from hub.store import rules
from hub.web.access import Plan, See
from hub.web.schemas.rules import RuleIn, RuleOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["rules"])


@router.get("/rules")
async def list_rules(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[RuleOut]:
    """Rules by number."""
    async with services.database.transaction() as tx:
        page = await rules.list_rules(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[RuleOut.of(rule) for rule in page.items], next=page.next)


@router.get("/rules/{rule_id}")
async def get_rule(scope: See, rule_id: Id, services: Services) -> RuleOut:
    """One rule."""
    async with services.database.transaction() as tx:
        return RuleOut.of(await rules.get_rule(tx, scope, rule_id))


@router.post("/rules", status_code=HTTPStatus.CREATED)
async def add_rule(scope: Plan, body: RuleIn, services: Services) -> RuleOut:
    """Add a rule; it looks at what is the case already, too."""
    async with services.database.transaction() as tx:
        return RuleOut.of(await rules.add_rule(tx, scope, _rule(0, body, services.clock())))


@router.put("/rules/{rule_id}")
async def change_rule(scope: Plan, rule_id: Id, body: RuleIn, services: Services) -> RuleOut:
    """Replace a rule; what it watches stays."""
    async with services.database.transaction() as tx:
        rule = _rule(rule_id, body, services.clock())
        return RuleOut.of(await rules.change_rule(tx, scope, rule))


@router.delete("/rules/{rule_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_rule(scope: Plan, rule_id: Id, services: Services) -> None:
    """Remove a rule; its alerts stay, open ones are resolved."""
    async with services.database.transaction() as tx:
        await rules.remove_rule(tx, scope, rule_id)


def _rule(number: int, body: RuleIn, now: datetime) -> Rule:
    hours = None if body.hours is None else parse_calendar(body.hours)
    if hours is not None:
        check_calendar(hours, now)
    return Rule(
        id=number,
        name=body.name,
        area_id=body.area_id,
        condition=parse_condition(body.condition),
        severity=body.severity,
        receivers=tuple(dict.fromkeys(body.receivers)),
        is_enabled=body.is_enabled,
        classes=tuple(body.classes),
        tags=tuple(body.tags),
        hours=hours,
        most_in_area=body.most_in_area,
        most=body.most,
    )
