"""Silences as people make and end them. A silence is never removed: the past needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.domain.matchers import build_matcher, parse_matcher
from hub.domain.silences import Silence, SilenceState
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.matched import check_matcher
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "silences"

_FIELDS = (
    "SELECT s.id, s.area_id, a.path::text AS area_path, a.name AS area_name, s.matcher, s.author,"
    " s.reason, s.starts_at, s.ends_at, s.ended_by FROM silences s"
    " JOIN areas a ON a.id = s.area_id WHERE"
)
_STATE = (
    "CASE WHEN s.ends_at <= greatest(s.starts_at, %(now)s) THEN 'expired'"
    " WHEN s.starts_at > %(now)s THEN 'pending' ELSE 'active' END"
)
# A silence of the county holds in the village, too: for whoever works there it exists.
_HOLDS_IN_SCOPE = (
    " (%(scope)s::ltree[] IS NULL OR a.path <@ ANY (%(scope)s::ltree[])"
    " OR a.path @> ANY (%(scope)s::ltree[])) "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    area_id: int
    area_path: str
    area_name: str
    matcher: Mapping[str, Json]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    ended_by: str

    def silence(self) -> Silence:
        return Silence(
            id=self.id,
            area_id=self.area_id,
            area_path=self.area_path,
            area_name=self.area_name,
            matcher=parse_matcher(self.matcher),
            author=self.author,
            reason=self.reason,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            ended_by=self.ended_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceFilter:
    """What a list of silences is narrowed to; empty fields narrow nothing.

    ``area_id`` takes in everything below the area.
    """

    area_id: int | None = None
    state: SilenceState | None = None


async def list_silences(
    tx: Transaction,
    scope: Scope,
    wanted: SilenceFilter,
    *,
    now: datetime,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Silence]:
    """Silences, newest first, narrowed, a page at a time."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _FIELDS
        + IN_SCOPE
        + "AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(state)s::text IS NULL OR " + _STATE + " = %(state)s)"
        " AND (%(after)s::bigint IS NULL OR s.id < %(after)s) ORDER BY s.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "now": now,
            "area": wanted.area_id,
            "state": wanted.state,
            "after": after[0] if after else None,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.silence() for row in rows[:count]], next=more)


async def get_silence(tx: Transaction, scope: Scope, silence_id: int) -> Silence:
    """Return one silence; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _FIELDS + " s.id = %(id)s AND" + IN_SCOPE,
        {"id": silence_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such silence"
        raise NotFound(msg)
    return row.silence()


async def silences_in_force(tx: Transaction, scope: Scope, now: datetime) -> list[Silence]:
    """Every silence that holds at a moment somewhere in the scope, those of areas above it too."""
    rows = await tx.fetch(
        _Row,
        _FIELDS
        + " s.starts_at <= %(now)s AND s.ends_at > %(now)s AND"
        + _HOLDS_IN_SCOPE
        + "ORDER BY s.id",
        {"now": now, "scope": scope_paths(scope)},
    )
    return [row.silence() for row in rows]


async def begin_due(tx: Transaction, scope: Scope, now: datetime) -> list[Silence]:
    """Note that silences began whose time has come, and return them: each once."""
    rows = await tx.fetch(
        _Row,
        "WITH begun AS (UPDATE silences SET is_begun = true"
        " WHERE id IN (SELECT s.id FROM silences s JOIN areas a ON a.id = s.area_id"
        " WHERE NOT s.is_begun AND s.starts_at <= %(now)s AND s.ends_at > %(now)s AND"
        + IN_SCOPE
        + ") RETURNING id) "
        + _FIELDS
        + " s.id IN (SELECT id FROM begun) ORDER BY s.id",
        {"now": now, "scope": scope_paths(scope)},
    )
    return [row.silence() for row in rows]


async def next_begin_at(tx: Transaction, scope: Scope, now: datetime) -> datetime | None:
    """When the next silence begins that has not begun, None when none is planned."""
    return await tx.scalar(
        datetime,
        "SELECT min(s.starts_at) FROM silences s JOIN areas a ON a.id = s.area_id"
        " WHERE NOT s.is_begun AND s.ends_at > greatest(s.starts_at, %(now)s) AND" + IN_SCOPE,
        {"now": now, "scope": scope_paths(scope)},
    )


async def add_silence(tx: Transaction, scope: Scope, new: Silence, *, now: datetime) -> Silence:
    """Add a silence to an area of the scope; its author is the scope's actor.

    Raises:
        NotFound: the area lies outside the scope, or what the matcher names is not to be found.
    """
    area = await get_area(tx, scope, new.area_id)
    await check_matcher(tx, scope, area.path, new.matcher)
    number = await tx.scalar(
        int,
        "INSERT INTO silences (area_id, matcher, author, reason, starts_at, ends_at, created_at)"
        " VALUES (%(area)s, %(matcher)s, %(author)s, %(reason)s, %(starts)s, %(ends)s, %(now)s)"
        " RETURNING id",
        {
            "area": area.id,
            "matcher": Jsonb(build_matcher(new.matcher)),
            "author": scope.actor,
            "reason": new.reason,
            "starts": new.starts_at,
            "ends": new.ends_at,
            "now": now,
        },
    )
    return await _changed(tx, scope, "silence.added", number or 0)


async def move_end(
    tx: Transaction, scope: Scope, silence_id: int, *, ends_at: datetime, is_over: bool
) -> Silence:
    """Let a silence of the scope end at another time; ``is_over``: somebody ended it early."""
    found = await get_silence(tx, scope, silence_id)
    await tx.execute(
        "UPDATE silences SET ends_at = %(ends)s, ended_by = %(by)s WHERE id = %(id)s",
        {"id": found.id, "ends": ends_at, "by": scope.actor if is_over else ""},
    )
    action = "silence.ended" if is_over else "silence.changed"
    return await _changed(tx, scope, action, found.id)


async def _changed(tx: Transaction, scope: Scope, action: str, silence_id: int) -> Silence:
    silence = await get_silence(tx, scope, silence_id)
    await notify(tx, scope, TOPIC, [silence.id])
    deed = Deed(
        action=action,
        object_type="silence",
        object_id=str(silence.id),
        area_id=silence.area_id,
    )
    detail: dict[str, Json] = {
        "matcher": build_matcher(silence.matcher),
        "reason": silence.reason,
        "starts_at": silence.starts_at.isoformat(),
        "ends_at": silence.ends_at.isoformat(),
    }
    await record(tx, scope, deed, detail)
    return silence
