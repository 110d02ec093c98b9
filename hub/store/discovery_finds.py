"""Who answered a look for devices, and whether that is registered already."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from psycopg.types.json import Json

from hub.domain.access import Scope
from hub.domain.discovery import Find
from hub.store.database import Transaction
from hub.store.discoveries import get_discovery
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

MOST_FINDS: Final = 10_000
_FIND_COLUMNS = (
    " (host text, port integer, protocol text, address text, name text, manufacturer text,"
    " model text, serial text, firmware text, login text, credential integer, trouble text)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindLine:
    """Who answered, and whether that is registered already.

    ``device_id`` and ``device_name`` are of the registered device, where the caller may see it.
    """

    id: int
    host: str
    port: int
    protocol: str
    address: str
    name: str
    manufacturer: str
    model: str
    serial: str
    firmware: str
    login: str
    credential: int | None
    trouble: str
    is_known: bool
    device_id: int | None
    device_name: str


async def list_finds(
    tx: Transaction,
    scope: Scope,
    discovery_id: int,
    *,
    ids: Sequence[int] | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[FindLine]:
    """Who answered, in the order found: those of ``ids``, or a page.

    Known is what has the same address or the same serial number, wherever it is registered.
    """
    discovery = await get_discovery(tx, scope, discovery_id)
    after = decode_cursor(cursor, (int,))
    count = len(ids) if ids is not None else page_limit(limit)
    rows = await tx.search(
        FindLine,
        "SELECT f.id, f.host, f.port, f.protocol, f.address, f.name, f.manufacturer, f.model,"
        " f.serial, f.firmware, f.login, f.credential, f.trouble,"
        " c.id IS NOT NULL OR t.id IS NOT NULL AS is_known,"
        " o.id AS device_id, coalesce(o.name, '') AS device_name"
        " FROM (SELECT * FROM discovery_finds WHERE discovery_id = %(discovery)s"
        "  AND (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s))"
        "  AND id > coalesce(%(after)s::bigint, 0) ORDER BY id LIMIT %(limit)s) f"
        " LEFT JOIN connections c ON c.protocol = f.protocol AND c.address = f.address"
        " LEFT JOIN LATERAL (SELECT min(d.id) AS id FROM devices d WHERE d.connection_id = c.id) l"
        "  ON true"
        " LEFT JOIN (SELECT serial, manufacturer, min(id) AS id FROM devices WHERE serial <> ''"
        "  AND registration <> 'retired' GROUP BY 1, 2) t"
        "  ON t.serial = f.serial AND t.manufacturer = f.manufacturer"
        " LEFT JOIN LATERAL (SELECT d.id, d.name FROM devices d JOIN areas a ON a.id = d.area_id"
        "  WHERE d.id = coalesce(l.id, t.id) AND" + IN_SCOPE + ") o ON true ORDER BY f.id",
        {
            "discovery": discovery.id,
            "ids": None if ids is None else list(ids),
            "after": after[0] if after else None,
            "limit": count + 1,
            "scope": scope_paths(scope),
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def add_finds(
    tx: Transaction, scope: Scope, discovery_id: int, finds: Sequence[Find]
) -> None:
    """Keep who answered; who answered before is left as it is."""
    discovery = await get_discovery(tx, scope, discovery_id)
    await tx.execute(
        "INSERT INTO discovery_finds (discovery_id, host, port, protocol, address, name,"
        " manufacturer, model, serial, firmware, login, credential, trouble)"
        " SELECT %(id)s, n.* FROM json_to_recordset(%(rows)s) AS n"
        + _FIND_COLUMNS
        + " WHERE (SELECT count(*) FROM discovery_finds WHERE discovery_id = %(id)s) < %(most)s"
        " ON CONFLICT (discovery_id, protocol, address) DO NOTHING",
        {
            "id": discovery.id,
            "rows": Json([asdict(one) for one in finds]),
            "most": MOST_FINDS,
        },
    )
