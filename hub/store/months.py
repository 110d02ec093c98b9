"""Published months: figures as supervisors saw them, kept for ever.

The database refuses to change or remove one; publishing a month again makes another edition.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.store import areas, audit
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

_COLUMNS = (
    "SELECT m.id, m.month, m.area_id, m.area_name, m.kind, m.edition, m.since, m.until,"
    " m.time_zone, m.published_at, m.author"
)
_FROM = " FROM published_months m JOIN areas a ON a.id = m.area_id WHERE"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMonth:
    """What is published; ``month`` reads "2026-10", ``kind`` "" means devices of all kinds."""

    month: str
    area_id: int
    kind: str
    since: datetime
    until: datetime
    time_zone: str
    published_at: datetime
    figures: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedMonth:
    """A published month without its figures; ``edition`` counts from 1."""

    id: int
    month: str
    area_id: int
    area_name: str
    kind: str
    edition: int
    since: datetime
    until: datetime
    time_zone: str
    published_at: datetime
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFigures:
    """A published month with its figures."""

    id: int
    month: str
    area_id: int
    area_name: str
    kind: str
    edition: int
    since: datetime
    until: datetime
    time_zone: str
    published_at: datetime
    author: str
    figures: Mapping[str, Json]


async def add_month(tx: Transaction, scope: Scope, new: NewMonth) -> int:
    """Keep a month for an area of the scope, with its line in the audit log.

    Raises:
        NotFound: the area lies outside the scope.
        Conflict: somebody publishes the same month at this moment.
    """
    area = await areas.get_area(tx, scope, new.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO published_months (month, area_id, area_name, kind, edition, since, until,"
        " time_zone, published_at, author, figures)"
        " SELECT %(month)s, %(area)s, %(name)s, %(kind)s, coalesce(max(edition), 0) + 1, %(since)s,"
        " %(until)s, %(zone)s, %(at)s, %(author)s, %(figures)s FROM published_months"
        " WHERE area_id = %(area)s AND month = %(month)s AND kind = %(kind)s RETURNING id",
        {
            "month": new.month,
            "area": area.id,
            "name": area.name,
            "kind": new.kind,
            "since": new.since,
            "until": new.until,
            "zone": new.time_zone,
            "at": new.published_at,
            "author": scope.actor,
            "figures": Jsonb(dict(new.figures)),
        },
    )
    deed = audit.Deed(
        action="month.published",
        object_type="published_month",
        object_id=str(number),
        area_id=area.id,
    )
    await audit.record(tx, scope, deed, {"month": new.month, "kind": new.kind})
    return number or 0


async def list_months(
    tx: Transaction,
    scope: Scope,
    *,
    month: str = "",
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[PublishedMonth]:
    """Published months of areas of the scope, newest first, every edition."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        PublishedMonth,
        _COLUMNS + _FROM + IN_SCOPE + "AND (%(month)s = '' OR m.month = %(month)s)"
        " AND (%(after)s::bigint IS NULL OR m.id < %(after)s) ORDER BY m.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "month": month,
            "after": after[0] if after else None,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def get_month(tx: Transaction, scope: Scope, number: int) -> MonthFigures:
    """One published month; raises NotFound outside the scope."""
    found = await tx.fetch_one(
        MonthFigures,
        _COLUMNS + ", m.figures" + _FROM + IN_SCOPE + "AND m.id = %(id)s",
        {"scope": scope_paths(scope), "id": number},
    )
    if found is None:
        msg = "no such published month"
        raise NotFound(msg)
    return found
