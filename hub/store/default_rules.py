"""Which of the hub's own rules were put into an installation: each once, also if removed since."""

from collections.abc import Sequence

from hub.domain.access import Scope
from hub.store.database import Transaction


async def note_new(tx: Transaction, scope: Scope, names: Sequence[str]) -> list[str]:
    """Put names on record and return those that were not, in their order.

    For the hub alone: a scope that does not reach everything adds nothing.
    """
    if scope.paths is not None:
        return []
    rows = await tx.tuples(
        "INSERT INTO default_rules (name) SELECT unnest(%(names)s::text[])"
        " ON CONFLICT DO NOTHING RETURNING name",
        {"names": list(names)},
    )
    added = {str(row[0]) for row in rows}
    return [name for name in names if name in added]
