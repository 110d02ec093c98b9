"""Whether a camera that can be moved is wanted by somebody now, and when the hub moved it last."""

from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_DEVICE = " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = %(device)s AND"


async def is_in_use(tx: Transaction, scope: Scope, device_id: int) -> bool:
    """Tell whether a round that is due or under way has yet to stop at a camera of the scope."""
    found = await tx.scalar(
        bool,
        "SELECT EXISTS (SELECT"
        + _DEVICE
        + IN_SCOPE
        + "AND EXISTS (SELECT FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
        " WHERE s.device_id = d.id AND s.verdict = 'pending'"
        " AND r.state IN ('due', 'running', 'paused')))",
        {"device": device_id, "scope": scope_paths(scope)},
    )
    return found is True


async def was_moved_since(tx: Transaction, scope: Scope, device_id: int, since: datetime) -> bool:
    """Tell whether a check since then saw how a camera of the scope obeys."""
    found = await tx.scalar(
        bool,
        "SELECT EXISTS (SELECT" + _DEVICE + IN_SCOPE + "AND EXISTS (SELECT FROM picture_checks p"
        " WHERE p.device_id = d.id AND p.at > %(since)s AND p.ptz IS NOT NULL))",
        {"device": device_id, "since": since, "scope": scope_paths(scope)},
    )
    return found is True
