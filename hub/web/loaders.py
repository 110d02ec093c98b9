"""How the rows of each collection are read for open consoles."""

from collections.abc import Mapping, Sequence

from hub.domain.access import Scope
from hub.store import console, events
from hub.store.database import Transaction
from hub.web.live import Load
from hub.web.schemas.base import Out
from hub.web.schemas.places import ConnectionOut, DeviceLineOut, EventOut


async def load_devices(
    tx: Transaction, scope: Scope, ids: Sequence[int]
) -> Sequence[tuple[str, Out]]:
    """Lines of the device list."""
    rows = await console.device_rows(tx, scope, ids)
    return [(row.area_path, DeviceLineOut.model_validate(row)) for row in rows]


async def load_connections(
    tx: Transaction, scope: Scope, ids: Sequence[int]
) -> Sequence[tuple[str, Out]]:
    """States of links."""
    rows = await console.connection_rows(tx, scope, ids)
    return [(row.area_path, ConnectionOut.model_validate(row)) for row in rows]


async def load_events(
    tx: Transaction, scope: Scope, ids: Sequence[int]
) -> Sequence[tuple[str, Out]]:
    """Events."""
    rows = await events.get_events(tx, scope, ids)
    return [(row.area_path, EventOut.model_validate(row)) for row in rows]


LOADERS: Mapping[str, Load] = {
    "connections": load_connections,
    "devices": load_devices,
    "events": load_events,
}
