"""How people are signed in, since when they were not, and who may see an area."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Role, Scope
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How somebody is signed in now, and when that happened last."""

    user_id: int
    last_login_at: datetime | None
    sessions: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Somebody who holds a role in an area or above it; ``area_id`` is where he holds it."""

    user_id: int
    name: str
    display_name: str
    role: Role
    area_id: int
    area_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    user_id: int
    name: str
    display_name: str
    role: str
    area_id: int
    area_name: str


async def list_access(
    tx: Transaction, scope: Scope, user_ids: Sequence[int], now: datetime
) -> list[Access]:
    """How these people are signed in; the caller was shown them by the store of users."""
    del scope
    return await tx.fetch(
        Access,
        "SELECT n.id AS user_id, l.at AS last_login_at,"
        " (SELECT count(*) FROM sessions s WHERE s.user_id = n.id AND s.expires_at > %(now)s)"
        "  AS sessions,"
        " (SELECT count(*) FROM tokens t WHERE t.user_id = n.id"
        "  AND (t.expires_at IS NULL OR t.expires_at > %(now)s)) AS tokens"
        " FROM unnest(%(ids)s::bigint[]) AS n (id) LEFT JOIN LATERAL ("
        "  SELECT u.at FROM audit u WHERE u.user_id = n.id AND u.action = 'session.begun'"
        "  ORDER BY u.id DESC LIMIT 1) AS l ON true",
        {"ids": list(user_ids), "now": now},
    )


async def list_watchers(tx: Transaction, scope: Scope, area_id: int) -> tuple[list[Watcher], int]:
    """Everybody who holds something in an area of the scope or above it, by name.

    Grants above the scope are counted only: their holders, by number. Disabled people see nothing.
    """
    area = await get_area(tx, scope, area_id)
    values = {"path": area.path, "scope": scope_paths(scope)}
    rows = await tx.fetch(
        _Row,
        "SELECT u.id AS user_id, u.name, u.display_name, g.role, a.id AS area_id,"
        " a.name AS area_name FROM grants g JOIN areas a ON a.id = g.area_id"
        " JOIN users u ON u.id = g.user_id WHERE NOT u.is_disabled"
        " AND a.path @> %(path)s::ltree AND" + IN_SCOPE + "ORDER BY u.name, a.path, g.role",
        values,
    )
    above = await tx.scalar(
        int,
        "SELECT count(DISTINCT g.user_id) FROM grants g JOIN areas a ON a.id = g.area_id"
        " JOIN users u ON u.id = g.user_id WHERE NOT u.is_disabled"
        " AND a.path @> %(path)s::ltree AND NOT" + IN_SCOPE,
        values,
    )
    watchers = [
        Watcher(
            user_id=row.user_id,
            name=row.name,
            display_name=row.display_name,
            role=Role(row.role),
            area_id=row.area_id,
            area_name=row.area_name,
        )
        for row in rows
    ]
    return watchers, above or 0
