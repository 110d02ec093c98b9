"""What the database says of pictures kept on disk, when they are to go."""

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.devices import get_device


async def forget_evidence(tx: Transaction, scope: Scope, device_id: int) -> list[int]:
    """Say that no picture of a camera of the scope is kept any more, and none of what was said.

    The next look that is worth it keeps one again. Returns the numbers of the remarks whose
    pictures are to be removed.

    Raises:
        NotFound: the camera lies outside the scope.
    """
    device = await get_device(tx, scope, device_id)
    await tx.execute(
        "UPDATE picture_states SET good_at = NULL, bad_at = NULL WHERE device_id = %(id)s",
        {"id": device.id},
    )
    rows = await tx.tuples(
        "UPDATE picture_feedback SET has_picture = false"
        " WHERE device_id = %(id)s AND has_picture RETURNING id",
        {"id": device.id},
    )
    return [int(str(number)) for (number,) in rows]
