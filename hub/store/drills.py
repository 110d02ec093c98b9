"""Exercises: which rule is to fire about which devices, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.domain.devices import Json, Registration
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.events import StoredEvent
from hub.domain.silences import Drill
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.events import add_events
from hub.store.notices import notify
from hub.store.rules import get_rule
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

CAUSE = "drill.cause"
OVER = "drill.over"
MOST_DEVICES = 1000
LONGEST = timedelta(days=1)

_DRILL = (
    "SELECT r.id, r.area_id, a.name AS area_name, r.name, r.rule_id, r.device_ids, r.author,"
    " r.started_at, r.ends_at, r.ended_at FROM drills r JOIN areas a ON a.id = r.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Device:
    id: int
    area_id: int
    area_path: str
    name: str
    registration: str


async def start_drill(tx: Transaction, scope: Scope, drill: Drill) -> Drill:
    """Start an exercise: the rule fires about each device, whatever it watches for.

    Its ``id``, ``author`` and ``ended_at`` are ignored.

    Raises:
        NotFound: the area, the rule or a device lies outside the scope.
        Conflict: a device is not approved.
        Invalid: a device lies outside the area or the rule's, or the end is no good.
    """
    area = await get_area(tx, scope, drill.area_id)
    rule = await get_rule(tx, scope, drill.rule_id)
    if not rule.is_enabled:
        msg = "the rule is switched off"
        raise Invalid(msg, field="rule_id")
    if not timedelta(0) < drill.ends_at - drill.started_at <= LONGEST:
        msg = f"an exercise lasts at most {LONGEST.days} day"
        raise Invalid(msg, field="ends_in_s")
    wanted = list(dict.fromkeys(drill.device_ids))
    if not 1 <= len(wanted) <= MOST_DEVICES:
        msg = f"name 1 to {MOST_DEVICES} devices"
        raise Invalid(msg, field="device_ids")
    devices = await _devices(tx, scope, wanted)
    if len(devices) < len(wanted):
        msg = "no such device"
        raise NotFound(msg)
    if any(device.registration != Registration.APPROVED for device in devices):
        msg = "only approved devices take part in an exercise"
        raise Conflict(msg)
    for path in (area.path, rule.area_path):
        if any(not _is_inside(device.area_path, path) for device in devices):
            msg = "every device must lie in the area of the exercise and in that of the rule"
            raise Invalid(msg, field="device_ids")
    number = await tx.scalar(
        int,
        "INSERT INTO drills (area_id, name, rule_id, device_ids, author, started_at, ends_at)"
        " VALUES (%(area)s, %(name)s, %(rule)s, %(devices)s, %(author)s, %(now)s, %(ends)s)"
        " RETURNING id",
        {
            "area": area.id,
            "name": drill.name,
            "rule": rule.id,
            "devices": wanted,
            "author": scope.actor,
            "now": drill.started_at,
            "ends": drill.ends_at,
        },
    )
    made = await get_drill(tx, scope, number or 0)
    await _announce(tx, scope, "drill.started", made)
    await add_events(tx, scope, [_event(CAUSE, made, d, drill.started_at) for d in devices])
    return made


async def end_drill(tx: Transaction, scope: Scope, drill_id: int, *, now: datetime) -> Drill:
    """End an exercise; its alerts are resolved.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: it is over already.
    """
    drill = await get_drill(tx, scope, drill_id)
    ended = await tx.execute(
        "UPDATE drills SET ended_at = greatest(started_at, %(now)s)"
        " WHERE id = %(id)s AND ended_at IS NULL",
        {"id": drill.id, "now": now},
    )
    if not ended:
        msg = "this exercise is over already"
        raise Conflict(msg)
    over = await get_drill(tx, scope, drill_id)
    await _announce(tx, scope, "drill.ended", over)
    devices = await _devices(tx, scope, over.device_ids)
    at = over.ended_at or now
    await add_events(tx, scope, [_event(OVER, over, device, at) for device in devices])
    return over


async def get_drill(tx: Transaction, scope: Scope, drill_id: int) -> Drill:
    """Return one exercise; raises NotFound outside the scope."""
    found = await get_drills(tx, scope, [drill_id])
    if not found:
        msg = "no such exercise"
        raise NotFound(msg)
    return found[drill_id]


async def get_drills(tx: Transaction, scope: Scope, drill_ids: Sequence[int]) -> dict[int, Drill]:
    """The exercises of the scope with these numbers."""
    rows = await tx.fetch(
        Drill,
        _DRILL + " r.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"ids": list(drill_ids), "scope": scope_paths(scope)},
    )
    return {row.id: row for row in rows}


async def list_drills(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Drill]:
    """Exercises, newest first, those of an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        Drill,
        _DRILL + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR r.id < %(after)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY r.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def due_drills(tx: Transaction, scope: Scope, now: datetime) -> list[int]:
    """The exercises whose time is over and that nobody ended."""
    rows = await tx.tuples(
        "SELECT r.id FROM drills r JOIN areas a ON a.id = r.area_id"
        " WHERE r.ended_at IS NULL AND r.ends_at <= %(now)s AND" + IN_SCOPE + "ORDER BY r.ends_at",
        {"now": now, "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def next_drill_end(tx: Transaction, scope: Scope) -> datetime | None:
    """When the next exercise ends by itself, None when none is under way."""
    return await tx.scalar(
        datetime,
        "SELECT min(r.ends_at) FROM drills r JOIN areas a ON a.id = r.area_id"
        " WHERE r.ended_at IS NULL AND" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )


async def _devices(tx: Transaction, scope: Scope, device_ids: Sequence[int]) -> list[_Device]:
    """Those of these devices that lie in the scope, in the order of their numbers."""
    return await tx.fetch(
        _Device,
        "SELECT d.id, d.area_id, a.path::text AS area_path, d.name, d.registration FROM devices d"
        " JOIN areas a ON a.id = d.area_id WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY d.id",
        {"ids": list(device_ids), "scope": scope_paths(scope)},
    )


async def _announce(tx: Transaction, scope: Scope, action: str, drill: Drill) -> None:
    await notify(tx, scope, "drills", [drill.id])
    deed = Deed(action=action, object_type="drill", object_id=str(drill.id), area_id=drill.area_id)
    detail: dict[str, Json] = {
        "name": drill.name,
        "rule_id": drill.rule_id,
        "devices": len(drill.device_ids),
    }
    await record(tx, scope, deed, detail)


def _event(kind: str, drill: Drill, device: _Device, at: datetime) -> StoredEvent:
    event = StoredEvent(
        id=0,
        kind=kind,
        area_id=device.area_id,
        area_path=device.area_path,
        at=at,
        received_at=at,
        device_id=device.id,
        device_name=device.name,
    )
    return replace(event, data={"drill": drill.id, "rule": drill.rule_id})


def _is_inside(area_path: str, of: str) -> bool:
    return area_path == of or area_path.startswith(of + ".")
