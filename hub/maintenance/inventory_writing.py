"""Writes what the rows of one batch change, in the caller's transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid
from hub.maintenance.inventory_changes import Change, Taken
from hub.maintenance.inventory_parents import Hanging
from hub.store.database import Transaction
from hub.store.inventory import (
    InventoryDevice,
    LinkKey,
    add_devices,
    add_links,
    change_devices,
    change_links,
    put_records,
)
from hub.store.inventory_deeds import ImportDeed, record_deeds
from hub.store.inventory_parents import put_below
from hub.store.notices import notify
from hub.store.parents import set_parent

_FIELDS = [field.name for field in fields(InventoryDevice)]
# Those from here on are the asset record's.
_RECORD_FIELDS = frozenset(_FIELDS[_FIELDS.index("mac") :])

_MEANWHILE = "somebody else added this meanwhile: import the file again"


async def write_changes(
    tx: Transaction, scope: Scope, changes: Sequence[Change], file: str
) -> dict[int, int]:
    """Write a batch; return the numbers of its new devices by line.

    Raises:
        Conflict: somebody else added one of them just now.
    """
    links = await _write_links(tx, scope, changes)
    new: dict[int, InventoryDevice] = {}
    kept: list[InventoryDevice] = []
    for change in changes:
        if change.device is None:
            continue
        if change.before is not None:
            kept += [change.device] if change.fields else []
        else:
            number = change.device.connection_id or links[change.row.link]
            new[change.row.line] = replace(change.device, connection_id=number)
    made = await add_devices(tx, scope, new.values()) if new else {}
    if len(made) < len(new):
        raise Conflict(_MEANWHILE)
    numbers = {line: made[one.connection_id, one.key] for line, one in new.items()}
    if kept:
        await change_devices(tx, scope, kept)
    recorded = [replace(one, id=numbers[line]) for line, one in new.items() if _has_record(one)]
    recorded += [c.device for c in changes if c.device and not _RECORD_FIELDS.isdisjoint(c.fields)]
    if recorded:
        await put_records(tx, scope, recorded)
    await _tell(tx, scope, changes, _Made(devices=numbers, links=links, file=file))
    return numbers


async def write_parents(
    tx: Transaction, scope: Scope, moved: Sequence[tuple[Hanging, int]], file: str
) -> None:
    """Put devices below parents.

    Raises:
        Invalid, NotFound: one of them cannot be there; when there is one only, it says why.
    """
    if len(moved) == 1:
        hanging, parent_id = moved[0]
        await set_parent(tx, scope, [hanging.device_id], parent_id)
        return
    parents = {hanging.device_id: parent_id for hanging, parent_id in moved}
    if await put_below(tx, scope, parents) < len(parents):
        msg = "one of them cannot be there"
        raise Invalid(msg, field="parent")
    deeds = [
        ImportDeed(
            action="device.parent_set",
            object_type="device",
            object_id=str(hanging.device_id),
            area_id=hanging.area_id,
            detail={
                "import": file,
                "line": hanging.line,
                "parent_id": parent_id,
                "previous": {str(hanging.device_id): hanging.parent_id},
            },
        )
        for hanging, parent_id in moved
    ]
    await record_deeds(tx, scope, deeds)
    await notify(tx, scope, "devices", list(parents))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """Numbers of what is new: devices by line, links by protocol and address."""

    devices: Mapping[int, int]
    links: Mapping[LinkKey, int]
    file: str


async def _write_links(
    tx: Transaction, scope: Scope, changes: Sequence[Change]
) -> dict[LinkKey, int]:
    links = [change.link for change in changes if change.link is not None]
    new = [link for link in links if not link.id]
    made = await add_links(tx, scope, new) if new else {}
    if len(made) < len(new):
        raise Conflict(_MEANWHILE)
    if len(links) > len(new):
        await change_links(tx, scope, [link for link in links if link.id])
    return made


async def _tell(tx: Transaction, scope: Scope, changes: Sequence[Change], made: _Made) -> None:
    """One line of the audit log a row that did something; other processes hear of it."""
    deeds = [_deed(change, made) for change in changes if change.taken is not Taken.UNCHANGED]
    if deeds:
        await record_deeds(tx, scope, deeds)
    links = [*made.links.values(), *(c.link.id for c in changes if c.link and c.link.id)]
    devices = [*made.devices.values(), *(c.device_id for c in changes if c.fields)]
    # Those who saw something where it was must drop it: they read again.
    areas = {area for change in changes for area in _left(change)}
    for topic, ids in (("connections", links), ("devices", devices), ("areas", sorted(areas))):
        if ids:
            await notify(tx, scope, topic, ids)


def _deed(change: Change, made: _Made) -> ImportDeed:
    row, is_new = change.row, change.taken is Taken.NEW
    detail: dict[str, object] = {"import": made.file, "line": row.line}
    if row.protocol:
        detail |= {"protocol": row.protocol, "address": row.address}
    if not is_new:
        detail["fields"] = [*change.fields, *(f"connection.{name}" for name in change.link_fields)]
    link = change.link
    if change.device is not None:
        return ImportDeed(
            action="device.imported" if is_new else "device.edited",
            object_type="device",
            object_id=str(made.devices.get(row.line, change.device_id)),
            area_id=change.device.area_id,
            detail=detail,
        )
    return ImportDeed(
        action="connection.added" if is_new else "connection.changed",
        object_type="connection",
        object_id=str(made.links.get(row.link, 0 if link is None else link.id)),
        area_id=None if link is None else link.area_id,
        detail=detail,
    )


def _left(change: Change) -> Iterator[int]:
    """The areas between which a row moves something."""
    if change.before is not None and "area_id" in change.fields and change.device is not None:
        yield change.before.area_id
        yield change.device.area_id
    if "area_id" in change.link_fields:
        yield from (link.area_id for link in (change.link_before, change.link) if link is not None)


def _has_record(device: InventoryDevice) -> bool:
    return any(getattr(device, name) not in {"", None} for name in _RECORD_FIELDS)
