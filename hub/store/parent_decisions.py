"""What a person makes of a suggested parent."""

from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from hub.domain.access import Scope
from hub.domain.devices import Connection, DeviceDescription, DeviceKind, Registration
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.connections import add_connection
from hub.store.database import Transaction
from hub.store.devices import NewDevice, add_device
from hub.store.notices import notify
from hub.store.parent_suggestions import TOPIC, Suggestion, SuggestionState, get_suggestion
from hub.store.parents import list_ancestors, set_parent
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The parent that is accepted: one that exists, or a new uplink without an address.

    A new one is put into ``area_id``, or else into the area that holds all its devices.
    """

    parent_id: int | None = None
    area_id: int | None = None


async def accept_suggestion(
    tx: Transaction, scope: Scope, suggestion_id: int, choice: Choice, *, now: datetime
) -> Suggestion:
    """Put the devices that still have no parent below one.

    Raises:
        NotFound: the suggestion, the parent or the area lies outside the scope.
        Conflict: it was decided already.
        Invalid: it cannot be their parent, or no area of the scope holds them all.
    """
    if choice.parent_id is not None and choice.area_id is not None:
        msg = "an area is only for a new uplink: name one of the two"
        raise Invalid(msg, field="area_id")
    suggestion = await _take(tx, scope, suggestion_id)
    parent_id = choice.parent_id
    if parent_id is None:
        parent_id = await _add_uplink(tx, scope, suggestion, choice.area_id)
    # A switch may well have failed together with what is below it.
    above = {parent_id, *await list_ancestors(tx, scope, parent_id)}
    rows = await tx.tuples(
        "SELECT d.id FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (%(ids)s) AND d.parent_id IS NULL AND" + IN_SCOPE,
        {"ids": suggestion.device_ids, "scope": scope_paths(scope)},
    )
    children = {int(str(number)) for (number,) in rows} - above
    await set_parent(tx, scope, children, parent_id)
    return await _decide(tx, scope, suggestion, SuggestionState.ACCEPTED, parent_id, now)


async def dismiss_suggestion(
    tx: Transaction, scope: Scope, suggestion_id: int, *, now: datetime
) -> Suggestion:
    """Say that it is not so; raises NotFound outside the scope, Conflict when it was decided."""
    suggestion = await _take(tx, scope, suggestion_id)
    return await _decide(tx, scope, suggestion, SuggestionState.DISMISSED, None, now)


async def _take(tx: Transaction, scope: Scope, suggestion_id: int) -> Suggestion:
    await get_suggestion(tx, scope, suggestion_id)
    await tx.execute(
        "SELECT FROM parent_suggestions WHERE id = %(id)s FOR UPDATE", {"id": suggestion_id}
    )
    suggestion = await get_suggestion(tx, scope, suggestion_id)
    if suggestion.state != SuggestionState.OPEN:
        msg = f"this suggestion was {suggestion.state} already"
        raise Conflict(msg)
    return suggestion


async def _decide(
    tx: Transaction,
    scope: Scope,
    suggestion: Suggestion,
    state: SuggestionState,
    parent_id: int | None,
    now: datetime,
) -> Suggestion:
    await tx.execute(
        "UPDATE parent_suggestions SET state = %(state)s, parent_id = %(parent)s,"
        " decided_at = %(now)s, decided_by = %(actor)s WHERE id = %(id)s",
        {
            "state": state,
            "parent": parent_id,
            "now": now,
            "actor": scope.actor,
            "id": suggestion.id,
        },
    )
    await notify(tx, scope, TOPIC, [suggestion.id])
    deed = Deed(
        action=f"parent_suggestion.{state}",
        object_type="parent_suggestion",
        object_id=str(suggestion.id),
        area_id=await _common_area(tx, suggestion),
    )
    detail = {"subnet": suggestion.subnet, "devices": suggestion.device_ids, "parent_id": parent_id}
    await record(tx, scope, deed, detail)
    return await get_suggestion(tx, scope, suggestion.id)


async def _add_uplink(
    tx: Transaction, scope: Scope, suggestion: Suggestion, area_id: int | None
) -> int:
    """An uplink nobody can ask, known by what hangs below it; its label is the subnet."""
    area = await get_area(tx, scope, area_id or await _shared_area(tx, scope, suggestion))
    name = f"Uplink {suggestion.subnet}"
    label = suggestion.subnet.replace(".", "-").replace("/", "-")
    link = Connection(
        id=0,
        protocol="uplink",
        name=name,
        address=f"passive://{label}-{suggestion.id}",
        area_id=area.id,
        options={"kind": DeviceKind.UPLINK.value},
    )
    connection_id = await add_connection(tx, scope, link)
    device = await add_device(
        tx,
        scope,
        NewDevice(
            connection_id=connection_id,
            key="device",
            area_id=area.id,
            description=DeviceDescription(kind=DeviceKind.UPLINK, name=name),
            registration=Registration.APPROVED,
        ),
    )
    await notify(tx, scope, "connections", [connection_id])
    await notify(tx, scope, "devices", [device.id])
    deed = Deed(
        action="connection.added",
        object_type="connection",
        object_id=str(connection_id),
        area_id=area.id,
    )
    await record(tx, scope, deed, {"protocol": "uplink", "name": name, "address": link.address})
    return device.id


async def _shared_area(tx: Transaction, scope: Scope, suggestion: Suggestion) -> int:
    shared = await _common_area(tx, suggestion)
    try:
        return (await get_area(tx, scope, shared or 0)).id
    except NotFound:
        msg = "no area of yours holds all these devices: say where the uplink belongs"
        raise Invalid(msg, field="area_id") from None


async def _common_area(tx: Transaction, suggestion: Suggestion) -> int | None:
    """The smallest area that holds every device of a suggestion; None when there is none."""
    rows = await tx.tuples(
        "SELECT DISTINCT a.path::text FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (%(ids)s)",
        {"ids": suggestion.device_ids},
    )
    paths = [str(path).split(".") for (path,) in rows]
    levels = takewhile(lambda labels: len(set(labels)) == 1, zip(*paths, strict=False))
    shared = [labels[0] for labels in levels]
    return await tx.scalar(
        int, "SELECT id FROM areas WHERE path::text = %(path)s", {"path": ".".join(shared)}
    )
