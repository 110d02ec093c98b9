"""Which cameras a plan may stop at, when each was looked at last, and how long rounds took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.patrols import PatrolPlan
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# So many of the last rounds say how long the next one takes.
ROUNDS_MEASURED: Final = 10
# Fewer stops than this say nothing of a person's pace.
LEAST_JUDGED: Final = 5

_SELECTED: Final[LiteralString] = (
    " WHERE d.registration = 'approved'"
    " AND (d.kind = 'camera' OR EXISTS (SELECT FROM channels c WHERE c.device_id = d.id))"
    " AND a.path <@ %(path)s::ltree"
    " AND (%(ids)s::bigint[] IS NULL OR d.id = ANY (%(ids)s::bigint[]))"
    " AND (%(areas)s::bigint[] = '{}' OR EXISTS (SELECT FROM areas b"
    "  WHERE b.id = ANY (%(areas)s::bigint[]) AND a.path <@ b.path))"
    " AND (%(classes)s::text[] = '{}' OR d.class = ANY (%(classes)s::text[]))"
    " AND (%(tags)s::text[] = '{}' OR d.tags && %(tags)s::text[]) AND" + IN_SCOPE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A camera that a plan may stop at; without coordinates it is nowhere on the map."""

    device_id: int
    name: str
    area_id: int
    area_name: str
    area_path: str
    longitude: float | None = None
    latitude: float | None = None
    has_ptz: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Medians:
    """What the last ``rounds`` rounds took; None where too few say anything.

    ``machine_s``: per stop, from the round's begin to the machine's last look, all groups
    together. ``person_s``: between two stops that people judged. ``person_share`` of the stops
    was left to people.
    """

    rounds: int = 0
    machine_s: float | None = None
    person_s: float | None = None
    person_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRound:
    """How long a round took, pauses left out, against what was thought when it began."""

    id: int
    planned_at: datetime
    stops: int
    forecast_s: float | None
    took_s: float
    over_s: float  # by so much its window was too short; 0: it kept it
    stops_missed: int

    @property
    def missed_by_s(self) -> float | None:
        """By so much it took longer (negative: less) than was thought."""
        return None if self.forecast_s is None else self.took_s - self.forecast_s


async def candidates(
    tx: Transaction, scope: Scope, area_path: str, plan: PatrolPlan
) -> list[Candidate]:
    """Approved cameras of an area and below, within the scope, that the plan's selection leaves.

    Village by village, by name. Its polygon is left to hub.patrols.planning.selecting.
    """
    chosen = plan.details.selection
    return await tx.search(
        Candidate,
        "SELECT d.id AS device_id, d.name, a.id AS area_id, a.name AS area_name,"
        " a.path::text AS area_path, t.longitude, t.latitude,"
        " coalesce(t.ptz_type IN ('ptz_dome', 'ptz_bullet'), false) OR EXISTS (SELECT"
        "  FROM channels c WHERE c.device_id = d.id AND c.presets <> '[]') AS has_ptz"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN asset_records t ON t.device_id = d.id"
        + _SELECTED
        + "ORDER BY a.path, d.name, d.id",
        {
            "path": area_path,
            "ids": None if plan.device_ids is None else list(plan.device_ids),
            "areas": list(chosen.area_ids),
            "classes": list(chosen.classes),
            "tags": list(chosen.tags),
            "scope": scope_paths(scope),
        },
    )


async def rounds_unseen(
    tx: Transaction, scope: Scope, plan: PatrolPlan, device_ids: Sequence[int]
) -> dict[int, int]:
    """How many rounds of the plan have begun since each camera of the scope was last looked at.

    0: in the very last one. A look without a picture counts: a dead camera must not take the
    turns of the others; a stop closed because the round's time was over does not. A camera never
    looked at counts from the rounds since it is known; a round without a single look is none.
    """
    rows = await tx.tuples(
        "WITH held AS (SELECT r.id, r.started_at,"
        "  row_number() OVER (ORDER BY r.started_at DESC, r.id DESC) - 1 AS ago"
        "  FROM patrol_rounds r WHERE r.plan_id = %(plan)s AND r.started_at IS NOT NULL"
        "  AND EXISTS (SELECT FROM patrol_stops s WHERE s.round_id = r.id"
        "   AND s.looked_s IS NOT NULL)"
        "  ORDER BY ago LIMIT %(within)s),"
        " looked AS (SELECT s.device_id, min(h.ago) AS ago FROM held h"
        "  JOIN patrol_stops s ON s.round_id = h.id WHERE s.looked_s IS NOT NULL"
        "  GROUP BY s.device_id),"
        " begins AS (SELECT array_agg(h.started_at ORDER BY h.started_at) AS at FROM held h)"
        " SELECT d.id, coalesce(l.ago,"
        "  cardinality(b.at) - width_bucket(d.created_at, b.at), 0)"
        " FROM devices d JOIN areas a ON a.id = d.area_id CROSS JOIN begins b"
        " LEFT JOIN looked l ON l.device_id = d.id"
        " WHERE d.id = ANY (%(ids)s::bigint[]) AND" + IN_SCOPE,
        {
            "plan": plan.id,
            # Twice as far: of those overdue the longest unseen come first.
            "within": 2 * plan.details.within_rounds,
            "ids": list(device_ids),
            "scope": scope_paths(scope),
        },
    )
    return {int(str(device)): int(str(ago)) for device, ago in rows}


