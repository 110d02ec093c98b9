"""The append-only audit log: who did what, when, from where; and how it is read again.

A search of three characters or more uses the trigram index; shorter ones look through the newest
lines only (:data:`SHORT_SEARCH_LINES`), for no index knows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.store.database import Transaction
from hub.store.processes import holds_root
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

SHORT_SEARCH_LINES: Final = 20_000
_TRIGRAM: Final = 3
MOST_NAMES: Final = 200
# Lines written at the same time may have their numbers in another order than their times.
_NEIGHBOURS: Final = 1_000
# Of a part of the hub, names are gathered from so many of its newest lines.
_NAMED_LINES: Final = 2_000

_TEXT: Final = (
    " (u.actor || ' ' || u.source || ' ' || u.action || ' ' || u.object_type || ' '"
    " || u.object_id || ' ' || u.detail::text) "
)
# Few lines of a part of the hub fit a name: they are found by their index and sorted. The planner
# would rather read the whole log backwards until it has a page of them.
_IN_ORDER: Final = " ORDER BY u.id DESC"
_BY_SORTING: Final = " ORDER BY u.id + 0 DESC"

# Each name is found by one step down an index, however many lines there are of it.
_ACTORS: Final = (
    "WITH RECURSIVE n AS ((SELECT actor AS name FROM audit ORDER BY actor LIMIT 1)"
    " UNION ALL SELECT (SELECT x.actor FROM audit x WHERE x.actor > n.name"
    "  ORDER BY x.actor LIMIT 1) FROM n WHERE n.name IS NOT NULL)"
    " SELECT n.name FROM n WHERE n.name <> ''"
)
_ACTIONS: Final = (
    "WITH RECURSIVE n AS ((SELECT action AS name FROM audit ORDER BY action LIMIT 1)"
    " UNION ALL SELECT (SELECT x.action FROM audit x WHERE x.action > n.name"
    "  ORDER BY x.action LIMIT 1) FROM n WHERE n.name IS NOT NULL)"
    " SELECT n.name FROM n WHERE n.name <> ''"
)
_TYPES: Final = (
    "WITH RECURSIVE n AS ((SELECT object_type AS name FROM audit ORDER BY object_type LIMIT 1)"
    " UNION ALL SELECT (SELECT x.object_type FROM audit x WHERE x.object_type > n.name"
    "  ORDER BY x.object_type LIMIT 1) FROM n WHERE n.name IS NOT NULL)"
    " SELECT n.name FROM n WHERE n.name <> ''"
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What the log is narrowed to. ``action`` "rule" finds "rule.changed" too."""

    actor: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    area_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditNames:
    """What a filter can be set to: who did something, what was done, to which kind of thing."""

    actors: tuple[str, ...]
    actions: tuple[str, ...]
    object_types: tuple[str, ...]


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
    tx: Transaction,
    scope: Scope,
    wanted: AuditFilter | None = None,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[AuditEntry]:
    """Newest first; lines without an area are for those who hold a root area."""
    asked = wanted or AuditFilter()
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    areas, has_placeless = await _areas(tx, scope, asked.area_id)
    oldest, newest = await _bounds(tx, asked)
    rows = await tx.search(
        AuditEntry,
        "SELECT u.id, u.at, u.actor, u.source, u.action, u.object_type, u.object_id, u.area_id,"
        " u.detail FROM audit u"
        " WHERE (%(areas)s::bigint[] IS NULL OR u.area_id = ANY (%(areas)s)"
        "  OR (%(placeless)s AND u.area_id IS NULL))"
        " AND (%(actor)s = '' OR u.actor = %(actor)s)"
        " AND (%(actions)s::text[] IS NULL OR u.action = ANY (%(actions)s))"
        " AND (%(type)s = '' OR u.object_type = %(type)s)"
        " AND (%(object)s = '' OR u.object_id = %(object)s)"
        " AND (%(since)s::timestamptz IS NULL OR u.at >= %(since)s)"
        " AND (%(until)s::timestamptz IS NULL OR u.at < %(until)s)"
        " AND (%(like)s = '' OR" + _TEXT + "ILIKE %(like)s)"
        " AND (%(oldest)s::bigint IS NULL OR u.id > %(oldest)s)"
        " AND (%(newest)s::bigint IS NULL OR u.id < %(newest)s)"
        " AND (%(after)s::bigint IS NULL OR u.id < %(after)s)"
        + (_BY_SORTING if areas is not None and (asked.actor or asked.action) else _IN_ORDER)
        + " LIMIT %(limit)s",
        {
            "areas": areas,
            "placeless": has_placeless,
            "actor": asked.actor,
            "actions": await _actions(tx, asked.action),
            "type": asked.object_type,
            "object": asked.object_id,
            "since": asked.since,
            "until": asked.until,
            "like": _pattern(asked.text),
            "oldest": oldest,
            "newest": newest,
            "after": after[0] if after else None,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def list_names(tx: Transaction, scope: Scope) -> AuditNames:
    """The names of which the log of the scope holds lines, each list by name.

    Who sees a part of the hub gets those of its newest lines.
    """
    areas, _ = await _areas(tx, scope, None)
    if areas is not None:
        return await _names_of_part(tx, areas)
    params = {"most": MOST_NAMES}
    return AuditNames(
        actors=_names(await tx.tuples(_ACTORS + " LIMIT %(most)s", params)),
        actions=_names(await tx.tuples(_ACTIONS + " LIMIT %(most)s", params)),
        object_types=_names(await tx.tuples(_TYPES + " LIMIT %(most)s", params)),
    )


async def _names_of_part(tx: Transaction, areas: list[int]) -> AuditNames:
    rows = await tx.tuples(
        "SELECT DISTINCT n.actor, n.action, n.object_type FROM (SELECT u.actor, u.action,"
        " u.object_type FROM audit u WHERE u.area_id = ANY (%(areas)s)"
        " ORDER BY u.id DESC LIMIT %(most)s) AS n",
        {"areas": areas, "most": _NAMED_LINES},
    )
    columns = (sorted({str(row[place]) for row in rows} - {""}) for place in range(3))
    actors, actions, types = (tuple(names[:MOST_NAMES]) for names in columns)
    return AuditNames(actors=actors, actions=actions, object_types=types)


async def _areas(
    tx: Transaction, scope: Scope, area_id: int | None
) -> tuple[list[int] | None, bool]:
    """The areas whose lines are shown (None: all), and whether those without an area are too."""
    is_root = await holds_root(tx, scope)
    if area_id is None and scope.paths is None:
        return None, True
    rows = await tx.tuples(
        "SELECT a.id, (SELECT count(*) FROM areas) FROM areas a WHERE"
        + IN_SCOPE
        + "AND (%(area)s::bigint IS NULL"
        "  OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))",
        {"scope": scope_paths(scope), "area": area_id},
    )
    if area_id is None and is_root and rows and len(rows) == int(str(rows[0][1])):
        return None, True
    return [int(str(number)) for number, _ in rows], is_root and area_id is None


async def _actions(tx: Transaction, action: str) -> list[str] | None:
    """The names that begin with an action or are it; None: all."""
    if not action:
        return None
    rows = await tx.tuples(
        _ACTIONS + " AND (n.name = %(action)s OR starts_with(n.name, %(action)s || '.'))",
        {"action": action},
    )
    return list(_names(rows))


async def _bounds(tx: Transaction, asked: AuditFilter) -> tuple[int | None, int | None]:
    """Between which numbers the lines of a filter lie (None: no bound), so that few are read.

    Lines are numbered as they are written: their order in time is the same but for neighbours.
    """
    newest = await tx.scalar(int, "SELECT max(id) FROM audit") or 0
    lowest = None
    if 0 < len(asked.text) < _TRIGRAM:
        lowest = newest - SHORT_SEARCH_LINES
    first, last = await _first_after(tx, asked.since), await _first_after(tx, asked.until)
    if asked.since is not None:
        lowest = max(lowest or 0, (newest if first is None else first) - _NEIGHBOURS)
    return lowest, None if last is None else last + _NEIGHBOURS


async def _first_after(tx: Transaction, at: datetime | None) -> int | None:
    if at is None:
        return None
    return await tx.scalar(
        int, "SELECT u.id FROM audit u WHERE u.at >= %(at)s ORDER BY u.at, u.id LIMIT 1", {"at": at}
    )


def _pattern(text: str) -> str:
    """A search finds the text anywhere, and takes nothing in it for a wildcard."""
    if not text:
        return ""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def _names(rows: list[tuple[object, ...]]) -> tuple[str, ...]:
    return tuple(str(name) for (name,) in rows)
