"""What the overview shows that no list does."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from hub.store import areas
from hub.store.recent_changes import read_changes
from hub.web.access import See
from hub.web.schemas.overview import ChangesOut
from hub.web.schemas.shapes import AreaFilter
from hub.web.services import Services

router = APIRouter(tags=["overview"])

MOST_CHANGES = 40
Hours = Annotated[int, Query(ge=1, le=48)]


@router.get("/overview/changes")
async def list_changes(
    scope: See, services: Services, area: AreaFilter = None, hours: Hours = 1
) -> ChangesOut:
    """What went down and what came back in the last hours, and the latest of it."""
    since = services.clock() - timedelta(hours=hours)
    async with services.database.transaction() as tx:
        if area is not None:
            await areas.get_area(tx, scope, area)
        found = await read_changes(tx, scope, since, area_id=area, limit=MOST_CHANGES)
    return ChangesOut.of(found, since)
