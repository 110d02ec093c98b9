"""What figures other than the online rate are counted from, by group.

The moment: how devices are now. The days: what slow looks found. The records: what is filled in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.ledger_rows import Grouping, Period
from hub.store.uptime import find_values

_SCOPED = (
    "WITH scoped AS MATERIALIZED (SELECT d.id, d.kind = 'camera' AS is_camera,"
    "  greatest(d.created_at, %(since)s) AS begun,"
    "  CASE %(by)s WHEN 'area' THEN a.name WHEN 'vendor' THEN d.manufacturer"
    "   WHEN 'model' THEN concat_ws(' ', nullif(d.manufacturer, ''), nullif(d.model, ''))"
    "   WHEN 'team' THEN d.team"
    "   WHEN 'every' THEN jsonb_build_array(a.name, d.manufacturer,"
    "    concat_ws(' ', nullif(d.manufacturer, ''), nullif(d.model, '')), d.team, d.class)::text"
    "   ELSE d.class END AS name,"
    "  CASE WHEN %(by)s IN ('area', 'every') THEN a.id ELSE 0 END AS area_id"
    " FROM devices d JOIN areas a ON a.id = d.area_id"
    " WHERE d.registration = 'approved' AND d.created_at < %(until)s"
    " AND (%(kind)s = '' OR d.kind = %(kind)s) AND d.area_id = ANY (%(areas)s::bigint[]))"
)

# A picture needs all layers up to itself.
_WITHOUT_PICTURE = "ARRAY['credentials', 'stream', 'frames', 'picture']"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How the devices of a group are at a moment; those in a maintenance window are left out.

    ``known``: not unknown. ``judged`` cameras of which it is known whether they show a good
    picture: offline, failing below the picture, or with a picture judged of late.
    """

    area_id: int
    name: str
    watched: int
    known: int
    online: int
    cameras: int
    judged: int
    intact: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDays:
    """What slow looks found of the cameras of a group in a period.

    ``timed`` cameras have a clock offset, ``right`` ones a small one on their latest day.
    ``days`` are camera-days with a recording plan, of ``expected``.
    """

    area_id: int
    name: str
    cameras: int
    timed: int
    right: int
    days: int
    expected: float
    recorded_s: float
    planned_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The asset records of a group: how many are ``complete``, that is filled in and valid."""

    area_id: int
    name: str
    records: int
    complete: int


async def count_moment(
    tx: Transaction, scope: Scope, period: Period, by: Grouping, *, pictures_since: datetime
) -> list[Moment]:
    """One row per group that has devices, in no order."""
    return await tx.search(
        Moment,
        _SCOPED + " SELECT area_id, name, count(*)::int AS watched,"
        " count(*) FILTER (WHERE is_known)::int AS known,"
        " count(*) FILTER (WHERE is_up)::int AS online,"
        " count(*) FILTER (WHERE is_camera)::int AS cameras,"
        " count(*) FILTER (WHERE is_camera AND is_judged)::int AS judged,"
        " count(*) FILTER (WHERE is_camera AND is_judged AND is_up AND NOT has_no_picture)::int"
        "  AS intact"
        " FROM (SELECT d.*, s.status <> 'unknown' AS is_known,"
        "  s.status IN ('online', 'degraded') AS is_up,"
        "  s.faults ?| " + _WITHOUT_PICTURE + " AS has_no_picture,"
        "  s.status <> 'unknown' AND (s.status = 'offline' OR s.faults ?| " + _WITHOUT_PICTURE + ""
        "   OR coalesce(s.picture_at >= %(pictures)s, false)) AS is_judged"
        "  FROM scoped d JOIN device_status s ON s.device_id = d.id WHERE s.window_id IS NULL) x"
        " GROUP BY 1, 2",
        {**await find_values(tx, scope, period, by), "pictures": pictures_since},
    )


async def sum_camera_days(
    tx: Transaction,
    scope: Scope,
    period: Period,
    by: Grouping,
    *,
    tolerance_s: float,
    recorded_until: datetime,
) -> list[CameraDays]:
    """One row per group that has cameras, in no order.

    Only days begun before ``recorded_until`` can have been looked at in full.
    """
    values = {
        **await find_values(tx, scope, period, by),
        "tolerance": tolerance_s,
        "done": max(period.since, min(period.until, recorded_until)),
        "day": timedelta(days=1),
    }
    return await tx.search(
        CameraDays,
        _SCOPED + ", recorded AS MATERIALIZED (SELECT device_id, count(*) AS days,"
        "  sum(least(recorded_s, planned_s)) AS recorded_s, sum(planned_s) AS planned_s"
        "  FROM camera_days WHERE day >= %(since)s AND day < %(done)s AND planned_s > 0"
        "  AND recorded_s IS NOT NULL AND (%(ids)s::bigint[] IS NULL OR device_id = ANY (%(ids)s))"
        "  GROUP BY device_id)"
        " SELECT area_id, name, count(*)::int AS cameras,"
        " count(c.clock_offset_s)::int AS timed,"
        " count(*) FILTER (WHERE abs(c.clock_offset_s) <= %(tolerance)s)::int AS right,"
        " coalesce(sum(r.days), 0)::int AS days,"
        " sum(floor(greatest(0, date_part('epoch', %(done)s - d.begun)) / 86400)) AS expected,"
        " coalesce(sum(r.recorded_s), 0) AS recorded_s, coalesce(sum(r.planned_s), 0) AS planned_s"
        " FROM scoped d LEFT JOIN recorded r ON r.device_id = d.id"
        " LEFT JOIN LATERAL (SELECT clock_offset_s FROM camera_days WHERE device_id = d.id"
        "  AND day > %(since)s - %(day)s AND day < %(until)s AND clock_offset_s IS NOT NULL"
        "  ORDER BY day DESC LIMIT 1) c ON true"
        " WHERE d.is_camera GROUP BY 1, 2",
        values,
    )


async def count_records(
    tx: Transaction, scope: Scope, period: Period, by: Grouping
) -> list[Records]:
    """One row per group that has cameras, in no order.

    A record is complete with a code of 20 digits (GB/T 28181), name, manufacturer, model,
    address, place, team, longitude and latitude; the store lets no other value in that is wrong.
    """
    return await tx.search(
        Records,
        _SCOPED + " SELECT x.area_id, x.name, count(*)::int AS records,"
        " count(*) FILTER (WHERE d.code ~ '^[0-9]{20}$' AND d.name <> '' AND d.manufacturer <> ''"
        "  AND d.model <> '' AND d.address <> '' AND d.place <> '' AND d.team <> ''"
        "  AND r.longitude IS NOT NULL AND r.latitude IS NOT NULL)::int AS complete"
        " FROM scoped x JOIN devices d ON d.id = x.id"
        " LEFT JOIN asset_records r ON r.device_id = d.id WHERE x.is_camera GROUP BY 1, 2",
        await find_values(tx, scope, period, by),
    )
