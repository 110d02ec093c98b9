"""Opens tasks from stops: somebody goes and sees to what was found."""

from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.dispatches import Cause, Dispatch, NewDispatch, Source
from hub.domain.errors import Conflict
from hub.domain.patrols import KNOWN_KINDS, PatrolStop, Result
from hub.patrols.dispatch.opening import LONGEST_TITLE, open_dispatch
from hub.patrols.walking.judging import TaskWish
from hub.runtime.jobs import Jobs
from hub.store import rounds, stop_results
from hub.store.database import Transaction
from hub.store.patrol_evidence import seal
from hub.store.round_deeds import Deed, write_down

OTHER: Final = "other"


async def open_task(
    tx: Transaction, scope: Scope, jobs: Jobs, stop: PatrolStop, wish: TaskWish, now: datetime
) -> Dispatch:
    """Open a task from a stop of the scope and have the stop name it.

    Raises:
        NotFound: the stop's area lies outside the scope.
        Conflict: there is an open task for this stop.
        Invalid: title or text have a form that is refused.
    """
    new = NewDispatch(
        area_id=stop.area_id,
        title=wish.title or name_task(stop),
        text=wish.text or stop.note,
        kind=stop.kind or OTHER,
        priority=wish.priority,
        place=stop.area_name,
        device_id=stop.device_id,
        cause=Cause(source=Source.PATROL, round_id=stop.round_id, position=stop.position),
    )
    task = await open_dispatch(tx, scope, jobs, new, now=now)
    await stop_results.name_dispatch(tx, scope, stop.round_id, stop.position, task.id)
    return task


async def open_late(
    tx: Transaction,
    scope: Scope,
    jobs: Jobs,
    place: tuple[int, int],
    wish: TaskWish,
    now: datetime,
) -> Dispatch:
    """Open a task from a stop (round, position) that is judged, also after its round.

    Raises:
        NotFound: the stop lies outside the scope.
        Conflict: it is open yet, or a task was opened from it.
        Invalid: title or text have a form that is refused.
    """
    walk = await rounds.lock_round(tx, scope, place[0])
    stop = await stop_results.get_stop(tx, scope, *place)
    if walk is None or stop.result is Result.OPEN:
        msg = "judge this stop first: a task is opened with what is abnormal"
        raise Conflict(msg)
    if stop.dispatch_id is not None:
        msg = f"task {stop.dispatch_id} was opened from this stop already"
        raise Conflict(msg)
    task = await open_task(tx, scope, jobs, stop, wish, now)
    body: dict[str, Json] = {"dispatch": task.id, "title": task.title}
    deed = Deed(what="stop_dispatched", now=now, position=stop.position, body=body)
    await write_down(tx, scope, walk, deed)
    if walk.is_over:  # its seal covers what stood then: seal again what came after
        await seal(tx, scope, walk.id, now)
    return task


def name_task(stop: PatrolStop) -> str:
    """What a task from a stop is called: names come from devices and may hold anything."""
    said = f"{stop.area_name} {stop.device_name} · {KNOWN_KINDS.get(stop.kind, stop.kind or OTHER)}"
    printable = "".join(sign if sign.isprintable() else " " for sign in said)
    return " ".join(printable.split())[:LONGEST_TITLE]
