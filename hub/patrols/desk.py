"""What people ask of patrols: have a plan walked now, look at results.

Called by the API and the command line inside their own transaction, with the caller's scope.
Lists and single rows come straight from hub.store's patrols, rounds and stops.
"""

from datetime import datetime
from pathlib import Path

from hub.domain.access import Scope
from hub.domain.errors import Conflict, NotFound
from hub.patrols.files import PictureFolder
from hub.patrols.walking.rounds import defer_round
from hub.runtime.jobs import Jobs
from hub.store import patrols, rounds, stops
from hub.store.database import Transaction


async def run_now(tx: Transaction, scope: Scope, jobs: Jobs, plan_id: int, *, now: datetime) -> int:
    """Have a plan of the scope walked at once, out of turn; returns the round's number.

    Raises:
        NotFound: the plan lies outside the scope.
        Conflict: a round of it is walking.
    """
    plan = await patrols.get_plan(tx, scope, plan_id)
    round_id = None
    if not await rounds.is_plan_walking(tx, scope, plan_id):
        round_id = await rounds.add_round(tx, scope, plan, now)
    if round_id is None:
        msg = "a round of this plan is walking: wait for its end or cancel it"
        raise Conflict(msg)
    await rounds.record_start_by_hand(tx, scope, await rounds.get_round(tx, scope, round_id))
    await defer_round(tx, jobs, round_id)
    return round_id


async def find_picture(
    tx: Transaction, scope: Scope, folder: PictureFolder, round_id: int, position: int
) -> Path:
    """Where the picture of a stop is; raises NotFound without one or outside the scope."""
    if not await stops.has_picture(tx, scope, round_id, position):
        msg = "no such picture"
        raise NotFound(msg)
    return folder.picture_path(round_id, position)


async def find_report(tx: Transaction, scope: Scope, folder: PictureFolder, round_id: int) -> Path:
    """Where the report of a round is; raises NotFound without one or outside the scope."""
    if not (await rounds.get_round(tx, scope, round_id)).has_report:
        msg = "no such report"
        raise NotFound(msg)
    return folder.report_path(round_id)
