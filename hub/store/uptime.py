"""Seconds managed, in maintenance, unknown and down, summed from the outage ledger.

A device is managed from its registration on. Blind time is what no figure may judge: planned
maintenance (of the device, of its area or one above), times unknown, absences of the hub that
concern the device (the one that lasts, too), and what follows an outage nobody has looked at
again. Where maintenance and unknown overlap it is maintenance; nothing counts twice.
"""

import math
from datetime import timedelta

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.ledger_rows import DeviceSums, Grouping, GroupSums, Period, Repairs
from hub.store.scoping import IN_SCOPE, scope_paths

# A report of few devices reads their outages; one of many reads the period's.
FEW_DEVICES = 10_000
# Whoever watches says so every few seconds; after so long without a word nobody does.
UNWATCHED = timedelta(minutes=1)

_MANAGED = (
    " d.registration = 'approved' AND d.created_at < %(until)s"
    " AND (%(kind)s = '' OR d.kind = %(kind)s) AND d.area_id = ANY (%(areas)s::bigint[]) "
)


_SCOPED = (
    "WITH scoped AS MATERIALIZED ("
    " SELECT d.id, d.area_id, greatest(d.created_at, %(since)s) AS begun,"
    "  d.id %% %(modulus)s AS residue, s.status, s.since,"
    "  d.kind IN ('camera', 'nvr', 'switch', 'onu', 'uplink') AS is_probed,"
    "  CASE %(by)s WHEN 'area' THEN '' WHEN 'vendor' THEN d.manufacturer"
    "   WHEN 'model' THEN concat_ws(' ', nullif(d.manufacturer, ''), nullif(d.model, ''))"
    "   WHEN 'team' THEN d.team WHEN 'class' THEN d.class"
    "   WHEN 'every' THEN jsonb_build_array(a.name, d.manufacturer,"
    "    concat_ws(' ', nullif(d.manufacturer, ''), nullif(d.model, '')), d.team, d.class)::text"
    "   ELSE d.name END AS label,"
    "  CASE WHEN %(by)s IN ('area', 'device', 'every') THEN a.id ELSE 0 END AS group_area"
    " FROM devices d JOIN areas a ON a.id = d.area_id JOIN device_status s ON s.device_id = d.id"
    " WHERE" + _MANAGED + "),"
)

