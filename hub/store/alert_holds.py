"""Why somebody was not called: what spoke against an alert, from the first time to the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A rule would have called about a subject, and this spoke against it ``times``."""

    rule_id: int
    subject: str
    reason: str
    area_id: int
    device_id: int | None
    first_at: datetime
    last_at: datetime
    times: int = 1


async def keep_holds(tx: Transaction, scope: Scope, holds: Sequence[Hold]) -> None:
    """Add to what is kept; one row for each rule, subject and reason. Only the hub itself may."""
    if scope.paths is not None or not holds:
        return
    await tx.execute(
        "INSERT INTO alert_holds AS h (rule_id, subject, reason, area_id, device_id, first_at,"
        " last_at, times) SELECT n.rule_id, n.subject, n.reason, a.id, n.device_id, n.first_at,"
        " n.last_at, n.times FROM unnest(%(rules)s::bigint[], %(subjects)s::text[],"
        " %(reasons)s::text[], %(areas)s::bigint[], %(devices)s::bigint[],"
        " %(first)s::timestamptz[], %(last)s::timestamptz[], %(times)s::integer[])"
        " AS n (rule_id, subject, reason, area_id, device_id, first_at, last_at, times)"
        " JOIN areas a ON a.id = n.area_id ON CONFLICT (rule_id, subject, reason) DO UPDATE SET"
        " area_id = excluded.area_id, first_at = least(h.first_at, excluded.first_at),"
        " last_at = greatest(h.last_at, excluded.last_at), times = h.times + excluded.times",
        {
            "rules": [h.rule_id for h in holds],
            "subjects": [h.subject for h in holds],
            "reasons": [h.reason for h in holds],
            "areas": [h.area_id for h in holds],
            "devices": [h.device_id for h in holds],
            "first": [h.first_at for h in holds],
            "last": [h.last_at for h in holds],
            "times": [h.times for h in holds],
        },
    )


async def drop_old_holds(tx: Transaction, scope: Scope, before: datetime) -> int:
    """Forget what was last held back before a moment; return how many."""
    return await tx.execute(
        "DELETE FROM alert_holds h USING areas a WHERE a.id = h.area_id"
        " AND h.last_at < %(before)s AND" + IN_SCOPE,
        {"before": before, "scope": scope_paths(scope)},
    )
