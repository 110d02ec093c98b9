"""What patrols and people need to reach cameras: addresses with their credentials, and masks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.ports import CameraTarget
from hub.store.database import Transaction
from hub.store.picture_masks import load_masks
from hub.store.probing import list_probed
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a camera is reached beside its main address."""

    id: int
    sub_stream_address: str
    options: dict[str, Json]


async def list_targets(
    tx: Transaction, scope: Scope, *, device_ids: Sequence[int] | None = None
) -> list[CameraTarget]:
    """The first channel of every approved camera of the scope, or of those of ``device_ids``."""
    found = await list_probed(tx, scope, device_ids=device_ids)
    targets = [device.target for device in found if device.target.channel]
    ids = [target.device_id for target in targets]
    masks = await load_masks(tx, scope, ids)
    ways = await _ways(tx, scope, ids)
    return [
        replace(
            target,
            masks=masks.get(target.device_id, ()),
            sub_stream_address=ways[target.device_id].sub_stream_address,
            options=ways[target.device_id].options,
        )
        for target in targets
        if target.device_id in ways
    ]


async def _ways(tx: Transaction, scope: Scope, device_ids: Sequence[int]) -> dict[int, _Way]:
    if not device_ids:
        return {}
    rows = await tx.fetch(
        _Way,
        "SELECT d.id, c.options, coalesce((SELECT s ->> 'address'"
        "  FROM (SELECT streams FROM channels WHERE device_id = d.id ORDER BY id LIMIT 1) h,"
        "   jsonb_array_elements(h.streams) s WHERE s ->> 'role' = 'sub' LIMIT 1), '')"
        "  AS sub_stream_address"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN connections c ON c.id = d.connection_id WHERE d.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"ids": list(device_ids), "scope": scope_paths(scope)},
    )
    return {row.id: row for row in rows}
