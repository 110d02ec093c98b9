"""What people make of the stops of rounds: who judged what, and what waits.

The machine's part is in :mod:`hub.store.stop_looks`. A result never changes once it stands.
Whoever changes a stop holds its round first (:func:`hub.store.rounds.lock_round`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.domain.patrols import PatrolStop, Result, SecondLook, Timing, Verdict
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

_STOP: Final = (
    "SELECT s.round_id, s.position, s.device_id, s.device_name, s.area_name, s.area_id, s.verdict,"
    " s.reason, s.layer, s.detail, s.has_picture, s.attempts, s.at, s.due_at, s.remarks, s.doubt,"
    " s.is_for_person, s.picture_sha256, s.clip_sha256, s.result, s.kind, s.note, s.judged_by,"
    " s.judged_at, s.checked, s.timing, s.second_look, s.second_by, s.second_note, s.dispatch_id,"
    " s.group_no, s.is_drawn"
    " FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
    " JOIN areas a ON a.id = r.area_id WHERE"
)
# What somebody can judge now: in WALK every stop is for a person.
_WAITS: Final = (
    " s.result = 'open' AND s.verdict <> 'pending' AND (s.is_for_person OR r.mode = 'walk') "
)


class StopSort(StrEnum):
    """How a list of stops is sorted."""

    POSITION = "position"
    DOUBT = "doubt"  # the worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFilter:
    """What a list of stops is narrowed to; empty fields narrow nothing."""

    result: Result | None = None
    second_look: SecondLook | None = None
    is_for_person: bool | None = None
    verdict: Verdict | None = None
    area_id: int | None = None
    has_task: bool | None = None
    sort: StopSort = StopSort.POSITION


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a person made of a stop; ``timing`` and ``second_look`` are the hub's own finding."""

    round_id: int
    position: int
    result: Result
    kind: str
    note: str
    checked: Sequence[bool]
    at: datetime
    timing: Timing
    second_look: SecondLook


