"""Devices that reported by themselves and wait for approval, with what they report."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.device_lists import DeviceFilter, DeviceOrder, count_devices, list_devices
from hub.store.scoping import IN_SCOPE, Page, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPoint:
    """A point and its latest reading, if it ever had one."""

    device_id: int
    key: str
    unit: str
    quantity: str
    at: datetime | None
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDevice:
    """A device that waits, and who let it in."""

    id: int
    key: str
    name: str
    kind: str
    area_id: int
    area_name: str
    manufacturer: str
    model: str
    created_at: datetime | None
    connection_name: str
    points: Sequence[PendingPoint] = field(default_factory=tuple)


async def list_pending(
    tx: Transaction,
    scope: Scope,
    wanted: DeviceFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> tuple[Page[PendingDevice], int]:
    """A page of those a filter leaves, by number, and how many there are in all.

    Raises:
        Invalid: the cursor is not of this list.
    """
    page = await list_devices(
        tx, scope, wanted, order=DeviceOrder.NUMBER, limit=limit, cursor=cursor
    )
    values = {"ids": [line.id for line in page.items], "scope": scope_paths(scope)}
    points = defaultdict(list)
    for point in await tx.fetch(
        PendingPoint,
        "SELECT p.device_id, p.key, p.unit, p.quantity, v.at, v.value FROM points p"
        " JOIN devices d ON d.id = p.device_id JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN point_status v ON v.point_id = p.id WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY p.device_id, p.key",
        values,
    ):
        points[point.device_id].append(point)
    # The link to a broker may lie in an area above: its name is no secret of it.
    rows = await tx.fetch(
        PendingDevice,
        "SELECT d.id, d.key, d.name, d.kind, d.area_id, a.name AS area_name, d.manufacturer,"
        " d.model, d.created_at, c.name AS connection_name"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN connections c ON c.id = d.connection_id WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY d.id",
        values,
    )
    items = [replace(row, points=points[row.id]) for row in rows]
    return Page(items=items, next=page.next), await count_devices(tx, scope, wanted)
