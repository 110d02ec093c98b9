"""Telling people, and what people do: alerts and the job queue in one transaction."""

from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Alert, Step
from hub.runtime.jobs import Jobs
from hub.store import alerts as alert_store
from hub.store.cursors import get_cursor
from hub.store.database import Transaction
from hub.store.notifications import add_fired, add_resolved

CURSOR: Final = "alerts"
DELIVER: Final = "alerts.deliver"


async def tell(
    tx: Transaction, scope: Scope, jobs: Jobs, *, alert_id: int, step: Step, step_id: int
) -> int:
    """Make the notifications of a step and defer their delivery; return how many.

    Messages about one alert reach one receiver in order: "resolved" never overtakes "firing".
    """
    add = add_resolved if step is Step.RESOLVED else add_fired
    due = await add(tx, scope, alert_id, step_id)
    for notification in due:
        await jobs.defer(
            tx,
            DELIVER,
            {"notification": notification.id},
            lock=f"alert:{alert_id}:receiver:{notification.receiver_id}",
        )
    return len(due)


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
    await tell(tx, scope, jobs, alert_id=alert.id, step=Step.RESOLVED, step_id=step_id)
    return alert
