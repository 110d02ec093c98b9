"""What patrols and people need to reach cameras: addresses with their credentials, and masks."""

from collections.abc import Sequence
from dataclasses import replace

from hub.domain.access import Scope
from hub.domain.ports import CameraTarget
from hub.store.database import Transaction
from hub.store.picture_masks import load_masks
from hub.store.probing import list_probed


async def list_targets(
    tx: Transaction, scope: Scope, *, device_ids: Sequence[int] | None = None
) -> list[CameraTarget]:
    """The first channel of every approved camera of the scope, or of those of ``device_ids``."""
    found = await list_probed(tx, scope, device_ids=device_ids)
    targets = [device.target for device in found if device.target.channel]
    masks = await load_masks(tx, scope, [target.device_id for target in targets])
    return [
        replace(target, masks=masks[target.device_id]) if target.device_id in masks else target
        for target in targets
    ]
