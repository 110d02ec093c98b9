"""Telling people: notifications and the jobs that post them, in the transaction of the step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.routing import Book, area_line, find_receivers, gathering_time, index_routes
from hub.domain.access import Scope
from hub.domain.alerts import Alert, Step
from hub.domain.calendars import Calendar
from hub.domain.matchers import AlertFacts
from hub.runtime.jobs import Jobs
from hub.store import alerts as alert_store
from hub.store.alert_facts import alert_facts
from hub.store.cursors import get_cursor
from hub.store.database import Transaction
from hub.store.notifications import (
    NewNotification,
    add_notifications,
    rule_receivers,
    told_receivers,
    untold_alerts,
)
from hub.store.routes import routes_above

CURSOR: Final = "alerts"
POST: Final = "alerts.post"
TOLD_BEFORE: Final = "was told that it fired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A step of an alert to tell of; ``because`` says why now, where that is not plain."""

    alert_id: int
    step: Step
    step_id: int
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    telling: Telling
    receiver_id: int
    why: str


async def tell(
    tx: Transaction, scope: Scope, jobs: Jobs, tellings: Sequence[Telling], now: datetime
) -> int:
    """Make the notifications of these steps and defer their posting; return how many.

    FIRED and REPEATED go to the receivers of the rule and of every matching route, unless the
    alert is folded into another or quiet. RESOLVED goes to everybody who was told that the
    alert fires, whatever rules, routes and silences say now. A handful of statements, however
    many steps.

    Raises:
        ValueError: another step; tell its receivers by :func:`tell_receivers`.
    """
    fresh = [one for one in tellings if one.step in {Step.FIRED, Step.REPEATED}]
    ends = [one for one in tellings if one.step is Step.RESOLVED]
    if len(fresh) + len(ends) < len(tellings):
        msg = "only what fired, repeated or resolved is told by rules and routes"
        raise ValueError(msg)
    facts = await alert_facts(tx, scope, sorted({one.alert_id for one in tellings}))
    made = await _put(tx, scope, jobs, facts, await _aim_fresh(tx, scope, fresh, facts, now), now)
    # After those: who is told of the beginning just now is told of the end, too.
    return made + await _put(tx, scope, jobs, facts, await _aim_ends(tx, scope, ends), now)


async def tell_receivers(  # noqa: PLR0913 - the three everybody passes on, and four of its own
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    telling: Telling,
    receiver_ids: Sequence[int],
    now: datetime,
    *,
    why: str,
) -> int:
    """Tell these receivers of one step, as an escalation does; return how many notifications."""
    facts = await alert_facts(tx, scope, [telling.alert_id])
    targets = [_aim(telling, receiver, [why]) for receiver in dict.fromkeys(receiver_ids)]
    return await _put(tx, scope, jobs, facts, targets, now)


async def resolve(
    tx: Transaction, scope: Scope, jobs: Jobs, alert_id: int, *, reason: str
) -> Alert:
    """Resolve an alert by hand and tell those who were told that it fired.

    Raises:
        NotFound: outside the scope.
        Invalid: no reason was given.
        Conflict: it is resolved already.
    """
    await alert_store.get_alert(tx, scope, alert_id)
    await get_cursor(tx, scope, CURSOR)  # holds the engine off until this commits
    alert, step_id = await alert_store.resolve(tx, scope, alert_id, reason=reason)
    telling = Telling(alert_id=alert.id, step=Step.RESOLVED, step_id=step_id)
    await tell(tx, scope, jobs, [telling], alert.resolved_at or alert.fired_at)
    return alert


async def _aim_fresh(
    tx: Transaction,
    scope: Scope,
    fresh: Sequence[Telling],
    facts: dict[int, AlertFacts],
    now: datetime,
) -> list[_Target]:
    ids = sorted({one.alert_id for one in fresh} & facts.keys())
    if not ids:
        return []
    untold = await untold_alerts(tx, scope, ids, now)
    loud = [one for one in fresh if one.alert_id in facts and one.alert_id not in untold]
    if not loud:
        return []
    book = await _open_book(tx, scope, {one.alert_id: facts[one.alert_id] for one in loud})
    return [
        _aim(one, receiver, whys)
        for one in loud
        for receiver, whys in find_receivers(book, facts[one.alert_id], _always).items()
    ]


async def _aim_ends(tx: Transaction, scope: Scope, ends: Sequence[Telling]) -> list[_Target]:
    if not ends:
        return []
    told = await told_receivers(tx, scope, sorted({one.alert_id for one in ends}))
    return [
        _aim(one, receiver, [TOLD_BEFORE])
        for one in ends
        for receiver in told.get(one.alert_id, ())
    ]


async def _open_book(tx: Transaction, scope: Scope, facts: dict[int, AlertFacts]) -> Book:
    by_rule: dict[int, list[tuple[str, int]]] = {}
    for one in await rule_receivers(tx, scope, sorted(facts)):
        by_rule.setdefault(one.rule_id, []).append((one.rule_name, one.receiver_id))
    paths = {path for one in facts.values() for path in area_line(one.area_path)}
    routes = await routes_above(tx, scope, sorted(paths))
    return Book(by_rule=by_rule, by_path=index_routes(routes))


async def _put(
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    facts: dict[int, AlertFacts],
    targets: Sequence[_Target],
    now: datetime,
) -> int:
    new = [
        NewNotification(
            alert_id=one.telling.alert_id,
            step_id=one.telling.step_id,
            receiver_id=one.receiver_id,
            why=one.why,
            due_at=now + gathering_time(facts[one.telling.alert_id].severity, one.telling.step),
        )
        for one in targets
        if one.telling.alert_id in facts
    ]
    made = await add_notifications(tx, scope, new)
    for receiver in sorted(set(made)):
        mark = f"receiver:{receiver}"
        await jobs.defer(tx, POST, {"receiver": receiver}, lock=mark, once=mark)
    return len(made)


def _aim(telling: Telling, receiver_id: int, whys: Sequence[str]) -> _Target:
    reasons = [telling.because, *whys] if telling.because else whys
    return _Target(telling=telling, receiver_id=receiver_id, why="; ".join(reasons))


def _always(_hours: Calendar) -> bool:
    return True
