"""What an import hangs on what: every device that may be meant, and many changes at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.store.database import Transaction
from hub.store.parents import LONGEST_CHAIN, PARENT_KINDS, PARENTS_LOCK
from hub.store.scoping import IN_SCOPE, scope_paths

PAGE_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentNode:
    """A device as something that others may hang on, and what it hangs on itself.

    ``address`` is its link's.
    """

    id: int
    code: str
    name: str
    area_id: int
    address: str
    kind: str
    registration: str
    parent_id: int | None


async def page_parent_nodes(
    tx: Transaction, scope: Scope, *, after: int = 0, limit: int = PAGE_ROWS
) -> list[ParentNode]:
    """Devices of the scope by number, after one of them."""
    return await tx.fetch(
        ParentNode,
        "SELECT d.id, d.code, d.name, d.area_id, c.address, d.kind, d.registration, d.parent_id"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN connections c ON c.id = d.connection_id"
        " WHERE d.id > %(after)s AND" + IN_SCOPE + "ORDER BY d.id LIMIT %(limit)s",
        {"scope": scope_paths(scope), "after": after, "limit": limit},
    )


async def put_below(tx: Transaction, scope: Scope, parents: Mapping[int, int]) -> int:
    """Put many devices below their parents, child to parent, and return how many were.

    Fewer than asked for, or Invalid, says that some may not: :func:`hub.store.parents.set_parent`
    says which and why. Rules and lock are its own.

    Raises:
        Invalid: there would be a circle or too long a chain.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": PARENTS_LOCK})
    params = {
        "scope": scope_paths(scope),
        "children": list(parents),
        "parents": list(parents.values()),
        "kinds": [str(kind) for kind in PARENT_KINDS],
        "longest": LONGEST_CHAIN,
    }
    count = await tx.execute(
        "UPDATE devices d SET parent_id = p.id"
        " FROM unnest(%(children)s::bigint[], %(parents)s::bigint[]) AS n (child, parent)"
        " JOIN devices p ON p.id = n.parent AND p.kind = ANY (%(kinds)s)"
        "  AND p.registration <> 'retired'"
        " JOIN areas pa ON pa.id = p.area_id JOIN devices o ON o.id = n.child"
        " JOIN areas a ON a.id = o.area_id WHERE d.id = n.child AND"
        + IN_SCOPE
        + "AND (%(scope)s::ltree[] IS NULL OR pa.path <@ ANY (%(scope)s::ltree[]))",
        params,
    )
    is_bad = await tx.scalar(
        bool,
        "WITH RECURSIVE lower AS (SELECT unnest(%(children)s::bigint[]) AS id"
        "  UNION SELECT d.id FROM lower l JOIN devices d ON d.parent_id = l.id),"
        " upper AS (SELECT l.id, d.parent_id AS above, 1 AS depth FROM lower l"
        "  JOIN devices d ON d.id = l.id WHERE d.parent_id IS NOT NULL"
        "  UNION ALL SELECT u.id, d.parent_id, u.depth + 1 FROM upper u"
        "  JOIN devices d ON d.id = u.above"
        "  WHERE d.parent_id IS NOT NULL AND u.depth <= %(longest)s)"
        " SELECT EXISTS (SELECT FROM upper WHERE depth > %(longest)s)",
        params,
    )
    if is_bad:
        msg = "a device would be below itself, or too far down"
        raise Invalid(msg, field="parent")
    return count
