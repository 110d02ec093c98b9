"""Devices that hang below one another, for the tests of parents and their suggestions."""

from collections.abc import Sequence

from hub.domain.access import Scope
from hub.domain.devices import DeviceKind
from hub.store import devices, parents
from hub.store.database import Database
from tests.db.conftest import SYSTEM, County


async def add(
    database: Database,
    county: County,
    addresses: Sequence[str],
    kind: DeviceKind = DeviceKind.CAMERA,
    *,
    west: bool = False,
) -> list[int]:
    """Approved devices with these addresses, behind one link."""
    link, area = (county.west_link, county.west) if west else (county.east_link, county.east)
    async with database.transaction() as tx:
        rows = await tx.tuples(
            "WITH new AS (INSERT INTO devices"
            "  (connection_id, key, area_id, kind, name, registration, address)"
            "  SELECT %(link)s, gen_random_uuid()::text, %(area)s, %(kind)s, 'one', 'approved', n"
            "  FROM unnest(%(addresses)s::text[]) WITH ORDINALITY AS x (n, position)"
            "  ORDER BY position RETURNING id),"
            " s AS (INSERT INTO device_status (device_id, status) SELECT id, 'online' FROM new)"
            " SELECT id FROM new ORDER BY id",
            {"link": link.id, "area": area.id, "kind": kind, "addresses": list(addresses)},
        )
    return [int(str(number)) for (number,) in rows]


async def put(
    database: Database,
    device_ids: Sequence[int],
    parent_id: int | None,
    scope: Scope = SYSTEM,
) -> list[int]:
    async with database.transaction() as tx:
        return await parents.set_parent(tx, scope, device_ids, parent_id)


async def parent_of(database: Database, device_id: int) -> int | None:
    async with database.transaction() as tx:
        return (await devices.get_device(tx, SYSTEM, device_id)).parent_id


async def switches(database: Database, county: County, count: int) -> list[int]:
    return await add(database, county, [""] * count, DeviceKind.SWITCH)
