"""A task is given to a unit: by the desk or by a rule. A link to its phone goes along."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch, Unit
from hub.domain.errors import Conflict
from hub.patrols.dispatch.states import IN_FIELD, DeskStep, check_step
from hub.patrols.phone.links import defer_link
from hub.runtime.jobs import Jobs
from hub.store.database import Transaction
from hub.store.dispatches import Advance, Given, advance, hold_unit
from hub.store.phone_links import end_links


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """To whom a task goes and with which words."""

    unit: Unit
    note: str = ""
    is_by_rule: bool = False


async def send(
    tx: Transaction, scope: Scope, jobs: Jobs, task: Dispatch, sending: Sending, *, now: datetime
) -> Dispatch:
    """Send a task, held by this transaction, to a unit; whoever had it has it no more.

    Raises:
        Conflict: the task is over, the unit has it already, is switched off or was removed.
    """
    state = check_step(task.state, DeskStep.SEND)
    unit = sending.unit
    is_moved = task.state in IN_FIELD
    if is_moved and task.unit_id == unit.id:
        msg = f"{unit.name} has this task: give it a new link if the first one was lost"
        raise Conflict(msg)
    if not unit.is_enabled or not await hold_unit(tx, scope, unit.id):
        msg = f"{unit.name} takes no tasks: it is switched off or was removed"
        raise Conflict(msg)
    step = Advance(
        state=state,
        what="reassigned" if is_moved else state.value,
        note=sending.note,
        given=Given(unit_id=unit.id, unit_name=unit.name),
        detail={
            "unit": unit.id,
            "previous_unit": task.unit_id,
            "is_by_rule": sending.is_by_rule,
        },
    )
    sent = await advance(tx, scope, task, step, now=now)
    # A link of before would lead to it again if the unit had it before.
    await end_links(tx, scope, task.id, now)
    await defer_link(tx, jobs, dispatch_id=task.id, unit_id=unit.id)
    return sent
