"""How often devices fail and how long it takes until they are back, from the outage ledger.

Blind time (hub/store/uptime.py) is no part of an outage. Each outage that may have met some is
looked at alone, with everything that was blind to its device while it lasted.
"""

from dataclasses import dataclass

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths
from hub.store.uptime import GroupBy, Period, prepare_large

_SCOPED = (
    "WITH scoped AS MATERIALIZED (SELECT d.id, d.area_id, a.path AS area_path,"
    "  d.kind IN ('camera', 'nvr', 'switch', 'onu', 'uplink') AS is_probed,"
    "  CASE %(by)s WHEN 'area' THEN a.name WHEN 'vendor' THEN d.manufacturer"
    "   WHEN 'model' THEN concat_ws(' ', nullif(d.manufacturer, ''), nullif(d.model, ''))"
    "   WHEN 'team' THEN d.team ELSE d.class END AS name,"
    "  CASE WHEN %(by)s = 'area' THEN a.id ELSE 0 END AS group_area"
    " FROM devices d JOIN areas a ON a.id = d.area_id"
    " WHERE d.registration = 'approved' AND d.created_at < %(until)s"
    " AND (%(kind)s = '' OR d.kind = %(kind)s)"
    " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s)) AND"
    + IN_SCOPE
    + "),"
)

_TOUCHED = (
    " touched AS MATERIALIZED (SELECT o.id, o.device_id, o.started_at, o.ended_at,"
    "  least(coalesce(o.ended_at, o.doubtful_from, %(until)s), %(until)s) AS known_until"
    "  FROM (SELECT * FROM outages WHERE started_at >= %(since)s - interval '1 day'"
    "   AND started_at < %(until)s"
    "  UNION ALL SELECT * FROM outages WHERE ended_at - started_at > interval '1 day'"
    "   AND ended_at > %(since)s AND started_at < %(since)s - interval '1 day'"
    "  UNION ALL SELECT * FROM outages WHERE ended_at IS NULL"
    "   AND started_at < %(since)s - interval '1 day') o JOIN scoped d ON d.id = o.device_id"
    " WHERE coalesce(o.ended_at, o.doubtful_from, 'infinity') > %(since)s),"
)

# Which may have met blind time: the few begun before the period, those that meet what is blind to
# many, and those of devices with blind time of their own.
_MET = (
    " shared AS MATERIALIZED (SELECT coalesce(range_agg(span), '{}') AS spans FROM ("
    "  SELECT tstzrange(started_at, ended_at) AS span FROM absences"
    "   WHERE ended_at > %(since)s AND started_at < %(until)s"
    "  UNION ALL SELECT tstzrange(starts_at, ends_at) FROM maintenance_windows"
    "   WHERE device_id IS NULL AND ends_at > %(since)s AND starts_at < %(until)s) x),"
    " pieces AS MATERIALIZED ("
    " SELECT device_id, starts_at, ends_at FROM maintenance_windows"
    "  WHERE device_id IS NOT NULL AND ends_at > %(since)s AND starts_at < %(until)s"
    " UNION ALL SELECT device_id, started_at, ended_at FROM unknown_spells"
    "  WHERE started_at >= %(since)s - interval '1 day' AND started_at < %(until)s"
    "  AND ended_at > %(since)s"
    " UNION ALL SELECT device_id, started_at, ended_at FROM unknown_spells"
    "  WHERE ended_at - started_at > interval '1 day' AND ended_at > %(since)s"
    "  AND started_at < %(since)s - interval '1 day'"
    " UNION ALL SELECT device_id, since, %(until)s FROM device_status"
    "  WHERE status = 'unknown' AND since < %(until)s),"
    " met AS MATERIALIZED (SELECT * FROM touched WHERE started_at < %(since)s"
    "  OR tstzrange(started_at, known_until) && (SELECT spans FROM shared)"
    "  UNION SELECT t.* FROM touched t JOIN pieces p ON p.device_id = t.device_id"
    "   AND p.starts_at < t.known_until AND p.ends_at > t.started_at),"
)

_SPARED = (
    " spared AS MATERIALIZED (SELECT m.id, sum(upper(s) - lower(s)) AS whole,"
    "  sum(upper(s) - greatest(lower(s), %(since)s)) FILTER (WHERE upper(s) > %(since)s) AS inside"
    " FROM met m JOIN scoped d ON d.id = m.device_id CROSS JOIN LATERAL ("
    "  SELECT range_agg(tstzrange(greatest(b.starts_at, m.started_at),"
    "   least(b.ends_at, m.known_until))) AS spans FROM ("
    "   SELECT started_at AS starts_at, ended_at AS ends_at FROM absences x"
    "    WHERE (x.watch = 'probes') = d.is_probed AND d.id %% x.shards = x.shard"
    "   UNION ALL SELECT w.starts_at, w.ends_at FROM maintenance_windows w"
    "    JOIN areas a ON a.id = w.area_id WHERE w.device_id IS NULL AND d.area_path <@ a.path"
    "   UNION ALL SELECT starts_at, ends_at FROM maintenance_windows WHERE device_id = d.id"
    "   UNION ALL SELECT started_at, ended_at FROM unknown_spells WHERE device_id = d.id"
    "   UNION ALL SELECT since, %(until)s FROM device_status"
    "    WHERE device_id = d.id AND status = 'unknown' AND since < %(until)s) b"
    "  WHERE b.starts_at < m.known_until AND b.ends_at > m.started_at) blind"
    " CROSS JOIN LATERAL unnest(blind.spans) s GROUP BY m.id)"
)

_REPAIRS = (
    _SCOPED + _TOUCHED + _MET + _SPARED + " SELECT d.group_area AS area_id, d.name,"
    " count(*) FILTER (WHERE t.started_at >= %(since)s)::int AS begun,"
    " count(*) FILTER (WHERE t.ended_at <= %(until)s)::int AS ended,"
    " coalesce(date_part('epoch', sum(t.ended_at - t.started_at - coalesce(s.whole, '0 s'))"
    "  FILTER (WHERE t.ended_at <= %(until)s)), 0) AS repair_s,"
    " coalesce(date_part('epoch', max(t.known_until - greatest(t.started_at, %(since)s)"
    "  - coalesce(s.inside, '0 s'))), 0) AS longest_s"
    " FROM touched t JOIN scoped d ON d.id = t.device_id LEFT JOIN spared s ON s.id = t.id"
    " GROUP BY 1, 2"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """The outages of one group.

    ``begun`` in the period; ``ended`` in it, however long ago they began, with ``repair_s`` their
    whole durations together; ``longest_s`` of the longest, cut to the period.
    """

    area_id: int
    name: str
    begun: int
    ended: int
    repair_s: float
    longest_s: float


async def sum_repairs(tx: Transaction, scope: Scope, period: Period, by: GroupBy) -> list[Repairs]:
    """One row per group that had an outage, in no order."""
    await prepare_large(tx, scope)
    return await tx.search(
        Repairs,
        _REPAIRS,
        {
            "since": period.since,
            "until": period.until,
            "kind": period.kind,
            "area": period.area_id,
            "by": by,
            "scope": scope_paths(scope),
        },
    )
