"""Alerts as people see them: lists, counts, one with its steps."""

import string
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

from hub.domain.access import Scope
from hub.domain.alerts import Alert, AlertStatus, AlertStep, Colour, Step
from hub.domain.errors import NotFound
from hub.domain.events import Severity
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

_ALERT = (
    "SELECT x.id, x.rule_id, u.name AS rule_name, x.condition, x.severity, x.status, x.area_id,"
    " a.path::text AS area_path, a.name AS area_name, x.device_id, x.device_name, x.point, x.unit,"
    " x.channel, x.event_id, x.value, x.reason, x.started_at, x.fired_at, x.acknowledged_at,"
    " x.acknowledged_by, x.resolved_at, x.resolved_by, x.resolution, x.folded_into, x.is_storm,"
    " x.folded, x.drill_id, x.assigned_to, x.assigned_name, x.assigned_at, x.quiet_until,"
    " x.quiet_reason, x.acknowledge_by, x.resolve_by, x.yellow_share FROM alerts x"
    " JOIN areas a ON a.id = x.area_id JOIN rules u ON u.id = x.rule_id WHERE"
)
# The deadline and the colour as hub.domain.alerts.Alert tells them.
_DUE = (
    "CASE x.status WHEN 'firing' THEN x.acknowledge_by WHEN 'resolved' THEN NULL"
    " ELSE x.resolve_by END"
)
_COLOUR = (
    "CASE WHEN " + _DUE + " IS NULL THEN 'green' WHEN %(now)s >= " + _DUE + " THEN 'red'"
    " WHEN " + _DUE + " - %(now)s <= x.yellow_share * (" + _DUE + " - x.fired_at) THEN 'yellow'"
    " ELSE 'green' END"
)
_RANK = "CASE x.severity WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END"
# Of the scope and below the area asked for: numbers of areas tell the planner more than paths do.
_AREAS = (
    "SELECT coalesce(array_agg(a.id), '{}') AS ids, (SELECT count(*) FROM areas) AS all_areas"
    " FROM areas a WHERE"
    + IN_SCOPE
    + "AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
)
# Only numbers are looked for, in one table; what is shown of a page is read by them.
_FOUND = (
    "SELECT x.id FROM alerts x WHERE"
    " (%(areas)s::bigint[] IS NULL OR x.area_id = ANY (%(areas)s::bigint[]))"
    " AND (%(device)s::bigint IS NULL OR x.device_id = %(device)s)"
    " AND (%(parent)s::bigint IS NULL OR x.device_id = ANY"
    "  (ARRAY (SELECT id FROM devices WHERE parent_id = %(parent)s)))"
    " AND (%(rule)s::bigint IS NULL OR x.rule_id = %(rule)s)"
    " AND (%(status)s::text IS NULL OR x.status = %(status)s)"
    " AND (%(severity)s::text IS NULL OR x.severity = %(severity)s)"
    " AND (%(is_open)s::boolean IS NULL OR (x.status <> 'resolved') = %(is_open)s)"
    " AND (%(assignee)s::bigint IS NULL OR x.assigned_to = %(assignee)s)"
    " AND (%(folded_into)s::bigint IS NULL OR x.folded_into = %(folded_into)s)"
    " AND (%(is_folded)s::boolean IS NULL OR (x.folded_into IS NOT NULL) = %(is_folded)s)"
    " AND (%(is_drill)s::boolean IS NULL OR (x.drill_id IS NOT NULL) = %(is_drill)s)"
    " AND CASE WHEN %(is_quiet)s::boolean IS NULL THEN true"
    "  WHEN %(is_quiet)s THEN x.quiet_until > %(now)s AND x.status <> 'resolved'"
    "  ELSE coalesce(x.quiet_until, %(now)s) <= %(now)s END"
    " AND (%(colour)s::text IS NULL OR (x.status <> 'resolved' AND " + _COLOUR + " = %(colour)s))"
    # ILIKE takes five times as long; only A to Z are alike in both cases.
    " AND CASE WHEN %(text)s::text IS NULL THEN true"
    '  ELSE lower(x.device_name COLLATE "C") LIKE %(text)s'
    '  OR x.rule_id = ANY (ARRAY (SELECT id FROM rules WHERE lower(name COLLATE "C")'
    "   LIKE %(text)s))"
    '  OR x.area_id = ANY (ARRAY (SELECT id FROM areas WHERE lower(name COLLATE "C")'
    "   LIKE %(text)s)) END"
)
_NEWEST = " AND (%(id)s::bigint IS NULL OR x.id < %(id)s) ORDER BY x.id DESC LIMIT %(limit)s"
_NEAREST = (
    " AND x.status <> 'resolved'"
    " AND (%(id)s::bigint IS NULL OR coalesce(" + _DUE + ", 'infinity') > %(due)s::timestamptz"
    "  OR (coalesce(" + _DUE + ", 'infinity') = %(due)s::timestamptz AND x.id < %(id)s))"
    " ORDER BY coalesce(" + _DUE + ", 'infinity'), x.id DESC LIMIT %(limit)s"
)
_WORST = (
    " AND (%(id)s::bigint IS NULL OR (" + _RANK + ", x.id) < (%(rank)s::integer, %(id)s))"
    " ORDER BY " + _RANK + " DESC, x.id DESC LIMIT %(limit)s"
)
_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_RANKS: Final = {Severity.INFO: 1, Severity.WARNING: 2, Severity.CRITICAL: 3}


