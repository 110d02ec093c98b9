"""What the devices of a place are and which firmware they run."""

from dataclasses import dataclass

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareCount:
    """How many devices of a model run one firmware; what was never said is empty."""

    manufacturer: str
    model: str
    firmware: str
    count: int


async def count_firmware(
    tx: Transaction, scope: Scope, *, area_id: int | None = None
) -> list[FirmwareCount]:
    """The approved devices of the scope by what they run, below an area, at most 5,000 lines."""
    return await tx.search(
        FirmwareCount,
        "SELECT d.manufacturer, d.model, d.firmware, count(*) AS count"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.registration = 'approved'"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND" + IN_SCOPE + "GROUP BY d.manufacturer, d.model, d.firmware"
        " ORDER BY d.manufacturer, d.model, d.firmware LIMIT 5000",
        {"area": area_id, "scope": scope_paths(scope)},
    )
