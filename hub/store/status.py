"""The present status of devices, and the outages it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.health import Layer, Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """What is known of one device now."""

    device_id: int
    status: Status
    since: datetime
    layer: Layer | None = None
    detail: str = ""
    session: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """An interval in which a device was offline; open while ``ended_at`` is None."""

    id: int
    device_id: int
    device_name: str
    started_at: datetime
    ended_at: datetime | None
    layer: str
    cause: str


async def all_statuses(
    tx: Transaction, scope: Scope, device_ids: Sequence[int] | None = None
) -> list[StatusRow]:
    """The status of every device of the scope, or of those of ``device_ids``."""
    rows = await tx.tuples(
        "SELECT s.device_id, s.status, s.since, s.layer, s.detail, s.session FROM device_status s"
        " JOIN devices d ON d.id = s.device_id JOIN areas a ON a.id = d.area_id WHERE"
        + IN_SCOPE
        + "AND (%(ids)s::bigint[] IS NULL OR s.device_id = ANY (%(ids)s))",
        {"scope": scope_paths(scope), "ids": None if device_ids is None else list(device_ids)},
    )
    return [_row(*row) for row in rows]


async def change_status(tx: Transaction, scope: Scope, row: StatusRow) -> bool:
    """Store a status and, when it opens or closes an outage, that too.

    Returns whether the status itself changed; a new detail or session alone is stored quietly.
    """
    before = await tx.scalar(
        str,
        "SELECT s.status FROM device_status s JOIN devices d ON d.id = s.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE s.device_id = %(id)s AND"
        + IN_SCOPE
        + "FOR UPDATE OF s",
        {"id": row.device_id, "scope": scope_paths(scope)},
    )
    if before is None:
        return False
    has_changed = before != row.status
    await tx.execute(
        "UPDATE device_status SET status = %(status)s, layer = %(layer)s, detail = %(detail)s,"
        " session = coalesce(%(session)s, session),"
        " since = CASE WHEN status = %(status)s THEN since ELSE %(since)s END"
        " WHERE device_id = %(id)s",
        {
            "id": row.device_id,
            "status": row.status,
            "since": row.since,
            "layer": row.layer or "",
            "detail": row.detail,
            "session": row.session,
        },
    )
    if has_changed:
        await _keep_outage(tx, row)
    return has_changed


async def list_outages(
    tx: Transaction, scope: Scope, *, device_id: int | None, since: datetime, until: datetime
) -> list[Outage]:
    """Outages of the scope that touch a period, newest first, at most 1,000."""
    return await tx.fetch(
        Outage,
        "SELECT o.id, o.device_id, d.name AS device_name, o.started_at, o.ended_at,"
        " o.layer, o.cause"
        " FROM outages o JOIN devices d ON d.id = o.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE (%(device)s::bigint IS NULL OR o.device_id = %(device)s)"
        " AND o.started_at < %(until)s AND coalesce(o.ended_at, 'infinity') > %(since)s AND"
        + IN_SCOPE
        + "ORDER BY o.started_at DESC, o.id DESC LIMIT 1000",
        {"device": device_id, "since": since, "until": until, "scope": scope_paths(scope)},
    )


async def _keep_outage(tx: Transaction, row: StatusRow) -> None:
    if row.status is Status.OFFLINE:
        await tx.execute(
            "INSERT INTO outages (device_id, started_at, layer, cause)"
            " VALUES (%(id)s, %(at)s, %(layer)s, %(cause)s) ON CONFLICT DO NOTHING",
            {"id": row.device_id, "at": row.since, "layer": row.layer or "", "cause": row.detail},
        )
    else:
        await tx.execute(
            "UPDATE outages SET ended_at = greatest(%(at)s, started_at)"
            " WHERE device_id = %(id)s AND ended_at IS NULL",
            {"id": row.device_id, "at": row.since},
        )


def _row(*columns: object) -> StatusRow:
    device_id, status, since, layer, detail, session = columns
    if not isinstance(since, datetime):
        msg = "device_status.since is not a time"
        raise TypeError(msg)
    return StatusRow(
        device_id=int(str(device_id)),
        status=Status(str(status)),
        since=since,
        layer=Layer(str(layer)) if layer else None,
        detail=str(detail),
        session=None if session is None else int(str(session)),
    )
