"""What reports of patrols are counted from: stops already counted by area, all else row by row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import DispatchState, UnitKind
from hub.domain.duty_rooms import AnsweredBy, CallState
from hub.domain.patrols import (
    PatrolMode,
    PatrolStop,
    Result,
    RoundState,
    SecondLook,
    Timing,
    Verdict,
)
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths
from hub.store.stop_looks import MACHINE
from hub.store.stops import typed_stop

# What is shown before all else.
URGENT_KINDS: Final = ("fire_smoke", "water")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is counted: an area and below from ``since`` until before ``until``, or one round.

    What happened at ``as_of`` or later is not asked for where rows say when it happened.
    """

    area_path: str
    since: datetime
    until: datetime
    as_of: datetime
    round_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCount:
    """How many stops of a round and an area ended alike."""

    round_id: int
    area_id: int
    area_name: str
    area_path: str
    verdict: Verdict
    has_picture: bool
    result: Result
    kind: str
    timing: Timing
    second_look: SecondLook
    is_by_person: bool
    is_dispatched: bool
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFact:
    """A round of the span."""

    id: int
    plan_name: str
    area_name: str
    area_path: str
    mode: PatrolMode
    state: RoundState
    planned_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    ends_by: datetime | None
    walker_name: str
    reason: str
    paused_s: float
    forecast_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFact:
    """A question to a duty room."""

    area_id: int
    area_name: str
    area_path: str
    room_id: int | None
    room_name: str
    state: CallState
    asked_at: datetime
    answer_by: datetime
    answered_at: datetime | None
    answered_how: AnsweredBy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFact:
    """A dispatch; ``sent_at`` and what follows are of the unit that has it now."""

    id: int
    area_id: int
    area_name: str
    area_path: str
    kind: str
    state: DispatchState
    created_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    on_site_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    done_by: datetime | None
    deadline_at: datetime | None
    overdue_at: datetime | None
    unit_id: int | None
    unit_name: str
    unit_kind: UnitKind | None
    unit_area_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFact:
    """An area of the report; ``has_cameras``: approved ones stand in it itself."""

    id: int
    name: str
    path: str
    has_cameras: bool


# A stop ``s`` and its area ``a``. A stop whose area is gone counts for the round's.
_STOPS: Final = (
    " FROM patrol_rounds r JOIN patrol_stops s ON s.round_id = r.id"
    " JOIN areas w ON w.id = r.area_id LEFT JOIN areas own ON own.id = s.area_id"
    " CROSS JOIN LATERAL (SELECT coalesce(own.id, w.id) AS id,"
    "  coalesce(own.name, s.area_name) AS name, coalesce(own.path, w.path) AS path) a"
)
_ROUND_OR_SPAN: Final = (
    " (r.id = %(round)s OR %(round)s::bigint IS NULL"
    "  AND r.planned_at >= %(since)s AND r.planned_at < %(until)s AND r.planned_at < %(as_of)s"
)


async def count_stops(tx: Transaction, scope: Scope, span: Span) -> list[StopCount]:
    """The stops of the span within the scope, counted by round, area and how they ended."""
    rows = await tx.search(
        StopCount,
        "SELECT s.round_id, a.id AS area_id, a.name AS area_name, a.path::text AS area_path,"
        " s.verdict, s.has_picture, s.result, s.kind, s.timing, s.second_look,"
        " s.judged_by NOT IN ('', %(machine)s) AS is_by_person,"
        " s.dispatch_id IS NOT NULL AS is_dispatched, count(*) AS number"
        + _STOPS
        + " WHERE"
        + _ROUND_OR_SPAN
        + " AND a.path <@ %(area)s::ltree) AND"
        + IN_SCOPE
        + "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 ORDER BY 1, 2",
        {**_params(scope, span), "machine": MACHINE},
    )
    return [
        replace(
            row,
            verdict=Verdict(row.verdict),
            result=Result(row.result),
            timing=Timing(row.timing),
            second_look=SecondLook(row.second_look),
        )
        for row in rows
    ]


async def list_rounds(tx: Transaction, scope: Scope, span: Span) -> list[RoundFact]:
    """Rounds of the span whose area lies in the span's, or around it, the earliest first."""
    rows = await tx.search(
        RoundFact,
        "SELECT r.id, r.plan_name, a.name AS area_name, a.path::text AS area_path, r.mode,"
        " r.state, r.planned_at, r.started_at, r.finished_at, r.ends_by, r.walker_name, r.reason,"
        " r.paused_s, r.forecast_s FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE"
        + _ROUND_OR_SPAN
        + " AND (a.path <@ %(area)s::ltree OR a.path @> %(area)s::ltree)) AND"
        + IN_SCOPE
        + "ORDER BY r.planned_at, r.id",
        _params(scope, span),
    )
    return [replace(row, mode=PatrolMode(row.mode), state=RoundState(row.state)) for row in rows]


async def list_calls(tx: Transaction, scope: Scope, span: Span) -> list[CallFact]:
    """Questions to duty rooms of the span, in the order they were asked."""
    rows = await tx.search(
        CallFact,
        "SELECT c.area_id, a.name AS area_name, a.path::text AS area_path, c.room_id, c.room_name,"
        " c.state, c.asked_at, c.answer_by, c.answered_at, c.answered_how"
        " FROM room_calls c JOIN areas a ON a.id = c.area_id"
        " WHERE (c.round_id = %(round)s OR %(round)s::bigint IS NULL"
        "  AND c.asked_at >= %(since)s AND c.asked_at < %(until)s AND c.asked_at < %(as_of)s"
        "  AND a.path <@ %(area)s::ltree) AND" + IN_SCOPE + "ORDER BY c.asked_at, c.id",
        _params(scope, span),
    )
    return [
        replace(
            row,
            state=CallState(row.state),
            answered_how=None if row.answered_how is None else AnsweredBy(row.answered_how),
        )
        for row in rows
    ]


