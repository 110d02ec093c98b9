"""Patrol rounds: planned, begun, ended. Their stops are in :mod:`hub.store.stops`."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.domain.errors import Conflict, NotFound
from hub.domain.events import Severity, StoredEvent
from hub.domain.patrols import PatrolPlan, PatrolRound, RoundState
from hub.store import audit, events, notices
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "patrol-rounds"

_SELECT = (
    "SELECT r.id, r.plan_id, r.plan_name, r.area_id, a.path::text AS area_path,"
    " a.name AS area_name, r.time_zone, r.window_s, r.seconds_per_stop, r.planned_at, r.state,"
    " r.started_at, r.finished_at, r.reason, r.has_report, s.stops_planned, s.stops_seen,"
    " s.stops_not_seen FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
    " CROSS JOIN LATERAL (SELECT count(*) AS stops_planned,"
    "  count(*) FILTER (WHERE verdict = 'seen') AS stops_seen,"
    "  count(*) FILTER (WHERE verdict = 'not_seen') AS stops_not_seen"
    "  FROM patrol_stops WHERE round_id = r.id) s WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFilter:
    """What a list of rounds is narrowed to; empty fields narrow nothing."""

    plan_id: int | None = None
    area_id: int | None = None
    state: RoundState | None = None


async def list_rounds(
    tx: Transaction,
    scope: Scope,
    wanted: RoundFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[PatrolRound]:
    """Rounds of the scope, newest first, each with its figures."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        PatrolRound,
        _SELECT + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR r.id < %(after)s)"
        " AND (%(plan)s::bigint IS NULL OR r.plan_id = %(plan)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(state)s::text IS NULL OR r.state = %(state)s)"
        " ORDER BY r.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "plan": wanted.plan_id,
            "area": wanted.area_id,
            "state": wanted.state,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def get_round(tx: Transaction, scope: Scope, round_id: int) -> PatrolRound:
    """Return one round with its figures; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        PatrolRound,
        _SELECT + " r.id = %(id)s AND" + IN_SCOPE,
        {"id": round_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such patrol round"
        raise NotFound(msg)
    return _typed(row)


async def add_round(
    tx: Transaction, scope: Scope, plan: PatrolPlan, planned_at: datetime
) -> int | None:
    """Plan one round and return its number; None when this round is planned already."""
    number = await tx.scalar(
        int,
        "INSERT INTO patrol_rounds"
        " (plan_id, plan_name, area_id, time_zone, window_s, seconds_per_stop, planned_at)"
        " SELECT p.id, p.name, p.area_id, p.time_zone, p.window_s, p.seconds_per_stop, %(at)s"
        " FROM patrol_plans p JOIN areas a ON a.id = p.area_id WHERE p.id = %(plan)s AND"
        + IN_SCOPE
        + "ON CONFLICT (plan_id, planned_at) DO NOTHING RETURNING id",
        {"plan": plan.id, "at": planned_at, "scope": scope_paths(scope)},
    )
    if number is not None:
        await notices.notify(tx, scope, TOPIC, [number])
    return number


async def lock_round(tx: Transaction, scope: Scope, round_id: int) -> PatrolRound | None:
    """Return a round, held for this transaction; None when it is gone."""
    found = await tx.scalar(
        int,
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.id = %(id)s AND" + IN_SCOPE + "FOR UPDATE OF r",
        {"id": round_id, "scope": scope_paths(scope)},
    )
    return None if found is None else await get_round(tx, scope, round_id)


async def is_plan_walking(tx: Transaction, scope: Scope, plan_id: int) -> bool:
    """Tell whether a round of this plan is running."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
            " WHERE r.plan_id = %(plan)s AND r.state = 'running' AND" + IN_SCOPE + ")",
            {"plan": plan_id, "scope": scope_paths(scope)},
        )
    )


async def begin_round(tx: Transaction, scope: Scope, walk: PatrolRound, now: datetime) -> None:
    """Mark a round of :func:`lock_round` as running."""
    await tx.execute(
        "UPDATE patrol_rounds SET state = 'running', started_at = %(now)s, touched_at = %(now)s"
        " WHERE id = %(id)s",
        {"id": walk.id, "now": now},
    )
    await notices.notify(tx, scope, TOPIC, [walk.id])