_BLIND = (
    # What nobody watched; the absence that lasts has no row yet, only a last mark. A watch divides
    # its shards as its newest mark says, and marks of another division count for all of it.
    " gaps AS MATERIALIZED ("
    " SELECT watch, shard, shards, started_at, ended_at FROM absences"
    "  WHERE ended_at > %(since)s AND started_at < %(until)s"
    " UNION ALL SELECT m.watch, m.shard, m.shards, n.seen_at, %(until)s FROM ("
    "   SELECT DISTINCT ON (watch) watch, shards FROM watch_marks ORDER BY watch, seen_at DESC) p"
    "  JOIN watch_marks m ON m.watch = p.watch AND m.shards = p.shards CROSS JOIN LATERAL ("
    "   SELECT max(seen_at) AS seen_at FROM watch_marks o WHERE o.watch = m.watch"
    "    AND (o.shards <> m.shards OR o.shard = m.shard)) n"
    "  WHERE n.seen_at < %(until)s - %(unwatched)s::interval),"
    # By who should have watched: a shard of the probes, or the adapters.
    " absent AS MATERIALIZED ("
    " SELECT k.is_probed, k.residue, range_agg(tstzrange(x.started_at, x.ended_at)) AS spans"
    " FROM (SELECT DISTINCT is_probed, residue FROM scoped) k"
    " JOIN gaps x ON (x.watch = 'probes') = k.is_probed AND k.residue %% x.shards = x.shard"
    " GROUP BY 1, 2),"
    # Planned maintenance of areas, by each area it reaches down to.
    " closed AS MATERIALIZED ("
    " SELECT b.id AS area_id, range_agg(tstzrange(w.starts_at, w.ends_at)) AS spans"
    " FROM maintenance_windows w JOIN areas a ON a.id = w.area_id JOIN areas b ON b.path <@ a.path"
    " WHERE w.device_id IS NULL AND w.ends_at > %(since)s AND w.starts_at < %(until)s GROUP BY 1),"
    # What is blind in any of them: most outages meet nothing of it.
    " shared AS MATERIALIZED (SELECT coalesce(range_agg(span), '{}') AS spans FROM ("
    "  SELECT unnest(spans) AS span FROM absent UNION ALL SELECT unnest(spans) FROM closed) x),"
    # What concerns one device alone.
    " pieces AS MATERIALIZED (SELECT x.* FROM ("
    " SELECT device_id, starts_at, ends_at, true AS is_planned FROM maintenance_windows"
    "  WHERE device_id IS NOT NULL AND ends_at > %(since)s AND starts_at < %(until)s"
    " UNION ALL SELECT device_id, started_at, ended_at, false FROM unknown_spells"
    "  WHERE started_at >= %(since)s - interval '1 day' AND started_at < %(until)s"
    "  AND ended_at > %(since)s"
    " UNION ALL SELECT device_id, started_at, ended_at, false FROM unknown_spells"
    "  WHERE ended_at - started_at > interval '1 day' AND ended_at > %(since)s"
    "  AND started_at < %(since)s - interval '1 day'"
    " UNION ALL SELECT id, since, %(until)s, false FROM scoped"
    "  WHERE status = 'unknown' AND since < %(until)s"
    " UNION ALL SELECT device_id, doubtful_from, %(until)s, false FROM outages"
    "  WHERE ended_at IS NULL AND doubtful_from < %(until)s) x"
    " JOIN scoped d ON d.id = x.device_id),"
    " own AS MATERIALIZED ("
    " SELECT p.device_id, range_agg(tstzrange(p.starts_at, p.ends_at)) FILTER (WHERE p.is_planned)"
    "  AS planned, range_agg(tstzrange(p.starts_at, p.ends_at)) FILTER (WHERE NOT p.is_planned)"
    "  AS unknown FROM pieces p GROUP BY p.device_id),"
    # Devices with the same blind time share a profile: most have one of a few.
    " keyed AS MATERIALIZED ("
    " SELECT d.id, d.label, d.group_area, d.is_probed, d.residue, d.begun,"
    "  coalesce(c.area_id, 0) AS closed_id, coalesce(o.device_id, 0) AS own_id,"
    "  CASE WHEN o.device_id IS NOT NULL OR d.begun > %(since)s THEN d.id"
    "   ELSE -1 - d.is_probed::int - 2 * (d.residue + %(modulus)s * coalesce(c.area_id, 0))"
    "   END AS profile"
    " FROM scoped d LEFT JOIN closed c ON c.area_id = d.area_id"
    " LEFT JOIN own o ON o.device_id = d.id),"
    " profiles AS MATERIALIZED ("
    " SELECT p.profile, p.planned + p.unknown AS spans,"
    "  (SELECT coalesce(sum(upper(s) - lower(s)), '0 s') FROM unnest(p.planned) s)"
    "   AS maintenance,"
    "  (SELECT coalesce(sum(upper(s) - lower(s)), '0 s') FROM unnest(p.unknown - p.planned) s)"
    "   AS unknown"
    " FROM (SELECT k.profile,"
    "   (coalesce(c.spans, '{}') + coalesce(o.planned, '{}')) * k.life AS planned,"
    "   (coalesce(x.spans, '{}') + coalesce(o.unknown, '{}')) * k.life AS unknown"
    "  FROM (SELECT profile, bool_or(is_probed) AS is_probed, min(residue) AS residue,"
    "    min(closed_id) AS closed_id, min(own_id) AS own_id,"
    "    tstzmultirange(tstzrange(min(begun), %(until)s)) AS life FROM keyed GROUP BY profile) k"
    "  LEFT JOIN absent x ON x.is_probed = k.is_probed AND x.residue = k.residue"
    "  LEFT JOIN closed c ON c.area_id = k.closed_id"
    "  LEFT JOIN own o ON o.device_id = k.own_id) p),"
)

