"""The desk's lists of tasks: narrowed, searched, sorted, counted, in pages.

Only numbers are looked for, in one table; what is shown of a page is read by them. The filters
are values of one constant query, which is planned anew for each question
(:meth:`Transaction.search`), so that it uses the index that the question needs.
"""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.alerts import Colour
from hub.domain.dispatches import Dispatch, DispatchState, Priority
from hub.store.database import Transaction
from hub.store.dispatches import get_dispatches
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

# A trigram index knows nothing of a part of a word that is shorter. Such texts are looked for in
# open tasks and among so many of the newest: what a question costs does not grow with the past.
TRIGRAM: Final = 3
NEWEST_SEARCHED: Final = 10_000
LONGEST_NUMBER: Final = 18  # digits that are a number for the database
# The predicate of the indexes of open tasks, to the letter.
_OPEN: Final[LiteralString] = "t.state NOT IN ('verified', 'cancelled', 'merged')"
# The colour of an open task as hub.domain.dispatches.Dispatch tells it. In such parts
# that the planner does not take them for rarer than they are.
_IS_RED: Final[LiteralString] = (
    "(t.overdue_at IS NOT NULL OR coalesce(t.deadline_at, 'infinity') <= %(now)s)"
)
_IS_NEAR: Final[LiteralString] = (
    "coalesce(t.deadline_at - %(now)s <= t.yellow_share * (t.deadline_at - t.created_at), false)"
)
_COLOUR: Final[LiteralString] = (
    "CASE WHEN " + _IS_RED + " THEN 'red' WHEN " + _IS_NEAR + " THEN 'yellow' ELSE 'green' END"
)
# The expression of the index dispatches_search, to the letter.
_TEXT: Final[LiteralString] = (
    "(t.title || ' ' || t.place || ' ' || t.device_name || ' ' || t.unit_name)"
)
# Of the scope and below the area asked for: numbers of areas tell the planner more than paths do.
_AREAS: Final[LiteralString] = (
    "SELECT coalesce(array_agg(a.id), '{}') AS ids, (SELECT count(*) FROM areas) AS all_areas"
    " FROM areas a WHERE"
    + IN_SCOPE
    + "AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
)
_FOUND: Final[LiteralString] = (
    "SELECT t.id FROM dispatches t WHERE"
    " (%(areas)s::bigint[] IS NULL OR t.area_id = ANY (%(areas)s::bigint[]))"
    " AND CASE WHEN %(is_open)s::boolean IS NULL THEN true"
    "  WHEN %(is_open)s THEN " + _OPEN + " ELSE NOT (" + _OPEN + ") END"
    " AND (%(state)s::text IS NULL OR t.state = %(state)s)"
    " AND (%(unit)s::bigint IS NULL OR t.unit_id = %(unit)s)"
    " AND (%(kind)s::text IS NULL OR t.kind = %(kind)s)"
    " AND (%(priority)s::text IS NULL OR t.priority = %(priority)s)"
    " AND CASE coalesce(%(colour)s::text, '') WHEN '' THEN true WHEN 'red' THEN "
    + _IS_RED
    + " WHEN 'yellow' THEN NOT "
    + _IS_RED
    + " AND "
    + _IS_NEAR
    + " ELSE NOT "
    + _IS_RED
    + " AND NOT "
    + _IS_NEAR
    + " END"
    " AND CASE %(match)s::text WHEN 'all' THEN true"
    "  WHEN 'short' THEN t.id >= %(oldest)s AND (t.id > %(recent)s OR " + _OPEN + ")"
    # ILIKE takes twice as long; only A to Z are alike in both cases.
    "   AND (t.id = %(number)s OR lower(" + _TEXT + ' COLLATE "C") LIKE %(text)s)'
    "  ELSE t.id = %(number)s OR " + _TEXT + " ILIKE %(text)s END"
)
_REACH: Final[LiteralString] = (
    "SELECT n.recent, least(n.recent, o.first) AS oldest FROM"
    " (SELECT coalesce(max(t.id), 0) - %(newest)s AS recent FROM dispatches t) n,"
    " (SELECT min(t.id) AS first FROM dispatches t WHERE " + _OPEN + ") o"
)
_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NEWEST: Final[LiteralString] = (
    " AND (%(id)s::bigint IS NULL OR t.id < %(id)s) ORDER BY t.id DESC LIMIT %(limit)s"
)
_NEAREST: Final[LiteralString] = (
    " AND (%(id)s::bigint IS NULL"
    "  OR (coalesce(t.deadline_at, 'infinity'), t.id) > (%(due)s::timestamptz, %(id)s))"
    " ORDER BY coalesce(t.deadline_at, 'infinity'), t.id LIMIT %(limit)s"
)


