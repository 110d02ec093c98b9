"""What a rule would have done last week, and what is doubtful about it. Nothing is stored."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter

from alerts.dry_runs.checks import check_dry_run, check_rule
from alerts.dry_runs.dry_run import Limits, Span, dry_run
from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.errors import Conflict
from hub.store import rules
from hub.store.areas import get_area
from hub.store.receivers import check_receivers
from hub.store.rule_facts import rule_facts
from hub.web.access import Plan, See
from hub.web.routes.rules import _rule as read_rule
from hub.web.schemas.dry_run import CheckOut, DryRunIn, DryRunOut, PeriodIn
from hub.web.schemas.shapes import Id
from hub.web.services import Services, WebServices

router = APIRouter(tags=["rules"])

DEFAULT_PERIOD: Final = timedelta(days=7)
# A browser waits so long, and people do not wait longer.
LIMITS: Final = Limits(most_s=20.0)
# Each takes half of a core while it runs.
MOST_AT_ONCE: Final = 2
running: Final = asyncio.Semaphore(MOST_AT_ONCE)


@router.post("/rules/dry-run")
async def dry_run_rule(scope: Plan, body: DryRunIn, services: Services) -> DryRunOut:
    """When a rule that is not stored would have fired, in the areas the caller plans for."""
    async with services.database.transaction() as tx:
        rule = read_rule(0, body.rule, services.clock())
        area = await get_area(tx, scope, rule.area_id)
        await check_receivers(tx, scope, rule.receivers)
    return await _try(services, scope, replace(rule, area_path=area.path), body)


@router.post("/rules/{rule_id}/dry-run")
async def dry_run_stored(scope: Plan, rule_id: Id, body: PeriodIn, services: Services) -> DryRunOut:
    """When a stored rule would have fired as it is now."""
    async with services.database.transaction() as tx:
        rule = await rules.get_rule(tx, scope, rule_id)
    return await _try(services, scope, rule, body)


@router.get("/rules/{rule_id}/check")
async def check_stored(scope: See, rule_id: Id, services: Services) -> CheckOut:
    """What is doubtful about a rule as things stand."""
    async with services.database.transaction() as tx:
        rule = await rules.get_rule(tx, scope, rule_id)
        facts = await rule_facts(tx, scope, rule)
    return CheckOut.of(check_rule(rule, facts, services.clock()))


async def _try(services: WebServices, scope: Scope, rule: Rule, period: PeriodIn) -> DryRunOut:
    if running.locked():
        msg = f"{MOST_AT_ONCE} dry runs are under way: try again when one is done"
        raise Conflict(msg)
    now = services.clock()
    async with running:
        run = await dry_run(services.database, scope, rule, _span(period, now), LIMITS)
    async with services.database.transaction() as tx:
        facts = await rule_facts(tx, scope, rule)
    return DryRunOut.of(run, [*check_rule(rule, facts, now), *check_dry_run(run)])


def _span(period: PeriodIn, now: datetime) -> Span:
    """Of the future nothing is known."""
    until = min(period.until or now, now)
    return Span(since=period.since or until - DEFAULT_PERIOD, until=until)
