"""Open alerts by what they have in common: a rule, a place, a device, an uplink."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from hub.domain.access import Scope
from hub.domain.events import Severity
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_GROUPS = 500
MOST_NAMES = 5
MOST_IDS = 500


class GroupedBy(StrEnum):
    """What the alerts of a group have in common. PARENT: the uplink of their device."""

    RULE = "rule"
    AREA = "area"
    PARENT = "parent"
    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup:
    """Open alerts with one rule, area, device or uplink (``id``; None: without one to be named).

    ``firing`` of them nobody took; ``names`` are a few of their devices, or places; ``ids`` are
    their numbers, the worst first, :data:`MOST_IDS` of them.
    """

    id: int | None
    name: str
    count: int
    firing: int
    severity: Severity
    oldest_at: datetime
    names: Sequence[str]
    ids: Sequence[int]


# Real alerts that stand by themselves: ``key`` and ``title`` are the group's.
_OPEN_OF = (
    " AS title, x.id, x.status, x.fired_at,"
    " CASE x.severity WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END AS rank,"
    " coalesce(nullif(x.device_name, ''), a.name) AS label"
    " FROM alerts x JOIN areas a ON a.id = x.area_id "
)
_STANDING = (
    " WHERE x.status <> 'resolved' AND x.drill_id IS NULL AND x.folded_into IS NULL"
    " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
    " AND" + IN_SCOPE
)
_BY_RULE = (
    "SELECT x.rule_id AS key, u.name" + _OPEN_OF + "JOIN rules u ON u.id = x.rule_id" + _STANDING
)
_BY_AREA = "SELECT x.area_id AS key, a.name" + _OPEN_OF + _STANDING
_BY_DEVICE = "SELECT x.device_id AS key, x.device_name" + _OPEN_OF + _STANDING
# An uplink outside the scope is not named.
_BY_PARENT = (
    "SELECT p.id AS key, coalesce(p.name, '')"
    + _OPEN_OF
    + "LEFT JOIN devices d ON d.id = x.device_id"
    " LEFT JOIN (SELECT o.id, o.name FROM devices o JOIN areas a ON a.id = o.area_id WHERE"
    + IN_SCOPE
    + ") AS p ON p.id = d.parent_id"
    + _STANDING
)
_GROUPED = (
    "SELECT key AS id, min(title) AS name, count(*) AS count,"
    " count(*) FILTER (WHERE status = 'firing') AS firing,"
    " (ARRAY['info', 'warning', 'critical'])[max(rank)] AS severity,"
    " min(fired_at) AS oldest_at,"
    " (array_agg(label ORDER BY rank DESC, id))[1:%(names)s] AS names,"
    " (array_agg(o.id ORDER BY rank DESC, o.id))[1:%(ids)s] AS ids FROM ("
)
_WORST_FIRST = ") AS o GROUP BY key ORDER BY max(rank) DESC, count(*) DESC, key LIMIT %(limit)s"


async def group_open(
    tx: Transaction, scope: Scope, by: GroupedBy, *, area_id: int | None = None
) -> list[AlertGroup]:
    """The open alerts of the scope in groups, the worst and then the largest first."""
    values = {
        "area": area_id,
        "names": MOST_NAMES,
        "ids": MOST_IDS,
        "limit": MOST_GROUPS,
        "scope": scope_paths(scope),
    }
    match by:
        case GroupedBy.RULE:
            rows = await tx.search(AlertGroup, _GROUPED + _BY_RULE + _WORST_FIRST, values)
        case GroupedBy.AREA:
            rows = await tx.search(AlertGroup, _GROUPED + _BY_AREA + _WORST_FIRST, values)
        case GroupedBy.PARENT:
            rows = await tx.search(AlertGroup, _GROUPED + _BY_PARENT + _WORST_FIRST, values)
        case GroupedBy.DEVICE:
            rows = await tx.search(AlertGroup, _GROUPED + _BY_DEVICE + _WORST_FIRST, values)
        case _ as never:
            assert_never(never)
    return [replace(row, severity=Severity(row.severity)) for row in rows]
