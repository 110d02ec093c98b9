"""Outages that began near each other in one subnet: what parents are inferred from."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Probed devices without a parent, each with the /24 in which it is, if that is known.
_MEMBERS = (
    " member AS MATERIALIZED (SELECT d.id, d.created_at, a.path,"
    "  network(set_masklen(coalesce(ipv4_host(d.address), CASE WHEN c.protocol IN"
    "   ('onvif', 'rtsp', 'uplink') THEN ipv4_host(c.address) END), 24))::cidr AS subnet"
    "  FROM devices d JOIN areas a ON a.id = d.area_id JOIN connections c ON c.id = d.connection_id"
    "  WHERE d.registration = 'approved' AND d.parent_id IS NULL"
    "  AND d.kind IN ('camera', 'nvr', 'switch', 'onu', 'uplink') AND" + IN_SCOPE + ")"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An outage that is over, of a device without a parent, at a time when others failed too.

    ``outages`` is how many the device had in the whole period; ``registered_at`` is since when
    it could have had any, None for always.
    """

    device_id: int
    subnet: str
    started_at: datetime
    ended_at: datetime
    outages: int
    registered_at: datetime | None = None
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A time in which the hub did not probe the devices of a shard."""

    shard: int
    shards: int
    started_at: datetime
    ended_at: datetime


async def shared_failures(
    tx: Transaction,
    scope: Scope,
    *,
    since: datetime,
    until: datetime,
    within: timedelta,
    least: int,
) -> list[Failure]:
    """Outages of a period near which ``least`` began in the same /24, by subnet and beginning."""
    return await tx.fetch(
        Failure,
        "WITH" + _MEMBERS + ","
        " counted AS (SELECT o.device_id, m.subnet, o.started_at, o.ended_at, o.parent_id,"
        "   count(*) OVER (PARTITION BY m.subnet ORDER BY o.started_at RANGE BETWEEN"
        "    %(within)s::interval PRECEDING AND %(within)s::interval FOLLOWING) AS near"
        "  FROM outages o JOIN member m ON m.id = o.device_id AND m.subnet IS NOT NULL"
        "  WHERE o.started_at >= %(since)s AND o.started_at < %(until)s"
        "  AND o.ended_at IS NOT NULL),"
        " each AS MATERIALIZED (SELECT device_id, count(*) AS outages FROM outages"
        "  WHERE started_at >= %(since)s AND started_at < %(until)s AND ended_at IS NOT NULL"
        "  GROUP BY device_id),"
        " planned AS MATERIALIZED (SELECT w.device_id, r.path, w.starts_at, w.ends_at"
        "  FROM maintenance_windows w JOIN areas r ON r.id = w.area_id"
        "  WHERE w.ends_at > %(since)s AND w.ends_at > w.starts_at)"
        " SELECT n.device_id, n.subnet::text AS subnet, n.started_at, n.ended_at, e.outages,"
        "  m.created_at AS registered_at,"
        "  EXISTS (SELECT FROM planned w WHERE w.starts_at <= n.ended_at"
        "   AND w.ends_at >= n.started_at AND (w.device_id = n.device_id"
        "    OR (w.device_id IS NULL AND m.path <@ w.path))) AS in_maintenance"
        " FROM counted n JOIN each e ON e.device_id = n.device_id"
        " JOIN member m ON m.id = n.device_id"
        " WHERE n.near >= %(least)s AND n.parent_id IS NULL"
        " ORDER BY n.subnet, n.started_at, n.device_id",
        {
            "scope": scope_paths(scope),
            "since": since,
            "until": until,
            "within": within,
            "least": least,
        },
    )


async def count_subnets(tx: Transaction, scope: Scope, *, least: int) -> int:
    """How many /24 subnets hold at least so many probed devices without a parent."""
    number = await tx.scalar(
        int,
        "WITH" + _MEMBERS + " SELECT count(*) FROM (SELECT subnet FROM member"
        " WHERE subnet IS NOT NULL GROUP BY subnet HAVING count(*) >= %(least)s) AS one",
        {"scope": scope_paths(scope), "least": least},
    )
    return number or 0


async def list_absences(tx: Transaction, scope: Scope, *, since: datetime) -> list[Absence]:
    """When the hub itself did not probe, since a moment."""
    del scope  # the hub's own; it names no device
    return await tx.fetch(
        Absence,
        "SELECT shard, shards, started_at, ended_at FROM absences"
        " WHERE watch = 'probes' AND ended_at > %(since)s ORDER BY started_at",
        {"since": since},
    )
