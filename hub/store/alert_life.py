"""What people do about alerts, many at once: each with who, when and why.

Every function takes the numbers of many alerts and says for each what came of it. Call them
through :mod:`alerts.handling.life`, which also tells people and keeps quiet, climbing and rules in
step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Alert, AlertStatus, Step
from hub.domain.conditions import EventOfKind
from hub.domain.errors import Conflict, Invalid, RequestError
from hub.store.alert_deeds import Act, Done, check_note, common_values, standing, write_down
from hub.store.alerts import get_alert, get_alerts
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE

LONGEST_SNOOZE: Final = timedelta(days=7)
# How long after it was resolved by hand an alert can be opened again.
LONGEST_REGRET: Final = timedelta(days=7)

# Whoever may see the area ``a``: every role may see.
_SEES = (
    " u.id IN (SELECT g.user_id FROM grants g JOIN areas ga ON ga.id = g.area_id"
    " WHERE a.path <@ ga.path) AND NOT u.is_disabled "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignee:
    """Somebody to whom an alert can be given."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """To whom alerts are given; ``if_free``: only those that nobody has."""

    user_id: int
    if_free: bool = False


async def acknowledge(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], *, note: str, now: datetime
) -> Done:
    """Say that somebody takes care of firing alerts."""
    act = Act(step=Step.ACKNOWLEDGED, action="alert.acknowledged", note=check_note(note), now=now)
    rows = await tx.tuples(
        "UPDATE alerts x SET status = 'acknowledged', acknowledged_at = %(now)s,"
        " acknowledged_by = %(actor)s FROM areas a WHERE a.id = x.area_id AND x.id = ANY (%(ids)s)"
        " AND x.status = 'firing' AND" + IN_SCOPE + "RETURNING x.id",
        common_values(scope, alert_ids, now),
    )
    return await write_down(tx, scope, alert_ids, rows, act, standing)


async def assign(
    tx: Transaction,
    scope: Scope,
    alert_ids: Sequence[int],
    to: Taker,
    *,
    note: str,
    now: datetime,
) -> Done:
    """Give open alerts to somebody who may see their area; that is an acknowledgement, too."""
    text = check_note(note)
    rows = await tx.tuples(
        "UPDATE alerts x SET status = 'assigned', assigned_to = u.id,"
        " assigned_name = coalesce(nullif(u.display_name, ''), u.name), assigned_at = %(now)s,"
        " acknowledged_by = CASE WHEN x.acknowledged_at IS NULL THEN %(actor)s"
        "  ELSE x.acknowledged_by END,"
        " acknowledged_at = coalesce(x.acknowledged_at, %(now)s) FROM areas a, users u"
        " WHERE a.id = x.area_id AND x.id = ANY (%(ids)s) AND x.status <> 'resolved'"
        " AND u.id = %(user)s AND x.assigned_to IS DISTINCT FROM u.id"
        " AND (x.assigned_to IS NULL OR NOT %(if_free)s) AND"
        + _SEES
        + "AND"
        + IN_SCOPE
        + "RETURNING x.id, x.assigned_name",
        {**common_values(scope, alert_ids, now), "user": to.user_id, "if_free": to.if_free},
    )
    name = str(rows[0][1]) if rows else ""
    act = Act(
        step=Step.ASSIGNED,
        action="alert.assigned",
        note=f"to {name}: {text}" if text else f"to {name}",
        now=now,
    )

    def refuse(alert: Alert) -> RequestError:
        if alert.status is AlertStatus.RESOLVED:
            return standing(alert)
        if alert.assigned_to == to.user_id or (to.if_free and alert.assigned_to is not None):
            return Conflict(f"the alert is assigned to {alert.assigned_name} already")
        return Invalid("nobody of this number may see the alert's area", field="user_id")

    return await write_down(tx, scope, alert_ids, rows, act, refuse)


async def list_assignees(tx: Transaction, scope: Scope, alert_id: int) -> list[Assignee]:
    """To whom an alert of the scope can be given, by name."""
    alert = await get_alert(tx, scope, alert_id)
    return await tx.fetch(
        Assignee,
        "SELECT u.id, coalesce(nullif(u.display_name, ''), u.name) AS name FROM areas a, users u"
        " WHERE a.id = %(area)s AND" + _SEES + "ORDER BY 2, 1",
        {"area": alert.area_id},
    )


async def comment(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], *, note: str, now: datetime
) -> Done:
    """Add a remark to the history of alerts."""
    text = check_note(note, needed="a comment needs a text")
    act = Act(step=Step.COMMENTED, action="alert.commented", note=text, now=now)
    found = [(alert.id,) for alert in await get_alerts(tx, scope, alert_ids)]
    return await write_down(tx, scope, alert_ids, found, act, standing)


async def snooze(
    tx: Transaction,
    scope: Scope,
    alert_ids: Sequence[int],
    until: datetime,
    *,
    note: str,
    now: datetime,
) -> Done:
    """Let nobody be told anew of open alerts for a while; in place of a snooze before."""
    text = check_note(note)
    if not timedelta(0) < until - now <= LONGEST_SNOOZE:
        msg = f"a snooze ends after now, within {LONGEST_SNOOZE.days} days"
        raise Invalid(msg, field="until")
    when = until.isoformat(timespec="seconds")
    act = Act(
        step=Step.SNOOZED,
        action="alert.snoozed",
        note=f"until {when}: {text}" if text else f"until {when}",
        now=now,
    )
    rows = await tx.tuples(
        "UPDATE alerts x SET snoozed_until = %(until)s, snoozed_by = %(actor)s,"
        " quiet_until = greatest(x.quiet_until, %(until)s),"
        " quiet_reason = CASE WHEN x.quiet_until >= %(until)s THEN x.quiet_reason"
        "  ELSE 'snoozed by ' || %(actor)s END FROM areas a WHERE a.id = x.area_id"
        " AND x.id = ANY (%(ids)s) AND x.status <> 'resolved' AND" + IN_SCOPE + "RETURNING x.id",
        {**common_values(scope, alert_ids, now), "until": until},
    )
    return await write_down(tx, scope, alert_ids, rows, act, standing)


async def resolve(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], *, reason: str, now: datetime
) -> Done:
    """Resolve open alerts by hand, in a transaction that holds the engine's cursor.

    What lasts fires again only after it was good in between; the next event of a kind does.
    """
    text = check_note(reason, needed="say why the alert is resolved by hand")
    act = Act(step=Step.RESOLVED, action="alert.resolved", note=text, now=now)
    values = common_values(scope, alert_ids, now)
    rows = await tx.tuples(
        "UPDATE alerts x SET status = 'resolved', resolved_at = greatest(%(now)s, x.fired_at),"
        " resolved_by = %(actor)s, resolution = %(reason)s, is_closed_by_hand = true,"
        " quiet_until = NULL, quiet_reason = '', snoozed_until = NULL, snoozed_by = ''"
        " FROM areas a WHERE a.id = x.area_id AND x.id = ANY (%(ids)s)"
        " AND x.status <> 'resolved' AND" + IN_SCOPE + "RETURNING x.id",
        {**values, "reason": text},
    )
    closed = {"ids": [int(str(row[0])) for row in rows], "event": EventOfKind.type}
    await tx.execute(
        "DELETE FROM rule_states r USING alerts x WHERE x.id = r.alert_id"
        " AND x.id = ANY (%(ids)s) AND x.condition = %(event)s",
        closed,
    )
    await tx.execute(
        "UPDATE rule_states SET phase = 'held', alert_id = NULL WHERE alert_id = ANY (%(ids)s)",
        closed,
    )
    return await write_down(tx, scope, alert_ids, rows, act, standing)


async def reopen(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], *, note: str, now: datetime
) -> Done:
    """Let alerts fire again that were resolved by hand too early; the rule may end them.

    The transaction holds the engine's cursor. Of two about the same, the later one is opened.
    """
    act = Act(step=Step.REOPENED, action="alert.reopened", note=check_note(note), now=now)
    rows = await tx.tuples(
        "UPDATE alerts x SET status = 'firing', fired_at = %(now)s, resolved_at = NULL,"
        " resolved_by = '', resolution = '', is_closed_by_hand = false, acknowledged_at = NULL,"
        " acknowledged_by = '', assigned_to = NULL, assigned_name = '', assigned_at = NULL,"
        " folded_into = NULL FROM (SELECT DISTINCT ON (x.rule_id, x.subject) x.id FROM alerts x"
        "  JOIN areas a ON a.id = x.area_id"
        "  JOIN rules u ON u.id = x.rule_id AND u.is_enabled AND u.removed_at IS NULL"
        "  WHERE x.id = ANY (%(ids)s) AND x.status = 'resolved' AND x.is_closed_by_hand"
        "  AND NOT x.is_storm AND x.resolved_at > %(now)s - %(regret)s"
        "  AND NOT EXISTS (SELECT FROM alerts o WHERE o.rule_id = x.rule_id"
        "   AND o.subject = x.subject AND o.status <> 'resolved') AND"
        + IN_SCOPE
        + "ORDER BY x.rule_id, x.subject, x.id DESC) AS w WHERE x.id = w.id RETURNING x.id",
        {**common_values(scope, alert_ids, now), "regret": LONGEST_REGRET},
    )
    await _fire_again(tx, [int(str(row[0])) for row in rows], now)

    def refuse(alert: Alert) -> RequestError:
        if alert.status is not AlertStatus.RESOLVED:
            return Conflict("the alert is open")
        days = LONGEST_REGRET.days
        return Conflict(
            f"only an alert that was resolved by hand within {days} days is opened again, as long"
            " as its rule is in force and there is no other open alert about the same"
        )

    return await write_down(tx, scope, alert_ids, rows, act, refuse)


async def _fire_again(tx: Transaction, alert_ids: Sequence[int], now: datetime) -> None:
    """Let the rule remember that it fires, so that it may end it; by time where it says so."""
    await tx.execute(
        "INSERT INTO rule_states AS r (rule_id, subject, area_id, device_id, point_id, channel,"
        " phase, since, due_at, value, alert_id)"
        " SELECT x.rule_id, x.subject, x.area_id, x.device_id, x.point_id, x.channel, 'firing',"
        " x.started_at, %(now)s + coalesce(u.condition ->> 'auto_clear_s',"
        "  u.condition ->> 'clear_s', u.condition ->> 'within_s')::float8 * interval '1 s',"
        " x.value, x.id FROM alerts x JOIN rules u ON u.id = x.rule_id WHERE x.id = ANY (%(ids)s)"
        " ON CONFLICT (rule_id, subject) DO UPDATE SET phase = 'firing',"
        " due_at = CASE WHEN r.phase = 'held' THEN r.due_at ELSE excluded.due_at END,"
        " since = coalesce(r.since, excluded.since), alert_id = excluded.alert_id",
        {"ids": list(alert_ids), "now": now},
    )
