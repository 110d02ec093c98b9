"""The stops of patrol rounds: laid out once, claimed one by one, settled once each."""

from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.patrols import PatrolPlan, PatrolRound, PatrolStop, Verdict
from hub.store import notices
from hub.store.database import Transaction
from hub.store.rounds import TOPIC
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

_COLUMNS = (
    "s.round_id, s.position, s.device_id, s.device_name, s.area_name, s.verdict, s.reason,"
    " s.layer, s.detail, s.has_picture, s.attempts, s.at"
)
_FROM = (
    " FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
    " JOIN areas a ON a.id = r.area_id "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopResult:
    """What a visit found.

    ``kind`` is one of KNOWN_KINDS; empty: nothing, or what there is has no name the machine knows.
    ``moved`` is the share of the picture that moved (None: not known), ``looked_s`` how long the
    look took. Hashes are SHA-256, in hexadecimal digits, of the files that were kept.
    """

    round_id: int
    position: int
    verdict: Verdict
    reason: str
    at: datetime
    layer: str = ""
    detail: str = ""
    has_picture: bool = False
    remarks: tuple[str, ...] = ()
    doubt: float = 0.0
    kind: str = ""
    moved: float | None = None
    picture_sha256: str = ""
    clip_sha256: str = ""
    looked_s: float = 0.0


async def lay_out(tx: Transaction, scope: Scope, walk: PatrolRound, plan: PatrolPlan) -> int:
    """Write down every stop of a round in its order and return how many there are.

    Cameras are the approved ones of the round's area and below, within the scope, or those of
    the plan's list that still are.
    """
    return await tx.execute(
        "INSERT INTO patrol_stops (round_id, position, device_id, device_name, area_id, area_name)"
        " SELECT %(round)s, row_number() OVER (ORDER BY"
        "  CASE %(order)s WHEN 'shuffled' THEN md5(%(round)s::text || ':' || d.id::text) END,"
        "  CASE %(order)s WHEN 'by_area' THEN a.path END,"
        "  CASE %(order)s WHEN 'by_area' THEN d.name END,"
        "  array_position(%(ids)s::bigint[], d.id), d.id), d.id, d.name, a.id, a.name"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.registration = 'approved'"
        " AND (d.kind = 'camera' OR EXISTS (SELECT FROM channels c WHERE c.device_id = d.id))"
        " AND a.path <@ %(path)s::ltree"
        " AND (%(ids)s::bigint[] IS NULL OR d.id = ANY (%(ids)s::bigint[])) AND" + IN_SCOPE,
        {
            "round": walk.id,
            "order": str(plan.order),
            "ids": None if plan.device_ids is None else list(plan.device_ids),
            "path": walk.area_path,
            "scope": scope_paths(scope),
        },
    )


async def claim_stop(
    tx: Transaction, scope: Scope, round_id: int, now: datetime
) -> PatrolStop | None:
    """Set out for the first pending stop of a running round; None when there is none left.

    The attempt is counted once this commits, whatever becomes of the worker afterwards.
    """
    is_running = await tx.execute(
        "UPDATE patrol_rounds r SET touched_at = %(now)s FROM areas a WHERE a.id = r.area_id"
        " AND r.id = %(round)s AND r.state = 'running' AND" + IN_SCOPE,
        {"round": round_id, "now": now, "scope": scope_paths(scope)},
    )
    if not is_running:
        return None
    row = await tx.fetch_one(
        PatrolStop,
        "UPDATE patrol_stops s SET attempts = s.attempts + 1"
        " WHERE s.round_id = %(round)s AND s.position = (SELECT min(position) FROM patrol_stops"
        "  WHERE round_id = %(round)s AND verdict = 'pending')"
        " RETURNING " + _COLUMNS,
        {"round": round_id},
    )
    return None if row is None else _typed(row)


async def settle_stop(tx: Transaction, scope: Scope, found: StopResult) -> bool:
    """Store what a visit found; False when the stop is settled already: nothing is doubled."""
    changed = await tx.execute(
        "UPDATE patrol_stops s SET verdict = %(verdict)s, reason = %(reason)s, layer = %(layer)s,"
        " detail = %(detail)s, has_picture = %(has_picture)s, at = %(at)s"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.id = s.round_id AND s.round_id = %(round)s AND s.position = %(position)s"
        " AND s.verdict = 'pending' AND r.state = 'running' AND" + IN_SCOPE,
        {
            "round": found.round_id,
            "position": found.position,
            "verdict": found.verdict,
            "reason": found.reason,
            "layer": found.layer,
            "detail": found.detail,
            "has_picture": found.has_picture,
            "at": found.at,
            "scope": scope_paths(scope),
        },
    )
    if changed:
        await notices.notify(tx, scope, TOPIC, [found.round_id])
    return bool(changed)


async def list_stops(
    tx: Transaction,
    scope: Scope,
    round_id: int,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[PatrolStop]:
    """The stops of a round of the scope in their order; nothing for any other round."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.fetch(
        PatrolStop,
        "SELECT " + _COLUMNS + _FROM + "WHERE s.round_id = %(round)s"
        " AND s.position > coalesce(%(after)s::int, 0) AND"
        + IN_SCOPE
        + "ORDER BY s.position LIMIT %(limit)s",
        {
            "round": round_id,
            "after": after[0] if after else None,
            "scope": scope_paths(scope),
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].position) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def all_stops(tx: Transaction, scope: Scope, round_id: int) -> list[PatrolStop]:
    """Every stop of a round of the scope: what its report is made of."""
    rows = await tx.fetch(
        PatrolStop,
        "SELECT "
        + _COLUMNS
        + _FROM
        + "WHERE s.round_id = %(round)s AND"
        + IN_SCOPE
        + "ORDER BY s.position",
        {"round": round_id, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def has_picture(tx: Transaction, scope: Scope, round_id: int, position: int) -> bool:
    """Tell whether a stop of a round of the scope has a picture."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT s.has_picture" + _FROM + "WHERE s.round_id = %(round)s"
            " AND s.position = %(position)s AND" + IN_SCOPE,
            {"round": round_id, "position": position, "scope": scope_paths(scope)},
        )
    )


def _typed(row: PatrolStop) -> PatrolStop:
    return replace(row, verdict=Verdict(row.verdict))
