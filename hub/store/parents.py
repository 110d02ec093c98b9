"""The parents of devices: the switch, ONU, recorder, uplink or gateway each is reached through."""

import ipaddress
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Device, DeviceKind, Registration
from hub.domain.errors import Invalid, NotFound
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, scope_paths

PARENT_KINDS: Final = frozenset(
    {DeviceKind.SWITCH, DeviceKind.ONU, DeviceKind.NVR, DeviceKind.UPLINK, DeviceKind.GATEWAY}
)
# Camera, switch, ONU, village, township, county and two to spare.
LONGEST_CHAIN: Final = 8
MOST_AT_ONCE: Final = 5_000
WIDEST_SUBNET: Final = 16  # bits of the prefix

PARENTS_LOCK = 0x706172656E7473  # "parents"
# Where a device is on the network: its own address, or that of the link that is its alone.
_HOST = (
    "coalesce(ipv4_host(d.address),"
    " CASE WHEN c.protocol IN ('onvif', 'rtsp', 'uplink') THEN ipv4_host(c.address) END)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """The devices of the scope right below one: how many, and how many of them do not work.

    ``behind`` counts all, however far below, whose outage is put down to this device.
    """

    children: int
    offline: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    id: int
    area_id: int
    parent_id: int | None


async def set_parent(
    tx: Transaction, scope: Scope, device_ids: Collection[int], parent_id: int | None
) -> list[int]:
    """Put devices below a parent, or below none; return those for which that is new.

    Raises:
        NotFound: a device or the parent lies outside the scope.
        Invalid: too many at once, not something to be below, a circle, or too long a chain.
    """
    if len(device_ids) > MOST_AT_ONCE:
        msg = f"at most {MOST_AT_ONCE} devices at once"
        raise Invalid(msg, field="device_ids")
    # Two who each lengthen a chain could close a circle together.
    await tx.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": PARENTS_LOCK})
    wanted = sorted(set(device_ids))
    found = await tx.fetch(
        _Child,
        "SELECT d.id, d.area_id, d.parent_id FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY d.id FOR UPDATE OF d",
        {"ids": wanted, "scope": scope_paths(scope)},
    )
    if len(found) < len(wanted):
        msg = "no such device"
        raise NotFound(msg)
    if parent_id is not None:
        parent = await get_device(tx, scope, parent_id)
        _check_kind(parent)
        await _check_chain(tx, wanted, parent.id)
    changed = [child for child in found if child.parent_id != parent_id]
    await tx.execute(
        "UPDATE devices SET parent_id = %(parent)s WHERE id = ANY (%(ids)s)",
        {"parent": parent_id, "ids": [child.id for child in changed]},
    )
    await _tell(tx, scope, changed, parent_id)
    return [child.id for child in changed]


async def list_ancestors(tx: Transaction, scope: Scope, device_id: int) -> list[int]:
    """The parents of a device of the scope, the nearest first, wherever they are."""
    device = await get_device(tx, scope, device_id)
    return await _upward(tx, device.id)


async def find_in_subnet(
    tx: Transaction, scope: Scope, subnet: str, *, with_parent: bool = False
) -> list[int]:
    """Devices of the scope in an IPv4 subnet, those that have a parent only when asked for.

    Raises:
        Invalid: it is no subnet, or too wide a one.
    """
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError:
        msg = "a subnet looks like 10.3.7.0/24"
        raise Invalid(msg, field="subnet") from None
    if network.prefixlen < WIDEST_SUBNET:
        msg = f"a subnet is at most a /{WIDEST_SUBNET}"
        raise Invalid(msg, field="subnet")
    rows = await tx.tuples(
        "SELECT d.id FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN connections c ON c.id = d.connection_id WHERE d.registration <> 'retired'"
        " AND (%(all)s OR d.parent_id IS NULL) AND "
        + _HOST
        + " <<= %(subnet)s::inet AND"
        + IN_SCOPE
        + "ORDER BY d.id",
        {"all": with_parent, "subnet": str(network), "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def count_children(tx: Transaction, scope: Scope, device_id: int) -> Children:
    """What is below a device of the scope, counted within the scope."""
    device = await get_device(tx, scope, device_id)
    found = await tx.fetch_one(
        Children,
        "SELECT count(*) FILTER (WHERE d.parent_id = %(id)s) AS children,"
        " count(*) FILTER (WHERE d.parent_id = %(id)s AND s.status = 'offline') AS offline,"
        " count(*) FILTER (WHERE s.behind_id = %(id)s) AS behind"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " WHERE d.id IN (SELECT id FROM devices WHERE parent_id = %(id)s"
        "  UNION SELECT device_id FROM device_status WHERE behind_id = %(id)s) AND" + IN_SCOPE,
        {"id": device.id, "scope": scope_paths(scope)},
    )
    return found or Children(children=0, offline=0, behind=0)


def _check_kind(parent: Device) -> None:
    if parent.kind not in PARENT_KINDS or parent.registration is Registration.RETIRED:
        msg = f"a parent is one of {', '.join(sorted(PARENT_KINDS))} and in service"
        raise Invalid(msg, field="parent_id")


async def _check_chain(tx: Transaction, device_ids: Sequence[int], parent_id: int) -> None:
    above = [parent_id, *await _upward(tx, parent_id)]
    if not set(above).isdisjoint(device_ids):
        msg = "a device cannot be below itself"
        raise Invalid(msg, field="parent_id")
    below = await tx.scalar(
        int,
        "WITH RECURSIVE lower AS (SELECT unnest(%(ids)s::bigint[]) AS id, 0 AS depth"
        "  UNION SELECT d.id, l.depth + 1 FROM lower l JOIN devices d ON d.parent_id = l.id"
        "  WHERE l.depth < %(longest)s) SELECT max(depth) FROM lower",
        {"ids": list(device_ids), "longest": LONGEST_CHAIN},
    )
    if len(above) + (below or 0) > LONGEST_CHAIN:
        msg = f"a device has at most {LONGEST_CHAIN} parents above it"
        raise Invalid(msg, field="parent_id")


async def _upward(tx: Transaction, device_id: int) -> list[int]:
    rows = await tx.tuples(
        "WITH RECURSIVE upper AS (SELECT parent_id, 1 AS depth FROM devices WHERE id = %(id)s"
        "  UNION SELECT d.parent_id, u.depth + 1 FROM upper u JOIN devices d ON d.id = u.parent_id"
        "  WHERE u.depth <= %(longest)s)"
        " SELECT parent_id FROM upper WHERE parent_id IS NOT NULL ORDER BY depth",
        {"id": device_id, "longest": LONGEST_CHAIN},
    )
    return [int(str(number)) for (number,) in rows]


async def _tell(
    tx: Transaction, scope: Scope, changed: Sequence[_Child], parent_id: int | None
) -> None:
    """One line of the audit log an area, so that its own people find it."""
    await notify(tx, scope, "devices", [child.id for child in changed])
    by_area: Mapping[int, list[_Child]] = defaultdict(list)
    for child in changed:
        by_area[child.area_id].append(child)
    for area_id, children in by_area.items():
        deed = Deed(
            action="device.parent_set",
            object_type="device",
            object_id=str(children[0].id) if len(children) == 1 else "",
            area_id=area_id,
        )
        before = {str(child.id): child.parent_id for child in children}
        await record(tx, scope, deed, {"parent_id": parent_id, "previous": before})
