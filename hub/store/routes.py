"""Routes: who is told of an area's alerts, beside the receivers a rule names itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.calendars import build_calendar, parse_calendar
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.domain.matchers import build_matcher, parse_matcher
from hub.domain.notifications import Route
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.matched import check_matcher
from hub.store.notices import notify
from hub.store.receivers import check_receivers
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

_ROUTE = (
    "SELECT r.id, r.name, r.area_id, a.path::text AS area_path, r.matcher, r.hours, r.is_enabled,"
    " coalesce((SELECT array_agg(rr.receiver_id ORDER BY rr.receiver_id) FROM route_receivers rr"
    " JOIN receivers v ON v.id = rr.receiver_id AND v.removed_at IS NULL"
    " WHERE rr.route_id = r.id), '{}') AS receivers"
    " FROM routes r JOIN areas a ON a.id = r.area_id WHERE r.removed_at IS NULL AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    area_id: int
    area_path: str
    matcher: Mapping[str, Json]
    hours: Mapping[str, Json] | None
    is_enabled: bool
    receivers: list[int]

    def route(self) -> Route:
        return Route(
            id=self.id,
            name=self.name,
            area_id=self.area_id,
            area_path=self.area_path,
            matcher=parse_matcher(self.matcher),
            hours=None if self.hours is None else parse_calendar(self.hours),
            receivers=tuple(self.receivers),
            is_enabled=self.is_enabled,
        )


async def routes_above(tx: Transaction, scope: Scope, paths: Sequence[str]) -> list[Route]:
    """The routes of exactly these areas that are switched on, with receivers that are.

    Not narrowed to the scope: an alert of the caller's area is told by the routes of the areas
    above, too. Their contents are for the desk, not for the caller.
    """
    del scope
    rows = await tx.fetch(
        _Row,
        "SELECT r.id, r.name, r.area_id, a.path::text AS area_path, r.matcher, r.hours,"
        " r.is_enabled, array_agg(v.id ORDER BY v.id) AS receivers"
        " FROM areas a JOIN routes r ON r.area_id = a.id"
        " JOIN route_receivers rr ON rr.route_id = r.id JOIN receivers v ON v.id = rr.receiver_id"
        " WHERE a.path = ANY (%(paths)s::ltree[]) AND r.is_enabled AND r.removed_at IS NULL"
        " AND v.is_enabled AND v.removed_at IS NULL"
        " GROUP BY r.id, a.path ORDER BY r.id",
        {"paths": list(paths)},
    )
    return [row.route() for row in rows]


async def list_routes(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Route]:
    """Routes by number, those of an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _ROUTE + IN_SCOPE + "AND r.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY r.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.route() for row in rows[:count]], next=more)


async def get_route(tx: Transaction, scope: Scope, route_id: int) -> Route:
    """Return one route; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _ROUTE + " r.id = %(id)s AND" + IN_SCOPE,
        {"id": route_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such route"
        raise NotFound(msg)
    return row.route()


async def add_route(tx: Transaction, scope: Scope, route: Route) -> Route:
    """Add a route to an area of the scope (its ``id`` and ``area_path`` are ignored).

    Raises:
        NotFound: the area or a receiver lies outside the scope, or the matcher names what is not
            in the area.
        Invalid: the name has a form that is refused.
    """
    area = await get_area(tx, scope, route.area_id)
    await check_matcher(tx, scope, area.path, route.matcher)
    await check_receivers(tx, scope, route.receivers)
    number = await tx.scalar(
        int,
        "INSERT INTO routes (name, area_id, matcher, hours, is_enabled)"
        " VALUES (%(name)s, %(area)s, %(matcher)s, %(hours)s, %(is_enabled)s) RETURNING id",
        _values(route),
    )
    return await _changed(tx, scope, "route.added", number or 0, route.receivers)


async def change_route(tx: Transaction, scope: Scope, route: Route) -> Route:
    """Replace a route of the scope; receivers it names already may lie outside.

    Raises:
        NotFound: the route, its area or a new receiver lies outside the scope, or the matcher
            names something new that is not in the area.
    """
    before = await get_route(tx, scope, route.id)
    area = await get_area(tx, scope, route.area_id)
    known = before.matcher if before.area_id == area.id else None
    await check_matcher(tx, scope, area.path, route.matcher, known=known)
    await check_receivers(tx, scope, tuple(set(route.receivers) - set(before.receivers)))
    await tx.execute(
        "UPDATE routes SET name = %(name)s, area_id = %(area)s, matcher = %(matcher)s,"
        " hours = %(hours)s, is_enabled = %(is_enabled)s WHERE id = %(id)s",
        _values(route),
    )
    return await _changed(tx, scope, "route.changed", route.id, route.receivers)


async def remove_route(tx: Transaction, scope: Scope, route_id: int) -> None:
    """Remove a route of the scope; whoever got an alert by it still gets its end."""
    route = await get_route(tx, scope, route_id)
    await tx.execute("UPDATE routes SET removed_at = now() WHERE id = %(id)s", {"id": route.id})
    await notify(tx, scope, "routes", [route.id])
    await record(tx, scope, _deed("route.removed", route), {"name": route.name})


async def _changed(
    tx: Transaction, scope: Scope, action: str, route_id: int, receivers: tuple[int, ...]
) -> Route:
    await tx.execute("DELETE FROM route_receivers WHERE route_id = %(id)s", {"id": route_id})
    await tx.execute(
        "INSERT INTO route_receivers (route_id, receiver_id)"
        " SELECT DISTINCT %(id)s::bigint, r FROM unnest(%(receivers)s::bigint[]) AS r",
        {"id": route_id, "receivers": list(receivers)},
    )
    route = await get_route(tx, scope, route_id)
    await notify(tx, scope, "routes", [route.id])
    detail: dict[str, Json] = {
        "name": route.name,
        "matcher": build_matcher(route.matcher),
        "hours": None if route.hours is None else build_calendar(route.hours),
        "receivers": list(route.receivers),
        "is_enabled": route.is_enabled,
    }
    await record(tx, scope, _deed(action, route), detail)
    return route


def _deed(action: str, route: Route) -> Deed:
    return Deed(action=action, object_type="route", object_id=str(route.id), area_id=route.area_id)


def _values(route: Route) -> dict[str, object]:
    return {
        "id": route.id,
        "name": route.name,
        "area": route.area_id,
        "matcher": Jsonb(build_matcher(route.matcher)),
        "hours": None if route.hours is None else Jsonb(build_calendar(route.hours)),
        "is_enabled": route.is_enabled,
    }
