"""Patrol plans. What a rule means is for hub.patrols to check before a plan comes here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.domain.patrol_details import build_details, parse_details
from hub.domain.patrols import PatrolMode, PatrolPlan, StopOrder
from hub.store import audit, notices
from hub.store.database import Transaction
from hub.store.plan_names import check_names
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "patrol-plans"
MOST_PLACED: Final = 2000

_SELECT: Final = (
    "SELECT p.id, p.name, p.area_id, p.rrule, p.time_zone, p.starts_on, p.ends_on, p.exceptions,"
    " p.window_s, p.lasts_s, p.seconds_per_stop, p.mode, p.stop_order AS order, p.device_ids,"
    " p.details, p.is_enabled, a.name AS area_name"
    " FROM patrol_plans p JOIN areas a ON a.id = p.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An enabled plan, and until when its rounds are planned already."""

    plan: PatrolPlan
    area_path: str
    planned_through: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPlan:
    """A plan, and what its area is called."""

    plan: PatrolPlan
    area_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    area_id: int
    rrule: str
    time_zone: str
    starts_on: date
    ends_on: date | None
    exceptions: Sequence[date]
    window_s: int
    lasts_s: int | None
    seconds_per_stop: float
    mode: str
    order: str
    device_ids: Sequence[int] | None
    details: Mapping[str, Json]
    is_enabled: bool
    area_name: str

    def plan(self) -> PatrolPlan:
        return PatrolPlan(
            id=self.id,
            name=self.name,
            area_id=self.area_id,
            rrule=self.rrule,
            time_zone=self.time_zone,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            exceptions=tuple(self.exceptions),
            window_s=self.window_s,
            lasts_s=self.lasts_s,
            seconds_per_stop=self.seconds_per_stop,
            mode=PatrolMode(self.mode),
            order=StopOrder(self.order),
            device_ids=None if self.device_ids is None else tuple(self.device_ids),
            details=parse_details(self.details),
            is_enabled=self.is_enabled,
        )


