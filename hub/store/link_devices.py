"""The devices behind a link, for when the link itself is down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

LOST = "link.lost"
RESTORED = "link.restored"
_LINK = (
    "SELECT c.id, c.name, c.area_id, a.path::text AS area_path FROM connections c"
    " JOIN areas a ON a.id = c.area_id WHERE c.id = ANY (%(ids)s)"
    " AND c.protocol = ANY (%(protocols)s) AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlace:
    """A link and where it belongs."""

    id: int
    name: str
    area_id: int
    area_path: str


async def list_links(
    tx: Transaction, scope: Scope, connection_ids: Sequence[int], protocols: Sequence[str]
) -> list[LinkPlace]:
    """Those of these links that speak one of the protocols."""
    return await tx.fetch(
        LinkPlace,
        _LINK + IN_SCOPE + "ORDER BY c.id",
        {
            "ids": list(connection_ids),
            "protocols": list(protocols),
            "scope": scope_paths(scope),
        },
    )


async def list_lost(
    tx: Transaction,
    scope: Scope,
    connection_ids: Sequence[int],
    protocols: Sequence[str],
    *,
    since: datetime,
) -> list[LinkPlace]:
    """Those of them of which the last that was said is that they are lost."""
    return await tx.fetch(
        LinkPlace,
        _LINK + IN_SCOPE + "AND (SELECT e.kind FROM events e WHERE e.device_id IS NULL"
        "  AND e.at >= %(since)s AND e.kind IN ('link.lost', 'link.restored')"
        "  AND e.data ->> 'connection' = c.id::text ORDER BY e.at DESC, e.id DESC LIMIT 1)"
        " = 'link.lost' ORDER BY c.id",
        {
            "ids": list(connection_ids),
            "protocols": list(protocols),
            "since": since,
            "scope": scope_paths(scope),
        },
    )


async def devices_behind(
    tx: Transaction, scope: Scope, connection_ids: Sequence[int], protocols: Sequence[str]
) -> dict[int, list[int]]:
    """The devices of each of these connections of which something is believed, by connection.

    Connections of other protocols are left out.
    """
    rows = await tx.tuples(
        "SELECT d.connection_id, array_agg(d.id ORDER BY d.id) FROM devices d"
        " JOIN connections c ON c.id = d.connection_id JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id WHERE c.id = ANY (%(ids)s)"
        " AND c.protocol = ANY (%(protocols)s) AND d.registration <> 'retired'"
        " AND s.status <> 'unknown' AND" + IN_SCOPE + "GROUP BY d.connection_id",
        {
            "ids": list(connection_ids),
            "protocols": list(protocols),
            "scope": scope_paths(scope),
        },
    )
    return {
        int(str(connection)): [int(str(device)) for device in found]
        for connection, found in rows
        if isinstance(found, list)
    }
