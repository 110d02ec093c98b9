"""Messages as people see them: what a receiver got, and how each attempt went."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.notifications import DeliveryStatus
from hub.store.database import Transaction
from hub.store.notifications import Attempt
from hub.store.receivers import get_receiver
from hub.store.scoping import Page, decode_cursor, encode_cursor, page_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """A message as the console shows it; ``test_by`` asked for a test, ``count`` is 0 then."""

    id: int
    message_id: str
    status: DeliveryStatus
    count: int
    test_by: str
    created_at: datetime
    next_at: datetime
    ended_at: datetime | None
    attempts: Sequence[Attempt] = ()


async def list_messages(
    tx: Transaction,
    scope: Scope,
    receiver_id: int,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[MessageLine]:
    """What a receiver of the scope got, with every attempt, newest first.

    Raises:
        NotFound: the receiver lies outside the scope.
    """
    receiver = await get_receiver(tx, scope, receiver_id)
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    lines = await tx.search(
        MessageLine,
        "SELECT m.id, m.message_id::text AS message_id, m.status, m.count, m.test_by,"
        " m.created_at, m.next_at, m.ended_at FROM messages m WHERE m.receiver_id = %(receiver)s"
        " AND (%(after)s::bigint IS NULL OR m.id < %(after)s) ORDER BY m.id DESC LIMIT %(limit)s",
        {"receiver": receiver.id, "after": after[0] if after else None, "limit": count + 1},
    )
    more = encode_cursor(lines[count - 1].id) if len(lines) > count else None
    shown = lines[:count]
    attempts = await tx.fetch(
        Attempt,
        "SELECT t.message, t.at, t.outcome, t.detail FROM message_attempts t"
        " WHERE t.message = ANY (%(messages)s) ORDER BY t.id",
        {"messages": [line.id for line in shown]},
    )
    return Page(
        items=[
            replace(
                line,
                status=DeliveryStatus(line.status),
                attempts=tuple(t for t in attempts if t.message == line.id),
            )
            for line in shown
        ],
        next=more,
    )
