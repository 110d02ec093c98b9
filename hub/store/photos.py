"""Photos of the field and of residents: what is known of each. The files are not in the database.

A photo belongs to a task or to a report, and is in the scope when that is. The same picture sent
twice for one matter is kept once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_PHOTO: Final = (
    "SELECT p.id, p.dispatch_id, p.report_id, a.id AS area_id, p.at, p.author, p.is_field,"
    " p.width, p.height, p.sha256 FROM photos p LEFT JOIN dispatches t ON t.id = p.dispatch_id"
    " LEFT JOIN citizen_reports c ON c.id = p.report_id"
    " JOIN areas a ON a.id = coalesce(t.area_id, c.area_id) WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoOf:
    """What a photo belongs to: exactly one of them."""

    dispatch_id: int | None = None
    report_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPhoto:
    """A clean photo that is to be kept; ``sha256`` is of the file as it is kept, in hexadecimal."""

    of: PhotoOf
    at: datetime
    author: str
    is_field: bool
    width: int
    height: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo as the store returns it."""

    id: int
    dispatch_id: int | None
    report_id: int | None
    area_id: int
    at: datetime
    author: str
    is_field: bool
    width: int
    height: int
    sha256: str


async def add_photo(tx: Transaction, scope: Scope, new: NewPhoto) -> Photo:
    """Keep a photo of a task or report of the scope, which the caller holds.

    Returns the one that is there already when the same was sent before.

    Raises:
        NotFound: what it belongs to lies outside the scope.
    """
    for one in await list_photos(tx, scope, new.of):
        if one.sha256 == new.sha256:
            return one
    number = await tx.scalar(
        int,
        "INSERT INTO photos (dispatch_id, report_id, at, author, is_field, width, height, sha256)"
        " SELECT %(dispatch)s::bigint, %(report)s::bigint, %(at)s, %(author)s, %(is_field)s,"
        " %(width)s, %(height)s, %(sha256)s FROM areas a WHERE a.id = coalesce("
        "  (SELECT area_id FROM dispatches WHERE id = %(dispatch)s),"
        "  (SELECT area_id FROM citizen_reports WHERE id = %(report)s)) AND"
        + IN_SCOPE
        + "RETURNING id",
        {
            "dispatch": new.of.dispatch_id,
            "report": new.of.report_id,
            "at": new.at,
            "author": new.author,
            "is_field": new.is_field,
            "width": new.width,
            "height": new.height,
            "sha256": new.sha256,
            "scope": scope_paths(scope),
        },
    )
    return await get_photo(tx, scope, number or 0)


async def get_photo(tx: Transaction, scope: Scope, photo_id: int) -> Photo:
    """Return one photo; raises NotFound outside the scope."""
    found = await tx.fetch_one(
        Photo,
        _PHOTO + " p.id = %(id)s AND" + IN_SCOPE,
        {"id": photo_id, "scope": scope_paths(scope)},
    )
    if found is None:
        msg = "no such photo"
        raise NotFound(msg)
    return found


async def list_photos(tx: Transaction, scope: Scope, of: PhotoOf) -> list[Photo]:
    """The photos of a task or a report of the scope, the oldest first."""
    return await tx.fetch(
        Photo,
        _PHOTO
        + " (p.dispatch_id = %(dispatch)s::bigint OR p.report_id = %(report)s::bigint) AND"
        + IN_SCOPE
        + "ORDER BY p.id",
        {"dispatch": of.dispatch_id, "report": of.report_id, "scope": scope_paths(scope)},
    )