async def list_tasks(tx: Transaction, scope: Scope, span: Span) -> list[TaskFact]:
    """Tasks that were open at some time of the span, or came from its round, by number."""
    rows = await tx.search(
        TaskFact,
        "SELECT d.id, d.area_id, a.name AS area_name, a.path::text AS area_path, d.kind, d.state,"
        " d.created_at, d.sent_at, d.accepted_at, d.on_site_at, d.done_at, d.closed_at, d.done_by,"
        " d.deadline_at, d.overdue_at, d.unit_id, d.unit_name, u.kind AS unit_kind,"
        " coalesce(ua.name, '') AS unit_area_name"
        " FROM dispatches d JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN field_units u ON u.id = d.unit_id LEFT JOIN areas ua ON ua.id = u.area_id"
        " WHERE (d.round_id = %(round)s OR %(round)s::bigint IS NULL"
        "  AND d.created_at < %(until)s AND a.path <@ %(area)s::ltree"
        "  AND (d.closed_at IS NULL OR d.closed_at >= %(since)s OR d.created_at >= %(since)s))"
        " AND d.created_at < %(as_of)s AND" + IN_SCOPE + "ORDER BY d.id",
        _params(scope, span),
    )
    return [
        replace(
            row,
            state=DispatchState(row.state),
            unit_kind=None if row.unit_kind is None else UnitKind(row.unit_kind),
        )
        for row in rows
    ]


async def list_findings(
    tx: Transaction, scope: Scope, span: Span, *, limit: int
) -> list[PatrolStop]:
    """Stops of the span that are not normal, or disputed; what cannot wait comes first."""
    rows = await tx.search(
        PatrolStop,
        "SELECT s.round_id, s.position, s.device_id, s.device_name, s.area_id, s.area_name,"
        " s.verdict, s.reason, s.layer, s.detail, s.has_picture, s.at, s.due_at, s.remarks,"
        " s.doubt, s.picture_sha256, s.result, s.kind, s.note, s.judged_by, s.judged_at,"
        " s.timing, s.second_look, s.second_by, s.second_note, s.dispatch_id"
        + _STOPS
        + " WHERE"
        + _ROUND_OR_SPAN
        + " AND a.path <@ %(area)s::ltree)"
        " AND (s.result <> 'normal' OR s.second_look = 'disagreed') AND"
        + IN_SCOPE
        + "ORDER BY s.result <> 'abnormal', s.kind <> ALL (%(urgent)s::text[]), s.doubt DESC,"
        " s.round_id, s.position LIMIT %(limit)s",
        {**_params(scope, span), "limit": limit, "urgent": list(URGENT_KINDS)},
    )
    return [typed_stop(row) for row in rows]


async def list_areas(tx: Transaction, scope: Scope, area_path: str) -> list[AreaFact]:
    """An area of the scope and all below it, and whether cameras stand in each."""
    return await tx.search(
        AreaFact,
        "SELECT a.id, a.name, a.path::text AS path, EXISTS (SELECT FROM devices d"
        "  WHERE d.area_id = a.id AND d.registration = 'approved' AND (d.kind = 'camera'"
        "   OR EXISTS (SELECT FROM channels c WHERE c.device_id = d.id))) AS has_cameras"
        " FROM areas a WHERE a.path <@ %(area)s::ltree AND" + IN_SCOPE + "ORDER BY a.path",
        {"scope": scope_paths(scope), "area": area_path},
    )


async def active_areas(
    tx: Transaction, scope: Scope, since: datetime, until: datetime
) -> list[tuple[int, datetime | None]]:
    """Areas of the scope that have something to report, and when a round there ended last.

    They are the areas of rounds, and the roots above rounds, questions and tasks.
    """
    rows = await tx.search(
        _Active,
        "WITH busy AS (SELECT a.id, a.path, r.finished_at FROM patrol_rounds r"
        "  JOIN areas a ON a.id = r.area_id"
        "  WHERE r.planned_at >= %(since)s AND r.planned_at < %(until)s AND" + IN_SCOPE + "),"
        " places AS (SELECT path, finished_at FROM busy UNION ALL"
        "  SELECT a.path, NULL FROM dispatches d JOIN areas a ON a.id = d.area_id"
        "  WHERE d.created_at >= %(since)s AND d.created_at < %(until)s AND"
        + IN_SCOPE
        + "UNION ALL"
        "  SELECT a.path, NULL FROM room_calls c JOIN areas a ON a.id = c.area_id"
        "  WHERE c.asked_at >= %(since)s AND c.asked_at < %(until)s AND" + IN_SCOPE + ")"
        " SELECT a.id, max(p.finished_at) AS ended_at FROM areas a"
        " JOIN places p ON p.path <@ a.path"
        " WHERE (a.parent_id IS NULL OR a.id IN (SELECT id FROM busy)) AND"
        + IN_SCOPE
        + "GROUP BY a.id ORDER BY a.id",
        {"since": since, "until": until, "scope": scope_paths(scope)},
    )
    return [(row.id, row.ended_at) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Active:
    id: int
    ended_at: datetime | None


def _params(scope: Scope, span: Span) -> Mapping[str, object]:
    return {
        "scope": scope_paths(scope),
        "area": span.area_path,
        "since": span.since,
        "until": span.until,
        "as_of": span.as_of,
        "round": span.round_id,
    }
