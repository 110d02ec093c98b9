"""Notifications: who is to be told of which step, and why. They leave in :mod:`.messages`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import Step
from hub.domain.notifications import DeliveryStatus
from hub.store.alerts import get_alert
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

LONGEST_WHY = 500
# Receivers whose row somebody writes notifications for (:func:`add_notifications`).
RECEIVER_LOCK = 0x7265636500000000  # "rece", the number of the receiver is added


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotification:
    """A notification to make; it may leave at ``due_at``."""

    alert_id: int
    step_id: int
    receiver_id: int
    why: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReceiver:
    """A receiver that a rule names."""

    rule_id: int
    rule_name: str
    receiver_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaReceiver:
    """A receiver of an area, and whether it is known that nothing gets through to it."""

    id: int
    area_path: str
    is_failing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: ``outcome`` is delivered, try_again or rejected; ``detail`` holds no secret."""

    message: int
    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationLine:
    """A notification as the console shows it; no ``message_id`` as long as it waits for others.

    ``count`` says how many notifications its message holds.
    """

    id: int
    message: int | None
    message_id: str | None
    count: int
    step: Step
    receiver_id: int
    receiver_name: str
    receiver_kind: str
    why: str
    status: DeliveryStatus
    created_at: datetime
    attempts: Sequence[Attempt] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    alert_id: int
    receiver_id: int


async def add_notifications(
    tx: Transaction, scope: Scope, new: Sequence[NewNotification]
) -> list[int]:
    """Make those whose alert is in the scope, in this order; return the receiver of each.

    A receiver has at most one of a step. Until this commits nobody takes what waits for these
    receivers (:func:`hub.store.messages.take_receiver`): a message never misses them.
    """
    if not new:
        return []
    await tx.tuples(
        "SELECT pg_advisory_xact_lock_shared(%(base)s::bigint + r)"
        " FROM unnest(%(receivers)s::bigint[]) AS r",
        {"base": RECEIVER_LOCK, "receivers": sorted({one.receiver_id for one in new})},
    )
    rows = await tx.tuples(
        "INSERT INTO notifications (alert_id, step_id, receiver_id, why, due_at)"
        " SELECT n.alert_id, n.step_id, n.receiver_id, n.why, n.due_at"
        " FROM unnest(%(alerts)s::bigint[], %(steps)s::bigint[], %(receivers)s::bigint[],"
        "  %(whys)s::text[], %(dues)s::timestamptz[])"
        "  WITH ORDINALITY AS n (alert_id, step_id, receiver_id, why, due_at, position)"
        " JOIN alerts x ON x.id = n.alert_id JOIN areas a ON a.id = x.area_id"
        " WHERE" + IN_SCOPE + "ORDER BY n.position"
        " ON CONFLICT (step_id, receiver_id) DO NOTHING RETURNING receiver_id",
        {
            "alerts": [one.alert_id for one in new],
            "steps": [one.step_id for one in new],
            "receivers": [one.receiver_id for one in new],
            "whys": [one.why[:LONGEST_WHY].replace("\x00", "") for one in new],
            "dues": [one.due_at for one in new],
            "scope": scope_paths(scope),
        },
    )
    return [int(str(receiver)) for (receiver,) in rows]


async def drop_waiting(tx: Transaction, scope: Scope, alert_ids: Sequence[int]) -> int:
    """Tell nobody that these alerts of the scope fire, where it is in no message yet.

    They count in another one that is told. Return how many notifications there were.
    """
    if not alert_ids:
        return 0
    return await tx.execute(
        "DELETE FROM notifications n USING alerts x, areas a, alert_steps s"
        " WHERE n.alert_id = ANY (%(ids)s) AND n.status = 'waiting' AND n.message IS NULL"
        " AND x.id = n.alert_id AND a.id = x.area_id AND s.id = n.step_id AND s.step <> 'resolved'"
        " AND" + IN_SCOPE,
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )


