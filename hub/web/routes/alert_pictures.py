"""Pictures of alerts."""

import asyncio

from fastapi import APIRouter, Response

from alerts.telling.pictures import PictureFiles
from hub.domain.errors import NotFound
from hub.store import alerts, audit
from hub.web.access import See
from hub.web.routes.devices import JpegResponse
from hub.web.schemas.shapes import Id
from hub.web.services import Services

router = APIRouter(tags=["alerts"])


@router.get("/alerts/{alert_id}/picture", response_class=JpegResponse)
async def get_picture(scope: See, alert_id: Id, services: Services) -> Response:
    """What the camera showed when the alert fired; who looked is in the audit log."""
    files = PictureFiles(services.settings.data_dir)
    async with services.database.transaction() as tx:
        alert = await alerts.get_alert(tx, scope, alert_id)
        jpeg = await asyncio.to_thread(files.read, alert.id)
        if not jpeg:
            msg = "there is no picture of this alert, or it was kept long enough"
            raise NotFound(msg)
        deed = audit.Deed(
            action="alert.picture_looked_at",
            object_type="alert",
            object_id=str(alert.id),
            area_id=alert.area_id,
        )
        await audit.record(tx, scope, deed)
    return JpegResponse(jpeg)
