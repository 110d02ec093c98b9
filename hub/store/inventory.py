"""Many links, devices and asset records at once, in a few statements a batch.

Who calls has validated the rows; the statements still keep the caller inside his areas and
overwrite nobody else's: what somebody added meanwhile is not returned as made.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from psycopg.types.json import Json

from hub.domain.access import Scope
from hub.domain.devices import Connection
from hub.domain.devices import Json as Value
from hub.domain.secrets import Credentials
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

LinkKey = tuple[str, str]
"""Protocol and address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the rows of a batch name: devices by code or by link and key."""

    codes: Sequence[str] = ()
    links: Sequence[LinkKey] = ()
    keys: Sequence[str] = ()  # one for each of ``links``


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryDevice:
    """A device and its asset record as an import writes them; ``id`` 0 is a new one.

    Words of lists are empty where nothing is recorded.
    """

    id: int = 0
    connection_id: int
    key: str
    area_id: int
    kind: str
    name: str
    registration: str
    code: str = ""
    place: str = ""
    device_class: str = ""
    team: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    address: str = ""
    parent_id: int | None = None  # an import changes it another way
    mac: str = ""
    port: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    ptz_type: str = ""
    position_type: str = ""
    room: str = ""
    purpose: str = ""
    light: str = ""
    direction: str = ""
    resolution: str = ""
    mount_height_m: float | None = None
    installed_on: date | None = None
    warranty_until: date | None = None
    owner: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice(InventoryDevice):
    """A device of the scope; the link it is reached by may lie outside."""

    link_protocol: str
    link_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What of a batch is there already.

    ``links`` and ``devices`` are the scope's; the sets name what is taken by somebody outside,
    and nothing more of it.
    """

    devices: Sequence[FoundDevice] = ()
    links: Sequence[Connection] = ()
    taken_codes: frozenset[str] = frozenset()
    taken_links: frozenset[LinkKey] = frozenset()
    taken_keys: frozenset[tuple[str, str, str]] = frozenset()