async def list_plans(
    tx: Transaction, scope: Scope, *, limit: int | None = None, cursor: str | None = None
) -> Page[PatrolPlan]:
    """Plans of the scope by number, a page at a time."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.fetch(
        _Row,
        _SELECT + IN_SCOPE + "AND p.id > coalesce(%(after)s::bigint, 0)"
        " ORDER BY p.id LIMIT %(limit)s",
        {"scope": scope_paths(scope), "after": after[0] if after else None, "limit": count + 1},
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.plan() for row in rows[:count]], next=more)


async def get_plan(tx: Transaction, scope: Scope, plan_id: int) -> PatrolPlan:
    """Return one plan; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _SELECT + " p.id = %(id)s AND" + IN_SCOPE,
        {"id": plan_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such patrol plan"
        raise NotFound(msg)
    return row.plan()


async def add_plan(tx: Transaction, scope: Scope, plan: PatrolPlan, *, now: datetime) -> PatrolPlan:
    """Store a new, checked plan (its ``id`` is ignored); its first round is due after ``now``.

    Raises:
        NotFound: its area, or an area, a camera, a person or a receiver that it names, lies
            outside the scope.
        Invalid: the person who is to walk it may not operate in its area.
    """
    await check_names(tx, scope, plan, None)
    number = await tx.scalar(
        int,
        "INSERT INTO patrol_plans (name, area_id, rrule, time_zone, starts_on, ends_on,"
        " exceptions, window_s, lasts_s, seconds_per_stop, mode, stop_order, device_ids, details,"
        " is_enabled, planned_through)"
        " VALUES (%(name)s, %(area_id)s, %(rrule)s, %(time_zone)s, %(starts_on)s, %(ends_on)s,"
        " %(exceptions)s, %(window_s)s, %(lasts_s)s, %(seconds_per_stop)s, %(mode)s, %(order)s,"
        " %(device_ids)s, %(details)s, %(is_enabled)s, %(now)s) RETURNING id",
        {**_values(plan), "now": now},
    )
    stored = replace(plan, id=number or 0)
    await _record(tx, scope, "patrol_plan.created", stored)
    return stored


async def change_plan(tx: Transaction, scope: Scope, plan: PatrolPlan, *, now: datetime) -> None:
    """Replace a plan of the scope; rounds that were planned and not due yet are planned anew.

    Raises:
        NotFound: the plan lies outside the scope, or what is newly named in it.
        Invalid: the person who is to walk it may not operate in its area.
    """
    before = await get_plan(tx, scope, plan.id)
    await check_names(tx, scope, plan, before)
    await _forget_future_rounds(tx, plan.id, now)
    await tx.execute(
        "UPDATE patrol_plans SET name = %(name)s, area_id = %(area_id)s, rrule = %(rrule)s,"
        " time_zone = %(time_zone)s, starts_on = %(starts_on)s, ends_on = %(ends_on)s,"
        " exceptions = %(exceptions)s, window_s = %(window_s)s, lasts_s = %(lasts_s)s,"
        " seconds_per_stop = %(seconds_per_stop)s, mode = %(mode)s, stop_order = %(order)s,"
        " device_ids = %(device_ids)s, details = %(details)s, is_enabled = %(is_enabled)s,"
        " planned_through = %(now)s WHERE id = %(id)s",
        {**_values(plan), "now": now},
    )
    await _record(tx, scope, "patrol_plan.changed", plan)


async def remove_plan(tx: Transaction, scope: Scope, plan_id: int, *, now: datetime) -> None:
    """Remove a plan of the scope and its future rounds; past rounds and their reports stay."""
    plan = await get_plan(tx, scope, plan_id)
    await _forget_future_rounds(tx, plan_id, now)
    await tx.execute("DELETE FROM patrol_plans WHERE id = %(id)s", {"id": plan_id})
    await _record(tx, scope, "patrol_plan.removed", plan)


async def plans_on(tx: Transaction, scope: Scope) -> list[PlacedPlan]:
    """The plans of the scope that are switched on, for whoever wants to know when they come."""
    rows = await tx.fetch(
        _Row,
        _SELECT + " p.is_enabled AND" + IN_SCOPE + "ORDER BY p.id LIMIT %(most)s",
        {"most": MOST_PLACED, "scope": scope_paths(scope)},
    )
    return [PlacedPlan(plan=row.plan(), area_name=row.area_name) for row in rows]


async def enabled_plans(tx: Transaction, scope: Scope) -> list[Planned]:
    """Every enabled plan of the scope, locked until the transaction ends."""
    rows = await tx.tuples(
        "SELECT p.id, a.path::text, p.planned_through FROM patrol_plans p"
        " JOIN areas a ON a.id = p.area_id WHERE p.is_enabled AND"
        + IN_SCOPE
        + "ORDER BY p.id FOR UPDATE OF p",
        {"scope": scope_paths(scope)},
    )
    times = {row[0]: (str(row[1]), row[2]) for row in rows}
    rows_of_plans = await tx.fetch(
        _Row,
        _SELECT + " p.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY p.id",
        {"ids": list(times), "scope": scope_paths(scope)},
    )
    found = []
    for row in rows_of_plans:
        path, through = times[row.id]
        if isinstance(through, datetime):
            found.append(Planned(plan=row.plan(), area_path=path, planned_through=through))
    return found


async def set_planned_through(
    tx: Transaction, scope: Scope, plan_id: int, through: datetime
) -> None:
    """Note until when a plan's rounds exist."""
    await tx.execute(
        "UPDATE patrol_plans p SET planned_through = %(through)s FROM areas a"
        " WHERE a.id = p.area_id AND p.id = %(id)s AND" + IN_SCOPE,
        {"id": plan_id, "through": through, "scope": scope_paths(scope)},
    )


async def disable_plan(tx: Transaction, scope: Scope, plan_id: int, reason: str) -> None:
    """Switch a plan off that can no longer be used, and put the reason on record."""
    plan = await get_plan(tx, scope, plan_id)
    await tx.execute(
        "UPDATE patrol_plans SET is_enabled = false WHERE id = %(id)s", {"id": plan_id}
    )
    deed = audit.Deed(
        action="patrol_plan.disabled",
        object_type="patrol_plan",
        object_id=str(plan_id),
        area_id=plan.area_id,
    )
    await audit.record(tx, scope, deed, {"reason": reason})
    await notices.notify(tx, scope, TOPIC, [plan_id])


async def _forget_future_rounds(tx: Transaction, plan_id: int, now: datetime) -> None:
    await tx.execute(
        "DELETE FROM patrol_rounds WHERE plan_id = %(id)s AND state = 'due'"
        " AND planned_at > %(now)s",
        {"id": plan_id, "now": now},
    )


async def _record(tx: Transaction, scope: Scope, action: str, plan: PatrolPlan) -> None:
    deed = audit.Deed(
        action=action, object_type="patrol_plan", object_id=str(plan.id), area_id=plan.area_id
    )
    cameras = None if plan.device_ids is None else len(plan.device_ids)
    detail: dict[str, Json] = {
        "name": plan.name,
        "rrule": plan.rrule,
        "time_zone": plan.time_zone,
        "starts_on": plan.starts_on.isoformat(),
        "ends_on": None if plan.ends_on is None else plan.ends_on.isoformat(),
        "window_s": plan.window_s,
        "lasts_s": plan.lasts_s,
        "mode": plan.mode.value,
        "order": plan.order.value,
        "cameras": cameras,
        "details": build_details(plan.details),
        "is_enabled": plan.is_enabled,
    }
    await audit.record(tx, scope, deed, detail)
    await notices.notify(tx, scope, TOPIC, [plan.id])


def _values(plan: PatrolPlan) -> dict[str, object]:
    return {
        "id": plan.id,
        "name": plan.name,
        "area_id": plan.area_id,
        "rrule": plan.rrule,
        "time_zone": plan.time_zone,
        "starts_on": plan.starts_on,
        "ends_on": plan.ends_on,
        "exceptions": sorted(set(plan.exceptions)),
        "window_s": plan.window_s,
        "lasts_s": plan.lasts_s,
        "seconds_per_stop": plan.seconds_per_stop,
        "mode": plan.mode,
        "order": plan.order,
        "device_ids": None if plan.device_ids is None else list(dict.fromkeys(plan.device_ids)),
        "details": Jsonb(build_details(plan.details)),
        "is_enabled": plan.is_enabled,
    }
