"""Planned maintenance: windows of a device, or of an area and all below it.

A window is never removed, for figures of the past need it: it ends early, and one that has not
begun ends where it would begin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "maintenance-windows"
LONGEST: Final = timedelta(days=90)

# A device's windows go with it when it moves to another area.
_FROM = (
    " FROM maintenance_windows w LEFT JOIN devices d ON d.id = w.device_id"
    " JOIN areas a ON a.id = coalesce(d.area_id, w.area_id) "
)
_STATE = (
    "CASE WHEN w.ends_at <= greatest(w.starts_at, %(now)s) THEN 'over'"
    " WHEN w.starts_at > %(now)s THEN 'planned' ELSE 'in_force' END"
)
_WINDOW = (
    "SELECT w.id, a.id AS area_id, a.path::text AS area_path, a.name AS area_name, w.device_id,"
    " coalesce(d.name, '') AS device_name, w.starts_at, w.ends_at, w.reason, w.author,"
    " w.created_at, " + _STATE + " AS state" + _FROM + "WHERE"
)


class WindowState(StrEnum):
    """Where a window stands; one taken back before it began is over."""

    PLANNED = "planned"
    IN_FORCE = "in_force"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """A window as the store returns it; ``device_id`` is None for a whole area."""

    id: int
    area_id: int
    area_path: str
    area_name: str
    device_id: int | None
    device_name: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    author: str
    created_at: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWindow:
    """What shall be maintained, from when until when, and why; of an area or of a device."""

    area_id: int | None = None
    device_id: int | None = None
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A window that has come into force, or that no longer is in force."""

    window: MaintenanceWindow
    has_begun: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A device that came into a window, left one, or went from one into another."""

    device_id: int
    from_window: int | None
    to_window: int | None


async def plan_window(
    tx: Transaction, scope: Scope, new: NewWindow, *, now: datetime
) -> MaintenanceWindow:
    """Plan a window; a beginning in the past becomes now.

    Raises:
        NotFound: the area or the device lies outside the scope.
        Invalid: neither or both are named, or it ends too early or lasts too long.
    """
    if (new.area_id is None) == (new.device_id is None):
        msg = "name an area or a device"
        raise Invalid(msg, field="area_id")
    if new.device_id is not None:
        area_id = (await get_device(tx, scope, new.device_id)).area_id
    else:
        area_id = (await get_area(tx, scope, new.area_id or 0)).id
    starts_at = max(new.starts_at, now)
    if not timedelta(0) < new.ends_at - starts_at <= LONGEST:
        msg = f"a window ends after it begins and lasts at most {LONGEST.days} days"
        raise Invalid(msg, field="ends_at")
    number = await tx.scalar(
        int,
        "INSERT INTO maintenance_windows"
        " (area_id, device_id, starts_at, ends_at, reason, author, created_at)"
        " VALUES (%(area)s, %(device)s, %(starts)s, %(ends)s, %(reason)s, %(author)s, %(now)s)"
        " RETURNING id",
        {
            "area": area_id,
            "device": new.device_id,
            "starts": starts_at,
            "ends": new.ends_at,
            "reason": new.reason,
            "author": scope.actor,
            "now": now,
        },
    )
    window = await get_window(tx, scope, number or 0, now=now)
    await _tell(tx, scope, "maintenance_window.planned", window)
    return window


async def end_window(
    tx: Transaction, scope: Scope, window_id: int, *, now: datetime
) -> MaintenanceWindow:
    """End a window now; one that has not begun never will.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: it is over already.
    """
    window = await get_window(tx, scope, window_id, now=now)
    changed = await tx.execute(
        "UPDATE maintenance_windows SET ends_at = greatest(starts_at, %(now)s)"
        " WHERE id = %(id)s AND ends_at > greatest(starts_at, %(now)s)",
        {"id": window.id, "now": now},
    )
    if not changed:
        msg = "this window is over already"
        raise Conflict(msg)
    window = await get_window(tx, scope, window_id, now=now)
    await _tell(tx, scope, "maintenance_window.ended", window)
    return window


async def get_window(
    tx: Transaction, scope: Scope, window_id: int, *, now: datetime
) -> MaintenanceWindow:
    """Return one window; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        MaintenanceWindow,
        _WINDOW + " w.id = %(id)s AND" + IN_SCOPE,
        {"id": window_id, "now": now, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such maintenance window"
        raise NotFound(msg)
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFilter:
    """What a list of windows is narrowed to; empty fields narrow nothing.

    ``area_id`` takes in everything below the area.
    """

    area_id: int | None = None
    device_id: int | None = None
    state: WindowState | None = None


async def list_windows(
    tx: Transaction,
    scope: Scope,
    wanted: WindowFilter,
    *,
    now: datetime,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[MaintenanceWindow]:
    """Windows, the latest beginning first, narrowed, a page at a time."""
    after = decode_cursor(cursor, (str, int))
    count = page_limit(limit)
    rows = await tx.search(
        MaintenanceWindow,
        _WINDOW
        + IN_SCOPE
        + "AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(device)s::bigint IS NULL OR w.device_id = %(device)s)"
        " AND (%(state)s::text IS NULL OR " + _STATE + " = %(state)s)"
        " AND (%(at)s::timestamptz IS NULL"
        "  OR (w.starts_at, w.id) < (%(at)s::timestamptz, %(id)s::bigint))"
        " ORDER BY w.starts_at DESC, w.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "now": now,
            "area": wanted.area_id,
            "device": wanted.device_id,
            "state": wanted.state,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": count + 1,
        },
    )
    more = None
    if len(rows) > count:
        last = rows[count - 1]
        more = encode_cursor(last.starts_at.isoformat(), last.id)
    return Page(items=rows[:count], next=more)


async def apply_windows(tx: Transaction, scope: Scope, now: datetime) -> list[Moved]:
    """Put every device of the scope into the window that holds it at this moment, or into none.

    Of several windows it is the one that ends last. One statement, whatever was the case before:
    it compares what is in force with what the devices hold. Rows are locked in the order of
    their numbers, as everywhere, so that two writers never wait for each other.
    """
    return await tx.fetch(
        Moved,
        "WITH in_force AS MATERIALIZED (SELECT w.id, w.device_id, r.path, w.ends_at"
        "   FROM maintenance_windows w JOIN areas r ON r.id = w.area_id"
        "   WHERE w.starts_at <= %(now)s AND w.ends_at > %(now)s),"
        " placed AS MATERIALIZED (SELECT DISTINCT ON (a.id) a.id AS area_id, f.id, f.ends_at"
        "   FROM in_force f JOIN areas a ON a.path <@ f.path WHERE f.device_id IS NULL"
        "   ORDER BY a.id, f.ends_at DESC, nlevel(f.path), f.id),"
        " wanted AS (SELECT DISTINCT ON (device_id) device_id, id FROM"
        "   (SELECT d.id AS device_id, p.id, p.ends_at, 0 AS rank"
        "     FROM placed p JOIN devices d ON d.area_id = p.area_id"
        "    UNION ALL SELECT f.device_id, f.id, f.ends_at, 1 FROM in_force f"
        "     WHERE f.device_id IS NOT NULL) AS every"
        "   ORDER BY device_id, ends_at DESC, rank, id),"
        " held AS (SELECT device_id, window_id FROM device_status WHERE window_id IS NOT NULL),"
        " differing AS (SELECT coalesce(n.device_id, h.device_id) AS device_id, n.id AS wanted_id"
        "   FROM wanted n FULL JOIN held h ON h.device_id = n.device_id"
        "   WHERE n.id IS DISTINCT FROM h.window_id),"
        " locked AS (SELECT s.device_id, s.window_id, x.wanted_id FROM differing x"
        "   JOIN device_status s ON s.device_id = x.device_id"
        "   JOIN devices d ON d.id = s.device_id JOIN areas a ON a.id = d.area_id WHERE"
        + IN_SCOPE
        + "  ORDER BY s.device_id FOR UPDATE OF s)"
        " UPDATE device_status s SET window_id = l.wanted_id FROM locked l"
        " WHERE s.device_id = l.device_id RETURNING s.device_id, l.window_id AS from_window,"
        " l.wanted_id AS to_window",
        {"now": now, "scope": scope_paths(scope)},
    )


async def take_turns(tx: Transaction, scope: Scope, now: datetime) -> list[Turn]:
    """Windows that came into force or went out of it since this was asked last; each once."""
    rows = await tx.tuples(
        "UPDATE maintenance_windows SET is_announced = NOT is_announced WHERE id IN"
        " (SELECT w.id" + _FROM + "WHERE (w.is_announced OR w.ends_at > %(now)s)"
        "  AND w.is_announced IS DISTINCT FROM (w.starts_at <= %(now)s AND w.ends_at > %(now)s)"
        "  AND" + IN_SCOPE + ") RETURNING id, is_announced",
        {"now": now, "scope": scope_paths(scope)},
    )
    begun = {int(str(number)): bool(has_begun) for number, has_begun in rows}
    windows = await _get_windows(tx, scope, sorted(begun), now)
    return [Turn(window=window, has_begun=begun[window.id]) for window in windows]


async def _get_windows(
    tx: Transaction, scope: Scope, ids: Sequence[int], now: datetime
) -> list[MaintenanceWindow]:
    if not ids:
        return []
    return await tx.fetch(
        MaintenanceWindow,
        _WINDOW + " w.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY w.id",
        {"ids": ids, "now": now, "scope": scope_paths(scope)},
    )


async def _tell(tx: Transaction, scope: Scope, action: str, window: MaintenanceWindow) -> None:
    await notify(tx, scope, TOPIC, [window.id])
    deed = Deed(
        action=action,
        object_type="maintenance_window",
        object_id=str(window.id),
        area_id=window.area_id,
    )
    detail: Mapping[str, object] = {
        "device_id": window.device_id,
        "starts_at": window.starts_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "reason": window.reason,
    }
    await record(tx, scope, deed, detail)
