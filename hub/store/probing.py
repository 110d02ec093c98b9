"""The devices that are probed, with all a probe needs to know of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.domain.access import Scope
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

PAGE_DEVICES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedDevice:
    """A device and the address it is probed at.

    Without any address (a passive uplink) it is judged by the devices behind it.
    """

    target: CameraTarget
    area_path: str
    device_class: str
    parent_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    device_id: int
    channel: str
    stream_address: str
    snapshot_address: str
    address: str
    protocol: str
    link_address: str
    username: str
    password_sealed: bytes | None = field(repr=False)
    area_path: str
    device_class: str
    parent_id: int | None


async def list_probed(
    tx: Transaction,
    scope: Scope,
    *,
    device_ids: Sequence[int] | None = None,
    shard: tuple[int, int] | None = None,
) -> list[ProbedDevice]:
    """Every approved device of the scope that is reached by itself, by its number.

    One that was never described is asked at the address of its link.

    Args:
        tx: The transaction.
        scope: Which areas.
        device_ids: Only these, None for all.
        shard: (number, of how many), by device number; None for all.
    """
    found: list[ProbedDevice] = []
    last = 0
    while True:
        rows = await _page(tx, scope, device_ids, shard or (0, 1), last)
        found += [_probed(tx, row) for row in rows]
        if len(rows) < PAGE_DEVICES:
            return found
        last = rows[-1].device_id


async def _page(
    tx: Transaction,
    scope: Scope,
    device_ids: Sequence[int] | None,
    shard: tuple[int, int],
    last: int,
) -> list[_Row]:
    """Some at a time: what is under way is not to wait for thousands."""
    number, of = shard
    return await tx.search(
        _Row,
        "SELECT d.id AS device_id, coalesce(h.key, '') AS channel,"
        " coalesce(h.stream_address, '') AS stream_address,"
        " coalesce(h.snapshot_address, '') AS snapshot_address, d.address,"
        " c.protocol, c.address AS link_address,"
        " c.username, c.password_sealed, a.path::text AS area_path, d.class AS device_class,"
        " d.parent_id FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN connections c ON c.id = d.connection_id LEFT JOIN LATERAL"
        "  (SELECT key, snapshot_address,"
        "   coalesce((SELECT s ->> 'address' FROM jsonb_array_elements(streams) s"
        "    ORDER BY s ->> 'role' = 'main' DESC LIMIT 1), '') AS stream_address"
        "   FROM channels WHERE device_id = d.id ORDER BY id LIMIT 1) h ON true"
        " WHERE d.registration = 'approved' AND c.is_enabled"
        " AND (h.key IS NOT NULL OR c.protocol IN ('onvif', 'rtsp', 'uplink'))"
        " AND (%(ids)s::bigint[] IS NULL OR d.id = ANY (%(ids)s))"
        " AND d.id %% %(of)s = %(number)s AND d.id > %(last)s AND"
        + IN_SCOPE
        + "ORDER BY d.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "ids": None if device_ids is None else list(device_ids),
            "number": number,
            "of": of,
            "last": last,
            "limit": PAGE_DEVICES,
        },
    )


def addresses_of(protocol: str, link_address: str, address: str, stream: str) -> tuple[str, str]:
    """Where a device is asked: its service and its stream, either empty without one.

    Args:
        protocol: That of its connection.
        link_address: That of its connection.
        address: What it said of itself.
        stream: What its first channel said.
    """
    service = address if address.startswith("http") else ""
    match protocol:
        case "onvif":
            service = service or link_address
        case "rtsp":
            stream = stream or link_address
        case "uplink" if link_address.startswith("tcp:"):
            stream = link_address
    return service, stream


def _probed(tx: Transaction, row: _Row) -> ProbedDevice:
    service, stream = addresses_of(row.protocol, row.link_address, row.address, row.stream_address)
    return ProbedDevice(
        target=CameraTarget(
            device_id=row.device_id,
            channel=row.channel,
            stream_address=stream,
            snapshot_address=row.snapshot_address,
            service_address=service,
            credentials=Credentials(
                username=row.username, password=tx.vault.unseal(row.password_sealed)
            ),
        ),
        area_path=row.area_path,
        device_class=row.device_class,
        parent_id=row.parent_id,
    )