class DispatchOrder(StrEnum):
    """How a list is sorted. DEADLINE: open tasks, the nearest first, those without one last."""

    NEWEST = "newest"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchFilter:
    """What a list of tasks is narrowed to; empty fields narrow nothing.

    ``text`` matches any part of title, place, device or unit, and the whole number; one or two
    characters are looked for in open and in new tasks. ``is_open`` True means not verified,
    cancelled or merged. ``colour`` narrows to open ones, too.
    """

    area_id: int | None = None
    text: str = ""
    state: DispatchState | None = None
    is_open: bool | None = None
    colour: Colour | None = None
    unit_id: int | None = None
    kind: str | None = None
    priority: Priority | None = None
    order: DispatchOrder = DispatchOrder.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchCounts:
    """How many tasks are open, in all and by state, colour and priority."""

    total: int = 0
    states: dict[DispatchState, int] = field(default_factory=dict)
    colours: dict[Colour, int] = field(default_factory=dict)
    priorities: dict[Priority, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    state: str
    colour: str
    priority: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """From which number on a short text is looked for: in all tasks, in open ones."""

    recent: int
    oldest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    ids: Sequence[int]
    all_areas: int


async def list_dispatches(
    tx: Transaction,
    scope: Scope,
    wanted: DispatchFilter,
    *,
    now: datetime,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Dispatch]:
    """Tasks of the scope, sorted and narrowed, a page at a time.

    Raises:
        Invalid: the cursor is not of this list in this order.
    """
    count = page_limit(limit)
    is_open = _narrow(wanted)
    if is_open is True and wanted.is_open is False:
        return Page(items=[])
    values = {
        **_values(wanted, now),
        "is_open": is_open,
        **_after(wanted.order, cursor),
        **await _search(tx, wanted.text),
        "areas": await _find_areas(tx, scope, wanted.area_id),
        "limit": count + 1,
    }
    if wanted.order is DispatchOrder.NEWEST:
        rows = await tx.search(_Found, _FOUND + _NEWEST, values)
    else:
        rows = await tx.search(_Found, _FOUND + _NEAREST, values)
    ids = [row.id for row in rows[:count]]
    by_id = {task.id: task for task in await get_dispatches(tx, scope, ids)}
    found = [by_id[number] for number in ids if number in by_id]
    more = _cursor(wanted.order, found[-1]) if len(rows) > count and found else None
    return Page(items=found, next=more)


async def count_dispatches(
    tx: Transaction, scope: Scope, now: datetime, *, area_id: int | None = None
) -> DispatchCounts:
    """How many tasks of the scope are open, by state, colour and priority."""
    rows = await tx.search(
        _Count,
        "SELECT t.state, " + _COLOUR + " AS colour, t.priority, count(*) AS number"
        " FROM dispatches t WHERE " + _OPEN + " AND"
        " (%(areas)s::bigint[] IS NULL OR t.area_id = ANY (%(areas)s::bigint[]))"
        " GROUP BY 1, 2, 3",
        {"now": now, "areas": await _find_areas(tx, scope, area_id)},
    )
    counts = DispatchCounts(total=sum(row.number for row in rows))
    for row in rows:
        state, colour = DispatchState(row.state), Colour(row.colour)
        priority = Priority(row.priority)
        counts.states[state] = counts.states.get(state, 0) + row.number
        counts.colours[colour] = counts.colours.get(colour, 0) + row.number
        counts.priorities[priority] = counts.priorities.get(priority, 0) + row.number
    return counts


async def _find_areas(tx: Transaction, scope: Scope, area_id: int | None) -> Sequence[int] | None:
    """The areas of the scope and below one; None for all there are."""
    places = await tx.fetch_one(_Places, _AREAS, {"area": area_id, "scope": scope_paths(scope)})
    if places is None or len(places.ids) == places.all_areas:
        return None
    return places.ids


async def _search(tx: Transaction, text: str) -> Mapping[str, object]:
    """How a text is looked for."""
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
    found = {
        "match": "long" if text else "all",
        "text": f"%{pattern}%",
        "number": int(text) if is_number else 0,
        "oldest": 0,
        "recent": 0,
    }
    if 0 < len(text) < TRIGRAM:
        (reach,) = await tx.fetch(_Reach, _REACH, {"newest": NEWEST_SEARCHED})
        found |= {
            "match": "short",
            "text": f"%{pattern.translate(_LOWER)}%",
            "oldest": reach.oldest,
            "recent": reach.recent,
        }
    return found


def _narrow(wanted: DispatchFilter) -> bool | None:
    """Whether only open tasks can be meant.

    It stands once in the query: twice, the planner would think that almost nothing is left.
    """
    is_for_open = wanted.colour is not None or wanted.order is DispatchOrder.DEADLINE
    return True if is_for_open else wanted.is_open


def _values(wanted: DispatchFilter, now: datetime) -> dict[str, object]:
    return {
        "now": now,
        "state": wanted.state,
        "colour": wanted.colour,
        "unit": wanted.unit_id,
        "kind": wanted.kind,
        "priority": wanted.priority,
    }


def _after(order: DispatchOrder, cursor: str | None) -> dict[str, object]:
    if order is DispatchOrder.NEWEST:
        key = decode_cursor(cursor, (int,))
        return {"id": key[0] if key else None}
    key = decode_cursor(cursor, (str, int))
    return {"due": key[0] if key else None, "id": key[1] if key else None}


def _cursor(order: DispatchOrder, last: Dispatch) -> str:
    if order is DispatchOrder.NEWEST:
        return encode_cursor(last.id)
    due = last.deadline_at
    return encode_cursor("infinity" if due is None else due.isoformat(), last.id)
