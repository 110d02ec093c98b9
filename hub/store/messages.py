"""Messages: what one receiver gets at once, the record of every attempt, and what comes next.

A notification is in one message at most; a message's contents never change.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.domain.notifications import DeliveryStatus
from hub.store.database import Transaction
from hub.store.notifications import RECEIVER_LOCK, Attempt
from hub.store.scoping import IN_SCOPE, scope_paths

LONGEST_DETAIL: Final = 500
# More than this at once become the next digest.
MOST_IN_DIGEST: Final = 10_000
# Waiting notifications are counted up to here: more of them make no difference.
_COUNTED: Final = 1_000
MINUTE: Final = timedelta(seconds=60)
_WAITING: Final = "n.status = 'waiting' AND n.message IS NULL"


class Outcome(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    TRY_AGAIN = "try_again"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """How things stand with what waits for one receiver.

    ``message`` is under way, was tried at ``tried_at`` and is tried next at ``next_at``, which the
    receiver ``is_asked`` for himself; something critical came since then: ``is_pressing``.
    ``waiting`` notifications are in no message yet, the first of them is due at ``due_at``.
    ``made_in_minute`` messages were made in the minute up to now, from ``first_made_at`` to
    ``last_made_at``.
    """

    is_enabled: bool
    is_removed: bool
    most_a_minute: int
    is_test_wanted: bool = False
    message: int | None = None
    is_test: bool = False
    next_at: datetime | None = None
    is_asked: bool = False
    tried_at: datetime | None = None
    is_pressing: bool = False
    waiting: int = 0
    due_at: datetime | None = None
    made_in_minute: int = 0
    first_made_at: datetime | None = None
    last_made_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of a message by an attempt: its status, and when the next one is due."""

    message: int
    status: DeliveryStatus
    next_at: datetime | None = None
    is_asked: bool = False


async def get_posting(
    tx: Transaction, scope: Scope, receiver_id: int, now: datetime
) -> Posting | None:
    """How things stand with a receiver of the scope, removed ones too; None: there is none.

    Waits for whoever is writing notifications for the receiver, and keeps others from it until
    this transaction ends.
    """
    await tx.tuples(
        "SELECT pg_advisory_xact_lock(%(key)s::bigint)", {"key": RECEIVER_LOCK + receiver_id}
    )
    return await tx.fetch_one(
        Posting,
        "SELECT v.is_enabled, v.removed_at IS NOT NULL AS is_removed, v.most_a_minute,"
        " v.test_by <> '' AS is_test_wanted, m.id AS message,"
        " coalesce(m.test_by <> '', false) AS is_test, m.next_at,"
        " coalesce(m.is_asked, false) AS is_asked, t.tried_at,"
        " t.tried_at IS NOT NULL AND EXISTS (SELECT FROM notifications n"
        "  JOIN alerts x ON x.id = n.alert_id AND x.severity = 'critical'"
        "  WHERE n.receiver_id = v.id AND "
        + _WAITING
        + " AND n.due_at > t.tried_at) AS is_pressing,"
        " (SELECT count(*) FROM (SELECT FROM notifications n WHERE n.receiver_id = v.id AND "
        + _WAITING
        + " LIMIT %(counted)s) AS few) AS waiting,"
        " (SELECT min(n.due_at) FROM notifications n WHERE n.receiver_id = v.id AND "
        + _WAITING
        + ") AS due_at, s.made_in_minute, s.first_made_at, s.last_made_at"
        " FROM receivers v JOIN areas a ON a.id = v.area_id"
        " LEFT JOIN messages m ON m.receiver_id = v.id AND m.status = 'waiting'"
        " LEFT JOIN LATERAL (SELECT max(at) AS tried_at FROM message_attempts"
        "  WHERE message = m.id) AS t ON true"
        " CROSS JOIN LATERAL (SELECT count(*) AS made_in_minute, min(created_at) AS first_made_at,"
        "  max(created_at) AS last_made_at FROM messages"
        "  WHERE receiver_id = v.id AND created_at > %(since)s AND created_at <= %(now)s) AS s"
        " WHERE v.id = %(id)s AND" + IN_SCOPE,
        {
            "id": receiver_id,
            "counted": _COUNTED,
            "now": now,
            "since": now - MINUTE,
            "scope": scope_paths(scope),
        },
    )


