"""Many areas at once."""

from collections.abc import Iterable, Mapping

from psycopg.types.json import Json

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


async def holds_a_root(tx: Transaction, scope: Scope) -> bool:
    """Whether the caller may add roots: the hub itself, and who administers a root."""
    if scope.paths is None:
        return True
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM areas WHERE parent_id IS NULL"
            " AND path = ANY (%(scope)s::ltree[]))",
            {"scope": scope_paths(scope)},
        )
    )


async def find_taken_codes(tx: Transaction, scope: Scope, codes: Iterable[str]) -> frozenset[str]:
    """Those of the codes that areas outside the scope have."""
    rows = await tx.tuples(
        "SELECT a.code FROM areas a WHERE a.code = ANY (%(codes)s) AND NOT" + IN_SCOPE,
        {"scope": scope_paths(scope), "codes": list(codes)},
    )
    return frozenset(str(code) for (code,) in rows)


async def add_areas(
    tx: Transaction, scope: Scope, rows: Iterable[tuple[str, str, str]]
) -> dict[str, int]:
    """Add areas, each a code, a name and its parent's code; return their numbers by code.

    Parents are there and in the scope; without a parent it is a root, and the caller has made
    sure that this one may add roots.

    Raises:
        Conflict: a code is taken.
    """
    made = await tx.tuples(
        "INSERT INTO areas (parent_id, code, name, path)"
        " SELECT a.id, n.code, n.name, coalesce(a.path, '') || text2ltree(n.code)"
        " FROM json_to_recordset(%(rows)s) AS n (code text, name text, parent text)"
        " LEFT JOIN areas a ON a.code = n.parent"
        " WHERE (n.parent = '' OR a.id IS NOT NULL AND" + IN_SCOPE + ") RETURNING code, id",
        {
            "scope": scope_paths(scope),
            "rows": Json([{"code": c, "name": n, "parent": p} for c, n, p in rows]),
        },
    )
    return {str(code): int(str(number)) for code, number in made}


async def rename_areas(tx: Transaction, scope: Scope, names: Mapping[str, str]) -> None:
    """Give areas of the scope other names, by code."""
    await tx.execute(
        "UPDATE areas a SET name = n.name"
        " FROM unnest(%(codes)s::text[], %(names)s::text[]) AS n (code, name)"
        " WHERE a.code = n.code AND" + IN_SCOPE,
        {
            "scope": scope_paths(scope),
            "codes": list(names),
            "names": list(names.values()),
        },
    )
