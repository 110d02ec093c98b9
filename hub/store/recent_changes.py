"""What went down and what came back lately: for whoever opens the overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_CHANGES = (
    " FROM (SELECT o.device_id, o.started_at AS at, 'down' AS went, o.layer, o.cause FROM outages o"
    "   WHERE o.started_at > %(since)s"
    "  UNION ALL SELECT o.device_id, o.ended_at, 'back', o.layer, o.cause FROM outages o"
    "   WHERE o.ended_at > %(since)s) c"
    " JOIN devices d ON d.id = c.device_id JOIN areas a ON a.id = d.area_id"
    " WHERE (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
    " AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentChange:
    """A device went down (or came back) at a moment; ``layer`` and ``cause`` are the outage's."""

    device_id: int
    device_name: str
    area_id: int
    area_name: str
    at: datetime
    went: str
    layer: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentChanges:
    """How many went down and came back since a moment, and the latest of them."""

    went_down: int
    came_back: int
    items: Sequence[RecentChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    went: str
    count: int


async def read_changes(
    tx: Transaction, scope: Scope, since: datetime, *, area_id: int | None, limit: int
) -> RecentChanges:
    """What changed since then in the scope, newest first."""
    values = {"since": since, "area": area_id, "limit": limit, "scope": scope_paths(scope)}
    counts = await tx.search(
        _Count,
        "SELECT c.went, count(*) AS count" + _CHANGES + IN_SCOPE + "GROUP BY c.went",
        values,
    )
    by_way = {one.went: one.count for one in counts}
    items = await tx.search(
        RecentChange,
        "SELECT c.device_id, d.name AS device_name, d.area_id, a.name AS area_name, c.at, c.went,"
        " c.layer, c.cause"
        + _CHANGES
        + IN_SCOPE
        + "ORDER BY c.at DESC, c.device_id LIMIT %(limit)s",
        values,
    )
    return RecentChanges(
        went_down=by_way.get("down", 0), came_back=by_way.get("back", 0), items=items
    )
