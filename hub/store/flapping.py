"""The end of flapping: devices that have been quiet for as long as they would need to flap."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.domain.health import Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """A device that no longer flaps, and how it is; ``quiet_s`` since its last outage began."""

    device_id: int
    status: Status
    quiet_s: float | None


async def end_flapping(
    tx: Transaction, scope: Scope, *, now: datetime, quiet: timedelta
) -> list[Steady]:
    """End the flapping of devices of the scope whose last outage began longer ago than ``quiet``.

    Only time in which somebody watched counts: neither an absence of the hub, also one that goes
    on, nor time in which the device's state was unknown. What a dead parent did is no flapping.
    """
    rows = await tx.tuples(
        "WITH flapping AS MATERIALIZED (SELECT s.device_id, w.watch,"
        "   least(%(now)s, CASE WHEN s.status = 'unknown' THEN s.since END,"
        "    (SELECT max(m.seen_at) FROM watch_marks m WHERE m.watch = w.watch"
        "     AND d.id %% m.shards = m.shard)) AS until,"
        "   (SELECT max(o.started_at) FROM outages o WHERE o.device_id = s.device_id"
        "     AND o.parent_id IS NULL) AS since"
        "  FROM device_status s JOIN devices d ON d.id = s.device_id"
        "  JOIN areas a ON a.id = d.area_id CROSS JOIN LATERAL (SELECT CASE WHEN d.kind IN"
        "   ('camera', 'nvr', 'switch', 'onu', 'uplink') THEN 'probes' ELSE 'adapters' END"
        "   AS watch) AS w WHERE s.is_flapping AND" + IN_SCOPE + "),"
        " away AS (SELECT f.device_id, x.started_at, x.ended_at FROM flapping f"
        "   JOIN absences x ON x.watch = f.watch AND f.device_id %% x.shards = x.shard"
        "    AND x.ended_at > f.since AND x.started_at < f.until AND f.since < f.until"
        "  UNION ALL SELECT f.device_id, u.started_at, u.ended_at FROM flapping f"
        "   JOIN unknown_spells u ON u.device_id = f.device_id"
        "    AND u.ended_at > f.since AND u.started_at < f.until AND f.since < f.until),"
        " watched AS (SELECT f.device_id, extract(epoch FROM f.until - f.since)"
        "    - coalesce((SELECT sum(upper(one) - lower(one)) FROM (SELECT unnest(range_agg("
        "      int8range("
        "       (1000 * extract(epoch FROM greatest(w.started_at, f.since)))::bigint,"
        "       (1000 * extract(epoch FROM least(w.ended_at, f.until)))::bigint)))"
        "      AS one FROM away w WHERE w.device_id = f.device_id) AS ranges), 0) / 1000 AS quiet_s"
        "  FROM flapping f),"
        " locked AS (SELECT s.device_id, w.quiet_s FROM watched w"
        "   JOIN device_status s ON s.device_id = w.device_id"
        "   WHERE s.is_flapping AND (w.quiet_s IS NULL OR w.quiet_s > %(quiet_s)s)"
        "   ORDER BY s.device_id FOR UPDATE OF s)"
        " UPDATE device_status s SET is_flapping = false FROM locked l"
        " WHERE s.device_id = l.device_id RETURNING s.device_id, s.status, l.quiet_s::float8",
        {"now": now, "quiet_s": quiet.total_seconds(), "scope": scope_paths(scope)},
    )
    return [
        Steady(
            device_id=int(str(device)),
            status=Status(str(status)),
            quiet_s=None if quiet_s is None else float(str(quiet_s)),
        )
        for device, status, quiet_s in rows
    ]
