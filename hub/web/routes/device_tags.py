"""Tags of devices."""

from fastapi import APIRouter

from hub.store import device_tags
from hub.web.access import Maintain, See
from hub.web.schemas.rules import TagsIn, TagsOut
from hub.web.schemas.shapes import Id
from hub.web.services import Services

router = APIRouter(tags=["devices"])


@router.get("/devices/{device_id}/tags")
async def get_tags(scope: See, device_id: Id, services: Services) -> TagsOut:
    """The tags of a device."""
    async with services.database.transaction() as tx:
        return TagsOut(tags=await device_tags.get_tags(tx, scope, device_id))


@router.put("/devices/{device_id}/tags")
async def set_tags(scope: Maintain, device_id: Id, body: TagsIn, services: Services) -> TagsOut:
    """Replace the tags of a device."""
    async with services.database.transaction() as tx:
        return TagsOut(tags=await device_tags.set_tags(tx, scope, device_id, body.tags))
