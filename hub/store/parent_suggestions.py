"""Suggested parents: devices that fail and return together, kept for a person to judge."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "parent-suggestions"
# Somebody said no: a group is suggested again only once it has grown by half.
GROWN: Final = 1.5

# A suggestion is seen by those who may see every device of it.
_SEEN = (
    " EXISTS (SELECT FROM devices d WHERE d.id = ANY (p.device_ids))"
    " AND NOT EXISTS (SELECT FROM devices d JOIN areas a ON a.id = d.area_id"
    "  WHERE d.id = ANY (p.device_ids) AND NOT" + IN_SCOPE + ") "
)
_SUGGESTION = (
    "SELECT p.id, p.subnet::text AS subnet, p.device_ids, p.times_seen, p.first_at, p.last_at,"
    " p.confidence, p.state, p.parent_id, p.created_at, p.decided_at, p.decided_by"
    " FROM parent_suggestions p WHERE"
)


class SuggestionState(StrEnum):
    """What became of a suggestion."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Devices of one subnet that fail and return together; ``confidence`` is 0 to 1."""

    subnet: str
    device_ids: tuple[int, ...]
    times_seen: int
    first_at: datetime
    last_at: datetime
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A group as it is kept, and what became of it."""

    id: int
    subnet: str
    device_ids: list[int]
    times_seen: int
    first_at: datetime
    last_at: datetime
    confidence: float
    state: str
    parent_id: int | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str


async def keep_groups(
    tx: Transaction, scope: Scope, groups: Sequence[Group], *, now: datetime
) -> list[int]:
    """Keep what was found; one open suggestion a subnet, none that was dismissed and grew little.

    Returns the numbers of the suggestions that are new or have changed.
    """
    rows = await tx.tuples(
        "INSERT INTO parent_suggestions AS p (subnet, device_ids, times_seen, first_at, last_at,"
        " confidence, created_at, updated_at) SELECT n.subnet, n.device_ids, n.times_seen,"
        " n.first_at, n.last_at, n.confidence, %(now)s, %(now)s"
        " FROM jsonb_to_recordset(%(groups)s::jsonb) AS n (subnet cidr, device_ids bigint[],"
        "  times_seen int, first_at timestamptz, last_at timestamptz, confidence float8)"
        " WHERE NOT EXISTS (SELECT FROM parent_suggestions o WHERE o.subnet = n.subnet"
        "  AND o.state = 'dismissed'"
        "  AND cardinality(n.device_ids) < %(grown)s * cardinality(o.device_ids))"
        " ON CONFLICT (subnet) WHERE state = 'open' DO UPDATE SET"
        " device_ids = excluded.device_ids, times_seen = excluded.times_seen,"
        " first_at = excluded.first_at, last_at = excluded.last_at,"
        " confidence = excluded.confidence, updated_at = excluded.updated_at"
        " WHERE (p.device_ids, p.times_seen, p.last_at)"
        "  IS DISTINCT FROM (excluded.device_ids, excluded.times_seen, excluded.last_at)"
        " RETURNING p.id",
        {
            "groups": json.dumps([asdict(group) for group in groups], default=str),
            "grown": GROWN,
            "now": now,
        },
    )
    ids = [int(str(number)) for (number,) in rows]
    await notify(tx, scope, TOPIC, ids)
    return ids


async def drop_settled(tx: Transaction, scope: Scope, *, least: int) -> int:
    """Remove open suggestions of which fewer than ``least`` devices still lack a parent."""
    return await tx.execute(
        "DELETE FROM parent_suggestions p WHERE p.state = 'open' AND %(least)s >"
        " (SELECT count(*) FROM devices d JOIN areas a ON a.id = d.area_id"
        "  WHERE d.id = ANY (p.device_ids) AND d.parent_id IS NULL"
        "  AND d.registration = 'approved' AND" + IN_SCOPE + ")",
        {"least": least, "scope": scope_paths(scope)},
    )


async def list_suggestions(
    tx: Transaction,
    scope: Scope,
    *,
    state: SuggestionState = SuggestionState.OPEN,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Suggestion]:
    """Suggestions about devices that are all within the scope, the surest first."""
    after = decode_cursor(cursor, (float, int))
    count = page_limit(limit)
    rows = await tx.search(
        Suggestion,
        _SUGGESTION + " p.state = %(state)s AND (%(confidence)s::float8 IS NULL"
        "  OR (-p.confidence, p.id) > (-%(confidence)s::float8, %(id)s::bigint)) AND"
        + _SEEN
        + "ORDER BY -p.confidence, p.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "state": state,
            "confidence": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": count + 1,
        },
    )
    more = None
    if len(rows) > count:
        more = encode_cursor(float(rows[count - 1].confidence), rows[count - 1].id)
    return Page(items=rows[:count], next=more)


async def get_suggestion(tx: Transaction, scope: Scope, suggestion_id: int) -> Suggestion:
    """Return one suggestion; raises NotFound unless all its devices lie within the scope."""
    row = await tx.fetch_one(
        Suggestion,
        _SUGGESTION + " p.id = %(id)s AND" + _SEEN,
        {"id": suggestion_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such suggestion"
        raise NotFound(msg)
    return row
