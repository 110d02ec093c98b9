"""The figures of each area by days of the site's calendar, made once when a day is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.ledger_rows import GroupSums
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaDay(GroupSums):
    """The devices of an area and of everything below it, on one day."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFilter:
    """Which days (both included), of which devices; ``kind`` "" is all kinds.

    With an area: it by each direct child, what is directly in it by itself. Without one: each
    area with what is directly in it.
    """

    first: date
    last: date
    area_id: int | None = None
    kind: str = "camera"


async def missing_days(
    tx: Transaction, scope: Scope, first: date, last: date, *, limit: int
) -> list[date]:
    """The newest days of a span (both included) that were not made yet."""
    del scope
    rows = await tx.tuples(
        "SELECT d::date FROM generate_series(%(first)s::date, %(last)s::date, '1 day') d"
        " WHERE NOT EXISTS (SELECT 1 FROM made_days m WHERE m.day = d::date)"
        " ORDER BY d DESC LIMIT %(limit)s",
        {"first": first, "last": last, "limit": limit},
    )
    return [day for (day,) in rows if isinstance(day, date)]


async def keep_day(
    tx: Transaction, scope: Scope, day: date, sums: dict[str, Sequence[GroupSums]], at: datetime
) -> None:
    """Keep the sums of a day, by kind and area; another who was faster is left as he was."""
    del scope
    rows = [(kind, one) for kind, groups in sums.items() for one in groups]
    await tx.execute(
        "WITH mark AS (INSERT INTO made_days (day, made_at) VALUES (%(day)s, %(at)s)"
        "  ON CONFLICT DO NOTHING RETURNING day)"
        " INSERT INTO area_days (day, area_id, kind, devices, rated, rate_sum, managed_s,"
        "  maintenance_s, unknown_s, down_s, outages)"
        " SELECT mark.day, r.* FROM mark, unnest(%(areas)s::bigint[], %(kinds)s::text[],"
        "  %(devices)s::int[], %(rated)s::int[], %(rate_sums)s::float8[], %(managed)s::float8[],"
        "  %(maintenance)s::float8[], %(unknown)s::float8[], %(down)s::float8[],"
        "  %(outages)s::int[]) r (area_id)",
        {
            "day": day,
            "at": at,
            "areas": [one.area_id for _, one in rows],
            "kinds": [kind for kind, _ in rows],
            "devices": [one.devices for _, one in rows],
            "rated": [one.rated for _, one in rows],
            "rate_sums": [one.rate_sum for _, one in rows],
            "managed": [one.managed_s for _, one in rows],
            "maintenance": [one.maintenance_s for _, one in rows],
            "unknown": [one.unknown_s for _, one in rows],
            "down": [one.down_s for _, one in rows],
            "outages": [one.outages for _, one in rows],
        },
    )


async def read_days(tx: Transaction, scope: Scope, wanted: DayFilter) -> list[AreaDay]:
    """The days that were made, by area and then day."""
    return await tx.search(
        AreaDay,
        "SELECT x.day, b.id AS area_id, b.name, x.devices, x.rated, x.rate_sum, x.managed_s,"
        " x.maintenance_s, x.unknown_s, x.down_s, x.outages FROM (SELECT s.day,"
        "  CASE WHEN p.path IS NULL THEN a.path"
        "   ELSE subpath(a.path, 0, least(nlevel(a.path), nlevel(p.path) + 1)) END AS path,"
        "  sum(s.devices)::int AS devices, sum(s.rated)::int AS rated,"
        "  sum(s.rate_sum) AS rate_sum, sum(s.managed_s) AS managed_s,"
        "  sum(s.maintenance_s) AS maintenance_s, sum(s.unknown_s) AS unknown_s,"
        "  sum(s.down_s) AS down_s, sum(s.outages)::int AS outages"
        "  FROM area_days s JOIN areas a ON a.id = s.area_id"
        "  LEFT JOIN areas p ON p.id = %(area)s"
        "  WHERE s.day BETWEEN %(first)s AND %(last)s AND s.kind = %(kind)s"
        "  AND (%(area)s::bigint IS NULL OR a.path <@ p.path) AND"
        + IN_SCOPE
        + " GROUP BY 1, 2) x JOIN areas b ON b.path = x.path ORDER BY b.path, x.day",
        {
            "first": wanted.first,
            "last": wanted.last,
            "area": wanted.area_id,
            "kind": wanted.kind,
            "scope": scope_paths(scope),
        },
    )