async def rule_receivers(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int]
) -> list[RuleReceiver]:
    """Whom the rules of these alerts of the scope name, and who is switched on."""
    return await tx.fetch(
        RuleReceiver,
        "SELECT DISTINCT u.id AS rule_id, u.name AS rule_name, v.id AS receiver_id"
        " FROM (SELECT DISTINCT x.rule_id FROM alerts x JOIN areas a ON a.id = x.area_id"
        "  WHERE x.id = ANY (%(ids)s) AND" + IN_SCOPE + ") AS r"
        " JOIN rules u ON u.id = r.rule_id JOIN rule_receivers rr ON rr.rule_id = u.id"
        " JOIN receivers v ON v.id = rr.receiver_id"
        " WHERE v.is_enabled AND v.removed_at IS NULL ORDER BY u.id, v.id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )


async def dead_receivers(tx: Transaction, scope: Scope, alert_ids: Sequence[int]) -> dict[int, int]:
    """Of these alerts of the scope those about a dead channel, with the receiver it leads to."""
    rows = await tx.tuples(
        "SELECT x.id, (e.data ->> 'receiver')::bigint FROM alerts x"
        " JOIN areas a ON a.id = x.area_id JOIN rules u ON u.id = x.rule_id"
        " JOIN events e ON e.id = x.event_id WHERE x.id = ANY (%(ids)s)"
        # Few rules are about receivers: the events of the others are not looked up.
        " AND u.condition::text LIKE '%%\"receiver.%%' AND e.kind LIKE 'receiver.%%'"
        " AND jsonb_typeof(e.data -> 'receiver') = 'number' AND" + IN_SCOPE,
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )
    return {int(str(number)): int(str(receiver)) for number, receiver in rows}


async def receivers_of_areas(
    tx: Transaction, scope: Scope, paths: Sequence[str], also: Sequence[int]
) -> list[AreaReceiver]:
    """The receivers of exactly these areas that are switched on, and ``also`` these.

    Not narrowed to the scope: they are for the desk, not for the caller.
    """
    del scope
    return await tx.fetch(
        AreaReceiver,
        "SELECT v.id, a.path::text AS area_path, v.failing_since IS NOT NULL AS is_failing"
        " FROM areas a JOIN receivers v ON v.area_id = a.id"
        " WHERE (a.path = ANY (%(paths)s::ltree[]) OR v.id = ANY (%(also)s))"
        " AND v.is_enabled AND v.removed_at IS NULL ORDER BY v.id",
        {"paths": list(paths), "also": list(also)},
    )


async def told_receivers(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int]
) -> dict[int, list[int]]:
    """Alert of the scope → who was ever told that it fires, whatever the rules say now."""
    rows = await tx.fetch(
        _Told,
        "SELECT DISTINCT n.alert_id, n.receiver_id FROM notifications n"
        " JOIN alerts x ON x.id = n.alert_id JOIN areas a ON a.id = x.area_id"
        " JOIN alert_steps s ON s.id = n.step_id AND s.step IN ('fired', 'repeated', 'escalated')"
        " JOIN receivers v ON v.id = n.receiver_id AND v.removed_at IS NULL"
        " WHERE n.alert_id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY n.alert_id, n.receiver_id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )
    told: dict[int, list[int]] = {}
    for row in rows:
        told.setdefault(row.alert_id, []).append(row.receiver_id)
    return told


async def untold_alerts(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], now: datetime
) -> set[int]:
    """Those of these alerts of which nobody is to be told anew now: folded, or quiet."""
    rows = await tx.tuples(
        "SELECT x.id FROM alerts x JOIN areas a ON a.id = x.area_id WHERE x.id = ANY (%(ids)s)"
        " AND (x.folded_into IS NOT NULL OR x.quiet_until > %(now)s) AND" + IN_SCOPE,
        {"ids": list(alert_ids), "now": now, "scope": scope_paths(scope)},
    )
    return {int(str(number)) for (number,) in rows}


async def list_notifications(
    tx: Transaction, scope: Scope, alert_id: int
) -> list[NotificationLine]:
    """Who was told of an alert of the scope, with every attempt, oldest first."""
    alert = await get_alert(tx, scope, alert_id)
    lines = await tx.fetch(
        NotificationLine,
        "SELECT n.id, n.message, m.message_id::text AS message_id, coalesce(m.count, 0) AS count,"
        " s.step, n.receiver_id, v.name AS receiver_name, v.kind AS receiver_kind, n.why, n.status,"
        " n.created_at FROM notifications n JOIN alert_steps s ON s.id = n.step_id"
        " JOIN receivers v ON v.id = n.receiver_id LEFT JOIN messages m ON m.id = n.message"
        " WHERE n.alert_id = %(id)s ORDER BY n.id",
        {"id": alert.id},
    )
    attempts = await tx.fetch(
        Attempt,
        "SELECT t.message, t.at, t.outcome, t.detail FROM message_attempts t"
        " WHERE t.message = ANY (%(messages)s) ORDER BY t.id",
        {"messages": sorted({line.message for line in lines if line.message is not None})},
    )
    return [
        replace(
            line,
            step=Step(line.step),
            status=DeliveryStatus(line.status),
            attempts=tuple(t for t in attempts if t.message == line.message),
        )
        for line in lines
    ]
