"""Looks for unregistered devices: what was ordered, how far each is, who answered.

The credentials that a look tries are sealed, belong to it alone, and are never read back out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.addresses import parse_networks
from hub.domain.discovery import Survey, host_count
from hub.domain.errors import Conflict, NotFound
from hub.domain.secrets import Credentials
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "discoveries"
# Whoever looks says so every second.
SILENT_AFTER: Final = timedelta(seconds=30)
BROKEN_OFF: Final = "the process that looked has ended: look again"

_ORDER_LOCK = 0x646973636F76  # "discov"
_DISCOVERY = (
    "SELECT v.id, v.area_id, a.path::text AS area_path, a.name AS area_name,"
    " v.ranges::text[] AS ranges, v.is_multicast, v.onvif_ports, v.rtsp_ports, v.author,"
    " v.created_at, v.state, v.detail, v.started_at, v.beat_at, v.ended_at, v.hosts, v.asked,"
    " v.found FROM discoveries v JOIN areas a ON a.id = v.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """A look as the store returns it; ``asked`` of ``hosts`` are done."""

    id: int
    area_id: int
    area_path: str
    area_name: str
    ranges: Sequence[str]
    is_multicast: bool
    onvif_ports: Sequence[int]
    rtsp_ports: Sequence[int]
    author: str
    created_at: datetime
    state: str
    detail: str
    started_at: datetime | None
    beat_at: datetime | None
    ended_at: datetime | None
    hosts: int
    asked: int
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    username: str
    password_sealed: bytes | None


async def add_discovery(
    tx: Transaction, scope: Scope, area_id: int, survey: Survey, *, now: datetime
) -> Discovery:
    """Order a look; nobody looks yet.

    Raises:
        NotFound: the area lies outside the scope.
        Conflict: somebody looks there already.
    """
    area = await get_area(tx, scope, area_id)
    await tx.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": _ORDER_LOCK})
    await end_silent(tx, scope, now=now)
    ranges = [str(one) for one in survey.ranges]
    await _refuse_second(tx, ranges, is_multicast=survey.is_multicast)
    number = await tx.scalar(
        int,
        "INSERT INTO discoveries"
        " (area_id, ranges, is_multicast, onvif_ports, rtsp_ports, author, created_at, hosts)"
        " VALUES (%(area)s, %(ranges)s::text[]::cidr[], %(multicast)s, %(onvif)s, %(rtsp)s,"
        " %(author)s, %(now)s, %(hosts)s) RETURNING id",
        {
            "area": area.id,
            "ranges": ranges,
            "multicast": survey.is_multicast,
            "onvif": list(survey.onvif_ports),
            "rtsp": list(survey.rtsp_ports),
            "author": scope.actor,
            "now": now,
            "hosts": sum(host_count(one) for one in survey.ranges),
        },
    )
    await _keep_credentials(tx, number or 0, survey.credentials)
    found = await get_discovery(tx, scope, number or 0)
    await _tell(tx, scope, "discovery.started", found)
    return found


async def get_discovery(tx: Transaction, scope: Scope, discovery_id: int) -> Discovery:
    """Return one look; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        Discovery,
        _DISCOVERY + " v.id = %(id)s AND" + IN_SCOPE,
        {"id": discovery_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such look for devices"
        raise NotFound(msg)
    return row


async def discoveries_of(tx: Transaction, scope: Scope, ids: Sequence[int]) -> list[Discovery]:
    """Those looks that lie within the scope."""
    return await tx.fetch(
        Discovery,
        _DISCOVERY + " v.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY v.id",
        {"ids": list(ids), "scope": scope_paths(scope)},
    )


async def list_discoveries(
    tx: Transaction, scope: Scope, *, limit: int | None = None, cursor: str | None = None
) -> Page[Discovery]:
    """Looks of the scope, the newest first."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.fetch(
        Discovery,
        _DISCOVERY + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR v.id < %(after)s)"
        " ORDER BY v.id DESC LIMIT %(limit)s",
        {"scope": scope_paths(scope), "after": after[0] if after else None, "limit": count + 1},
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def cancel_discovery(
    tx: Transaction, scope: Scope, discovery_id: int, *, now: datetime
) -> Discovery:
    """Have a look stop; whoever looks hears of it within a second or two.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: it is over already.
    """
    before = await get_discovery(tx, scope, discovery_id)
    if not await end_discovery(tx, scope, before.id, "cancelled", now=now):
        msg = "this look is over already"
        raise Conflict(msg)
    after = await get_discovery(tx, scope, before.id)
    await _tell(tx, scope, "discovery.cancelled", after)
    return after


async def begin_discovery(
    tx: Transaction, scope: Scope, discovery_id: int, *, now: datetime
) -> Survey | None:
    """Take an order up and return what to ask; None when somebody else took it before."""
    discovery = await get_discovery(tx, scope, discovery_id)
    taken = await tx.execute(
        "UPDATE discoveries SET state = 'running', started_at = %(now)s, beat_at = %(now)s"
        " WHERE id = %(id)s AND state = 'waiting'",
        {"id": discovery.id, "now": now},
    )
    if not taken:
        return None
    await notify(tx, scope, TOPIC, [discovery.id])
    return Survey(
        ranges=parse_networks(discovery.ranges),
        is_multicast=discovery.is_multicast,
        onvif_ports=tuple(discovery.onvif_ports),
        rtsp_ports=tuple(discovery.rtsp_ports),
        credentials=await credentials_of(tx, scope, discovery.id),
    )


async def beat(
    tx: Transaction, scope: Scope, discovery_id: int, *, asked: int, now: datetime
) -> bool:
    """Say that somebody looks and how far he is; False when he is to stop."""
    changed = await tx.execute(
        "UPDATE discoveries SET beat_at = %(now)s, asked = %(asked)s, found ="
        " (SELECT count(*) FROM discovery_finds WHERE discovery_id = %(id)s)"
        " WHERE id = %(id)s AND state = 'running'",
        {"id": discovery_id, "asked": asked, "now": now},
    )
    if changed:
        await notify(tx, scope, TOPIC, [discovery_id])
    return changed > 0


async def end_discovery(
    tx: Transaction, scope: Scope, discovery_id: int, state: str, *, now: datetime, detail: str = ""
) -> bool:
    """Say that a look is over, and why; False when it was over already."""
    changed = await tx.execute(
        "UPDATE discoveries SET state = %(state)s, detail = %(detail)s, ended_at = %(now)s"
        " WHERE id = %(id)s AND state IN ('waiting', 'running')",
        {"id": discovery_id, "state": state, "detail": detail, "now": now},
    )
    await notify(tx, scope, TOPIC, [discovery_id] if changed else [])
    return changed > 0


async def end_silent(tx: Transaction, scope: Scope, *, now: datetime) -> None:
    """Call looks broken off whose process says nothing any more."""
    rows = await tx.tuples(
        "UPDATE discoveries SET state = 'broken_off', ended_at = %(now)s, detail = %(detail)s"
        " WHERE state = 'running' AND beat_at < %(before)s RETURNING id",
        {"now": now, "before": now - SILENT_AFTER, "detail": BROKEN_OFF},
    )
    await notify(tx, scope, TOPIC, [int(str(number)) for (number,) in rows])


async def forget_old(
    tx: Transaction, scope: Scope, *, credentials_before: datetime, before: datetime
) -> None:
    """Drop credentials of looks that ended before one time, and looks older than another."""
    del scope  # the hub's own housekeeping
    await tx.execute(
        "DELETE FROM discovery_credentials c USING discoveries v WHERE v.id = c.discovery_id"
        " AND coalesce(v.ended_at, v.created_at) < %(before)s",
        {"before": credentials_before},
    )
    await tx.execute("DELETE FROM discoveries WHERE created_at < %(before)s", {"before": before})


async def credentials_of(
    tx: Transaction, scope: Scope, discovery_id: int
) -> tuple[Credentials, ...]:
    """What a look tries, in order; empty once it is forgotten. Never leaves the hub."""
    discovery = await get_discovery(tx, scope, discovery_id)
    rows = await tx.fetch(
        _Sealed,
        "SELECT username, password_sealed FROM discovery_credentials"
        " WHERE discovery_id = %(id)s ORDER BY position",
        {"id": discovery.id},
    )
    return tuple(
        Credentials(username=row.username, password=tx.vault.unseal(row.password_sealed))
        for row in rows
    )


async def _refuse_second(tx: Transaction, ranges: Sequence[str], *, is_multicast: bool) -> None:
    busy = await tx.scalar(
        bool,
        "SELECT EXISTS (SELECT FROM discoveries v WHERE v.state IN ('waiting', 'running')"
        " AND (v.is_multicast AND %(multicast)s OR EXISTS (SELECT FROM unnest(v.ranges) AS o,"
        "  unnest(%(ranges)s::text[]::cidr[]) AS n WHERE o && n)))",
        {"ranges": list(ranges), "multicast": is_multicast},
    )
    if busy:
        msg = "somebody is looking there already: wait until that look has ended"
        raise Conflict(msg)


async def _keep_credentials(
    tx: Transaction, discovery_id: int, credentials: Sequence[Credentials]
) -> None:
    sealed = [tx.vault.seal(one.password) for one in credentials]
    await tx.execute(
        "INSERT INTO discovery_credentials (discovery_id, position, username, password_sealed)"
        " SELECT %(id)s, n.position - 1, n.username, n.sealed"
        " FROM unnest(%(usernames)s::text[], %(sealed)s::bytea[])"
        "  WITH ORDINALITY AS n (username, sealed, position)",
        {
            "id": discovery_id,
            "usernames": [one.username for one in credentials],
            "sealed": sealed,
        },
    )


async def _tell(tx: Transaction, scope: Scope, action: str, found: Discovery) -> None:
    await notify(tx, scope, TOPIC, [found.id])
    deed = Deed(
        action=action, object_type="discovery", object_id=str(found.id), area_id=found.area_id
    )
    detail = {"ranges": list(found.ranges), "multicast": found.is_multicast}
    await record(tx, scope, deed, detail)
