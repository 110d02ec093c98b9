"""How far a consumer of stored events has come, so that it goes on there after a crash."""

from hub.domain.access import Scope
from hub.store.database import Transaction


async def get_cursor(tx: Transaction, scope: Scope, name: str) -> int:
    """The number of the last event dealt with; a new consumer starts at the newest one."""
    del scope  # the hub's own bookkeeping
    number = await tx.scalar(
        int,
        "INSERT INTO cursors (name, event_id)"
        " VALUES (%(name)s, coalesce((SELECT max(id) FROM events), 0))"
        " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING event_id",
        {"name": name},
    )
    return number or 0


async def set_cursor(tx: Transaction, scope: Scope, name: str, event_id: int) -> None:
    """Move on, in the transaction that deals with the event; never back."""
    del scope
    await tx.execute(
        "UPDATE cursors SET event_id = greatest(event_id, %(id)s) WHERE name = %(name)s",
        {"name": name, "id": event_id},
    )
