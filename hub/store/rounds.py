"""Patrol rounds: planned, begun, ended. Their stops are in :mod:`hub.store.stops`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.domain.patrol_details import parse_details
from hub.domain.patrols import PatrolMode, PatrolPlan, PatrolRound, RoundState, StopOrder
from hub.store import audit, notices
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "patrol-rounds"

_SELECT: Final = (
    "SELECT r.id, r.plan_id, r.plan_name, r.area_id, a.path::text AS area_path,"
    " a.name AS area_name, r.time_zone, r.window_s, r.seconds_per_stop, r.planned_at, r.state,"
    " r.mode, r.stop_order, r.details, r.ends_by, r.started_at, r.finished_at, r.reason,"
    " r.has_report, r.forecast_s, r.walker_id, r.walker_name, r.paused_at, r.paused_s,"
    " s.stops_planned, s.stops_seen, s.stops_not_seen, s.stops_open, s.stops_normal,"
    " s.stops_abnormal, s.stops_not_judged FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
    " CROSS JOIN LATERAL (SELECT r.counts[1] AS stops_planned, r.counts[2] AS stops_seen,"
    "  r.counts[3] AS stops_not_seen, r.counts[4] AS stops_open, r.counts[5] AS stops_normal,"
    "  r.counts[6] AS stops_abnormal, r.counts[7] AS stops_not_judged WHERE r.counts IS NOT NULL"
    "  UNION ALL SELECT count(*),"
    "  count(*) FILTER (WHERE verdict = 'seen'), count(*) FILTER (WHERE verdict = 'not_seen'),"
    "  count(*) FILTER (WHERE result = 'open'), count(*) FILTER (WHERE result = 'normal'),"
    "  count(*) FILTER (WHERE result = 'abnormal'), count(*) FILTER (WHERE result = 'not_judged')"
    "  FROM patrol_stops WHERE round_id = r.id HAVING r.counts IS NULL) s WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFilter:
    """What a list of rounds is narrowed to; empty fields narrow nothing.

    ``since`` and ``until`` bound ``planned_at``, the second excluded.
    """

    plan_id: int | None = None
    area_id: int | None = None
    state: RoundState | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A round as the driver gives it; what is JSON or an enum is not read yet."""

    id: int
    plan_id: int | None
    plan_name: str
    area_id: int
    area_path: str
    area_name: str
    time_zone: str
    window_s: int
    seconds_per_stop: float
    planned_at: datetime
    state: str
    mode: str
    stop_order: str
    details: Mapping[str, Json]
    ends_by: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    reason: str
    has_report: bool
    forecast_s: float | None
    walker_id: int | None
    walker_name: str
    paused_at: datetime | None
    paused_s: float
    stops_planned: int
    stops_seen: int
    stops_not_seen: int
    stops_open: int
    stops_normal: int
    stops_abnormal: int
    stops_not_judged: int

    def typed(self) -> PatrolRound:
        """The round it is."""
        return PatrolRound(
            id=self.id,
            plan_id=self.plan_id,
            plan_name=self.plan_name,
            area_id=self.area_id,
            area_path=self.area_path,
            area_name=self.area_name,
            time_zone=self.time_zone,
            window_s=self.window_s,
            seconds_per_stop=self.seconds_per_stop,
            planned_at=self.planned_at,
            state=RoundState(self.state),
            mode=PatrolMode(self.mode),
            order=StopOrder(self.stop_order),
            details=parse_details(self.details),
            ends_by=self.ends_by,
            started_at=self.started_at,
            finished_at=self.finished_at,
            reason=self.reason,
            has_report=self.has_report,
            forecast_s=self.forecast_s,
            walker_id=self.walker_id,
            walker_name=self.walker_name,
            paused_at=self.paused_at,
            paused_s=self.paused_s,
            stops_planned=self.stops_planned,
            stops_seen=self.stops_seen,
            stops_not_seen=self.stops_not_seen,
            stops_open=self.stops_open,
            stops_normal=self.stops_normal,
            stops_abnormal=self.stops_abnormal,
            stops_not_judged=self.stops_not_judged,
        )


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
        _Row,
        _SELECT + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR r.id < %(after)s)"
        " AND (%(plan)s::bigint IS NULL OR r.plan_id = %(plan)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(state)s::text IS NULL OR r.state = %(state)s)"
        " AND (%(since)s::timestamptz IS NULL OR r.planned_at >= %(since)s)"
        " AND (%(until)s::timestamptz IS NULL OR r.planned_at < %(until)s)"
        " ORDER BY r.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "plan": wanted.plan_id,
            "area": wanted.area_id,
            "state": wanted.state,
            "since": wanted.since,
            "until": wanted.until,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.typed() for row in rows[:count]], next=more)


