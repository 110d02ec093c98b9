"""The area tree."""

import re

from hub.domain.access import Scope
from hub.domain.devices import Area
from hub.domain.errors import Invalid, NotFound
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_CODE = re.compile(r"[A-Za-z0-9_]{1,64}\Z")
_SELECT = "SELECT a.id, a.parent_id, a.code, a.name, a.path::text AS path FROM areas a "


async def list_areas(tx: Transaction, scope: Scope) -> list[Area]:
    """Every area of the scope, parents before children."""
    return await tx.fetch(
        Area, _SELECT + "WHERE" + IN_SCOPE + "ORDER BY a.path", {"scope": scope_paths(scope)}
    )


async def get_area(tx: Transaction, scope: Scope, area_id: int) -> Area:
    """Return one area; raises NotFound outside the scope."""
    return _found(
        await tx.fetch_one(
            Area,
            _SELECT + "WHERE a.id = %(id)s AND" + IN_SCOPE,
            {"id": area_id, "scope": scope_paths(scope)},
        )
    )


async def find_area(tx: Transaction, scope: Scope, code: str) -> Area:
    """Return the area with a code; raises NotFound outside the scope."""
    return _found(
        await tx.fetch_one(
            Area,
            _SELECT + "WHERE a.code = %(code)s AND" + IN_SCOPE,
            {"code": code, "scope": scope_paths(scope)},
        )
    )


async def create_area(
    tx: Transaction, scope: Scope, *, code: str, name: str, parent_id: int | None
) -> Area:
    """Add an area below a parent of the scope; only the hub itself and root admins add roots.

    Raises:
        NotFound: the parent lies outside the scope.
        Conflict: the code is taken.
        Invalid: the code or the name has a form that is refused.
    """
    if not _CODE.match(code):
        msg = "an area code is 1 to 64 letters, digits and underscores, like 330402001"
        raise Invalid(msg, field="code")
    if parent_id is not None:
        parent_path = (await get_area(tx, scope, parent_id)).path + "."
    elif scope.paths is None or await _holds_a_root(tx, scope):
        parent_path = ""
    else:
        msg = "a new area needs a parent"
        raise NotFound(msg)
    area_id = await tx.scalar(
        int,
        "INSERT INTO areas (parent_id, code, name, path)"
        " VALUES (%(parent)s, %(code)s, %(name)s, text2ltree(%(path)s)) RETURNING id",
        {"parent": parent_id, "code": code, "name": name, "path": parent_path + code},
    )
    return Area(id=area_id or 0, parent_id=parent_id, code=code, name=name, path=parent_path + code)


async def rename_area(tx: Transaction, scope: Scope, area_id: int, name: str) -> None:
    """Give an area of the scope another name."""
    area = await get_area(tx, scope, area_id)
    await tx.execute(
        "UPDATE areas SET name = %(name)s WHERE id = %(id)s", {"name": name, "id": area.id}
    )


async def _holds_a_root(tx: Transaction, scope: Scope) -> bool:
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM areas WHERE parent_id IS NULL"
            " AND path = ANY (%(scope)s::ltree[]))",
            {"scope": scope_paths(scope)},
        )
    )


def _found(area: Area | None) -> Area:
    if area is None:
        msg = "no such area"
        raise NotFound(msg)
    return area
