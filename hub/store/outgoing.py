"""A message as it leaves: its receiver with the secret, and the first of its notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import AlertStep, Step
from hub.domain.notifications import DeliveryStatus, Message, Notification
from hub.store.alerts import get_alerts
from hub.store.database import Transaction
from hub.store.receivers import get_receiver
from hub.store.scoping import IN_SCOPE, scope_paths

# A digest carries so many; of the others it says how many there are.
MOST_CARRIED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message under way, after how many ``attempts``; ``test_by`` asked for it if it is a test.

    A test carries no notification yet.
    """

    message: Message
    attempts: int
    test_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    id: int
    message_id: str
    receiver_id: int
    count: int
    attempts: int
    created_at: datetime
    test_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    alert_id: int
    why: str
    step_id: int
    at: datetime
    actor: str
    step: str
    note: str


async def get_outgoing(tx: Transaction, scope: Scope, message: int) -> Outgoing | None:
    """Return a message of the scope that is under way; None when it is no longer.

    Raises:
        NotFound: its receiver was removed.
    """
    head = await tx.fetch_one(
        _Head,
        "SELECT m.id, m.message_id::text AS message_id, m.receiver_id, m.count, m.attempts,"
        " m.created_at, m.test_by FROM messages m JOIN receivers v ON v.id = m.receiver_id"
        " JOIN areas a ON a.id = v.area_id WHERE m.id = %(id)s AND m.status = 'waiting' AND"
        + IN_SCOPE,
        {"id": message, "scope": scope_paths(scope)},
    )
    if head is None:
        return None
    receiver = await get_receiver(tx, scope, head.receiver_id)
    carried = await _carried(tx, scope, head.id)
    return Outgoing(
        message=Message(
            id=head.id,
            message_id=head.message_id,
            receiver=receiver,
            notifications=carried,
            count=head.count,
            created_at=head.created_at,
            status=DeliveryStatus.WAITING,
            tally=await _tally(tx, head.id) if head.count > len(carried) else {},
        ),
        attempts=head.attempts,
        test_by=head.test_by,
    )


async def _carried(tx: Transaction, scope: Scope, message: int) -> Sequence[Notification]:
    rows = await tx.fetch(
        _Row,
        "SELECT n.id, n.alert_id, n.why, s.id AS step_id, s.at, s.actor, s.step, s.note"
        " FROM notifications n JOIN alert_steps s ON s.id = n.step_id"
        " WHERE n.message = %(message)s ORDER BY n.id LIMIT %(most)s",
        {"message": message, "most": MOST_CARRIED},
    )
    found = await get_alerts(tx, scope, sorted({row.alert_id for row in rows}))
    alerts = {alert.id: alert for alert in found}
    return [
        Notification(
            id=row.id,
            alert=alerts[row.alert_id],
            step=AlertStep(
                id=row.step_id,
                alert_id=row.alert_id,
                at=row.at,
                actor=row.actor,
                step=Step(row.step),
                note=row.note,
            ),
            why=row.why,
        )
        for row in rows
        if row.alert_id in alerts
    ]


async def _tally(tx: Transaction, message: int) -> dict[Step, int]:
    rows = await tx.tuples(
        "SELECT s.step, count(*) FROM notifications n JOIN alert_steps s ON s.id = n.step_id"
        " WHERE n.message = %(message)s GROUP BY s.step",
        {"message": message},
    )
    return {Step(str(step)): int(str(count)) for step, count in rows}
