"""Where areas lie: one outline an area, as imported and simplified. Shapes are JSON text here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.store.audit import Deed, record, record_all
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, scope_paths

TOPIC = "area-outlines"


class Detail(StrEnum):
    """How many corners are shown."""

    SIMPLE = "simple"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutline:
    """An outline to store: coordinates of a GeoJSON MultiPolygon as JSON text, twice.

    ``box`` is west, south, east, north.
    """

    code: str
    shape: str
    simple: str
    corners: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineNews:
    """An area whose outline came, changed or went."""

    area_id: int
    area_path: str


async def find_areas(tx: Transaction, scope: Scope, codes: Sequence[str]) -> Mapping[str, int]:
    """The numbers of the areas of the scope with these codes."""
    rows = await tx.tuples(
        "SELECT a.code, a.id FROM areas a WHERE a.code = ANY (%(codes)s) AND" + IN_SCOPE,
        {"codes": [code for code in codes if "\x00" not in code], "scope": scope_paths(scope)},
    )
    return {str(code): int(str(number)) for code, number in rows}


async def put_outlines(tx: Transaction, scope: Scope, outlines: Sequence[NewOutline]) -> None:
    """Store outlines of areas of the scope, each in the place of the one before it."""
    known = await find_areas(tx, scope, [outline.code for outline in outlines])
    stored = [outline for outline in outlines if outline.code in known]
    numbers = [known[outline.code] for outline in stored]
    await tx.execute(
        "INSERT INTO area_outlines AS o"
        " (area_id, shape, simple, corners, west, south, east, north, changed_by)"
        " SELECT n.area_id, n.shape::jsonb, n.simple::jsonb, n.corners, n.west, n.south, n.east,"
        " n.north, %(actor)s FROM unnest(%(areas)s::bigint[], %(shapes)s::text[],"
        " %(simples)s::text[], %(corners)s::int[], %(wests)s::float8[], %(souths)s::float8[],"
        " %(easts)s::float8[], %(norths)s::float8[])"
        " AS n (area_id, shape, simple, corners, west, south, east, north)"
        " ON CONFLICT (area_id) DO UPDATE SET shape = excluded.shape, simple = excluded.simple,"
        " corners = excluded.corners, west = excluded.west, south = excluded.south,"
        " east = excluded.east, north = excluded.north, changed_at = now(),"
        " changed_by = excluded.changed_by",
        {
            "areas": numbers,
            "shapes": [outline.shape for outline in stored],
            "simples": [outline.simple for outline in stored],
            "corners": [outline.corners for outline in stored],
            "wests": [outline.box[0] for outline in stored],
            "souths": [outline.box[1] for outline in stored],
            "easts": [outline.box[2] for outline in stored],
            "norths": [outline.box[3] for outline in stored],
            "actor": scope.actor,
        },
    )
    deeds = [_deed("area.outline_changed", number) for number in numbers]
    await record_all(tx, scope, deeds, {"outlines": len(stored)})
    await notify(tx, scope, TOPIC, numbers)


async def remove_outline(tx: Transaction, scope: Scope, area_id: int) -> None:
    """Remove the outline of an area of the scope.

    Raises:
        NotFound: the area has none, or lies outside the scope.
    """
    removed = await tx.execute(
        "DELETE FROM area_outlines o USING areas a"
        " WHERE a.id = o.area_id AND o.area_id = %(area)s AND" + IN_SCOPE,
        {"area": area_id, "scope": scope_paths(scope)},
    )
    if not removed:
        msg = "no such outline"
        raise NotFound(msg)
    await record(tx, scope, _deed("area.outline_removed", area_id))
    await notify(tx, scope, TOPIC, [area_id])


async def read_outlines(tx: Transaction, scope: Scope, area_id: int | None, detail: Detail) -> str:
    """The outlines of an area of the scope and of all below it: a JSON list, written here."""
    found = await tx.scalar(
        str,
        "SELECT coalesce(json_agg(json_build_object('area_id', a.id, 'code', a.code,"
        " 'name', a.name, 'depth', nlevel(a.path), 'corners', o.corners,"
        " 'box', json_build_array(o.west, o.south, o.east, o.north),"
        " 'changed_at', o.changed_at, 'changed_by', o.changed_by,"
        " 'coordinates', CASE WHEN %(is_full)s THEN o.shape ELSE o.simple END)"
        " ORDER BY a.path), '[]')::text"
        " FROM area_outlines o JOIN areas a ON a.id = o.area_id"
        " WHERE (%(area)s::bigint IS NULL"
        "  OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s)) AND" + IN_SCOPE,
        {
            "area": area_id,
            "is_full": detail is Detail.FULL,
            "scope": scope_paths(scope),
        },
    )
    return found or "[]"


async def news_of(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[OutlineNews]:
    """The areas of the scope with these numbers, whether they have an outline or not."""
    return await tx.fetch(
        OutlineNews,
        "SELECT a.id AS area_id, a.path::text AS area_path FROM areas a"
        " WHERE a.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"ids": list(ids), "scope": scope_paths(scope)},
    )


def _deed(action: str, area_id: int) -> Deed:
    return Deed(action=action, object_type="area", object_id=str(area_id), area_id=area_id)
