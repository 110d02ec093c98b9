"""Which tasks count in another one."""

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


async def list_merged(tx: Transaction, scope: Scope, dispatch_id: int) -> list[int]:
    """The numbers of the tasks of the scope that were merged into one."""
    rows = await tx.tuples(
        "SELECT t.id FROM dispatches t JOIN areas a ON a.id = t.area_id"
        " WHERE t.merged_into = %(id)s AND" + IN_SCOPE + "ORDER BY t.id",
        {"id": dispatch_id, "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def move_merged(tx: Transaction, scope: Scope, task: Dispatch, into: Dispatch) -> None:
    """Let what was merged into a task count in another one; the caller holds both."""
    del scope
    await tx.execute(
        "UPDATE dispatches SET merged_into = %(into)s WHERE merged_into = %(id)s",
        {"id": task.id, "into": into.id},
    )