async def get_stop(tx: Transaction, scope: Scope, round_id: int, position: int) -> PatrolStop:
    """Return one stop of a round of the scope; raises NotFound for any other."""
    row = await tx.fetch_one(
        PatrolStop,
        _STOP + " s.round_id = %(round)s AND s.position = %(position)s AND" + IN_SCOPE,
        {"round": round_id, "position": position, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such stop"
        raise NotFound(msg)
    return _typed(row)


async def get_stops(
    tx: Transaction, scope: Scope, places: Sequence[tuple[int, int]]
) -> list[PatrolStop]:
    """The stops of the scope at these (round, position), in no order."""
    rows = await tx.fetch(
        PatrolStop,
        _STOP + IN_SCOPE + "AND (s.round_id, s.position) IN (SELECT * FROM"
        " unnest(%(rounds)s::bigint[], %(positions)s::int[]))",
        {
            "rounds": [place[0] for place in places],
            "positions": [place[1] for place in places],
            "scope": scope_paths(scope),
        },
    )
    return [_typed(row) for row in rows]


async def list_stops(
    tx: Transaction,
    scope: Scope,
    round_id: int,
    wanted: StopFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[PatrolStop]:
    """The stops of a round of the scope, narrowed and sorted; nothing for any other round."""
    is_by_doubt = wanted.sort is StopSort.DOUBT
    after = decode_cursor(cursor, (float, int) if is_by_doubt else (int,))
    count = page_limit(limit)
    narrowed: dict[str, object] = {
        "round": round_id,
        "result": wanted.result,
        "second": wanted.second_look,
        "person": wanted.is_for_person,
        "verdict": wanted.verdict,
        "area": wanted.area_id,
        "task": wanted.has_task,
        "doubt": after[0] if after and is_by_doubt else None,
        "after": after[-1] if after else None,
        "scope": scope_paths(scope),
        "limit": count + 1,
    }
    rows = await tx.search(
        PatrolStop,
        _STOP + IN_SCOPE + "AND s.round_id = %(round)s"
        " AND (%(result)s::text IS NULL OR s.result = %(result)s)"
        " AND (%(second)s::text IS NULL OR s.second_look = %(second)s)"
        " AND (%(person)s::boolean IS NULL OR s.is_for_person = %(person)s)"
        " AND (%(verdict)s::text IS NULL OR s.verdict = %(verdict)s)"
        " AND (%(area)s::bigint IS NULL OR s.area_id IN (SELECT b.id FROM areas b"
        "  JOIN areas t ON t.id = %(area)s AND b.path <@ t.path))"
        " AND (%(task)s::boolean IS NULL OR (s.dispatch_id IS NOT NULL) = %(task)s)"
        + (
            " AND (%(after)s::int IS NULL"
            "  OR (-s.doubt, s.position) > (-%(doubt)s::real, %(after)s::int))"
            " ORDER BY s.doubt DESC, s.position LIMIT %(limit)s"
            if is_by_doubt
            else " AND s.position > coalesce(%(after)s::int, 0) ORDER BY s.position LIMIT %(limit)s"
        ),
        narrowed,
    )
    more = None
    if len(rows) > count:
        last = rows[count - 1]
        more = encode_cursor(float(last.doubt), last.position) if is_by_doubt else None
        more = more or encode_cursor(last.position)
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def waiting_stops(
    tx: Transaction, scope: Scope, round_id: int, *, limit: int
) -> list[PatrolStop]:
    """What a person can judge now, in the order to look at it.

    By position where a person walks, by doubt (the worst first) where the machine sorted.
    """
    rows = await tx.fetch(
        PatrolStop,
        _STOP + IN_SCOPE + "AND s.round_id = %(round)s AND" + _WAITS + "ORDER BY"
        " CASE WHEN r.mode = 'walk' THEN 0 ELSE -s.doubt END, s.position LIMIT %(limit)s",
        {"round": round_id, "scope": scope_paths(scope), "limit": limit},
    )
    return [_typed(row) for row in rows]


async def count_coming(tx: Transaction, scope: Scope, round_id: int) -> int:
    """How many stops of a round of the scope the machine has not looked at yet."""
    return (
        await tx.scalar(
            int,
            "SELECT count(*) FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
            " JOIN areas a ON a.id = r.area_id WHERE s.round_id = %(round)s"
            " AND s.verdict = 'pending' AND s.result = 'open' AND" + IN_SCOPE,
            {"round": round_id, "scope": scope_paths(scope)},
        )
        or 0
    )


async def has_open_before(tx: Transaction, scope: Scope, round_id: int, position: int) -> bool:
    """Tell whether a stop before this one can be judged and is not."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
            " JOIN areas a ON a.id = r.area_id WHERE s.round_id = %(round)s"
            " AND s.position < %(position)s AND" + _WAITS + "AND" + IN_SCOPE + ")",
            {"round": round_id, "position": position, "scope": scope_paths(scope)},
        )
    )


async def keep_judgement(tx: Transaction, scope: Scope, found: Judged) -> bool:
    """Store what a person made of an open stop; False when it is not open: the first stands."""
    changed = await tx.execute(
        "UPDATE patrol_stops s SET result = %(result)s, kind = %(kind)s, note = %(note)s,"
        " checked = %(checked)s, judged_by = %(actor)s, judged_by_id = %(user)s,"
        " judged_at = %(at)s, timing = %(timing)s, second_look = %(second)s"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.id = s.round_id"
        " AND s.round_id = %(round)s AND s.position = %(position)s AND s.result = 'open' AND"
        + IN_SCOPE,
        {
            "round": found.round_id,
            "position": found.position,
            "result": found.result,
            "kind": found.kind,
            "note": found.note,
            "checked": list(found.checked),
            "actor": scope.actor,
            "user": scope.user_id,
            "at": found.at,
            "timing": found.timing,
            "second": found.second_look,
            "scope": scope_paths(scope),
        },
    )
    return bool(changed)


async def name_dispatch(
    tx: Transaction, scope: Scope, round_id: int, position: int, dispatch_id: int
) -> None:
    """Remember at a stop of the scope which task was opened from it; the first stays."""
    await tx.execute(
        "UPDATE patrol_stops s SET dispatch_id = coalesce(s.dispatch_id, %(dispatch)s)"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.id = s.round_id"
        " AND s.round_id = %(round)s AND s.position = %(position)s AND" + IN_SCOPE,
        {
            "round": round_id,
            "position": position,
            "dispatch": dispatch_id,
            "scope": scope_paths(scope),
        },
    )


async def untouched_groups(
    tx: Transaction, scope: Scope, round_id: int, first: int, last: int
) -> list[int]:
    """The groups of the stops from one position to another that nobody set out for."""
    rows = await tx.tuples(
        "SELECT s.group_no FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
        " JOIN areas a ON a.id = r.area_id WHERE s.round_id = %(round)s AND s.group_no IN"
        " (SELECT group_no FROM patrol_stops WHERE round_id = %(round)s"
        "  AND position BETWEEN %(first)s AND %(last)s) AND"
        + IN_SCOPE
        + "GROUP BY s.group_no HAVING bool_and(s.verdict = 'pending' AND s.attempts = 0)"
        " ORDER BY s.group_no",
        {"round": round_id, "first": first, "last": last, "scope": scope_paths(scope)},
    )
    return [int(str(row[0])) for row in rows]


def _typed(row: PatrolStop) -> PatrolStop:
    return replace(
        row,
        verdict=Verdict(row.verdict),
        result=Result(row.result),
        timing=Timing(row.timing),
        second_look=SecondLook(row.second_look),
        remarks=tuple(row.remarks),
        checked=tuple(row.checked),
    )
