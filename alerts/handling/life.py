"""What people do about alerts: one at a time or many, each with who, when and why.

A deed and what follows of it are one transaction: people are told that it is over or fires
again, snoozes and silences are joined, policies begin to climb anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from alerts.escalation.escalating import begin
from alerts.judging.turns import close_storm
from alerts.telling.desk import CURSOR, Telling, tell
from alerts.telling.silencing import hush, settle
from hub.domain.access import Scope, system_scope
from hub.domain.alerts import Alert, Step
from hub.domain.errors import Invalid
from hub.runtime.jobs import Jobs
from hub.store import alert_life
from hub.store.alert_deeds import Done, note_repeats
from hub.store.alert_facts import alert_facts
from hub.store.alerts import get_alert, get_alerts, read_clock
from hub.store.cursors import get_cursor
from hub.store.database import Transaction
from hub.store.deadlines import set_deadlines

MOST_AT_ONCE = 500


class Action(StrEnum):
    """What can be done about an alert."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    SNOOZE = "snooze"
    RESOLVE = "resolve"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do, and why (``note``); SNOOZE has an end, ASSIGN somebody.

    ``if_free`` ASSIGN takes from nobody.
    """

    action: Action
    note: str = ""
    until: datetime | None = None
    user_id: int | None = None
    if_free: bool = False


async def act(
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    alert_ids: Sequence[int],
    order: Order,
    now: datetime,
) -> Done:
    """Do one thing about many alerts; say for each what came of it.

    Raises:
        Invalid: the order makes no sense for any alert: no reason, no end, too many at once.
    """
    ids = sorted(set(alert_ids))
    if len(ids) > MOST_AT_ONCE:
        msg = f"at most {MOST_AT_ONCE} alerts at once"
        raise Invalid(msg, field="ids")
    if len(ids) > 1 or order.action in {Action.SNOOZE, Action.RESOLVE, Action.REOPEN}:
        await get_cursor(tx, scope, CURSOR)  # holds the engine off until this commits
    match order.action:
        case Action.ACKNOWLEDGE:
            return await alert_life.acknowledge(tx, scope, ids, note=order.note, now=now)
        case Action.ASSIGN:
            return await _assign(tx, scope, ids, order, now)
        case Action.COMMENT:
            return await alert_life.comment(tx, scope, ids, note=order.note, now=now)
        case Action.SNOOZE:
            return await _snooze(tx, scope, ids, order, now)
        case Action.RESOLVE:
            return await _resolve(tx, scope, jobs, ids, order, now)
        case Action.REOPEN:
            return await _reopen(tx, scope, jobs, ids, order, now)
        case _ as never:
            assert_never(never)


async def act_on_one(
    tx: Transaction, scope: Scope, jobs: Jobs, alert_id: int, order: Order, now: datetime
) -> Alert:
    """Do one thing about one alert and return it as it is then.

    Raises:
        NotFound: outside the scope.
        Conflict: it stands otherwise than the action needs; says how, and by whom.
        Invalid: a note is missing, or what the order names cannot be.
    """
    done = await act(tx, scope, jobs, [alert_id], order, now)
    for refusal in done.refused.values():
        raise refusal
    return await get_alert(tx, scope, alert_id)


async def resolve(
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    alert_id: int,
    *,
    reason: str,
    now: datetime | None = None,
) -> Alert:
    """Resolve an alert by hand; ``now`` is the database's clock when it is not given.

    Raises as :func:`act_on_one` does.
    """
    order = Order(action=Action.RESOLVE, note=reason)
    return await act_on_one(tx, scope, jobs, alert_id, order, now or await read_clock(tx, scope))


async def _assign(
    tx: Transaction, scope: Scope, ids: Sequence[int], order: Order, now: datetime
) -> Done:
    if order.user_id is None:
        msg = "say to whom the alert is assigned"
        raise Invalid(msg, field="user_id")
    to = alert_life.Taker(user_id=order.user_id, if_free=order.if_free)
    return await alert_life.assign(tx, scope, ids, to, note=order.note, now=now)


async def _snooze(
    tx: Transaction, scope: Scope, ids: Sequence[int], order: Order, now: datetime
) -> Done:
    if order.until is None:
        msg = "say until when nobody is told"
        raise Invalid(msg, field="until")
    done = await alert_life.snooze(tx, scope, ids, order.until, note=order.note, now=now)
    facts = await alert_facts(tx, scope, sorted(done.steps))
    # A silence may hold longer; a snooze before this one may have held longer and counts no more.
    await settle(tx, scope, list(facts.values()), now)
    return done


async def _resolve(
    tx: Transaction, scope: Scope, jobs: Jobs, ids: Sequence[int], order: Order, now: datetime
) -> Done:
    done = await alert_life.resolve(tx, scope, ids, reason=order.note, now=now)
    await tell(tx, scope, jobs, _tellings(done, Step.RESOLVED), now)
    for alert in await get_alerts(tx, scope, sorted(done.steps)):
        if alert.is_storm:
            await close_storm(tx, scope, jobs, alert.id, reason=order.note, now=now)
    return done


async def _reopen(
    tx: Transaction, scope: Scope, jobs: Jobs, ids: Sequence[int], order: Order, now: datetime
) -> Done:
    done = await alert_life.reopen(tx, scope, ids, note=order.note, now=now)
    opened = sorted(done.steps)
    facts = list((await alert_facts(tx, scope, opened)).values())
    # Deadlines, silences, policies and routes of the areas above hold, whoever reopens it.
    hub = system_scope(scope.actor)
    await set_deadlines(tx, hub, opened)
    quiet = await hush(tx, hub, facts, now)
    await begin(tx, hub, facts, dict.fromkeys(opened, now))
    because = f"reopened by {scope.actor}"
    loud = [alert_id for alert_id in opened if alert_id not in quiet]
    repeats = await note_repeats(tx, scope, loud, note=because, now=now)
    tellings = [
        Telling(alert_id=alert_id, step=Step.REPEATED, step_id=step_id, because=because)
        for alert_id, step_id in repeats.items()
    ]
    await tell(tx, hub, jobs, tellings, now)
    return done


def _tellings(done: Done, step: Step) -> list[Telling]:
    return [
        Telling(alert_id=alert_id, step=step, step_id=step_id)
        for alert_id, step_id in done.steps.items()
    ]
