"""What of a camera's picture must not be seen: polygons that are painted over before storing."""

from collections.abc import Sequence
from typing import Final

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.domain.quality import Polygon
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.picture_rows import parse_polygons
from hub.store.scoping import IN_SCOPE, scope_paths

TOPIC: Final = "picture-masks"
MOST_POLYGONS: Final = 16
FEWEST_CORNERS, MOST_CORNERS = 3, 64


async def get_masks(tx: Transaction, scope: Scope, device_id: int) -> tuple[Polygon, ...]:
    """The masks of a camera; raises NotFound outside the scope."""
    device = await get_device(tx, scope, device_id)
    return (await load_masks(tx, scope, [device.id])).get(device.id, ())


async def load_masks(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> dict[int, tuple[Polygon, ...]]:
    """The masks of these cameras of the scope; a camera without any is absent."""
    rows = await tx.tuples(
        "SELECT m.device_id, m.polygons FROM picture_masks m JOIN devices d ON d.id = m.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE m.device_id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "ids": list(device_ids)},
    )
    return {int(str(device)): parse_polygons(polygons) for device, polygons in rows}


async def set_masks(
    tx: Transaction, scope: Scope, device_id: int, polygons: Sequence[Polygon]
) -> tuple[Polygon, ...]:
    """Replace the masks of a camera of the scope; none removes them all.

    Raises:
        NotFound: the camera lies outside the scope.
        Invalid: there are too many, or a polygon is none within the picture.
    """
    _check(polygons)
    device = await get_device(tx, scope, device_id)
    raw = [[[float(x), float(y)] for x, y in polygon] for polygon in polygons]
    before = await get_masks(tx, scope, device.id)
    if raw:
        await tx.execute(
            "INSERT INTO picture_masks (device_id, polygons) VALUES (%(id)s, %(polygons)s)"
            " ON CONFLICT (device_id) DO UPDATE SET polygons = excluded.polygons",
            {"id": device.id, "polygons": Jsonb(raw)},
        )
    else:
        await tx.execute("DELETE FROM picture_masks WHERE device_id = %(id)s", {"id": device.id})
    deed = Deed(
        action="picture_masks.set",
        object_type="device",
        object_id=str(device.id),
        area_id=device.area_id,
    )
    await record(tx, scope, deed, {"polygons": raw, "before": len(before)})
    await notify(tx, scope, TOPIC, [device.id])
    return parse_polygons(raw)


def _check(polygons: Sequence[Polygon]) -> None:
    if len(polygons) > MOST_POLYGONS:
        _refuse(f"a camera has at most {MOST_POLYGONS} masks")
    for polygon in polygons:
        if not FEWEST_CORNERS <= len(polygon) <= MOST_CORNERS:
            _refuse(f"a mask has {FEWEST_CORNERS} to {MOST_CORNERS} corners")
        # Not a number fails this too.
        if not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in polygon):
            _refuse("a corner is two shares of width and height, each from 0 to 1")


def _refuse(msg: str) -> None:
    raise Invalid(msg, field="polygons")
