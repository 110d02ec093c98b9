"""How the hub itself does, and which settings need somebody's attention."""

from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request

from hub.domain.access import Permission, Scope
from hub.store import attention as notices
from hub.store import system_health
from hub.store.device_lists import count_by_status
from hub.store.processes import ProcessLine, holds_root, list_processes
from hub.store.server import inspect_server
from hub.web.access import Administer, See, SignedIn, Visitor
from hub.web.attention import (
    Attention,
    Gravity,
    HubFacts,
    facts_of,
    find_unheard_rules,
    is_alive,
    judge_hub,
    place_notices,
    sort_findings,
)
from hub.web.routes.escalation import check_escalation
from hub.web.schemas.system import (
    AttentionListOut,
    AttentionOut,
    BrokerOut,
    DatabaseOut,
    DiskOut,
    FiguresOut,
    LagOut,
    ProcessOut,
    QueueOut,
    RetentionOut,
    SystemOut,
    WholeOut,
    WorkerOut,
)
from hub.web.services import Services, WebServices

router = APIRouter(tags=["system"])

FAILED_WITHIN: Final = timedelta(days=1)
# Counting all devices takes a tenth of a second: whoever asks again sooner gets the same answer.
FRESH_S: Final = 20.0
MOST_KEPT: Final = 200


@router.get("/system")
async def get_system(scope: Administer, services: Services) -> SystemOut:
    """The database, the processes, the due work, the engine: the whole for root areas only."""
    async with services.database.transaction() as tx:
        is_root = await holds_root(tx, scope)
    whole = await _whole(services, scope) if is_root else None
    return SystemOut(at=services.clock(), version=services.settings.version, whole=whole)


@router.get("/attention")
async def list_attention(
    scope: See, visitor: SignedIn, request: Request, services: Services
) -> AttentionListOut:
    """What of the settings the caller may change needs to be looked at, the gravest first."""
    del scope
    kept = _kept(request)
    key = _key(visitor)
    answer = kept.get(key)
    now = services.clock()
    if answer is None or abs((now - answer.at).total_seconds()) >= FRESH_S:
        found = sort_findings(await _find(services, visitor, now))
        answer = AttentionListOut(at=now, items=[AttentionOut.model_validate(i) for i in found])
        while len(kept) >= MOST_KEPT:
            kept.pop(next(iter(kept)))
        kept[key] = answer
    return answer


def _kept(request: Request) -> dict[object, AttentionListOut]:
    """The last answers of this application, by what their callers may see."""
    kept = getattr(request.app.state, "attention", None)
    if not isinstance(kept, dict):
        kept = request.app.state.attention = {}
    return kept


def _key(visitor: Visitor) -> object:
    return tuple((one, visitor.principal.scope(one).paths) for one in Permission)


async def _find(services: WebServices, visitor: Visitor, now: datetime) -> list[Attention]:
    maintains, plans, administers = (
        visitor.principal.scope(one, source=visitor.source)
        for one in (Permission.MAINTAIN, Permission.PLAN, Permission.ADMINISTER)
    )
    found: list[Attention] = []
    if maintains.paths:
        async with services.database.transaction() as tx:
            found += place_notices(await notices.device_notices(tx, maintains, now))
    if plans.paths:
        found += await _find_of_plans(services, plans, now)
    if administers.paths:
        async with services.database.transaction() as tx:
            found += place_notices(await notices.people_notices(tx, administers, now))
            found += place_notices(await notices.hub_notices(tx, administers))
            is_root = await holds_root(tx, administers)
        if is_root:
            found += judge_hub(await _hub_facts(services, administers), now)
    return found


async def _find_of_plans(services: WebServices, plans: Scope, now: datetime) -> list[Attention]:
    async with services.database.transaction() as tx:
        found = [
            *place_notices(await notices.plan_notices(tx, plans, now)),
            *find_unheard_rules(
                await notices.lonely_rules(tx, plans), await notices.telling_places(tx, plans)
            ),
        ]
    duty = await check_escalation(plans, services)
    if duty.uncovered:
        names = [one.name for one in duty.items[: notices.MOST_NAMES]]
        uncovered = Attention(
            code="duties.uncovered",
            severity=Gravity.CRITICAL,
            link="/admin/escalation",
            count=duty.uncovered,
            names=names,
            data={"areas": duty.areas},
        )
        found.append(uncovered)
    return found


async def _hub_facts(services: WebServices, scope: Scope) -> HubFacts:
    server = await inspect_server(services.database)
    async with services.database.transaction() as tx:
        return HubFacts(
            processes=await list_processes(tx, scope),
            server=server,
            database=await system_health.database_figures(tx, scope),
            queues=await system_health.task_queues(tx, scope, FAILED_WITHIN),
            lags=await system_health.reader_lags(tx, scope),
            devices=sum((await count_by_status(tx, scope)).values()),
        )


async def _whole(services: WebServices, scope: Scope) -> WholeOut:
    server = await inspect_server(services.database)
    async with services.database.transaction() as tx:
        figures = await system_health.database_figures(tx, scope)
        return WholeOut(
            database=DatabaseOut.model_validate(
                {
                    "edition": server.edition,
                    "postgresql": server.postgresql,
                    "timescaledb": server.timescaledb,
                    "meaning": server.meaning,
                    **{name: getattr(figures, name) for name in figures.__dataclass_fields__},
                }
            ),
            processes=[_process(one) for one in await list_processes(tx, scope)],
            queues=[
                QueueOut.model_validate(one)
                for one in await system_health.task_queues(tx, scope, FAILED_WITHIN)
            ],
            workers=[
                WorkerOut.model_validate(one) for one in await system_health.list_workers(tx, scope)
            ],
            lags=[LagOut.model_validate(one) for one in await system_health.reader_lags(tx, scope)],
            readiness=services.readiness(),
        )


def _process(line: ProcessLine) -> ProcessOut:
    """Show a process; what it says of itself was written by a hub of some version."""
    parts = facts_of(line, "parts")
    disk, retention = facts_of(line, "disk"), facts_of(line, "retention")
    return ProcessOut(
        host=line.host,
        pid=line.pid,
        roles=line.roles,
        version=line.version,
        started_at=line.started_at,
        seen_at=line.seen_at,
        is_alive=is_alive(line),
        parts={
            name: state if isinstance(state, bool) else str(state) for name, state in parts.items()
        },
        figures=FiguresOut.model_validate(facts_of(line, "figures")),
        disk=DiskOut.model_validate(disk) if disk else None,
        broker=BrokerOut.model_validate(facts_of(line, "broker")),
        retention=RetentionOut.model_validate(retention) if retention else None,
        has_embedded_database=facts_of(line, "database").get("is_embedded") is True,
    )