async def find_round(tx: Transaction, scope: Scope, round_id: int) -> PatrolRound | None:
    """Return one round with its figures; None outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _SELECT + " r.id = %(id)s AND" + IN_SCOPE,
        {"id": round_id, "scope": scope_paths(scope)},
    )
    return None if row is None else row.typed()


async def get_round(tx: Transaction, scope: Scope, round_id: int) -> PatrolRound:
    """Return one round with its figures; raises NotFound outside the scope."""
    found = await find_round(tx, scope, round_id)
    if found is None:
        msg = "no such patrol round"
        raise NotFound(msg)
    return found


async def add_round(
    tx: Transaction, scope: Scope, plan: PatrolPlan, planned_at: datetime
) -> int | None:
    """Plan one round and return its number; None when this round is planned already."""
    number = await tx.scalar(
        int,
        "INSERT INTO patrol_rounds (plan_id, plan_name, area_id, time_zone, window_s,"
        " seconds_per_stop, planned_at, mode, stop_order, details, lasts_s, ends_by)"
        " SELECT p.id, p.name, p.area_id, p.time_zone, p.window_s, p.seconds_per_stop, %(at)s,"
        "  p.mode, p.stop_order, p.details, p.lasts_s, %(at)s + p.lasts_s * interval '1 second'"
        " FROM patrol_plans p JOIN areas a ON a.id = p.area_id WHERE p.id = %(plan)s AND"
        + IN_SCOPE
        + "ON CONFLICT (plan_id, planned_at) DO NOTHING RETURNING id",
        {"plan": plan.id, "at": planned_at, "scope": scope_paths(scope)},
    )
    if number is not None:
        await notices.notify(tx, scope, TOPIC, [number])
    return number


async def hold_round(tx: Transaction, scope: Scope, round_id: int) -> bool:
    """Hold a round of the scope until the commit; False when it is gone."""
    found = await tx.scalar(
        int,
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.id = %(id)s AND" + IN_SCOPE + "FOR NO KEY UPDATE OF r",
        {"id": round_id, "scope": scope_paths(scope)},
    )
    return found is not None


async def lock_round(tx: Transaction, scope: Scope, round_id: int) -> PatrolRound | None:
    """Return a round, held for this transaction; None when it is gone."""
    if not await hold_round(tx, scope, round_id):
        return None
    return await find_round(tx, scope, round_id)


async def is_plan_walking(tx: Transaction, scope: Scope, plan_id: int) -> bool:
    """Tell whether a round of this plan is running or paused."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
            " WHERE r.plan_id = %(plan)s AND r.state IN ('running', 'paused') AND" + IN_SCOPE + ")",
            {"plan": plan_id, "scope": scope_paths(scope)},
        )
    )


async def begin_round(
    tx: Transaction,
    scope: Scope,
    walk: PatrolRound,
    now: datetime,
    *,
    forecast_s: float | None = None,
) -> None:
    """Mark a round of :func:`lock_round` as running."""
    await tx.execute(
        "UPDATE patrol_rounds r SET state = 'running', started_at = %(now)s, touched_at = %(now)s,"
        " forecast_s = %(forecast)s FROM areas a WHERE a.id = r.area_id AND r.id = %(id)s AND"
        + IN_SCOPE,
        {"id": walk.id, "now": now, "forecast": forecast_s, "scope": scope_paths(scope)},
    )
    await notices.notify(tx, scope, TOPIC, [walk.id])


async def record_start_by_hand(tx: Transaction, scope: Scope, walk: PatrolRound) -> None:
    """Put on record who had a round walked out of turn."""
    await audit.record(tx, scope, deed("patrol_round.started", walk))


def deed(action: str, walk: PatrolRound) -> audit.Deed:
    """What the audit log says of something done with a round."""
    return audit.Deed(
        action=action, object_type="patrol_round", object_id=str(walk.id), area_id=walk.area_id
    )