async def medians(tx: Transaction, scope: Scope, plan: PatrolPlan, area_path: str) -> Medians:
    """What the plan's last rounds of its mode took; without any, those of the area and below."""
    for plan_id in (plan.id, None):
        found = await tx.fetch_one(
            Medians,
            _MEDIANS,
            {
                "plan": plan_id,
                "mode": plan.mode,
                "path": area_path,
                "rounds": ROUNDS_MEASURED,
                "least": LEAST_JUDGED,
                "scope": scope_paths(scope),
            },
        )
        if found is not None and found.rounds:
            return found
    return Medians()


async def past_rounds(
    tx: Transaction, scope: Scope, plan_id: int, *, limit: int = ROUNDS_MEASURED
) -> list[PastRound]:
    """How the last finished rounds of a plan of the scope kept to their forecasts."""
    return await tx.fetch(
        PastRound,
        "SELECT r.id, r.planned_at, r.forecast_s,"
        " greatest(0, extract(epoch FROM r.finished_at - r.started_at) - r.paused_s)::float8"
        "  AS took_s,"
        " greatest(0, extract(epoch FROM r.finished_at - r.ends_by), 0)::float8 AS over_s,"
        " (SELECT count(*) FROM patrol_stops s WHERE s.round_id = r.id) AS stops,"
        " (SELECT count(*) FROM patrol_stops s WHERE s.round_id = r.id AND s.timing = 'missed')"
        "  AS stops_missed"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.plan_id = %(plan)s"
        " AND r.state = 'finished' AND r.started_at IS NOT NULL AND"
        + IN_SCOPE
        + "ORDER BY r.planned_at DESC, r.id DESC LIMIT %(limit)s",
        {"plan": plan_id, "limit": limit, "scope": scope_paths(scope)},
    )


_MEDIANS: Final[LiteralString] = (
    "WITH held AS (SELECT r.id, r.started_at, r.paused_s FROM patrol_rounds r"
    "  JOIN areas a ON a.id = r.area_id WHERE r.state = 'finished' AND r.started_at IS NOT NULL"
    "  AND r.mode = %(mode)s"
    "  AND (r.plan_id = %(plan)s OR (%(plan)s::bigint IS NULL AND a.path <@ %(path)s::ltree))"
    "  AND" + IN_SCOPE + "ORDER BY r.started_at DESC LIMIT %(rounds)s),"
    " paces AS (SELECT"
    "  extract(epoch FROM max(s.at) - h.started_at) / nullif(count(s.at), 0) AS machine_s,"
    "  CASE WHEN count(s.judged_by_id) >= %(least)s THEN greatest(0, extract(epoch FROM"
    "   max(s.judged_at) FILTER (WHERE s.judged_by_id IS NOT NULL)"
    "   - min(s.judged_at) FILTER (WHERE s.judged_by_id IS NOT NULL)) - h.paused_s)"
    "   / (count(s.judged_by_id) - 1) END AS person_s,"
    "  avg(s.is_for_person::int) AS person_share"
    "  FROM held h JOIN patrol_stops s ON s.round_id = h.id WHERE s.looked_s IS NOT NULL"
    "  GROUP BY h.id, h.started_at, h.paused_s)"
    " SELECT count(*) AS rounds,"
    " percentile_cont(0.5) WITHIN GROUP (ORDER BY machine_s)::float8 AS machine_s,"
    " percentile_cont(0.5) WITHIN GROUP (ORDER BY person_s)::float8 AS person_s,"
    " percentile_cont(0.5) WITHIN GROUP (ORDER BY person_share)::float8 AS person_share FROM paces"
)
