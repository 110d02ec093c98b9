"""Configured links to devices and brokers, their passwords sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Connection, Json
from hub.domain.errors import NotFound
from hub.domain.secrets import Credentials
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionState:
    """How a link is: ``connected``, ``new`` or the name of the error that ended it."""

    connection_id: int
    name: str
    protocol: str
    address: str
    area_id: int
    is_enabled: bool
    state: str
    state_detail: str
    state_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """A state of a link on its way into the database."""

    connection_id: int
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    protocol: str
    name: str
    address: str
    area_id: int
    username: str
    password_sealed: bytes | None = field(repr=False)
    options: Mapping[str, Json]
    is_enabled: bool


async def list_connections(
    tx: Transaction,
    scope: Scope,
    *,
    only_enabled: bool = False,
    ids: Sequence[int] | None = None,
) -> list[Connection]:
    """Every link of the scope, or those of ``ids``, with their credentials."""
    rows = await tx.fetch(
        _Row,
        "SELECT c.id, c.protocol, c.name, c.address, c.area_id, c.username, c.password_sealed,"
        " c.options, c.is_enabled FROM connections c JOIN areas a ON a.id = c.area_id"
        " WHERE" + IN_SCOPE + "AND (c.is_enabled OR NOT %(enabled)s)"
        " AND (%(ids)s::bigint[] IS NULL OR c.id = ANY (%(ids)s)) ORDER BY c.id",
        {
            "scope": scope_paths(scope),
            "enabled": only_enabled,
            "ids": None if ids is None else list(ids),
        },
    )
    return [_connection(tx, row) for row in rows]


async def get_connection(tx: Transaction, scope: Scope, connection_id: int) -> Connection:
    """Return one link with its credentials; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        "SELECT c.id, c.protocol, c.name, c.address, c.area_id, c.username, c.password_sealed,"
        " c.options, c.is_enabled FROM connections c JOIN areas a ON a.id = c.area_id"
        " WHERE c.id = %(id)s AND" + IN_SCOPE,
        {"id": connection_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such connection"
        raise NotFound(msg)
    return _connection(tx, row)


async def list_states(tx: Transaction, scope: Scope) -> list[ConnectionState]:
    """How every link of the scope is, without credentials."""
    return await tx.fetch(
        ConnectionState,
        "SELECT c.id AS connection_id, c.name, c.protocol, c.address, c.area_id, c.is_enabled,"
        " c.state, c.state_detail, c.state_since"
        " FROM connections c JOIN areas a ON a.id = c.area_id WHERE" + IN_SCOPE + "ORDER BY c.id",
        {"scope": scope_paths(scope)},
    )


async def add_connection(tx: Transaction, scope: Scope, connection: Connection) -> int:
    """Store a new link (its ``id`` is ignored) and return its number.

    Raises:
        NotFound: its area lies outside the scope.
        Conflict: the same protocol and address are there already.
    """
    await get_area(tx, scope, connection.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO connections (protocol, name, address, area_id, username, password_sealed,"
        " options, is_enabled) VALUES (%(protocol)s, %(name)s, %(address)s, %(area_id)s,"
        " %(username)s, %(sealed)s, %(options)s, %(is_enabled)s) RETURNING id",
        _values(tx, connection),
    )
    return number or 0


async def change_connection(tx: Transaction, scope: Scope, connection: Connection) -> None:
    """Replace a link of the scope; an empty password keeps the stored one."""
    await get_connection(tx, scope, connection.id)
    await get_area(tx, scope, connection.area_id)
    await tx.execute(
        "UPDATE connections SET name = %(name)s, address = %(address)s, area_id = %(area_id)s,"
        " username = %(username)s, password_sealed = coalesce(%(sealed)s, password_sealed),"
        " options = %(options)s, is_enabled = %(is_enabled)s WHERE id = %(id)s",
        _values(tx, connection),
    )


async def remove_connection(tx: Transaction, scope: Scope, connection_id: int) -> None:
    """Remove a link of the scope and the devices behind it."""
    await get_connection(tx, scope, connection_id)
    await tx.execute("DELETE FROM connections WHERE id = %(id)s", {"id": connection_id})


async def set_states(tx: Transaction, scope: Scope, states: Sequence[LinkState]) -> list[int]:
    """Note how links are, at most one state each; return the numbers of those that changed."""
    rows = await tx.tuples(
        "UPDATE connections c SET state = n.state, state_detail = n.detail,"
        " state_since = CASE WHEN c.state = n.state THEN c.state_since ELSE now() END"
        " FROM areas a, unnest(%(ids)s::bigint[], %(states)s::text[], %(details)s::text[])"
        "  AS n (id, state, detail)"
        " WHERE a.id = c.area_id AND c.id = n.id"
        " AND (c.state, c.state_detail) IS DISTINCT FROM (n.state, n.detail) AND"
        + IN_SCOPE
        + "RETURNING c.id",
        {
            "ids": [one.connection_id for one in states],
            "states": [one.state for one in states],
            "details": [one.detail for one in states],
            "scope": scope_paths(scope),
        },
    )
    return [int(str(number)) for (number,) in rows]


def _values(tx: Transaction, connection: Connection) -> dict[str, object]:
    return {
        "id": connection.id,
        "protocol": connection.protocol,
        "name": connection.name,
        "address": connection.address,
        "area_id": connection.area_id,
        "username": connection.credentials.username,
        "sealed": tx.vault.seal(connection.credentials.password),
        "options": Jsonb(dict(connection.options)),
        "is_enabled": connection.is_enabled,
    }


def _connection(tx: Transaction, row: _Row) -> Connection:
    plain = {f.name: getattr(row, f.name) for f in fields(Connection) if f.name != "credentials"}
    password = tx.vault.unseal(row.password_sealed)
    return Connection(credentials=Credentials(username=row.username, password=password), **plain)
