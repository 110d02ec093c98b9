"""Second looks: what a supervisor makes of stops that were judged, and which wait for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.patrols import PatrolStop, SecondLook
from hub.store import stop_results
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A stop that waits for a second look, with its round's name and checklist."""

    round_id: int
    plan_name: str
    planned_at: datetime
    checklist: Sequence[str]
    stop: PatrolStop


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    round_id: int
    position: int
    plan_name: str
    planned_at: datetime
    checklist: Sequence[str]


async def list_wanted(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Wanted]:
    """Stops of the scope's rounds that wait for a second look, those of the newest round first."""
    after = decode_cursor(cursor, (int, int))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        "SELECT s.round_id, s.position, r.plan_name, r.planned_at,"
        " coalesce(r.details->'checklist', '[]') AS checklist FROM patrol_stops s"
        " JOIN patrol_rounds r ON r.id = s.round_id JOIN areas a ON a.id = r.area_id"
        " WHERE s.second_look = 'wanted' AND" + IN_SCOPE + "AND (%(round)s::bigint IS NULL"
        "  OR (-s.round_id, s.position) > (-%(round)s::bigint, %(position)s::int))"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY s.round_id DESC, s.position LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "round": after[0] if after else None,
            "position": after[1] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    shown = rows[:count]
    found = await stop_results.get_stops(tx, scope, [(row.round_id, row.position) for row in shown])
    stops = {(stop.round_id, stop.position): stop for stop in found}
    items = [
        Wanted(
            round_id=row.round_id,
            plan_name=row.plan_name,
            planned_at=row.planned_at,
            checklist=tuple(row.checklist),
            stop=stops[row.round_id, row.position],
        )
        for row in shown
    ]
    more = encode_cursor(shown[-1].round_id, shown[-1].position) if len(rows) > count else None
    return Page(items=items, next=more)


async def judged_by_id(tx: Transaction, scope: Scope, round_id: int, position: int) -> int | None:
    """Number of the person who judged a stop of the scope; None for the machine or nobody."""
    return await tx.scalar(
        int,
        "SELECT s.judged_by_id FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
        " JOIN areas a ON a.id = r.area_id WHERE s.round_id = %(round)s"
        " AND s.position = %(position)s AND" + IN_SCOPE,
        {"round": round_id, "position": position, "scope": scope_paths(scope)},
    )


async def keep_second_look(
    tx: Transaction, scope: Scope, stop: PatrolStop, look: SecondLook, *, note: str, now: datetime
) -> bool:
    """Store what a second look came to; False when it is not wanted any more."""
    changed = await tx.execute(
        "UPDATE patrol_stops s SET second_look = %(look)s, second_by = %(actor)s,"
        " second_at = %(now)s, second_note = %(note)s"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.id = s.round_id"
        " AND s.round_id = %(round)s AND s.position = %(position)s"
        " AND s.second_look = 'wanted' AND" + IN_SCOPE,
        {
            "round": stop.round_id,
            "position": stop.position,
            "look": look,
            "actor": scope.actor,
            "now": now,
            "note": note,
            "scope": scope_paths(scope),
        },
    )
    return bool(changed)
