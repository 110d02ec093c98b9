"""How long alerts may wait, by area and severity: the nearest row up the tree counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.domain.escalations import Deadlines
from hub.domain.events import Severity
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "deadlines"
# Joins ``dl``, the deadlines that count (acknowledge_s, resolve_s, yellow_share; all null without
# any), to a query in which ``a`` is the area of an alert and ``k`` a row with its ``severity``.
DEADLINES_OF: Final[LiteralString] = (
    " LEFT JOIN LATERAL (SELECT dr.acknowledge_s, dr.resolve_s, dr.yellow_share FROM deadlines dr"
    " JOIN areas da ON da.id = dr.area_id WHERE da.path @> a.path AND dr.severity = k.severity"
    " ORDER BY nlevel(da.path) DESC LIMIT 1) dl ON true "
)
# The columns that follow, where ``k`` has ``fired_at``, too.
DEADLINE_COLUMNS: Final[LiteralString] = (
    " k.fired_at + dl.acknowledge_s * interval '1 s' AS acknowledge_by,"
    " k.fired_at + dl.resolve_s * interval '1 s' AS resolve_by,"
    " coalesce(dl.yellow_share, 0.25) AS yellow_share "
)
_ROW: Final[LiteralString] = (
    "SELECT r.id, r.area_id, r.severity, r.acknowledge_s, r.resolve_s, r.yellow_share"
    " FROM deadlines r JOIN areas a ON a.id = r.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedArea:
    """An area in which a critical alert has a deadline, and how many are open in it."""

    area_id: int
    name: str
    path: str
    open_alerts: int


async def set_deadlines(tx: Transaction, scope: Scope, alert_ids: Sequence[int]) -> None:
    """Give alerts of the scope the deadlines of their area, counted from when they fired."""
    await tx.execute(
        "UPDATE alerts x SET acknowledge_by = s.acknowledge_by, resolve_by = s.resolve_by,"
        " yellow_share = s.yellow_share FROM (SELECT k.id,"
        + DEADLINE_COLUMNS
        + "FROM alerts k JOIN areas a ON a.id = k.area_id"
        + DEADLINES_OF
        + "WHERE k.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + ") s WHERE x.id = s.id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )


async def list_deadlines(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Deadlines]:
    """What is set, by number; in an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        Deadlines,
        _ROW + IN_SCOPE + "AND r.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY r.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def get_deadlines(tx: Transaction, scope: Scope, deadlines_id: int) -> Deadlines:
    """Return one row; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        Deadlines,
        _ROW + " r.id = %(id)s AND" + IN_SCOPE,
        {"id": deadlines_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such deadlines"
        raise NotFound(msg)
    return _typed(row)


async def add_deadlines(tx: Transaction, scope: Scope, wanted: Deadlines) -> Deadlines:
    """Set the deadlines of a severity in an area of the scope, for alerts that fire from now on.

    Raises:
        NotFound: the area lies outside the scope.
        Conflict: they are set already.
        Invalid: a value lies outside what the table allows.
    """
    await get_area(tx, scope, wanted.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO deadlines (area_id, severity, acknowledge_s, resolve_s, yellow_share)"
        " VALUES (%(area)s, %(severity)s, %(acknowledge)s, %(resolve)s, %(share)s) RETURNING id",
        _values(wanted),
    )
    return await _changed(tx, scope, "deadlines.added", number or 0)


async def change_deadlines(tx: Transaction, scope: Scope, wanted: Deadlines) -> Deadlines:
    """Replace a row of the scope; alerts that are open keep the deadlines they have.

    Raises:
        NotFound: the row or its area lies outside the scope.
        Conflict: the area has deadlines of that severity already.
    """
    await get_deadlines(tx, scope, wanted.id)
    await get_area(tx, scope, wanted.area_id)
    await tx.execute(
        "UPDATE deadlines SET area_id = %(area)s, severity = %(severity)s,"
        " acknowledge_s = %(acknowledge)s, resolve_s = %(resolve)s, yellow_share = %(share)s"
        " WHERE id = %(id)s",
        _values(wanted),
    )
    return await _changed(tx, scope, "deadlines.changed", wanted.id)


async def remove_deadlines(tx: Transaction, scope: Scope, deadlines_id: int) -> None:
    """Remove a row of the scope: its area has the deadlines of the one above again."""
    row = await get_deadlines(tx, scope, deadlines_id)
    await tx.execute("DELETE FROM deadlines WHERE id = %(id)s", {"id": row.id})
    await _tell(tx, scope, "deadlines.removed", row)


async def watched_areas(tx: Transaction, scope: Scope) -> list[WatchedArea]:
    """The areas of the scope with devices or open alerts in which critical alerts have a deadline.

    Those with the most open alerts come first.
    """
    return await tx.fetch(
        WatchedArea,
        "SELECT a.id AS area_id, a.name, a.path::text AS path, coalesce(o.number, 0) AS open_alerts"
        " FROM areas a LEFT JOIN (SELECT x.area_id, count(*) AS number FROM alerts x"
        "  WHERE x.status <> 'resolved' AND x.severity = 'critical' GROUP BY x.area_id) o"
        " ON o.area_id = a.id WHERE (o.number > 0 OR EXISTS (SELECT FROM devices d"
        "  WHERE d.area_id = a.id AND d.registration = 'approved'))"
        " AND EXISTS (SELECT FROM deadlines r JOIN areas da ON da.id = r.area_id"
        "  WHERE da.path @> a.path AND r.severity = 'critical') AND"
        + IN_SCOPE
        + "ORDER BY open_alerts DESC, a.path",
        {"scope": scope_paths(scope)},
    )


async def has_deadlines(tx: Transaction, scope: Scope) -> bool:
    """Tell whether any are set within the scope."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM deadlines r JOIN areas a ON a.id = r.area_id WHERE"
            + IN_SCOPE
            + ")",
            {"scope": scope_paths(scope)},
        )
    )


async def _changed(tx: Transaction, scope: Scope, action: str, deadlines_id: int) -> Deadlines:
    row = await get_deadlines(tx, scope, deadlines_id)
    await _tell(tx, scope, action, row)
    return row


async def _tell(tx: Transaction, scope: Scope, action: str, row: Deadlines) -> None:
    await notify(tx, scope, TOPIC, [row.id])
    deed = Deed(action=action, object_type="deadlines", object_id=str(row.id), area_id=row.area_id)
    detail: dict[str, Json] = {
        "severity": row.severity.value,
        "acknowledge_s": row.acknowledge_s,
        "resolve_s": row.resolve_s,
        "yellow_share": row.yellow_share,
    }
    await record(tx, scope, deed, detail)


def _typed(row: Deadlines) -> Deadlines:
    return replace(row, severity=Severity(row.severity))


def _values(wanted: Deadlines) -> dict[str, object]:
    return {
        "id": wanted.id,
        "area": wanted.area_id,
        "severity": wanted.severity,
        "acknowledge": wanted.acknowledge_s,
        "resolve": wanted.resolve_s,
        "share": wanted.yellow_share,
    }
