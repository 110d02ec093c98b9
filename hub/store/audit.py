"""The append-only audit log: who did what, when, from where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the log."""

    id: int
    at: datetime
    actor: str
    source: str
    action: str
    object_type: str
    object_id: str
    area_id: int | None
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done: ``action`` reads "device.approved"; ``detail`` holds no secret."""

    action: str
    object_type: str = ""
    object_id: str = ""
    area_id: int | None = None


async def record(
    tx: Transaction, scope: Scope, deed: Deed, detail: Mapping[str, Json] | None = None
) -> None:
    """Append one line, in the transaction of the deed itself."""
    await tx.execute(
        "INSERT INTO audit"
        " (actor, user_id, source, action, object_type, object_id, area_id, detail)"
        " VALUES (%(actor)s, %(user_id)s, %(source)s, %(action)s, %(type)s, %(id)s, %(area)s,"
        " %(detail)s)",
        {
            "actor": scope.actor,
            "user_id": scope.user_id,
            "source": scope.source,
            "action": deed.action,
            "type": deed.object_type,
            "id": deed.object_id,
            "area": deed.area_id,
            "detail": Jsonb(dict(detail or {})),
        },
    )


async def record_all(
    tx: Transaction, scope: Scope, deeds: Sequence[Deed], detail: Mapping[str, Json] | None = None
) -> None:
    """Append a line for each of many deeds, in their transaction; ``detail`` is that of all."""
    if not deeds:
        return
    await tx.execute(
        "INSERT INTO audit"
        " (actor, user_id, source, action, object_type, object_id, area_id, detail)"
        " SELECT %(actor)s, %(user_id)s::bigint, %(source)s, d.action, d.type, d.id, d.area,"
        " %(detail)s FROM unnest(%(actions)s::text[], %(types)s::text[], %(ids)s::text[],"
        " %(areas)s::bigint[]) AS d (action, type, id, area)",
        {
            "actor": scope.actor,
            "user_id": scope.user_id,
            "source": scope.source,
            "actions": [deed.action for deed in deeds],
            "types": [deed.object_type for deed in deeds],
            "ids": [deed.object_id for deed in deeds],
            "areas": [deed.area_id for deed in deeds],
            "detail": Jsonb(dict(detail or {})),
        },
    )


async def list_entries(
    tx: Transaction, scope: Scope, *, limit: int | None = None, cursor: str | None = None
) -> Page[AuditEntry]:
    """Newest first; lines without an area are for those who see everything granted at a root."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.fetch(
        AuditEntry,
        "SELECT u.id, u.at, u.actor, u.source, u.action, u.object_type, u.object_id, u.area_id,"
        " u.detail FROM audit u LEFT JOIN areas a ON a.id = u.area_id"
        " WHERE ("
        + IN_SCOPE
        + "        OR (u.area_id IS NULL AND EXISTS (SELECT FROM areas r WHERE r.parent_id IS NULL"
        "            AND r.path = ANY (%(scope)s::ltree[]))))"
        " AND (%(after)s::bigint IS NULL OR u.id < %(after)s)"
        " ORDER BY u.id DESC LIMIT %(limit)s",
        {"scope": scope_paths(scope), "after": after[0] if after else None, "limit": count + 1},
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)