async def finish_round(
    tx: Transaction, scope: Scope, round_id: int, *, now: datetime, report_trouble: str
) -> bool:
    """End a running round, once, and store the event; False when it does not run any more."""
    walk = await lock_round(tx, scope, round_id)
    if walk is None or walk.state is not RoundState.RUNNING:
        return False
    await tx.execute(
        "UPDATE patrol_rounds SET state = 'finished', finished_at = %(now)s, touched_at = %(now)s,"
        " has_report = %(has_report)s, reason = %(trouble)s WHERE id = %(id)s",
        {
            "id": round_id,
            "now": now,
            "has_report": not report_trouble,
            "trouble": report_trouble,
        },
    )
    is_clean = walk.stops_planned > 0 and walk.stops_seen == walk.stops_planned
    await _announce(
        tx,
        scope,
        walk,
        StoredEvent(
            id=0,
            kind="patrol.round_finished",
            area_id=walk.area_id,
            area_path=walk.area_path,
            at=now,
            received_at=now,
            severity=Severity.INFO if is_clean and not report_trouble else Severity.WARNING,
            data={
                "round": walk.id,
                "plan": walk.plan_name,
                "planned_at": walk.planned_at.isoformat(),
                "planned": walk.stops_planned,
                "seen": walk.stops_seen,
                "not_seen": walk.stops_not_seen,
                "report": report_trouble or "kept",
            },
        ),
    )
    return True


async def miss_round(
    tx: Transaction, scope: Scope, walk: PatrolRound, *, now: datetime, reason: str, earlier: int
) -> None:
    """Mark a due round of :func:`lock_round` as missed and store the event that says so.

    ``earlier`` counts the missed rounds before it that have no row of their own.
    """
    await tx.execute(
        "UPDATE patrol_rounds SET state = 'missed', reason = %(reason)s WHERE id = %(id)s",
        {"id": walk.id, "reason": reason},
    )
    await _announce(
        tx,
        scope,
        walk,
        StoredEvent(
            id=0,
            kind="patrol.round_missed",
            area_id=walk.area_id,
            area_path=walk.area_path,
            at=now,
            received_at=now,
            severity=Severity.WARNING,
            data={
                "round": walk.id,
                "plan": walk.plan_name,
                "planned_at": walk.planned_at.isoformat(),
                "window_s": walk.window_s,
                "reason": reason,
                "earlier_missed": earlier,
            },
        ),
    )


async def cancel_round(tx: Transaction, scope: Scope, round_id: int, *, now: datetime) -> None:
    """Stop a due or running round of the scope; what was seen stays.

    Raises:
        Conflict: it is over already.
    """
    walk = await lock_round(tx, scope, round_id)
    if walk is None:
        msg = "no such patrol round"
        raise NotFound(msg)
    if walk.state not in {RoundState.DUE, RoundState.RUNNING}:
        msg = "this round is over"
        raise Conflict(msg)
    await tx.execute(
        "UPDATE patrol_rounds SET state = 'cancelled', finished_at = %(now)s,"
        " reason = %(reason)s WHERE id = %(id)s",
        {"id": round_id, "now": now, "reason": f"cancelled by {scope.actor}"},
    )
    await audit.record(tx, scope, _deed("patrol_round.cancelled", walk))
    await notices.notify(tx, scope, TOPIC, [round_id])


async def record_start_by_hand(tx: Transaction, scope: Scope, walk: PatrolRound) -> None:
    """Put on record who had a round walked out of turn."""
    await audit.record(tx, scope, _deed("patrol_round.started", walk))


async def overdue_rounds(tx: Transaction, scope: Scope, now: datetime) -> list[PatrolRound]:
    """Due rounds of the scope whose window is over, oldest first, at most 500."""
    rows = await tx.fetch(
        PatrolRound,
        _SELECT + IN_SCOPE + "AND r.state = 'due'"
        " AND r.planned_at + r.window_s * interval '1 second' < %(now)s"
        " ORDER BY r.planned_at, r.id LIMIT 500",
        {"now": now, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def revive_idle(tx: Transaction, scope: Scope, now: datetime, idle: timedelta) -> list[int]:
    """Return the rounds that should be walking and gave no sign of life for a stop and ``idle``.

    That they were returned counts as a sign of life.
    """
    rows = await tx.tuples(
        "UPDATE patrol_rounds r SET touched_at = %(now)s FROM areas a WHERE a.id = r.area_id"
        " AND r.state IN ('due', 'running')"
        " AND coalesce(r.touched_at, r.planned_at) + r.seconds_per_stop * interval '1 second'"
        "  < %(since)s AND" + IN_SCOPE + "RETURNING r.id",
        {"now": now, "since": now - idle, "scope": scope_paths(scope)},
    )
    return [int(str(row[0])) for row in rows]


async def _announce(tx: Transaction, scope: Scope, walk: PatrolRound, event: StoredEvent) -> None:
    await notices.notify(tx, scope, TOPIC, [walk.id])
    await events.add_events(tx, scope, [event])


def _deed(action: str, walk: PatrolRound) -> audit.Deed:
    return audit.Deed(
        action=action, object_type="patrol_round", object_id=str(walk.id), area_id=walk.area_id
    )


def _typed(row: PatrolRound) -> PatrolRound:
    return replace(row, state=RoundState(row.state))
