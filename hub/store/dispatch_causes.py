"""What raises dispatches, as far as it is the hub's own: alerts, stops, roll calls, reports."""

from dataclasses import dataclass

from hub.domain.access import Scope
from hub.domain.dispatches import Cause
from hub.domain.errors import NotFound
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class CausePlace:
    """Where what raised a task is; no device: it is about no one of them."""

    area_id: int
    area_path: str
    device_id: int | None = None


async def hold_cause(tx: Transaction, scope: Scope, cause: Cause) -> CausePlace | None:
    """Return where the cause of a new task is, its round held; None when it is none of ours.

    A stop lies in the area of its camera, whatever the area of its round.

    Raises:
        NotFound: it lies outside the scope.
    """
    if cause.round_id is not None:
        # Before anything else: whoever ends a round holds it first, too.
        await tx.execute(
            "SELECT FROM patrol_rounds WHERE id = %(id)s FOR NO KEY UPDATE", {"id": cause.round_id}
        )
    if (cause.alert_id, cause.round_id, cause.roll_call_id, cause.report_id) == (None,) * 4:
        return None
    rows = await tx.fetch(
        CausePlace,
        "SELECT a.id AS area_id, a.path::text AS area_path, c.device_id FROM ("
        " SELECT x.area_id, x.device_id FROM alerts x WHERE x.id = %(alert)s::bigint"
        " UNION ALL SELECT s.area_id, s.device_id FROM patrol_stops s"
        "  WHERE s.round_id = %(round)s::bigint AND s.position = %(position)s::int"
        " UNION ALL SELECT r.area_id, NULL FROM room_calls r WHERE r.id = %(call)s::bigint"
        " UNION ALL SELECT p.area_id, NULL FROM citizen_reports p WHERE p.id = %(report)s::bigint"
        ") c JOIN areas a ON a.id = c.area_id WHERE" + IN_SCOPE,
        {**_values(cause), "scope": scope_paths(scope)},
    )
    if not rows:
        msg = "no such alert, stop, roll call or report"
        raise NotFound(msg)
    return rows[0]


def _values(cause: Cause) -> dict[str, object]:
    return {
        "alert": cause.alert_id,
        "round": cause.round_id,
        "position": cause.position,
        "call": cause.roll_call_id,
        "report": cause.report_id,
    }
