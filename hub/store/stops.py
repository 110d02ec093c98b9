"""The stops of patrol rounds: laid out once, and read.

How the machine settles them is in :mod:`hub.store.stop_looks`, what people make of them in
:mod:`hub.store.stop_results`. Whoever changes a stop holds its round first
(:func:`hub.store.rounds.hold_round` or ``lock_round``), so that nobody waits for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.patrols import PatrolStop, Result, SecondLook, Timing, Verdict
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

STOP_COLUMNS: Final = (
    " s.round_id, s.position, s.device_id, s.device_name, s.area_name, s.area_id, s.group_no,"
    " s.verdict, s.reason, s.layer, s.detail, s.has_picture, s.attempts, s.at, s.due_at,"
    " s.remarks, s.doubt, s.is_drawn, s.is_for_person, s.picture_sha256, s.clip_sha256, s.result,"
    " s.kind, s.note, s.judged_by, s.judged_at, s.checked, s.timing, s.second_look, s.second_by,"
    " s.second_note, s.dispatch_id"
)
_FROM: Final = (
    " FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
    " JOIN areas a ON a.id = r.area_id "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStop:
    """A stop of a round that begins; its position is its place in the list."""

    device_id: int
    device_name: str
    area_id: int
    area_name: str
    due_at: datetime | None = None
    is_drawn: bool = False


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


async def add_stops(
    tx: Transaction, scope: Scope, round_id: int, new: Sequence[NewStop], *, group_size: int
) -> int:
    """Write down every stop of a round of the scope in this order; return how many there are.

    A camera that went away while they were chosen is left out.
    """
    return await tx.execute(
        "INSERT INTO patrol_stops (round_id, position, group_no, device_id, device_name, area_id,"
        " area_name, due_at, is_drawn)"
        " SELECT r.id, n.position, (n.position - 1) / %(size)s, n.device_id, n.device_name,"
        "  n.area_id, n.area_name, n.due_at, n.is_drawn"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id,"
        " (SELECT row_number() OVER (ORDER BY u.place) AS position, u.*"
        "  FROM unnest(%(device_ids)s::bigint[], %(device_names)s::text[], %(area_ids)s::bigint[],"
        "   %(area_names)s::text[], %(due_ats)s::timestamptz[], %(drawn)s::boolean[])"
        "   WITH ORDINALITY AS u (device_id, device_name, area_id, area_name, due_at, is_drawn,"
        "   place) WHERE EXISTS (SELECT FROM devices d WHERE d.id = u.device_id)) AS n"
        " WHERE r.id = %(round)s AND" + IN_SCOPE,
        {
            "round": round_id,
            "size": group_size,
            "device_ids": [one.device_id for one in new],
            "device_names": [one.device_name for one in new],
            "area_ids": [one.area_id for one in new],
            "area_names": [one.area_name for one in new],
            "due_ats": [one.due_at for one in new],
            "drawn": [one.is_drawn for one in new],
            "scope": scope_paths(scope),
        },
    )


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
        "SELECT" + STOP_COLUMNS + _FROM + "WHERE s.round_id = %(round)s"
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
    return Page(items=[typed_stop(row) for row in rows[:count]], next=more)


async def all_stops(tx: Transaction, scope: Scope, round_id: int) -> list[PatrolStop]:
    """Every stop of a round of the scope: what its report is made of."""
    rows = await tx.fetch(
        PatrolStop,
        "SELECT"
        + STOP_COLUMNS
        + _FROM
        + "WHERE s.round_id = %(round)s AND"
        + IN_SCOPE
        + "ORDER BY s.position",
        {"round": round_id, "scope": scope_paths(scope)},
    )
    return [typed_stop(row) for row in rows]


async def some_stops(
    tx: Transaction, scope: Scope, round_id: int, positions: Sequence[int]
) -> list[PatrolStop]:
    """The stops of a round of the scope at these positions, in their order."""
    rows = await tx.fetch(
        PatrolStop,
        "SELECT"
        + STOP_COLUMNS
        + _FROM
        + "WHERE s.round_id = %(round)s AND s.position = ANY (%(positions)s::int[]) AND"
        + IN_SCOPE
        + "ORDER BY s.position",
        {"round": round_id, "positions": list(positions), "scope": scope_paths(scope)},
    )
    return [typed_stop(row) for row in rows]


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


def typed_stop(row: PatrolStop) -> PatrolStop:
    """Turn a row of STOP_COLUMNS, as the driver gives it, into a stop."""
    return replace(
        row,
        verdict=Verdict(row.verdict),
        result=Result(row.result),
        timing=Timing(row.timing),
        second_look=SecondLook(row.second_look),
        remarks=tuple(row.remarks),
        checked=tuple(row.checked),
    )
