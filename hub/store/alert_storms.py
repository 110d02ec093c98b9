"""What counts in an alert for many: how much, where, behind what, since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.alerts import get_alert
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_LINES = 20
MOST_MINUTES = 240
MOST_IDS = 500

# Those of the scope that count in it; an uplink outside the scope is not named.
_INSIDE = (
    "SELECT x.id, x.status, x.fired_at, x.area_id, a.name AS area, x.reason, p.id AS parent_id,"
    " p.name AS parent FROM alerts x JOIN areas a ON a.id = x.area_id"
    " LEFT JOIN devices d ON d.id = x.device_id"
    " LEFT JOIN (SELECT o.id, o.name FROM devices o JOIN areas a ON a.id = o.area_id WHERE"
    + IN_SCOPE
    + ") AS p ON p.id = d.parent_id WHERE x.folded_into = %(id)s AND"
    + IN_SCOPE
)
_COUNTED = "count(*) AS count, count(*) FILTER (WHERE status <> 'resolved') AS open,"
_UNTAKEN = " count(*) FILTER (WHERE status = 'firing') AS firing"


@dataclass(frozen=True, slots=True, kw_only=True)
class StormCount:
    """How many of them have something in common, how many are open, and untaken (``firing``)."""

    id: int | None
    name: str
    count: int
    open: int
    firing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StormMinute:
    """How many fired in one minute."""

    at: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """All that counts in an alert for many, as far as the scope goes.

    The largest areas, uplinks and reasons; the minutes in which something fired, the latest of
    them; ``firing_ids`` are the oldest that nobody took.
    """

    count: int
    open: int
    firing: int
    areas: Sequence[StormCount]
    parents: Sequence[StormCount]
    reasons: Sequence[StormCount]
    minutes: Sequence[StormMinute]
    firing_ids: Sequence[int]


async def read_storm(tx: Transaction, scope: Scope, alert_id: int) -> Storm:
    """Sum up what counts in an alert of the scope; nothing does for most."""
    alert = await get_alert(tx, scope, alert_id)
    values = {"id": alert.id, "limit": MOST_LINES, "scope": scope_paths(scope)}
    total = await tx.fetch_one(
        StormCount,
        "SELECT NULL::bigint AS id, '' AS name, " + _COUNTED + _UNTAKEN + " FROM (" + _INSIDE
        + ") AS i",
        values,
    )  # fmt: skip
    minutes = await tx.fetch(
        StormMinute,
        "SELECT date_trunc('minute', fired_at) AS at, count(*) AS count FROM (" + _INSIDE
        + ") AS i GROUP BY 1 ORDER BY 1 DESC LIMIT %(limit)s",
        {**values, "limit": MOST_MINUTES},
    )  # fmt: skip
    oldest = await tx.tuples(
        "SELECT id FROM (" + _INSIDE + ") AS i WHERE status = 'firing'"
        " ORDER BY fired_at, id LIMIT %(limit)s",
        {**values, "limit": MOST_IDS},
    )
    return Storm(
        count=total.count if total else 0,
        open=total.open if total else 0,
        firing=total.firing if total else 0,
        areas=await tx.fetch(StormCount, _AREAS, values),
        parents=await tx.fetch(StormCount, _PARENTS, values),
        reasons=await tx.fetch(StormCount, _REASONS, values),
        minutes=list(reversed(minutes)),
        firing_ids=[int(str(number)) for (number,) in oldest],
    )


_LARGEST = ") AS i GROUP BY 1 ORDER BY count(*) DESC, 2 LIMIT %(limit)s"
_AREAS = (
    "SELECT area_id AS id, min(area) AS name, " + _COUNTED + _UNTAKEN + " FROM (" + _INSIDE
    + _LARGEST
)  # fmt: skip
_PARENTS = (
    "SELECT parent_id AS id, coalesce(min(parent), '') AS name, " + _COUNTED + _UNTAKEN
    + " FROM (" + _INSIDE + _LARGEST
)  # fmt: skip
_REASONS = (
    "SELECT NULL::bigint AS id, reason AS name, " + _COUNTED + _UNTAKEN + " FROM (" + _INSIDE
    + ") AS i GROUP BY 2 ORDER BY count(*) DESC, 2 LIMIT %(limit)s"
)  # fmt: skip
