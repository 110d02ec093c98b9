"""Faults of pictures as maintenance asks for them: lists, counts, and how much was looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.quality import Index, Mode, PictureFault
from hub.store.database import Transaction
from hub.store.picture_rows import parse_faults
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

# How fresh a check is to be to count: every camera is judged once an hour at the least.
FRESH: Final = timedelta(hours=24)
MOST_REASONS: Final = 20

_WHERE = (
    " FROM picture_states p JOIN devices d ON d.id = p.device_id JOIN areas a ON a.id = d.area_id"
    " JOIN device_status s ON s.device_id = d.id"
    " WHERE p.faults <> '{}' AND d.registration = 'approved'"
    " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
    " AND (%(class)s = '' OR d.class = %(class)s) AND (%(team)s = '' OR d.team = %(team)s)"
    " AND (%(index)s = '' OR p.faults ? %(index)s) AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFilter:
    """Which faults are asked for; empty and None: all. An area includes those below it."""

    area_id: int | None = None
    index: Index | None = None
    device_class: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    """A camera whose picture is bad, as a maintenance team needs it.

    ``status`` is the one people see (maintenance in a window). ``since`` is when the fault asked
    for began, or the latest of them. ``good_at`` and ``bad_at`` are of the pictures kept as
    evidence, None without one.
    """

    device_id: int
    device_name: str
    code: str
    place: str
    device_class: str
    team: str
    area_id: int
    area_name: str
    area_path: str
    status: str
    since: datetime
    faults: Mapping[Index, PictureFault]
    mode: Mode
    checked_at: datetime | None
    good_at: datetime | None
    bad_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many managed cameras were looked at: no figure about pictures without this one.

    ``checked`` were within FRESH, ``stale`` longer ago, ``never`` not at all. ``faulty`` are
    those of ``checked`` with a fault. ``reasons`` says why the others were not, each with how
    many, the most frequent first; what is rarer than that is under an empty reason.
    """

    managed: int
    checked: int
    faulty: int
    stale: int
    never: int
    reasons: Mapping[str, int] = field(default_factory=dict)


async def list_picture_faults(
    tx: Transaction,
    scope: Scope,
    wanted: FaultFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[FaultLine]:
    """Cameras with faults, those that began last first, a page at a time."""
    after = decode_cursor(cursor, (str, int))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        "SELECT * FROM (SELECT d.id AS device_id, d.name AS device_name, d.code, d.place,"
        " d.class AS device_class, d.team, d.area_id, a.name AS area_name,"
        " a.path::text AS area_path, s.shown AS status, p.faults, p.mode, p.checked_at,"
        " p.good_at, p.bad_at, (SELECT max((f.value ->> 'since')::timestamptz)"
        "  FROM jsonb_each(p.faults) f WHERE %(index)s IN ('', f.key)) AS since"
        + _WHERE
        + IN_SCOPE
        + ") x WHERE (%(since)s::timestamptz IS NULL"
        "  OR (since, device_id) < (%(since)s::timestamptz, %(last)s::bigint))"
        " ORDER BY since DESC, device_id DESC LIMIT %(limit)s",
        {
            **_values(scope, wanted),
            "since": after[0] if after else None,
            "last": after[1] if after else None,
            "limit": count + 1,
        },
    )
    more = None
    if len(rows) > count:
        more = encode_cursor(rows[count - 1].since.isoformat(), rows[count - 1].device_id)
    return Page(items=[row.line() for row in rows[:count]], next=more)


async def count_picture_faults(
    tx: Transaction, scope: Scope, wanted: FaultFilter
) -> dict[Index, int]:
    """How many cameras of the scope have each fault, in the order in which people are told."""
    rows = await tx.search(
        _Count,
        "SELECT f AS name, count(*) AS number FROM (SELECT jsonb_object_keys(p.faults) AS f"
        + _WHERE
        + IN_SCOPE
        + ") x WHERE %(index)s IN ('', f) GROUP BY f",
        _values(scope, wanted),
    )
    found = {row.name: row.number for row in rows}
    return {index: found[index] for index in Index if index in found}


