"""Tags, classes, teams and registration of many devices at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg.types.json import Json

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What can be changed of many devices alike, as one of them has it."""

    id: int
    name: str
    kind: str
    area_id: int
    area_path: str
    registration: str
    device_class: str
    team: str
    tags: Sequence[str]
    parent_id: int | None


async def lock_devices(tx: Transaction, scope: Scope, ids: Iterable[int]) -> list[Labelled]:
    """These devices, by number; nobody else changes them until the transaction ends.

    Raises:
        NotFound: one of them lies outside the scope.
    """
    wanted = sorted(set(ids))
    found = await tx.fetch(
        Labelled,
        "SELECT d.id, d.name, d.kind, d.area_id, a.path::text AS area_path, d.registration,"
        " d.class AS device_class, d.team, d.tags, d.parent_id"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY d.id FOR NO KEY UPDATE OF d",
        {"ids": wanted, "scope": scope_paths(scope)},
    )
    if len(found) < len(wanted):
        msg = "no such device"
        raise NotFound(msg)
    return found


async def write_labels(tx: Transaction, scope: Scope, devices: Iterable[Labelled]) -> None:
    """Write areas, registration, classes, teams and tags of devices of the scope.

    Who calls has made sure that the new areas lie within the scope; others are left alone.
    """
    rows = [
        {
            "id": one.id,
            "area_id": one.area_id,
            "registration": one.registration,
            "class": one.device_class,
            "team": one.team,
            "tags": list(one.tags),
        }
        for one in devices
    ]
    await tx.execute(
        "UPDATE devices d SET area_id = n.area_id, registration = n.registration,"
        " class = n.class, team = n.team,"
        " tags = ARRAY(SELECT json_array_elements_text(n.tags))"
        " FROM json_to_recordset(%(rows)s) AS n (id bigint, area_id bigint, registration text,"
        "  class text, team text, tags json)"
        " JOIN devices o ON o.id = n.id JOIN areas a ON a.id = o.area_id"
        " JOIN areas t ON t.id = n.area_id WHERE d.id = n.id"
        " AND (%(scope)s::ltree[] IS NULL OR t.path <@ ANY (%(scope)s::ltree[])) AND" + IN_SCOPE,
        {"rows": Json(rows), "scope": scope_paths(scope)},
    )


async def put_tags(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], tags: Sequence[str]
) -> None:
    """Give devices of the scope these tags and no others."""
    await tx.execute(
        "UPDATE devices d SET tags = %(tags)s FROM areas a WHERE a.id = d.area_id"
        " AND d.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {
            "tags": list(dict.fromkeys(tags)),
            "ids": list(device_ids),
            "scope": scope_paths(scope),
        },
    )
