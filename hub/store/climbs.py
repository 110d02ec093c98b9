"""Where alerts stand in the policies by which they climb."""

from collections.abc import Sequence

from hub.domain.access import Scope
from hub.domain.escalations import Climb
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


async def start_climbs(tx: Transaction, scope: Scope, climbs: Sequence[Climb]) -> None:
    """Begin climbing, anew where one was under way already.

    A deadline to acknowledge that comes before the first step brings it forward.
    """
    await tx.execute(
        "INSERT INTO climbs (alert_id, policy_id, step, repeat, due_at, since)"
        " SELECT x.id, k.policy_id, k.step, k.repeat,"
        " CASE WHEN x.acknowledge_by > k.since THEN least(k.due_at, x.acknowledge_by)"
        " ELSE k.due_at END, k.since FROM unnest(%(alerts)s::bigint[], %(policies)s::bigint[],"
        " %(steps)s::int[], %(repeats)s::int[], %(due)s::timestamptz[],"
        " %(since)s::timestamptz[]) AS k (alert_id, policy_id, step, repeat, due_at, since)"
        " JOIN alerts x ON x.id = k.alert_id JOIN areas a ON a.id = x.area_id WHERE"
        + IN_SCOPE
        + "ON CONFLICT (alert_id, policy_id) DO UPDATE SET step = excluded.step,"
        " repeat = excluded.repeat, due_at = excluded.due_at, since = excluded.since",
        {**_columns(climbs), "scope": scope_paths(scope)},
    )


def _columns(climbs: Sequence[Climb]) -> dict[str, object]:
    return {
        "alerts": [climb.alert_id for climb in climbs],
        "policies": [climb.policy_id for climb in climbs],
        "steps": [climb.step for climb in climbs],
        "repeats": [climb.repeat for climb in climbs],
        "due": [climb.due_at for climb in climbs],
        "since": [climb.since for climb in climbs],
    }
