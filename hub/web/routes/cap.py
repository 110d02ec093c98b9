"""Alerts for other systems: OASIS Common Alerting Protocol 1.2."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from alerts.telling.cap import MEDIA_TYPE, CapPlace, CapScope, CapSource, build_cap
from hub.domain.access import Scope
from hub.domain.alerts import Alert
from hub.domain.errors import NotFound
from hub.store import alerts, areas, asset_records
from hub.store.database import Transaction
from hub.web.access import See
from hub.web.schemas.shapes import Id
from hub.web.services import Services

router = APIRouter(tags=["alerts"])


@router.get(
    "/alerts/{alert_id}/cap",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "The newest message."}},
)
async def export_cap(
    scope: See,
    alert_id: Id,
    services: Services,
    reach: Annotated[CapScope, Query(alias="scope")] = CapScope.RESTRICTED,
) -> Response:
    """The newest CAP message about an alert; of a drill its status is Exercise."""
    async with services.database.transaction() as tx:
        alert = await alerts.get_alert(tx, scope, alert_id)
        steps = await alerts.list_steps(tx, scope, alert_id)
        place = await _place(tx, scope, alert)
    source = CapSource(
        zone=services.settings.zone, link_base=services.settings.public_origin, scope=reach
    )
    return Response(
        build_cap(alert, steps, place, source),
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="alert-{alert_id}.cap.xml"'},
    )


async def _place(tx: Transaction, scope: Scope, alert: Alert) -> CapPlace:
    """Coordinates only of a device the caller may still see: it may have moved."""
    area = await areas.get_area(tx, scope, alert.area_id)
    if alert.device_id is None:
        return CapPlace(area_code=area.code)
    try:
        record = await asset_records.get_record(tx, scope, alert.device_id)
    except NotFound:
        return CapPlace(area_code=area.code)
    return CapPlace(area_code=area.code, longitude=record.longitude, latitude=record.latitude)
