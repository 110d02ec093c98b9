"""What probes and patrols need to reach cameras: addresses with their credentials."""

from dataclasses import dataclass, field

from hub.domain.access import Scope
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    device_id: int
    channel: str
    streams: list[dict[str, object]]
    snapshot_address: str
    address: str
    username: str
    password_sealed: bytes | None = field(repr=False)


async def list_targets(
    tx: Transaction,
    scope: Scope,
    *,
    device_ids: list[int] | None = None,
    shard: tuple[int, int] | None = None,
) -> list[CameraTarget]:
    """The first channel of every approved camera of the scope.

    Args:
        tx: The transaction.
        scope: Which areas.
        device_ids: Only these, None for all.
        shard: (number, of how many), by device number; None for all.
    """
    number, of = shard or (0, 1)
    rows = await tx.fetch(
        _Row,
        "SELECT DISTINCT ON (d.id) d.id AS device_id, h.key AS channel, h.streams,"
        " h.snapshot_address, d.address, c.username, c.password_sealed"
        " FROM devices d JOIN areas a ON a.id = d.area_id JOIN channels h ON h.device_id = d.id"
        " JOIN connections c ON c.id = d.connection_id"
        " WHERE d.registration = 'approved' AND c.is_enabled"
        " AND (%(ids)s::bigint[] IS NULL OR d.id = ANY (%(ids)s))"
        " AND d.id %% %(of)s = %(number)s AND" + IN_SCOPE + "ORDER BY d.id, h.id",
        {"scope": scope_paths(scope), "ids": device_ids, "number": number, "of": of},
    )
    return [_target(tx, row) for row in rows]


def _target(tx: Transaction, row: _Row) -> CameraTarget:
    by_role = {str(s["role"]): str(s["address"]) for s in row.streams}
    return CameraTarget(
        device_id=row.device_id,
        channel=row.channel,
        stream_address=by_role.get("main") or next(iter(by_role.values()), ""),
        snapshot_address=row.snapshot_address,
        service_address=row.address if row.address.startswith("http") else "",
        credentials=Credentials(
            username=row.username, password=tx.vault.unseal(row.password_sealed)
        ),
    )
