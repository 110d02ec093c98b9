"""Telling people: notifications and the jobs that post them, in the transaction of the step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.telling.routing import (
    Book,
    area_line,
    build_book,
    find_receivers,
    find_substitutes,
    gathering_time,
)
from alerts.telling.silencing import hush
from hub.domain.access import Scope
from hub.domain.alerts import Step
from hub.domain.matchers import AlertFacts
from hub.runtime.jobs import Jobs
from hub.store.alert_facts import alert_facts
from hub.store.database import Transaction
from hub.store.holidays import all_holidays
from hub.store.notifications import (
    NewNotification,
    add_notifications,
    dead_receivers,
    receivers_of_areas,
    rule_receivers,
    told_receivers,
    untold_alerts,
)
from hub.store.receivers import ask_for_test
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
class Calling:
    """A step to tell certain receivers of, each with the reason."""

    telling: Telling
    receivers: Mapping[int, str]


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


async def tell_receivers(
    tx: Transaction, scope: Scope, jobs: Jobs, callings: Sequence[Calling], now: datetime
) -> int:
    """Tell named receivers of steps, as an escalation does; return how many notifications.

    Not the one whose dead channel the alert is about; others instead, when no other works. A
    handful of statements, however many steps.
    """
    facts = await alert_facts(tx, scope, sorted({one.telling.alert_id for one in callings}))
    targets: list[_Target] = []
    waiting = [one for one in callings if one.telling.alert_id in facts and one.receivers]
    while waiting:  # an alert that climbs by several policies takes several rounds
        turn = {one.telling.alert_id: one for one in reversed(waiting)}
        waiting = [one for one in waiting if turn[one.telling.alert_id] is not one]
        named = {
            number: {receiver: [why] for receiver, why in one.receivers.items()}
            for number, one in turn.items()
        }
        await _go_round(tx, scope, {number: facts[number] for number in turn}, named)
        targets += [
            _aim(turn[number].telling, receiver, whys)
            for number, who in named.items()
            for receiver, whys in who.items()
        ]
    return await _put(tx, scope, jobs, facts, targets, now)


async def send_test(tx: Transaction, scope: Scope, jobs: Jobs, receiver_id: int) -> None:
    """Send a receiver of the scope a test message, through the queue like any other.

    Raises:
        NotFound: outside the scope.
        Conflict: one is under way already.
    """
    receiver = await ask_for_test(tx, scope, receiver_id)
    await defer_post(tx, jobs, receiver.id)


async def defer_post(tx: Transaction, jobs: Jobs, receiver_id: int) -> None:
    """Ask for what waits for a receiver to be posted; one job at a time works for him."""
    mark = f"receiver:{receiver_id}"
    await jobs.defer(tx, POST, {"receiver": receiver_id}, lock=mark, once=mark)


async def _aim_fresh(
    tx: Transaction,
    scope: Scope,
    fresh: Sequence[Telling],
    facts: dict[int, AlertFacts],
    now: datetime,
) -> list[_Target]:
    fired = [one.alert_id for one in fresh if one.step is Step.FIRED and one.alert_id in facts]
    if fired:
        await hush(tx, scope, [facts[number] for number in dict.fromkeys(fired)], now)
    ids = sorted({one.alert_id for one in fresh} & facts.keys())
    untold = await untold_alerts(tx, scope, ids, now) if ids else set()
    loud = {number: facts[number] for number in ids if number not in untold}
    if not loud:
        return []
    book = await _open_book(tx, scope, loud, now)
    named = {number: find_receivers(book, one) for number, one in loud.items()}
    await _go_round(tx, scope, loud, named)
    return [
        _aim(one, receiver, whys)
        for one in fresh
        for receiver, whys in named.get(one.alert_id, {}).items()
    ]


async def _go_round(
    tx: Transaction,
    scope: Scope,
    facts: Mapping[int, AlertFacts],
    named: dict[int, dict[int, list[str]]],
) -> None:
    """Let no alert about a dead channel go out by that channel; find others where none is left."""
    dead = await dead_receivers(tx, scope, sorted(facts))
    if not dead:
        return
    paths = {path for number in dead for path in area_line(facts[number].area_path)}
    also = {receiver for number in dead for receiver in named[number]}
    known = await receivers_of_areas(tx, scope, sorted(paths), sorted(also))
    for number, receiver in dead.items():
        path = facts[number].area_path
        named[number] = find_substitutes(named[number], receiver, path, known)


async def _aim_ends(tx: Transaction, scope: Scope, ends: Sequence[Telling]) -> list[_Target]:
    if not ends:
        return []
    told = await told_receivers(tx, scope, sorted({one.alert_id for one in ends}))
    return [
        _aim(one, receiver, [TOLD_BEFORE])
        for one in ends
        for receiver in told.get(one.alert_id, ())
    ]


async def _open_book(
    tx: Transaction, scope: Scope, facts: Mapping[int, AlertFacts], now: datetime
) -> Book:
    paths = {path for one in facts.values() for path in area_line(one.area_path)}
    routes = await routes_above(tx, scope, sorted(paths))
    has_hours = any(route.hours is not None for route in routes)
    return build_book(
        await rule_receivers(tx, scope, sorted(facts)),
        routes,
        now,
        await all_holidays(tx, scope) if has_hours else {},
    )


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
            due_at=now + gathering_time(facts[one.telling.alert_id], one.telling.step),
        )
        for one in targets
        if one.telling.alert_id in facts
    ]
    made = await add_notifications(tx, scope, new)
    for receiver in sorted(set(made)):
        await defer_post(tx, jobs, receiver)
    return len(made)


def _aim(telling: Telling, receiver_id: int, whys: Sequence[str]) -> _Target:
    reasons = [telling.because, *whys] if telling.because else whys
    return _Target(telling=telling, receiver_id=receiver_id, why="; ".join(reasons))
