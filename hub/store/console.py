"""What open consoles show, by number and with its area, so that one read serves all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.device_lists import DeviceLine, list_lines
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """A link, how it is and where it belongs."""

    connection_id: int
    name: str
    protocol: str
    address: str
    area_id: int
    area_path: str
    is_enabled: bool
    state: str
    state_detail: str
    state_since: datetime


async def device_rows(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[DeviceLine]:
    """The lines of the device list with these numbers."""
    return await list_lines(tx, scope, ids)


async def connection_rows(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[ConnectionRow]:
    """The links of the scope with these numbers, without credentials."""
    return await tx.fetch(
        ConnectionRow,
        "SELECT c.id AS connection_id, c.name, c.protocol, c.address, c.area_id,"
        " a.path::text AS area_path, c.is_enabled, c.state, c.state_detail, c.state_since"
        " FROM connections c JOIN areas a ON a.id = c.area_id WHERE c.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY c.id",
        {"ids": list(ids), "scope": scope_paths(scope)},
    )


async def count_pending(tx: Transaction, scope: Scope) -> int:
    """How many devices of the scope wait for approval."""
    number = await tx.scalar(
        int,
        "SELECT count(*) FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.registration = 'pending' AND" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )
    return number or 0
