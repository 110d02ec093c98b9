"""Who watched which camera live, from when to when.

Each process leaves a mark at the viewings it still relays. Whatever a process that died left open
ends at its last mark: nobody is said to watch who does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.live_video import StreamRole
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

MARK_S: Final = 10.0
# Two marks may be late before a viewing counts as over.
MARK_GAP: Final = timedelta(seconds=35)
LOST: Final = "lost"

_VIEWING = (
    "SELECT v.id, v.user_id, v.user_name, v.source, v.device_id, v.channel, v.stream,"
    " v.began_at, v.seen_at, v.ended_at, v.bytes, v.why"
    " FROM viewings v JOIN devices d ON d.id = v.device_id JOIN areas a ON a.id = d.area_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewViewing:
    """Who begins to watch what, and which process relays it."""

    device_id: int
    channel: str
    stream: StreamRole
    process: str
    began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """One viewing; ``why`` it ended, ``ended_at`` None while it lasts."""

    id: int
    user_id: int | None
    user_name: str
    source: str
    device_id: int
    channel: str
    stream: str
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    bytes: int
    why: str


async def begin_viewing(tx: Transaction, scope: Scope, new: NewViewing) -> int:
    """Record that the caller begins to watch a camera of the scope; returns the number.

    Raises:
        NotFound: the camera lies outside the scope.
    """
    device = await get_device(tx, scope, new.device_id)
    number = await tx.scalar(
        int,
        "INSERT INTO viewings (user_id, user_name, source, device_id, channel, stream, process,"
        " began_at, seen_at) VALUES (%(user)s, %(name)s, %(source)s, %(device)s, %(channel)s,"
        " %(stream)s, %(process)s, %(at)s, %(at)s) RETURNING id",
        {
            "user": scope.user_id,
            "name": scope.actor,
            "source": scope.source,
            "device": device.id,
            "channel": new.channel,
            "stream": new.stream,
            "process": new.process,
            "at": new.began_at,
        },
    )
    deed = Deed(
        action="live.began",
        object_type="device",
        object_id=str(device.id),
        area_id=device.area_id,
    )
    detail = {"viewing": number, "channel": new.channel, "stream": new.stream.value}
    await record(tx, scope, deed, detail)
    return number or 0


async def end_viewing(
    tx: Transaction, scope: Scope, viewing_id: int, *, at: datetime, sent: int, why: str
) -> None:
    """Record that a viewing of the caller is over, after so many bytes; once is enough."""
    rows = await tx.tuples(
        "UPDATE viewings v SET ended_at = %(at)s, seen_at = %(at)s, bytes = %(bytes)s,"
        " why = %(why)s FROM devices d WHERE v.id = %(id)s AND d.id = v.device_id"
        " AND v.user_id = %(user)s AND v.ended_at IS NULL"
        " RETURNING v.device_id, d.area_id, v.began_at",
        {"id": viewing_id, "user": scope.user_id, "at": at, "bytes": sent, "why": why},
    )
    for device_id, area_id, began_at in rows:
        deed = Deed(
            action="live.ended",
            object_type="device",
            object_id=str(device_id),
            area_id=int(str(area_id)),
        )
        lasted = at - began_at if isinstance(began_at, datetime) else timedelta()
        detail = {
            "viewing": viewing_id,
            "seconds": round(lasted.total_seconds()),
            "bytes": sent,
            "why": why,
        }
        await record(tx, scope, deed, detail)


async def mark_viewings(
    tx: Transaction, scope: Scope, sent: Mapping[int, int], *, now: datetime
) -> None:
    """Say that these viewings last, with the bytes sent so far; end what nobody marks any more."""
    del scope  # the hub's own work
    if sent:
        await tx.execute(
            "UPDATE viewings v SET seen_at = %(now)s, bytes = n.bytes"
            " FROM unnest(%(ids)s::bigint[], %(bytes)s::bigint[]) AS n (id, bytes)"
            " WHERE v.id = n.id AND v.ended_at IS NULL",
            {"now": now, "ids": list(sent), "bytes": list(sent.values())},
        )
    await tx.execute(
        "UPDATE viewings SET ended_at = seen_at, why = %(lost)s"
        " WHERE ended_at IS NULL AND seen_at < %(before)s",
        {"lost": LOST, "before": now - MARK_GAP},
    )


async def list_live_viewers(
    tx: Transaction, scope: Scope, *, device_ids: Sequence[int] | None, now: datetime
) -> list[Viewing]:
    """Who watches cameras of the scope now, in any process; of these devices, None for all."""
    return await tx.search(
        Viewing,
        _VIEWING + " WHERE v.ended_at IS NULL AND v.seen_at >= %(after)s"
        " AND (%(ids)s::bigint[] IS NULL OR v.device_id = ANY (%(ids)s)) AND"
        + IN_SCOPE
        + "ORDER BY v.device_id, v.id LIMIT 1000",
        {
            "scope": scope_paths(scope),
            "after": now - MARK_GAP,
            "ids": None if device_ids is None else list(device_ids),
        },
    )


async def list_viewings(
    tx: Transaction,
    scope: Scope,
    device_id: int,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Viewing]:
    """The viewings of a camera of the scope, the newest first."""
    device = await get_device(tx, scope, device_id)
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        Viewing,
        _VIEWING
        + " WHERE v.device_id = %(device)s AND (%(after)s::bigint IS NULL OR v.id < %(after)s) AND"
        + IN_SCOPE
        + "ORDER BY v.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "device": device.id,
            "after": after[0] if after else None,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def drop_old_viewings(tx: Transaction, scope: Scope, before: datetime) -> int:
    """Forget what ended before a time; returns how many. The audit log keeps its lines."""
    del scope  # the hub's own work
    return await tx.execute("DELETE FROM viewings WHERE ended_at < %(before)s", {"before": before})
