"""Alerts: look, acknowledge, comment, resolve, see who was told."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from alerts import desk
from hub.domain.access import Scope
from hub.domain.alerts import AlertStatus
from hub.domain.events import Severity
from hub.store import alerts, notifications
from hub.store.database import Transaction
from hub.web.access import Operate, See
from hub.web.schemas.alerts import (
    AlertDetailOut,
    AlertOut,
    NoteIn,
    NotificationOut,
    ReasonIn,
    StepOut,
)
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing, TextFilter
from hub.web.services import Services

router = APIRouter(tags=["alerts"])


def read_filter(
    area: AreaFilter = None,
    q: TextFilter = "",
    status: AlertStatus | None = None,
    severity: Severity | None = None,
    *,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    device_id: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
) -> alerts.AlertFilter:
    """What the list is narrowed to."""
    return alerts.AlertFilter(
        area_id=area,
        text=q,
        status=status,
        severity=severity,
        is_open=is_open,
        device_id=device_id,
    )


@router.get("/alerts")
async def list_alerts(
    scope: See,
    services: Services,
    wanted: Annotated[alerts.AlertFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[AlertOut]:
    """Alerts, newest first."""
    async with services.database.transaction() as tx:
        page = await alerts.list_alerts(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[AlertOut.model_validate(i) for i in page.items], next=page.next)


@router.get("/alerts/{alert_id}")
async def get_alert(scope: See, alert_id: Id, services: Services) -> AlertDetailOut:
    """One alert with its history."""
    async with services.database.transaction() as tx:
        return await _show(tx, scope, alert_id)


@router.get("/alerts/{alert_id}/notifications")
async def list_notifications(
    scope: See, alert_id: Id, services: Services
) -> Listing[NotificationOut]:
    """Who was told of an alert, with every attempt."""
    async with services.database.transaction() as tx:
        found = await notifications.list_notifications(tx, scope, alert_id)
    return Listing(items=[NotificationOut.model_validate(line) for line in found])


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(
    scope: Operate, alert_id: Id, body: NoteIn, services: Services
) -> AlertDetailOut:
    """Say that somebody takes care of it."""
    async with services.database.transaction() as tx:
        await alerts.acknowledge(tx, scope, alert_id, note=body.note)
        return await _show(tx, scope, alert_id)


@router.post("/alerts/{alert_id}/comment")
async def comment(scope: Operate, alert_id: Id, body: NoteIn, services: Services) -> AlertDetailOut:
    """Add a remark."""
    async with services.database.transaction() as tx:
        await alerts.comment(tx, scope, alert_id, note=body.note)
        return await _show(tx, scope, alert_id)


@router.post("/alerts/{alert_id}/resolve")
async def resolve(
    scope: Operate, alert_id: Id, body: ReasonIn, services: Services
) -> AlertDetailOut:
    """Resolve it by hand; those who were told that it fired are told."""
    async with services.database.transaction() as tx:
        await desk.resolve(tx, scope, services.jobs, alert_id, reason=body.reason)
        return await _show(tx, scope, alert_id)


async def _show(tx: Transaction, scope: Scope, alert_id: int) -> AlertDetailOut:
    alert = AlertOut.model_validate(await alerts.get_alert(tx, scope, alert_id))
    steps = await alerts.list_steps(tx, scope, alert_id)
    return AlertDetailOut(
        **alert.model_dump(), steps=[StepOut.model_validate(step) for step in steps]
    )
