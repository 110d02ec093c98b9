"""Whether what raised a task is clear: asked before it is verified."""

from collections.abc import Sequence

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch
from hub.store.database import Transaction


async def find_standing(tx: Transaction, scope: Scope, task: Dispatch) -> Sequence[str]:
    """What of a task's causes, and of those merged into it, still stands; in sentences."""
    del tx, scope, task
    return ()
