"""Notifications and the record of every attempt to deliver them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import AlertStep, Step
from hub.domain.errors import NotFound
from hub.domain.notifications import DeliveryStatus, Notification, Receiver
from hub.store.alerts import get_alert
from hub.store.database import Transaction
from hub.store.receivers import get_receiver
from hub.store.scoping import IN_SCOPE, scope_paths

LONGEST_DETAIL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotification:
    """A notification just made: a job must deliver it."""

    id: int
    receiver_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: ``outcome`` is delivered, try_again or rejected; ``detail`` holds no secret."""

    notification_id: int
    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationLine:
    """A notification as the console shows it."""

    id: int
    message_id: str
    step: Step
    receiver_id: int
    receiver_name: str
    receiver_kind: str
    status: DeliveryStatus
    created_at: datetime
    attempts: Sequence[Attempt] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    message_id: str
    alert_id: int
    receiver_id: int
    status: str
    step_id: int
    at: datetime
    actor: str
    step: str
    note: str


async def add_fired(
    tx: Transaction, scope: Scope, alert_id: int, step_id: int
) -> list[DueNotification]:
    """Make one for each receiver of the rule that is switched on."""
    return await tx.fetch(
        DueNotification,
        "INSERT INTO notifications (alert_id, step_id, receiver_id)"
        " SELECT x.id, %(step)s, v.id FROM alerts x JOIN areas a ON a.id = x.area_id"
        " JOIN rule_receivers rr ON rr.rule_id = x.rule_id"
        " JOIN receivers v ON v.id = rr.receiver_id"
        " WHERE x.id = %(id)s AND v.is_enabled AND v.removed_at IS NULL AND"
        + IN_SCOPE
        + "ON CONFLICT DO NOTHING RETURNING id, receiver_id",
        {"id": alert_id, "step": step_id, "scope": scope_paths(scope)},
    )


async def add_resolved(
    tx: Transaction, scope: Scope, alert_id: int, step_id: int
) -> list[DueNotification]:
    """Make one for each receiver who was told that the alert fired, whatever the rule says now."""
    return await tx.fetch(
        DueNotification,
        "INSERT INTO notifications (alert_id, step_id, receiver_id)"
        " SELECT DISTINCT x.id, %(step)s::bigint, n.receiver_id FROM alerts x"
        " JOIN areas a ON a.id = x.area_id JOIN notifications n ON n.alert_id = x.id"
        " JOIN alert_steps s ON s.id = n.step_id AND s.step = 'fired'"
        " JOIN receivers v ON v.id = n.receiver_id AND v.removed_at IS NULL"
        " WHERE x.id = %(id)s AND" + IN_SCOPE + "ON CONFLICT DO NOTHING RETURNING id, receiver_id",
        {"id": alert_id, "step": step_id, "scope": scope_paths(scope)},
    )


async def get_notification(tx: Transaction, scope: Scope, notification_id: int) -> Notification:
    """Return one with its alert, step and receiver (and the receiver's secret).

    Raises:
        NotFound: outside the scope, or the receiver was removed since.
    """
    row = await tx.fetch_one(
        _Row,
        "SELECT n.id, n.message_id::text AS message_id, n.alert_id, n.receiver_id, n.status,"
        " s.id AS step_id, s.at, s.actor, s.step, s.note FROM notifications n"
        " JOIN alert_steps s ON s.id = n.step_id JOIN alerts x ON x.id = n.alert_id"
        " JOIN areas a ON a.id = x.area_id WHERE n.id = %(id)s AND" + IN_SCOPE,
        {"id": notification_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such notification"
        raise NotFound(msg)
    receiver: Receiver = await get_receiver(tx, scope, row.receiver_id)
    return Notification(
        id=row.id,
        message_id=row.message_id,
        alert=await get_alert(tx, scope, row.alert_id),
        step=AlertStep(
            id=row.step_id,
            alert_id=row.alert_id,
            at=row.at,
            actor=row.actor,
            step=Step(row.step),
            note=row.note,
        ),
        receiver=receiver,
        status=DeliveryStatus(row.status),
    )


async def set_status(
    tx: Transaction, scope: Scope, notification_id: int, status: DeliveryStatus
) -> None:
    """Note how a notification of the scope stands; a delivered one stays delivered."""
    await tx.execute(
        "UPDATE notifications n SET status = %(status)s FROM alerts x, areas a"
        " WHERE x.id = n.alert_id AND a.id = x.area_id AND n.id = %(id)s"
        " AND n.status <> 'delivered' AND" + IN_SCOPE,
        {"id": notification_id, "status": status, "scope": scope_paths(scope)},
    )


async def record_attempt(
    tx: Transaction, scope: Scope, attempt: Attempt, status: DeliveryStatus
) -> None:
    """Note one attempt and how the notification stands after it."""
    await tx.execute(
        "INSERT INTO notification_attempts (notification_id, at, outcome, detail)"
        " SELECT n.id, %(at)s, %(outcome)s, %(detail)s FROM notifications n"
        " JOIN alerts x ON x.id = n.alert_id JOIN areas a ON a.id = x.area_id"
        " WHERE n.id = %(id)s AND" + IN_SCOPE,
        {
            "id": attempt.notification_id,
            "at": attempt.at,
            "outcome": attempt.outcome,
            "detail": attempt.detail[:LONGEST_DETAIL].replace("\x00", ""),
            "scope": scope_paths(scope),
        },
    )
    await set_status(tx, scope, attempt.notification_id, status)


async def list_notifications(
    tx: Transaction, scope: Scope, alert_id: int
) -> list[NotificationLine]:
    """Who was told of an alert of the scope, with every attempt, oldest first."""
    alert = await get_alert(tx, scope, alert_id)
    lines = await tx.fetch(
        NotificationLine,
        "SELECT n.id, n.message_id::text AS message_id, s.step, n.receiver_id,"
        " v.name AS receiver_name, v.kind AS receiver_kind, n.status, n.created_at"
        " FROM notifications n JOIN alert_steps s ON s.id = n.step_id"
        " JOIN receivers v ON v.id = n.receiver_id WHERE n.alert_id = %(id)s ORDER BY n.id",
        {"id": alert.id},
    )
    attempts = await tx.fetch(
        Attempt,
        "SELECT t.notification_id, t.at, t.outcome, t.detail FROM notification_attempts t"
        " JOIN notifications n ON n.id = t.notification_id WHERE n.alert_id = %(id)s"
        " ORDER BY t.id",
        {"id": alert.id},
    )
    return [
        replace(
            line,
            step=Step(line.step),
            status=DeliveryStatus(line.status),
            attempts=tuple(t for t in attempts if t.notification_id == line.id),
        )
        for line in lines
    ]
