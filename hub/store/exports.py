"""The inventory as rows of a file, a page at a time; never a password."""

from collections.abc import Sequence
from typing import Final

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

PAGE_ROWS = 2_000

# The columns of a row after the device's number, in the order of the query.
DEVICE_COLUMNS: Final = (
    "code", "name", "area", "protocol", "address", "device", "username", "options", "kind",
    "class", "team", "place", "parent", "manufacturer", "model", "serial", "firmware", "mac",
    "port", "longitude", "latitude", "ptz_type", "position_type", "room", "purpose", "light",
    "direction", "resolution", "mount_height_m", "installed_on", "warranty_until", "owner",
    "notes", "registration", "status", "since", "layer",
)  # fmt: skip

# What belongs to a link is shown to those whose areas the link is in; behind a broker it is not
# the device's.
_OWN_LINK = (
    " (c.protocol <> 'mqtt' AND"
    " (%(scope)s::ltree[] IS NULL OR la.path <@ ANY (%(scope)s::ltree[]))) "
)
# A parent is named by its code, else by the address of a link that is its alone.
_PARENT = (
    " CASE WHEN p.code <> '' THEN p.code WHEN pc.protocol <> 'mqtt' THEN pc.address ELSE '' END "
)


async def page_devices(
    tx: Transaction, scope: Scope, *, after: int = 0, limit: int = PAGE_ROWS
) -> list[tuple[object, ...]]:
    """Devices of the scope by number, after one of them: the number, then DEVICE_COLUMNS."""
    return await tx.tuples(
        "SELECT d.id, d.code, d.name, a.code, c.protocol, c.address, d.key,"
        " CASE WHEN" + _OWN_LINK + "THEN c.username ELSE '' END,"
        " CASE WHEN" + _OWN_LINK + "THEN c.options ELSE '{}' END,"
        " d.kind, d.class, d.team, d.place,"
        + _PARENT
        + ", d.manufacturer, d.model, d.serial, d.firmware, r.mac, r.port, r.longitude, r.latitude,"
        " r.ptz_type, r.position_type, r.room, r.purpose, r.light, r.direction, r.resolution,"
        " r.mount_height_m, r.installed_on, r.warranty_until, r.owner, r.notes, d.registration,"
        " s.shown, s.since, s.layer"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN connections c ON c.id = d.connection_id JOIN areas la ON la.id = c.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " LEFT JOIN asset_records r ON r.device_id = d.id"
        " LEFT JOIN (devices p JOIN areas pa ON pa.id = p.area_id"
        "  JOIN connections pc ON pc.id = p.connection_id) ON p.id = d.parent_id"
        "  AND (%(scope)s::ltree[] IS NULL OR pa.path <@ ANY (%(scope)s::ltree[]))"
        " WHERE d.id > %(after)s AND" + IN_SCOPE + "ORDER BY d.id LIMIT %(limit)s",
        {"scope": scope_paths(scope), "after": after, "limit": limit},
    )


async def list_area_rows(tx: Transaction, scope: Scope) -> Sequence[tuple[object, ...]]:
    """Areas of the scope, parents before children: code, name, the parent's code.

    A parent outside the scope is not named.
    """
    return await tx.tuples(
        "SELECT a.code, a.name, CASE WHEN %(scope)s::ltree[] IS NULL"
        "  OR p.path <@ ANY (%(scope)s::ltree[]) THEN p.code END"
        " FROM areas a LEFT JOIN areas p ON p.id = a.parent_id WHERE"
        + IN_SCOPE
        + "ORDER BY a.path",
        {"scope": scope_paths(scope)},
    )