class AlertOrder(StrEnum):
    """How a list is sorted. DEADLINE: open ones, the nearest first, those without one last."""

    NEWEST = "newest"
    DEADLINE = "deadline"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """What a list of alerts is narrowed to; empty fields narrow nothing.

    ``is_open`` True means not resolved. ``text`` matches the names in the alert. ``parent_id`` is
    the uplink of its device. ``colour`` narrows to open ones, too.
    """

    area_id: int | None = None
    device_id: int | None = None
    parent_id: int | None = None
    rule_id: int | None = None
    status: AlertStatus | None = None
    severity: Severity | None = None
    colour: Colour | None = None
    is_open: bool | None = None
    assigned_to: int | None = None
    folded_into: int | None = None
    is_folded: bool | None = None
    is_drill: bool | None = None
    is_quiet: bool | None = None
    text: str = ""
    order: AlertOrder = AlertOrder.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    severity: str
    colour: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    ids: Sequence[int]
    all_areas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCounts:
    """How many alerts are open: real ones that stand by themselves."""

    severities: dict[Severity, int] = field(default_factory=dict)
    colours: dict[Colour, int] = field(default_factory=dict)


async def list_alerts(
    tx: Transaction,
    scope: Scope,
    wanted: AlertFilter,
    *,
    now: datetime | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Alert]:
    """Alerts, sorted and narrowed, a page at a time. ``now``: for colours, else the database's."""
    count = page_limit(limit)
    values = {
        **_values(wanted, now or await read_clock(tx, scope)),
        **_after(wanted.order, cursor),
        "areas": await _find_areas(tx, scope, wanted.area_id),
        "limit": count + 1,
    }
    match wanted.order:
        case AlertOrder.NEWEST:
            rows = await tx.search(_Found, _FOUND + _NEWEST, values)
        case AlertOrder.DEADLINE:
            rows = await tx.search(_Found, _FOUND + _NEAREST, values)
        case AlertOrder.SEVERITY:
            rows = await tx.search(_Found, _FOUND + _WORST, values)
        case _ as never:
            assert_never(never)
    ids = [row.id for row in rows[:count]]
    by_id = {alert.id: alert for alert in await get_alerts(tx, scope, ids)}
    found = [by_id[number] for number in ids if number in by_id]
    more = _cursor(wanted.order, found[-1]) if len(rows) > count else None
    return Page(items=found, next=more)


async def get_alert(tx: Transaction, scope: Scope, alert_id: int) -> Alert:
    """Return one alert; raises NotFound outside the scope."""
    found = await get_alerts(tx, scope, [alert_id])
    if not found:
        msg = "no such alert"
        raise NotFound(msg)
    return found[0]