# Outages that touch the period, in three reads that each have their index: begun in it or shortly
# before, long ones, open ones.
_TOUCHED = (
    " touched AS NOT MATERIALIZED (SELECT id, device_id, started_at, ended_at,"
    "  greatest(started_at, %(since)s) AS began,"
    "  least(coalesce(ended_at, doubtful_from, %(until)s), %(until)s) AS ended FROM ("
    "  SELECT id, device_id, started_at, ended_at, doubtful_from FROM outages"
    "   WHERE started_at >= %(since)s - interval '1 day' AND started_at < %(until)s"
    "   AND (%(ids)s::bigint[] IS NULL OR device_id = ANY (%(ids)s))"
    "  UNION ALL SELECT id, device_id, started_at, ended_at, doubtful_from FROM outages"
    "   WHERE ended_at - started_at > interval '1 day' AND ended_at > %(since)s"
    "   AND started_at < %(since)s - interval '1 day'"
    "  UNION ALL SELECT id, device_id, started_at, ended_at, doubtful_from FROM outages"
    "   WHERE ended_at IS NULL AND started_at < %(since)s - interval '1 day') o"
    "  WHERE coalesce(ended_at, doubtful_from, 'infinity') > %(since)s),"
    # Those of devices with blind time of their own. Outages of one device never overlap: of those
    # begun before a piece only the last can reach into it.
    " reached AS NOT MATERIALIZED (SELECT o.id, p.device_id, o.started_at, o.ended_at,"
    "  greatest(o.started_at, %(since)s) AS began,"
    "  least(coalesce(o.ended_at, o.doubtful_from, %(until)s), %(until)s) AS ended"
    "  FROM pieces p CROSS JOIN LATERAL ("
    "   SELECT id, started_at, ended_at, doubtful_from FROM outages WHERE device_id = p.device_id"
    "    AND started_at >= p.starts_at AND started_at < least(p.ends_at, %(until)s)"
    "   UNION ALL (SELECT id, started_at, ended_at, doubtful_from FROM outages"
    "    WHERE device_id = p.device_id AND started_at < p.starts_at"
    "    ORDER BY started_at DESC LIMIT 1)) o"
    "  WHERE coalesce(o.ended_at, o.doubtful_from, 'infinity') > greatest(p.starts_at, %(since)s)),"
)

_SUMS = (
    _SCOPED
    + _BLIND
    + _TOUCHED
    + " raw AS MATERIALIZED (SELECT device_id, count(*) AS outages, sum(ended - began) AS down,"
    "  range_agg(tstzrange(began, ended)) FILTER (WHERE tstzrange(began, ended)"
    "   && (SELECT spans FROM shared)) AS met FROM touched GROUP BY device_id),"
    # Those that meet blind time, and how long.
    " met AS (SELECT device_id, met AS spans FROM raw WHERE met IS NOT NULL"
    "  UNION ALL SELECT device_id, tstzmultirange(tstzrange(began, ended)) FROM reached),"
    " excused AS MATERIALIZED (SELECT m.device_id, sum(upper(s) - lower(s)) AS spared"
    "  FROM (SELECT x.device_id, range_agg(x.spans * p.spans) AS spans"
    "   FROM met x JOIN keyed d ON d.id = x.device_id JOIN profiles p ON p.profile = d.profile"
    "   WHERE x.spans && p.spans GROUP BY x.device_id) m"
    "  CROSS JOIN LATERAL unnest(m.spans) s GROUP BY m.device_id),"
    " sums AS (SELECT d.id, d.label, d.group_area,"
    "  date_part('epoch', %(until)s - d.begun) AS managed_s,"
    "  date_part('epoch', p.maintenance) AS maintenance_s,"
    "  date_part('epoch', p.unknown) AS unknown_s,"
    "  coalesce(greatest(0, date_part('epoch', r.down)"
    "   - coalesce(date_part('epoch', e.spared), 0)), 0) AS down_s,"
    "  coalesce(r.outages, 0)::int AS outages"
    " FROM keyed d JOIN profiles p ON p.profile = d.profile"
    " LEFT JOIN raw r ON r.device_id = d.id LEFT JOIN excused e ON e.device_id = d.id)"
)

