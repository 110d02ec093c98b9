"""Seconds managed, unknown and down, summed by the database from the outage ledger."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# One row a device. A device counts from its registration on. Time in which it was unknown or in
# maintenance is known for the present status only; outages and such a status never overlap.
# Outages of one device never overlap either: of those begun before the period only the last can
# reach into it, so that the cost does not grow with the history kept.
_SUMS = (
    "WITH sums AS ("
    " SELECT d.id, d.name, d.area_id, a.name AS area_name, a.path,"
    "  extract(epoch FROM %(until)s - greatest(d.created_at, %(since)s))::float8 AS managed_s,"
    "  CASE WHEN s.status IN ('unknown', 'maintenance') THEN greatest(0, extract(epoch FROM"
    "   %(until)s - greatest(s.since, d.created_at, %(since)s))) ELSE 0 END::float8 AS unknown_s,"
    "  coalesce(w.down_s, 0)::float8 AS down_s, w.outages::int AS outages"
    " FROM devices d JOIN areas a ON a.id = d.area_id JOIN device_status s ON s.device_id = d.id"
    " CROSS JOIN LATERAL (SELECT count(*) AS outages, extract(epoch FROM sum("
    "   least(coalesce(o.ended_at, %(until)s), %(until)s) - greatest(o.started_at, %(since)s)))"
    "   AS down_s FROM ("
    "    SELECT started_at, ended_at FROM outages WHERE device_id = d.id"
    "     AND started_at >= %(since)s AND started_at < %(until)s"
    "    UNION ALL (SELECT started_at, ended_at FROM outages WHERE device_id = d.id"
    "     AND started_at < %(since)s ORDER BY started_at DESC LIMIT 1)) o"
    "   WHERE coalesce(o.ended_at, 'infinity') > %(since)s) w"
    " WHERE d.registration = 'approved' AND d.created_at < %(until)s"
    " AND (%(kind)s = '' OR d.kind = %(kind)s)"
    " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s)) AND"
    + IN_SCOPE
    + ")"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Which time and which devices; ``until`` is not later than now. ``kind`` "" means all."""

    since: datetime
    until: datetime
    area_id: int | None = None
    kind: str = "camera"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSums:
    """The seconds of one device in a period."""

    device_id: int
    device_name: str
    area_id: int
    area_name: str
    managed_s: float
    unknown_s: float
    down_s: float
    outages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaSums:
    """The devices of one area, not of those below it.

    ``rate_sum`` adds up the online rates of the ``rated`` devices of which anything is known.
    """

    area_id: int
    area_name: str
    devices: int
    rated: int
    rate_sum: float
    managed_s: float
    unknown_s: float
    down_s: float
    outages: int


async def sum_by_device(tx: Transaction, scope: Scope, period: Period) -> list[DeviceSums]:
    """One row per approved device of the scope, by area and name."""
    return await tx.search(
        DeviceSums,
        _SUMS + " SELECT id AS device_id, name AS device_name, area_id, area_name, managed_s,"
        " unknown_s, down_s, outages FROM sums ORDER BY path, name, id",
        _values(scope, period),
    )


async def sum_by_area(tx: Transaction, scope: Scope, period: Period) -> list[AreaSums]:
    """One row per area of the scope that has devices, in the order of the tree."""
    return await tx.search(
        AreaSums,
        _SUMS + " SELECT area_id, area_name, count(*)::int AS devices,"
        " count(*) FILTER (WHERE managed_s > unknown_s)::int AS rated,"
        " coalesce(sum(greatest(0, 1 - down_s / nullif(managed_s - unknown_s, 0)))"
        "  FILTER (WHERE managed_s > unknown_s), 0)::float8 AS rate_sum,"
        " sum(managed_s) AS managed_s, sum(unknown_s) AS unknown_s, sum(down_s) AS down_s,"
        " sum(outages)::int AS outages"
        " FROM sums GROUP BY area_id, area_name, path ORDER BY path",
        _values(scope, period),
    )


def _values(scope: Scope, period: Period) -> dict[str, object]:
    return {
        "since": period.since,
        "until": period.until,
        "area": period.area_id,
        "kind": period.kind,
        "scope": scope_paths(scope),
    }