async def picture_coverage(
    tx: Transaction, scope: Scope, now: datetime, *, area_id: int | None = None
) -> Coverage:
    """How many approved cameras of the scope were looked at, of an area and below it if named."""
    rows = await tx.search(
        _Group,
        "WITH looked AS MATERIALIZED (SELECT d.id, d.connection_id, p.checked_at, p.unseen,"
        "  coalesce(p.checked_at > %(fresh)s, false) AS is_fresh,"
        "  coalesce(p.faults <> '{}', false) AS has_faults FROM devices d"
        "  JOIN areas a ON a.id = d.area_id LEFT JOIN picture_states p ON p.device_id = d.id"
        "  WHERE d.registration = 'approved' AND d.kind = 'camera' AND (%(area)s::bigint IS NULL"
        "   OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s)) AND"
        + IN_SCOPE
        + ") SELECT 'checked' AS state, has_faults, '' AS reason, count(*) AS number"
        " FROM looked WHERE is_fresh GROUP BY 2"
        " UNION ALL SELECT CASE WHEN k.checked_at IS NULL THEN 'never' ELSE 'stale' END, false,"
        "  CASE WHEN NOT EXISTS (SELECT FROM channels h WHERE h.device_id = k.id)"
        "    THEN 'it has not told its streams yet'"
        "   WHEN NOT c.is_enabled THEN 'its connection is switched off'"
        "   WHEN s.status = 'offline' THEN 'it is offline'"
        "   WHEN s.status = 'unknown' AND s.faults ?| ARRAY['network', 'protocol']"
        "    THEN 'it was offline when it was seen last'"
        "   WHEN k.unseen <> '' THEN k.unseen ELSE 'it waits for its turn' END, count(*)"
        " FROM looked k JOIN connections c ON c.id = k.connection_id"
        " JOIN device_status s ON s.device_id = k.id WHERE NOT k.is_fresh GROUP BY 1, 3"
        " ORDER BY number DESC, reason",
        {"scope": scope_paths(scope), "area": area_id, "fresh": now - FRESH},
    )
    sums = {"checked": 0, "stale": 0, "never": 0}
    faulty = 0
    reasons: dict[str, int] = {}
    for row in rows:
        sums[row.state] += row.number
        if row.state == "checked":
            faulty += row.number if row.has_faults else 0
            continue
        is_rare = row.reason not in reasons and len(reasons) >= MOST_REASONS
        reason = "" if is_rare else row.reason
        reasons[reason] = reasons.get(reason, 0) + row.number
    return Coverage(managed=sum(sums.values()), faulty=faulty, reasons=reasons, **sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    device_id: int
    device_name: str
    code: str
    place: str
    device_class: str
    team: str
    area_id: int
    area_name: str
    area_path: str
    status: str
    since: datetime
    faults: Mapping[str, Json]
    mode: str
    checked_at: datetime | None
    good_at: datetime | None
    bad_at: datetime | None

    def line(self) -> FaultLine:
        return FaultLine(
            device_id=self.device_id,
            device_name=self.device_name,
            code=self.code,
            place=self.place,
            device_class=self.device_class,
            team=self.team,
            area_id=self.area_id,
            area_name=self.area_name,
            area_path=self.area_path,
            status=self.status,
            since=self.since,
            faults=parse_faults(self.faults),
            mode=Mode(self.mode),
            checked_at=self.checked_at,
            good_at=self.good_at,
            bad_at=self.bad_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    name: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    state: str
    has_faults: bool
    reason: str
    number: int


def _values(scope: Scope, wanted: FaultFilter) -> dict[str, object]:
    return {
        "scope": scope_paths(scope),
        "area": wanted.area_id,
        "index": wanted.index or "",
        "class": wanted.device_class,
        "team": wanted.team,
    }
