"""Alerts as people see them: lists, history, and what they do about them."""

from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.alerts import Alert, AlertStatus, AlertStep, Step
from hub.domain.conditions import EventOfKind
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.events import Severity
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.rule_states import close_alert
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

LONGEST_NOTE = 2000

_ALERT = (
    "SELECT x.id, x.rule_id, u.name AS rule_name, x.condition, x.severity, x.status, x.area_id,"
    " a.path::text AS area_path, a.name AS area_name, x.device_id, x.device_name, x.point, x.unit,"
    " x.channel, x.event_id, x.value, x.reason, x.started_at, x.fired_at, x.acknowledged_at,"
    " x.acknowledged_by, x.resolved_at, x.resolved_by, x.resolution FROM alerts x"
    " JOIN areas a ON a.id = x.area_id JOIN rules u ON u.id = x.rule_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """What a list of alerts is narrowed to; empty fields narrow nothing.

    ``is_open`` True means firing or acknowledged. ``text`` matches the names in the alert.
    """

    area_id: int | None = None
    device_id: int | None = None
    status: AlertStatus | None = None
    severity: Severity | None = None
    is_open: bool | None = None
    text: str = ""


async def list_alerts(
    tx: Transaction,
    scope: Scope,
    wanted: AlertFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Alert]:
    """Alerts newest first, narrowed, a page at a time."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    text = "%" + wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await tx.search(
        Alert,
        _ALERT + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR x.id < %(after)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " AND (%(device)s::bigint IS NULL OR x.device_id = %(device)s)"
        " AND (%(status)s::text IS NULL OR x.status = %(status)s)"
        " AND (%(severity)s::text IS NULL OR x.severity = %(severity)s)"
        " AND (%(is_open)s::boolean IS NULL OR (x.status <> 'resolved') = %(is_open)s)"
        " AND (%(any)s OR (x.device_name || ' ' || u.name || ' ' || a.name) ILIKE %(text)s)"
        " ORDER BY x.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": wanted.area_id,
            "device": wanted.device_id,
            "status": wanted.status,
            "severity": wanted.severity,
            "is_open": wanted.is_open,
            "any": not wanted.text,
            "text": text,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def get_alert(tx: Transaction, scope: Scope, alert_id: int) -> Alert:
    """Return one alert; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        Alert,
        _ALERT + " x.id = %(id)s AND" + IN_SCOPE,
        {"id": alert_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such alert"
        raise NotFound(msg)
    return _typed(row)


async def count_open(tx: Transaction, scope: Scope) -> dict[Severity, int]:
    """How many alerts of the scope are open, by severity."""
    rows = await tx.tuples(
        "SELECT x.severity, count(*) FROM alerts x JOIN areas a ON a.id = x.area_id"
        " WHERE x.status <> 'resolved' AND" + IN_SCOPE + "GROUP BY x.severity",
        {"scope": scope_paths(scope)},
    )
    return {Severity(str(severity)): int(str(number)) for severity, number in rows}


async def list_steps(tx: Transaction, scope: Scope, alert_id: int) -> list[AlertStep]:
    """The history of an alert of the scope, oldest first."""
    alert = await get_alert(tx, scope, alert_id)
    rows = await tx.fetch(
        AlertStep,
        "SELECT id, alert_id, at, actor, step, note FROM alert_steps WHERE alert_id = %(id)s"
        " ORDER BY id",
        {"id": alert.id},
    )
    return [replace(row, step=Step(row.step)) for row in rows]


async def acknowledge(tx: Transaction, scope: Scope, alert_id: int, *, note: str = "") -> Alert:
    """Say that somebody takes care of a firing alert.

    Raises:
        NotFound: outside the scope.
        Conflict: it is acknowledged or resolved already.
    """
    checked = _checked(note)
    alert = await get_alert(tx, scope, alert_id)
    number = await tx.execute(
        "UPDATE alerts SET status = 'acknowledged', acknowledged_at = now(),"
        " acknowledged_by = %(actor)s WHERE id = %(id)s AND status = 'firing'",
        {"id": alert.id, "actor": scope.actor},
    )
    if number == 0:
        raise Conflict(await _standing(tx, scope, alert.id))
    await _note_step(tx, scope, alert.id, Step.ACKNOWLEDGED, checked)
    return await _done(tx, scope, alert.id, "alert.acknowledged", checked)


async def comment(tx: Transaction, scope: Scope, alert_id: int, *, note: str) -> Alert:
    """Add a remark to the history of an alert of the scope."""
    checked = _checked(note)
    if not checked:
        msg = "a comment needs a text"
        raise Invalid(msg, field="note")
    alert = await get_alert(tx, scope, alert_id)
    await _note_step(tx, scope, alert.id, Step.COMMENTED, checked)
    return await _done(tx, scope, alert.id, "alert.commented", checked)


async def resolve(
    tx: Transaction, scope: Scope, alert_id: int, *, reason: str
) -> tuple[Alert, int]:
    """Resolve an alert by hand; return it and the number of the step.

    A condition that lasts fires again only after it was good in between. Call it through
    ``alerts.desk``, which also tells those who were told that it fired, and in a transaction
    that holds the engine's cursor.

    Raises:
        NotFound: outside the scope.
        Invalid: no reason was given.
        Conflict: it is resolved already.
    """
    checked = _checked(reason)
    if not checked:
        msg = "say why the alert is resolved by hand"
        raise Invalid(msg, field="reason")
    alert = await get_alert(tx, scope, alert_id)
    now = await _now(tx)
    step_id = await close_alert(tx, scope, alert.id, at=now, reason=checked)
    if step_id is None:
        raise Conflict(await _standing(tx, scope, alert.id))
    if alert.condition == EventOfKind.type:
        await tx.execute("DELETE FROM rule_states WHERE alert_id = %(id)s", {"id": alert.id})
    else:
        await tx.execute(
            "UPDATE rule_states SET phase = 'held', due_at = NULL, alert_id = NULL"
            " WHERE alert_id = %(id)s",
            {"id": alert.id},
        )
    return await _done(tx, scope, alert.id, "alert.resolved", checked), step_id


async def _done(tx: Transaction, scope: Scope, alert_id: int, action: str, note: str) -> Alert:
    alert = await get_alert(tx, scope, alert_id)
    deed = Deed(action=action, object_type="alert", object_id=str(alert.id), area_id=alert.area_id)
    await record(tx, scope, deed, {"note": note})
    await notify(tx, scope, "alerts", [alert.id])
    return alert


async def _note_step(tx: Transaction, scope: Scope, alert_id: int, step: Step, note: str) -> None:
    await tx.execute(
        "INSERT INTO alert_steps (alert_id, at, actor, step, note)"
        " VALUES (%(id)s, now(), %(actor)s, %(step)s, %(note)s)",
        {"id": alert_id, "actor": scope.actor, "step": step, "note": note},
    )


async def _now(tx: Transaction) -> datetime:
    now = await tx.scalar(datetime, "SELECT now()")
    if now is None:
        msg = "the database has no clock"
        raise TypeError(msg)
    return now


async def _standing(tx: Transaction, scope: Scope, alert_id: int) -> str:
    alert = await get_alert(tx, scope, alert_id)
    who = alert.resolved_by or alert.acknowledged_by
    return f"the alert is {alert.status.value} already, by {who}"


def _checked(note: str) -> str:
    text = note.strip()
    if len(text) > LONGEST_NOTE or "\x00" in text:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise Invalid(msg, field="note")
    return text


def _typed(row: Alert) -> Alert:
    return replace(row, severity=Severity(row.severity), status=AlertStatus(row.status))
