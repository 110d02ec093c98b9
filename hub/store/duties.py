"""Who answers for which area, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.calendars import build_calendar, parse_calendar
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.domain.escalations import Duty
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.receivers import check_receivers
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "duties"
_DUTY = (
    "SELECT y.id, y.area_id, a.path::text AS area_path, y.receiver_id, y.hours FROM duties y"
    " JOIN areas a ON a.id = y.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyBook:
    """Duties and names of areas by path, and who of those asked for is switched on."""

    duties: Mapping[str, Sequence[Duty]]
    names: Mapping[str, str]
    reachable: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    area_id: int
    area_path: str
    receiver_id: int
    hours: Mapping[str, Json] | None

    def duty(self) -> Duty:
        return Duty(
            id=self.id,
            area_id=self.area_id,
            receiver_id=self.receiver_id,
            hours=None if self.hours is None else parse_calendar(self.hours),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    path: str
    name: str


async def open_duty_book(
    tx: Transaction, scope: Scope, paths: Sequence[str], receiver_ids: Sequence[int]
) -> DutyBook:
    """Who answers for these areas and everything above them.

    Not narrowed to the scope: an alert of the caller's area climbs out of it. For the hub's own
    work, not for the caller.
    """
    del scope
    asked = {"paths": list(paths)}
    areas = await tx.fetch(
        _Name,
        "SELECT a.path::text AS path, a.name FROM areas a WHERE a.path @> ANY (%(paths)s::ltree[])",
        asked,
    )
    rows = await tx.fetch(_Row, _DUTY + " a.path @> ANY (%(paths)s::ltree[]) ORDER BY y.id", asked)
    duties: dict[str, list[Duty]] = {}
    for row in rows:
        duties.setdefault(row.area_path, []).append(row.duty())
    wanted = {row.receiver_id for row in rows} | set(receiver_ids)
    reachable = await tx.tuples(
        "SELECT v.id FROM receivers v WHERE v.id = ANY (%(ids)s) AND v.is_enabled"
        " AND v.removed_at IS NULL",
        {"ids": sorted(wanted)},
    )
    return DutyBook(
        duties=duties,
        names={area.path: area.name for area in areas},
        reachable=frozenset(int(str(number)) for (number,) in reachable),
    )


async def list_duties(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Duty]:
    """Duties by number, those of an area and below it when one is named.

    Those of receivers that were removed are among them: somebody must take them over.
    """
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _DUTY + IN_SCOPE + "AND y.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY y.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.duty() for row in rows[:count]], next=more)


async def get_duty(tx: Transaction, scope: Scope, duty_id: int) -> Duty:
    """Return one duty; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _DUTY + " y.id = %(id)s AND" + IN_SCOPE,
        {"id": duty_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such duty"
        raise NotFound(msg)
    return row.duty()


async def add_duty(tx: Transaction, scope: Scope, duty: Duty) -> Duty:
    """Let a receiver answer for an area of the scope; its hours are checked already.

    Raises:
        NotFound: the area or the receiver lies outside the scope.
        Conflict: it does so already.
    """
    await get_area(tx, scope, duty.area_id)
    await check_receivers(tx, scope, [duty.receiver_id])
    number = await tx.scalar(
        int,
        "INSERT INTO duties (area_id, receiver_id, hours) VALUES (%(area)s, %(receiver)s,"
        " %(hours)s) RETURNING id",
        _values(duty),
    )
    return await _changed(tx, scope, "duty.added", number or 0)


async def change_duty(tx: Transaction, scope: Scope, duty: Duty) -> Duty:
    """Replace a duty of the scope.

    Raises:
        NotFound: the duty, its area or a receiver other than before lies outside the scope.
        Conflict: the receiver answers for the area already.
    """
    before = await get_duty(tx, scope, duty.id)
    await get_area(tx, scope, duty.area_id)
    if duty.receiver_id != before.receiver_id:
        await check_receivers(tx, scope, [duty.receiver_id])
    await tx.execute(
        "UPDATE duties SET area_id = %(area)s, receiver_id = %(receiver)s, hours = %(hours)s"
        " WHERE id = %(id)s",
        _values(duty),
    )
    return await _changed(tx, scope, "duty.changed", duty.id)


async def remove_duty(tx: Transaction, scope: Scope, duty_id: int) -> None:
    """Remove a duty of the scope."""
    duty = await get_duty(tx, scope, duty_id)
    await tx.execute("DELETE FROM duties WHERE id = %(id)s", {"id": duty.id})
    await notify(tx, scope, TOPIC, [duty.id])
    await record(tx, scope, _deed("duty.removed", duty), {"receiver": duty.receiver_id})


async def _changed(tx: Transaction, scope: Scope, action: str, duty_id: int) -> Duty:
    duty = await get_duty(tx, scope, duty_id)
    await notify(tx, scope, TOPIC, [duty.id])
    detail: dict[str, Json] = {
        "receiver": duty.receiver_id,
        "hours": None if duty.hours is None else build_calendar(duty.hours),
    }
    await record(tx, scope, _deed(action, duty), detail)
    return duty


def _deed(action: str, duty: Duty) -> Deed:
    return Deed(action=action, object_type="duty", object_id=str(duty.id), area_id=duty.area_id)


def _values(duty: Duty) -> dict[str, object]:
    return {
        "id": duty.id,
        "area": duty.area_id,
        "receiver": duty.receiver_id,
        "hours": None if duty.hours is None else Jsonb(build_calendar(duty.hours)),
    }
