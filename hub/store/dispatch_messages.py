"""What the desk and the field write to each other about a task."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message; ``given_id`` is the phone's own number of it: sent twice, it is kept once."""

    author: str
    is_field: bool
    text: str
    at: datetime
    given_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as the store returns it."""

    id: int
    dispatch_id: int
    at: datetime
    author: str
    is_field: bool
    text: str


async def add_message(
    tx: Transaction, scope: Scope, dispatch_id: int, new: NewMessage
) -> int | None:
    """Keep a message of a task of the scope; None when it was kept before."""
    return await tx.scalar(
        int,
        "INSERT INTO dispatch_messages (dispatch_id, at, author, is_field, text, given_id)"
        " SELECT t.id, %(at)s, %(author)s, %(is_field)s, %(text)s, %(given)s::text"
        " FROM dispatches t JOIN areas a ON a.id = t.area_id WHERE t.id = %(id)s AND"
        + IN_SCOPE
        + "ON CONFLICT (dispatch_id, given_id) DO NOTHING RETURNING id",
        {
            "id": dispatch_id,
            "at": new.at,
            "author": new.author,
            "is_field": new.is_field,
            "text": new.text,
            "given": new.given_id,
            "scope": scope_paths(scope),
        },
    )


async def count_messages(tx: Transaction, scope: Scope, dispatch_id: int) -> int:
    """How many messages a task of the scope has."""
    return (
        await tx.scalar(
            int,
            "SELECT count(*) FROM dispatch_messages m JOIN dispatches t ON t.id = m.dispatch_id"
            " JOIN areas a ON a.id = t.area_id WHERE m.dispatch_id = %(id)s AND" + IN_SCOPE,
            {"id": dispatch_id, "scope": scope_paths(scope)},
        )
        or 0
    )


async def list_messages(tx: Transaction, scope: Scope, dispatch_id: int) -> list[Message]:
    """The messages of a task of the scope, the oldest first."""
    return await tx.fetch(
        Message,
        "SELECT m.id, m.dispatch_id, m.at, m.author, m.is_field, m.text FROM dispatch_messages m"
        " JOIN dispatches t ON t.id = m.dispatch_id JOIN areas a ON a.id = t.area_id"
        " WHERE m.dispatch_id = %(id)s AND" + IN_SCOPE + "ORDER BY m.id",
        {"id": dispatch_id, "scope": scope_paths(scope)},
    )
