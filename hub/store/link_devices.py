"""The devices behind a link, for when the link itself is down."""

from collections.abc import Sequence

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


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
