"""Questions to duty rooms (点名): asked, answered, or not answered in time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.duty_rooms import AnsweredBy, CallState, DutyRoom, RoomCall
from hub.domain.errors import NotFound
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "room-calls"

_COLUMNS = (
    "SELECT c.id, c.round_id, c.room_id, c.room_name, c.phone, c.area_id,"
    " a.path::text AS area_path, a.name AS area_name, c.asked_at, c.answer_by, c.state, c.code,"
    " c.answered_at, c.answered_by, c.answered_how, c.note, c.wrong_codes"
    " FROM room_calls c JOIN areas a ON a.id = c.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a room is to be asked."""

    room: DutyRoom
    code: str
    asked_at: datetime
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """What a list of calls is narrowed to; empty fields narrow nothing."""

    round_id: int | None = None
    area_id: int | None = None
    state: CallState | None = None


async def list_calls(
    tx: Transaction,
    scope: Scope,
    wanted: CallFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[RoomCall]:
    """Calls of the scope, the newest first."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        RoomCall,
        _COLUMNS + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR c.id < %(after)s)"
        " AND (%(round)s::bigint IS NULL OR c.round_id = %(round)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(state)s::text IS NULL OR c.state = %(state)s)"
        " ORDER BY c.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "round": wanted.round_id,
            "area": wanted.area_id,
            "state": wanted.state,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def calls_of(tx: Transaction, scope: Scope, call_ids: Sequence[int]) -> list[RoomCall]:
    """Those of these calls that lie in the scope, by number."""
    rows = await tx.fetch(
        RoomCall,
        _COLUMNS + " c.id = ANY (%(ids)s::bigint[]) AND" + IN_SCOPE + "ORDER BY c.id",
        {"ids": list(call_ids), "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def get_call(tx: Transaction, scope: Scope, call_id: int) -> RoomCall:
    """Return one call; raises NotFound outside the scope."""
    found = await calls_of(tx, scope, [call_id])
    if not found:
        msg = "no such roll call"
        raise NotFound(msg)
    return found[0]


async def lock_call(tx: Transaction, scope: Scope, call_id: int) -> RoomCall:
    """Return one call, held for this transaction; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        RoomCall,
        _COLUMNS + " c.id = %(id)s AND" + IN_SCOPE + "FOR UPDATE OF c",
        {"id": call_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such roll call"
        raise NotFound(msg)
    return _typed(row)


async def add_calls(
    tx: Transaction, scope: Scope, round_id: int, questions: Sequence[Question]
) -> list[RoomCall]:
    """Ask rooms of the scope, each once in a round; returns the new calls, in order."""
    asked = [one for one in questions if scope.covers(one.room.area_path)]
    rows = await tx.tuples(
        "INSERT INTO room_calls"
        " (round_id, room_id, room_name, phone, area_id, asked_at, answer_by, code)"
        " SELECT %(round)s, q.* FROM unnest(%(rooms)s::bigint[], %(names)s::text[],"
        "  %(phones)s::text[], %(areas)s::bigint[], %(asked)s::timestamptz[],"
        "  %(until)s::timestamptz[], %(codes)s::text[]) AS q"
        " ON CONFLICT (round_id, room_id) DO NOTHING RETURNING id",
        {
            "round": round_id,
            "rooms": [one.room.id for one in asked],
            "names": [one.room.name for one in asked],
            "phones": [one.room.phone for one in asked],
            "areas": [one.room.area_id for one in asked],
            "asked": [one.asked_at for one in asked],
            "until": [one.answer_by for one in asked],
            "codes": [one.code for one in asked],
        },
    )
    numbers = [int(str(number)) for (number,) in rows]
    await notify(tx, scope, TOPIC, numbers)
    return await calls_of(tx, scope, numbers)


async def put_answer(tx: Transaction, scope: Scope, call: RoomCall) -> None:
    """Write down how a call of :func:`lock_call` stands now."""
    await tx.execute(
        "UPDATE room_calls c SET state = %(state)s, answered_at = %(at)s, answered_by = %(by)s,"
        " answered_how = %(how)s, note = %(note)s, wrong_codes = %(wrong)s"
        " FROM areas a WHERE a.id = c.area_id AND c.id = %(id)s AND" + IN_SCOPE,
        {
            "id": call.id,
            "state": call.state,
            "at": call.answered_at,
            "by": call.answered_by,
            "how": call.answered_how,
            "note": call.note,
            "wrong": call.wrong_codes,
            "scope": scope_paths(scope),
        },
    )
    await notify(tx, scope, TOPIC, [call.id])


async def next_answer_by(tx: Transaction, scope: Scope) -> datetime | None:
    """When the next question of the scope runs out; None when none waits."""
    rows = await tx.tuples(
        "SELECT c.answer_by FROM room_calls c JOIN areas a ON a.id = c.area_id"
        " WHERE c.state = 'asked' AND" + IN_SCOPE + "ORDER BY c.answer_by LIMIT 1",
        {"scope": scope_paths(scope)},
    )
    found = rows[0][0] if rows else None
    return found if isinstance(found, datetime) else None


async def first_overdue(tx: Transaction, scope: Scope, now: datetime) -> RoomCall | None:
    """The question of the scope that ran out first and nobody has said so; None without any."""
    row = await tx.fetch_one(
        RoomCall,
        _COLUMNS
        + " c.state = 'asked' AND c.answer_by <= %(now)s AND"
        + IN_SCOPE
        + "ORDER BY c.answer_by, c.id LIMIT 1",
        {"now": now, "scope": scope_paths(scope)},
    )
    return None if row is None else _typed(row)


async def overdue_of(
    tx: Transaction, scope: Scope, round_id: int | None, now: datetime
) -> list[RoomCall]:
    """The questions of a round that ran out, held for this transaction, in their order."""
    rows = await tx.fetch(
        RoomCall,
        _COLUMNS + " c.state = 'asked' AND c.answer_by <= %(now)s"
        " AND c.round_id IS NOT DISTINCT FROM %(round)s::bigint AND"
        + IN_SCOPE
        + "ORDER BY c.answer_by, c.id FOR UPDATE OF c",
        {"round": round_id, "now": now, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def end_calls(
    tx: Transaction, scope: Scope, call_ids: Sequence[int], state: CallState
) -> None:
    """Give calls of the scope that still wait another state."""
    await tx.execute(
        "UPDATE room_calls c SET state = %(state)s FROM areas a WHERE a.id = c.area_id"
        " AND c.id = ANY (%(ids)s::bigint[]) AND c.state = 'asked' AND" + IN_SCOPE,
        {"ids": list(call_ids), "state": state, "scope": scope_paths(scope)},
    )
    await notify(tx, scope, TOPIC, call_ids)


async def waiting_of(tx: Transaction, scope: Scope, round_id: int) -> list[RoomCall]:
    """The questions of a round that wait for an answer, held for this transaction."""
    rows = await tx.fetch(
        RoomCall,
        _COLUMNS
        + " c.state = 'asked' AND c.round_id = %(round)s AND"
        + IN_SCOPE
        + "ORDER BY c.id FOR UPDATE OF c",
        {"round": round_id, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


def _typed(row: RoomCall) -> RoomCall:
    how = None if row.answered_how is None else AnsweredBy(row.answered_how)
    return replace(row, state=CallState(row.state), answered_how=how)
