"""Tags of devices: words of the site's own, by which rules, routes and silences choose."""

from collections.abc import Sequence

from hub.domain.access import Scope
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.rules import check_labels


async def get_tags(tx: Transaction, scope: Scope, device_id: int) -> tuple[str, ...]:
    """The tags of a device of the scope; raises NotFound outside it."""
    device = await get_device(tx, scope, device_id)
    rows = await tx.tuples("SELECT unnest(tags) FROM devices WHERE id = %(id)s", {"id": device.id})
    return tuple(str(tag) for (tag,) in rows)


async def set_tags(
    tx: Transaction, scope: Scope, device_id: int, tags: Sequence[str]
) -> tuple[str, ...]:
    """Replace the tags of a device; each counts once, in the order given.

    Raises:
        NotFound: the device lies outside the scope.
        Invalid: there are too many, or one is empty, too long or not printable.
    """
    check_labels(tags, "tags")
    device = await get_device(tx, scope, device_id)
    before = await get_tags(tx, scope, device_id)
    after = tuple(dict.fromkeys(tags))
    await tx.execute(
        "UPDATE devices SET tags = %(tags)s WHERE id = %(id)s",
        {"tags": list(after), "id": device.id},
    )
    deed = Deed(
        action="device.tagged",
        object_type="device",
        object_id=str(device.id),
        area_id=device.area_id,
    )
    await record(tx, scope, deed, {"tags": list(after), "previous": list(before)})
    await notify(tx, scope, "devices", [device.id])
    return after