# Each outage that may have met blind time is looked at alone; of the few begun before the period
# also what was blind before it, for how long a repair took counts from its beginning.
_REPAIRS = (
    _SCOPED + _BLIND + _TOUCHED + " met AS MATERIALIZED (SELECT * FROM touched"
    "  WHERE tstzrange(began, ended) && (SELECT spans FROM shared) UNION SELECT * FROM reached),"
    " inside AS (SELECT m.id, sum(upper(s) - lower(s)) AS spared"
    "  FROM met m JOIN keyed d ON d.id = m.device_id JOIN profiles p ON p.profile = d.profile"
    "  CROSS JOIN LATERAL unnest(p.spans"
    "   * tstzmultirange(tstzrange(m.began, m.ended))) s"
    "  WHERE tstzrange(m.began, m.ended) && p.spans GROUP BY m.id),"
    " earlier AS (SELECT t.id, sum(upper(s) - lower(s)) AS spared"
    "  FROM touched t JOIN scoped d ON d.id = t.device_id CROSS JOIN LATERAL ("
    "   SELECT range_agg(tstzrange(greatest(b.starts_at, t.started_at),"
    "    least(b.ends_at, %(since)s))) AS spans FROM ("
    "    SELECT started_at AS starts_at, ended_at AS ends_at FROM absences x"
    "     WHERE (x.watch = 'probes') = d.is_probed AND d.id %% x.shards = x.shard"
    "    UNION ALL SELECT w.starts_at, w.ends_at FROM maintenance_windows w"
    "     JOIN areas a ON a.id = w.area_id JOIN areas b ON b.path <@ a.path"
    "     WHERE w.device_id IS NULL AND b.id = d.area_id"
    "    UNION ALL SELECT starts_at, ends_at FROM maintenance_windows WHERE device_id = d.id"
    "    UNION ALL SELECT started_at, ended_at FROM unknown_spells WHERE device_id = d.id) b"
    "   WHERE b.starts_at < %(since)s AND b.ends_at > t.started_at) blind"
    "  CROSS JOIN LATERAL unnest(blind.spans) s"
    "  WHERE t.started_at < %(since)s AND t.ended_at <= %(until)s GROUP BY t.id)"
    " SELECT x.area_id, CASE %(by)s WHEN 'area' THEN a.name ELSE x.label END AS name, x.begun,"
    " x.ended, x.repair_s, x.longest_s FROM (SELECT d.group_area AS area_id, d.label,"
    " count(*) FILTER (WHERE t.started_at >= %(since)s)::int AS begun,"
    " count(*) FILTER (WHERE t.ended_at <= %(until)s)::int AS ended,"
    " coalesce(date_part('epoch', sum(t.ended_at - t.started_at - coalesce(i.spared, '0 s')"
    "  - coalesce(e.spared, '0 s')) FILTER (WHERE t.ended_at <= %(until)s)), 0) AS repair_s,"
    " coalesce(date_part('epoch', max(t.ended - t.began - coalesce(i.spared, '0 s'))), 0)"
    "  AS longest_s"
    " FROM touched t JOIN scoped d ON d.id = t.device_id LEFT JOIN inside i ON i.id = t.id"
    " LEFT JOIN earlier e ON e.id = t.id GROUP BY 1, 2) x LEFT JOIN areas a ON a.id = x.area_id"
)


