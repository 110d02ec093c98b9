"""Receivers of notifications, their secrets sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.notifications import Receiver, ReceiverKind
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

_RECEIVER = (
    "SELECT v.id, v.name, v.area_id, v.kind, v.options, v.secret_sealed, v.template,"
    " v.most_a_minute, v.is_enabled, v.failing_since, v.is_template_failing"
    " FROM receivers v JOIN areas a ON a.id = v.area_id WHERE v.removed_at IS NULL AND"
)
# Where these lead, the secret goes too: who changes them must know it.
_DESTINATION = ("address", "host", "port", "tls", "username")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    area_id: int
    kind: str
    options: Mapping[str, Json]
    secret_sealed: bytes | None = field(repr=False)
    template: str
    most_a_minute: int
    is_enabled: bool
    failing_since: datetime | None
    is_template_failing: bool


async def list_receivers(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Receiver]:
    """Receivers by number, with their secrets: show only that there is one."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _RECEIVER + IN_SCOPE + "AND v.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY v.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_receiver(tx, row) for row in rows[:count]], next=more)


async def get_receiver(tx: Transaction, scope: Scope, receiver_id: int) -> Receiver:
    """Return one receiver with its secret; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row,
        _RECEIVER + " v.id = %(id)s AND" + IN_SCOPE,
        {"id": receiver_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such receiver"
        raise NotFound(msg)
    return _receiver(tx, row)


async def check_receivers(tx: Transaction, scope: Scope, receiver_ids: Sequence[int]) -> None:
    """Raise NotFound unless all of these lie within the scope."""
    wanted = sorted(set(receiver_ids))
    found = await tx.scalar(
        int,
        "SELECT count(*) FROM receivers v JOIN areas a ON a.id = v.area_id"
        " WHERE v.removed_at IS NULL AND v.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"ids": wanted, "scope": scope_paths(scope)},
    )
    if found != len(wanted):
        msg = "no such receiver"
        raise NotFound(msg)


async def add_receiver(tx: Transaction, scope: Scope, receiver: Receiver) -> Receiver:
    """Add a receiver to an area of the scope (its ``id`` is ignored); options are validated."""
    await get_area(tx, scope, receiver.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO receivers (name, area_id, kind, options, secret_sealed, template,"
        " most_a_minute, is_enabled) VALUES (%(name)s, %(area)s, %(kind)s, %(options)s,"
        " %(sealed)s, %(template)s, %(most)s, %(is_enabled)s) RETURNING id",
        _values(tx, receiver),
    )
    return await _changed(tx, scope, "receiver.added", number or 0)


async def change_receiver(tx: Transaction, scope: Scope, receiver: Receiver) -> Receiver:
    """Replace a receiver of the scope; an empty secret keeps the stored one.

    What waits for another attempt is tried again soon: perhaps it gets through now.

    Raises:
        NotFound: it or its area lies outside the scope.
        Invalid: its kind would change, or its destination without its secret.
    """
    before = await get_receiver(tx, scope, receiver.id)
    await get_area(tx, scope, receiver.area_id)
    if before.kind is not receiver.kind:
        msg = "the kind of a receiver cannot be changed: add another one"
        raise Invalid(msg, field="kind")
    is_moved = any(before.options.get(k) != receiver.options.get(k) for k in _DESTINATION)
    if is_moved and before.secret and not receiver.secret:
        msg = "the destination changed: enter the secret again"
        raise Invalid(msg, field="secret")
    await tx.execute(
        "UPDATE receivers SET name = %(name)s, area_id = %(area)s, options = %(options)s,"
        " secret_sealed = coalesce(%(sealed)s, secret_sealed), template = %(template)s,"
        " most_a_minute = %(most)s, is_enabled = %(is_enabled)s WHERE id = %(id)s",
        _values(tx, receiver),
    )
    await tx.execute(
        "UPDATE messages SET next_at = least(next_at, now())"
        " WHERE receiver_id = %(id)s AND status = 'waiting'",
        {"id": receiver.id},
    )
    return await _changed(tx, scope, "receiver.changed", receiver.id)


async def remove_receiver(tx: Transaction, scope: Scope, receiver_id: int) -> None:
    """Remove a receiver of the scope and its secret; nobody names it any more."""
    receiver = await get_receiver(tx, scope, receiver_id)
    await tx.execute(
        "UPDATE receivers SET removed_at = now(), secret_sealed = NULL WHERE id = %(id)s",
        {"id": receiver.id},
    )
    await tx.execute("DELETE FROM rule_receivers WHERE receiver_id = %(id)s", {"id": receiver.id})
    await tx.execute("DELETE FROM route_receivers WHERE receiver_id = %(id)s", {"id": receiver.id})
    await tx.execute("DELETE FROM duties WHERE receiver_id = %(id)s", {"id": receiver.id})
    await notify(tx, scope, "receivers", [receiver.id])
    await record(tx, scope, _deed("receiver.removed", receiver), {"name": receiver.name})


async def ask_for_test(tx: Transaction, scope: Scope, receiver_id: int) -> Receiver:
    """Note that a receiver of the scope is to get a test message; works when it is off, too.

    Raises:
        NotFound: outside the scope.
        Conflict: a test message waits already.
    """
    receiver = await get_receiver(tx, scope, receiver_id)
    asked = await tx.execute(
        "UPDATE receivers SET test_by = %(by)s WHERE id = %(id)s AND test_by = ''"
        " AND NOT EXISTS (SELECT FROM messages WHERE receiver_id = %(id)s"
        "  AND status = 'waiting' AND test_by <> '')",
        {"id": receiver.id, "by": scope.actor},
    )
    if asked == 0:
        msg = "a test message is under way already"
        raise Conflict(msg)
    await record(tx, scope, _deed("receiver.tested", receiver), {"name": receiver.name})
    return receiver


async def _changed(tx: Transaction, scope: Scope, action: str, receiver_id: int) -> Receiver:
    receiver = await get_receiver(tx, scope, receiver_id)
    # Options stay out of the log: a webhook's address often holds a token.
    detail: dict[str, Json] = {
        "name": receiver.name,
        "kind": receiver.kind.value,
        "is_enabled": receiver.is_enabled,
        "most_a_minute": receiver.most_a_minute,
    }
    await record(tx, scope, _deed(action, receiver), detail)
    await notify(tx, scope, "receivers", [receiver.id])
    return receiver


def _deed(action: str, receiver: Receiver) -> Deed:
    return Deed(
        action=action,
        object_type="receiver",
        object_id=str(receiver.id),
        area_id=receiver.area_id,
    )


def _values(tx: Transaction, receiver: Receiver) -> dict[str, object]:
    return {
        "id": receiver.id,
        "name": receiver.name,
        "area": receiver.area_id,
        "kind": receiver.kind,
        "options": Jsonb(dict(receiver.options)),
        "sealed": tx.vault.seal(receiver.secret),
        "template": receiver.template,
        "most": receiver.most_a_minute,
        "is_enabled": receiver.is_enabled,
    }


def _receiver(tx: Transaction, row: _Row) -> Receiver:
    return Receiver(
        id=row.id,
        name=row.name,
        area_id=row.area_id,
        kind=ReceiverKind(row.kind),
        options=row.options,
        secret=tx.vault.unseal(row.secret_sealed),
        template=row.template,
        most_a_minute=row.most_a_minute,
        is_enabled=row.is_enabled,
        failing_since=row.failing_since,
        is_template_failing=row.is_template_failing,
    )
