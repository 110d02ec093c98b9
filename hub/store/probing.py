"""What the hub holds of the devices that a prober is about to ask."""

from hub.domain.access import Scope
from hub.domain.health import Layer, Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


async def known_verdicts(
    tx: Transaction, scope: Scope, shard: tuple[int, int]
) -> dict[int, tuple[Status, Layer | None]]:
    """Return status and faulty layer of every approved device of a shard (number, of how many)."""
    number, of = shard
    rows = await tx.tuples(
        "SELECT s.device_id, s.status, s.layer FROM device_status s"
        " JOIN devices d ON d.id = s.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE d.registration = 'approved' AND d.id %% %(of)s = %(number)s AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "number": number, "of": of},
    )
    return {
        int(str(device)): (Status(str(status)), Layer(str(layer)) if layer else None)
        for device, status, layer in rows
    }
