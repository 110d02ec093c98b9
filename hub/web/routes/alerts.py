"""Alerts: look, take, assign, comment, snooze, resolve, reopen, see who was told."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from alerts.handling import life
from alerts.handling.life import Action, Order
from alerts.telling.pictures import PictureFiles
from hub.domain.access import Scope
from hub.domain.alerts import AlertStatus, Colour
from hub.domain.errors import Invalid, NotFound
from hub.domain.events import Severity
from hub.store import alert_groups, alert_life, alerts, notifications
from hub.store.alert_groups import GroupedBy
from hub.store.alerts import AlertFilter, AlertOrder
from hub.store.database import Transaction
from hub.web.access import Operate, See
from hub.web.schemas.alerts import (
    AlertDetailOut,
    AlertOut,
    AssigneeOut,
    AssignIn,
    BulkIn,
    BulkLineOut,
    BulkOut,
    CountsOut,
    EndIn,
    GroupOut,
    NoteIn,
    NotificationOut,
    ReasonIn,
    SnoozeIn,
    StepOut,
)
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing, TextFilter
from hub.web.services import Services, WebServices

router = APIRouter(tags=["alerts"])

NumberFilter = Annotated[int | None, Query(ge=1, le=MAX_NUMBER)]
Assignee = Annotated[
    Literal["me"] | Annotated[int, Query(ge=1, le=MAX_NUMBER)] | None,
    Query(description="Number of a person, or me."),
]


def read_filter(  # noqa: PLR0913 - each is a parameter of the list
    scope: See,
    area: AreaFilter = None,
    q: TextFilter = "",
    status: AlertStatus | None = None,
    severity: Severity | None = None,
    colour: Colour | None = None,
    *,
    sort: AlertOrder = AlertOrder.NEWEST,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    device_id: NumberFilter = None,
    parent: NumberFilter = None,
    rule: NumberFilter = None,
    assigned_to: Assignee = None,
    folded_into: NumberFilter = None,
    folded: Annotated[bool, Query(description="Also those that count in another.")] = False,
    drill: Annotated[bool, Query(description="Also those of exercises.")] = False,
    quiet: bool | None = None,
) -> AlertFilter:
    """What the list is narrowed to: real alerts that stand by themselves, unless asked."""
    is_any_fold = folded or folded_into is not None
    return AlertFilter(
        area_id=area,
        text=q,
        status=status,
        severity=severity,
        colour=colour,
        order=sort,
        is_open=is_open,
        device_id=device_id,
        parent_id=parent,
        rule_id=rule,
        # Nobody is number 0: whoever has no number of his own has no alerts either.
        assigned_to=(scope.user_id or 0) if assigned_to == "me" else assigned_to,
        folded_into=folded_into,
        is_folded=None if is_any_fold else False,
        is_drill=None if drill else False,
        is_quiet=quiet,
    )


@router.get("/alerts")
async def list_alerts(
    scope: See,
    services: Services,
    wanted: Annotated[AlertFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[AlertOut]:
    """Alerts, newest first or as asked."""
    now = services.clock()
    async with services.database.transaction() as tx:
        page = await alerts.list_alerts(tx, scope, wanted, now=now, limit=limit, cursor=cursor)
    return Listing(items=[AlertOut.of(one, now) for one in page.items], next=page.next)


@router.get("/alerts/counts")
async def count_alerts(scope: See, services: Services, area: AreaFilter = None) -> CountsOut:
    """How many are open, by severity and by colour; without exercises and folded ones."""
    async with services.database.transaction() as tx:
        counts = await alerts.count_standing(tx, scope, services.clock(), area_id=area)
    return CountsOut.model_validate(counts)


@router.get("/alerts/groups")
async def list_groups(
    scope: See,
    services: Services,
    by: GroupedBy = GroupedBy.RULE,
    area: AreaFilter = None,
) -> Listing[GroupOut]:
    """Open alerts by rule, area, device or uplink, the worst and largest groups first."""
    async with services.database.transaction() as tx:
        groups = await alert_groups.group_open(tx, scope, by, area_id=area)
    return Listing(items=[GroupOut.model_validate(group) for group in groups])


@router.post("/alerts/bulk")
async def act_on_many(scope: Operate, body: BulkIn, services: Services) -> BulkOut:
    """Do one thing about many alerts; each is done or says why not. None there at all: 404."""
    order = Order(
        action=body.action,
        note=body.note,
        until=_end(services, body) if body.action is Action.SNOOZE else None,
        user_id=_person(scope, body.user_id) if body.action is Action.ASSIGN else None,
        if_free=body.if_free,
    )
    async with services.database.transaction() as tx:
        done = await life.act(tx, scope, services.jobs, body.ids, order, services.clock())
    if not done.steps and all(isinstance(why, NotFound) for why in done.refused.values()):
        msg = "no such alert"
        raise NotFound(msg)
    lines = [BulkLineOut(id=number, is_done=True) for number in done.steps]
    lines += [
        BulkLineOut(id=number, is_done=False, error=str(why))
        for number, why in done.refused.items()
    ]
    return BulkOut(done=len(done.steps), items=sorted(lines, key=lambda line: line.id))


@router.get("/alerts/{alert_id}")
async def get_alert(scope: See, alert_id: Id, services: Services) -> AlertDetailOut:
    """One alert with its steps."""
    async with services.database.transaction() as tx:
        return await _show(tx, scope, services, alert_id, services.clock())


@router.get("/alerts/{alert_id}/notifications")
async def list_notifications(
    scope: See, alert_id: Id, services: Services
) -> Listing[NotificationOut]:
    """Who was told of an alert, with every attempt."""
    async with services.database.transaction() as tx:
        found = await notifications.list_notifications(tx, scope, alert_id)
    return Listing(items=[NotificationOut.model_validate(line) for line in found])


@router.get("/alerts/{alert_id}/assignees")
async def list_assignees(scope: Operate, alert_id: Id, services: Services) -> Listing[AssigneeOut]:
    """To whom it can be given: whoever may see its area."""
    async with services.database.transaction() as tx:
        found = await alert_life.list_assignees(tx, scope, alert_id)
    return Listing(items=[AssigneeOut.model_validate(one) for one in found])


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(
    scope: Operate, alert_id: Id, body: NoteIn, services: Services
) -> AlertDetailOut:
    """Say that somebody takes care of it."""
    order = Order(action=Action.ACKNOWLEDGE, note=body.note)
    return await _act(scope, services, alert_id, order)


@router.post("/alerts/{alert_id}/assign")
async def assign(
    scope: Operate, alert_id: Id, body: AssignIn, services: Services
) -> AlertDetailOut:
    """Give it to somebody who may see its area, or take it."""
    who = _person(scope, body.user_id)
    order = Order(action=Action.ASSIGN, note=body.note, user_id=who, if_free=body.if_free)
    return await _act(scope, services, alert_id, order)


@router.post("/alerts/{alert_id}/comment")
async def comment(scope: Operate, alert_id: Id, body: NoteIn, services: Services) -> AlertDetailOut:
    """Add a remark."""
    return await _act(scope, services, alert_id, Order(action=Action.COMMENT, note=body.note))


@router.post("/alerts/{alert_id}/snooze")
async def snooze(
    scope: Operate, alert_id: Id, body: SnoozeIn, services: Services
) -> AlertDetailOut:
    """Let nobody be told anew for a while; then it is told again, unless somebody took it."""
    order = Order(action=Action.SNOOZE, note=body.note, until=_end(services, body))
    return await _act(scope, services, alert_id, order)


@router.post("/alerts/{alert_id}/resolve")
async def resolve(
    scope: Operate, alert_id: Id, body: ReasonIn, services: Services
) -> AlertDetailOut:
    """Resolve it by hand; those who were told that it fired are told."""
    return await _act(scope, services, alert_id, Order(action=Action.RESOLVE, note=body.reason))


@router.post("/alerts/{alert_id}/reopen")
async def reopen(scope: Operate, alert_id: Id, body: NoteIn, services: Services) -> AlertDetailOut:
    """Let it fire again that was resolved by hand too early; people are told again."""
    return await _act(scope, services, alert_id, Order(action=Action.REOPEN, note=body.note))


async def _act(scope: Scope, services: WebServices, alert_id: int, order: Order) -> AlertDetailOut:
    now = services.clock()
    async with services.database.transaction() as tx:
        await life.act_on_one(tx, scope, services.jobs, alert_id, order, now)
        return await _show(tx, scope, services, alert_id, now)


async def _show(
    tx: Transaction, scope: Scope, services: WebServices, alert_id: int, now: datetime
) -> AlertDetailOut:
    alert = AlertOut.of(await alerts.get_alert(tx, scope, alert_id), now)
    steps: Sequence[StepOut] = [
        StepOut.model_validate(step) for step in await alerts.list_steps(tx, scope, alert_id)
    ]
    kept = PictureFiles(services.settings.data_dir).path(alert_id)
    has_picture = await asyncio.to_thread(kept.is_file)
    return AlertDetailOut(**alert.model_dump(), steps=steps, has_picture=has_picture)


def _end(services: WebServices, body: EndIn) -> datetime:
    """When a snooze ends, said in one of two ways."""
    if (body.until is None) == (body.seconds is None):
        msg = "say until when, or for how many seconds"
        raise Invalid(msg, field="until")
    return body.until or services.clock() + timedelta(seconds=body.seconds or 0)


def _person(scope: Scope, user_id: int | None) -> int:
    """The person named, or the caller."""
    number = user_id or scope.user_id
    if number is None:
        msg = "say to whom the alert is assigned"
        raise Invalid(msg, field="user_id")
    return number
