"""The inventory as rows of a file."""

from dataclasses import dataclass

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedDevice:
    """One line of an export; never a password."""

    name: str
    protocol: str
    address: str
    area: str
    username: str
    kind: str
    manufacturer: str
    model: str
    serial: str
    firmware: str
    registration: str
    status: str


async def export_devices(tx: Transaction, scope: Scope) -> list[ExportedDevice]:
    """Every device of the scope with the link it is reached by."""
    return await tx.fetch(
        ExportedDevice,
        "SELECT d.name, c.protocol, c.address, a.code AS area, c.username, d.kind, d.manufacturer,"
        " d.model, d.serial, d.firmware, d.registration, s.shown AS status"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN connections c ON c.id = d.connection_id JOIN device_status s ON s.device_id = d.id"
        " WHERE" + IN_SCOPE + "ORDER BY d.id",
        {"scope": scope_paths(scope)},
    )
