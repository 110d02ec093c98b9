"""How what people do about alerts is written down: steps, the audit log, and who was too late."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Alert, Step
from hub.domain.errors import Conflict, Invalid, NotFound, RequestError
from hub.store.alerts import get_alerts
from hub.store.audit import Deed, record_all
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, scope_paths

LONGEST_NOTE: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a deed: alert → its step, or why not."""

    steps: Mapping[int, int] = field(default_factory=dict)
    refused: Mapping[int, RequestError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How a deed is written down."""

    step: Step
    action: str
    note: str
    now: datetime


def check_note(note: str, *, needed: str = "") -> str:
    """Return a note without the blanks around it.

    Raises:
        Invalid: it is too long, or there is none and ``needed`` says that there must be.
    """
    text = note.strip()
    if len(text) > LONGEST_NOTE or "\x00" in text:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise Invalid(msg, field="note")
    if needed and not text:
        raise Invalid(needed, field="note")
    return text


def standing(alert: Alert) -> Conflict:
    """Say that somebody was faster."""
    who = alert.resolved_by or alert.assigned_name or alert.acknowledged_by
    return Conflict(f"the alert is {alert.status.value} already, by {who}")


async def note_repeats(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], *, note: str, now: datetime
) -> dict[int, int]:
    """Note that alerts which were just opened again are told again; alert → step."""
    act = Act(step=Step.REPEATED, action="", note=note, now=now)
    return await _note_steps(tx, scope, alert_ids, act)


async def write_down(
    tx: Transaction,
    scope: Scope,
    alert_ids: Sequence[int],
    rows: Sequence[tuple[object, ...]],
    act: Act,
    refuse: Callable[[Alert], RequestError],
) -> Done:
    """Note steps, audit and notice of what was done (its ``rows`` begin with the alert's number).

    ``refuse`` says of an alert that is there why it was not done.
    """
    done = sorted(int(str(row[0])) for row in rows)
    steps = await _note_steps(tx, scope, done, act)
    found = {alert.id: alert for alert in await get_alerts(tx, scope, alert_ids)}
    deeds = [
        Deed(
            action=act.action,
            object_type="alert",
            object_id=str(number),
            area_id=found[number].area_id,
        )
        for number in done
    ]
    await record_all(tx, scope, deeds, {"note": act.note})
    await notify(tx, scope, "alerts", done)
    refused = {
        number: refuse(found[number]) if number in found else NotFound("no such alert")
        for number in alert_ids
        if number not in set(done)
    }
    return Done(steps=steps, refused=refused)


def common_values(scope: Scope, alert_ids: Sequence[int], now: datetime) -> dict[str, object]:
    """The values that every deed's statement has."""
    return {
        "ids": list(alert_ids),
        "now": now,
        "actor": scope.actor,
        "scope": scope_paths(scope),
    }


async def _note_steps(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int], act: Act
) -> dict[int, int]:
    rows = await tx.tuples(
        "INSERT INTO alert_steps (alert_id, at, actor, step, note)"
        " SELECT x.id, %(now)s, %(actor)s, %(step)s, %(note)s FROM alerts x"
        " JOIN areas a ON a.id = x.area_id WHERE x.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY x.id RETURNING alert_id, id",
        {**common_values(scope, alert_ids, act.now), "step": act.step, "note": act.note},
    )
    return {int(str(alert)): int(str(step)) for alert, step in rows}