async def sum_by_device(tx: Transaction, scope: Scope, period: Period) -> list[DeviceSums]:
    """One row per approved device of the scope, by area and name."""
    values = await find_values(tx, scope, period, "device")
    return await tx.search(
        DeviceSums,
        _SUMS + " SELECT s.id AS device_id, s.label AS device_name, s.group_area AS area_id,"
        " a.name AS area_name, s.managed_s, s.maintenance_s, s.unknown_s, s.down_s, s.outages"
        " FROM sums s JOIN areas a ON a.id = s.group_area ORDER BY a.path, s.label, s.id",
        values,
    )


async def sum_by_group(
    tx: Transaction, scope: Scope, period: Period, by: Grouping
) -> list[GroupSums]:
    """One row per group that has devices: areas in the order of the tree, others by name."""
    values = await find_values(tx, scope, period, by)
    return await tx.search(
        GroupSums,
        _SUMS + " SELECT x.area_id, CASE %(by)s WHEN 'area' THEN a.name ELSE x.label END AS name,"
        " x.devices, x.rated, x.rate_sum, x.managed_s, x.maintenance_s, x.unknown_s, x.down_s,"
        " x.outages FROM (SELECT group_area AS area_id, label, count(*)::int AS devices,"
        " count(known_s)::int AS rated,"
        " coalesce(sum(greatest(0, 1 - down_s / known_s)), 0) AS rate_sum,"
        " sum(managed_s) AS managed_s, sum(maintenance_s) AS maintenance_s,"
        " sum(unknown_s) AS unknown_s, sum(down_s) AS down_s, sum(outages)::int AS outages"
        " FROM (SELECT *, CASE WHEN managed_s > maintenance_s + unknown_s"
        "  THEN managed_s - maintenance_s - unknown_s END AS known_s FROM sums) x"
        " GROUP BY group_area, label) x LEFT JOIN areas a ON a.id = x.area_id"
        " ORDER BY a.path, x.label",
        values,
    )


async def sum_repairs(tx: Transaction, scope: Scope, period: Period, by: Grouping) -> list[Repairs]:
    """One row per group that had an outage, in no order."""
    return await tx.search(Repairs, _REPAIRS, await find_values(tx, scope, period, by))


async def find_values(tx: Transaction, scope: Scope, period: Period, by: str) -> dict[str, object]:
    """What statements over the devices of a period need: the areas, and the devices when few.

    Small lists are found first, for PostgreSQL plans well by them. And the transaction is fitted
    to large statements: what is put together by device stays in memory, where the planner takes
    each of many small arrays for 8 kB, and nothing is compiled, which takes longer than it saves.
    """
    await tx.execute("SET LOCAL work_mem = '64MB'")
    await tx.execute("SET LOCAL hash_mem_multiplier = 16")
    await tx.execute("SET LOCAL jit = off")
    values: dict[str, object] = {
        "since": period.since,
        "until": period.until,
        "kind": period.kind,
        "by": by,
        "unwatched": UNWATCHED,
    }
    areas = await tx.tuples(
        "SELECT a.id FROM areas a WHERE (%(area)s::bigint IS NULL"
        " OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s)) AND" + IN_SCOPE,
        {"area": period.area_id, "scope": scope_paths(scope)},
    )
    values["areas"] = [area for (area,) in areas]
    divisions = await tx.tuples(
        "SELECT shards FROM absences WHERE ended_at > %(since)s AND started_at < %(until)s"
        " UNION SELECT shards FROM watch_marks",
        values,
    )
    values["modulus"] = math.lcm(*(int(str(shards)) for (shards,) in divisions))
    few = await tx.tuples(
        "SELECT d.id FROM devices d WHERE" + _MANAGED + "LIMIT %(most)s",
        {**values, "most": FEW_DEVICES + 1},
    )
    values["ids"] = None if len(few) > FEW_DEVICES else [device for (device,) in few]
    return values
