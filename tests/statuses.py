"""Give a device a status, as a probe's verdict would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.health import OFFLINE_LAYERS, DeviceStatusReport, Layer, Status
from hub.store.database import Transaction
from hub.store.status import apply_reports

DEFAULT_LAYERS: Mapping[Status, Layer] = {
    Status.OFFLINE: Layer.NETWORK,
    Status.DEGRADED: Layer.STREAM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The status a device is to have from a moment on."""

    device_id: int
    status: Status
    since: datetime
    layer: Layer | None = None
    detail: str = ""
    session: int | None = None
    behind: int | None = None


async def change_status(tx: Transaction, scope: Scope, told: Told) -> bool:
    """Store it; True when the status itself changed."""
    layer = told.layer or DEFAULT_LAYERS.get(told.status)
    report = DeviceStatusReport(
        device_id=told.device_id,
        probed_at=told.since,
        layer=layer,
        detail=told.detail,
        seen=frozenset(Layer) if layer is None else OFFLINE_LAYERS | {layer},
        behind=told.behind,
        is_unknown=told.status is Status.UNKNOWN,
        session=told.session,
    )
    changes = await apply_reports(tx, scope, [report])
    return any(change.before.status is not change.after.status for change in changes)
