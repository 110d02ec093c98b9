"""The area tree."""

from http import HTTPStatus

from fastapi import APIRouter

from hub.store import area_summaries, areas, audit, users
from hub.store.notices import notify
from hub.web.access import Administer, See
from hub.web.schemas.places import (
    AreaChangeIn,
    AreaIn,
    AreaOut,
    AreaSummariesOut,
    AreaSummaryOut,
)
from hub.web.schemas.shapes import Id, Listing
from hub.web.services import Services

router = APIRouter(tags=["areas"])


@router.get("/areas")
async def list_areas(scope: See, services: Services) -> Listing[AreaOut]:
    """Every area of the caller, parents before children."""
    async with services.database.transaction() as tx:
        found = await areas.list_areas(tx, scope)
    return Listing(items=[AreaOut.model_validate(area) for area in found])


@router.get("/areas/summary")
async def summarise_tops(scope: See, services: Services) -> AreaSummariesOut:
    """How things stand now in the caller's uppermost areas, everything below included."""
    async with services.database.transaction() as tx:
        tops = await area_summaries.summarise_tops(tx, scope)
    return AreaSummariesOut(
        at=services.clock(),
        area=None,
        children=[AreaSummaryOut.model_validate(top) for top in tops],
    )


@router.get("/areas/{area_id}/summary")
async def summarise_area(scope: See, area_id: Id, services: Services) -> AreaSummariesOut:
    """How things stand now in an area and in each of its direct children."""
    async with services.database.transaction() as tx:
        area = await areas.get_area(tx, scope, area_id)
        whole, children = await area_summaries.summarise_area(tx, scope, area)
    return AreaSummariesOut(
        at=services.clock(),
        area=AreaSummaryOut.model_validate(whole),
        children=[AreaSummaryOut.model_validate(child) for child in children],
    )


@router.post("/areas", status_code=HTTPStatus.CREATED)
async def create_area(scope: Administer, body: AreaIn, services: Services) -> AreaOut:
    """Add an area; who adds a root administers it."""
    async with services.database.transaction() as tx:
        area = await areas.create_area(
            tx, scope, code=body.code, name=body.name, parent_id=body.parent_id
        )
        if body.parent_id is None and scope.user_id is not None:
            await users.grant_new_root(tx, scope, area.id)
        deed = audit.Deed(
            action="area.created", object_type="area", object_id=str(area.id), area_id=area.id
        )
        await audit.record(tx, scope, deed, {"code": area.code})
        await notify(tx, scope, "areas", [area.id])
    return AreaOut.model_validate(area)


@router.patch("/areas/{area_id}")
async def rename_area(
    scope: Administer, area_id: Id, body: AreaChangeIn, services: Services
) -> AreaOut:
    """Give an area another name."""
    async with services.database.transaction() as tx:
        await areas.rename_area(tx, scope, area_id, body.name)
        deed = audit.Deed(
            action="area.renamed", object_type="area", object_id=str(area_id), area_id=area_id
        )
        await audit.record(tx, scope, deed, {"name": body.name})
        await notify(tx, scope, "areas", [area_id])
        return AreaOut.model_validate(await areas.get_area(tx, scope, area_id))