async def due_receivers(
    tx: Transaction, scope: Scope, now: datetime, farthest: datetime
) -> list[int]:
    """Receivers of the scope for whom something is due now.

    What is due later than ``farthest`` is due, too: the clock was set back.
    """
    rows = await tx.tuples(
        "SELECT v.id FROM receivers v JOIN areas a ON a.id = v.area_id WHERE v.id IN ("
        " SELECT m.receiver_id FROM messages m WHERE m.status = 'waiting'"
        "  AND NOT (m.next_at > %(now)s AND m.next_at <= %(farthest)s)"
        " UNION SELECT n.receiver_id FROM notifications n WHERE " + _WAITING + ""
        "  AND NOT (n.due_at > %(now)s AND n.due_at <= %(farthest)s)"
        "  AND NOT EXISTS (SELECT FROM messages m"
        "   WHERE m.receiver_id = n.receiver_id AND m.status = 'waiting')"
        " UNION SELECT w.id FROM receivers w WHERE w.test_by <> '') AND"
        + IN_SCOPE
        + "ORDER BY v.id",
        {"now": now, "farthest": farthest, "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def make_message(
    tx: Transaction,
    scope: Scope,
    receiver_id: int,
    now: datetime,
    farthest: datetime,
    *,
    most: int = MOST_IN_DIGEST,
) -> int | None:
    """Put the oldest due notifications into a message; None when none is.

    What gathers still may turn out to need no telling. What is due later than ``farthest`` is
    due, too: the clock was set back. Only while :func:`get_posting` keeps others from the
    receiver.
    """
    rows = await tx.tuples(
        "SELECT n.id FROM notifications n JOIN receivers v ON v.id = n.receiver_id"
        " JOIN areas a ON a.id = v.area_id WHERE v.id = %(id)s AND "
        + _WAITING
        + " AND NOT (n.due_at > %(now)s AND n.due_at <= %(farthest)s) AND"
        + IN_SCOPE
        + "ORDER BY n.id LIMIT %(most)s",
        {
            "id": receiver_id,
            "now": now,
            "farthest": farthest,
            "most": most,
            "scope": scope_paths(scope),
        },
    )
    if not rows:
        return None
    message = await _insert(tx, receiver_id, now, count=len(rows), test_by="")
    await tx.execute(
        "UPDATE notifications SET message = %(message)s WHERE id = ANY (%(ids)s)",
        {"message": message, "ids": [int(str(number)) for (number,) in rows]},
    )
    return message


async def make_test(tx: Transaction, scope: Scope, receiver_id: int, now: datetime) -> int | None:
    """Make the test message that was asked for; None when none was."""
    by = await tx.scalar(
        str,
        "SELECT v.test_by FROM receivers v JOIN areas a ON a.id = v.area_id"
        " WHERE v.id = %(id)s AND" + IN_SCOPE + "FOR NO KEY UPDATE OF v",
        {"id": receiver_id, "scope": scope_paths(scope)},
    )
    if not by:
        return None
    await tx.execute("UPDATE receivers SET test_by = '' WHERE id = %(id)s", {"id": receiver_id})
    return await _insert(tx, receiver_id, now, count=0, test_by=by)


async def refuse_waiting(
    tx: Transaction, scope: Scope, receiver_id: int, reason: str, now: datetime
) -> list[int]:
    """Give up whatever waits for a receiver, and say why; return the messages it was in."""
    under_way = await tx.scalar(
        int,
        "SELECT m.id FROM messages m JOIN receivers v ON v.id = m.receiver_id"
        " JOIN areas a ON a.id = v.area_id"
        " WHERE v.id = %(id)s AND m.status = 'waiting' AND" + IN_SCOPE,
        {"id": receiver_id, "scope": scope_paths(scope)},
    )
    refused: list[int] = []
    message = under_way or await make_message(tx, scope, receiver_id, now, now)
    while message is not None:
        attempt = Attempt(message=message, at=now, outcome=Outcome.REJECTED, detail=reason)
        ending = Ending(message=message, status=DeliveryStatus.REJECTED)
        await record_attempt(tx, scope, attempt, ending)
        refused.append(message)
        message = await make_message(tx, scope, receiver_id, now, now)
    return refused


async def record_attempt(tx: Transaction, scope: Scope, attempt: Attempt, ending: Ending) -> None:
    """Note one attempt and how the message and all that is in it stand; delivered is for good."""
    known = await tx.scalar(
        int,
        "SELECT m.id FROM messages m JOIN receivers v ON v.id = m.receiver_id"
        " JOIN areas a ON a.id = v.area_id WHERE m.id = %(id)s AND"
        + IN_SCOPE
        + "FOR NO KEY UPDATE OF m",
        {"id": attempt.message, "scope": scope_paths(scope)},
    )
    if known is None:
        return
    await tx.execute(
        "INSERT INTO message_attempts (message, at, outcome, detail)"
        " VALUES (%(message)s, %(at)s, %(outcome)s, %(detail)s)",
        {
            "message": attempt.message,
            "at": attempt.at,
            "outcome": attempt.outcome,
            "detail": attempt.detail[:LONGEST_DETAIL].replace("\x00", ""),
        },
    )
    is_final = ending.status is not DeliveryStatus.WAITING
    values = {
        "id": ending.message,
        "status": ending.status,
        "next": ending.next_at or attempt.at,
        "is_asked": ending.is_asked,
        "ended": attempt.at if is_final else None,
    }
    # Two workers may try one message when one of them was cut off: the better news counts.
    await tx.execute(
        "UPDATE messages SET attempts = attempts + 1,"
        " status = CASE WHEN status = 'waiting' OR %(status)s = 'delivered'"
        "  THEN %(status)s ELSE status END,"
        " next_at = %(next)s, is_asked = %(is_asked)s,"
        " ended_at = coalesce(ended_at, %(ended)s) WHERE id = %(id)s",
        values,
    )
    if is_final:
        await tx.execute(
            "UPDATE notifications SET status = %(status)s WHERE message = %(id)s"
            " AND (status = 'waiting' OR %(status)s = 'delivered')",
            values,
        )


async def _insert(
    tx: Transaction, receiver_id: int, now: datetime, *, count: int, test_by: str
) -> int:
    number = await tx.scalar(
        int,
        "INSERT INTO messages (receiver_id, count, created_at, next_at, test_by)"
        " VALUES (%(receiver)s, %(count)s, %(now)s, %(now)s, %(by)s) RETURNING id",
        {"receiver": receiver_id, "count": count, "now": now, "by": test_by},
    )
    return number or 0
