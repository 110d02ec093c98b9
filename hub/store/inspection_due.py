"""Which cameras are due for a slow look, and all that such a look needs to know of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.health import Status
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

IntervalOf = Callable[[int, str, str], float]
"""Seconds between two looks at a device: by its number, its area's path and its class."""

_FROM = (
    " FROM devices d JOIN areas a ON a.id = d.area_id JOIN connections c ON c.id = d.connection_id"
    " JOIN device_status s ON s.device_id = d.id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cameras are asked for: a shard (number, of how many), at most ``limit`` of it.

    ``shortest_s`` is the shortest interval that ``interval_of`` gives any of them.
    """

    shard: tuple[int, int]
    shortest_s: float
    interval_of: IntervalOf
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCamera:
    """A camera to look at, and what is held of it."""

    target: CameraTarget
    status: Status
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    device_id: int
    area_path: str
    device_class: str
    inspected_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    device_id: int
    status: str
    created_at: datetime
    address: str
    options: dict[str, Json]
    username: str
    password_sealed: bytes | None = field(repr=False)


async def due_for_inspection(
    tx: Transaction, scope: Scope, now: datetime, wanted: Wanted
) -> list[DueCamera]:
    """The cameras of a shard that nobody looked at for their interval.

    Never looked at comes first, then the longest ago. Cameras that are offline now wait. A look
    in the future (a clock was set back) was none.
    """
    rows = await tx.fetch(
        _Waiting,
        "SELECT d.id AS device_id, a.path::text AS area_path, d.class AS device_class,"
        " d.inspected_at"
        + _FROM
        + " d.registration = 'approved' AND c.is_enabled AND c.protocol = 'onvif'"
        " AND d.address LIKE 'http%%' AND s.status <> 'offline'"
        " AND d.id %% %(of)s = %(number)s AND (d.inspected_at IS NULL"
        "  OR d.inspected_at <= %(before)s OR d.inspected_at > %(now)s) AND"
        + IN_SCOPE
        + "ORDER BY d.inspected_at NULLS FIRST, d.id",
        {
            "scope": scope_paths(scope),
            "number": wanted.shard[0],
            "of": wanted.shard[1],
            "now": now,
            "before": now - timedelta(seconds=wanted.shortest_s),
        },
    )
    due = [row.device_id for row in rows if _is_due(row, now, wanted.interval_of)]
    return await load_cameras(tx, scope, due[: wanted.limit])


async def load_cameras(tx: Transaction, scope: Scope, device_ids: Sequence[int]) -> list[DueCamera]:
    """Devices of the scope with all that a look at them needs, in the order given."""
    if not device_ids:
        return []
    rows = await tx.fetch(
        _Row,
        "SELECT d.id AS device_id, s.status, d.created_at, d.address, c.options, c.username,"
        " c.password_sealed"
        + _FROM
        + " d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY array_position(%(ids)s::bigint[], d.id)",
        {"scope": scope_paths(scope), "ids": list(device_ids)},
    )
    return [_due_camera(tx, row) for row in rows]


def _is_due(row: _Waiting, now: datetime, interval_of: IntervalOf) -> bool:
    at = row.inspected_at
    if at is None or at > now:
        return True
    interval_s = interval_of(row.device_id, row.area_path, row.device_class)
    return (now - at).total_seconds() >= interval_s


def _due_camera(tx: Transaction, row: _Row) -> DueCamera:
    return DueCamera(
        target=CameraTarget(
            device_id=row.device_id,
            service_address=row.address,
            credentials=Credentials(
                username=row.username, password=tx.vault.unseal(row.password_sealed)
            ),
            options=row.options,
        ),
        status=Status(row.status),
        created_at=row.created_at,
    )
