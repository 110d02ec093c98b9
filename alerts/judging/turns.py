"""Carries out what rules concluded: alerts, steps, climbs and notifications, many at once.

Everything is decided before anything is written (:mod:`alerts.judging.folding`); then a handful of
statements does it, in the caller's transaction, which holds the engine's cursor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from alerts.escalation.escalating import begin
from alerts.judging.folding import Entry, Key, Known, Ledger, Note, areas_of, is_about_absence
from alerts.telling.desk import Telling, tell
from hub.domain.access import Scope
from hub.domain.alerts import Rule, Step
from hub.runtime.jobs import Jobs
from hub.store import alert_life
from hub.store.alert_facts import alert_facts
from hub.store.alert_openings import (
    Closing,
    NewAlert,
    NewStep,
    Opening,
    Refold,
    Tally,
    add_steps,
    close_alerts,
    fold_alerts,
    insert_alerts,
    take_numbers,
)
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.notifications import drop_waiting
from hub.store.open_alerts import (
    absence_alerts,
    alerts_below,
    folded_alerts,
    open_alerts_of,
    open_storms,
    places_of,
    spent_storms,
    standing_alerts,
    unexplained_alerts,
)

# So many are released from an uplink's alert in one transaction.
MOST_FREED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An alert to open, or (without an opening) the open one about a subject to resolve."""

    key: Key
    at: datetime
    reason: str = ""
    opening: Opening | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The numbers of the alerts that were opened or found open; None where the area is gone.

    ``has_freed`` says that an uplink's alert is over: see :func:`release`.
    """

    opened: Mapping[Key, int | None] = field(default_factory=dict)
    has_freed: bool = False


async def carry_out(
    tx: Transaction, scope: Scope, jobs: Jobs, turns: Sequence[Turn], now: datetime
) -> Done:
    """Open and resolve alerts in this order, and tell of it."""
    if not turns:
        return Done()
    ledger = Ledger(await _look_up(tx, scope, turns))
    found: dict[Key, Entry | None] = {}
    for turn in turns:
        if turn.opening is not None:
            found[turn.key] = ledger.open(turn.opening)
        elif (entry := ledger.find(turn.key)) is not None:
            ledger.close(entry, turn.at, turn.reason)
    await _write(tx, scope, jobs, ledger, now)
    opened = {key: None if entry is None else entry.id for key, entry in found.items()}
    return Done(opened=opened, has_freed=ledger.has_freed)


async def release(
    tx: Transaction, scope: Scope, jobs: Jobs, rules: Mapping[int, Rule], now: datetime
) -> int:
    """Let stand by themselves what nothing explains any more; end what is left without contents.

    An uplink's alert is over and a device behind it still fails; or people closed the last
    alerts that counted in one for many. Return how many changed.
    """
    freed = await unexplained_alerts(tx, scope, now, limit=MOST_FREED)
    freed = [row for row in freed if row.rule_id in rules]
    spent = await spent_storms(tx, scope)
    if not freed and not spent:
        return 0
    watching = sorted({row.rule_id for row in freed})
    areas = {row.area_id for row in freed} | {rules[n].area_id for n in watching}
    places, _ = await places_of(tx, scope, sorted(areas), [])
    ledger = Ledger(
        Known(
            alerts=[*freed, *spent, *await open_storms(tx, scope, watching)],
            standing=await standing_alerts(tx, scope, watching),
            areas={place.id: place.name for place in places},
        )
    )
    for row in spent:
        if (entry := ledger.find((row.rule_id, row.subject))) is not None:
            ledger.close_spent(entry, now)
    for row in freed:
        if (entry := ledger.find((row.rule_id, row.subject))) is not None:
            ledger.stand_again(entry, rules[row.rule_id], now)
    await _write(tx, scope, jobs, ledger, now)
    return len(freed) + len(spent)


async def close_storm(
    tx: Transaction, scope: Scope, jobs: Jobs, alert_id: int, *, reason: str, now: datetime
) -> list[int]:
    """Resolve what counts in an alert for many that somebody resolves by hand; return which.

    The alert itself is the caller's to resolve. What lasts fires again only after it was good in
    between, as if each had been resolved by hand. The transaction must hold the engine's cursor.
    """
    rows = await folded_alerts(tx, scope, alert_id)
    done = await alert_life.resolve(tx, scope, [row.id for row in rows], reason=reason, now=now)
    tellings = [
        Telling(alert_id=alert, step=Step.RESOLVED, step_id=step)
        for alert, step in done.steps.items()
    ]
    await tell(tx, scope, jobs, tellings, now)
    return sorted(done.steps)


async def _look_up(tx: Transaction, scope: Scope, turns: Sequence[Turn]) -> Known:
    """Read what decides where these alerts will stand."""
    openings = [turn.opening for turn in turns if turn.opening is not None]
    alerts = await open_alerts_of(tx, scope, sorted({turn.key for turn in turns}))
    rule_ids = {turn.key[0] for turn in turns}
    if openings:
        absent = {o.state.device_id for o in openings if _is_explaining(o)} - {None}
        below = await alerts_below(tx, scope, sorted(n for n in absent if n is not None))
        rule_ids |= {row.rule_id for row in below}
        alerts += below
    alerts += await open_storms(tx, scope, sorted(rule_ids))
    if not openings:
        return Known(alerts=alerts)
    devices = {o.state.device_id for o in openings if o.state.device_id is not None}
    places, hanging = await places_of(tx, scope, sorted(areas_of(openings)), sorted(devices))
    uplinks = {device.parent_id for device in hanging if device.parent_id is not None}
    absences = await absence_alerts(tx, scope, sorted(uplinks)) if uplinks else []
    names = uplinks - devices
    if absences and names:
        hanging += (await places_of(tx, scope, [], sorted(names)))[1]
    return Known(
        alerts=[*alerts, *absences],
        absences=absences,
        standing=await standing_alerts(tx, scope, sorted(rule_ids)),
        areas={place.id: place.name for place in places},
        devices={device.id: device for device in hanging},
    )


def _is_explaining(opening: Opening) -> bool:
    return opening.drill_id is None and is_about_absence(opening.rule.condition)


async def _write(tx: Transaction, scope: Scope, jobs: Jobs, ledger: Ledger, now: datetime) -> None:
    """Store what the ledger says, tell of it, and let climb what stands by itself."""
    if not ledger.notes and not ledger.refolded:
        return
    numbers, step_ids = await take_numbers(
        tx, scope, alerts=len(ledger.new), steps=len(ledger.notes)
    )
    for entry, number in zip(ledger.new, numbers, strict=True):
        entry.id = number
    ended = {n.entry.id: n.entry for n in ledger.notes if n.step is Step.RESOLVED}
    await close_alerts(tx, scope, [c for e in ended.values() if (c := _closing(e)) is not None])
    await insert_alerts(tx, scope, [_row(e, o) for e in ledger.new if (o := e.opening) is not None])
    await fold_alerts(
        tx,
        scope,
        [_refold(entry) for entry in ledger.refolded.values()],
        [
            Tally(alert_id=e.id, folded=e.folded, reason=e.reason)
            for e in ledger.tallied.values()
            if e.opening is None
        ],
    )
    folded = {note.entry.id for note in ledger.notes if note.step is Step.FOLDED}
    await drop_waiting(tx, scope, sorted(folded))
    noted = list(zip(ledger.notes, step_ids, strict=True))
    await add_steps(tx, scope, [_step(note, number) for note, number in noted])
    await _tell(tx, scope, jobs, noted, now)
    touched = {note.entry.id for note in ledger.notes} | {e.id for e in ledger.tallied.values()}
    await notify(tx, scope, "alerts", sorted(touched))


async def _tell(
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    noted: Sequence[tuple[Note, int]],
    now: datetime,
) -> None:
    climbing = {
        note.entry.id: note.at for note, _ in noted if _is_news(note) and not note.entry.closed_at
    }
    if climbing:
        facts = await alert_facts(tx, scope, sorted(climbing))
        await begin(tx, scope, list(facts.values()), climbing)
    told = [pair for pair in noted if _is_news(pair[0]) or pair[0].step is Step.RESOLVED]
    told.sort(key=lambda pair: pair[0].turn)  # stable: else in the order of their steps
    for _, part in groupby(told, key=lambda pair: pair[0].turn):
        tellings = [
            Telling(
                alert_id=note.entry.id,
                step=note.step,
                step_id=number,
                because=note.note if note.step is Step.REPEATED else "",
            )
            for note, number in part
        ]
        await tell(tx, scope, jobs, tellings, now)


def _is_news(note: Note) -> bool:
    """Tell whether people hear of a step: what counts in another alert is told with that one.

    What somebody has taken already is not told again when it stands by itself.
    """
    if note.entry.into is not None:
        return False
    return note.step is Step.FIRED or (note.step is Step.REPEATED and note.entry.is_firing)


def _closing(entry: Entry) -> Closing | None:
    if entry.opening is not None or entry.closed_at is None:
        return None  # a new one is inserted as it ends up
    return Closing(alert_id=entry.id, at=entry.closed_at, reason=entry.resolution)


def _row(entry: Entry, opening: Opening) -> NewAlert:
    return NewAlert(
        id=entry.id,
        opening=opening,
        subject=entry.subject,
        reason=entry.reason,
        folded_into=None if entry.into is None else entry.into.id,
        is_storm=entry.is_storm,
        folded=entry.folded,
        resolved_at=entry.closed_at,
        resolution=entry.resolution,
    )


def _refold(entry: Entry) -> Refold:
    return Refold(alert_id=entry.id, folded_into=None if entry.into is None else entry.into.id)


def _step(note: Note, number: int) -> NewStep:
    return NewStep(id=number, alert_id=note.entry.id, at=note.at, step=note.step, note=note.note)
