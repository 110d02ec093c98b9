"""Routes: who is told of an area's alerts, beside the receivers a rule names itself."""

from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.calendars import parse_calendar
from hub.domain.notifications import Route
from hub.runtime.calendars import check_calendar
from hub.store import routes
from hub.web.access import Plan
from hub.web.schemas.routes import RouteIn, RouteOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["routes"])


@router.get("/routes")
async def list_routes(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[RouteOut]:
    """Routes by number."""
    async with services.database.transaction() as tx:
        page = await routes.list_routes(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[RouteOut.of(route) for route in page.items], next=page.next)


@router.get("/routes/{route_id}")
async def get_route(scope: Plan, route_id: Id, services: Services) -> RouteOut:
    """One route."""
    async with services.database.transaction() as tx:
        return RouteOut.of(await routes.get_route(tx, scope, route_id))


@router.post("/routes", status_code=HTTPStatus.CREATED)
async def add_route(scope: Plan, body: RouteIn, services: Services) -> RouteOut:
    """Add a route; it tells of what fires from now on."""
    new = _route(services, 0, body)
    async with services.database.transaction() as tx:
        return RouteOut.of(await routes.add_route(tx, scope, new))


@router.put("/routes/{route_id}")
async def change_route(scope: Plan, route_id: Id, body: RouteIn, services: Services) -> RouteOut:
    """Replace a route; whoever got an alert by it still gets its end."""
    new = _route(services, route_id, body)
    async with services.database.transaction() as tx:
        return RouteOut.of(await routes.change_route(tx, scope, new))


@router.delete("/routes/{route_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_route(scope: Plan, route_id: Id, services: Services) -> None:
    """Remove a route; whoever got an alert by it still gets its end."""
    async with services.database.transaction() as tx:
        await routes.remove_route(tx, scope, route_id)


def _route(services: WebServices, number: int, body: RouteIn) -> Route:
    hours = None if body.hours is None else parse_calendar(body.hours)
    if hours is not None:
        check_calendar(hours, services.clock())
    return Route(
        id=number,
        name=body.name,
        area_id=body.area_id,
        matcher=body.matcher.matcher(),
        hours=hours,
        receivers=tuple(dict.fromkeys(body.receivers)),
        is_enabled=body.is_enabled,
    )