_FIELDS = tuple(one.name for one in fields(InventoryDevice))
_RECORD = (
    " coalesce(r.mac, '') AS mac, r.port, r.longitude, r.latitude,"
    " coalesce(r.ptz_type, '') AS ptz_type, coalesce(r.position_type, '') AS position_type,"
    " coalesce(r.room, '') AS room, coalesce(r.purpose, '') AS purpose,"
    " coalesce(r.light, '') AS light, coalesce(r.direction, '') AS direction,"
    " coalesce(r.resolution, '') AS resolution, r.mount_height_m, r.installed_on,"
    " r.warranty_until, coalesce(r.owner, '') AS owner, coalesce(r.notes, '') AS notes"
)
# The rows of a batch as a table.
_DEVICES = (
    " json_to_recordset(%(rows)s) AS n (id bigint, connection_id bigint, key text,"
    " area_id bigint, kind text, name text, registration text, code text, place text,"
    " device_class text, team text, manufacturer text, model text, serial text, firmware text,"
    " address text, parent_id bigint, mac text, port integer, longitude double precision,"
    " latitude double precision, ptz_type text, position_type text, room text, purpose text,"
    " light text, direction text, resolution text, mount_height_m double precision,"
    " installed_on date, warranty_until date, owner text, notes text) "
)
_LINKS = (
    " json_to_recordset(%(rows)s) AS n (id bigint, protocol text, name text, address text,"
    " area_id bigint, username text, sealed text, options jsonb) "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A link that a row names, and the device of that key behind it."""

    protocol: str
    address: str
    key: str
    link_id: int
    device_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _LinkRow:
    id: int
    protocol: str
    name: str
    address: str
    area_id: int
    username: str
    password_sealed: bytes | None = field(repr=False)
    options: Mapping[str, Value]
    is_enabled: bool


async def find_known(tx: Transaction, scope: Scope, wanted: Wanted) -> Known:
    """What of a batch is there; the devices found stay as they are until the transaction ends."""
    named = await _named(tx, wanted)
    coded = await tx.tuples(
        "SELECT id, code FROM devices WHERE code = ANY (%(codes)s) AND code <> ''",
        {"codes": list(wanted.codes)},
    )
    ids = {row.device_id for row in named if row.device_id} | {int(str(id_)) for id_, _ in coded}
    found = await tx.fetch(
        FoundDevice,
        "SELECT d.id, d.connection_id, d.key, d.area_id, d.kind, d.name, d.registration, d.code,"
        " d.place, d.class AS device_class, d.team, d.manufacturer, d.model, d.serial, d.firmware,"
        " d.address, d.parent_id, c.protocol AS link_protocol, c.address AS link_address,"
        + _RECORD
        + " FROM devices d JOIN connections c ON c.id = d.connection_id"
        " JOIN areas a ON a.id = d.area_id LEFT JOIN asset_records r ON r.device_id = d.id"
        " WHERE d.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY d.id FOR NO KEY UPDATE OF d",
        {"scope": scope_paths(scope), "ids": list(ids)},
    )
    link_ids = {one.connection_id for one in found} | {row.link_id for row in named}
    links = await _links(tx, scope, link_ids)
    ours, our_links = {one.id for one in found}, {link.id for link in links}
    return Known(
        devices=found,
        links=links,
        taken_codes=frozenset(str(code) for id_, code in coded if id_ not in ours),
        taken_links=frozenset(
            (row.protocol, row.address) for row in named if row.link_id not in our_links
        ),
        taken_keys=frozenset(
            (row.protocol, row.address, row.key)
            for row in named
            if row.device_id and row.device_id not in ours
        ),
    )


async def add_links(
    tx: Transaction, scope: Scope, links: Iterable[Connection]
) -> dict[LinkKey, int]:
    """Store new links and return their numbers; those that are there already are left out."""
    rows = await tx.tuples(
        "INSERT INTO connections (protocol, name, address, area_id, username, password_sealed,"
        " options) SELECT n.protocol, n.name, n.address, n.area_id, n.username,"
        " decode(n.sealed, 'hex'), n.options FROM" + _LINKS + "JOIN areas a ON a.id = n.area_id"
        " WHERE" + IN_SCOPE + "ON CONFLICT (protocol, address) DO NOTHING"
        " RETURNING protocol, address, id",
        {"scope": scope_paths(scope), "rows": _link_rows(tx, links)},
    )
    return {(str(protocol), str(address)): int(str(number)) for protocol, address, number in rows}


async def change_links(tx: Transaction, scope: Scope, links: Iterable[Connection]) -> None:
    """Replace links of the scope; an empty password keeps the stored one."""
    await tx.execute(
        "UPDATE connections c SET name = n.name, address = n.address, area_id = n.area_id,"
        " username = n.username, options = n.options,"
        " password_sealed = coalesce(decode(n.sealed, 'hex'), c.password_sealed)"
        " FROM" + _LINKS + "JOIN connections o ON o.id = n.id JOIN areas a ON a.id = o.area_id"
        " WHERE c.id = n.id AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "rows": _link_rows(tx, links)},
    )


async def add_devices(
    tx: Transaction, scope: Scope, devices: Iterable[InventoryDevice]
) -> dict[tuple[int, str], int]:
    """Register devices, with a status; return numbers by link and key, of those that are new."""
    rows = await tx.tuples(
        "WITH d AS (INSERT INTO devices (connection_id, key, area_id, kind, name, registration,"
        "  code, place, class, team, manufacturer, model, serial, firmware, address, parent_id)"
        "  SELECT n.connection_id, n.key, n.area_id, n.kind, n.name, n.registration, n.code,"
        "  n.place, n.device_class, n.team, n.manufacturer, n.model, n.serial, n.firmware,"
        "  n.address, n.parent_id FROM"
        + _DEVICES
        + "JOIN areas a ON a.id = n.area_id WHERE"
        + IN_SCOPE
        + "  ON CONFLICT (connection_id, key) DO NOTHING RETURNING id, connection_id, key),"
        " s AS (INSERT INTO device_status (device_id) SELECT id FROM d)"
        " SELECT connection_id, key, id FROM d",
        {"scope": scope_paths(scope), "rows": _device_rows(devices)},
    )
    return {(int(str(link)), str(key)): int(str(number)) for link, key, number in rows}


async def change_devices(tx: Transaction, scope: Scope, devices: Iterable[InventoryDevice]) -> None:
    """Replace what an import may change of devices of the scope."""
    await tx.execute(
        "UPDATE devices d SET area_id = n.area_id, kind = n.kind, name = n.name,"
        " registration = n.registration, code = n.code, place = n.place, class = n.device_class,"
        " team = n.team, manufacturer = n.manufacturer, model = n.model, serial = n.serial,"
        " firmware = n.firmware, address = n.address"
        " FROM" + _DEVICES + "JOIN devices o ON o.id = n.id JOIN areas a ON a.id = o.area_id"
        " WHERE d.id = n.id AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "rows": _device_rows(devices)},
    )


async def put_records(tx: Transaction, scope: Scope, devices: Iterable[InventoryDevice]) -> None:
    """Write the asset records of devices of the scope."""
    await tx.execute(
        "INSERT INTO asset_records AS r (device_id, mac, port, longitude, latitude, ptz_type,"
        " position_type, room, purpose, light, direction, resolution, mount_height_m,"
        " installed_on, warranty_until, owner, notes)"
        " SELECT n.id, n.mac, n.port, n.longitude, n.latitude, n.ptz_type, n.position_type,"
        " n.room, n.purpose, n.light, n.direction, n.resolution, n.mount_height_m,"
        " n.installed_on, n.warranty_until, n.owner, n.notes FROM"
        + _DEVICES
        + "JOIN devices d ON d.id = n.id JOIN areas a ON a.id = d.area_id WHERE"
        + IN_SCOPE
        + "ON CONFLICT (device_id) DO UPDATE SET mac = excluded.mac, port = excluded.port,"
        " longitude = excluded.longitude, latitude = excluded.latitude,"
        " ptz_type = excluded.ptz_type, position_type = excluded.position_type,"
        " room = excluded.room, purpose = excluded.purpose, light = excluded.light,"
        " direction = excluded.direction, resolution = excluded.resolution,"
        " mount_height_m = excluded.mount_height_m, installed_on = excluded.installed_on,"
        " warranty_until = excluded.warranty_until, owner = excluded.owner,"
        " notes = excluded.notes",
        {"scope": scope_paths(scope), "rows": _device_rows(devices)},
    )


async def _named(tx: Transaction, wanted: Wanted) -> list[_Named]:
    """The links that rows name, and the devices behind them, wherever they are.

    LATERAL with a limit: whatever the planner thinks, a look into an index for each row.
    """
    return await tx.fetch(
        _Named,
        "SELECT w.protocol, w.address, w.key, c.id AS link_id, d.id AS device_id"
        " FROM unnest(%(protocols)s::text[], %(addresses)s::text[], %(keys)s::text[])"
        "  AS w (protocol, address, key)"
        " JOIN LATERAL (SELECT id FROM connections"
        "  WHERE protocol = w.protocol AND address = w.address LIMIT 1) c ON true"
        " LEFT JOIN LATERAL (SELECT id FROM devices"
        "  WHERE connection_id = c.id AND key = w.key LIMIT 1) d ON true",
        {
            "protocols": [protocol for protocol, _ in wanted.links],
            "addresses": [address for _, address in wanted.links],
            "keys": list(wanted.keys),
        },
    )


async def _links(tx: Transaction, scope: Scope, ids: Iterable[int]) -> list[Connection]:
    rows = await tx.fetch(
        _LinkRow,
        "SELECT c.id, c.protocol, c.name, c.address, c.area_id, c.username, c.password_sealed,"
        " c.options, c.is_enabled FROM connections c JOIN areas a ON a.id = c.area_id"
        " WHERE c.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY c.id",
        {"scope": scope_paths(scope), "ids": list(ids)},
    )
    return [
        Connection(
            id=row.id,
            protocol=row.protocol,
            name=row.name,
            address=row.address,
            area_id=row.area_id,
            credentials=Credentials(
                username=row.username, password=tx.vault.unseal(row.password_sealed)
            ),
            options=row.options,
            is_enabled=row.is_enabled,
        )
        for row in rows
    ]


def _link_rows(tx: Transaction, links: Iterable[Connection]) -> Json:
    return Json(
        [
            {
                "id": link.id,
                "protocol": link.protocol,
                "name": link.name,
                "address": link.address,
                "area_id": link.area_id,
                "username": link.credentials.username,
                "sealed": _hex(tx.vault.seal(link.credentials.password)),
                "options": dict(link.options),
            }
            for link in links
        ]
    )


def _hex(sealed: bytes | None) -> str | None:
    return None if sealed is None else sealed.hex()


def _device_rows(devices: Iterable[InventoryDevice]) -> Json:
    # Field by field: asdict copies deeply, which takes longer than all the rest of a batch.
    rows = [{name: getattr(device, name) for name in _FIELDS} for device in devices]
    return Json(rows, dumps=_dump)


def _dump(rows: object) -> str:
    return json.dumps(rows, default=str)