async def get_alerts(tx: Transaction, scope: Scope, alert_ids: Sequence[int]) -> list[Alert]:
    """Return those of these alerts that are in the scope, by number."""
    rows = await tx.fetch(
        Alert,
        _ALERT + " x.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY x.id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def count_open(tx: Transaction, scope: Scope) -> dict[Severity, int]:
    """How many alerts of the scope are open, by severity; without drills and folded ones."""
    return (await count_standing(tx, scope, await read_clock(tx, scope))).severities


async def count_standing(
    tx: Transaction, scope: Scope, now: datetime, *, area_id: int | None = None
) -> OpenCounts:
    """How many alerts of the scope are open, by severity and by colour."""
    rows = await tx.search(
        _Count,
        "SELECT x.severity, " + _COLOUR + " AS colour, count(*) AS number FROM alerts x"
        " WHERE x.status <> 'resolved' AND x.drill_id IS NULL AND x.folded_into IS NULL"
        " AND (%(areas)s::bigint[] IS NULL OR x.area_id = ANY (%(areas)s::bigint[]))"
        " GROUP BY 1, 2",
        {"now": now, "areas": await _find_areas(tx, scope, area_id)},
    )
    counts = OpenCounts()
    for row in rows:
        severity, colour = Severity(row.severity), Colour(row.colour)
        counts.severities[severity] = counts.severities.get(severity, 0) + row.number
        counts.colours[colour] = counts.colours.get(colour, 0) + row.number
    return counts


async def list_steps(tx: Transaction, scope: Scope, alert_id: int) -> list[AlertStep]:
    """The steps of an alert of the scope, oldest first."""
    alert = await get_alert(tx, scope, alert_id)
    rows = await tx.fetch(
        AlertStep,
        "SELECT id, alert_id, at, actor, step, note FROM alert_steps WHERE alert_id = %(id)s"
        " ORDER BY id",
        {"id": alert.id},
    )
    return [replace(row, step=Step(row.step)) for row in rows]


async def read_clock(tx: Transaction, scope: Scope) -> datetime:
    """The database's time: for callers without a clock of their own."""
    del scope  # nobody's time in particular
    now = await tx.scalar(datetime, "SELECT now()")
    if now is None:
        msg = "the database has no clock"
        raise TypeError(msg)
    return now


async def _find_areas(tx: Transaction, scope: Scope, area_id: int | None) -> Sequence[int] | None:
    """The areas of the scope and below one; None for all there are."""
    places = await tx.fetch_one(_Places, _AREAS, {"area": area_id, "scope": scope_paths(scope)})
    if places is None or len(places.ids) == places.all_areas:
        return None
    return places.ids


def _values(wanted: AlertFilter, now: datetime) -> dict[str, object]:
    text = wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        "now": now,
        "device": wanted.device_id,
        "parent": wanted.parent_id,
        "rule": wanted.rule_id,
        "status": wanted.status,
        "severity": wanted.severity,
        "colour": wanted.colour,
        "is_open": wanted.is_open,
        "assignee": wanted.assigned_to,
        "folded_into": wanted.folded_into,
        "is_folded": wanted.is_folded,
        "is_drill": wanted.is_drill,
        "is_quiet": wanted.is_quiet,
        "text": f"%{text.translate(_LOWER)}%" if text else None,
    }


def _after(order: AlertOrder, cursor: str | None) -> dict[str, object]:
    match order:
        case AlertOrder.NEWEST:
            key = decode_cursor(cursor, (int,))
            return {"id": key[0] if key else None}
        case AlertOrder.DEADLINE:
            key = decode_cursor(cursor, (str, int))
            return {"due": key[0] if key else None, "id": key[1] if key else None}
        case AlertOrder.SEVERITY:
            key = decode_cursor(cursor, (int, int))
            return {"rank": key[0] if key else None, "id": key[1] if key else None}
        case _ as never:
            assert_never(never)


def _cursor(order: AlertOrder, last: Alert) -> str:
    match order:
        case AlertOrder.NEWEST:
            return encode_cursor(last.id)
        case AlertOrder.DEADLINE:
            due = last.deadline
            return encode_cursor("infinity" if due is None else due.isoformat(), last.id)
        case AlertOrder.SEVERITY:
            return encode_cursor(_RANKS[last.severity], last.id)
        case _ as never:
            assert_never(never)


def _typed(row: Alert) -> Alert:
    return replace(row, severity=Severity(row.severity), status=AlertStatus(row.status))
