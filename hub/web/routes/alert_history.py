"""Why was I called, and why was I not: accounts of alerts, of many at once, of what was held."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hub.store import alert_history, alert_storms
from hub.store.alert_history import HoldFilter
from hub.web.access import See
from hub.web.schemas.alerts import HistoryLineOut, HoldOut, StormOut
from hub.web.schemas.maintenance import Moment
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["alerts"])

NumberFilter = Annotated[int | None, Query(ge=1, le=MAX_NUMBER)]


def read_filter(
    area: AreaFilter = None,
    device_id: NumberFilter = None,
    rule_id: NumberFilter = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Moment | None = None,
) -> HoldFilter:
    """What the list is narrowed to."""
    return HoldFilter(area_id=area, device_id=device_id, rule_id=rule_id, since=since, until=until)


@router.get("/alerts/holds")
async def list_holds(
    scope: See,
    services: Services,
    wanted: Annotated[HoldFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[HoldOut]:
    """What spoke against alerts, from the first time to the last: the latest first."""
    async with services.database.transaction() as tx:
        page = await alert_history.list_holds(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[HoldOut.model_validate(one) for one in page.items], next=page.next)


@router.get("/alerts/{alert_id}/storm")
async def get_storm(scope: See, alert_id: Id, services: Services) -> StormOut:
    """What counts in an alert for many: how much, where, behind what, since when."""
    async with services.database.transaction() as tx:
        return StormOut.model_validate(await alert_storms.read_storm(tx, scope, alert_id))


@router.get("/alerts/{alert_id}/history")
async def get_history(scope: See, alert_id: Id, services: Services) -> Listing[HistoryLineOut]:
    """All that happened to an alert, who was told and why, and what will happen by itself."""
    now = services.clock()
    async with services.database.transaction() as tx:
        lines = await alert_history.alert_history(tx, scope, alert_id, now)
    return Listing(items=[HistoryLineOut.model_validate(line) for line in lines])
